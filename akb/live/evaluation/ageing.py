"""How a forecast of churn ages: level and order by the months since the run looked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.live.evaluation.judge import FEW, level_alarm
from akb.live.experiment.registration import closing_day
from akb.models.evidence import Z95, auc_with_interval
from akb.models.evidence.intervals import observed_expected

if TYPE_CHECKING:
    from datetime import date

    from akb.live.evaluation.happened import Followed

AGES = ((0, 1), (1, 3), (3, 6), (6, 12))


def decay(followed: Followed, as_of: date) -> list[dict[str, Any]]:
    """Return a row per stretch of months whose window is closed: of who was still there, whom the
    run expected to leave in it and who did.

    The chance of a stretch is the difference of the nested chances at its ends, given that nobody
    left before. An older forecast orders worse when its ``auc`` falls from row to row."""
    rows = []
    for start, end in AGES:
        first, last = f"churn_{start}m", f"churn_{end}m"
        there = set(followed.scores.columns)
        if last not in there or (start and first not in there):
            continue
        if closing_day(followed.as_of, end, followed.days) > as_of:
            continue
        rows.append({"from": start, "to": end, **_stretch(followed, start, end)})
    return rows


def _stretch(followed: Followed, start: int, end: int) -> dict[str, Any]:
    since, until = (add_months(followed.as_of, months) for months in (start, end))
    before = pl.lit(0.0) if start == 0 else pl.col(f"churn_{start}m").cast(pl.Float64)
    table = (
        followed.scores.select("number", before=before, after=pl.col(f"churn_{end}m"))
        .join(
            followed.targets.relation.select("end_date", "censored_on", number="customer"),
            on="number",
        )
        .filter(
            pl.col("after").is_not_null()
            & (pl.col("before") < 1)
            & (pl.col("end_date") > since).fill_null(value=True)
            & (pl.col("censored_on") > until).fill_null(value=True)
        )
        .sort("number")
    )
    chance = (table["after"].cast(pl.Float64) - table["before"]) / (1 - table["before"])
    expected = np.clip(chance.to_numpy(), 0.0, 1.0)
    happened = (table["end_date"] <= until).fill_null(value=False).cast(pl.Float64).to_numpy()
    cluster = table["number"].to_numpy()
    events = float(happened.sum())
    figures: dict[str, Any] = {
        "customers": table.height,
        "expected": float(expected.sum()),
        "observed": events,
        "observed_expected": None,
        "interval": None,
        "auc": None,
        "auc_interval": None,
        "alarm": level_alarm(happened, expected, cluster) if table.height else None,
    }
    if events >= FEW and table.height - events >= FEW and expected.sum() > 0:
        ratio, ends = observed_expected(happened, expected, cluster, z=Z95)
        auc, auc_ends = auc_with_interval(happened, expected, cluster)
        figures |= {
            "observed_expected": ratio,
            "interval": list(ends),
            "auc": auc,
            "auc_interval": list(auc_ends),
        }
    return figures
