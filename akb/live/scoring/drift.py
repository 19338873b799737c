"""Whether stored models still fit: columns, taxonomy, how features and scores lie, and the level so
far.

The population stability index of two samples that differ by chance alone follows a chi-square times
1/n + 1/m with bins - 1 degrees of freedom (Yurdakul 2018); what is told is the index less what
chance adds, with its interval from the non-central one's variance. The same customers come back in
both, so chance adds less than that: the interval is wide enough, not too narrow."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months, months_between
from akb.core.wording.text import load_toml
from akb.models.reference import FeatureSpread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from akb.features.types import Matrix
    from akb.ingest.types import Portfolio
    from akb.live.scoring.stored import StoredRun

    Counts = NDArray[np.int64] | NDArray[np.float64]

_FLOOR = 0.5  # of a customer, in a bin that holds none


@dataclass(frozen=True)
class ColumnDrift:
    """How far one column has moved: the index less what chance adds, with its interval."""

    name: str
    group: str
    psi: float
    low: float
    high: float


@dataclass(frozen=True)
class LevelSoFar:
    """Leavers since the models' day, expected and observed; the interval is of their ratio."""

    since: str
    until: str
    expected: float
    observed: int
    ratio: float
    low: float
    high: float
    gone_from_export: int


@dataclass(frozen=True)
class FitCheck:
    """What was looked at before anybody is scored, and why the models no longer fit."""

    features: tuple[ColumnDrift, ...]
    scores: tuple[ColumnDrift, ...]
    unseen: Mapping[str, int]
    unseen_share: float
    level: LevelSoFar | None
    refused: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return it for ``scored.json``."""
        limit = load_toml("live.toml")["drift"]["moved"]
        return {
            "features": {
                "columns": len(self.features),
                "moved": [asdict(each) for each in self.features if each.low > limit],
            },
            "scores": [asdict(each) for each in self.scores],
            "unseen_branches": dict(self.unseen),
            "unseen_share": self.unseen_share,
            "level": None if self.level is None else asdict(self.level),
            "refused": list(self.refused),
        }


def column_drift(
    name: str, group: str, then: Counts, now: Counts, confidence: float
) -> ColumnDrift:
    """Return how far a column moved between two counts over the same bins."""
    used = (then + now) > 0
    then, now = then[used], now[used]
    a, b = np.maximum(then, _FLOOR), np.maximum(now, _FLOOR)
    p, q = a / a.sum(), b / b.sum()
    raw = float(((q - p) * np.log(q / p)).sum())
    noise, free = 1 / max(then.sum(), 1) + 1 / max(now.sum(), 1), max(len(then) - 1, 0)
    psi = raw - free * noise
    # variance of a non-central chi-square with free degrees of freedom
    spread = noise * float(np.sqrt(2 * (free + 2 * max(psi, 0.0) / noise)))
    width = _deviations(confidence) * spread
    return ColumnDrift(name, group, max(psi, 0.0), max(psi - width, 0.0), max(psi + width, 0.0))


@cache
def _deviations(confidence: float) -> float:
    """Return the half width of a normal interval in standard deviations."""
    from scipy.stats import norm

    return float(norm.ppf((1 + confidence) / 2))


def feature_drift(run: StoredRun, matrix: Matrix, names: Sequence[str]) -> list[ColumnDrift]:
    """Return how far the columns that models use have moved since they were fitted."""
    confidence = load_toml("live.toml")["drift"]["confidence"]
    found = []
    for name in names:
        spread = run.reference.spreads.get(name)
        if spread is None or not matrix.has(name):
            continue
        values = matrix.column(name).astype(np.float64)
        group = run.reference.groups[name]
        then = np.array(spread.counts, dtype=np.int64)
        found.append(column_drift(name, group, then, spread.counted(values), confidence))
    return found


def score_drift(
    then: pl.DataFrame, now: pl.DataFrame, level: float | None = None
) -> list[ColumnDrift]:
    """Return how far every score has moved since the run that is scored from.

    Parameters
    ----------
    level
        What the hazards of ending of `now` are multiplied by. The score that decides is held
        against its former self without it: a level that was corrected is no other population.

    Notes
    -----
    The one that decides is told to a tenth: counts are of chances blurred by so much. In a small
    office all chances lie within a few hundredths of a base rate, and a step of one takes most of
    them over the edge of a bin.
    """
    rules = load_toml("live.toml")["drift"]
    confidence = rules["confidence"]
    found = []
    for name in then.columns:
        if name == "customer" or name not in now.columns or not then.schema[name].is_float():
            continue
        old, new = (
            frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for frame in (then, now)
        )
        spread = FeatureSpread.of(old)
        if name == rules["score"]:
            new = new if level is None else hazard_times(new, 1 / level)
            counts, seen = (_blurred(values, spread.edges, rules["blur"]) for values in (old, new))
        else:
            counts = np.array(spread.counts, dtype=np.float64)
            seen = spread.counted(new).astype(np.float64)
        found.append(column_drift(name, "score", counts, seen, confidence))
    return found


def hazard_times(chance: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return chances of an end when its hazard is a factor times what it was.

    >>> hazard_times(np.array([0.1, 0.5]), 2.0).round(2).tolist()
    [0.19, 0.75]
    """
    return np.asarray(1 - (1 - chance) ** factor)


