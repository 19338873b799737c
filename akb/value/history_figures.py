"""What has happened, in tables: inflow and outflow, reasons for leaving, lapse by branch and tenure."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.disclosure import blanked, shown, unsaid
from akb.core.relations import is_lapse, leavers
from akb.value.in_force import band_labels, bands, in_force

if TYPE_CHECKING:
    from akb.value.in_force import InForce
    from akb.value.revenue.rates import YearRates

Row = dict[str, Any]
MONTHS_SHOWN = 36
_PEOPLE, _POLICIES = (tuple(f"{what}{way}" for way in ("", "_in", "_out")) for what in ("customers", "policies"))
SERIES = {count: names for names in (_PEOPLE, _POLICIES) for count in names}
"""A count that is too small takes its sum and the other way along, which would give it away."""


def rates_row(rates: YearRates | None) -> Row | None:
    """Return the three figures of the closed year as a plain dict."""
    if rates is None:
        return None
    return {
        "from": rates.first.isoformat(),
        "to": rates.last.isoformat(),
        "policies": rates.policies,
        "lapsed": rates.lapsed,
        "policy_lapse": rates.policy_lapse,
        "customers": rates.customers,
        "left": rates.left,
        "customer_churn": rates.customer_churn,
        "natural": rates.natural,
        "commission": rates.commission,
        "commission_lost": rates.commission_lost,
        "commission_churn": rates.commission_churn,
    }


def flow(base: InForce, history: pl.DataFrame) -> dict[str, list[Row]] | None:
    """Return customers and policies that came and went, per calendar year and per month of the last three years.

    Only from the first day on which ended policies are recorded: before it the leavers are not in the file. The year
    and month in which the record begins, and those of the as-of date, may be cut off: ``whole`` says so.
    """
    recorded = base.portfolio.history.recorded_from
    if recorded is None:
        return None
    policies = base.portfolio.policies
    lapsed = policies.filter(is_lapse(base.as_of))
    left = history.filter(pl.col("cause") != "technical")
    events = pl.concat(
        [
            _dated(policies.filter(~pl.col("replaces"))["start_date"], "policies_in"),
            _dated(lapsed["end_date"], "policies_out"),
            _dated(history["start"], "customers_in"),
            _dated(left["end"], "customers_out"),
        ]
    ).filter((pl.col("day") >= recorded) & (pl.col("day") <= base.as_of))
    recent = events.filter(pl.col("day") > add_months(base.as_of, -MONTHS_SHOWN))
    limit = base.settings.report.suppress_below
    return {
        "years": _marked(blanked(_counted(events, "%Y"), limit, SERIES), recorded, base.as_of),
        "months": _marked(blanked(_counted(recent, "%Y-%m"), limit, SERIES), recorded, base.as_of),
    }


def _marked(rows: list[Row], recorded: date, as_of: date) -> list[Row]:
    """Say of each year or month whether all its days lie in the recorded history."""
    for row in rows:
        first = date.fromisoformat(row["key"] + ("-01" if "-" in row["key"] else "-01-01"))
        after = add_months(first, 1 if "-" in row["key"] else 12)
        row["whole"] = first >= recorded and after <= as_of + timedelta(days=1)
    return rows


def _dated(days: pl.Series, what: str) -> pl.DataFrame:
    return pl.DataFrame({"day": days.drop_nulls(), "what": [what] * (len(days) - days.null_count())}).cast(
        {"day": pl.Date, "what": pl.String}
    )


def _counted(events: pl.DataFrame, form: str) -> list[Row]:
    names = ("customers_in", "customers_out", "policies_in", "policies_out")
    return (
        events.group_by(key=pl.col("day").dt.strftime(form))
        .agg([(pl.col("what") == name).sum().cast(pl.Int64).alias(name) for name in names])
        .sort("key")
        .with_columns(
            customers=pl.col("customers_in") + pl.col("customers_out"),
            policies=pl.col("policies_in") + pl.col("policies_out"),
        )
        .select("key", "customers", "policies", *names)
        .to_dicts()
    )


def reasons(base: InForce, history: pl.DataFrame, rates: YearRates | None) -> dict[str, list[Row]] | None:
    """Return why customers and policies left in the closed year, by reason, cause, branch and tenure."""
    if rates is None:
        return None
    first, last = rates.first, rates.last
    limit = base.settings.report.suppress_below
    held = in_force(base.portfolio.policies, first)
    then = leavers(history, first, last)
    left = then.filter("left")
    lapsed = held.filter(is_lapse(last))
    return {
        "relations": _by_reason(left, "customers", limit),
        "policies": _by_reason(lapsed, "policies", limit),
        "causes": shown(
            left.group_by(key="cause")
            .agg(customers=pl.len())
            .sort("customers", "key", descending=[True, False])
            .to_dicts(),
            limit,
        ),
        "by_branch": _by_branch(held, last, limit),
        "by_tenure": _by_tenure(then, first, limit),
    }


def _by_reason(ended: pl.DataFrame, count: str, limit: int) -> list[Row]:
    table = (
        ended.group_by(key=pl.col("reason").fill_null("_unknown"))
        .agg(
            cause=pl.col("cause").sort().first(),
            customers=pl.col("customer").n_unique(),
            **({"policies": pl.len()} if count == "policies" else {}),
        )
        .sort(count, "key", descending=[True, False])
    )
    return shown(table.to_dicts(), limit)


def _by_branch(held: pl.DataFrame, last: date, limit: int) -> list[Row]:
    table = (
        held.group_by(key="branch")
        .agg(
            customers=pl.col("customer").n_unique(),
            held=pl.len().cast(pl.Int64),
            lapsed=is_lapse(last).sum().cast(pl.Int64),
        )
        .sort("held", "key", descending=[True, False])
    )
    rows = [{**row, "lapse": row["lapsed"] / row["held"]} for row in shown(table.to_dicts(), limit)]
    return unsaid(rows, limit, "lapsed", "lapse")


def _by_tenure(then: pl.DataFrame, first: date, limit: int) -> list[Row]:
    years = (pl.Series([first]) - then["start"]).dt.total_days().to_numpy() / 365.25
    _, labels = bands("tenure")
    gone = then["left"].to_numpy()
    names = np.array(band_labels("tenure", years))
    rows = [
        {"key": label, "customers": int((names == label).sum()), "left": int(gone[names == label].sum())}
        for label in labels
    ]
    large = shown([row for row in rows if row["customers"]], limit)
    return unsaid([{**row, "share": row["left"] / row["customers"]} for row in large], limit, "left", "share")
