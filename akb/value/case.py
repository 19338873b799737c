"""The business case: yearly cash flows of customers who are called, minus what would have happened anyway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.base import EURO_GATES
from akb.value.formulas import cross_sell_rule, half_year, roi, saving_share
from akb.value.survival import YEAR
from akb.value.types import BusinessCase, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.models.types import Gate, Interval
    from akb.value.base import Base
    from akb.value.clv import Lifetime
    from akb.value.lists import Desk
    from akb.value.rates import YearRates
    from akb.value.survival import Relations


@dataclass(frozen=True)
class Contacts:
    """Who is called: rows of the two lists that count for the ledger, and the minutes that they take (base)."""

    retention: pl.DataFrame
    offers: pl.DataFrame

    @property
    def calls(self) -> int:
        """Calls a year: for retention, and for an offer alone."""
        return self.retention.height + int(self.offers["own_call"].sum())

    @property
    def offers_in_talks(self) -> int:
        """Offers discussed in a call that takes place anyway."""
        return self.offers.height - int(self.offers["own_call"].sum())


def contacts(base: Base, lists: dict[str, pl.DataFrame]) -> Contacts:
    """Return the rows of the lists that are really called: no control group, within the hours.

    A line that is withheld costs no calls either.
    """
    out = withheld(base)
    return Contacts(
        retention=lists["top_defend"].filter(~pl.col("control") & pl.lit("retention" not in out)),
        offers=lists["next_best_policy"].filter(pl.col("contact") & pl.lit("cross_sell" not in out)),
    )


def ledger(benefits: Sequence[Line], costs: Sequence[Line]) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Return net and ROI as (low, base, high); low sets low benefits against high costs.

    ROI = (benefits - costs) / costs; zero where there are no costs.
    """
    gain = [sum(getattr(line, side) for line in benefits) for side in ("low", "base", "high")]
    spent = [sum(getattr(line, side) for line in costs) for side in ("high", "base", "low")]
    low, base, high = (g - s for g, s in zip(gain, spent, strict=True))
    ratios = [roi(g, s) if s > 0 else 0.0 for g, s in zip(gain, spent, strict=True)]
    return (low, base, high), (ratios[0], ratios[1], ratios[2])


def first_year(benefits: Sequence[Line], costs: Sequence[Line], eda: int) -> dict[str, tuple[int, int, int]]:
    """Return totals of year 1: half of every benefit (half-year rule on both lines), all costs, and the analysis."""
    gain = [round(half_year([getattr(line, side) for line in benefits])) for side in ("low", "base", "high")]
    spent = [sum(getattr(line, side) for line in costs) + eda for side in ("low", "base", "high")]
    return {
        "benefits": (gain[0], gain[1], gain[2]),
        "costs": (spent[0], spent[1], spent[2]),
        "net": (gain[0] - spent[2], gain[1] - spent[1], gain[2] - spent[0]),
    }


def cohort_years(stays: float, years: int) -> float:
    """Return the full years of benefit that yearly cohorts bring together over `years`.

    Each cohort counts half in its own year (half-year rule) and then ``stays``, ``stays^2``, ... of itself. One year
    gives 0.5; with ``stays`` = 1 two years give 2 and three years 4.5.
    """
    return sum(0.5 + sum(stays**later for later in range(1, year + 1)) for year in range(years))


def over_years(
    benefits: Sequence[Line], costs: Sequence[Line], eda: int, stays: float, years: int = 3
) -> dict[str, tuple[int, int, int]]:
    """Return totals over `years` when the same effort is made every year; not discounted, not indexed.

    Parameters
    ----------
    stays
        Share of what was saved or sold that is still there a year later.
    """
    factor = cohort_years(stays, years)
    gain = [round(factor * sum(getattr(line, side) for line in benefits)) for side in ("low", "base", "high")]
    spent = [years * sum(getattr(line, side) for line in costs) + eda for side in ("low", "base", "high")]
    return {
        "benefits": (gain[0], gain[1], gain[2]),
        "costs": (spent[0], spent[1], spent[2]),
        "net": (gain[0] - spent[2], gain[1] - spent[1], gain[2] - spent[0]),
    }


