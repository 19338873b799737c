"""What the page works the case out on: rows that stand for the customers, the ladder, the register
and its draws, as JSON.

A row carries no name, code, age, branch or office. Where the customers do not fit, rows are means
over who is alike, a plan on them is an estimate, and ``akb case`` on the run itself is exact."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.config.contacts import NUMBERS
from akb.value.case.basis import LINES, YEAR, spread_over_year
from akb.value.case.cash import YEARS
from akb.value.case.page.bins import bins_of
from akb.value.case.page.rows import MONTHS, RATES, encoded, packed, page_rows, unpacked
from akb.value.case.sensitivity import DRAWS, positions
from akb.value.targeting.eligibility import kept_for_care
from akb.value.targeting.team import POOLS, with_usual_hours

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from akb.value.case.basis import Cohort
    from akb.value.case.sensitivity import Draws
    from akb.value.in_force import Floats
    from akb.value.targeting.planning.plan import ContactPlan
    from akb.value.valuation import Valuation

SCHEMA = "akb.case_basis/4"
STEPS = 1 << 16
CELLS = 512
"""Over how many equally large parts of the book an effect on purchases is averaged."""
ASSUMPTIONS = (
    *(f"capacity.hours_per_year_{pool}" for pool in POOLS),
    *(f"cost.rate_{rate}" for rate in RATES),
    "price.per_customer",
    "price.eda",
    "price.self_hours",
    "lists.ageing",
    "planning.secondary_share",
    "planning.repeat_share",
)
"""What can be changed in the page beside the ladder's own numbers."""
_TYPE = ("pool", "branches", "consent", "per_year", "reach", "otherwise")


@dataclass(frozen=True)
class LikelyCells:
    """The highest chances of the whole book, averaged over equal parts of it: see
    `akb.value.targeting.planning.prospects.Prospects.likely`.
    """

    weight: Floats
    likely: Floats


@dataclass(frozen=True)
class RowsOfPage:
    """The rows of the page as it gets them, which wait for no figure of the case.

    Parameters
    ----------
    count
        Rows.
    exact
        Whether everybody has a row of his own.
    columns
        See `rows.encoded`.
    """

    count: int
    exact: bool
    columns: Mapping[str, str]


def rows_of_page(valued: Valuation) -> RowsOfPage | None:
    """Return the rows of the page; None without a plan."""
    plan = valued.plan
    if plan is None:
        return None
    bins = bins_of(plan)
    return RowsOfPage(len(bins.first), bins.exact, encoded(page_rows(valued, plan, bins)))


def page_basis(valued: Valuation, draws: Draws, rows: RowsOfPage | None = None) -> dict[str, Any]:
    """Return what the page works on.

    Parameters
    ----------
    rows
        See `rows_of_page`; None: they are worked out here.

    Returns
    -------
    dict
        ``schema``; ``customers`` in force; ``count`` rows, ``exact`` (a row each) and ``rows``
        (column -> base64 of float32, see `rows.PageRows`); ``likely`` (`LikelyCells`: place ->
        base64, ``weight``); ``pools`` {pool: {``usual``: minutes that an hour of the register
        gives, ``own``: minutes of who has hours of his own}}; ``policy_cost``: cents a year that
        serving a new policy costs for every euro of the hour of inside staff; ``profile``: line ->
        base64 of the months' parts of the calendar years; ``levels``; ``ladder``; ``register``
        (name -> ``value``, ``low``, ``high``, ``least`` and ``most`` as shipped, ``kind``);
        ``draws``: assumption or ``level.LINE`` -> base64 of 1,000 uint16 positions in its range.
    """
    plan = valued.plan
    rows = rows_of_page(valued) if rows is None else rows
    if plan is None or rows is None:
        return {}
    rate = valued.in_force.value("cost.rate_office")
    return {
        "schema": SCHEMA,
        "customers": valued.in_force.n,
        "count": rows.count,
        "exact": rows.exact,
        "rows": dict(rows.columns),
        "likely": _likely(plan),
        "pools": _pools(valued),
        "policy_cost": valued.offers.policy_cost / rate if rate > 0 else 0.0,
        "profile": _profile(draws.basis.cohort),
        "levels": {
            line: [round(each, 9) for each in (span.low, span.base, span.high)]
            for line, span in draws.basis.levels.items()
        },
        "ladder": {
            key: {name: getattr(contact, name) for name in _TYPE}
            | {"purposes": list(contact.purposes)}
            for key, contact in plan.planning.ladder.items()
        },
        "register": _register(valued, plan),
        "draws": {name: _places(each) for name, each in _positions(plan, draws).items()},
        "draw_count": DRAWS,
    }


