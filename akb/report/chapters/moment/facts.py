"""The right moment: customers at risk. Predicted; what was measured on later data stands beside
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from akb.core.privacy.disclosure import few
from akb.core.typed import made
from akb.describe import relations
from akb.report.chapters.levels import TopTenth, corrected, correction, proof
from akb.report.chapters.listed import first_rows, left_out
from akb.report.context import group_sum
from akb.report.formats import short_code
from akb.report.typed import Facts
from akb.value.types import PairCustomer

if TYPE_CHECKING:
    from akb.report.context import Context, Row

HORIZONS = (1, 3, 6, 12)
BANDS = ((0.0, 0.05), (0.05, 0.075), (0.075, 0.10), (0.10, 0.20), (0.20, 1.0))
CAUSES = ("natural", "insurer", "preventable")


@dataclass(frozen=True)
class Horizon:
    """Expected leavers within a horizon."""

    months: int
    expected: float
    modelled: float
    certain: float
    correction: float | None
    low: float | None
    high: float | None
    share: float
    grade: str


@dataclass(frozen=True)
class CauseExpected:
    """Expected leavers by cause."""

    cause: str
    expected: float


@dataclass(frozen=True)
class RiskBand:
    """Customers in a band of risk."""

    lower: float
    upper: float
    customers: int | None
    share: float | None
    expected: float | None
    share_expected: float | None
    mean: float | None
    commission_cents: int | None
    suppressed: bool


@dataclass(frozen=True)
class DefendRow:
    """A customer of the list Top Defend."""

    rank: int | None
    customer: str
    kind: str
    office: str | None
    policies: int | None
    commission_cents: int | None
    churn_3m: float | None
    churn_12m: float | None
    churn_preventable_12m: float | None
    clv: float | None
    value_at_stake: float | None
    expected_saving: float | None
    best_contact: str | None
    contact: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Defend:
    """The list Top Defend."""

    customers: int
    planned: int | None
    planned_few: bool
    expected: float | None
    share: float | None
    share_all: float | None
    left_out: Mapping[str, int | None]
    rows: tuple[DefendRow, ...]


@dataclass(frozen=True)
class PairRow(PairCustomer):
    """One of two customers beside each other, and what may be lost of him: chance x value."""

    at_risk: int


@dataclass(frozen=True)
class RiskFacts(Facts):
    """Who is at risk, and when."""

    KEY: ClassVar[str] = "risk"

    announced: int | None
    announced_suppressed: bool
    horizons: tuple[Horizon, ...]
    order: str
    order_words: str
    withheld: str | None
    causes: tuple[CauseExpected, ...]
    bands: tuple[RiskBand, ...]
    proof: TopTenth | None
    defend: Defend | None
    pair: tuple[PairRow, ...] | None
    missing: tuple[str, ...]


def facts(context: Context) -> RiskFacts:
    """Return expected leavers per horizon and cause, bands, announced ends, the proof and the first
    of the list.
    """
    announced = relations.announced(context.bundle.portfolio, context.relations)
    announced = announced.join(context.customers.select("customer"), on="customer", how="semi")
    known = announced.height
    horizons = [row for months in HORIZONS if (row := _horizon(context, months)) is not None]
    shown = context.shown(*(f"churn_{months}m" for months in reversed(HORIZONS)))
    missing = [] if horizons else ["churn"]
    given = {
        "announced": None if 0 < known < context.limit else known,
        "announced_suppressed": 0 < known < context.limit,
        "horizons": horizons,
        "order": shown.order,
        "order_words": shown.order_words(),
        "withheld": context.withheld.get("top_defend"),
        "causes": _causes(context, horizons),
        "bands": _bands(context, horizons),
        "proof": proof(context, [f"churn_{months}m" for months in reversed(HORIZONS)]),
        "defend": _defend(context, horizons),
        "pair": _pair(context),
        "missing": missing,
    }
    return made(RiskFacts, given)


def _horizon(context: Context, months: int) -> Row | None:
    chance = context.score(f"churn_{months}m")
    if chance is None:
        return None
    prediction = context.bundle.predictions.get(f"churn_{months}m")
    modelled = float(np.nansum(chance))
    certain = float(
        (chance >= 1.0).sum()
    )  # only an announced end is, and it comes whatever the level of the others is
    expected, low, high = corrected(modelled, prediction, float(chance.size), certain)
    return {
        "months": months,
        "expected": expected,
        "modelled": modelled,
        "certain": certain,
        "correction": correction(prediction),
        "low": low,
        "high": high,
        "share": expected / chance.size,
        "grade": prediction.grade if prediction else "none",
    }


def _causes(context: Context, horizons: list[Row]) -> list[Row]:
    """Return the expected leavers by cause, which add up to those of the year: corrected as they
    are.
    """
    ratio, certain = _corrected_by(context, horizons)
    rows: list[Row] = []
    for cause in CAUSES:
        chance = context.score(f"churn_{cause}_12m")
        if chance is not None:
            expected = float(np.nansum(chance[certain])) + ratio * float(
                np.nansum(chance[~certain])
            )
            rows.append({"cause": cause, "expected": expected})
    return rows


def _corrected_by(
    context: Context, horizons: list[Row]
) -> tuple[float, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return by what a year's chances are corrected, and whose end is announced and therefore is
    not.
    """
    year = next((row for row in horizons if row["months"] == HORIZONS[-1]), None)
    whole = context.score(f"churn_{HORIZONS[-1]}m")
    certain = np.zeros(len(context.customers), dtype=bool) if whole is None else whole >= 1.0
    left = year["modelled"] - year["certain"] if year else 0.0
    return (year["expected"] - year["certain"]) / left if year and left > 0 else 1.0, certain