def stay_rate(base: Base, paths: Relations, called: Contacts) -> float:
    """Return the share of what is saved or sold that is still there a year later, weighed by the yearly euros.

    A customer who was kept is trusted to stay as his own churn chance says, no better.
    """
    rows = (
        pl.concat(
            [
                called.retention.select("customer", cents="yearly_cents"),
                called.offers.select("customer", cents="extra_cents"),
            ]
        )
        .join(base.customers.select("customer", "row"), on="customer")
        .sort("row", "cents")
    )
    cents = rows["cents"].clip(lower_bound=0).to_numpy()
    alive = paths.alive[rows["row"].to_numpy(), YEAR]
    return float((cents * alive).sum() / cents.sum()) if cents.sum() > 0 else 0.0


def widening(gate: Gate, interval: Interval | None) -> tuple[float, float]:
    """Return factors for the low and high end: a provisional gate brings its interval of observed/expected along."""
    if gate != "provisional" or interval is None:
        return 1.0, 1.0
    return min(1.0, max(0.0, interval[0])), max(1.0, interval[1])


def business_case(
    base: Base,
    paths: Relations | None,
    value: Lifetime | None,
    lists: dict[str, pl.DataFrame],
    desk: Desk,
    rates: YearRates | None,
) -> BusinessCase | None:
    """Return the business case; None without commission or where no benefit line may be given.

    A line whose prediction failed its gate, or has none, is withheld; see `withheld`.
    """
    if value is None or paths is None:
        return None
    called = contacts(base, lists)
    out = withheld(base)
    benefits = []
    if "retention" not in out:
        benefits.append(_retention(base, called, split=paths.split))
    if "cross_sell" not in out:
        benefits.append(_cross_sell(base, called))
    if not benefits:
        return None
    costs = _costs(base, called)
    net, ratios = ledger(benefits, costs)
    rule = rule_of_thumb(base)
    eda = round(100 * base.value("price.eda"))
    stays = stay_rate(base, paths, called)
    return BusinessCase(
        benefits=tuple(benefits),
        costs=tuple(costs),
        year1=first_year(benefits, costs, eda),
        net=net,
        roi=ratios,
        rule_of_thumb=rule,
        facts={
            **_facts(base, paths, called, desk, rates, rule),
            **_paying(base, paths, value, desk),
            "stay_share": stays,
        },
        three_years=over_years(benefits, costs, eda, stays),
    )


def withheld(base: Base) -> tuple[str, ...]:
    """Return the benefit lines that may not be given, because the prediction under them did not pass its gate."""
    out = []
    if base.churn_gate not in EURO_GATES:
        out.append("retention")
    if not any(gate in EURO_GATES for gate in base.branch_gates.values()):
        out.append("cross_sell")
    return tuple(out)


def rule_of_thumb(base: Base) -> dict[str, int]:
    """Return what the sources' rule would promise for this portfolio, cents a year (D1 and D4)."""
    share = saving_share(base.value("rule.lapse"), base.value("rule.natural"), base.value("rule.rescue"))
    retention = round(share * int(base.commission.sum()))
    flow = cross_sell_rule(
        base.n, base.value("rule.buys"), base.value("rule.branch_share"), 100 * base.value("rule.commission")
    )
    return {"retention": retention, "cross_sell": round(flow), "total": retention + round(flow)}


def _retention(base: Base, called: Contacts, *, split: bool) -> Line:
    total = int(called.retention["yearly_cents"].sum())
    low, mid, high = base.range("retention.rescue")
    down, up = widening(base.churn_gate, _interval(base, "churn_preventable_12m", "churn_12m"))
    if not split:
        share_low, share, share_high = base.range("retention.preventable_share")
        down, up = down * share_low / share, up * share_high / share
    return _line("retention", total, down * low / mid if mid else 0.0, up * high / mid if mid else 0.0)


def _cross_sell(base: Base, called: Contacts) -> Line:
    offers = called.offers.filter(pl.col("expected_commission").is_not_null())
    low, mid, high = base.range("cross_sell.uplift")
    keys = {e.branch: e.key for e in base.entries if e.method == "family_purchase"}
    total, least, most = 0, 0.0, 0.0
    for branch, cents in offers.group_by("branch").agg(pl.col("extra_cents").sum()).sort("branch").iter_rows():
        down, up = widening(base.branch_gates.get(branch, "none"), _interval(base, keys[branch]))
        total, least, most = total + cents, least + down * cents, most + up * cents
    if not total or not mid:
        return Line("cross_sell", 0, total, 0, "assumed")
    return _line("cross_sell", total, least / total * low / mid, most / total * high / mid)


