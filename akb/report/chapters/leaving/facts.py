"""Section 3: why customers leave. Counted over closed years; the survival curve comes from the
models.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from akb.core.proportions import interval
from akb.core.relations import covers, in_force
from akb.core.typed import made
from akb.describe import relations
from akb.report.chapters.portfolio.facts import HELD, TENURE
from akb.report.typed import Facts

if TYPE_CHECKING:
    from akb.report.context import Context, Row

REASON_YEARS = 3
SHOWN_YEARS = (1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0)
INTERMEDIARY = "overgang_tussenpersoon"


@dataclass(frozen=True)
class Year:
    """One closed year: the three rates and what they count."""

    from_: date
    to: date
    customers: int | None
    left: int | None
    customer_churn: float | None
    policies: int | None
    lapsed: int | None
    policy_lapse: float | None
    commission_cents: int | None
    commission_lost_cents: int | None
    commission_churn: float | None
    suppressed: bool


@dataclass(frozen=True)
class CauseRow:
    """Leavers by cause."""

    cause: str
    customers: int | None
    share: float | None
    suppressed: bool


@dataclass(frozen=True)
class ReasonRow:
    """Leavers by reason."""

    reason: str | None
    cause: str
    customers: int | None
    share: float | None
    suppressed: bool


@dataclass(frozen=True)
class Gone:
    """Who left over the last closed years."""

    from_: date
    to: date
    customers: int
    causes: tuple[CauseRow, ...]
    reasons: tuple[ReasonRow, ...]
    preventable_share: float | None
    preventable_low: float | None
    preventable_high: float | None


@dataclass(frozen=True)
class RateBand:
    """Leavers in a band [lower, upper)."""

    lower: int
    upper: int | None
    customers: int | None
    left: int | None
    rate: float | None
    suppressed: bool


@dataclass(frozen=True)
class CurvePoint:
    """Who is still a customer after so many years."""

    years: float
    share: float


@dataclass(frozen=True)
class GoneByCause:
    """Who is still there after so many years, and who left by which cause."""

    years: float
    share: float
    natural: float
    insurer: float
    preventable: float
    unknown: float


@dataclass(frozen=True)
class Missed:
    """How far each way of counting was beside what happened."""

    model: float
    sbg: float
    constant: float


@dataclass(frozen=True)
class CohortRow:
    """Expected and real leavers in a band of tenure."""

    lower: float
    upper: float | None
    customers: int | None
    left: int | None
    model: float | None
    sbg: float | None
    constant: float | None
    customers_now: int | None
    years_model: float | None
    years_sbg: float | None
    rate: float | None
    suppressed: bool


@dataclass(frozen=True)
class Cohorts:
    """Expected and real leavers by tenure."""

    test_date: date
    customers: int
    missed: Missed
    rows: tuple[CohortRow, ...]


@dataclass(frozen=True)
class DefinitionRow:
    """Leaving as one definition has it."""

    definition: str
    chosen: bool
    customers: int | None
    left: int | None
    changed: int | None
    customers_now: int | None
    top: int | None
    top_changed: int | None
    rate: float | None
    suppressed: bool


@dataclass(frozen=True)
class Definitions:
    """Leaving under every definition."""

    test_date: date
    rows: tuple[DefinitionRow, ...]


@dataclass(frozen=True)
class ToAnother:
    """Who left through another intermediary."""

    from_: date
    to: date
    customers: int
    share: float


@dataclass(frozen=True)
class LeavingFacts(Facts):
    """Why customers leave, counted over closed years."""

    KEY: ClassVar[str] = "leaving"

    last_year: Year | None
    years: tuple[Year, ...]
    gone: Gone | None
    intermediary: ToAnother | None
    by_tenure: tuple[RateBand, ...]
    by_held: tuple[RateBand, ...]
    curve: tuple[CurvePoint, ...]
    gone_by_cause: tuple[GoneByCause, ...]
    cohorts: Cohorts | None
    indexation: float
    definition: str
    definitions: Definitions | None
    recorded_from: date | None
    history_months: int
    missing: tuple[str, ...]
    held_differs: bool = False


def facts(context: Context) -> LeavingFacts:
    """Return the three rates side by side, per year, by cause and reason, by tenure and holding,
    and the curve.
    """
    portfolio, years = context.bundle.portfolio, context.years
    yearly = [
        relations.year_rates(context.policies, context.relations, first, last).row()
        for first, last in years
    ]
    reasons_known = portfolio.history.reasons
    missing = []
    if portfolio.history.recorded_from is None:
        missing.append("ended")
    elif not years:
        missing.append("short_history")
    if portfolio.history.recorded_from is not None and not reasons_known:
        missing.append("reasons")
    held = _by_held(context, *years[0]) if years else []
    given = {
        "last_year": _few(context, yearly[0]) if yearly else None,
        "years": [_few(context, row) for row in yearly],
        "gone": _gone(context, years[:REASON_YEARS]),
        "intermediary": _to_another_intermediary(context, *years[0]) if years else None,
        "by_tenure": _by_tenure(context, *years[0]) if years else [],
        "by_held": held,
        "held_differs": apart(held),
        "curve": _curve(context),
        "gone_by_cause": _gone_by_cause(context),
        "cohorts": _cohorts(context),
        "indexation": context.indexation,
        "definition": context.bundle.settings.churn.definition,
        "definitions": _definitions(context),
        "recorded_from": portfolio.history.recorded_from,
        "history_months": portfolio.history.months,
        "missing": missing,
    }
    return made(LeavingFacts, given)


def _few(context: Context, row: Row) -> Row:
    if 0 < row["left"] < context.limit:
        return {**row, "left": None, "customer_churn": None, "suppressed": True}
    return {**row, "suppressed": False}


def _gone(context: Context, years: list[tuple[date, date]]) -> dict[str, Any] | None:
    """Return who left over the last closed years by cause and by reason; None without a known
    reason.
    """
    if not years or not context.bundle.portfolio.history.reasons:
        return None
    first, last = years[-1][0], years[0][1]
    ended = context.relations.filter(
        (pl.col("end") > first) & (pl.col("end") <= last) & (pl.col("cause") != "technical")
    )
    if ended.is_empty():
        return None
    causes = (
        ended.group_by("cause")
        .agg(customers=pl.len())
        .sort("customers", "cause", descending=[True, False])
    )
    reasons = (
        ended.group_by("reason", "cause")
        .agg(customers=pl.len())
        .sort("customers", "reason", "cause", descending=[True, False, False], nulls_last=True)
    )
    by_cause = {row["cause"]: row["customers"] for row in causes.to_dicts()}
    unknown, preventable = by_cause.get("unknown", 0), by_cause.get("preventable", 0)
    known = ended.height - unknown
    return {
        "from": first,
        "to": last,
        "customers": ended.height,
        "causes": context.suppressed(
            [{**row, "share": row["customers"] / ended.height} for row in causes.to_dicts()],
            keep=("cause",),
            parts=True,
        ),
        "reasons": context.suppressed(
            [{**row, "share": row["customers"] / ended.height} for row in reasons.to_dicts()],
            keep=("reason", "cause"),
            parts=True,
        ),
        "preventable_share": preventable / known if known >= context.limit else None,
        "preventable_low": preventable / ended.height if ended.height >= context.limit else None,
        "preventable_high": (preventable + unknown) / ended.height
        if ended.height >= context.limit
        else None,
    }


def _to_another_intermediary(context: Context, first: date, last: date) -> dict[str, Any] | None:
    """Return how many customers of `first` left through another intermediary; None where they are
    too few to tell.
    """
    then = relations.leavers(context.relations, first, last)
    moved = then.filter(pl.col("left"), pl.col("reason") == INTERMEDIARY).height
    if moved < context.limit:
        return None
    return {"from": first, "to": last, "customers": moved, "share": moved / int(then["left"].sum())}


def apart(rows: list[Row]) -> bool:
    """Whether the rates of the first and the last band are told apart at 90 %: their intervals do
    not touch.
    """
    shown = [row for row in rows if row["rate"] is not None and not row["suppressed"]]
    if len(shown) < 2 or shown[0] is not rows[0] or shown[-1] is not rows[-1]:
        return False
    (low, _), (_, high) = (interval(row["left"], row["customers"]) for row in (shown[0], shown[-1]))
    return low > high


def _by_tenure(context: Context, first: date, last: date) -> list[Row]:
    then = relations.leavers(context.relations, first, last).with_columns(
        tenure=(pl.lit(first) - pl.col("start")).dt.total_days() / 365.25
    )
    return _rates(context, then, "tenure", TENURE)


def _by_held(context: Context, first: date, last: date) -> list[Row]:
    held = (
        covers(in_force(context.bundle.portfolio.policies, first))
        .group_by("customer")
        .agg(held=pl.len())
    )
    then = (
        relations.leavers(context.relations, first, last)
        .join(held, on="customer", how="inner")
        .sort("customer")
    )
    return _rates(context, then, "held", HELD)


def _rates(
    context: Context, then: pl.DataFrame, column: str, edges: tuple[tuple[int, int | None], ...]
) -> list[Row]:
    rows: list[Row] = []
    for lower, upper in edges:
        inside = then.filter(
            (pl.col(column) >= lower)
            & (pl.lit(value=True) if upper is None else pl.col(column) < upper)
        )
        left = int(inside["left"].sum())
        rate = left / inside.height if inside.height else None
        rows.append(
            {"lower": lower, "upper": upper, "customers": inside.height, "left": left, "rate": rate}
        )
    return context.suppressed(rows, keep=("lower", "upper"), by=("customers", "left"), parts=True)


def _curve(context: Context) -> list[Row]:
    models = context.bundle.models
    if models is None or models.curve.is_empty() or models.curve.width < 2:
        return []
    years, alive = models.curve.columns[:2]
    known = models.curve.select(pl.col(years, alive).fill_nan(None)).drop_nulls().sort(years)
    return [{"years": float(y), "share": float(s)} for y, s in known.iter_rows()]


def _gone_by_cause(context: Context) -> list[Row]:
    """Return by tenure in years who is still there and who left by which cause; empty where causes
    are not known.
    """
    models = context.bundle.models
    causes = ("natural", "insurer", "preventable", "unknown")
    if (
        models is None
        or not set(causes) <= set(models.curve.columns)
        or not context.bundle.portfolio.history.reasons
    ):
        return []
    shown = models.curve.filter(pl.col("years").is_in(SHOWN_YEARS)).sort("years")
    return shown.select("years", "share", *causes).to_dicts()


def _cohorts(context: Context) -> dict[str, Any] | None:
    """Return per band of tenure what was expected to leave, by whom, and what did; None without a
    test date.
    """
    models = context.bundle.models
    table = models.cohorts if models is not None else None
    if table is None or table.is_empty():
        return None
    rivals = ("model", "sbg", "constant")
    n = table["customers"].sum()
    missed = {
        name: sum(abs(row[name] * row["customers"] - row["left"]) for row in table.to_dicts()) / n
        for name in rivals
    }
    rows = [
        {**row, "rate": row["left"] / row["customers"]}
        for row in table.drop("test_date").to_dicts()
    ]
    shown = context.suppressed(
        rows, keep=("lower", "upper"), by=("customers", "customers_now", "left"), parts=True
    )
    return {"test_date": table["test_date"][0], "customers": n, "missed": missed, "rows": shown}


def _definitions(context: Context) -> dict[str, Any] | None:
    """Return how many customers change class under each definition of churn; None without a closed
    year.
    """
    models = context.bundle.models
    table = models.definitions if models is not None else None
    if table is None or table.is_empty():
        return None
    rows = [
        {**row, "rate": row["left"] / row["customers"] if row["customers"] else None}
        for row in table.to_dicts()
    ]
    for row in rows:
        row["top_changed"] = row["top_changed"] if row["top"] is not None else None
        del row["test_date"]
    shown = context.suppressed(rows, keep=("definition", "chosen"), by=("left", "changed"))
    return {"test_date": table["test_date"][0], "rows": shown}


FACTS = (facts,)
