"""One engine for the business case: a basis and assumptions in, figures out. Pure, and without a customer's data.

A basis (``case_basis`` in summary.json) holds what does not depend on the assumptions that people argue about:
customers binned along the order of Top Defend (chance x value at stake, which knows no rescue chance and no price of a
call), and offers along the worth of a call. The run, ``akb case`` and the page all compute on it, so they agree to
the cent.

Amounts in a basis are integers in thousandths of a cent, chances in millionths; columns of a table have equal length.

``retention``
    ``upper``, ``lower`` (what a call earns within the payback years per unit of rescue, cents, at the bin's edges,
    descending), ``calls`` (customers that may be called: no control group), ``chance``, ``commission`` (chance x yearly
    commission), ``office``, ``adviser``, ``fixed`` (chance x yearly service cost, by what it depends on), ``weight``,
    ``alive`` (what is kept, and what of it is there a year later), ``life`` (chance x value at stake), ``talks``,
    ``talk_commission``, ``talk_served``, ``talk_alive`` (policies to discuss in those calls).
``own_calls``
    Calls for a policy alone: ``upper``, ``lower`` (what a call earns within the payback years per unit of uplift,
    cents), ``calls``, ``commission``, ``served``, ``alive``, ``life``.
``group`` in both: a part of Top Defend; who is called to keep gets no call for a policy alone.
``level``: what a call earned at least in the run, cents; ``least``: fewer calls of a kind are none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from akb.value.formulas import cross_sell_rule, saving_share
from akb.value.ledger import (
    call_years,
    first_year,
    ledger,
    over_years,
    payback_month,
    present_value_of_years,
    year_factors,
)
from akb.value.types import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Basis = Mapping[str, Any]
    Number = TypeVar("Number", float, NDArray[np.float64])

SCHEMA = "akb.case_basis/2"
MILLI = 1000
MICRO = 1_000_000
UNLIMITED = 1_000_000_000  # calls that take no time
SUMS = ("chance", "commission", "office", "adviser", "fixed", "weight", "alive", "life")
TALKS = ("talks", "talk_commission", "talk_served", "talk_alive")
SOLD = ("commission", "served", "alive", "life")
RATES = {"office": "cost.rate_office", "adviser": "cost.rate_adviser", "fixed": "cost.fixed"}
FIRST = {"retention": "case.first_year_retention", "cross_sell": "case.first_year_cross_sell"}
EFFECTS = (
    "retention.rescue",
    "retention.preventable_share",
    "cross_sell.uplift",
    "contact.minutes",
    "contact.offer_minutes",
    *RATES.values(),
    "price.per_customer",
)
"""What nobody knows when the list is made: varied with the list as it stands."""
PLAN = (
    "value.payback_years",
    "capacity.hours_per_year",
    "capacity.customers_per_adviser",
    "experiment.control_share",
)
"""What decides how many are called: varied together with the list."""
REST = (
    "price.eda",
    "case.discount",
    "portfolio.multiple",
    *FIRST.values(),
    *(f"rule.{name}" for name in ("lapse", "natural", "rescue", "buys", "branch_share", "commission")),
    *(f"claim.{name}" for name in ("low", "mid", "high")),
)
CHANGEABLE = (*EFFECTS, *PLAN, *REST)
"""What can change without scoring anybody again."""
SAME_CALLS = {"price.per_customer", *REST} - set(FIRST.values())
"""What decides nothing about who is called: a basis is exact about these."""

Range = tuple[float, float, float]


@dataclass(frozen=True)
class Plan:
    """Who is called, as sums over the basis: thousandths of cents, or counts.

    Parameters
    ----------
    shares, own_shares
        (bins,): which part of every bin of each table is called.
    level
        What a call earns at least within the payback years, cents: its cost, or more where the hours bind.
    retention_calls, own_calls, talks
        Calls a year to keep, calls a year for a policy alone, policies discussed in calls that take place anyway.
    kept, sold
        Sums of both tables over those who are called; in `sold` also what is discussed in calls to keep.
    """

    shares: Floats
    own_shares: Floats
    level: float
    retention_calls: int
    own_calls: int
    talks: int
    kept: Mapping[str, float]
    sold: Mapping[str, float]

    @property
    def calls(self) -> int:
        """All calls a year."""
        return self.retention_calls + self.own_calls


def scaled_cents(factor: float, milli: float) -> int:
    """Return ``factor x milli`` in whole cents: the only rounding between a list and its line in the ledger."""
    return round(factor * milli / MILLI)


def contact_cost(values: Mapping[str, float]) -> float:
    """Return what one call costs, cents."""
    return 100 * values["cost.rate_office"] * values["contact.minutes"] / 60


def offer_cost(values: Mapping[str, float]) -> float:
    """Return what it costs to discuss a policy in a call that takes place anyway, cents."""
    return 100 * values["cost.rate_office"] * values["contact.offer_minutes"] / 60


def minutes_available(basis: Basis, values: Mapping[str, float]) -> float:
    """Return the minutes a year that advisers have for calls."""
    advisers: float = basis["advisers"]
    if not basis["advisers_counted"]:
        advisers = max(1, round(basis["customers"] / values["capacity.customers_per_adviser"]))
    return 60 * values["capacity.hours_per_year"] * advisers * float(basis["hours_factor"])


def capacity(minutes: float, per_call: float) -> float:
    """Return how many calls fit; without a limit where a call takes no time."""
    calls = max(0.0, minutes) / per_call if per_call > 0 else float("inf")
    return float(int(calls + 1e-9)) if calls < UNLIMITED else float("inf")


def above(upper: Floats, lower: Floats, threshold: float) -> Floats:
    """Return which part of every bin lies above a threshold, as if its customers were spread evenly."""
    width = upper - lower
    reached = np.clip(upper - threshold, 0.0, width)  # so that a hair's width divides no large number
    share: Floats = np.divide(reached, width, out=(upper > threshold).astype(np.float64), where=width > 0)
    return share


def plan(basis: Basis, values: Mapping[str, float]) -> Plan:
    """Return who is called under these assumptions: those whose call pays, most per call first, within the hours."""
    keep, own = _table(basis.get("retention")), _table(basis.get("own_calls"))
    reach = _Reach(
        basis,
        values,
        keep,
        own,
        _edges(basis, values, keep, "retention"),
        _edges(basis, values, own, "own_calls"),
    )
    level = reach.level()
    shares, own_shares = reach.at(level)
    calls = round(float((shares * keep["calls"]).sum()))
    if 0 < calls < basis["least"]:
        reach = replace(reach, keeping=(np.zeros(len(shares)), np.zeros(len(shares))))
        level = reach.level()
        shares, own_shares = reach.at(level)
        calls = round(float((shares * keep["calls"]).sum()))
    own_calls = round(float((own_shares * own["calls"]).sum()))
    if own_calls < basis["least"]:
        own_shares, own_calls = np.zeros(len(own_shares)), 0
    talked = "cross_sell" in basis["lines"] and values["cross_sell.uplift"] > 0
    talks = {name: float((shares * keep[name]).sum()) if talked else 0.0 for name in TALKS}
    sold = {name: float((own_shares * own[name]).sum()) for name in SOLD}
    for name in ("commission", "served", "alive"):
        sold[name] += talks[f"talk_{name}"]
    kept = {name: float((shares * keep[name]).sum()) for name in SUMS}
    return Plan(shares, own_shares, level, calls, own_calls, round(talks["talks"]), kept, sold)


Edges = tuple["Floats", "Floats"]


@dataclass(frozen=True)
class _Reach:
    """How far the hours reach: shares of every bin that earn more than a level, and the minutes that they take."""

    basis: Basis
    values: Mapping[str, float]
    keep: Mapping[str, Any]
    own: Mapping[str, Any]
    keeping: Edges
    selling: Edges

    def at(self, level: float) -> Edges:
        """Return which part of every bin of both tables is called: who may be called to keep gets no other call."""
        drawn = 1 - self.basis["at"]["experiment.control_share"]
        free = (1 - self.values["experiment.control_share"]) / drawn if drawn > 0 else 0.0
        keep = above(*self.keeping, level)
        left = 1 - _called_of(self.own["group"], self.keep, keep)
        return free * keep, free * left * above(*self.selling, level)

    def calls(self, level: float) -> float:
        return self._counted(*self.at(level))

    def _counted(self, keep: Floats, own: Floats) -> float:
        return float(keep @ self.keep["calls"] + own @ self.own["calls"])

    def fits(self, level: float) -> bool:
        keep, own = self.at(level)
        talked = "cross_sell" in self.basis["lines"] and self.values["cross_sell.uplift"] > 0
        talks = float(keep @ self.keep["talks"]) if talked else 0.0
        minutes = (
            self._counted(keep, own) * self.values["contact.minutes"] + talks * self.values["contact.offer_minutes"]
        )
        return minutes <= minutes_available(self.basis, self.values) + 1e-6

    def level(self) -> float:
        """Return the lowest level from the cost of a call up at which the calls fit; the run's where that is as good.

        Between two edges a bin may give a part of a call: less than two calls more than the run has are no reason to
        leave its level.
        """
        low = contact_cost(self.values)
        if self.fits(low):
            return low
        high = max([low, *(float(upper.max()) for upper, _ in (self.keeping, self.selling) if len(upper))]) + 1
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if self.fits(middle) else (middle, high)
        known: float = self.basis["level"]
        return known if self.fits(known) and self.calls(high) - self.calls(known) < 2 else high


def _called_of(groups: Floats, table: Mapping[str, Any], share: Floats) -> Floats:
    """Return which part of each of these groups of Top Defend is called for retention; nobody of others."""
    known, own = table["group"].astype(np.int64), groups.astype(np.int64)
    length = int(max(known.max(initial=-1), own.max(initial=-1))) + 1
    called = np.bincount(known, weights=share * table["calls"], minlength=length)
    calls = np.bincount(known, weights=table["calls"], minlength=length)
    parts: Floats = np.divide(called, calls, out=np.zeros(length), where=calls > 0)[own]
    return parts


def _life(table: Mapping[str, Any]) -> Floats:
    """Return what a call brings over life, as a multiple of what it earns within the payback years of the run."""
    middle = table["calls"] * (table["upper"] + table["lower"]) / 2
    factors: Floats = np.divide(table["life"] / MILLI, middle, out=np.zeros(len(middle)), where=middle > 0)
    return factors


def _edges(basis: Basis, values: Mapping[str, float], table: Mapping[str, Any], name: str) -> Edges:
    """Return what a call earns within the payback years at the edges of every bin under these values, cents."""
    effect = _effect(basis, values, name) * _stretch(basis, values, table, name)
    return effect * table["upper"], effect * table["lower"]


def _effect(basis: Basis, values: Mapping[str, float], name: str) -> float:
    if name == "own_calls":
        return values["cross_sell.uplift"]
    return float(values["retention.rescue"] * share_factor(basis, values))


def _stretch(
    basis: Basis, values: Mapping[str, float], table: Mapping[str, Any], name: str, years: float | None = None
) -> Floats:
    """Return by what the earnings of every bin differ from the run's: other service costs, other payback years."""
    at = basis["at"]
    first = FIRST["retention" if name == "retention" else "cross_sell"]
    parts = RATES if name == "retention" else {"served": "cost.rate_office"}
    now = then = table["commission"]
    for part, rate in parts.items():
        then = then - table[part]
        now = now - table[part] * _rate(basis, values, rate)
    weight = then if name == "own_calls" else table["weight"]
    stays = np.divide(table["alive"], weight, out=np.zeros(len(then)), where=weight > 0)
    before = call_years(stays, at["value.payback_years"], at[first])
    after = call_years(stays, values["value.payback_years"] if years is None else years, values[first])
    factors: Floats = np.divide(now * after, then * before, out=np.zeros(len(then)), where=then * before > 0)
    return factors


