"""The page itself: templates, figures, phrases."""
