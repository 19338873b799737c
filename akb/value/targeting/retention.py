"""Top Defend: whom to call first to keep, as far as it pays and fits in the hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.value.case.basis import MILLI
from akb.value.case.binning import cascade, stakes
from akb.value.in_force import at, to_cents
from akb.value.lifetime.survival import YEAR
from akb.value.targeting.calls import gross, payback
from akb.value.targeting.eligibility import NO_HOURS

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from akb.value.case.binning import Stakes
    from akb.value.in_force import Cents, Floats, InForce, Rows
    from akb.value.lifetime.clv import Lifetime
    from akb.value.lifetime.survival import Relations
    from akb.value.targeting.calls import Calls
    from akb.value.targeting.eligibility import Desk


LIST_SCHEMA = {
    "customer": pl.UInt32,
    "rank": pl.Int64,
    "churn_12m": pl.Float64,
    "churn_preventable_12m": pl.Float64,
    "value_at_stake": pl.Float64,
    "clv": pl.Float64,
    "commission": pl.Float64,
    "cost": pl.Float64,
    "yearly": pl.Float64,
    "expected_saving": pl.Float64,
    "kind": pl.String,
    "adviser": pl.String,
    "office": pl.String,
    "branches": pl.String,
    "peak_risk_month": pl.Int32,
    "threshold": pl.Float64,
    "contact": pl.Boolean,
    "control": pl.Boolean,
    "yearly_cents": pl.Int64,
}
"""Columns of the list ``top_defend``; euros, ``yearly_cents`` excepted (``yearly``: the row's part of the ledger line).

``cost`` is what it costs to serve the customer for a year; ``contact`` whether he is called, because that earns itself
back within the payback years.
"""


@dataclass(frozen=True)
class Defence:
    """The score per customer and what the list is made of.

    Parameters
    ----------
    saving
        top_defend in cents: rescue x p x stake - contact cost.
    threshold
        p* above which a contact pays over the whole life of the relation: cost / (rescue x value at stake); infinite
        where nothing is at stake.
    stakes
        Chance x value at stake (the order of the list) and chance x margin (what a call keeps in a year).
    rescue
        The rescue chance.
    years
        Full years of its margin that a customer who is kept brings within the payback years.
    cost
        Of serving the customer a year, cents.
    contact_cost
        Of one call, cents.
    """

    saving: Cents
    threshold: Floats
    stakes: Stakes
    rescue: float
    years: Floats
    cost: Cents
    contact_cost: float

    @property
    def pays(self) -> NDArray[np.bool_]:
        """Whose call is worth its cost over the whole life of the relation: chance above p*."""
        worthy: NDArray[np.bool_] = self.rescue * self.stakes.worth > self.contact_cost
        return worthy

    @property
    def earned(self) -> Floats:
        """What a call earns within the payback years, cents."""
        return gross(self.rescue, self.stakes.margin, self.years)


def defence(base: InForce, paths: Relations, value: Lifetime, desk: Desk, cost: Cents) -> Defence:
    """Return top_defend and its parts for every customer in force; `cost` is of serving each a year, cents."""
    rescue = base.value("retention.rescue")
    worth = rescue * value.stake.astype(np.float64)
    found = stakes(base, paths, value, cost)
    years = payback(base, paths.alive[:, YEAR], "retention")
    threshold = np.divide(desk.contact_cost, worth, out=np.full(base.n, np.inf), where=worth > 0)
    return Defence(
        saving=to_cents(worth * paths.preventable - desk.contact_cost),
        threshold=threshold,
        stakes=found,
        rescue=rescue,
        years=years,
        cost=cost,
        contact_cost=desk.contact_cost,
    )


def defend_list(
    base: InForce,
    paths: Relations,
    value: Lifetime | None,
    found: Defence | None,
    desk: Desk,
    calls: Calls | None,
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the list ``top_defend`` and how many customers were left out, by reason.

    Those for whom a call is worth its cost over the whole life of the relation (their chance lies above p*), the most
    at stake first, as many as the hours could reach. Who of them is called (``contact``) is decided by what a call
    earns within the payback years: those stand on the list wherever it ends. Members of the control group stand on it
    (``control``) and take no hours.

    Parameters
    ----------
    calls
        None where no euro may be named: the chance of preventable churn, or chance x value at stake, makes the order,
        and the list ends where the hours do.
    """
    left_out = {reason: int(flags.sum()) for reason, flags in desk.excluded.items()}
    allowed = np.flatnonzero(~desk.barred)
    worth = paths.preventable if found is None else found.stakes.worth
    pays = worth > 0 if found is None else found.pays
    called = np.zeros(base.n, dtype=np.bool_) if calls is None else calls.listed
    paying = allowed[(pays | called)[allowed]]
    left_out["below_threshold"] = len(allowed) - len(paying)
    order = paying[np.lexsort((paying, -worth[paying]))]
    reached = np.cumsum(~desk.control[order]) <= desk.capacity
    listed = order[reached | called[order]]
    left_out[NO_HOURS] = left_out.get(NO_HOURS, 0) + len(order) - len(listed)
    frame = _frame(base, paths, value, found, desk, listed, calls)
    return frame, {reason: count for reason, count in left_out.items() if count}


def empty_list() -> pl.DataFrame:
    """Return the list without rows, for exports that cannot teach churn."""
    return pl.DataFrame(schema=LIST_SCHEMA)


def _frame(
    base: InForce,
    paths: Relations,
    value: Lifetime | None,
    found: Defence | None,
    desk: Desk,
    rows: Rows,
    calls: Calls | None,
) -> pl.DataFrame:
    unknown = np.full(base.n, np.nan)
    peak, euros = base.score("peak_risk_month"), calls is not None
    told = value if euros else None  # an unproven level ranks: its euros are nobody's
    contact = ~desk.control if calls is None else calls.to_keep
    yearly = np.zeros(base.n, dtype=np.int64) if found is None else _yearly(found, rows[contact[rows]])
    columns: dict[str, NDArray[Any]] = {
        "churn_12m": paths.churn_12m,
        "churn_preventable_12m": paths.preventable,
        "value_at_stake": unknown if told is None else told.stake / 100,
        "clv": unknown if told is None else told.clv / 100,
        "commission": base.commission_customer / 100 if base.has_commission else unknown,
        "cost": unknown if found is None else found.cost / 100,
        "yearly": unknown if found is None or not euros else yearly / 100,
        "expected_saving": found.saving / 100 if found is not None and euros else unknown,
        "peak_risk_month": unknown if peak is None else peak,
        "threshold": unknown if found is None or not euros else np.minimum(found.threshold, 1.0),
        "yearly_cents": yearly,
    }
    who = base.customers.select("customer", "kind", "adviser", "office")
    made = who.with_columns(
        _branches(base).alias("branches"),
        *(at(values, pl.Float64).alias(name) for name, values in columns.items()),
        pl.Series("contact", contact),
        pl.Series("control", desk.control),
    )[rows]
    ranked = made.with_columns(rank=pl.int_range(1, pl.len() + 1))
    return ranked.select(pl.col(name).cast(dtype) for name, dtype in LIST_SCHEMA.items())


def _yearly(found: Defence, called: Rows) -> Cents:
    """What a call keeps in a year, per customer: those who are called add up to the ledger's line to the cent."""
    margin = found.stakes.margin
    out = to_cents(found.rescue * margin / MILLI)
    out[called] = cascade(found.rescue, margin[called])
    return out


def _branches(base: InForce) -> pl.Series:
    """The branches that every customer holds, as one text in the order of the taxonomy."""
    order = {branch: place for place, branch in enumerate(base.taxonomy)}
    return (
        base.held.select("row", "branch")
        .unique()
        .with_columns(order=pl.col("branch").replace_strict(order, default=len(order), return_dtype=pl.Int64))
        .sort("row", "order", "branch")
        .group_by("row", maintain_order=True)
        .agg(pl.col("branch").str.join(", "))
        .sort("row")["branch"]
    )
