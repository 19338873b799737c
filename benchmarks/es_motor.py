"""A real motor portfolio: what akb says as of 30 November 2017 against what happened next.

    python -m benchmarks.es_motor DATA/es_motor

The folder holds ``portfolio.csv``, and beside it ``premiums.csv`` (the premium from each renewal on) and ``claims.csv``
(per insurance year); ``raw.zip``, the same as one row per policy and insurance year, must say the same. The truth is
counted here, from the file, with code that shares nothing with akb: a customer has left within h days if the last
policy in force on the day ended by then and none started within 31 days of that end. The rule "days to renewal" is
worked out here too; that of a plain LightGBM on the same split comes from the description of the data.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import roc_auc_score

from benchmarks.runs import eda

AS_OF = date(2017, 11, 30)
GAP = timedelta(days=31)
HORIZONS = {1: (30, 0.94, 0.92), 3: (91, 0.88, 0.86), 6: (182, 0.78, 0.77), 12: (365, 0.645, 0.64)}
"""Months -> days, AUC of a plain LightGBM, AUC asked for."""


def in_force(export: Path, as_of: date = AS_OF) -> pl.DataFrame:
    """Customer, start and end of the policies of everybody who has one in force."""
    table = pl.read_csv(export, try_parse_dates=True)
    held = table.filter(pl.col("start_date") <= as_of, pl.col("end_date").is_null() | (pl.col("end_date") > as_of))
    return table.join(held.select("customer_id").unique(), on="customer_id").sort("customer_id", "start_date")


def leaving_days(export: Path, as_of: date = AS_OF) -> dict[str, int | None]:
    """Days from `as_of` until each customer in force had left; None if not within the file."""
    days: dict[str, int | None] = {}
    for customer, policies in in_force(export, as_of).group_by("customer_id"):
        rows = list(policies.select("start_date", "end_date").iter_rows())
        ends = [end for start, end in rows if start <= as_of and (end is None or end > as_of)]
        reach: date | None = as_of
        for start, end in [(as_of, max(ends) if None not in ends else None), *rows]:
            if reach is None or (end is None and start <= reach + GAP):
                reach = None
                break
            if start <= reach + GAP and end is not None and end > reach:
                reach = end
        days[str(customer[0])] = None if reach is None else (reach - as_of).days
    return days


def renewal_days(export: Path, as_of: date = AS_OF) -> dict[str, int]:
    """Days from `as_of` to the next anniversary of a policy in force, per customer."""
    table = in_force(export, as_of).filter(
        pl.col("start_date") <= as_of, pl.col("end_date").is_null() | (pl.col("end_date") > as_of)
    )
    age = (pl.lit(as_of) - pl.col("start_date")).dt.total_days()
    due = 365 - (age % 365.25).floor()
    return dict(table.group_by("customer_id").agg(due.min()).iter_rows())


def main() -> None:
    folder = Path(sys.argv[1])
    folder = folder if folder.is_dir() else folder.parent
    export = folder / "portfolio.csv"
    truth, due = leaving_days(export), renewal_days(export)
    files = [path for path in (export, folder / "premiums.csv", folder / "claims.csv") if path.exists()]
    for given in [files, *([[export]] if "--without" in sys.argv else [])]:
        run = eda(given, "--as-of", AS_OF.isoformat())
        scores = run.scores.filter(pl.col("customer").is_in(list(truth)))
        assert scores.height == run.scores.height == len(truth), (scores.height, run.scores.height, len(truth))
        print(f"{' '.join(path.name for path in given)}: {run.seconds:.1f} s, {run.peak_mib:.0f} MiB", end="")
        print(f", {scores.height:,} customers in force")
        print("horizon   happened  predicted    AUC   asked   plain LightGBM   renewal rule")
        near = -np.array([due[customer] for customer in scores["customer"]])
        for months, (horizon, boosting, asked) in HORIZONS.items():
            left = [truth[c] is not None and truth[c] <= horizon for c in scores["customer"]]
            chance = scores[f"churn_{months}m"]
            auc, rule = roc_auc_score(left, chance), roc_auc_score(left, near)
            print(
                f"{horizon:4d} d   {sum(left) / len(left):8.2%}  {chance.mean():8.2%}   {auc:.3f}  {asked:.3f}"
                f"            {boosting:.3f}          {rule:.3f}"
            )


if __name__ == "__main__":
    main()
