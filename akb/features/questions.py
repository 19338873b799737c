"""What a customer will ask and by which channel: one row per (T, customer, topic) and per (T,
customer, channel).

Topics are what subjects of contacts speak of (``configs/topics.toml``); the subject itself is never
used. The channel is that of the first contact that took place after T: the one by which office and
customer really spoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.branch_rows.world import in_order
from akb.features.cut import KEY, MONTH
from akb.features.events import CHANNELS
from akb.features.themes import every_topic
from akb.features.types import BranchRows

if TYPE_CHECKING:
    from collections.abc import Sequence

REACH_MONTHS = 25
"""How far back rows go: what customers ask and how they do it changes, and half a year ahead needs
no longer.
"""

TOPIC_DAYS, CHANNEL_DAYS = 90, 180
NAMES = ("own_3m", "own_12m", "own_36m", "own_since", "own_share", "all_12m", "all_36m")
ENOUGH = 8_000
"""Customers per earlier date: with more of them every n-th is looked at, so that rows stay few; at
X everyone is.
"""


def topic_rows(
    rows: pl.DataFrame, contacts: pl.DataFrame | None, dates: pl.DataFrame
) -> BranchRows | None:
    """Return whether a contact about a topic takes place in the 90 days after T; None without
    contacts.

    Parameters
    ----------
    rows
        as_of, t, customer, day of the matrix.
    contacts
        customer, ``date`` (days since 1970), ``topic``, ``channel``.
    """
    if contacts is None or rows.is_empty():
        return None
    given = set(contacts["topic"].drop_nulls().unique())
    topics = [name for name in every_topic() if name in given]
    if not topics:
        return None
    table = _asked(rows, contacts, dates, "topic", topics)
    soon = (pl.col("next") <= pl.col("day") + TOPIC_DAYS).fill_null(value=False)
    return _finished(table, soon, pl.lit(value=True))


def channel_rows(
    rows: pl.DataFrame, contacts: pl.DataFrame | None, dates: pl.DataFrame
) -> BranchRows | None:
    """Return by which channel the first contact after T goes; rows without one within 180 days are
    not asked.
    """
    if contacts is None or rows.is_empty():
        return None
    given = set(contacts["channel"].drop_nulls().unique())
    channels = [name for name in CHANNELS if name in given]
    if len(channels) < 2:
        return None
    table = _asked(rows, contacts, dates, "channel", channels)
    met = (pl.col("first") <= pl.col("day") + CHANNEL_DAYS).fill_null(value=False)
    # of two channels on one day the first in the list counts, so that a row has one answer
    return _finished(
        table, (met & (pl.col("place") == pl.col("first_place"))).fill_null(value=False), met
    )


def _asked(
    rows: pl.DataFrame, contacts: pl.DataFrame, dates: pl.DataFrame, by: str, names: Sequence[str]
) -> pl.DataFrame:
    """Return a row per (T, customer, name) with what was known at T of such contacts, and the next
    one after T.
    """
    place = pl.DataFrame(
        {by: list(names), "place": range(len(names))}, schema_overrides={"place": pl.Int32}
    )
    known = contacts.select("customer", "date", by).join(place, on=by).drop(by)
    edges = (known["date"].min(), known["date"].max(), dates["day"].max())
    first, last, x = (int(each) for each in edges)  # type: ignore[arg-type]
    lately = dates.filter(
        (pl.col("day") > x - REACH_MONTHS * MONTH) & (pl.col("day") - 365 >= first - 1)
    )
    lately = lately.filter((pl.col("day") < last) | (pl.col("day") == x))
    step = -(-rows.filter(pl.col("day") == x).height // ENOUGH)
    asked = rows.filter(
        pl.col("t").is_in(lately["t"].implode())
        & ((pl.col("day") == x) | ((pl.col("customer") + pl.col("t")) % max(step, 1) == 0))
    ).select("as_of", *KEY, "day")
    met = (
        lately.lazy()
        .select("t", "day", "back_3", "back_12", "back_36", "ahead_12")
        .join(known.lazy(), how="cross")
        .filter((pl.col("date") > pl.col("back_36")) & (pl.col("date") <= pl.col("ahead_12")))
        .join(asked.lazy().select(KEY), on=KEY, how="semi")
        .collect()
        .lazy()
    )
    later = pl.col("date") > pl.col("day")
    seen = met.group_by(*KEY, "place").agg(
        **{f"own_{w}m": _within(w) for w in (3, 12, 36)},
        own_since=(pl.col("day") - pl.col("date")).filter(~later).min(),
        next=pl.col("date").filter(later).min(),
    )
    every = met.group_by(KEY).agg(
        all_12m=_within(12), all_36m=_within(36), first=pl.col("date").filter(later).min()
    )
    opening = met.join(every, on=KEY).filter(pl.col("date") == pl.col("first"))
    opening = opening.group_by(KEY).agg(first_place=pl.col("place").min())
    table = asked.lazy().join(every, on=KEY, how="left").join(opening, on=KEY, how="left")
    counts = pl.col("own_3m", "own_12m", "own_36m", "all_12m", "all_36m")
    return (
        table.join(place.lazy(), how="cross")
        .join(seen, on=[*KEY, "place"], how="left")
        .with_columns(counts.fill_null(0))
        .with_columns(
            own_share=pl.when(pl.col("all_36m") > 0).then(pl.col("own_36m") / pl.col("all_36m"))
        )
        .rename({by: "branch"})
        .collect()
    )


def _within(window: int) -> pl.Expr:
    return (
        ((pl.col("date") > pl.col(f"back_{window}")) & (pl.col("date") <= pl.col("day")))
        .sum()
        .cast(pl.Int32)
    )


def _finished(table: pl.DataFrame, happened: pl.Expr, asked: pl.Expr) -> BranchRows:
    known = table.select(
        "as_of",
        "customer",
        pl.col("branch").cast(pl.Enum(table["branch"].unique().sort())),
        *(pl.col(name).cast(pl.Float32) for name in NAMES),
        label=happened.cast(pl.Float32),
        event_date=pl.col("next").cast(pl.Date),
        asked=asked,
    )
    return BranchRows(in_order(known), NAMES)
