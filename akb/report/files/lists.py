"""``actions/*.csv``: the lists that advisers work from, in Dutch Excel's own format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.report.files.list_columns import (
    ADDED,
    MONTHS_AHEAD,
    NAMED,
    SENTENCE,
    discuss_sentences,
    named,
    with_added,
)
from akb.report.files.tables import dutch_table, in_words
from akb.report.portal import portal_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from akb.report.context import Context

_WHO = ("kind", "adviser", "office")
ALWAYS = {
    "next_best_action": (
        "customer",
        "rank",
        "action",
        "contact",
        "branch",
        "expected_euros",
        "runner_up",
        "runner_up_euros",
        *_WHO,
        "done_by",
        "done_level",
        "control",
    ),
    "top_defend": (
        "customer",
        "rank",
        *_WHO,
        "churn_12m",
        "value_at_stake",
        "expected_saving",
        "relation",
        "policy",
        "best_contact",
        "contact",
        "control",
    ),
    "next_best_policy": (
        "customer",
        "rank",
        "branch",
        "probability",
        *_WHO,
        "contact",
        "extra",
        "control",
    ),
    "care_gaps": ("customer", "rank", "branch", "share", *_WHO, "control"),
    "announced": ("customer", "rank", "ends", "commission", "branches", *_WHO, "control"),
    "winback": ("customer", "rank", "probability", "left", "branches", *_WHO, "control"),
    "bleeders": ("customer", "rank", "margin", "commission", "cost", "policies", *_WHO, "control"),
    "feeders": ("customer", "rank", "margin", "commission", "cost", "policies", *_WHO, "control"),
}
"""Lists of the contract, in the order of the workbook, with the columns that they have when nobody
could make them.
"""
POINTS = ("churn_effect",)
"""Differences in percentage points."""
CHANCES = ("probability", "threshold", "share")
EUROS = (
    "value_at_stake", "clv", "commission", "expected_saving", "expected_commission",
    "expected_euros", "margin", "cost",
    "extra", "relation", "policy", "runner_up_euros",
)  # fmt: skip


@dataclass(frozen=True)
class ListTable:
    """One list, ready to be written.

    Parameters
    ----------
    heads
        What people read above the columns.
    table
        A column per key, ``customer`` first: numbers and dates as they are, everything else as
        text. Nothing is neutralised yet.
    """

    name: str
    heads: tuple[str, ...]
    table: pl.DataFrame

    @property
    def columns(self) -> tuple[str, ...]:
        """The keys of the columns."""
        return tuple(self.table.columns)


def list_tables(context: Context) -> Iterator[ListTable]:
    """Yield every list, those of the contract always, in the order of the workbook."""
    value = context.bundle.value
    made = dict(value.lists) if value else {}
    for name, columns in ALWAYS.items():
        made.setdefault(name, pl.DataFrame(schema=dict.fromkeys(columns, pl.String)))
    order = {name: place for place, name in enumerate(ALWAYS)}
    for name in sorted(made, key=lambda name: (order.get(name, 99), name)):
        yield _table(context, name, made[name])


def action_lists(context: Context) -> Iterator[tuple[str, bytes]]:
    """Yield file name and content of every list; those of the contract exist always, headings at
    least.
    """
    for made in list_tables(context):
        decimals = {column: 4 for column in made.columns if is_chance(column)}
        yield f"{made.name}.csv", dutch_table(made.heads, made.table, decimals)


def is_chance(column: str) -> bool:
    """Whether a column holds a chance or a share."""
    return (column.startswith("churn_") and column not in POINTS) or column in CHANCES


def _table(context: Context, name: str, frame: pl.DataFrame) -> ListTable:
    ordered = with_added(context, name, frame.sort("rank") if "rank" in frame.columns else frame)
    columns = _columns(name, ordered)
    shown = [
        shown_customers(context, ordered),
        *(_column(context, ordered[column]) for column in columns[1:]),
    ]
    extra = SENTENCE.get(name)
    if extra:
        shown.append(_sentences(context, ordered, extra))
    table = pl.DataFrame(shown)
    heads = tuple(_head(context, name, column) for column in table.columns)
    return ListTable(name, heads, table)


def _sentences(context: Context, ordered: pl.DataFrame, extra: str) -> pl.Series:
    """Return the sentence at the end of every row: of who is in force everybody has an action."""
    if ordered.is_empty():
        return pl.Series(extra, [], dtype=pl.String)
    if extra == "gap":
        return discuss_sentences(context, ordered).alias(extra)
    portal = context.once(portal_facts)
    return portal.why.sentences(ordered["customer"], portal.words).alias(extra)


def _head(context: Context, name: str, column: str) -> str:
    """Return what people read above a column; of a list's own where it means something else
    there.
    """
    own = context.words.table("list_column_of").get(name, {})
    return str(own[column]) if column in own else context.words.name("list_column", column)


def _columns(name: str, frame: pl.DataFrame) -> list[str]:
    """Customer first, rank second, then the list's own order; `ADDED` at the end."""
    apart = {"customer", "rank"}
    last = [column for column in ADDED.get(name, ()) if column in frame.columns]
    rest = [column for column in frame.columns if column not in apart and column not in last]
    return ["customer", *(["rank"] if "rank" in frame.columns else []), *rest, *last]


def shown_customers(context: Context, frame: pl.DataFrame) -> pl.Series:
    """Return by what name the files show the customer of every row: the pseudonym, or the relation
    number for who may see it.
    """
    column = "relation" if context.bundle.no_pseudonyms else "pseudonym"
    if frame.is_empty():
        return pl.Series("customer", [], dtype=pl.String)
    known = context.bundle.portfolio.customers.select("customer", shown=column)
    rows = frame.select("customer").join(known, on="customer", how="left", maintain_order="left")
    return rows["shown"].alias("customer")


def _column(context: Context, values: pl.Series) -> pl.Series:
    """Return a column of a list in words; numbers, dates and yes or no stay what they are."""
    name = values.name
    plain = values.dtype.is_numeric() or values.dtype.is_temporal() or values.dtype == pl.Boolean
    if plain and name not in (*NAMED, *MONTHS_AHEAD):
        return values
    return in_words(values, lambda value: _cell(context, name, value))


def _cell(context: Context, column: str, value: Any) -> Any:
    spoken = context.words
    if column == "done_by" and str(value).startswith("#"):
        return spoken.plain("list_text.worker", number=str(value)[1:])
    people = "adviser" if column == "done_by" else column
    if people in context.shared and value not in context.shared[people]:
        return ""  # who is the only one at an office or with an adviser would be found by it
    if column in ("branch", "branches"):
        return (
            ", ".join(context.branch_name(part) for part in str(value).split(", "))
            if value
            else value
        )
    return named(context, column, value)
