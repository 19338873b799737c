"""The columns of the page's rows: what the planner chooses from, what an hour's price does to it,
and when its euros come in."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.value.case.basis import LINES, YEAR, spread_over_year
from akb.value.case.cash import YEARS
from akb.value.case.page.bins import CONSENTS, Bins, binned
from akb.value.lifetime.clv import stay_and_leave
from akb.value.lifetime.flows import (
    margin_months,
    policy_months,
    purchase_months,
    relation_months,
)
from akb.value.lifetime.present import present_factors
from akb.value.lifetime.purchases import stock
from akb.value.targeting.planning.prospects import CANDIDATES, Prospects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from akb.value.in_force import Floats, Rows
    from akb.value.lifetime.survival import Relations
    from akb.value.targeting.planning.plan import ContactPlan
    from akb.value.valuation import Valuation

RATES = ("office", "adviser")
MONTHS = YEARS * YEAR
_NUMBERS = ("weight", "relation", "policy", "leaving", "lost", "inbound_rate")
_FLAGS = ("wakeable", "repeated", *CONSENTS)


@dataclass(frozen=True)
class PageRows:
    """Rows of the page, with what other rates of an hour and other years need.

    Parameters
    ----------
    could
        What the planner chooses from.
    slopes
        ``relation_office``, ``relation_adviser``, ``policy_office`` -> (b,): cents that the column
        rises by for a euro an hour more; serving customers becomes dearer, so they are below zero.
    years
        (b,): discounted years that a purchase pays: serving it takes time as well.
    cash
        Line -> (b, years + 1): what ``relation`` and ``policy`` bring in the five calendar years
        from X if contacts are spread over the first, and over their whole life, cents; of
        ``purchase`` the same of a cent of worth.
    """

    could: Prospects
    slopes: Mapping[str, Floats]
    years: Floats
    cash: Mapping[str, Floats]


def page_rows(valued: Valuation, plan: ContactPlan, bins: Bins) -> PageRows:
    """Return the rows of a run."""
    return PageRows(
        could=binned(plan, bins),
        slopes={name: bins.mean(slope) for name, slope in _slopes(valued, plan).items()},
        years=_years(valued, plan, bins),
        cash=_cash(valued, plan, bins),
    )


def encoded(rows: PageRows) -> dict[str, str]:
    """Return column -> base64 of its little-endian float32."""
    could = rows.could
    flags = {**could.reachable, "wakeable": could.wakeable, "repeated": could.repeated}
    bits = sum(flags[name].astype(np.int64) << place for place, name in enumerate(_FLAGS))
    columns = {name: getattr(could, name) for name in _NUMBERS}
    columns |= {"flags": np.asarray(bits, dtype=np.float64), **rows.slopes, "years": rows.years}
    for place in range(CANDIDATES):
        columns |= {
            f"chance_{place + 1}": could.chance[:, place],
            f"worth_{place + 1}": could.worth[:, place],
        }
    for line, cash in rows.cash.items():
        columns |= {f"{line}_{year + 1}": cash[:, year] for year in range(YEARS + 1)}
    return {name: packed(column) for name, column in columns.items()}


def decoded(columns: Mapping[str, str]) -> PageRows:
    """Return the rows that were `encoded`."""
    found = {name: unpacked(text) for name, text in columns.items()}
    bits = found["flags"].astype(np.int64)
    flags = {name: (bits >> place & 1).astype(np.bool_) for place, name in enumerate(_FLAGS)}

    def wide(name: str, many: int) -> Floats:
        return np.stack([found[f"{name}_{place + 1}"] for place in range(many)], axis=1)

    worth = wide("worth", CANDIDATES)
    chance = wide("chance", CANDIDATES)
    given: dict[str, Any] = {name: found[name] for name in _NUMBERS}
    could = Prospects(
        chance=chance,
        worth=worth,
        branch=np.where(worth > 0, 0, -1),
        likely=chance,
        eligible=np.ones(len(worth), dtype=np.bool_),
        control=np.zeros(len(worth), dtype=np.bool_),
        wakeable=flags["wakeable"],
        reachable={name: flags[name] for name in CONSENTS},
        repeated=flags["repeated"],
        **given,
    )
    slopes = {name: found[name] for name in found if name.endswith(RATES)}
    cash = {line: wide(line, YEARS + 1) for line in LINES}
    return PageRows(could, slopes, found["years"], cash)


def packed(column: Floats) -> str:
    """Return numbers as base64 of little-endian float32."""
    return b64encode(column.astype("<f4").tobytes()).decode()


def unpacked(text: str) -> Floats:
    """Return the numbers that were `packed`."""
    return np.frombuffer(b64decode(text), dtype="<f4").astype(np.float64)


def _slopes(valued: Valuation, plan: ContactPlan) -> dict[str, Floats]:
    """Return per customer by how much a stake rises for a euro an hour more, cents.

    What serving costs is minutes times a rate, so that a stake is a straight line in both rates."""
    in_force, cost = valued.in_force, valued.cost
    out = {
        name: np.zeros(in_force.n)
        for name in ("relation_office", "relation_adviser", "policy_office")
    }
    rate = {name: in_force.value(f"cost.rate_{name}") for name in RATES}
    survival, flows, value = valued.survival, valued.flows, valued.value
    if survival is None or flows is None or value is None:
        return out
    with np.errstate(divide="ignore", invalid="ignore"):
        dearer = {"office": _served(valued), "adviser": repeat(cost.parts["talks"] / YEAR)}
    for name, stream in dearer.items():
        if rate[name] > 0:
            more = _stake_of(valued, survival, stream) / rate[name]
            out[f"relation_{name}"] = -np.where(
                plan.prospects.relation != 0, plan.prospects.leaving * more, 0.0
            )
    if valued.policies is not None and rate["office"] > 0:
        out["policy_office"] = np.where(
            plan.prospects.policy != 0, -_policy_cost(valued) / rate["office"], 0.0
        )
    return out


def _stake_of(valued: Valuation, survival: Relations, stream: Iterable[Floats]) -> Floats:
    """Return what a monthly stream, (n,) at a time, puts at stake: see
    `akb.value.lifetime.clv.lifetime`.
    """
    in_force, timing = valued.in_force, valued.in_force.value("value.timing")
    factors = present_factors(in_force, survival.months).tolist()
    leaving = survival.leaving_at(timing)
    total, early = np.zeros(in_force.n), np.zeros(in_force.n)
    months = zip(stream, survival.by_month(timing), factors, strict=False)
    for month, (amount, alive, factor) in enumerate(months):
        total += amount * alive * factor
        if month < YEAR:
            early += amount * leaving[:, month] * factor
    stay, leave = stay_and_leave(total, early, survival.preventable)
    return stay - leave


def _served(valued: Valuation) -> Iterator[Floats]:
    """Yield (n,) per month: what the office's time for policies and contacts costs, and for the
    policies that customers buy anyway.
    """
    in_force, offers, flows = valued.in_force, valued.offers, valued.flows
    assert flows is not None
    euros = offers.table.filter(pl.col("commission_cents").is_not_null())
    row, chance = euros["row"].to_numpy(), euros["probability"].to_numpy()
    years = range(max(0, round(in_force.value("cross_sell.years"))))
    bought = [
        offers.policy_cost
        / YEAR
        * np.bincount(row, weights=chance * (1 - chance) ** year, minlength=in_force.n)
        for year in years
    ]
    timing = in_force.value("value.timing")
    left = [stock(year, flows.months, timing, offers.kept) for year in years]
    contacts = valued.cost.parts["contacts"] / YEAR
    for number, month in enumerate(flows.by_month()):
        cost = month.variable + contacts
        for sold, share in zip(bought, left, strict=True):
            cost += sold * share[number]
        yield cost


def _policy_cost(valued: Valuation) -> Floats:
    """Return per customer what serving the policies at stake costs, in the worth of today."""
    in_force, stakes = valued.in_force, valued.policies
    assert stakes is not None
    cost = (
        in_force.held.select(
            "row", "branch", "ends", cents=pl.Series(valued.cost.policy).cast(pl.Float64)
        )
        .filter(pl.col("ends").is_null())
        .group_by("row", pl.col("branch").cast(pl.String))
        .agg(cents=pl.col("cents").sum() / pl.len())
    )
    table = stakes.join(cost, on=["row", "branch"], how="left", maintain_order="left")
    margin, cents = table["margin_cents"].to_numpy(), table["cents"].fill_null(0.0).to_numpy()
    part = np.divide(cents, margin, out=np.zeros(len(margin)), where=margin != 0)
    out: Floats = np.bincount(
        table["row"].to_numpy(), weights=table["expected"].to_numpy() * part, minlength=in_force.n
    ).astype(np.float64)
    return out


def _years(valued: Valuation, plan: ContactPlan, bins: Bins) -> Floats:
    """Return per bin the discounted years that a purchase pays; places count by what a push
    brings."""
    could = plan.prospects
    if valued.survival is None:
        return np.ones(len(bins.first))
    years = _paid(valued, could)
    push = np.where(could.worth > 0, could.chance * (1.0 - could.chance), 0.0)
    whole = push.sum(axis=1)
    own = np.divide((push * years).sum(axis=1), whole, out=np.zeros(len(whole)), where=whole > 0)
    return bins.mean(own, whole)


def _paid(valued: Valuation, could: Prospects) -> Floats:
    """Return the years that a purchase pays, 0 where it is worth nothing."""
    assert valued.paid is not None
    return np.where(could.worth > 0, valued.paid, 0.0)


def calendar(months: int) -> Floats:
    """Return (months, years + 1): what a cent in a month after a contact brings in each of the five
    calendar years, contacts spread over the first, and in all.
    """
    out = np.ones((months, YEARS + 1))
    for month in range(months):
        spread = np.zeros(max(MONTHS, months + YEAR))
        spread[month : month + YEAR + 1] = spread_over_year(np.ones(1))
        out[month, :YEARS] = spread[:MONTHS].reshape(YEARS, YEAR).sum(axis=1)
    return out


def _cash(valued: Valuation, plan: ContactPlan, bins: Bins) -> dict[str, Floats]:
    """Return when the euros of every line come in, see `PageRows`."""
    in_force = valued.in_force
    columns = calendar(YEAR * max(1, round(in_force.value("value.horizon_years"))))
    out = {line: np.zeros((len(bins.first), YEARS + 1)) for line in LINES}
    survival, flows, value = valued.survival, valued.flows, valued.value
    if survival is None:
        out["purchase"] += np.full((1, YEAR), 1 / YEAR) @ columns[YEAR // 2 : YEAR // 2 + YEAR]
        return out
    columns = columns[: survival.months]
    if flows is not None and value is not None:
        margin = margin_months(in_force, flows, valued.offers)
        out["relation"] = bins.mean(_relation_cash(valued, plan, bins.rows, margin, columns))
    if valued.policies is not None:
        rows, lost = valued.policies["row"].to_numpy(), valued.policies["lost"].to_numpy()
        per_customer = np.zeros((in_force.n, YEARS + 1))
        months = policy_months(in_force, survival, valued.policies)
        for month, column in zip(months, columns, strict=True):
            cents = np.bincount(rows, weights=lost * month, minlength=in_force.n)
            _spread(per_customer, cents, column)
        out["policy"] = bins.mean(per_customer)
    chance, worth = plan.prospects.chance[:, :1], plan.prospects.worth[:, :1]
    offered = np.where(worth > 0, chance, np.nan)
    kept = valued.offers.kept
    years = _paid(valued, plan.prospects)[:, :1]
    shape = np.zeros((in_force.n, YEARS + 1))
    months = purchase_months(in_force, survival, kept, offered)
    for month, column in zip(months, columns, strict=True):
        part = np.divide(month, years, out=np.zeros_like(month), where=years > 0)
        _spread(shape, part[:, 0], column)
    push = np.where(worth > 0, chance * (1.0 - chance) * worth, 0.0)[:, 0]
    out["purchase"] = bins.mean(shape, np.repeat(push[:, None], YEARS + 1, axis=1))
    return out


def _spread(brings: Floats, cents: NDArray[Any], column: Floats) -> None:
    """Add what comes in to the years that it comes in: most months of a horizon fall beyond all of
    them but the last.
    """
    for year in np.flatnonzero(column):
        brings[:, year] += cents * column[year]


def _relation_cash(
    valued: Valuation, plan: ContactPlan, rows: Rows, margin: Iterable[Floats], columns: Floats
) -> Floats:
    """Return (n, years + 1): what the relations of these customers bring, each weighed by the
    chance that it would end."""
    survival, value = valued.survival, valued.value
    assert survival is not None
    assert value is not None
    brings = np.zeros((len(rows), columns.shape[1]))
    for month, unit in relation_months(valued.in_force, survival, margin, value, rows=rows):
        _spread(brings, unit, columns[month])
    out = np.zeros((valued.in_force.n, columns.shape[1]))
    out[rows] = plan.prospects.leaving[rows, None] * brings
    return out
