"""What happened to everybody whom a run scored, prediction by prediction, where its window is
closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.core.dates import add_months
from akb.features import build_targets
from akb.features.types import Matrix
from akb.pipeline import catalogue_of

if TYPE_CHECKING:
    from datetime import date

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.features.types import BranchRows, Targets
    from akb.ingest.types import Portfolio
    from akb.live.evaluation.stored_run import PastRun

MOST_UNKNOWN = 0.10
"""From this share of ends without a known reason on, nothing is said of causes."""


@dataclass(frozen=True)
class Followed:
    """The customers of a run in a later export.

    Parameters
    ----------
    scores
        Of the run, with ``number`` u32: the customer in the export; who is not in it is left out.
    missing
        How many those are.
    targets
        What happened after T.
    """

    as_of: date
    scores: pl.DataFrame
    missing: int
    targets: Targets
    entries: tuple[Entry, ...]
    days: int


def follow(run: PastRun, portfolio: Portfolio, settings: Settings) -> Followed:
    """Return the run's customers with what the export says of the time after T."""
    settings = settings.with_branches(portfolio.own_branches)
    scores = run.scores()
    names = portfolio.customers.select(pl.col(run.customer).alias("customer"), number="customer")
    found = scores.join(names, on="customer", how="inner").sort("number")
    frame = found.select(as_of=pl.lit(run.as_of, pl.Date), customer=pl.col("number"))
    topics = tuple(
        name.removeprefix("topic_").removesuffix("_90d")
        for name in scores.columns
        if name.startswith("topic_")
    )
    return Followed(
        as_of=run.as_of,
        scores=found,
        missing=scores.height - found.height,
        targets=build_targets(portfolio, Matrix(frame, ()), settings),
        entries=catalogue_of(portfolio, settings, topics),
        days=settings.time.gap_days + settings.time.registration_lag_days,
    )


def label(followed: Followed, entry: Entry) -> pl.DataFrame | None:
    """Return ``number`` and ``label`` Float64 of whom a prediction was about and who can be
    followed; None for a prediction of which no export shows the outcome, or not this one.
    """
    months = entry.horizon_months
    if months is None or entry.rows != "customers":
        return None
    targets, end = followed.targets, add_months(followed.as_of, months)
    if entry.method == "hazard":
        return _ended(targets.relation, end, None)
    if entry.method == "hazard_cause":
        return _ended(targets.relation, end, entry.key.removeprefix("churn_").removesuffix("_12m"))
    families = {
        "family_lapse": (targets.held, entry.branch),
        "family_purchase": (targets.eligible, entry.branch),
        "family_topic": (targets.topics, entry.topic),
    }
    if entry.method in families:
        return _of_family(*families[entry.method])
    if entry.method in ("binary", "count", "events", "margin"):
        return _of_column(targets.counts, entry, end)
    return None


def _ended(relation: pl.DataFrame, end: date, cause: str | None) -> pl.DataFrame | None:
    """Return whether the relation ended by a day; who was transferred as a whole is left out."""
    rows = relation.filter((pl.col("censored_on") > end).fill_null(value=True))
    gone = (pl.col("end_date") <= end).fill_null(value=False)
    if cause is not None:
        ended = rows.filter(gone)
        unknown = (ended["cause"] == "unknown").sum()
        if unknown > MOST_UNKNOWN * ended.height:
            return None
        rows = rows.filter(~(gone & (pl.col("cause") == "unknown").fill_null(value=False)))
        gone = gone & (pl.col("cause") == cause).fill_null(value=False)
    return rows.select(number="customer", label=gone.cast(pl.Float64))


def _of_family(rows: BranchRows | None, name: str | None) -> pl.DataFrame | None:
    if rows is None:
        return None
    frame = rows.frame.filter(pl.col("branch") == name)
    known = frame.select(number="customer", label=pl.col("label").cast(pl.Float64))
    return known.filter(pl.col("label").is_not_null())


def _of_column(counts: pl.DataFrame, entry: Entry, end: date) -> pl.DataFrame | None:
    if entry.target not in counts.columns:
        return None
    possible = f"{entry.target}_possible"
    rows = counts.filter(pl.col(possible)) if possible in counts.columns else counts
    if counts.schema[entry.target] == pl.Date:
        value = ((pl.col(entry.target) <= end).fill_null(value=False)).cast(pl.Float64)
    else:
        value = pl.col(entry.target).cast(pl.Float64)
    return rows.select(number="customer", label=value).filter(pl.col("label").is_not_null())
