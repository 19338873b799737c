"""Care gaps: branches that comparable customers hold and this one does not. For the duty of care,
never for euros.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.relations import covers
from akb.value.in_force import InForce, band_labels
from akb.value.targeting.contact import rules

if TYPE_CHECKING:
    from akb.value.in_force import Floats

SCHEMA = {"row": pl.Int64, "customer": pl.UInt32, "branch": pl.String, "share": pl.Float64}


def care_gaps(base: InForce) -> pl.DataFrame:
    """Return the widest gap per customer: row, customer, branch, ``share`` of comparable customers
    who hold it.

    Only branches that the customer could take count (the models' eligible pairs), and only from the
    minimum share on. The share is the prediction ``need_{branch}`` where the run has it, else
    `comparable_share`. Of equal shares the first in the taxonomy counts.

    Notes
    -----
    A branch at a time: there are tens of pairs per customer, and one gap."""
    eligible = covers(base.models.branch_purchase.select("customer", "branch"))
    pairs = eligible.join(base.customers.select("customer", "row"), on="customer")
    if pairs.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    found = set(pairs["branch"].unique().cast(pl.String))
    branches = [branch for branch in base.taxonomy if branch in found]
    peers = comparable_groups(base)
    widest = np.full(base.n, float(rules("arbitration", "care")["minimum_share"]))
    place = np.full(base.n, -1, dtype=np.int64)
    for number, branch in enumerate(branches):
        rows = pairs.filter(pl.col("branch") == branch)["row"].to_numpy()
        need = base.score(f"need_{branch}")
        share = (comparable_share(base, peers, branch) if need is None else need)[rows]
        wider = (share > widest[rows]) | ((share == widest[rows]) & (place[rows] < 0))
        widest[rows[wider]], place[rows[wider]] = share[wider], number
    gap = np.flatnonzero(place >= 0)
    names = pl.Series(branches, dtype=pl.String)
    return pl.DataFrame(
        {
            "row": gap,
            "customer": base.customers["customer"].gather(gap),
            "branch": names.gather(place[gap]),
            "share": widest[gap],
        },
        schema=SCHEMA,
    )


def comparable_groups(base: InForce) -> pl.DataFrame:
    """Return row, kind and ``group`` (kind and age band) of everybody in force."""
    kind = base.customers["kind"].fill_null("private")
    age = (base.as_of.year - base.customers["birth_year"]).fill_null(-1)
    bands = np.where(age.to_numpy() < 0, "?", np.array(band_labels("age", age.to_numpy())))
    group = pl.Series(
        [f"{k}|{b}" if k == "private" else k for k, b in zip(kind, bands.tolist(), strict=True)]
    )
    return pl.DataFrame({"row": base.customers["row"], "kind": kind, "group": group})


def comparable_share(base: InForce, peers: pl.DataFrame, branch: str) -> Floats:
    """Return (n,): how many customers of the same kind and age band hold the branch.

    Small groups are drawn to all customers of their kind: (holders + m x share of the kind) /
    (customers + m).

    Parameters
    ----------
    peers
        Of `comparable_groups`.
    """
    prior = float(rules("arbitration", "care")["prior_customers"])
    holders = base.held.filter(pl.col("branch") == branch)["row"].unique()
    holds = peers.with_columns(holds=pl.col("row").is_in(holders.implode()).cast(pl.Float64))
    own, members, all_kind = (
        pl.col("holds").sum().over("group"),
        pl.len().over("group"),
        pl.col("holds").mean(),
    )
    share = (own + prior * all_kind.over("kind")) / (members + prior)
    found: Floats = holds.select(share)["holds"].to_numpy()
    return found