def _bands(context: Context, horizons: list[Row]) -> list[Row]:
    chance = context.score("churn_12m")
    if chance is None:
        return []
    ratio, certain = _corrected_by(context, horizons)
    known = (
        ~np.isnan(chance) & ~certain
    )  # who is leaving already is no risk that anybody can still attend to
    if not known.any():
        return []
    place = np.searchsorted([lower for lower, _ in BANDS[1:]], chance[known], side="right")
    customers = np.bincount(place, minlength=len(BANDS))
    modelled = group_sum(chance[known], place, len(BANDS))
    expected = group_sum(ratio * chance[known], place, len(BANDS))
    cents = context.customers["commission_cents"].to_numpy()[known]
    total = sum(expected)
    rows = [
        {
            "lower": lower,
            "upper": upper,
            "customers": int(customers[i]),
            "share": int(customers[i]) / int(known.sum()),
            "expected": expected[i],
            "share_expected": expected[i] / total if total else None,
            "mean": modelled[i] / int(customers[i]) if customers[i] else None,
            "commission_cents": int(cents[place == i].sum()) if context.has_commission else None,
        }
        for i, (lower, upper) in enumerate(BANDS)
    ]
    return context.suppressed(rows, keep=("lower", "upper"), parts=True)


def _defend(context: Context, horizons: list[Row]) -> dict[str, Any] | None:
    """Return the Top Defend list: its size, what is expected of it, and its first rows by
    pseudonym.
    """
    value = context.bundle.value
    listed = value.lists.get("top_defend") if value else None
    if value is None or listed is None or listed.is_empty():
        return None
    ratio, certain = _corrected_by(context, horizons)
    modelled = context.score("churn_12m")
    chance = None if modelled is None else np.where(certain, modelled, ratio * modelled)
    order = context.customers["customer"].to_numpy()
    on_list = np.isin(order, listed["customer"].to_numpy())
    rows = first_rows(context, listed)
    planned = int(listed["contact"].sum()) if "contact" in listed.columns else None
    return {
        "customers": listed.height,
        "planned": None if planned is None else few(planned, context.limit),
        "planned_few": planned is not None and 0 < planned < context.limit,
        "expected": float(np.nansum(chance[on_list])) if chance is not None else None,
        "share": float(np.nanmean(chance[on_list]))
        if chance is not None and on_list.any()
        else None,
        "share_all": float(np.nanmean(chance)) if chance is not None else None,
        "left_out": left_out(context, value.left_out.get("top_defend", {})),
        "rows": rows,
    }


def _pair(context: Context) -> list[PairRow] | None:
    """Return the two customers that the value room sets side by side, if the second has more to
    keep right now.
    """
    pair = context.bundle.value.figures.pair if context.bundle.value else None
    if pair is None:
        return None
    rows = [
        PairRow(
            **{**vars(row), "customer": short_code(row.customer)},
            at_risk=round(row.churn_12m * row.value_at_stake),
        )
        for row in (pair.high_commission, pair.high_stake)
    ]
    return rows if rows[1].at_risk > rows[0].at_risk else None


FACTS = (facts,)
