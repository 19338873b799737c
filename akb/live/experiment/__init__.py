"""Experiments: how many customers they take, who is in which arm, and what they showed."""
