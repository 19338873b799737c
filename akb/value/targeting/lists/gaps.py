"""Care gaps: branches that comparable customers hold and this one does not. For the duty of care,
never for euros.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from akb.core.relations import covers
from akb.value.in_force import InForce, band_labels
from akb.value.targeting.contact import rules

SCHEMA = {"row": pl.Int64, "customer": pl.UInt32, "branch": pl.String, "share": pl.Float64}


def care_gaps(base: InForce) -> pl.DataFrame:
    """Return the widest gap per customer: row, customer, branch, ``share`` of comparable customers
    who hold it.

    Only branches that the customer could take count (the models' eligible pairs), and only from the
    minimum share on. The share is the prediction ``need_{branch}`` where the run has it, else
    `comparable_share`."""
    eligible = covers(base.models.branch_purchase.select("customer", "branch"))
    pairs = eligible.join(base.customers.select("customer", "row"), on="customer")
    if pairs.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    shares = pairs.join(
        comparable_share(base, sorted(pairs["branch"].unique())), on=["row", "branch"], how="left"
    )
    order = pl.DataFrame({"branch": list(base.taxonomy)}).with_row_index("order")
    return (
        shares.filter(pl.col("share") >= float(rules("arbitration", "care")["minimum_share"]))
        .join(order, on="branch", how="left")
        .sort(["row", "share", "order", "branch"], descending=[False, True, False, False])
        .unique("row", keep="first", maintain_order=True)
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    )


def comparable_share(base: InForce, branches: list[str]) -> pl.DataFrame:
    """Return row, branch, ``share``: how many customers of the same kind and age band hold the
    branch.

    Small groups are drawn to all customers of their kind: (holders + m x share of the kind) /
    (customers + m)."""
    kind = base.customers["kind"].fill_null("private")
    age = (base.as_of.year - base.customers["birth_year"]).fill_null(-1)
    bands = np.where(age.to_numpy() < 0, "?", np.array(band_labels("age", age.to_numpy())))
    group = pl.Series(
        [f"{k}|{b}" if k == "private" else k for k, b in zip(kind, bands.tolist(), strict=True)]
    )
    people = pl.DataFrame({"row": base.customers["row"], "kind": kind, "group": group})
    prior = float(rules("arbitration", "care")["prior_customers"])
    made = []
    for branch in branches:
        need = base.score(f"need_{branch}")
        if need is not None:
            made.append(
                people.select("row", branch=pl.lit(branch), share=pl.Series(need, nan_to_null=True))
            )
            continue
        holders = base.held.filter(pl.col("branch") == branch)["row"].unique()
        holds = people.with_columns(holds=pl.col("row").is_in(holders.implode()).cast(pl.Float64))
        own, members, all_kind = (
            pl.col("holds").sum().over("group"),
            pl.len().over("group"),
            pl.col("holds").mean(),
        )
        share = (own + prior * all_kind.over("kind")) / (members + prior)
        made.append(holds.select("row", branch=pl.lit(branch), share=share))
    return pl.concat(made)
