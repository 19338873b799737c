"""Recurring revenue that the coming 12 months take, with an interval: what is expected, and how
sure anyone can be.

Three things make next year differ from the expectation, and each has its own variance:

- chance: customers leave or stay as a whole, and policies of those who stay end one by one;
- level: the expectation was learned from a few closed years, each with its own chance and a year of
  its own. It was learned by counting policies per branch, so one large policy makes next year less
  sure and the level no less;
- the year itself: good and bad years, a floor of 5 % unless the closed years differ by more than
  that and chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.relations import in_force
from akb.core.typed import made
from akb.describe.relations import is_lapse
from akb.value.lifetime.survival import YEAR
from akb.value.revenue.euro_evidence import BETWEEN_YEARS
from akb.value.types import LostCommission

if TYPE_CHECKING:
    from akb.value.in_force import Floats, InForce
    from akb.value.lifetime.survival import Relations

Z90 = 1.6449
LEVEL_YEARS = 3  # the level of a prediction is that of at most three closed years
CAUSES = ("natural", "insurer", "preventable")
OTHERS = CAUSES[:2]


@dataclass(frozen=True)
class Lost:
    """Yearly revenue (cents, level of X) of the policies in force at X that will have lapsed 12
    months later.

    Parameters
    ----------
    parts
        Whom it goes with, in cents: relations that end (``natural``, ``insurer``, ``preventable``;
        ``other`` for the first two together where one of their predictions failed its gate;
        ``relation`` where causes are unknown), ``single`` policies of those who stay, ends that are
        ``announced``.
    chance, level, year
        Standard deviations in cents; independent of each other.
    years
        How many closed years the level was learned from.
    between
        The spread between years that was used, as a share.
    """

    parts: dict[str, int]
    chance: float
    level: float
    year: float
    years: int
    between: float

    @property
    def expected(self) -> int:
        """Expected loss in cents."""
        return sum(self.parts.values())

    @property
    def deviation(self) -> float:
        """Standard deviation of next year's loss around the expectation."""
        return float(np.sqrt(self.chance**2 + self.level**2 + self.year**2))

    def interval(self, z: float = Z90) -> tuple[int, int]:
        """Return the interval of 90 %; what is announced is lost in any case."""
        half = z * self.deviation
        return round(max(self.expected - half, self.parts["announced"])), round(
            self.expected + half
        )


def lost_commission(base: InForce, paths: Relations, rows: pl.DataFrame) -> Lost:
    """Return what the policies in force at X will lose in 12 months, by cause and with its
    variances.

    Parameters
    ----------
    rows
        `survival.branch_rows`.

    Notes
    -----
    Of a relation with survival ``a`` that holds policies of ``c`` cents, each kept with chance
    ``k`` while it lasts, the loss has mean ``(1 - a) C + a M`` and variance ``a (1 - a) (C - M)^2 +
    a sum c^2 k (1 - k)``, where ``C = sum c`` and ``M = sum c (1 - k)``. For the level ``c`` is the
    mean of the branch."""
    until = add_months(base.as_of, YEAR)
    table = base.held.select("row", "branch", "ends", cents=pl.Series(base.commission)).join(
        rows.select("row", "branch", "first"),
        on=["row", "branch"],
        how="left",
        maintain_order="left",
    )
    announced = int(table.filter(pl.col("ends") <= until)["cents"].sum())
    free = table.filter(pl.col("ends").is_null())
    row, cents, kept = (
        free["row"].to_numpy(),
        free["cents"].to_numpy().astype(np.float64),
        free["first"].to_numpy(),
    )

    def per_relation(amounts: Floats) -> Floats:
        return np.bincount(row, weights=amounts, minlength=base.n).astype(np.float64)

    def variance(amounts: Floats) -> float:
        whole, single = per_relation(amounts), per_relation(amounts * (1 - kept))
        ends = alive * (1 - alive) * (whole - single) ** 2
        return float((ends + alive * per_relation(amounts**2 * kept * (1 - kept))).sum())

    alive = np.where(base.announced, 1.0, paths.alive_after(YEAR))
    parts = _by_cause(base, paths, per_relation(cents), alive)
    parts["single"] = round(float((alive * per_relation(cents * (1 - kept))).sum()))
    uncertain = sum(parts.values())
    chance = float(np.sqrt(variance(cents)))
    usual = free.select(pl.col("cents").mean().over("branch"))["cents"].to_numpy()
    closed = closed_years(base)
    years = min(max(len(closed), 1), LEVEL_YEARS)
    between = between_years(closed, chance / uncertain if uncertain else 0.0)
    own_year = between * uncertain
    level = float(np.sqrt((variance(usual) + own_year**2) / years))
    return Lost({**parts, "announced": announced}, chance, level, own_year, years, between)


