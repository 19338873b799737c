"""Commission divided by premium: what both are per, and whether the premium holds tax, show in it.

Agreed commission rates are round numbers, multiples of half a percent. So commission is a round
percentage of the right premium, and of no other.

A worked row: a monthly payer with a premium of 20.00 and a commission of 48.00. As they stand the
rate is 240 %, which nobody pays; with the premium times twelve it is 48 / 240 = 20 %: the premium
is per instalment, the commission per year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from akb.ingest.columns.readings import Reading
from akb.ingest.money_conventions.levels import level_by_term
from akb.ingest.money_conventions.thresholds import ENOUGH, INSTALMENTS, NEAR, TAX, ahead

Relation = Literal[
    "same", "premium", "commission"
]  # which of the two is per instalment where the other is per year

FACTOR: dict[Relation, pl.Expr] = {
    "same": pl.lit(1.0), "premium": pl.col("term") / 12, "commission": 12 / pl.col("term"),
}  # fmt: skip
_ROUND, _LOWEST, _HIGHEST = (
    0.005,
    0.04,
    0.40,
)  # agreed rates: multiples of half a percent in this range
_SHARP = 0.25  # rows whose amounts are so small that a quarter of all rates looks round say nothing
_PLACES: dict[Relation, float] = {"same": 0.0, "premium": -1.0, "commission": 1.0}


@dataclass(frozen=True)
class Related:
    """Which of premium and commission is per instalment where the other is per year, and what
    showed it.
    """

    relation: Relation
    why: str
    numbers: dict[str, int]

    def reading(self, value: str) -> Reading:
        """Return a reading that rests on it."""
        return Reading(value, "data", self.why, self.numbers)


def ratios_of(rows: pl.DataFrame, premium: str, commission: str) -> pl.DataFrame:
    """Return branch, term, taxed and r (commission / premium) with its rounding error ``err``,
    where both are known.
    """
    p, c = pl.col(premium), pl.col(commission)
    return rows.filter(p > 0, c > 0).select(
        "branch", "term", "taxed", r=c / p, err=(c / p) * (1.0 / p + 1.0 / c) + 1e-9
    )


def is_round(factor: pl.Expr) -> pl.Expr:
    """Say on which rows commission is a round percentage of premium once their ratio is multiplied
    by `factor`.
    """
    r, err = pl.col("r") * factor, pl.col("err") * factor
    off = (r - (r / _ROUND).round() * _ROUND).abs()
    return (off <= err) & (2 * err <= _SHARP * _ROUND) & r.is_between(_LOWEST, _HIGHEST)


def related_by(pairs: pl.DataFrame) -> Related | None:
    """Say which of premium and commission is per instalment where the other is per year.

    None if nothing shows.
    """
    short = pairs.filter(pl.col("term").is_in(INSTALMENTS))
    if short.height >= ENOUGH:
        tax = pl.when("taxed").then(1 + TAX).otherwise(1.0)
        counts: dict[str, int] = short.select(
            (is_round(way) | is_round(way * tax)).sum().alias(name) for name, way in FACTOR.items()
        ).row(0, named=True)
        best = ahead(counts, short.height)
        for name in FACTOR:
            if name == best:
                other = sorted(counts.values())[-2]
                return Related(
                    name,
                    f"round_{name}",
                    {"hits": counts[name], "of": short.height, "other": other},
                )
    found = level_by_term(pairs, pl.col("r"))
    for name, place in _PLACES.items():
        if found.way is not None and abs(found.way - place) < NEAR:
            return Related(name, f"ratio_{name}", {"short": found.short, "yearly": found.yearly})
    return None


def taxed_ratios(pairs: pl.DataFrame, found: Related | None) -> tuple[pl.DataFrame, pl.Expr]:
    """Return the ratios of taxed branches, and what they are multiplied by to be of amounts of the
    same period.
    """
    relation: Relation = found.relation if found else "same"
    return pairs.filter("taxed", pl.lit(relation == "same") | (pl.col("term") > 0)), FACTOR[
        relation
    ]
