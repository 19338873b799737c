"""Policies in force on a day: the one definition that every room shares."""

from __future__ import annotations

from datetime import date

import polars as pl

OPEN = date(9000, 1, 1)
"""A day later than any end: the end of what has none."""


def in_force(policies: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return the policies in force on `day`: started, and without an end or with a later one."""
    ends = pl.col("end_date")
    return policies.filter((pl.col("start_date") <= day) & (ends.is_null() | (ends > day)))
