"""The ways to predict, one per kind of catalogue entry."""
