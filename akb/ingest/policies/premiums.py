"""Dated premium history: from which day on each policy had which premium, as it was known on that
day.

Three kinds of export know it: a file of the role premiums; rows of one policy with the date from
which each holds (versions, insurance years); several deliveries of one book, of which each shows
the premium of its own day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.dates import read_dates
from akb.ingest.money_conventions.money import MoneyRows, read_money
from akb.ingest.money_conventions.terms import read_terms
from akb.ingest.policies.versions import KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.ingest.as_of.clock import Clock
    from akb.ingest.as_of.run import IngestRun
    from akb.ingest.columns.notes import Table

SEVERAL = (
    0.1  # of the policies with a dated premium have to have two for the premiums to be a history
)
MONEY = ("premium_cents", "commission_cents")
_COLUMNS = ["policy", "date", *MONEY]
_SCHEMA = {
    "policy": pl.UInt32,
    "date": pl.Date,
    "premium_cents": pl.Int64,
    "commission_cents": pl.Int64,
}
_STAND = [
    *KEY,
    "start_date",
    "date",
    "version",
    "coverage",
    *MONEY,
    "sum_premium",
    "sum_commission",
]


def dated_rows(rows: pl.DataFrame, clock: Clock, *, delivered: bool) -> pl.DataFrame:
    """Return what each policy row says of a premium and of the day from which it was known.

    Parameters
    ----------
    rows
        Typed policy rows, as `versions.one_row_per_policy` gets them.
    clock
        X; what holds from a later day is not known yet.
    delivered
        There are several deliveries: a row's premium was known on the day of its delivery.
    """
    day = pl.col("snapshot") if delivered else pl.col("version_date")
    return (
        rows.with_columns(date=day)
        .filter(pl.col("date") <= clock.as_of, pl.col("premium_cents") >= 0)
        .select(_STAND)
    )


def read_premiums(
    tables: Sequence[Table],
    dated: pl.DataFrame,
    policies: pl.DataFrame,
    run: IngestRun,
) -> pl.DataFrame | None:
    """Return the premium history (see `Portfolio`); None where hardly any policy has two dated
    premiums.

    A file of premiums wins over the rows of the policies: it was made for this.

    Parameters
    ----------
    tables
        All tables of the run.
    dated
        `dated_rows` of the policies.
    policies
        The canonical policies, with ``key`` and ``number``.
    run
        X, the run's settings, and the notes that receive the rejects and what was found.
    """
    notes = run.notes
    mine = [table for table in tables if table.headings.role == "premiums"]
    dated_premiums = _of_files(mine, policies, run) if mine else _of_rows(dated, policies)
    held = dated_premiums.join(policies.select("policy", "end_date"), on="policy")
    # a renewal that was not taken never held
    held = held.filter(pl.col("end_date").is_null() | (pl.col("date") < pl.col("end_date")))
    history = _changes(held)
    several = held.filter(pl.col("date").n_unique().over("policy") > 1)
    if several["policy"].n_unique() < max(1, SEVERAL * held["policy"].n_unique()):
        if mine:
            notes.find("AKB-D061", "tip")
        return None
    first, last, count = several["date"].min(), several["date"].max(), several["policy"].n_unique()
    notes.find("AKB-D060", "tip", history.height, policies=count, first=first, last=last)
    return history


def _changes(held: pl.DataFrame) -> pl.DataFrame:
    """Return one row per policy and change: a premium that is repeated says nothing new."""
    once = (
        held.select(_COLUMNS)
        .sort(_COLUMNS, nulls_last=False)
        .group_by("policy", "date", maintain_order=True)
        .last()
    )
    same = [pl.col(name).eq_missing(pl.col(name).shift(1)) for name in MONEY]
    repeated = (pl.col("policy") == pl.col("policy").shift(1)) & pl.all_horizontal(same)
    return once.filter(~repeated.fill_null(value=False)).cast(_SCHEMA)  # type: ignore[arg-type]


def _of_rows(dated: pl.DataFrame, policies: pl.DataFrame) -> pl.DataFrame:
    """Return the premiums of versions, insurance years and deliveries; the money of coverages is
    added up.
    """
    text = ["key", "number", "insurer", "branch"]
    keyed = [pl.col(name).fill_null("").alias(name) for name in text]
    mine = policies.select(*keyed, "start_date", "policy").sort("start_date", "policy")
    rows = dated.unique().with_columns(keyed).sort("start_date")
    rows = rows.join_asof(mine, on="start_date", by=text, check_sortedness=False).filter(
        pl.col("policy").is_not_null()
    )
    highest = pl.col("version").fill_null(-1)
    rows = rows.filter(highest == highest.max().over("policy", "date"))
    return (
        rows.group_by("policy", "date")
        .agg(_whole("premium_cents", "sum_premium"), _whole("commission_cents", "sum_commission"))
        .select(_COLUMNS)
    )


def _whole(column: str, flag: str) -> pl.Expr:
    """The money of a policy on a day: of all its coverages, or its own, repeated on each row."""
    parts = pl.col(flag).all() & pl.col("coverage").is_not_null().all()
    total = pl.when(pl.col(column).count() > 0).then(pl.col(column).sum())
    return pl.when(parts).then(total).otherwise(pl.col(column).max()).alias(column)


def _of_files(tables: Sequence[Table], policies: pl.DataFrame, run: IngestRun) -> pl.DataFrame:
    """Return the premiums of the files that were made for them; repeats are rejected."""
    settings, notes = run.settings, run.notes
    frames = []
    for position, table in enumerate(tables):
        rows = _usable(table, policies, run)
        term = read_terms(table, rows, rows["_branch"], settings, notes)
        notes.words("term", term.meanings)
        months = pl.DataFrame({"said": term.months, "known": rows["_term"]}).select(
            pl.coalesce(pl.all())
        )
        money = read_money(
            table, MoneyRows(rows, rows["_branch"], months.to_series()), settings, notes
        )
        frames.append(
            pl.DataFrame(
                {
                    "policy": rows["_policy"],
                    "date": rows["_date"],
                    "premium_cents": money.rows["premium_cents"],
                    "commission_cents": money.rows["commission_cents"],
                    "file": pl.Series([position] * rows.height, dtype=pl.Int32),
                    "line": rows["line"],
                }
            )
        )
    every = pl.concat(frames)
    first = every.unique(_COLUMNS, keep="first", maintain_order=True)
    repeats = every.join(first, on=["file", "line"], how="anti")
    for position, table in enumerate(tables):
        lines = repeats.filter(pl.col("file") == position).select("line")
        notes.reject(
            table,
            lines.join(table.cells, on="line", how="left", maintain_order="left"),
            None,
            "duplicate",
        )
    return first.filter(pl.col("premium_cents") >= 0).select(_COLUMNS)


def _usable(table: Table, policies: pl.DataFrame, run: IngestRun) -> pl.DataFrame:
    """Return the rows of known policies that were known at X, with ``_policy``, ``_branch``,
    ``_term``, ``_date``.
    """
    clock, settings, notes = run.clock, run.settings, run.notes
    _, key = table.identifiers("customer")
    _, number = table.identifiers("policy")
    column = "from" if "from" in table.headings.at else "start"
    day = read_dates(table.texts(column), upto=clock.upto, date_format=settings.ingest.date_format)
    table.dialect["dates"] = day.format
    cells = table.cells.with_columns(_key=key, _number=number, _date=day.values, _bad=day.bad)
    cells = _with_policy(cells, policies).with_columns(
        _why=pl.when(pl.col("_date") > clock.as_of)
        .then(pl.lit("after_as_of"))
        .when("_bad")
        .then(pl.lit("bad_date"))
        .when(pl.col("_date").is_null())
        .then(pl.lit("no_date"))
        .when(pl.col("_number").is_null())
        .then(pl.lit("no_policy"))
        .when(pl.col("_policy").is_null())
        .then(pl.lit("unknown_policy"))
    )
    blame = {"after_as_of": column, "bad_date": column, "no_date": column, "no_policy": "policy"}
    for why, name in {**blame, "unknown_policy": "policy"}.items():
        notes.reject(table, cells.filter(pl.col("_why") == why), name, why)
    return cells.filter(pl.col("_why").is_null())


def _with_policy(cells: pl.DataFrame, policies: pl.DataFrame) -> pl.DataFrame:
    """Add the policy that had the number on the day; without a customer only if one customer has
    that number.
    """
    owners = (
        policies.group_by("number")
        .agg(_owner=pl.col("key").first(), owners=pl.col("key").n_unique())
        .filter(pl.col("owners") == 1)
        .select("_owner", _number="number")
    )
    named = policies.select(
        _key="key",
        _number="number",
        _since="start_date",
        _policy="policy",
        _branch="branch",
        _term="payment_months",
    ).unique(["_key", "_number", "_since"], keep="none")
    cells = cells.join(owners, on="_number", how="left", maintain_order="left")
    cells = cells.with_columns(_key=pl.coalesce("_key", "_owner"), _since=pl.col("_date"))
    cells, named = cells.sort("_since"), named.sort("_since")
    before, after = (
        cells.join_asof(
            named, on="_since", by=["_key", "_number"], strategy=strategy, check_sortedness=False
        )
        for strategy in ("backward", "forward")  # a premium may be told before the policy starts
    )
    names = ["_policy", "_branch", "_term"]
    first = after.select(pl.col(names).name.suffix("_after"))
    found = before.hstack(first).with_columns(
        pl.coalesce(name, f"{name}_after").alias(name) for name in names
    )
    return found.drop("_since", *first.columns).sort("line")
