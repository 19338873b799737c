"""Churn: one landmark hazard, its causes, what is announced, and the lifetime that follows."""
