"""``akb retrain``: a challenger against the champion, and who scores from then on."""
