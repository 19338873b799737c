"""Aggregates for the report: plain lists and dicts, ready for JSON, never over fewer customers than may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.disclosure import shown
from akb.core.text import load_toml
from akb.value import history_figures
from akb.value.classes import class_of
from akb.value.in_force import band_labels, bands
from akb.value.targeting.retention import defence

if TYPE_CHECKING:
    from akb.value.in_force import Cents, Floats, InForce
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.purchases import Offers
    from akb.value.lifetime.survival import Relations
    from akb.value.revenue.cost import ServiceCost
    from akb.value.valuation import Valuation

Row = dict[str, Any]


def figures(valued: Valuation, lists: dict[str, pl.DataFrame], lapses: float | None) -> dict[str, object]:
    """Return the aggregates. Money in integer cents; shares and chances as fractions; dates as ISO text.

    A row always has ``key`` (branch, kind, office, band label or year) and ``customers``; rows over fewer customers
    than ``report.suppress_below`` are merged into one with key ``_other``, or left out where even that is too small.

    Returns
    -------
    dict
        ``portfolio`` {customers, policies, policies_per_customer, commission, commission_per_customer, by_branch,
        by_kind, by_office, by_age, density: rows {key, customers, policies, commission}} (by_branch: ``customers`` =
        holders; commission None where unknown);
        ``concentration`` {top_share, commission_share, after_cost_share, curve, curve_after_cost: [[share of customers,
        share of commission]]} (after cost to serve the best share may bring more than everything: the rest costs);
        ``flow`` {years, months: rows {key, customers (in + out), policies (in + out), customers_in, customers_out,
        policies_in, policies_out, whole (recorded from first day to last)}} or None (since recorded_from,
        technical ends and continued policies excluded; a series is not merged: too small counts are None);
        ``reasons`` {relations: rows {key (reason or ``_unknown``), cause, customers}, policies: same with
        ``policies``, causes: rows {key, customers}, by_branch: rows {key, held, lapsed, lapse, customers},
        by_tenure: rows {key, customers, left, share}} over the closed year (``lapsed``, ``left`` None where too few);
        ``rates`` {from, to, policies, lapsed, policy_lapse, customers, left, customer_churn, natural, commission,
        commission_lost, commission_churn} or None (royementspercentage, klantverloop, provisieverloop);
        ``churn_bands`` rows {key, customers, expected, commission} or None;
        ``risk_value`` rows {key (churn band), stake (band), customers, commission, expected_saving} or None;
        ``next_best`` rows {key (branch), customers, expected_policies, expected_commission, first_choice, ban};
        ``classes`` rows {key (A-D by commission), clv_class, customers, commission, clv} or None;
        ``pair`` {high_commission, high_stake}: real customers {customer (pseudonym), kind, age, policies, commission,
        churn_12m, clv, value_at_stake, class_by_commission} or None;
        ``announced`` {customers, commission}: leavers whose end is known;
        ``checks`` {lapses_in_clv, policies_lost_12m};
        ``case_missing`` (added by `run`): why there is no business case, or None;
        ``bridge``, ``projection``, ``contact_policy``, ``backtest`` (added by `run`): see `outlook.outlook_figures`.
    """
    base, paths, value = valued.in_force, valued.survival, valued.value
    return {
        "portfolio": _portfolio(base),
        "concentration": _concentration(base, valued.cost),
        "flow": history_figures.flow(base, base.spells),
        "reasons": history_figures.reasons(base, base.spells, valued.rates),
        "rates": history_figures.rates_row(valued.rates),
        "churn_bands": _churn_bands(base, paths),
        "risk_value": _risk_value(valued),
        "next_best": _next_best(base, valued.offers),
        "classes": _classes(base, value),
        "pair": _pair(base, paths, value, lists),
        "announced": _announced(base),
        "checks": _checks(base, lapses),
    }


def _money(base: InForce) -> pl.DataFrame:
    """One row per customer: what the tables group by, and commission."""
    age = base.as_of.year - base.customers["birth_year"]
    known = age.is_not_null().to_numpy()
    labels = band_labels("age", age.fill_null(0).to_numpy())
    return base.customers.select("row", "kind", "office").with_columns(
        age=pl.Series([label if there else None for label, there in zip(labels, known, strict=True)], dtype=pl.String),
        policies=pl.Series(base.policies_per_customer),
        commission=pl.Series(base.commission_customer),
    )


def _portfolio(base: InForce) -> Row:
    people = _money(base)
    total = int(base.commission.sum()) if base.has_commission else None
    by_branch = (
        base.held.with_columns(cents=pl.Series(base.commission))
        .group_by(key="branch")
        .agg(customers=pl.col("row").n_unique(), policies=pl.len(), commission=pl.col("cents").sum())
    )
    density = people.with_columns(key=pl.min_horizontal("policies", pl.lit(6)).cast(pl.String))
    return {
        "customers": base.n,
        "policies": base.held.height,
        "policies_per_customer": base.held.height / base.n if base.n else 0.0,
        "commission": total,
        "commission_per_customer": round(total / base.n) if total is not None and base.n else None,
        "by_branch": _hide(base, by_branch.sort("policies", "key", descending=[True, False])),
        "by_kind": _grouped(base, people, "kind"),
        "by_office": _grouped(base, people, "office"),
        "by_age": _grouped(base, people, "age", bands("age")[1]),
        "density": _grouped(base, density, "key"),
    }


def _grouped(base: InForce, people: pl.DataFrame, by: str, order: list[str] | None = None) -> list[Row]:
    table = (
        people.with_columns(key=pl.col(by).fill_null("_unknown"))
        .group_by("key")
        .agg(customers=pl.len(), policies=pl.col("policies").sum(), commission=pl.col("commission").sum())
        .sort("key")
    )
    if order is not None:
        table = table.sort(pl.col("key").replace_strict({k: i for i, k in enumerate(order)}, default=len(order)))
    return _hide(base, table)


def _hide(base: InForce, table: pl.DataFrame) -> list[Row]:
    rows = table.to_dicts()
    if not base.has_commission:
        rows = [{**row, "commission": None} if "commission" in row else row for row in rows]
    return shown(rows, base.settings.report.suppress_below)


def _concentration(base: InForce, cost: ServiceCost | None) -> Row | None:
    if not base.has_commission or int(base.commission.sum()) <= 0:
        return None
    top = float(load_toml("lists.toml")["concentration"]["top_share"])
    share, curve = _shares(base.commission_customer, top)
    margin = None if cost is None else base.commission_customer - cost.per_customer(base)
    after, after_curve = _shares(margin, top) if margin is not None and margin.sum() > 0 else (None, None)
    return {
        "top_share": top,
        "commission_share": share,
        "after_cost_share": after,
        "curve": curve,
        "curve_after_cost": after_curve,
    }


def _shares(cents: Cents, top: float) -> tuple[float, list[list[float]]]:
    """Return what the best `top` of the customers bring of the whole, and the curve in steps of 5 %."""
    running = np.cumsum(np.sort(cents)[::-1]) / cents.sum()

    def best(share: float) -> float:
        return float(running[max(0, round(share * len(cents)) - 1)])

    return best(top), [[step / 20, best(step / 20)] for step in range(1, 21)]


def _churn_bands(base: InForce, paths: Relations | None) -> list[Row] | None:
    if paths is None:
        return None
    _, labels = bands("churn")
    table = (
        pl.DataFrame(
            {
                "key": pl.Series(band_labels("churn", paths.churn_12m), dtype=pl.String),
                "chance": paths.churn_12m,
                "commission": base.commission_customer,
            }
        )
        .group_by("key", maintain_order=True)
        .agg(customers=pl.len(), chances=pl.col("chance"), commission=pl.col("commission").sum())
        .with_columns(expected=pl.col("chances").list.sum())
        .drop("chances")
    )
    return _hide(base, table.sort(pl.col("key").replace_strict({k: i for i, k in enumerate(labels)}, default=0)))


def _risk_value(valued: Valuation) -> list[Row] | None:
    base, paths, value = valued.in_force, valued.survival, valued.value
    if paths is None or value is None or valued.plan is None or not base.churn_in_euros:
        return None
    saving = defence(valued.plan).saving
    table = (
        pl.DataFrame(
            {
                "key": pl.Series(band_labels("churn", paths.churn_12m), dtype=pl.String),
                "stake": pl.Series(band_labels("stake", value.stake / 100), dtype=pl.String),
                "commission": base.commission_customer,
                "expected_saving": np.maximum(saving, 0),
            }
        )
        .group_by("key", "stake")
        .agg(pl.len().alias("customers"), pl.col("commission", "expected_saving").sum())
    )
    places = [{label: place for place, label in enumerate(bands(name)[1])} for name in ("churn", "stake")]
    return _hide(
        base,
        table.sort(
            pl.col("key").replace_strict(places[0], default=0), pl.col("stake").replace_strict(places[1], default=0)
        ),
    )


def _next_best(base: InForce, made: Offers) -> list[Row]:
    table = (
        made.table.group_by(key="branch")
        .agg(
            customers=pl.len(),
            expected_policies=pl.col("probability").sort_by("row").sum(),
            expected_commission=pl.col("expected_cents").sort_by("row").sum().round().cast(pl.Int64),
            known=pl.col("expected_cents").count(),
            first_choice=(pl.col("place") == 1).sum(),
            ban=pl.col("ban").first(),
        )
        .with_columns(expected_commission=pl.when(pl.col("known") > 0).then("expected_commission"))
        .drop("known")
        .sort("expected_commission", "expected_policies", "key", descending=[True, True, False], nulls_last=True)
    )
    return shown(table.to_dicts(), base.settings.report.suppress_below)


def _classes(base: InForce, value: Lifetime | None) -> list[Row] | None:
    if value is None or not base.churn_in_euros:
        return None
    table = (
        pl.DataFrame(
            {
                "key": class_of(base.commission_customer),
                "clv_class": class_of(value.clv),
                "commission": base.commission_customer,
                "clv": value.clv,
            }
        )
        .group_by("key", "clv_class")
        .agg(pl.len().alias("customers"), pl.col("commission", "clv").sum())
        .sort("key", "clv_class")
    )
    return _hide(base, table)


def _pair(
    base: InForce, paths: Relations | None, value: Lifetime | None, lists: dict[str, pl.DataFrame]
) -> dict[str, Row] | None:
    """Two private customers: A by commission with the lowest lifetime value, and C or D with most expected saving."""
    if paths is None or value is None or not base.churn_in_euros or lists["top_defend"].is_empty():
        return None
    classes = class_of(base.commission_customer)
    label = np.array(classes)
    private = (base.customers["kind"].fill_null("private") == "private").to_numpy()
    best = np.flatnonzero((label == "A") & private & ~base.announced)
    listed = lists["top_defend"].join(base.customers.select("customer", "row"), on="customer").sort("rank")["row"]
    low = [row for row in listed.to_list() if label[row] in ("C", "D") and private[row]]
    if not len(best) or not low:
        return None
    piet = int(best[np.lexsort((best, value.clv[best]))[0]])
    return {
        "high_commission": _person(base, paths, value, piet, classes[piet]),
        "high_stake": _person(base, paths, value, low[0], classes[low[0]]),
    }


def _person(base: InForce, paths: Relations, value: Lifetime, row: int, label: str) -> Row:
    who = base.customers.row(row, named=True)
    age = None if who["birth_year"] is None else band_labels("age", [base.as_of.year - who["birth_year"]])[0]
    return {
        "customer": who["pseudonym"],
        "kind": who["kind"],
        "age": age,
        "policies": int(base.policies_per_customer[row]),
        "commission": int(base.commission_customer[row]),
        "churn_12m": float(paths.churn_12m[row]),
        "clv": int(value.clv[row]),
        "value_at_stake": int(value.stake[row]),
        "class_by_commission": label,
    }


def _announced(base: InForce) -> Row:
    number = int(base.announced.sum())
    cents = int(base.commission_customer[base.announced].sum()) if base.has_commission else None
    hidden = 0 < number < base.settings.report.suppress_below
    return {"customers": None if hidden else number, "commission": None if hidden else cents}


def _checks(base: InForce, lapses: float | None) -> dict[str, float | None]:
    lost: Floats | None = base.score("policies_lost_12m")
    return {
        "lapses_in_clv": lapses,
        "policies_lost_12m": None if lost is None else float(np.nansum(lost)),
    }
