"""Expected and observed leavers by office and by adviser, small groups merged and small counts
hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.dates import add_months
from akb.core.errors import AkbError
from akb.core.privacy.disclosure import shown, unsaid
from akb.live.experiment.registration import closing_day
from akb.models.evidence import Z95
from akb.models.evidence.intervals import observed_expected

if TYPE_CHECKING:
    from datetime import date

    from akb.ingest.types import Portfolio
    from akb.live.evaluation.happened import Followed
    from akb.live.evaluation.stored_run import PastRun

HORIZONS = (12, 6, 3, 1)
GROUPS = ("office", "adviser")


def by_group(run: PastRun, followed: Followed, portfolio: Portfolio, as_of: date) -> dict[str, Any]:
    """Return ``months`` (the longest closed horizon of churn) and per group its rows {key,
    customers, expected, observed, observed_expected, interval}.

    Offices always, advisers only where the run's report may show colleagues beside each other
    (``[report] advisers``): else None. Who is whose stands as of T where the run still has its
    portfolio, else as the export says today (``current``)."""
    months = next(
        (
            each
            for each in HORIZONS
            if f"churn_{each}m" in followed.scores.columns
            and closing_day(followed.as_of, each, followed.days) <= as_of
        ),
        None,
    )
    if months is None:
        return {"months": None, "current": False, "office": None, "adviser": None}
    people, current = _people(run, portfolio)
    until = add_months(followed.as_of, months)
    table = (
        followed.scores.select(
            "customer", "number", expected=pl.col(f"churn_{months}m").cast(pl.Float64)
        )
        .join(followed.targets.relation.rename({"customer": "number"}), on="number")
        .filter(
            pl.col("expected").is_not_null() & (pl.col("censored_on") > until).fill_null(value=True)
        )
        .with_columns(
            observed=(pl.col("end_date") <= until).fill_null(value=False).cast(pl.Float64)
        )
        .join(people, on="customer", how="left")
    )
    limit = run.settings.report.suppress_below
    wanted = [name for name in GROUPS if name != "adviser" or run.settings.report.advisers]
    found = {name: _rows(table, name, limit) if name in wanted else None for name in GROUPS}
    return {"months": months, "current": current, **found}


def _people(run: PastRun, portfolio: Portfolio) -> tuple[pl.DataFrame, bool]:
    from akb.rerun import things_kept

    try:
        kept: Portfolio = things_kept(run.folder, only=("portfolio",))["portfolio"]
        if run.customer in kept.customers.columns:
            names = kept.customers.select(pl.col(run.customer).alias("customer"), *GROUPS)
            return names, False
    except AkbError:
        pass
    return portfolio.customers.select(pl.col(run.customer).alias("customer"), *GROUPS), True


def _rows(table: pl.DataFrame, group: str, limit: int) -> list[dict[str, Any]] | None:
    known = table.filter(pl.col(group).is_not_null())
    if known.is_empty():
        return None
    counted = (
        known.group_by(key=group)
        .agg(
            customers=pl.len(), expected=pl.col("expected").sum(), observed=pl.col("observed").sum()
        )
        .sort("key")
    )
    rows = shown(counted.to_dicts(), limit)
    for row in rows:
        ratio, ends = _ratio(known.filter(pl.col(group) == row["key"]))
        row |= {"observed_expected": ratio, "interval": ends}
    return unsaid(rows, limit, "observed", "observed_expected", "interval")


def _ratio(own: pl.DataFrame) -> tuple[float | None, list[float] | None]:
    """Return observed / expected with its interval; None for the groups that were merged."""
    if own.is_empty() or own["expected"].sum() <= 0:
        return None, None
    ratio, ends = observed_expected(
        own["observed"].to_numpy(), own["expected"].to_numpy(), own["number"].to_numpy(), z=Z95
    )
    return ratio, list(ends)
