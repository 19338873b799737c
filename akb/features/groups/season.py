"""Where T lies in the year."""

from __future__ import annotations

from math import tau
from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group

if TYPE_CHECKING:
    from akb.features.registry import World


def build(_world: World) -> Group:
    """Return the calendar month of T as a circle and its distance to 1 January."""
    group = Group("season")
    angle = tau * (pl.col("month") - 1) / 12
    group.add("month_sin", "sine of the calendar month of T", "-1 to 1", angle.sin())
    group.add("month_cos", "cosine of the calendar month of T", "-1 to 1", angle.cos())
    group.add("months_to_january", "months from T to 1 January", "months", 13 - pl.col("month"))
    return group
