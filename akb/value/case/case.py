"""The business case of a run: its basis from customers, and every figure from the basis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.errors import RefusedError
from akb.value.case.basis import SCHEMA
from akb.value.case.binning import case_basis
from akb.value.case.sensitivity import drawn, whole_case
from akb.value.in_force import EURO_GATES
from akb.value.types import BusinessCase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from akb.config import Assumption
    from akb.models.types import Gate, Interval
    from akb.value.case.basis import Basis, Range
    from akb.value.in_force import InForce
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.survival import Relations
    from akb.value.revenue.rates import YearRates
    from akb.value.targeting.calls import Calls
    from akb.value.targeting.cross_sell import Ranked
    from akb.value.targeting.eligibility import Desk
    from akb.value.targeting.retention import Defence

LINES = ("retention", "cross_sell")


def business_case(
    base: InForce,
    paths: Relations | None,
    value: Lifetime | None,
    found: Defence | None,
    desk: Desk,
    calls: Calls,
    ranked: Ranked,
    rates: YearRates | None,
    outside: Mapping[str, float],
) -> BusinessCase | None:
    """Return the business case; None without commission or where no benefit line may be given.

    A line whose prediction failed its gate, or has none, is withheld; see `withheld`.

    Parameters
    ----------
    calls
        The calls that are made; see `akb.value.targeting.calls`.
    outside
        What else people do in these hours, which brings no euro here: counts and minutes.
    """
    given = tuple(line for line in LINES if line not in withheld(base))
    if value is None or paths is None or found is None or not given:
        return None
    intervals = {"retention": _retention_interval(base), "cross_sell": _cross_sell_interval(base, ranked)}
    basis = case_basis(
        base,
        paths,
        value,
        desk,
        found,
        calls,
        ranked,
        given,
        intervals,
        {**_known(base, paths, rates), **outside, **_callable(desk), "policy_cost": ranked.policy_cost},
    )
    basis["draws"] = drawn(base.settings.models.seed)
    return case_from(basis, base.assumed)


def case_from(basis: Basis, register: Mapping[str, Assumption]) -> BusinessCase:
    """Return the business case of a basis under an assumption register: the same for a run, `akb case` and a page."""
    if basis.get("schema") != SCHEMA:
        raise RefusedError("the business case was made by another akb", "Run akb eda again.")
    figures = whole_case(basis, ranges(register), {name: entry.unit for name, entry in register.items()})
    figures["benefits"], figures["costs"] = tuple(figures["benefits"]), tuple(figures["costs"])
    return BusinessCase(**figures, basis=dict(basis))


def ranges(register: Mapping[str, Assumption]) -> dict[str, Range]:
    """Return (low, base, high) of every assumption."""
    return {name: (entry.low, entry.value, entry.high) for name, entry in register.items()}


def widening(gate: Gate, interval: Interval | None) -> tuple[float, float]:
    """Return factors for the low and high end: a provisional gate brings its interval of observed/expected along."""
    if gate != "provisional" or interval is None:
        return 1.0, 1.0
    return min(1.0, max(0.0, interval[0])), max(1.0, interval[1])


def withheld(base: InForce) -> tuple[str, ...]:
    """Return the benefit lines that may not be given, because the prediction under them did not pass its gate."""
    out = []
    if not base.churn_in_euros:
        out.append("retention")
    if not any(gate in EURO_GATES for gate in base.branch_gates.values()):
        out.append("cross_sell")
    return tuple(out)


def _retention_interval(base: InForce) -> tuple[float, float]:
    return widening(base.churn_gate, _interval(base, "churn_preventable_12m", "churn_12m"))


def _cross_sell_interval(base: InForce, ranked: Ranked) -> tuple[float, float]:
    """Return the widening of every branch, weighed by what its offers to those who are called would bring."""
    keys = {e.branch: e.key for e in base.entries if e.method == "family_purchase"}
    called = ranked.in_talk | ranked.own_call
    made = pl.DataFrame({"branch": ranked.branch, "cents": ranked.extra}).filter(pl.Series(called, dtype=pl.Boolean))
    total, least, most = 0, 0.0, 0.0
    for branch, cents in made.group_by("branch").agg(pl.col("cents").sum()).sort("branch").iter_rows():
        down, up = widening(base.branch_gates.get(branch, "none"), _interval(base, keys[branch]))
        total, least, most = total + cents, least + down * cents, most + up * cents
    return (least / total, most / total) if total else (1.0, 1.0)


def _interval(base: InForce, *keys: str) -> Interval | None:
    """Return the widest interval of observed/expected among predictions with a provisional gate."""
    found = [
        made.evidence.calibration.ci
        for key in keys
        if (made := base.predictions.get(key)) is not None
        and made.gate == "provisional"
        and made.evidence is not None
        and made.evidence.calibration is not None
    ]
    return (min(ci[0] for ci in found), max(ci[1] for ci in found)) if found else None


def _callable(desk: Desk) -> dict[str, float]:
    return {"customers_callable_count": float((~desk.barred & ~desk.control).sum())}


def _known(base: InForce, paths: Relations, rates: YearRates | None) -> dict[str, Any]:
    """Numbers that explain the case and that no assumption about calls changes. Cents, counts or shares."""
    turnover = int(base.commission.sum())
    p = np.where(base.announced, 0.0, paths.preventable)  # those who gave notice are not expected but known
    at_risk = float((p * base.commission_customer.astype(np.float64)).sum())
    facts: dict[str, float] = {
        "leavers_expected_count": float(paths.churn_12m.sum()),
        "leavers_preventable_count": float(p.sum()),
        "commission_at_risk_preventable": round(at_risk),
    }
    if turnover > 0 and p.sum() > 0:
        facts["leaver_commission_ratio"] = at_risk / float(p.sum()) / (turnover / base.n)
    if rates is not None:
        facts |= {"policy_lapse_share": rates.policy_lapse, "customer_churn_share": rates.customer_churn}
        if rates.commission_churn is not None:
            facts["commission_churn_share"] = rates.commission_churn
        if rates.left:
            facts["natural_of_churn_share"] = rates.natural / rates.left
    return facts
