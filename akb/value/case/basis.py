"""What the business case is computed on: a basis and assumptions. Pure, and without a customer's data.

A basis (``case_basis`` in summary.json) holds what does not depend on the assumptions that people argue about:
customers binned along the order of Top Defend (chance x value at stake, which knows no rescue chance and no price of a
call), and offers along the worth of a call. The run, ``akb case`` and the page all compute on it, so they agree to
the cent: `plan` decides who is called, `benefits` what that brings and costs, `results` tells the whole case.

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

from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.case.ledger import call_years

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Basis = Mapping[str, Any]

SCHEMA = "akb.case_basis/2"
MILLI = 1000
MICRO = 1_000_000
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


def table_of(table: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a table of the basis as columns of floats, (bins,) each; every column without bins where it has none."""
    if not table:
        names = ("group", "upper", "lower", "calls", *SUMS, *TALKS, *SOLD)
        return {name: np.zeros(0) for name in names}
    return {name: np.array(column, dtype=np.float64) for name, column in table.items() if name != "interval"}


def share_factor(basis: Basis, values: Mapping[str, Any]) -> Any:
    """Return by what the chances change where the preventable share itself is an assumption; else 1."""
    at = basis["at"]["retention.preventable_share"]
    return 1.0 if basis["split"] or at <= 0 else values["retention.preventable_share"] / at


def rate_factor(basis: Basis, values: Mapping[str, Any], name: str) -> Any:
    """Return by what a rate (`name`) differs from the run's; 1 where the run's was zero."""
    at = basis["at"][name]
    return values[name] / at if at else 1.0


def effect_of(basis: Basis, values: Mapping[str, float], name: str) -> float:
    """Return the rescue chance, as far as it changes with the preventable share, or the uplift: `name` is a table."""
    if name == "own_calls":
        return values["cross_sell.uplift"]
    return float(values["retention.rescue"] * share_factor(basis, values))


def stretches(
    basis: Basis, values: Mapping[str, float], table: Mapping[str, Any], name: str, years: float | None = None
) -> Floats:
    """Return by what the earnings of every bin differ from the run's: other service costs, other payback years.

    Parameters
    ----------
    table, name
        As `table_of` gives it, and which of both it is: ``retention`` or ``own_calls``.
    years
        Payback years; None takes those of `values`.

    Returns
    -------
    Floats
        (bins,): earnings now over earnings in the run; zero where the run earned nothing.
    """
    at = basis["at"]
    first = FIRST["retention" if name == "retention" else "cross_sell"]
    parts = RATES if name == "retention" else {"served": "cost.rate_office"}
    now = then = table["commission"]
    for part, rate in parts.items():
        then = then - table[part]
        now = now - table[part] * rate_factor(basis, values, rate)
    weight = then if name == "own_calls" else table["weight"]
    stays = np.divide(table["alive"], weight, out=np.zeros(len(then)), where=weight > 0)
    before = call_years(stays, at["value.payback_years"], at[first])
    after = call_years(stays, values["value.payback_years"] if years is None else years, values[first])
    factors: Floats = np.divide(now * after, then * before, out=np.zeros(len(then)), where=then * before > 0)
    return factors
