"""Who is new, who is gone and who was contacted since the run before: a list of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from akb.core.wording.text import texts
from akb.live.recorded import on_day
from akb.report.files.tables import dutch_table
from akb.store.manifest import manifest_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from akb.ingest.types import Portfolio
    from akb.live.scoring.stored import StoredRun

CHANGES = "actions/since_last.csv"
KINDS = ("new", "gone", "contacted")


@dataclass(frozen=True)
class PreviousRun:
    """The run that a new one is told apart from: its day, its folder, and who was in force then
    (``customer``: pseudonym).
    """

    folder: Path
    day: date
    customers: pl.DataFrame


def previous_run(run: StoredRun, earlier: Iterable[Path], today: date) -> PreviousRun:
    """Return the latest of some runs from before a day; without one the run whose models score."""
    latest, when = None, run.last_day
    for folder in earlier:
        manifest = manifest_of(folder)
        # a run that shows relation numbers holds no pseudonyms in its scores
        if not manifest.get("pseudonyms") or manifest.get("key_id") != run.manifest["key_id"]:
            continue
        day = date.fromisoformat(manifest["as_of"])
        if when < day < today:
            latest, when = folder, day
    if latest is None:
        return PreviousRun(run.folder, when, run.customers().select(customer="pseudonym"))
    return PreviousRun(
        latest, when, pl.read_parquet(latest / "scores.parquet", columns=["customer"])
    )


def changes(
    previous: PreviousRun,
    portfolio: Portfolio,
    scores: pl.DataFrame,
    recorded: pl.DataFrame | None,
) -> pl.DataFrame:
    """Return customer (pseudonym), ``what`` (of `KINDS`) and ``date`` (of a contact), sorted.

    New and gone are told by who is in force: a customer that the export no longer holds is gone.

    Parameters
    ----------
    recorded
        customer (pseudonym), date, left: what advisers recorded; None: no book.
    """
    before = previous.customers
    now = scores.select("customer").join(
        portfolio.customers.select("customer", "pseudonym"), on="customer"
    )
    now = now.select(customer="pseudonym")
    parts = [
        now.join(before, on="customer", how="anti").select("customer", what=pl.lit("new")),
        before.join(now, on="customer", how="anti").select("customer", what=pl.lit("gone")),
    ]
    found = pl.concat(parts).with_columns(date=pl.lit(None, dtype=pl.Date))
    if recorded is not None:
        since = recorded.filter(pl.col("date") > previous.day).join(now, on="customer", how="semi")
        last = since.group_by("customer").agg(pl.col("date").max())
        found = pl.concat(
            [found, last.select("customer", pl.lit("contacted").alias("what"), "date")]
        )
    return found.sort("what", "customer")


def changes_csv(
    found: pl.DataFrame, shown: pl.DataFrame | None = None, language: str = "nl"
) -> bytes:
    """Return the list for Dutch Excel.

    Parameters
    ----------
    shown
        customer (pseudonym) and ``relation``, in a run for those who may see it: who is no longer
        in the export keeps his pseudonym.
    language
        Of the headings and of what happened: that of the run.
    """
    words = texts("live", language)["changes"]
    if shown is not None:
        known = found.join(shown, on="customer", how="left", maintain_order="left")
        found = known.with_columns(customer=pl.coalesce("relation", "customer"))
    what = found["what"].replace_strict(list(KINDS), [words[kind] for kind in KINDS])
    rows = found.select("customer", what, "date")
    return dutch_table([words["customer"], words["what"], words["date"]], rows)


def recorded_in(portfolio: Portfolio, recorded: pl.DataFrame | None) -> pl.DataFrame | None:
    """Return what advisers recorded under the numbers of an export: see `Portfolio.recorded`."""
    if recorded is None:
        return None
    recorded = on_day(recorded, portfolio.as_of)
    numbers = portfolio.customers.select("pseudonym", number="customer")
    return recorded.join(numbers, left_on="customer", right_on="pseudonym").select(
        pl.col("number").alias("customer"), *(n for n in recorded.columns if n != "customer")
    )
