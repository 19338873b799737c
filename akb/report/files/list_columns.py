"""What the lists tell of every customer beside their own columns: class, segment, moment, channel,
comparable holdings.

Keys of the scores stand here in the words of the client; a segment has the neutral name of the
files that a customer may ask to see."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.dates import add_months
from akb.report import formats
from akb.report.files.tables import rows_in_words

if TYPE_CHECKING:
    from datetime import date

    from akb.report.context import Context

SEGMENTS = ("class_commission", "class_value", "growth_segment", "position_segment")
CONTACT = ("moment", "channel", "contact_month")
MONTHS_AHEAD = ("contact_month", "peak_risk_month")
NAMED = ("kind", "action", "done_level", "moment", "channel")
"""Columns whose values are keys, with a table of names of the same name among the texts."""
CONTACTS = ("contact", "best_contact", "runner_up")
"""Columns whose values are types of the ladder; ``contact`` is yes or no in the lists behind the
actions.
"""
ADDED = {
    "next_best_action": (*SEGMENTS, *CONTACT),
    "top_defend": (*SEGMENTS, *CONTACT),
    "next_best_policy": ("share", *SEGMENTS, *CONTACT),
    "care_gaps": (*SEGMENTS, "channel"),
    "announced": SEGMENTS,
    "bleeders": SEGMENTS,
    "feeders": SEGMENTS,
}
"""List -> columns that it gets; the list of former customers none, for they are in no segment."""
MOST = 0.5
"""From this share of comparable customers on, a cover that they hold and this customer does not is
a gap.
"""
SENTENCE = {"top_defend": "reasons", "care_gaps": "gap", "next_best_policy": "gap"}
"""List -> the sentence at its end."""


def with_added(context: Context, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return a list with the columns of `ADDED`, in the order of its rows; null where nobody
    knows.
    """
    wanted = [column for column in ADDED.get(name, ()) if column not in frame.columns]
    frame = _with_members(context, frame)
    if "share" in wanted:
        frame = _with_share(context, frame)
    classes = context.classes
    known = [column for column in wanted if column in classes.columns]
    if known and frame.height:
        frame = frame.join(
            classes.select("customer", *known), on="customer", how="left", maintain_order="left"
        )
    return frame.with_columns(
        pl.lit(None).alias(column) for column in wanted if column not in frame.columns
    )


def _with_members(context: Context, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the list with the members of each contract, where any customer is one."""
    customers = context.bundle.portfolio.customers
    if "members" not in customers.columns or customers["members"].null_count() == customers.height:
        return frame
    members = customers.select("customer", pl.col("members").cast(pl.Int64))
    return frame.join(members, on="customer", how="left", maintain_order="left")


def _with_share(context: Context, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the list with the share of comparable customers who hold the branch to discuss."""
    models = context.bundle.models
    needs = (
        []
        if models is None
        else [column for column in models.scores.columns if column.startswith("need_")]
    )
    if models is None or not needs or frame.is_empty():
        return frame
    held = (
        models.scores.select("customer", *needs)
        .join(frame.select("customer").unique(), on="customer", how="semi")
        .rename({column: column.removeprefix("need_") for column in needs})
        .unpivot(index="customer", variable_name="branch", value_name="share")
        .with_columns(pl.col("share").cast(pl.Float64).fill_nan(None))
    )
    return frame.join(held, on=["customer", "branch"], how="left", maintain_order="left")


def named(context: Context, column: str, value: Any) -> Any:
    """Return a value of a list in words: a key by its name, a month ahead by its month; others as
    they are.
    """
    if column in CONTACTS and isinstance(value, str):
        return context.ladder.get(value, value.replace("_", " "))
    if column in NAMED:
        return context.words.name(column, value)
    if column in ("growth_segment", "position_segment"):
        return context.words.table(f"crm_name.{column}").get(value)
    if column in MONTHS_AHEAD:
        return month_ahead(context.as_of, int(value))
    return value


def month_ahead(day: date, months: int) -> str:
    """Return the calendar month in the middle of month `months` ahead (1 = the coming one) as ``jan
    2026``.
    """
    return formats.month_year((add_months(day, months) - timedelta(days=15)).isoformat())


def discuss_sentences(context: Context, rows: pl.DataFrame) -> pl.Series:
    """Return what an adviser may say of the cover of every row, ``branch`` with its ``share``, that
    is not known here: it informs, and names no product.

    A gap is what most comparable customers hold; of another cover the sentence only says how many
    do."""
    share = pl.col("share").cast(pl.Float64)
    kind = pl.when(share >= MOST).then(pl.lit("gap")).otherwise(pl.lit("discuss"))
    said = rows.select(
        "branch",
        kind=pl.when(share.is_null()).then(pl.lit("unknown")).otherwise(kind),
        tenths=(10 * share).round(mode="half_to_even").clip(1, 9).cast(pl.Int64),
    )
    return rows_in_words(
        said,
        lambda branch, kind, tenths: context.words.plain(
            f"list_text.{kind}", branch=context.branch_name(branch).lower(), tenths=tenths
        ),
    )
