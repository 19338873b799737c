"""What goes on after the first report: score, learn from feedback, experiment, evaluate."""
