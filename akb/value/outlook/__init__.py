"""Where the portfolio goes in five years."""
