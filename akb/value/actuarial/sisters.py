"""What an office saw of its own lapses, and the rates that a small one is drawn to: those of the
sources, or those of its sister offices as far as they saw enough.

Only counts per branch and one coefficient go from an office to another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.config import SisterRecord, Sisters
from akb.core.dates import add_months
from akb.value.actuarial.basis import dispersion
from akb.value.actuarial.credibility import buhlmann_straub, drawn
from akb.value.actuarial.exposure import DAYS, calendar_years, cells, with_origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.config import Branch, Settings
    from akb.value.in_force import InForce

    Own = dict[str, tuple[float, int]]

YEARS = 3
APART = 5  # offices from which it can be measured how far they lie apart


@dataclass(frozen=True)
class PriorRates:
    """What an office is drawn to.

    Parameters
    ----------
    rates
        Branch -> lapses per policy-year.
    weights
        Branch -> how much of its rate is the sisters', the rest is the sources'.
    weight
        The same of the level of all branches.
    spread
        How far offices lie apart: the standard deviation of their level against these rates.
    """

    rates: dict[str, float]
    weights: dict[str, float]
    weight: float
    spread: float


@dataclass(frozen=True)
class OfficeExperience:
    """What one office lets others use: branch -> (policy-years, lapses), and by how much more its
    lapses vary than independent ones.
    """

    branches: Own
    dispersion: float


def seen(base: InForce) -> tuple[date | None, date | None]:
    """Return the last three years of recorded and closed ends, or what there is of them."""
    recorded, time = base.portfolio.history.recorded_from, base.settings.time
    if recorded is None:
        return None, None
    last = base.as_of - timedelta(days=time.gap_days + time.registration_lag_days)
    first = max(recorded - timedelta(days=1), add_months(last, -12 * YEARS))
    return (first, last) if first < last else (None, None)


def ended_and_due(base: InForce) -> tuple[Own, pl.DataFrame]:
    """Return branch -> (policy-years, lapses) of what was seen, and the lapses themselves."""
    first, last = seen(base)
    found, lapses = cells(
        with_origin(base.policies),
        [] if first is None or last is None else calendar_years(first, last),
    )
    sums = found.group_by("branch").agg(pl.col("days").sum(), pl.col("lapses").sum())
    return {branch: (days / DAYS, ended) for branch, days, ended in sums.iter_rows()}, lapses


def experience_of(base: InForce) -> OfficeExperience:
    """Return what may go to other offices: no branch of fewer customers than may be shown."""
    own, lapses = ended_and_due(base)
    limit = base.settings.report.suppress_below
    held = base.policies.group_by("branch").agg(pl.col("customer").n_unique())
    enough = {branch for branch, customers in held.iter_rows() if customers >= limit}
    return OfficeExperience(
        {branch: own[branch] for branch in sorted(own) if branch in enough}, dispersion(lapses)
    )


def prior_rates(base: InForce) -> PriorRates:
    """Return the rates that an office is drawn to, from its settings."""
    return prior_of(base.settings)


def prior_of(settings: Settings) -> PriorRates:
    """Return the rates that an office of these settings is drawn to."""
    register = settings.assumed()
    spreads = register["small.office_spread"].value, register["small.branch_spread"].value
    return _prior(settings.sisters, settings.taxonomy(), spreads)


def _prior(
    sisters: Sisters, taxonomy: Mapping[str, Branch], spreads: tuple[float, float]
) -> PriorRates:
    """Draw the sources' rates to what the sisters saw: their level first, then each branch."""
    sources = {key: -float(np.log1p(-entry.lapse)) for key, entry in taxonomy.items()}
    known = {key: each for key, each in sisters.branches.items() if key in sources}
    due = {key: each.years * sources[key] for key, each in known.items()}
    lapses = float(sum(each.lapses for each in known.values()))
    level = drawn(lapses, sum(due.values()), spreads[0], sisters.dispersion)
    rates, weights = {}, {}
    for key, source in sources.items():
        ended = known[key].lapses if key in known else 0
        own = drawn(ended, due.get(key, 0.0) * level.ratio, spreads[1], sisters.dispersion)
        rates[key] = source * level.ratio * own.ratio
        weights[key] = 1.0 - (1.0 - level.weight) * (1.0 - own.weight)
    return PriorRates(rates, weights, level.weight, sisters.spread or spreads[0])


def sisters_of(office: str, offices: Mapping[str, OfficeExperience], settings: Settings) -> Sisters:
    """Return what the others of these offices saw, for one of them.

    Parameters
    ----------
    settings
        Of the office.

    Notes
    -----
    How far they lie apart is measured from `APART` of them on, within the range that is assumed
    (``small.office_spread``): few offices measure it badly.
    """
    others = {name: each for name, each in offices.items() if name != office and each.branches}
    total: dict[str, SisterRecord] = {}
    for each in others.values():
        for branch, (years, lapses) in each.branches.items():
            before = total.get(branch, SisterRecord(years=0, lapses=0))
            total[branch] = SisterRecord(years=before.years + years, lapses=before.lapses + lapses)
    counts = [sum(ended for _, ended in each.branches.values()) for each in others.values()]
    ratio = [each.dispersion for each in others.values()]
    whole = float(np.average(ratio, weights=np.maximum(counts, 1))) if ratio else 1.0
    made = Sisters(offices=len(others), dispersion=max(1.0, whole), branches=total)
    if len(others) < APART:
        return made
    register = settings.assumed()
    assumed = register["small.office_spread"]
    spreads = assumed.value, register["small.branch_spread"].value
    rates = _prior(made, settings.taxonomy(), spreads).rates
    due = [
        sum(
            years * rates[branch] for branch, (years, _) in each.branches.items() if branch in rates
        )
        for each in others.values()
    ]
    found = buhlmann_straub(
        np.array(counts, dtype=np.float64)[:, None], np.array(due)[:, None], made.dispersion
    )
    spread = float(np.sqrt(found.between)) / max(found.collective, 1e-6)
    return made.model_copy(update={"spread": float(np.clip(spread, assumed.low, assumed.high))})
