"""A real Spanish motor portfolio: what akb says as of 30 November 2017 against what happened next.

    python -m benchmarks.es_motor DATA/es_motor/portfolio.csv

The truth is counted here, from the raw file, with code that shares nothing with akb: a customer has left within h days
if the last policy in force on the day ended by then and none started within 31 days of that end. The yardsticks are a
plain LightGBM and the rule "days to renewal" on the same split, from the description of the data.
"""

from __future__ import annotations

import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl
from sklearn.metrics import roc_auc_score

from benchmarks.runs import eda

AS_OF = date(2017, 11, 30)
GAP = timedelta(days=31)
YARDSTICK = {1: (30, 0.94, 0.86), 3: (91, 0.88, 0.79), 6: (182, 0.78, 0.70), 12: (365, 0.645, 0.52)}


def leaving_days(export: Path, as_of: date = AS_OF) -> dict[str, int | None]:
    """Days from `as_of` until each customer in force had left; None if not within the file."""
    days: dict[str, int | None] = {}
    table = pl.read_csv(export, try_parse_dates=True)
    for customer, policies in table.sort("start_date").group_by("customer_id"):
        rows = list(policies.select("start_date", "end_date").iter_rows())
        ends = [end for start, end in rows if start <= as_of and (end is None or end > as_of)]
        if not ends:
            continue
        reach: date | None = as_of
        for start, end in [(as_of, max(ends) if None not in ends else None), *rows]:
            if reach is None or (end is None and start <= reach + GAP):
                reach = None
                break
            if start <= reach + GAP and end is not None and end > reach:
                reach = end
        days[str(customer[0])] = None if reach is None else (reach - as_of).days
    return days


def main() -> None:
    export = Path(sys.argv[1])
    run = eda([export], "--as-of", AS_OF.isoformat())
    truth = leaving_days(export)
    scores = run.scores.filter(pl.col("customer").is_in(list(truth)))
    assert scores.height == run.scores.height == len(truth), (scores.height, run.scores.height, len(truth))
    print(f"{run.seconds:.1f} s, {run.peak_mib:.0f} MiB, {scores.height:,} customers in force")
    print("horizon   base rate  predicted   AUC    plain LightGBM   rule")
    for months, (horizon, boosting, rule) in YARDSTICK.items():
        left = [truth[c] is not None and truth[c] <= horizon for c in scores["customer"]]
        chance = scores[f"churn_{months}m"]
        auc = roc_auc_score(left, chance)
        print(
            f"{horizon:4d} d   {sum(left) / len(left):8.2%}  {chance.mean():8.2%}   {auc:.3f}   {boosting:.3f}"
            f"            {rule:.2f}"
        )


if __name__ == "__main__":
    main()