def _table(table: Mapping[str, Any] | None) -> dict[str, Any]:
    if not table:
        names = ("group", "upper", "lower", "calls", *SUMS, *TALKS, *SOLD)
        return {name: np.zeros(0) for name in names}
    return {name: np.array(column, dtype=np.float64) for name, column in table.items() if name != "interval"}


def share_factor(basis: Basis, values: Mapping[str, Any]) -> Any:
    """Return by what the chances change where the preventable share itself is an assumption; else 1."""
    at = basis["at"]["retention.preventable_share"]
    return 1.0 if basis["split"] or at <= 0 else values["retention.preventable_share"] / at


def kept_margin(basis: Basis, made: Plan, values: Mapping[str, Any]) -> Any:
    """Return what the called customers bring after service, if everyone who would leave stayed; thousandths."""
    served = 0.0
    for part, name in RATES.items():
        at = basis["at"][name]
        served = served + made.kept[part] * (values[name] / at if at else 1.0)
    return share_factor(basis, values) * (made.kept["commission"] - served)


def sold_margin(basis: Basis, made: Plan, values: Mapping[str, Any]) -> Any:
    """Return what the policies of the called customers would bring in a year after service at uplift 1; thousandths."""
    at = basis["at"]["cost.rate_office"]
    return made.sold["commission"] - made.sold["served"] * (values["cost.rate_office"] / at if at else 1.0)


