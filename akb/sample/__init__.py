"""A simulator of a Dutch office with known hazards."""
