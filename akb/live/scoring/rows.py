"""The rows of one customer before and after corrections, as the stored models expect them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.features.types import Matrix

if TYPE_CHECKING:
    from akb.features.types import Targets
    from akb.ingest.types import Portfolio
    from akb.live.scoring.stored import StoredRun
    from akb.models.rescoring import PlainScores


def answered(
    run: StoredRun,
    whole: tuple[Portfolio, Matrix, Targets],
    made: Portfolio,
    number: int,
    other: int,
) -> PlainScores:
    """Return what the models say of a customer as the export knows him (`number`) and corrected
    (`other`).

    Parameters
    ----------
    whole
        The portfolio of the run, its features and targets at X.
    made
        Of `corrections.pair`.
    """
    from akb.features import branch_rows_of, build_matrix
    from akb.models.rescoring import plain_scores

    portfolio, matrix, targets = whole
    day, settings = portfolio.as_of, run.settings.with_branches(portfolio.own_branches)
    filled = with_filler(made, portfolio, other + 1)
    small = build_matrix(filled, [day], settings)
    row = matrix.frame.filter(pl.col("customer") == number)
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


def with_filler(made: Portfolio, whole: Portfolio, number: int) -> Portfolio:
    """Return the portfolio with a customer who left long ago, so that it holds every branch, and
    records begin and end on the days on which they do.
    """
    day = whole.as_of
    long_ago = day.replace(year=day.year - 60, day=1)
    branches = sorted(set(whole.policies["branch"].unique()))
    top = int(made.policies["policy"].max()) + 1  # type: ignore[arg-type]
    rows = {
        "policy": range(top, top + len(branches)),
        "customer": [number] * len(branches),
        "branch": branches,
        "start_date": [long_ago] * len(branches),
        "end_date": [long_ago.replace(day=2)] * len(branches),
        "cause": ["unknown"] * len(branches),
        "replaces": [False] * len(branches),
    }
    schema = whole.policies.schema
    filler = pl.DataFrame(rows, schema={name: schema[name] for name in rows})
    policies = pl.concat([made.policies, filler], how="diagonal")
    person = made.customers.head(1).with_columns(
        customer=pl.lit(number, dtype=made.customers.schema["customer"])
    )

    def edges(small: pl.DataFrame | None, every: pl.DataFrame | None) -> pl.DataFrame | None:
        if small is None or every is None or every.is_empty():
            return small
        days = every["date"]
        both = pl.concat([every.filter(days == each).head(1) for each in (days.min(), days.max())])
        own = both.with_columns(customer=pl.lit(number, dtype=every.schema["customer"]))
        if "policy" in own.columns:
            own = own.with_columns(policy=pl.lit(None, dtype=own.schema["policy"]))
        return pl.concat([small, own])

    return replace(
        made,
        policies=policies.sort("customer", "branch", "start_date", maintain_order=True),
        customers=pl.concat([made.customers, person]).sort("customer"),
        claims=edges(made.claims, whole.claims),
        contacts=edges(made.contacts, whole.contacts),
        payments=edges(made.payments, whole.payments),
    )


def _both(
    row: pl.DataFrame, small: pl.DataFrame, number: int, other: int, names: tuple[str, ...]
) -> pl.DataFrame:
    """The row of the customer, and below it the same with what his own data alone changed."""
    there = [name for name in names if name in small.columns]
    mine, theirs = (small.filter(pl.col("customer") == each) for each in (number, other))
    former, was, now = (frame.select(there).to_numpy()[0] for frame in (row, mine, theirs))
    same = (former == was) | (np.isnan(former) & np.isnan(was))
    changed = same & ~((was == now) | (np.isnan(was) & np.isnan(now)))
    values = np.where(changed, now, former).astype(np.float32).reshape(1, -1)
    own = pl.DataFrame(values, schema=there).with_columns(pl.all().fill_nan(None))
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
