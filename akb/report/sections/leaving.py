"""Section 3: why customers leave. Counted over closed years; the survival curve comes from the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.relations import in_force
from akb.describe import relations
from akb.report.sections.portfolio import HELD, TENURE

if TYPE_CHECKING:
    from datetime import date

    from akb.report.context import Context, Row

REASON_YEARS = 3
TOLD_YEARS = (1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0)
INTERMEDIARY = "overgang_tussenpersoon"


def facts(context: Context) -> dict[str, Any]:
    """Return the three rates side by side, per year, by cause and reason, by tenure and holding, and the curve."""
    portfolio, years = context.bundle.portfolio, context.years
    yearly = [relations.year_rates(context.policies, context.relations, first, last).row() for first, last in years]
    reasons_known = portfolio.history.reasons
    missing = []
    if portfolio.history.recorded_from is None:
        missing.append("ended")
    elif not years:
        missing.append("short_history")
    if portfolio.history.recorded_from is not None and not reasons_known:
        missing.append("reasons")
    return {
        "last_year": _few(context, yearly[0]) if yearly else None,
        "years": [_few(context, row) for row in yearly],
        "gone": _gone(context, years[:REASON_YEARS]),
        "intermediary": _to_another_intermediary(context, *years[0]) if years else None,
        "by_tenure": _by_tenure(context, *years[0]) if years else [],
        "by_held": _by_held(context, *years[0]) if years else [],
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


def _few(context: Context, row: Row) -> Row:
    if 0 < row["left"] < context.limit:
        return {**row, "left": None, "customer_churn": None, "suppressed": True}
    return {**row, "suppressed": False}


def _gone(context: Context, years: list[tuple[date, date]]) -> dict[str, Any] | None:
    """Return who left over the last closed years by cause and by reason; None without a known reason."""
    if not years or not context.bundle.portfolio.history.reasons:
        return None
    first, last = years[-1][0], years[0][1]
    ended = context.relations.filter(
        (pl.col("end") > first) & (pl.col("end") <= last) & (pl.col("cause") != "technical")
    )
    if ended.is_empty():
        return None
    causes = ended.group_by("cause").agg(customers=pl.len()).sort("customers", "cause", descending=[True, False])
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
        "preventable_high": (preventable + unknown) / ended.height if ended.height >= context.limit else None,
    }


def _to_another_intermediary(context: Context, first: date, last: date) -> dict[str, Any] | None:
    """Return how many customers of `first` left through another intermediary; None where they are too few to tell."""
    then = relations.leavers(context.relations, first, last)
    moved = then.filter(pl.col("left"), pl.col("reason") == INTERMEDIARY).height
    if moved < context.limit:
        return None
    return {"from": first, "to": last, "customers": moved, "share": moved / int(then["left"].sum())}


def _by_tenure(context: Context, first: date, last: date) -> list[Row]:
    then = relations.leavers(context.relations, first, last).with_columns(
        tenure=(pl.lit(first) - pl.col("start")).dt.total_days() / 365.25
    )
    return _rates(context, then, "tenure", TENURE)


def _by_held(context: Context, first: date, last: date) -> list[Row]:
    held = in_force(context.bundle.portfolio.policies, first).group_by("customer").agg(held=pl.len())
    then = relations.leavers(context.relations, first, last).join(held, on="customer", how="inner").sort("customer")
    return _rates(context, then, "held", HELD)


def _rates(context: Context, then: pl.DataFrame, column: str, edges: tuple[tuple[int, int | None], ...]) -> list[Row]:
    rows: list[Row] = []
    for lower, upper in edges:
        inside = then.filter(
            (pl.col(column) >= lower) & (pl.lit(value=True) if upper is None else pl.col(column) < upper)
        )
        left = int(inside["left"].sum())
        rate = left / inside.height if inside.height else None
        rows.append({"lower": lower, "upper": upper, "customers": inside.height, "left": left, "rate": rate})
    return context.suppressed(rows, keep=("lower", "upper"), by=("customers", "left"), parts=True)


def _curve(context: Context) -> list[Row]:
    models = context.bundle.models
    if models is None or models.curve.is_empty() or models.curve.width < 2:
        return []
    years, alive = models.curve.columns[:2]
    known = models.curve.select(pl.col(years, alive).fill_nan(None)).drop_nulls().sort(years)
    return [{"years": float(y), "share": float(s)} for y, s in known.iter_rows()]


def _gone_by_cause(context: Context) -> list[Row]:
    """Return by tenure in years who is still there and who left by which cause; empty where causes are not known."""
    models = context.bundle.models
    causes = ("natural", "insurer", "preventable", "unknown")
    if models is None or not set(causes) <= set(models.curve.columns) or not context.bundle.portfolio.history.reasons:
        return []
    shown = models.curve.filter(pl.col("years").is_in(TOLD_YEARS)).sort("years")
    return shown.select("years", "share", *causes).to_dicts()


def _cohorts(context: Context) -> dict[str, Any] | None:
    """Return per band of tenure what was expected to leave, by whom, and what did; None without a test date."""
    models = context.bundle.models
    table = models.cohorts if models is not None else None
    if table is None or table.is_empty():
        return None
    rivals = ("model", "sbg", "constant")
    n = table["customers"].sum()
    missed = {
        name: sum(abs(row[name] * row["customers"] - row["left"]) for row in table.to_dicts()) / n for name in rivals
    }
    rows = [{**row, "rate": row["left"] / row["customers"]} for row in table.drop("test_date").to_dicts()]
    shown = context.suppressed(rows, keep=("lower", "upper"), by=("customers", "customers_now", "left"), parts=True)
    return {"test_date": table["test_date"][0], "customers": n, "missed": missed, "rows": shown}


def _definitions(context: Context) -> dict[str, Any] | None:
    """Return how many customers change class under each definition of churn; None without a closed year."""
    models = context.bundle.models
    table = models.definitions if models is not None else None
    if table is None or table.is_empty():
        return None
    rows = [{**row, "rate": row["left"] / row["customers"] if row["customers"] else None} for row in table.to_dicts()]
    for row in rows:
        row["top_changed"] = row["top_changed"] if row["top"] is not None else None
        del row["test_date"]
    shown = context.suppressed(rows, keep=("definition", "chosen"), by=("left", "changed"))
    return {"test_date": table["test_date"][0], "rows": shown}