def net_of(basis: Basis, made: Plan, values: Mapping[str, Any], width: Mapping[str, Any] | None = None) -> Any:
    """Return (retention, cross_sell, licence, hours) in cents, not rounded; values may be numbers or arrays.

    Parameters
    ----------
    width
        Line -> what the level of its prediction turned out to be (observed over expected); 1 where it says nothing.
    """
    level = width or {}
    retention = values["retention.rescue"] * kept_margin(basis, made, values) / MILLI * level.get("retention", 1.0)
    cross_sell = values["cross_sell.uplift"] * sold_margin(basis, made, values) / MILLI * level.get("cross_sell", 1.0)
    licence = 100 * values["price.per_customer"] * basis["customers"]
    minutes = values["contact.minutes"] * made.calls + values["contact.offer_minutes"] * made.talks
    return retention, cross_sell, licence, 100 * values["cost.rate_office"] * minutes / 60


def stay_share(made: Plan) -> float:
    """Return the share of what is saved or sold that is still there a year later, weighed by the yearly euros."""
    weight = made.kept["weight"] + made.sold["commission"] - made.sold["served"]
    return (made.kept["alive"] + made.sold["alive"]) / weight if weight > 0 else 0.0


def lines(basis: Basis, made: Plan, ranges: Mapping[str, Range]) -> tuple[list[Line], list[Line]]:
    """Return the benefit lines and the cost lines; low and high are other outcomes of the same calls."""
    values = {name: three[1] for name, three in ranges.items()}
    benefits = []
    if "retention" in basis["lines"]:
        down, up = basis["retention"]["interval"]
        low, mid, high = ranges["retention.rescue"]
        if not basis["split"]:
            share = ranges["retention.preventable_share"]
            low, high = (low * share[0] / share[1], high * share[2] / share[1]) if share[1] else (0.0, 0.0)
        margin = kept_margin(basis, made, values)
        benefits.append(_line("retention", low * down, mid, high * up, margin))
    if "cross_sell" in basis["lines"]:
        down, up = basis["own_calls"]["interval"]
        low, mid, high = ranges["cross_sell.uplift"]
        benefits.append(_line("cross_sell", low * down, mid, high * up, sold_margin(basis, made, values)))
    low_cost, base_cost, high_cost = (
        net_of(basis, made, {name: three[side] for name, three in ranges.items()})[2:] for side in range(3)
    )
    spent = [[round(amount) for amount in line] for line in zip(low_cost, base_cost, high_cost, strict=True)]
    licence, hours = ((line[0], line[1], line[2]) for line in spent)
    return benefits, [Line("licence", *licence, "counted"), Line("hours", *hours, "assumed")]