def _blurred(
    values: NDArray[np.float64], edges: Sequence[float], share: float
) -> NDArray[np.float64]:
    """Return how many values fall in each bin, unknown last, where each is spread normally around
    itself with a share of itself as its standard deviation.
    """
    from scipy.special import ndtr

    known = values[~np.isnan(values)]
    width = np.maximum(np.abs(known) * share, 1e-12)
    below = [float(ndtr((edge - known) / width).sum()) for edge in edges]
    return np.append(np.diff([0.0, *below, float(len(known))]), float(len(values) - len(known)))


def unseen_branches(run: StoredRun, portfolio: Portfolio) -> tuple[dict[str, int], float]:
    """Return running policies per branch that did not run when the models were fitted, and their
    share of all.
    """
    day = portfolio.as_of
    held = portfolio.policies.filter(
        (pl.col("start_date") <= day) & (pl.col("end_date").is_null() | (pl.col("end_date") > day))
    )
    counts = dict(held.group_by("branch").len().sort("branch").iter_rows())
    new = {name: n for name, n in counts.items() if name not in run.reference.branches}
    return new, sum(new.values()) / max(held.height, 1)


def level_so_far(run: StoredRun, portfolio: Portfolio) -> LevelSoFar | None:
    """Return how many of the run's customers were expected to have left by now, and have; None
    before the first month that is closed.
    """
    from scipy.stats import chi2

    time, day = run.settings.time, run.last_day
    closed = _closed_months(day, portfolio, time.gap_days + time.registration_lag_days)
    survival = run.models.run.survival
    if closed < 1 or survival.is_empty():
        return None
    until = add_months(day, closed)
    now = portfolio.customers.select("pseudonym", now="customer")
    known = run.customers().join(now, on="pseudonym", how="inner")
    alive = survival.filter(pl.col("month") == closed).select("customer", "alive")
    expected = float((1 - known.join(alive, on="customer")["alive"]).sum())
    observed = _left(portfolio, known["now"], day=day, until=until, gap=time.gap_days)
    confidence = load_toml("live.toml")["drift"]["confidence"]
    tail = (1 - confidence) / 2
    low = float(chi2.ppf(tail, 2 * observed)) / 2 if observed else 0.0
    high = float(chi2.ppf(1 - tail, 2 * (observed + 1))) / 2
    base = max(expected, 1e-9)
    return LevelSoFar(
        day.isoformat(),
        until.isoformat(),
        expected,
        observed,
        observed / base,
        low / base,
        high / base,
        run.customers().height - known.height,
    )


def _closed_months(day: Any, portfolio: Portfolio, wait: int) -> int:
    from datetime import timedelta

    months = months_between(day, portfolio.as_of - timedelta(days=wait))
    return min(max(months, 0), 12)


def _left(portfolio: Portfolio, customers: pl.Series, *, day: Any, until: Any, gap: int) -> int:
    """How many relations ended in (day, until]: a first day without a policy, and none starts
    within the gap.
    """
    policies = portfolio.policies.filter(pl.col("customer").is_in(customers.implode()))
    spans = (
        policies.filter(pl.col("start_date") <= portfolio.as_of)
        .select(
            "customer", start="start_date", end=pl.col("end_date").fill_null(pl.date(9999, 1, 1))
        )
        .sort("customer", "start")
        .with_columns(reach=pl.col("end").cum_max().over("customer"))
    )
    broken = pl.col("start").shift(-1).over("customer") > pl.col("reach") + pl.duration(days=gap)
    last = pl.col("start").shift(-1).over("customer").is_null()
    ends = spans.filter((broken | last).fill_null(value=True)).select("customer", "reach")
    return ends.filter((pl.col("reach") > day) & (pl.col("reach") <= until))["customer"].n_unique()


def _decides(column: ColumnDrift, rules: Mapping[str, Any]) -> bool:
    """Whether a column may be a reason to refuse."""
    apart = (*rules["calendar"], *rules["shared"])
    return column.group not in apart and not column.name.startswith(
        tuple(rules["calendar_columns"])
    )


def reasons_to_refuse(
    features: Sequence[ColumnDrift],
    scores: Sequence[ColumnDrift],
    unseen_share: float,
    level: LevelSoFar | None,
) -> list[str]:
    """Return, a sentence each, why the models no longer fit; none where they do."""
    rules, bounds = load_toml("live.toml")["drift"], load_toml("live.toml")["level"]
    reasons = []
    counted = [each for each in features if _decides(each, rules)]
    shifted = [each for each in counted if each.low > rules["shifted"]]
    if counted and len(shifted) > rules["features_share"] * len(counted):
        names = ", ".join(each.name for each in sorted(shifted, key=lambda each: -each.psi)[:5])
        reasons.append(
            f"{len(shifted)} of the {len(counted)} columns that the models use lie otherwise than "
            f"when they were fitted ({names})"
        )
    for each in scores:
        if each.name == rules["score"] and each.low > rules["shifted"]:
            reasons.append(
                f"{each.name} lies otherwise than before: stability index {each.psi:.2f} "
                f"({each.low:.2f}–{each.high:.2f})"
            )
    if unseen_share > rules["unseen_share"]:
        reasons.append(
            f"{unseen_share:.0%} of the running policies are in branches that did not run when the "
            "models were fitted"
        )
    if level is not None and level.expected >= bounds["least_expected"]:
        low, high = bounds["bounds"]
        if level.high < low or level.low > high:
            reasons.append(
                f"{level.observed} customers have left where {level.expected:.0f} were expected "
                f"({level.ratio:.2f}, {level.low:.2f}–{level.high:.2f})"
            )
    return reasons