def _by_cause(base: InForce, paths: Relations, whole: Floats, alive: Floats) -> dict[str, int]:
    """What goes with relations that end, split by cause where causes are known and their levels
    stand.

    Where the level of one of the other causes failed, these two are told together: what is left of
    all churn when the preventable part is taken off, and the gate of both of those is that of the
    whole row (see `lost_row`)."""
    gone = 1 - alive
    if not paths.split:
        return {"relation": round(float((whole * gone).sum()))}
    known = base.models.survival.filter(pl.col("month") == YEAR).select("customer", *CAUSES)
    shares = base.customers.select("customer").join(
        known, on="customer", how="left", maintain_order="left"
    )
    left = np.nan_to_num(shares.select(CAUSES).to_numpy().astype(np.float64))
    total = left.sum(axis=1, keepdims=True)
    share = np.divide(left, total, out=np.full_like(left, 1 / len(CAUSES)), where=total > 0)
    parts = {
        cause: round(float((whole * gone * share[:, place]).sum()))
        for place, cause in enumerate(CAUSES)
    }
    if any(base.gate(f"churn_{cause}_12m") == "fail" for cause in OTHERS):
        return {"other": sum(parts[cause] for cause in OTHERS), "preventable": parts["preventable"]}
    return parts


def closed_years(base: InForce) -> list[float]:
    """Return the share of recurring revenue that lapsed in each closed year, newest first; at most
    five.

    At the level of X: an ended policy's revenue froze at its end, see
    `akb.core.revenue.with_level`."""
    time, recorded = base.settings.time, base.portfolio.history.recorded_from
    last = base.as_of - timedelta(days=time.gap_days + time.registration_lag_days)
    shares: list[float] = []
    while recorded is not None and len(shares) < 5 and add_months(last, -YEAR) >= recorded:
        held = in_force(
            base.policies,
            add_months(last, -YEAR),
            *("end_date", "cause", "replaced_on", "level_cents"),
        )
        total = int(held["level_cents"].sum())
        if total <= 0:
            break
        shares.append(int(held.filter(is_lapse(last))["level_cents"].sum()) / total)
        last = add_months(last, -YEAR)
    return shares


def between_years(shares: list[float], chance: float) -> float:
    """Return the spread between years as a share of the level.

    Parameters
    ----------
    shares
        Lapsed share per closed year.
    chance
        Relative standard deviation of one year by chance alone.

    Notes
    -----
    5 %, unless the closed years differ by more than chance and those 5 % would make them in 95 of
    100 cases (chi-square on the logs); then what they differ by beyond chance. A few years always
    differ a little: taking every excess at face value would make intervals too wide."""
    from scipy.stats import chi2

    known = [share for share in shares if share > 0]
    if len(known) < 3:
        return BETWEEN_YEARS
    spread = float(np.var(np.log(known), ddof=1))
    usual = chance**2 + BETWEEN_YEARS**2
    degrees = len(known) - 1
    if degrees * spread / usual <= chi2.ppf(0.95, degrees):
        return BETWEEN_YEARS
    return float(np.sqrt(spread - chance**2))


def lost_row(base: InForce, found: Lost | None) -> LostCommission | None:
    """Return the interval for the report; None where the level of the predictions
    is not proven.
    """
    if found is None or not base.has_commission or not base.churn_in_euros:
        return None
    low, high = found.interval()
    total = int(base.commission.sum())
    return made(
        LostCommission,
        {
            "expected": found.expected,
            "low": low,
            "high": high,
            "share": found.expected / total if total else 0.0,
            "commission": total,
            "parts": [{"key": key, "expected": cents} for key, cents in found.parts.items()],
            "deviation": {
                "chance": round(found.chance),
                "level": round(found.level),
                "year": round(found.year),
            },
            "years": found.years,
            "between": found.between,
        },
    )
