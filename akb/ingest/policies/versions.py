"""Many rows, one policy: versions, coverages, insurance years, repeated and overlapping deliveries.

Rows with one customer, number, insurer and branch whose periods overlap or touch are one policy. Of
its versions the highest one known at X counts; the money of its coverages is added up; a delivery
that lacks it gives its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.as_of.snapshots import ends_by_difference
from akb.ingest.cells.texts import rule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from akb.ingest.as_of.clock import Clock
    from akb.ingest.columns.notes import Notes, Table

KEY = ["key", "number", "insurer", "branch"]
_MONEY = {
    "premium_cents": "sum_premium",
    "commission_cents": "sum_commission",
    "fee_cents": "sum_fee",
    "signing_cents": "sum_signing",
    "profit_cents": "sum_profit",
    "one_off_cents": "sum_one_off",
}
HELPERS = ["file", "line", "snapshot", "version_date", "version", "coverage", *_MONEY.values()]
_VERSION = ["snapshot", "version_date", "version", "changed"]


def one_row_per_policy(
    rows: pl.DataFrame, tables: Sequence[Table], days: Sequence[date], clock: Clock, notes: Notes
) -> pl.DataFrame:
    """Return one row per policy; reject repeats and the versions that do not count.

    Parameters
    ----------
    rows
        Typed policy rows, by file and line, with ``KEY``, start_date, end_date, changed, the money
        and `HELPERS`: file i32 (position in `tables`), line, snapshot Date? (day of the delivery),
        version_date Date? (from when the row holds), version i64?, coverage str?, sum_* (the money
        is per coverage).
    tables
        The policies tables.
    days
        Deliveries known at X; empty unless there are several.
    clock
        X.
    notes
        Receives the rejects and what was derived.

    Returns
    -------
    The rows that are kept, with the first start of all their versions.
    """
    rows = _with_one_relation(rows)
    rows = _without_late_money(rows, clock)
    if not days and not rows["number"].is_duplicated().any():
        return rows.drop("late")
    twin = pl.struct(KEY).is_duplicated() if rows.height and not days else pl.lit(value=bool(days))
    twins = rows.filter(twin)
    if twins.is_empty():
        return rows.drop("late")
    said = [column for column in rows.columns if column not in {"file", "line", "relation"}]
    first = twins.unique(said, keep="first", maintain_order=True)
    _reject_lines(twins.join(first, on=["file", "line"], how="anti"), "duplicate", tables, notes)
    spells = _spells(first)
    kept = _latest(spells, said)
    parts = _coverages_of(spells, kept)
    used = pl.concat([kept.select("file", "line"), parts.select("file", "line")])
    if days:  # a row of another delivery says that the policy was there on that day
        other = spells.join(kept.select("spell", "snapshot"), on=["spell", "snapshot"], how="anti")
        used = pl.concat([used, other.select("file", "line")])
    lost = spells.join(used, on=["file", "line"], how="anti")
    _reject_lines(lost.filter(~pl.col("late")), "version", tables, notes)
    _reject_lines(lost.filter("late"), "after_as_of", tables, notes)
    kept = _summed(kept.with_columns(start_date="first_start"), parts)
    kept = ends_by_difference(kept, spells.select("spell", "snapshot").unique(), days, notes)
    return pl.concat([rows.filter(~twin), kept.select(rows.columns)]).drop("late")


def _with_one_relation(rows: pl.DataFrame) -> pl.DataFrame:
    """Let the rows of one customer write its number in one way: the first in order."""
    if (rows["key"] == rows["relation"]).all():
        return rows
    ways = rows.select("key", "relation").unique()
    if ways.height == ways["key"].n_unique():
        return rows
    return rows.with_columns(relation=pl.col("relation").min().over("key"))


def _without_late_money(rows: pl.DataFrame, clock: Clock) -> pl.DataFrame:
    """Mark rows that hold only after X, and take their money away in a replay: nobody knew it
    then.
    """
    late = (pl.col("version_date") > clock.as_of).fill_null(value=False) & clock.replay
    return rows.with_columns(
        *(pl.when(~late).then(column).alias(column) for column in [*_MONEY, "fee_customer_cents"]),
        late=late,
    )


def _spells(rows: pl.DataFrame) -> pl.DataFrame:
    """Number the policies: rows of one key whose periods overlap or touch."""
    far = pl.date(9999, 1, 1)
    return (
        rows.sort(*KEY, "start_date", "end_date", nulls_last=True)
        .with_columns(until=pl.col("end_date").fill_null(far).cum_max().shift(1).over(KEY))
        .with_columns(
            new=(
                pl.col("until").is_null()
                | (pl.col("start_date") > pl.col("until") + pl.duration(days=1))
            )
        )
        .with_columns(spell=pl.col("new").cum_sum())
        .with_columns(first_start=pl.col("start_date").min().over("spell"))
    )


def _latest(spells: pl.DataFrame, said: list[str]) -> pl.DataFrame:
    """Return the row of each policy that counts.

    Of the last delivery; in it the highest version that holds at X and before the policy's end (the
    renewal that was not taken never held); then the last change, the last start, the one with an
    end."""
    held = (pl.col("end_date").is_null() | (pl.col("version_date") < pl.col("end_date"))) & ~pl.col(
        "late"
    )
    held = held.fill_null(value=True)
    since = pl.col("version_date").dt.epoch("d")
    first = ["snapshot", "held", "since", "version", "changed", "start_date", "end_date"]
    order = [*first, *[column for column in said if column not in {*first, "version_date"}]]
    ranked = spells.with_columns(held=held, since=pl.when(held).then(since).otherwise(-since))
    return (
        ranked.sort("spell", *order, nulls_last=False).group_by("spell", maintain_order=True).last()
    )


def _coverages_of(spells: pl.DataFrame, kept: pl.DataFrame) -> pl.DataFrame:
    """Return the coverage rows that make up the version that counts."""
    version = kept.filter(pl.col("coverage").is_not_null()).select("spell", *_VERSION)
    rows = spells.filter(pl.col("coverage").is_not_null())
    return rows.join(version, on=["spell", *_VERSION], how="semi", nulls_equal=True)


def _summed(kept: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """Give policies the money of all their coverages, and no end while one of them goes on."""
    sums = parts.group_by("spell").agg(
        *(
            pl.when(pl.col(flag).all() & pl.col(column).count().gt(0))
            .then(pl.col(column).sum())
            .otherwise(pl.col(column).max())
            .alias(f"{column}_sum")
            for column, flag in _MONEY.items()
        ),
        goes_on=pl.col("end_date").null_count() > 0,
        last_end=pl.col("end_date").max(),
    )
    joined = kept.join(sums, on="spell", how="left", maintain_order="left")
    goes_on = pl.col("goes_on").fill_null(value=False)
    return joined.with_columns(
        *(pl.coalesce(f"{column}_sum", column).alias(column) for column in _MONEY),
        end_date=pl.when(~goes_on).then(pl.coalesce("last_end", "end_date")),
        reason=pl.when(~goes_on).then("reason"),
    )


def is_per_coverage(heading: str, rows: pl.DataFrame, column: str) -> bool:
    """Say whether a column of money is per coverage and not the policy's own, repeated on each row.

    Parameters
    ----------
    heading
        Its heading: the entity before ``->`` may say it.
    rows
        ``KEY``, ``coverage`` and `column`.
    column
        The money.
    """
    entity = heading.split("->", maxsplit=1)[0].lower() if "->" in heading else ""
    if entity:
        return not entity.startswith("polis")
    several = (
        rows.filter(pl.col("coverage").is_not_null(), pl.col(column).fill_null(0) != 0)
        .group_by(KEY)
        .agg(
            rows=pl.len(),
            amounts=pl.col(column).n_unique(),
            coverages=pl.col("coverage").n_unique(),
        )
        .filter(pl.col("coverages") > 1)
    )
    if several.height < rule("coverages", "groups"):
        return True
    same = float(several.select((pl.col("amounts") == 1).mean()).item())
    return same < rule("coverages", "same_share")


def _reject_lines(rows: pl.DataFrame, reason: str, tables: Sequence[Table], notes: Notes) -> None:
    for position, table in enumerate(tables):
        lines = rows.filter(pl.col("file") == position).select("line").sort("line")
        notes.reject(
            table,
            lines.join(table.cells, on="line", how="left", maintain_order="left"),
            "policy",
            reason,
        )
