"""What contacts bring and cost: the business case of a plan."""
