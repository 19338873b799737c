"""Rows of (T, customer, branch): what is held and may lapse, what is not and may be taken."""