def likely_cells(block: Mapping[str, Any]) -> LikelyCells:
    """Return what `page_basis` told of the whole book's chances."""
    cells = block["likely"]
    return LikelyCells(
        np.array(cells["weight"], dtype=np.float64),
        np.stack([unpacked(place) for place in cells["places"]], axis=1),
    )


def _likely(plan: ContactPlan) -> dict[str, Any]:
    """Return equal parts of everybody who can buy: each place by itself, the likeliest first."""
    likely = plan.prospects.likely
    likely = likely[likely[:, 0] > 0]
    ordered = -np.sort(-likely, axis=0)
    parts = [each for each in np.array_split(ordered, CELLS) if len(each)]
    means = np.array([each.mean(axis=0) for each in parts]).reshape(len(parts), likely.shape[1])
    return {
        "weight": [len(each) for each in parts],
        "places": [packed(means[:, place]) for place in range(likely.shape[1])],
    }


def _pools(valued: Valuation) -> dict[str, dict[str, float]]:
    eligible, in_force = valued.eligibility, valued.in_force
    usual = len(with_usual_hours(in_force, eligible.advisers))
    left = 1 - kept_for_care()
    names = set(in_force.settings.team)
    own = {
        pool: sum(
            who.minutes for who in eligible.workers if who.level == pool and who.name in names
        )
        for pool in POOLS
    }
    return {pool: {"usual": 60 * left * usual, "own": left * own[pool]} for pool in POOLS}


def _profile(cohort: Cohort) -> dict[str, str]:
    """Return which part of a calendar year's euros comes in each of its months, as the run has
    it.
    """
    out = {}
    for line in LINES:
        months = spread_over_year(cohort.flows[line])
        years = np.pad(months, (0, max(0, MONTHS - len(months))))[:MONTHS].reshape(YEARS, YEAR)
        whole = years.sum(axis=1, keepdims=True)
        even = np.full(years.shape, 1 / YEAR)
        out[line] = packed(np.divide(years, whole, out=even, where=whole != 0).ravel())
    return out


def _register(valued: Valuation, plan: ContactPlan) -> dict[str, dict[str, Any]]:
    settings = valued.in_force.settings
    shipped = settings.model_copy(update={"assumptions": {}}).assumed()
    out = {}
    for name in (*ASSUMPTIONS, *_ladder_names(plan.planning.ladder)):
        entry, usual = valued.in_force.assumed[name], shipped[name]
        out[name] = {
            "value": entry.value,
            "low": entry.low,
            "high": entry.high,
            "least": usual.low,
            "most": usual.high,
            "kind": entry.kind,
        }
    return out


def _ladder_names(ladder: Iterable[str]) -> list[str]:
    return [f"contacts.{key}.{name}" for key in ladder for name, _ in NUMBERS.values()]


def _positions(plan: ContactPlan, draws: Draws) -> dict[str, Floats]:
    """Return the draws of everything that may be drawn, also of contact types that are not used."""
    names = [
        *(name for name in _ladder_names(plan.planning.ladder) if _drawn(name)),
        *(f"cost.rate_{rate}" for rate in RATES),
        "price.per_customer",
        *(f"level.{line}" for line in LINES),
    ]
    effects = frozenset(name for name in names if ".effect_" in name)
    return positions(names, effects, draws.basis.value("case.correlation"), draws.seed)


def _drawn(name: str) -> bool:
    return ".effect_" in name or name.endswith((".minutes", ".cost"))


def _places(position: Floats) -> str:
    """Return positions in (0, 1) as whole steps."""
    places = np.floor(STEPS * position).clip(0, STEPS - 1)
    return b64encode(places.astype("<u2").tobytes()).decode()
