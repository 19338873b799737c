"""``actions/*.csv``: the lists that advisers work from, in Dutch Excel's own format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.report.files.list_columns import ADDED, SENTENCE, discuss_sentence, named, with_added
from akb.report.files.tables import dutch_cell, dutch_csv
from akb.report.portal import portal_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    columns
        Keys; the first is ``customer``.
    heads
        What people read above them.
    rows
        Values, once: numbers and dates as they are, everything else as text. Nothing is neutralised
        yet.
    """

    name: str
    columns: tuple[str, ...]
    heads: tuple[str, ...]
    rows: Iterator[list[Any]]


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
    for table in list_tables(context):
        yield f"{table.name}.csv", dutch_csv(table.heads, _cells(table))


def _cells(table: ListTable) -> Iterator[list[str]]:
    """Yield the rows as cells for Dutch Excel."""
    decimals = [4 if is_chance(column) else 2 for column in table.columns]
    for row in table.rows:
        yield [dutch_cell(cell, digits) for cell, digits in zip(row, decimals, strict=True)]


def is_chance(column: str) -> bool:
    """Whether a column holds a chance or a share."""
    return (column.startswith("churn_") and column not in POINTS) or column in CHANCES


def _table(context: Context, name: str, frame: pl.DataFrame) -> ListTable:
    ordered = with_added(context, name, frame.sort("rank") if "rank" in frame.columns else frame)
    columns = _columns(name, ordered)
    extra = SENTENCE.get(name)
    heads = [_head(context, name, column) for column in [*columns, *([extra] if extra else [])]]
    rows = _rows(context, ordered, columns, extra)
    return ListTable(name, (*columns, *([extra] if extra else [])), tuple(heads), rows)


def _rows(
    context: Context, ordered: pl.DataFrame, columns: Sequence[str], extra: str | None
) -> Iterator[list[Any]]:
    """Yield the values of every row: of who is in force everybody has an action."""
    names = shown_names(context, ordered)
    portal = context.once(portal_facts) if extra == "reasons" else None
    shown: dict[tuple[str, str], Any] = {}  # a list repeats its words in thousands of rows

    def cell(column: str, value: Any) -> Any:
        if not isinstance(value, str):
            return _cell(context, column, value)
        if (column, value) not in shown:
            shown[column, value] = _cell(context, column, value)
        return shown[column, value]

    for row in ordered.iter_rows(named=True):
        cells = [
            names[row["customer"]],
            *(cell(column, row[column]) for column in columns[1:]),
        ]
        if portal:
            cells.append(portal.why.sentence(row["customer"], portal.words))
        elif extra == "gap":
            cells.append(discuss_sentence(context, row["branch"], row["share"]))
        yield cells


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


def shown_names(context: Context, frame: pl.DataFrame) -> dict[int, str]:
    """Return customer -> the name that the files show: the pseudonym, or the relation number for
    who may see it.
    """
    column = "relation" if context.bundle.no_pseudonyms else "pseudonym"
    if frame.is_empty():
        return {}
    known = context.bundle.portfolio.customers.select("customer", column)
    return dict(
        frame.select("customer").join(known, on="customer", how="left").unique().iter_rows()
    )


def _cell(context: Context, column: str, value: Any) -> Any:
    spoken = context.words
    if value is None:
        return None
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
