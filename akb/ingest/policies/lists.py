"""Several lists of one book: a selection beside the export, or columns that only another list has.

The fifty largest policies on a sheet of their own are no fifty policies more, whatever columns that
sheet lacks. Where the lists have the same columns and write a policy alike, `versions` settles
which row counts; this is for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.policies.versions import HELPERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.core.findings import Severity
    from akb.ingest.columns.notes import Notes, Table

SECOND = "second_list"
_SUMS = [name for name in HELPERS if name.startswith("sum_")]
_OWN = {
    "file",
    "line",
    "key",
    "relation",
    "number",
    "snapshot",
    "start_date",
    *_SUMS,
}  # never taken from another list
_FLAGS = ("no_marketing", "deceased")  # once true is true
_BRANCH = {"branch", "branch_code"}
_COMPARED = ("insurer", "branch", "start_date", "end_date", "changed", "premium_cents")
_MAY_DIFFER = (
    0.05  # with so many other premiums the second list is of another day, or of something else
)
_FAR = pl.date(9999, 1, 1)
_DOUBLES, _DOUBLED = 10, 0.02  # policies of a second list, and their share of all, that are told of


def one_insurer(rows: pl.DataFrame) -> pl.DataFrame:
    """Fill a missing insurer where the same list has the same policy, from the same day, with
    one.
    """
    by = ["file", "key", "number", "branch", "start_date"]
    if not rows.height or not 0 < rows["insurer"].null_count() < rows.height:
        return rows
    named = pl.col("insurer").drop_nulls()
    only = pl.when(named.n_unique().over(by) == 1).then(named.first().over(by))
    return rows.with_columns(insurer=pl.coalesce("insurer", only))


def one_list(rows: pl.DataFrame, tables: Sequence[Table], notes: Notes) -> pl.DataFrame:
    """Return the policy rows without those that a larger list has too, with what only the smaller
    one says.

    A row is another's if customer and number are the same and, either, both lists have the number
    once, with the same start; or a list that lacks columns says nothing against it and the periods
    overlap. Of what both say the larger list's holds.

    Parameters
    ----------
    rows
        Typed policy rows of all `tables`: `versions.KEY`, start_date, end_date, changed, file i32,
        line and the rest.
    tables
        The policies tables.
    notes
        Receives the rejects and AKB-D122 per list.
    """
    order = sorted(
        range(len(tables)), key=lambda place: (-tables[place].cells.height, tables[place].raw.name)
    )
    for position, place in enumerate(order):
        for larger in order[:position]:
            pairs = _pairs(rows, place, larger, tables)
            if pairs.is_empty():
                continue
            _reject(pairs, tables[place], tables[larger], notes)
            rows = _filled(rows, pairs, larger, tables)
            rows = rows.join(
                pairs.select("file", "line"), on=["file", "line"], how="anti", maintain_order="left"
            )
    return rows


def say_doubles(rows: pl.DataFrame, tables: Sequence[Table], notes: Notes) -> None:
    """Report AKB-D131 where two lists have policies that only their number tells apart.

    Same customer, branch, insurer, days and premium: either the lists write the numbers in two
    ways, and every one of these policies counts twice, or they are twins.
    """
    same = ["key", "branch", "insurer", "start_date", "end_date", "premium_cents"]
    known = rows.filter(pl.col("premium_cents").is_not_null()).select("file", "number", *same)
    twice = known.with_columns(
        first=pl.col("file").min().over(same),
        alone=(pl.col("number").n_unique() == pl.col("file").n_unique()).over(same),
    ).filter((pl.col("file") > pl.col("first")) & pl.col("alone"))
    numbers = known.select("file", other="number")
    twice = twice.join(numbers, left_on=["first", "number"], right_on=["file", "other"], how="anti")
    if twice.height < max(_DOUBLES, _DOUBLED * rows.height):
        return
    place = int(twice["file"].mode().min())  # type: ignore[arg-type]
    premium = int(twice["premium_cents"].sum() or 0) // 100
    where = tables[place].raw.name
    notes.find(
        "AKB-D131", "issue", twice.height, twice.height / rows.height, file=where, premium=premium
    )


def _pairs(rows: pl.DataFrame, place: int, larger: int, tables: Sequence[Table]) -> pl.DataFrame:
    """Return the rows of a list that stand in a larger one: file, line, and ``line_there`` where
    that is one row.
    """
    here, there = set(tables[place].headings.at), set(tables[larger].headings.at)
    lacks = here != there
    mine = _with_count(rows.filter(pl.col("file") == place))
    theirs = _with_count(rows.filter(pl.col("file") == larger)).select(
        "key",
        "number",
        *(pl.col(name).alias(f"{name}_there") for name in (*_COMPARED, "line", "rows")),
    )
    both = mine.join(theirs, on=["key", "number"])
    same_start = pl.col("start_date") == pl.col("start_date_there")
    once = (pl.col("rows") == 1) & (pl.col("rows_there") == 1) & same_start
    alike = pl.all_horizontal(_compatible(name) for name in ("insurer", "branch"))
    same_key = pl.all_horizontal(
        pl.col(name).eq_missing(pl.col(f"{name}_there")) for name in ("insurer", "branch")
    )
    branchless = not (here & _BRANCH and there & _BRANCH)
    within = _compatible("insurer") if branchless else alike
    newer = (pl.col("changed") > pl.col("changed_there")).fill_null(value=False)
    matches = both.filter(
        ~newer, (once & (lacks | ~same_key)) | (pl.lit(lacks) & within & _overlap())
    )
    best = matches.filter(
        (same_start == same_start.any()).over("file", "line")
    )  # the same start before one that overlaps
    return best.group_by("file", "line").agg(
        line_there=pl.when(pl.len() == 1).then(pl.col("line_there").first()),
        differs=(pl.col("premium_cents") != pl.col("premium_cents_there"))
        .fill_null(value=False)
        .all(),
    )


def _with_count(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(
        "file", "line", "key", "number", *_COMPARED, rows=pl.len().over("key", "number")
    )


def _compatible(name: str) -> pl.Expr:
    return (pl.col(name) == pl.col(f"{name}_there")).fill_null(value=True)


def _overlap() -> pl.Expr:
    until, until_there = (
        pl.col("end_date").fill_null(_FAR),
        pl.col("end_date_there").fill_null(_FAR),
    )
    return (pl.col("start_date") <= until_there) & (pl.col("start_date_there") <= until)


def _filled(
    rows: pl.DataFrame, pairs: pl.DataFrame, larger: int, tables: Sequence[Table]
) -> pl.DataFrame:
    """Fill what the larger list leaves open with what the other says of the same policy."""
    names = [name for name in rows.columns if name not in _OWN]
    some = (
        pairs.filter(pl.col("line_there").is_not_null())
        .sort("file", "line")
        .unique("line_there", keep="first")
    )
    other = (
        rows.join(some, on=["file", "line"])
        .drop("line")
        .select(
            pl.lit(larger, dtype=pl.Int32).alias("file"),
            pl.col("line_there").alias("line"),
            *(pl.col(name).alias(f"{name}_other") for name in names),
        )
    )
    joined = rows.join(other, on=["file", "line"], how="left", maintain_order="left")
    later = pl.when(pl.col("end_date_other") > pl.col("start_date")).then("end_date_other")
    end = pl.coalesce("end_date", later)
    its_reason = pl.when(end == pl.col("end_date_other")).then("reason_other")
    takes: dict[str, pl.Expr] = {name: pl.coalesce(name, f"{name}_other") for name in names}
    takes |= {
        name: pl.coalesce(pl.col(name) | pl.col(f"{name}_other"), name, f"{name}_other")
        for name in _FLAGS
    }
    takes |= {"end_date": end, "reason": pl.coalesce("reason", its_reason)}
    if not set(tables[larger].headings.at) & _BRANCH:
        takes["branch"] = pl.coalesce("branch_other", "branch")
    return joined.with_columns(**takes).select(rows.columns)


def _reject(pairs: pl.DataFrame, table: Table, larger: Table, notes: Notes) -> None:
    """Put the rows of a list aside that stand in a larger one, and report how many and how many
    differ.
    """
    lines = pairs.select("line").sort("line")
    notes.reject(
        table,
        lines.join(table.cells, on="line", how="left", maintain_order="left"),
        "policy",
        SECOND,
    )
    differs = int(pairs["differs"].fill_null(value=False).sum())
    params = {"file": table.raw.name, "larger": larger.raw.name, "differs": differs}
    severity: Severity = "issue" if differs > _MAY_DIFFER * pairs.height else "tip"
    notes.find(
        "AKB-D122", severity, pairs.height, pairs.height / max(table.cells.height, 1), **params
    )
