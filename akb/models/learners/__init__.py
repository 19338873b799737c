"""Ways to learn from rows: the base rate, one rule, a spline regression, boosted trees."""
