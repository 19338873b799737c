"""The rows of one customer before and after corrections, as the stored models expect them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.features.types import Matrix

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.features.types import Targets
    from akb.ingest.types import Portfolio
    from akb.live.scoring.stored import StoredRun
    from akb.models.rescoring import PlainScores


@dataclass(frozen=True)
class WholeRun:
    """What a run knows of everyone at X."""

    matrix: Matrix
    targets: Targets
    settings: Settings
    filler: Filler


def answered(
    run: StoredRun,
    whole: WholeRun,
    made: Portfolio,
    number: int,
    other: int,
) -> PlainScores:
    """Return what the models say of a customer as the export knows him (`number`) and corrected
    (`other`).

    Parameters
    ----------
    whole
        What the run knows of everyone at X.
    made
        Of `corrections.pair`.
    """
    from akb.features import branch_rows_of, build_matrix
    from akb.models.rescoring import plain_scores

    matrix, targets, settings = whole.matrix, whole.targets, whole.settings
    filled = whole.filler.beside(made)
    small = build_matrix(filled, [made.as_of], settings)
    row = matrix.of(number)
    frame = _both(row, small.frame, number, other, matrix.names)
    held, eligible = branch_rows_of(filled, small, settings, run.taught_branches())
    branch = [
        replace(
            rows,
            frame=_branches(known.frame, rows.frame, number, other, known.names),
            names=known.names,
        )
        for rows, known in ((held, targets.held), (eligible, targets.eligible))
    ]
    return plain_scores(
        Matrix(frame, matrix.features), (branch[0], branch[1]), targets, settings, run.models
    )


@dataclass(frozen=True)
class Filler:
    """A customer who left long ago and has been through everything that the portfolio knows: every
    branch, every subject of contacts, the first and last day of every record. Beside him one
    customer alone has the features that the whole portfolio has.
    """

    policies: pl.DataFrame
    customers: pl.DataFrame
    claims: pl.DataFrame | None
    contacts: pl.DataFrame | None
    payments: pl.DataFrame | None

    @classmethod
    def of(cls, whole: Portfolio) -> Filler:
        """Return the filler of a portfolio, under numbers that `corrections.pair` does not use."""
        schema = whole.policies.schema
        number = int(whole.customers["customer"].max()) + 2  # type: ignore[arg-type]
        first = 3 * (int(whole.policies["policy"].max()) + 1)  # type: ignore[arg-type]
        long_ago = whole.as_of.replace(year=whole.as_of.year - 60, day=1)
        branches = sorted(set(whole.policies["branch"].unique()))
        rows = {
            "policy": range(first, first + len(branches)),
            "customer": [number] * len(branches),
            "branch": branches,
            "start_date": [long_ago] * len(branches),
            "end_date": [long_ago.replace(day=2)] * len(branches),
            "cause": ["unknown"] * len(branches),
            "replaces": [False] * len(branches),
        }
        person = whole.customers.head(1).with_columns(
            customer=pl.lit(number, dtype=whole.customers.schema["customer"])
        )
        claims = whole.claims
        if claims is not None:
            of_policy = whole.policies.select("policy", of_policy="branch")
            placed = claims.join(of_policy, on="policy", how="left", maintain_order="left")
            branch = pl.coalesce("branch", "of_policy")
            claims = placed.with_columns(branch=branch).drop("of_policy")
        return cls(
            pl.DataFrame(rows, schema={name: schema[name] for name in rows}),
            person,
            _telling(claims, ["branch"], number),
            _telling(whole.contacts, ["channel", "subject"], number),
            _telling(whole.payments, ["kind"], number),
        )

    def beside(self, made: Portfolio) -> Portfolio:
        """Return a small portfolio with him in it."""

        def both(small: pl.DataFrame | None, own: pl.DataFrame | None) -> pl.DataFrame | None:
            return small if small is None or own is None else pl.concat([small, own])

        policies = pl.concat([made.policies, self.policies], how="diagonal")
        return replace(
            made,
            policies=policies.sort("customer", "branch", "start_date", maintain_order=True),
            customers=pl.concat([made.customers, self.customers]).sort("customer"),
            claims=both(made.claims, self.claims),
            contacts=both(made.contacts, self.contacts),
            payments=both(made.payments, self.payments),
        )


def _telling(events: pl.DataFrame | None, by: list[str], number: int) -> pl.DataFrame | None:
    """One event of every kind, and the first and the last, all of one customer."""
    if events is None or events.is_empty():
        return None
    ordered = events.sort("date", maintain_order=True)
    kinds = ordered.unique([name for name in by if name in events.columns], keep="first")
    own = pl.concat([ordered.head(1), ordered.tail(1), kinds]).with_columns(
        customer=pl.lit(number, dtype=events.schema["customer"])
    )
    if "policy" in own.columns:
        own = own.with_columns(policy=pl.lit(None, dtype=own.schema["policy"]))
    return own.sort("date", *[name for name in by if name in own.columns])


def _both(
    row: pl.DataFrame, small: pl.DataFrame, number: int, other: int, names: tuple[str, ...]
) -> pl.DataFrame:
    """The row of the customer, and below it the same with what his own data alone changed."""
    known = set(small.columns)
    there = [name for name in names if name in known]
    both = small.filter(pl.col("customer").is_in([number, other])).sort("customer")
    (former,), (was, now) = (frame.select(there).to_numpy() for frame in (row, both))
    same = (former == was) | (np.isnan(former) & np.isnan(was))
    changed = same & ~((was == now) | (np.isnan(was) & np.isnan(now)))
    values = np.where(changed, now, former).astype(np.float32).reshape(1, -1)
    own = pl.DataFrame(values, schema=there)  # unknown is NaN here, as the models take it
    rest = row.drop(there).with_columns(customer=pl.lit(other, dtype=row.schema["customer"]))
    corrected = pl.concat([rest, own], how="horizontal").select(row.columns)
    return pl.concat([row, corrected])


def _branches(
    whole: pl.DataFrame, small: pl.DataFrame, number: int, other: int, names: tuple[str, ...]
) -> pl.DataFrame:
    """The customer's branch rows, and those of the corrected one in the same way."""
    former = whole.filter(pl.col("customer") == number)
    was, now = (small.filter(pl.col("customer") == each) for each in (number, other))
    before = {branch: row for branch, *row in former.select("branch", *names).iter_rows()}
    then = {branch: row for branch, *row in was.select("branch", *names).iter_rows()}
    rows = []
    for branch, *values in now.select("branch", *names).iter_rows():
        known, own = before.get(branch), then.get(branch)
        if known is None or own is None:
            rows.append((branch, *values))
            continue
        rows.append(
            (
                branch,
                *(
                    new if old == stands and new != old else stands
                    for new, old, stands in zip(values, own, known, strict=True)
                ),
            )
        )
    made = former.select("branch", *names).clear()
    made = pl.DataFrame(rows, schema=made.schema, orient="row").with_columns(
        pl.lit(other, dtype=former.schema["customer"]).alias("customer")
    )
    both = pl.concat([former, made], how="diagonal")
    day = whole["as_of"][0] if whole.height else None
    return both.with_columns(pl.col("as_of").fill_null(pl.lit(day))).sort("branch", "customer")
