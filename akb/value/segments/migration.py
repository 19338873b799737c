"""Who moved between the classes A to D in a year, counted with nothing but what was knowable on
both days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.core.privacy.disclosure import crossed
from akb.core.relations import in_force
from akb.core.typed import made
from akb.core.wording.text import load_toml
from akb.value.lifetime.purchases import mean_commission
from akb.value.types import ClassMigration

if TYPE_CHECKING:
    from datetime import date

    from akb.value.in_force import InForce

    Basis = Literal["dated", "standard"]

NEW, GONE = "new", "gone"


def migration(base: InForce) -> ClassMigration | None:
    """Return from which class to which the customers of T = X - 12 months went; None where T was
    not recorded or all customers are of one class.

    The classes at T are those of `configs/lists.toml`; the bounds in euros that they have at T also
    hold at X, so that a customer moves by his own policies only. Today's commission says nothing
    about T (the back office overwrites it): commission is ``dated`` where the export dates it for
    (nearly) all policies then in force, else every policy counts for its branch's ``standard``, the
    median of today, on both days.

    Returns
    -------
    ClassMigration
        ``from``, ``to`` (dates), ``basis``, ``columns`` (classes at X and ``gone``), ``rows`` {key
        (class at T or ``new``), customers, cells: one count per column, None where hidden}, ``up``,
        ``down``, ``same`` (of those who stayed; None where a hidden cell would follow from them).
    """
    then = add_months(base.as_of, -load_toml("segments.toml")["migration"]["months"])
    recorded = base.portfolio.history.recorded_from
    if recorded is None or recorded > then:
        return None
    basis = basis_of(base, then)
    usual = mean_commission(base)
    old, now = (commission_on(base, day, basis, usual) for day in (then, base.as_of))
    labels = list(load_toml("lists.toml")["classes"]["labels"])
    bounds = _bounds(old["cents"].to_numpy())
    both = (
        _classed(old, bounds, "old")
        .join(_classed(now, bounds, "now"), on="customer", how="full", coalesce=True)
        .with_columns(pl.col("old").fill_null(len(labels)), pl.col("now").fill_null(len(labels)))
    )
    counts = np.zeros((len(labels) + 1, len(labels) + 1), dtype=np.int64)
    np.add.at(counts, (both["old"].to_numpy(), both["now"].to_numpy()), 1)
    if (
        np.count_nonzero(counts[:-1].any(axis=1)) < 2
        and np.count_nonzero(counts[:, :-1].any(axis=0)) < 2
    ):
        return None  # everybody brings the same: nobody can move
    limit = base.settings.report.suppress_below
    cells = crossed(counts, limit, moves=len(labels))
    stayed = counts[:-1, :-1]
    up, down, same = (
        int(part.sum()) for part in (np.tril(stayed, -1), np.triu(stayed, 1), np.diag(stayed))
    )
    known = not any(0 < number < limit for number in (up, down, same))
    return made(
        ClassMigration,
        {
            "from": then.isoformat(),
            "to": base.as_of.isoformat(),
            "basis": basis,
            "columns": [*labels, GONE],
            "rows": [
                {
                    "key": key,
                    "customers": sum(number for number in line if number is not None)
                    if None not in line
                    else None,
                    "cells": line,
                }
                for key, line in zip([*labels, NEW], cells, strict=True)
            ],
            "up": up if known else None,
            "down": down if known else None,
            "same": same if known else None,
        },
    )


def basis_of(base: InForce, then: date) -> Basis:
    """Return by what commission on `then` can be known; see `migration`."""
    return "dated" if _dated(base, then) is not None else "standard"


def commission_on(base: InForce, day: date, basis: Basis, usual: pl.DataFrame) -> pl.DataFrame:
    """Return customer, cents: the commission of the policies in force on a day, by what was
    knowable then; `usual`: see `mean_commission`.
    """
    held = in_force(base.portfolio.policies, day, "policy", "customer", "branch")
    known = _dated(base, day, share=0.0) if basis == "dated" else None
    if known is None:
        kinds = base.portfolio.customers.select("customer", "kind")
        cents = (
            held.join(kinds, on="customer", how="left")
            .join(usual.drop_nulls("kind"), on=["branch", "kind"], how="left")
            .join(
                usual.filter(pl.col("kind").is_null()).select("branch", any="cents"),
                on="branch",
                how="left",
            )
            .with_columns(cents=pl.coalesce("cents", "any").fill_null(0))
        )
    else:
        cents = held.join(known, on="policy", how="left").with_columns(pl.col("cents").fill_null(0))
    return cents.group_by("customer").agg(pl.col("cents").sum()).sort("customer")


def _dated(base: InForce, day: date, share: float | None = None) -> pl.DataFrame | None:
    """Return policy, cents: the commission that the export dates to hold on a day; None where it is
    known of too few.

    Parameters
    ----------
    share
        Of the policies in force that it has to be known of; by default ``migration.dated_share``.
    """
    if base.portfolio.premiums is None:
        return None
    held = in_force(base.portfolio.policies, day)
    known = (
        base.portfolio.premiums.filter(
            (pl.col("date") <= day) & pl.col("commission_cents").is_not_null()
        )
        .sort("policy", "date")
        .unique("policy", keep="last", maintain_order=True)
        .join(held.select("policy"), on="policy", how="semi")
        .select("policy", cents="commission_cents")
    )
    least = load_toml("segments.toml")["migration"]["dated_share"] if share is None else share
    return known if held.height and known.height >= least * held.height else None


def _bounds(cents: np.ndarray[Any, np.dtype[np.int64]]) -> list[int]:
    """Return the lowest amount of every class but the last, highest first: shares of customers,
    best first.
    """
    cuts = np.cumsum(load_toml("lists.toml")["classes"]["shares"])[:-1]
    ordered = np.sort(cents)[::-1]
    return [
        int(ordered[max(0, round(cut * len(ordered)) - 1)]) if len(ordered) else 0
        for cut in cuts.tolist()
    ]


def _classed(table: pl.DataFrame, bounds: list[int], name: str) -> pl.DataFrame:
    number = sum((pl.col("cents") < bound).cast(pl.Int64) for bound in bounds)
    return table.select(
        "customer", pl.lit(number).alias(name) if isinstance(number, int) else number.alias(name)
    )
