"""The numbers that explain a business case: for how many a call pays, where it begins to, what one round brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.case.basis import FIRST, MICRO, MILLI, effect_of, rate_factor, share_factor, stretches, table_of
from akb.value.case.benefits import net_of, stay_share
from akb.value.case.ledger import call_years
from akb.value.case.plan import above, called_of
from akb.value.targeting.hours import capacity, contact_cost, minutes_available

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.value.case.basis import Basis, Floats, Range
    from akb.value.case.plan import Plan
    from akb.value.types import Line


def facts(
    basis: Basis, made: Plan, ranges: Mapping[str, Range], benefits: list[Line], rule: Mapping[str, int]
) -> dict[str, float]:
    """Return the numbers that explain the case: cents, counts (``_count``), shares; the basis's own ones included."""
    values = {name: three[1] for name, three in ranges.items()}
    factor = share_factor(basis, values)
    rescue = values["retention.rescue"]
    kept = next((line.base for line in benefits if line.key == "retention"), 0)
    listed = factor * made.kept["chance"] / MICRO
    at_risk = factor * made.kept["commission"] / MILLI
    minutes = minutes_available(basis, values)
    possible = capacity(minutes, values["contact.minutes"])
    out: dict[str, float] = {
        "customers_count": basis["customers"],
        "turnover": basis["turnover"],
        "advisers_count": round(minutes / 60 / values["capacity.hours_per_year"])
        if values["capacity.hours_per_year"] > 0
        else basis["advisers"],
        "advisers_counted": float(basis["advisers_counted"]),
        "contacts_possible_count": min(possible, 2.0 * basis["customers"]),
        "contacts_used_count": made.calls,
        "contacts_retention_count": made.retention_calls,
        "contacts_offer_count": made.own_calls,
        "offers_in_talks_count": made.talks,
        **basis["facts"],
        "policy_cost": basis["facts"].get("policy_cost", 0.0) * rate_factor(basis, values, "cost.rate_office"),
        "leavers_listed_count": listed,
        "saved_expected_count": rescue * listed,
        "rescue_share": rescue,
        "commission_at_risk_listed": round(at_risk),
        "commission_saved_gross": round(rescue * at_risk),
        "serve_cost_saved": round(rescue * at_risk) - kept,
        "eda_once": round(100 * values["price.eda"]),
        "cross_sell_untreated": round(made.sold["commission"] / MILLI),
        "stay_share": stay_share(made),
        **_pays(basis, values, ranges["retention.rescue"]),
        **_pays_within(basis, values),
        **_round(basis, made, values, benefits),
        **_first_call(basis, values),
    }
    if kept > 0:
        out["rescue_implied_by_rule_share"] = rescue * rule["retention"] / kept
    return out


def _pays(basis: Basis, values: Mapping[str, float], rescue: Range) -> dict[str, float]:
    """For how many customers a call pays at the low, base and high rescue chance, and if everyone would stay."""
    factor = share_factor(basis, values)
    if not basis.get("retention") or factor <= 0:
        return {}
    table = table_of(basis["retention"])
    names = ("low", "base", "high", "certain")
    stretch = stretches(basis, values, table, "retention")
    upper, lower = stretch * table["upper"], stretch * table["lower"]
    cost = contact_cost(values) / factor
    return {
        f"pays_at_rescue_{name}_count": round(float((above(upper, lower, cost / chance) * table["calls"]).sum()))
        for name, chance in zip(names, (*rescue, 1.0), strict=True)
        if chance > 0
    }


def _pays_within(basis: Basis, values: Mapping[str, float]) -> dict[str, float]:
    """For how many customers a call pays within 1 year, within 3, within the payback years, only over life, or never.

    Nested: who pays within a year pays within three. The hours are left aside.
    """
    counts = {}
    for name, years in (("1", 1.0), ("3", 3.0), ("payback", None), ("life", 0.0)):
        keeping: tuple[dict[str, Any], Floats] = table_of(None), np.zeros(0)
        total = 0.0
        for line in ("retention", "own_calls"):
            table = table_of(basis.get(line))
            if not len(table["calls"]):
                continue
            stretch = _life(table) if name == "life" else stretches(basis, values, table, line, years)
            effect = effect_of(basis, values, line)
            share = above(effect * stretch * table["upper"], effect * stretch * table["lower"], contact_cost(values))
            if line == "retention":
                keeping = table, share
            else:
                share = share * (1 - called_of(table["group"], *keeping))
            total += float((share * table["calls"]).sum())
        counts[f"calls_pay_{name}_count"] = float(round(total))
    counts["calls_pay_life_count"] = max(counts["calls_pay_life_count"], counts["calls_pay_3_count"])
    return counts


def _life(table: Mapping[str, Any]) -> Floats:
    """Return what a call brings over life, as a multiple of what it earns within the payback years of the run."""
    middle = table["calls"] * (table["upper"] + table["lower"]) / 2
    factors: Floats = np.divide(table["life"] / MILLI, middle, out=np.zeros(len(middle)), where=middle > 0)
    return factors


def _round(basis: Basis, made: Plan, values: Mapping[str, float], benefits: list[Line]) -> dict[str, float]:
    """Return one year's round of calls by itself: what it costs, and what it brings in year 1, in 3 years, in life."""
    first = {line: values[name] for line, name in FIRST.items()}
    stays = stay_share(made)
    brought = {
        years: sum(float(call_years(np.array(stays), years, first[line.key])) * line.base for line in benefits)
        for years in (1, 3)
    }
    _, _, _, hours = net_of(basis, made, values)
    return {
        "round_cost": round(hours),
        "round_1": round(brought[1]),
        "round_3": round(brought[3]),
        "payback_years": values["value.payback_years"],
        "outside_cost": round(100 * values["cost.rate_office"] * basis["facts"].get("outside_minutes", 0.0) / 60),
    }


def _first_call(basis: Basis, values: Mapping[str, float]) -> dict[str, float]:
    """Return where calling begins to pay for the customers with the most to gain: effect, and cost of a call.

    The mean of the first bin, at least `least` customers: of one customer nothing is told.
    """
    cost, best = contact_cost(values), 0.0
    out = {"contact_cost": cost}
    for name, key in (("retention", "first_call_rescue_share"), ("own_calls", "first_call_uplift_share")):
        table = table_of(basis.get(name))
        if not len(table["calls"]):
            continue
        middle = stretches(basis, values, table, name) * (table["upper"] + table["lower"]) / 2
        most = float(middle.max()) * (share_factor(basis, values) if name == "retention" else 1.0)
        if most > 0:
            out[key] = cost / most
        best = max(best, effect_of(basis, values, name) * float(middle.max()))
    return {**out, "first_call_cost": best}
