"""What the calls of a plan bring and cost: the lines of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.value.case.basis import MILLI, RATES, rate_factor, share_factor
from akb.value.types import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.value.case.basis import Basis, Range
    from akb.value.case.plan import Plan


def kept_margin(basis: Basis, made: Plan, values: Mapping[str, Any]) -> Any:
    """Return what the called customers bring after service, if everyone who would leave stayed; thousandths."""
    served = 0.0
    for part, name in RATES.items():
        served = served + made.kept[part] * rate_factor(basis, values, name)
    return share_factor(basis, values) * (made.kept["commission"] - served)


def sold_margin(basis: Basis, made: Plan, values: Mapping[str, Any]) -> Any:
    """Return what the policies of the called customers would bring in a year after service at uplift 1; thousandths."""
    return made.sold["commission"] - made.sold["served"] * rate_factor(basis, values, "cost.rate_office")


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


def scaled_cents(factor: float, milli: float) -> int:
    """Return ``factor x milli`` in whole cents: the only rounding between a list and its line in the ledger."""
    return round(factor * milli / MILLI)
