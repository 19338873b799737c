"""Scores that cohere: with what is announced, and churn, lapses, branches and counts together."""
