"""What became of the lists: hits, and euros per line of the case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.dates import add_months
from akb.features.facts import CAUSES
from akb.live.evaluation.happened import MOST_UNKNOWN
from akb.live.evaluation.judge import level_alarm

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.ingest.types import Portfolio
    from akb.live.evaluation.happened import Followed
    from akb.live.evaluation.stored_run import PastRun

DEPTHS = (100, 250, 500)
"""How far down a list hits are counted, besides the whole of it."""


def lines(
    run: PastRun, followed: Followed, portfolio: Portfolio, branches: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return a row per line of the case, see `_line`: of what the run listed and the export shows.

    Parameters
    ----------
    branches
        Name of a branch as lists write it -> its key.

    Returns
    -------
    ``relation``: whole relations on Top Defend that ended for a preventable cause (any, where the
    export has no reasons), weighed by the value at stake. ``policy``: policies lost by who is on
    it, by commission. ``purchase``: the discussed policies of the list of next best policies that
    were taken, by the commission that the list says."""
    until = add_months(followed.as_of, 12)
    rows = []
    defended = run.listed("top_defend")
    if defended.height:
        rows += [
            _line("relation", _relation(defended, followed, until)),
            _line("policy", _policy(defended, followed, portfolio)),
        ]
    offered = run.listed("next_best_policy")
    if offered.height and {"branch", "probability"} <= set(offered.columns):
        rows.append(_line("purchase", _purchase(offered, followed, branches)))
    return [row for row in rows if row is not None]


def dutch(column: str) -> pl.Expr:
    """Return numbers out of cells of Dutch Excel."""
    return pl.col(column).str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)


def _relation(listed: pl.DataFrame, followed: Followed, until: Any) -> pl.DataFrame:
    gone = (pl.col("end_date") <= until).fill_null(value=False)
    ended = followed.targets.relation.filter(gone)
    # without reasons every end counts, beside the chance of any
    known = (ended["cause"] == "unknown").sum() <= MOST_UNKNOWN * ended.height
    chance = "churn_preventable_12m" if known else "churn_12m"
    counted = ["preventable", "unknown"] if known else [*CAUSES]
    could = pl.col("cause").is_in(counted).fill_null(value=False)
    return (
        _ranked(listed)
        .join(_scored(followed, chance, "value_at_stake"), on="customer")
        .join(followed.targets.relation.rename({"customer": "number"}), on="number")
        .select(
            "rank",
            "number",
            expected=pl.col(chance),
            happened=(gone & could).cast(pl.Float64),
            worth=pl.col("value_at_stake"),
        )
    )


def _policy(listed: pl.DataFrame, followed: Followed, portfolio: Portfolio) -> pl.DataFrame:
    earned = (
        portfolio.policies.filter(
            (pl.col("start_date") <= followed.as_of)
            & (pl.col("end_date").is_null() | (pl.col("end_date") > followed.as_of))
        )
        .group_by(number="customer")
        .agg(worth=pl.col("commission_cents").mean() / 100)
    )
    lost = followed.targets.counts.select(
        number="customer", happened=pl.col("lapses_12m").cast(pl.Float64)
    )
    return (
        _ranked(listed)
        .join(_scored(followed, "policies_lost_12m"), on="customer")
        .join(lost, on="number")
        .join(earned, on="number", how="left")
        .select("rank", "number", "happened", "worth", expected="policies_lost_12m")
    )


def _purchase(
    listed: pl.DataFrame, followed: Followed, branches: Mapping[str, str]
) -> pl.DataFrame:
    taken = followed.targets.eligible.frame.select(
        number="customer",
        key=pl.col("branch").cast(pl.String),
        happened=pl.col("label").cast(pl.Float64),
    )
    money = [name for name in ("commission",) if name in listed.columns]
    return (
        _ranked(listed, "branch", "probability", *money)
        .with_columns(
            expected=dutch("probability"),
            worth=dutch("commission") if money else pl.lit(None, pl.Float64),
            key=pl.col("branch").replace_strict(branches, default=None, return_dtype=pl.String),
        )
        .join(_scored(followed), on="customer")
        .join(taken, on=["number", "key"])
        .select("rank", "number", "expected", "happened", "worth")
    )


def _ranked(listed: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return who is listed and where, with some columns; the others repeat the scores as texts."""
    return listed.select("customer", pl.col("rank").cast(pl.Int64), *columns)


def _scored(followed: Followed, *columns: str) -> pl.DataFrame:
    there = [name for name in columns if name in followed.scores.columns]
    none = [pl.lit(None, pl.Float64).alias(name) for name in columns if name not in there]
    chosen = followed.scores.select("customer", "number", *(pl.col(each) for each in there), *none)
    return chosen.with_columns(pl.col(name).cast(pl.Float64) for name in there)


def _line(key: str, table: pl.DataFrame) -> dict[str, Any] | None:
    """Return one line: ``listed`` rows of the list that can be followed, ``expected`` and
    ``observed`` events, the same in euros (None where no worth is known), hits down to each depth,
    and the alarm.
    """
    known = table.filter(pl.col("expected").is_not_null()).sort("rank")
    if known.is_empty():
        return None
    expected, happened = known["expected"].to_numpy(), known["happened"].to_numpy()
    valued = known.filter(pl.col("worth").is_not_null())
    euros = {
        f"{name}_euros": float((valued[name] * valued["worth"]).sum()) if valued.height else None
        for name in ("expected", "happened")
    }
    depths = [depth for depth in DEPTHS if depth < known.height]
    return {
        "key": key,
        "listed": known.height,
        "customers": known["number"].n_unique(),
        "expected": float(expected.sum()),
        "observed": float(happened.sum()),
        "expected_euros": euros["expected_euros"],
        "observed_euros": euros["happened_euros"],
        "hits": [
            {
                "depth": depth,
                "expected": float(expected[:depth].sum()),
                "observed": float(happened[:depth].sum()),
                "rate": float(np.mean(happened[:depth])),
            }
            for depth in [*depths, known.height]
        ],
        "alarm": level_alarm(happened, expected, known["number"].to_numpy()),
    }
