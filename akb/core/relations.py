"""Policies in force on a day, and what of them is a cover: definitions that every room shares."""

from __future__ import annotations

from datetime import date

import polars as pl

OPEN = date(9000, 1, 1)
"""A day later than any end: the end of what has none."""

SUBSCRIPTION = "abonnement"
"""The branch of the office's own service at a fee: a contract that is no policy."""


def covers(policies: pl.DataFrame) -> pl.DataFrame:
    """Return what is a policy: contracts but for subscriptions, which nobody counts as one."""
    return policies.filter(pl.col("branch") != SUBSCRIPTION)


def in_force(policies: pl.DataFrame, day: date, *columns: str) -> pl.DataFrame:
    """Return the policies in force on `day`: started, and without an end or with a later one.

    Parameters
    ----------
    columns
        Those that are asked for; none: all. Of millions of policies every other one is memory.
    """
    ends = pl.col("end_date")
    there = (pl.col("start_date") <= day) & (ends.is_null() | (ends > day))
    if not columns:
        return policies.filter(there)
    return policies.lazy().filter(there).select(columns).collect()
