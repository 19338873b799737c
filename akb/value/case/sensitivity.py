"""What the business case depends on: all assumptions at once, one at a time, the turning point of each, and claims.

The calls stay those of the list as it was made: what turns out differently is what they bring. Only assumptions that
decide how many are called (hours, control group) change the calls with them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.value.case.basis import EFFECTS, FIRST, MILLI, PLAN, share_factor
from akb.value.case.benefits import net_of, stay_share
from akb.value.case.ledger import year_factors
from akb.value.case.plan import plan
from akb.value.case.results import work_out
from akb.value.targeting.hours import minutes_available

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from akb.value.case.basis import Basis, Range
    from akb.value.case.plan import Plan

    Floats = NDArray[np.float64]

DRAWS = 1000
STEPS = 10_000
LEVELS = ("level.retention", "level.cross_sell")
CLAIMS = ("claim.low", "claim.mid", "claim.high")
_BAND = (0.05, 0.5, 0.95)
_SHARES = ("kans", "deel")


def drawn(seed: int, draws: int = DRAWS) -> dict[str, list[int]]:
    """Return seeded draws per assumption, 0..9999: positions in its range, kept so that a band can be made again."""
    return {
        name: np.random.default_rng([seed, 0xCA5E, place]).integers(0, STEPS, draws).tolist()
        for place, name in enumerate((*EFFECTS, *LEVELS))
    }


def triangular(position: Floats, low: float, mode: float, high: float) -> Floats:
    """Return values of a triangular distribution at positions in (0, 1); a point where there is no range."""
    if high <= low:
        return np.full(len(position), mode)
    turn = (mode - low) / (high - low)
    down = low + np.sqrt(position * (high - low) * (mode - low))
    up = high - np.sqrt((1 - position) * (high - low) * (high - mode))
    return np.where(position < turn, down, up)


def band(basis: Basis, ranges: Mapping[str, Range]) -> dict[str, Any]:
    """Return the *gevoeligheidsband*: 5, 50 and 95 % of the results when every assumption is drawn from its range.

    Never a confidence interval: nobody measured the ranges.

    Returns
    -------
    ``draws``, ``below_zero`` (share of draws with a net loss at run rate), ``net``, ``year1``, ``three_years`` (each
    low, base, high, cents).
    """
    values = {name: three[1] for name, three in ranges.items()}
    made = plan(basis, values)
    level: dict[str, Floats] = {}
    varied: dict[str, Any] = dict(values)
    for name, positions in basis["draws"].items():
        at = (np.array(positions, dtype=np.float64) + 0.5) / STEPS
        if name in LEVELS:
            line = name.removeprefix("level.")
            table = basis.get("retention" if line == "retention" else "own_calls")
            down, up = table["interval"] if table else (1.0, 1.0)
            level[line] = triangular(at, down, 1.0, up)
        else:
            varied[name] = triangular(at, *ranges[name])
    retention, cross_sell, licence, hours = net_of(basis, made, varied, level)
    costs = licence + hours
    benefits = {"retention": retention, "cross_sell": cross_sell}
    stays, eda = stay_share(made), 100 * values["price.eda"]
    years = np.zeros((3, len(at)))
    for line, cents in benefits.items():
        if line in basis["lines"]:
            years += np.outer(year_factors(values[FIRST[line]], stays), cents)
    net = sum(cents for line, cents in benefits.items() if line in basis["lines"]) - costs
    return {
        "draws": len(at),
        "below_zero": float((net < 0).mean()),
        "net": _band(net),
        "year1": _band(years[0] - costs - eda),
        "three_years": _band(years.sum(axis=0) - 3 * costs - eda),
    }


def _band(amounts: Floats) -> tuple[int, int, int]:
    ordered = np.sort(amounts)
    low, base, high = (round(float(ordered[round(share * (len(ordered) - 1))])) for share in _BAND)
    return low, base, high


def tornado(basis: Basis, ranges: Mapping[str, Range]) -> tuple[dict[str, Any], ...]:
    """Return per assumption the net at its low and its high end, all others at their base; widest first."""
    rows = []
    for name in (*EFFECTS, *PLAN):
        low, mid, high = ranges[name]
        ends = [net_at(basis, ranges, name, end) for end in (low, high)]
        if ends[0] != ends[1]:
            rows.append({"key": name, "from": low, "at": mid, "to": high, "low": ends[0], "high": ends[1]})
    return tuple(sorted(rows, key=lambda row: (-abs(row["high"] - row["low"]), row["key"])))


def net_at(basis: Basis, ranges: Mapping[str, Range], name: str, value: float) -> int:
    """Return the net at run rate, cents, with one assumption at another value."""
    values = {key: three[1] for key, three in ranges.items()}
    changed = {**values, name: value}
    made = plan(basis, changed if name in PLAN else values)
    return _net(basis, made, changed)


def _net(basis: Basis, made: Plan, values: Mapping[str, float]) -> int:
    retention, cross_sell, licence, hours = net_of(basis, made, values)
    lines: dict[str, float] = {"retention": retention, "cross_sell": cross_sell}
    gained: int = sum(round(lines[line]) for line in basis["lines"])
    spent: int = round(licence) + round(hours)
    return gained - spent


def break_even(basis: Basis, ranges: Mapping[str, Range], units: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """Return per assumption the value at which the case comes out at zero, all others at their base.

    Looked for between 0 and 1 for shares and chances, else between 0 and ten times the high end of the range.

    Returns
    -------
    Rows of ``key``, ``at`` (today), ``value`` (the net at run rate is zero with the calls as they are) and
    ``three_years`` (the net of three years is zero when who is called follows); None where there is no such value.
    """
    rows = []
    for name in (*EFFECTS, *PLAN):
        top = 1.0 if units.get(name, "").startswith(_SHARES) else 10 * max(ranges[name][2], 1e-9)
        least = 1e-6 if name == "capacity.customers_per_adviser" else 0.0
        ends = [net_at(basis, ranges, name, end) for end in (least, top)]
        found = _turning(partial(net_at, basis, ranges, name), least, top)
        later = _turning(partial(three_years_at, basis, ranges, name), least, top)
        if ends[0] != ends[1] or later is not None:
            rows.append({"key": name, "at": ranges[name][1], "value": found, "three_years": later})
    return tuple(rows)


def _turning(net: Callable[[float], float], least: float, top: float) -> float | None:
    """Return where `net` changes sign between its ends; None where both have the same."""
    from scipy.optimize import brentq

    ends = [net(end) for end in (least, top)]
    if ends[0] == ends[1] or (ends[0] <= 0) == (ends[1] <= 0):
        return None
    return float(brentq(net, least, top, xtol=1e-6))


def three_years_at(basis: Basis, ranges: Mapping[str, Range], name: str, value: float) -> float:
    """Return the net of three years, cents, with one assumption at another value and the calls that follow from it."""
    values = {key: three[1] for key, three in ranges.items()} | {name: value}
    made = plan(basis, values)
    retention, cross_sell, licence, hours = net_of(basis, made, values)
    earned = {"retention": retention, "cross_sell": cross_sell}
    stays = stay_share(made)
    gained = sum(
        cents * sum(year_factors(values[FIRST[line]], stays))
        for line, cents in earned.items()
        if line in basis["lines"]
    )
    return float(gained - 3 * (licence + hours) - 100 * values["price.eda"])


def claims(basis: Basis, ranges: Mapping[str, Range]) -> tuple[dict[str, Any], ...]:
    """Return what vendors promise, and what it takes to get there with these customers.

    A claim is a share of all commission that leaves within a year. ``rescue``: the rescue chance it implies among the
    customers that are called, above 1 where it cannot be reached with these calls. ``calls``, ``hours``: how many calls
    would be needed at the assumed rescue chance; None where calling everybody would not be enough.
    """
    if not basis.get("retention"):
        return ()
    values = {name: three[1] for name, three in ranges.items()}
    made = plan(basis, values)
    factor = share_factor(basis, values)
    reached = factor * made.kept["commission"] / MILLI
    sums = np.cumsum(np.array(basis["retention"]["commission"], dtype=np.float64)) * factor / MILLI
    calls = np.cumsum(np.array(basis["retention"]["calls"], dtype=np.float64))
    rows = []
    for name in CLAIMS:
        promised = values[name] * basis["churn_commission"]
        needed = promised / values["retention.rescue"] if values["retention.rescue"] > 0 else float("inf")
        number = None
        if len(sums) and needed <= sums[-1]:
            number = round(float(np.interp(needed, [0.0, *sums], [0.0, *calls])))
        rows.append(
            {
                "key": name,
                "share": values[name],
                "promised": round(promised),
                "rescue": promised / reached if reached > 0 else None,
                "calls": number,
                "hours": None if number is None else number * values["contact.minutes"] / 60,
                "hours_available": minutes_available(basis, values) / 60,
            }
        )
    return tuple(rows)


def whole_case(basis: Basis, ranges: Mapping[str, Range], units: Mapping[str, str]) -> dict[str, Any]:
    """Return every figure of the business case: `work_out`, the band, the tornado, turning points and claims."""
    return {
        **work_out(basis, ranges),
        "band": band(basis, ranges),
        "tornado": tornado(basis, ranges),
        "break_even": break_even(basis, ranges, units),
        "claims": claims(basis, ranges),
    }
