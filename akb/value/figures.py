"""Aggregates for the report: plain lists and dicts, ready for JSON, never over fewer customers than
may be shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.privacy.disclosure import shown
from akb.core.typed import made
from akb.core.wording.text import load_toml
from akb.value.classes import class_of
from akb.value.in_force import band_labels
from akb.value.types import Concentration, CustomerPair, Figures, NextBestBranch, PairCustomer

if TYPE_CHECKING:
    from akb.value.in_force import Cents, InForce
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.purchases import Offers
    from akb.value.lifetime.survival import Relations
    from akb.value.revenue.cost import ServiceCost
    from akb.value.valuation import Valuation

Row = dict[str, Any]


def figures(valued: Valuation, lists: dict[str, pl.DataFrame]) -> Figures:
    """Return the aggregates. Money in integer cents; shares and chances as fractions; dates as ISO
    text.

    Returns
    -------
    Figures
        ``concentration`` {top_share, commission_share, after_cost_share, curve, curve_after_cost:
        [[share of customers, share of commission]]} (after cost to serve the best share may bring
        more than everything: the rest costs); ``next_best`` rows {key (branch), customers,
        expected_policies, expected_commission, first_choice, ban}, rows over too few customers
        merged into one with key ``_other``; ``pair`` {high_commission, high_stake}: real customers
        {customer (pseudonym), kind, age, policies, commission, churn_12m, clv, value_at_stake,
        class_by_commission} or None.
    """
    base, paths, value = valued.in_force, valued.survival, valued.value
    return Figures(
        concentration=_concentration(base, valued.cost),
        next_best=_next_best(base, valued.offers),
        pair=_pair(base, paths, value, lists),
    )


def _concentration(base: InForce, cost: ServiceCost | None) -> Concentration | None:
    if not base.has_commission or int(base.commission.sum()) <= 0:
        return None
    top = float(load_toml("lists.toml")["concentration"]["top_share"])
    share, curve = _shares(base.commission_customer, top)
    margin = None if cost is None else base.commission_customer - cost.per_customer(base)
    after, after_curve = (
        _shares(margin, top) if margin is not None and margin.sum() > 0 else (None, None)
    )
    return made(
        Concentration,
        {
            "top_share": top,
            "commission_share": share,
            "after_cost_share": after,
            "curve": curve,
            "curve_after_cost": after_curve,
        },
    )


def _shares(cents: Cents, top: float) -> tuple[float, list[list[float]]]:
    """Return what the best `top` of the customers bring of the whole, and the curve in steps of 5
    %.
    """
    running = np.cumsum(np.sort(cents)[::-1]) / cents.sum()

    def best(share: float) -> float:
        return float(running[max(0, round(share * len(cents)) - 1)])

    return best(top), [[step / 20, best(step / 20)] for step in range(1, 21)]


def _next_best(base: InForce, offers: Offers) -> tuple[NextBestBranch, ...]:
    table = (
        offers.table.group_by(key="branch")
        .agg(
            customers=pl.len(),
            expected_policies=pl.col("probability").sort_by("row").sum(),
            expected_commission=pl.col("expected_cents")
            .sort_by("row")
            .sum()
            .round()
            .cast(pl.Int64),
            known=pl.col("expected_cents").count(),
            first_choice=(pl.col("place") == 1).sum(),
            ban=pl.col("ban").first(),
        )
        .with_columns(expected_commission=pl.when(pl.col("known") > 0).then("expected_commission"))
        .drop("known")
        .sort(
            "expected_commission",
            "expected_policies",
            "key",
            descending=[True, True, False],
            nulls_last=True,
        )
    )
    merged = {"first_choice": None}
    rows = shown(table.to_dicts(), base.settings.report.suppress_below)
    return tuple(made(NextBestBranch, merged | row) for row in rows)


def _pair(
    base: InForce, paths: Relations | None, value: Lifetime | None, lists: dict[str, pl.DataFrame]
) -> CustomerPair | None:
    """Two private customers: A by commission with the lowest lifetime value, and who of C or D is
    contacted first.
    """
    if paths is None or value is None or not base.churn_in_euros or lists["top_defend"].is_empty():
        return None
    classes = class_of(base.commission_customer)
    label = np.array(classes)
    private = (base.customers["kind"].fill_null("private") == "private").to_numpy()
    best = np.flatnonzero((label == "A") & private & ~base.announced)
    listed = (
        lists["top_defend"]
        .join(base.customers.select("customer", "row"), on="customer")
        .sort("rank")
    )
    planned = listed.filter("contact")
    rows = planned["row"].to_numpy()
    low = rows[np.isin(label[rows], ("C", "D")) & private[rows]].tolist()
    if not len(best) or not low:
        return None
    piet = int(best[np.lexsort((best, value.clv[best]))[0]])
    return CustomerPair(
        high_commission=made(
            PairCustomer,
            _person(base, paths, value, piet, classes[piet]) | _contact(_of(planned, piet)),
        ),
        high_stake=made(
            PairCustomer,
            _person(base, paths, value, low[0], classes[low[0]]) | _contact(_of(planned, low[0])),
        ),
    )


def _of(planned: pl.DataFrame, row: int) -> Row | None:
    found = planned.filter(pl.col("row") == row)
    return found.row(-1, named=True) if found.height else None


def _contact(planned: Row | None) -> Row:
    """The contact that the plan has for a customer, and what it is expected to bring; None where it
    has none.
    """
    return {
        "contact": planned["best_contact"] if planned else None,
        "saving": planned["expected_saving"] if planned else None,
    }


def _person(base: InForce, paths: Relations, value: Lifetime, row: int, label: str) -> Row:
    who = base.customers.row(row, named=True)
    age = (
        None
        if who["birth_year"] is None
        else band_labels("age", [base.as_of.year - who["birth_year"]])[0]
    )
    return {
        "customer": who["pseudonym"],
        "kind": who["kind"] or "private",
        "age": age,
        "policies": int(base.covers_per_customer[row]),
        "commission": int(base.commission_customer[row]),
        "churn_12m": float(paths.churn_12m[row]),
        "clv": int(value.clv[row]),
        "value_at_stake": int(value.stake[row]),
        "class_by_commission": label,
    }
