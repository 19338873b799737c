"""The business case in figures: net, return, first year, three years, present value and payback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.value.case.basis import FIRST, MILLI, share_factor
from akb.value.case.benefits import lines, stay_share
from akb.value.case.facts import facts
from akb.value.case.formulas import cross_sell_rule, saving_share
from akb.value.case.ledger import first_year, ledger, over_years, payback_month, present_value_of_years, year_factors
from akb.value.case.plan import plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.value.case.basis import Basis, Range
    from akb.value.case.plan import Plan
    from akb.value.types import Line


def work_out(basis: Basis, ranges: Mapping[str, Range], made: Plan | None = None) -> dict[str, Any]:
    """Return the figures of the business case under these assumptions.

    Parameters
    ----------
    ranges
        Assumption -> (low, base, high); every name in `CHANGEABLE`.
    made
        The calls, if they were decided under other assumptions; else they follow from the base values.

    Returns
    -------
    ``benefits``, ``costs`` (lines), ``net``, ``roi`` (run rate), ``year1`` (with ``roi``), ``three_years``, ``npv``
    (each low, base, high), ``payback_month``, ``rule_of_thumb``, ``facts``, ``multiple`` (effect on the portfolio's
    value, None until a multiple is given); cents, shares, months.
    """
    values = {name: three[1] for name, three in ranges.items()}
    made = made or plan(basis, values)
    benefits, costs = lines(basis, made, ranges)
    net, ratios = ledger(benefits, costs)
    eda = round(100 * values["price.eda"])
    stays = stay_share(made)
    first = {line: values[name] for line, name in FIRST.items()}
    year1: dict[str, Any] = dict(first_year(benefits, costs, eda, first))
    spent = reversed(year1["costs"])
    year1["roi"] = tuple(n / c if c > 0 else 0.0 for n, c in zip(year1["net"], spent, strict=True))
    rule = rule_of_thumb(basis["customers"], basis["turnover"], values)
    return {
        "benefits": benefits,
        "costs": costs,
        "net": net,
        "roi": ratios,
        "year1": year1,
        "three_years": over_years(benefits, costs, eda, stays, first=first),
        "npv": npv(benefits, costs, eda, stays, first, values["case.discount"]),
        "payback_month": payback_month(
            {line.key: line.base for line in benefits}, sum(line.base for line in costs), eda, stays, first
        ),
        "rule_of_thumb": rule,
        "facts": facts(basis, made, ranges, benefits, rule),
        "multiple": portfolio_effect(basis, made, ranges, stays),
    }


def npv(
    benefits: list[Line], costs: list[Line], eda: int, stays: float, first: Mapping[str, float], discount: float
) -> tuple[int, int, int]:
    """Return the net present value over three years as (low, base, high), cents."""
    out = []
    for gain, spent in (("low", "high"), ("base", "base"), ("high", "low")):
        cost = sum(getattr(line, spent) for line in costs)
        flows = [-float(cost)] * 3
        for line in benefits:
            factors = year_factors(first[line.key], stays)
            flows = [flow + factor * getattr(line, gain) for flow, factor in zip(flows, factors, strict=True)]
        out.append(round(present_value_of_years(flows, eda, discount)))
    return out[0], out[1], out[2]


def rule_of_thumb(customers: int, turnover: int, values: Mapping[str, float]) -> dict[str, int]:
    """Return what the sources' rule would promise for this portfolio, cents a year (D1 and D4)."""
    share = saving_share(values["rule.lapse"], values["rule.natural"], values["rule.rescue"])
    retention = round(share * turnover)
    flow = cross_sell_rule(customers, values["rule.buys"], values["rule.branch_share"], 100 * values["rule.commission"])
    return {"retention": retention, "cross_sell": round(flow), "total": retention + round(flow)}


def portfolio_effect(basis: Basis, made: Plan, ranges: Mapping[str, Range], stays: float) -> dict[str, Any] | None:
    """Return what three years of calls add to the price of the portfolio, at a multiple of recurring commission.

    Recurring commission after three years: what each year's calls kept and sold, as far as it is still there.
    """
    multiple = ranges["portfolio.multiple"][1]
    if multiple <= 0:
        return None
    left = sum(stays**later for later in range(3))
    gained = []
    for side in range(3):
        at = {name: three[side] for name, three in ranges.items()}
        kept = at["retention.rescue"] * share_factor(basis, at) * made.kept["commission"]
        gained.append((kept + at["cross_sell.uplift"] * made.sold["commission"]) / MILLI * left)
    low, base, high = (round(multiple * amount) for amount in gained)
    return {"multiple": multiple, "recurring": round(gained[1]), "low": low, "base": base, "high": high}