def _line(key: str, total: int, down: float, up: float) -> Line:
    """Return a benefit line; where the base is negative its ends swap."""
    ends = sorted((round(total * down), round(total * up)))
    return Line(key, min(ends[0], total), total, max(ends[1], total), "assumed")


def _costs(base: Base, called: Contacts) -> list[Line]:
    licence = round(100 * base.value("price.per_customer") * base.n)
    hours = []
    for side in range(3):
        rate = base.range("cost.rate_office")[side]
        minutes = base.range("contact.minutes")[side] * called.calls
        minutes += base.range("contact.offer_minutes")[side] * called.offers_in_talks
        hours.append(round(100 * rate * minutes / 60))
    return [
        Line("licence", licence, licence, licence, "counted"),
        Line("hours", hours[0], hours[1], hours[2], "assumed"),
    ]


def _interval(base: Base, *keys: str) -> Interval | None:
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


def _paying(base: Base, paths: Relations, value: Lifetime, desk: Desk) -> dict[str, float]:
    """How many customers a retention call would pay for at the low, base and high rescue chance, and at certainty."""
    at_stake = (paths.preventable * value.stake)[~desk.barred]
    chances = (*base.range("retention.rescue"), 1.0)
    return {
        f"pays_at_rescue_{name}_count": int((chance * at_stake > desk.contact_cost).sum())
        for name, chance in zip(("low", "base", "high", "certain"), chances, strict=True)
    }


def _facts(
    base: Base, paths: Relations, called: Contacts, desk: Desk, rates: YearRates | None, rule: dict[str, int]
) -> dict[str, float]:
    """Numbers that explain why the case differs from the rule of thumb. Cents, counts (``_count``) or shares."""
    turnover = int(base.commission.sum())
    own = base.commission_customer.astype(np.float64)
    p = paths.preventable
    listed = called.retention.join(base.customers.select("customer", "row"), on="customer")["row"].sort().to_numpy()
    at_risk, at_risk_listed = float((p * own).sum()), float((p[listed] * own[listed]).sum())
    rescue = base.value("retention.rescue")
    kept = int(called.retention["yearly_cents"].sum())
    facts: dict[str, float] = {
        "customers_count": base.n,
        "turnover": turnover,
        "advisers_count": desk.advisers,
        "advisers_counted": float(desk.advisers_counted),
        "contacts_possible_count": desk.capacity,
        "contacts_used_count": called.calls,
        "contacts_retention_count": called.retention.height,
        "contacts_offer_count": called.calls - called.retention.height,
        "offers_in_talks_count": called.offers_in_talks,
        "leavers_expected_count": float(paths.churn_12m.sum()),
        "leavers_preventable_count": float(p.sum()),
        "leavers_listed_count": float(p[listed].sum()),
        "saved_expected_count": rescue * float(p[listed].sum()),
        "rescue_share": rescue,
        "commission_at_risk_preventable": round(at_risk),
        "commission_at_risk_listed": round(at_risk_listed),
        "commission_saved_gross": round(rescue * at_risk_listed),
        "serve_cost_saved": round(rescue * at_risk_listed) - kept,
        "eda_once": round(100 * base.value("price.eda")),
        "cross_sell_untreated": round(100 * float(called.offers["expected_commission"].fill_null(0).sum())),
    }
    if kept > 0:
        facts["rescue_implied_by_rule_share"] = rescue * rule["retention"] / kept
    if turnover > 0 and p.sum() > 0:
        facts["leaver_commission_ratio"] = at_risk / float(p.sum()) / (turnover / base.n)
    if rates is not None:
        facts |= {"policy_lapse_share": rates.policy_lapse, "customer_churn_share": rates.customer_churn}
        if rates.commission_churn is not None:
            facts["commission_churn_share"] = rates.commission_churn
        if rates.left:
            facts["natural_of_churn_share"] = rates.natural / rates.left
    return facts
