"""Whom to contact, about what, and by whom."""