def _line(key: str, low: float, mid: float, high: float, milli: float) -> Line:
    """Return a benefit line; where the base is negative its ends swap."""
    base = scaled_cents(mid, milli)
    ends = sorted((scaled_cents(low, milli), scaled_cents(high, milli)))
    return Line(key, min(ends[0], base), base, max(ends[1], base), "assumed")


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
        "policy_cost": basis["facts"].get("policy_cost", 0.0) * _rate(basis, values, "cost.rate_office"),
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


def _rate(basis: Basis, values: Mapping[str, float], name: str) -> float:
    """Return by what a rate differs from the run's."""
    at: float = basis["at"][name]
    return values[name] / at if at else 1.0


def _pays(basis: Basis, values: Mapping[str, float], rescue: Range) -> dict[str, float]:
    """For how many customers a call pays at the low, base and high rescue chance, and if everyone would stay."""
    factor = share_factor(basis, values)
    if not basis.get("retention") or factor <= 0:
        return {}
    table = _table(basis["retention"])
    names = ("low", "base", "high", "certain")
    stretch = _stretch(basis, values, table, "retention")
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
        keeping: tuple[dict[str, Any], Floats] = _table(None), np.zeros(0)
        total = 0.0
        for line, line_name in (("retention", "retention"), ("own_calls", "own_calls")):
            table = _table(basis.get(line))
            if not len(table["calls"]):
                continue
            stretch = _life(table) if name == "life" else _stretch(basis, values, table, line_name, years)
            effect = _effect(basis, values, line_name)
            share = above(effect * stretch * table["upper"], effect * stretch * table["lower"], contact_cost(values))
            if line == "retention":
                keeping = table, share
            else:
                share = share * (1 - _called_of(table["group"], *keeping))
            total += float((share * table["calls"]).sum())
        counts[f"calls_pay_{name}_count"] = float(round(total))
    counts["calls_pay_life_count"] = max(counts["calls_pay_life_count"], counts["calls_pay_3_count"])
    return counts


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
        table = _table(basis.get(name))
        if not len(table["calls"]):
            continue
        middle = _stretch(basis, values, table, name) * (table["upper"] + table["lower"]) / 2
        most = float(middle.max()) * (share_factor(basis, values) if name == "retention" else 1.0)
        if most > 0:
            out[key] = cost / most
        best = max(best, _effect(basis, values, name) * float(middle.max()))
    return {**out, "first_call_cost": best}
