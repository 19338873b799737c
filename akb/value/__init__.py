"""What it is worth: commission, cost, lifetime value, lists and the business case."""
