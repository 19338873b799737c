"""A lapse basis: central rates per branch and policy year, graduated by credibility, with a margin.

rate = shape of the book by policy year x level of the branch x shape of the branch by band. Each
step is drawn to the one before as far as the experience is too small to speak for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.value.actuarial.credibility import (
    Credibility,
    buhlmann_straub,
    limited_fluctuation,
)
from akb.value.actuarial.exposure import BANDS, DAYS, LAST_SINGLE, band_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.value.actuarial.credibility import Floats

AGES = LAST_SINGLE + 1
BETWEEN_YEARS = 0.05  # floor of the spread between years, as in the intervals of every level
ONE_SIDED = 1.2816  # a margin that the true rate of a coming year passes in one case of ten
FEW = 50  # lapses under which a cell's own experience is called blended
ROUNDS = 50


@dataclass(frozen=True)
class Basis:
    """Rates, and the credibility behind them.

    Parameters
    ----------
    rates
        branch, policy_year (the last stands for older ones too), ``years`` and ``lapses`` of its
        own, ``customers``, ``rate`` (null beyond the data), ``margin`` (relative), ``high`` and
        ``low`` (rate with the margin up and down), ``source``: own | blended | book | none.
    branches
        branch, ``level`` (against the book's shape), ``ratio`` (own), ``limited``, ``buhlmann``.
    level, shape
        Credibility between branches, and between their bands (branch-major).
    """

    rates: pl.DataFrame
    branches: pl.DataFrame
    level: Credibility
    shape: Credibility

    def expected(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Return the cells with ``expected`` lapses and ``expected_cents``."""
        rate = self.rates.select("branch", "policy_year", pl.col("rate").fill_null(0.0))
        years = pl.col("rate").fill_null(0.0) / DAYS
        return (
            cells.join(rate, on=["branch", "policy_year"], how="left", maintain_order="left")
            .with_columns(
                expected=pl.col("days") * years, expected_cents=pl.col("cent_days") * years
            )
            .drop("rate")
        )


def dispersion(lapses: pl.DataFrame, *within: str) -> float:
    """Return by how much more lapses vary than independent ones: customers end several at once.

    Parameters
    ----------
    within
        Columns whose values are told apart: what counts is how many lapses of one customer fall in
        one of them.
    """
    own = lapses.group_by("customer", "period", *within).len("n")["n"].cast(pl.Int64).to_numpy()
    return max(1.0, float((own**2).sum()) / float(own.sum())) if len(own) else 1.0


def dispersions(lapses: pl.DataFrame) -> dict[str, float]:
    """Return `dispersion` of every branch in which something lapsed."""
    n = pl.col("n").cast(pl.Int64)
    own = lapses.group_by("branch", "customer", "period").len("n")
    sums = own.group_by("branch").agg(squares=(n**2).sum(), total=n.sum())
    return {branch: max(1.0, squares / total) for branch, squares, total in sums.iter_rows()}


def lapse_basis(cells: pl.DataFrame, lapses: pl.DataFrame, branches: Sequence[str]) -> Basis:
    """Return a basis from whole years.

    Parameters
    ----------
    cells, lapses
        See `exposure.cells`.
    branches
        Every branch that a rate is asked for; one without experience gets the book's.
    """
    periods = sorted(cells["period"].unique().to_list())
    days, ended, customers = _cubes(cells, branches, periods, "days", "lapses", "customers")
    exposed = days / DAYS
    total, gone = exposed.sum(axis=2), ended.sum(axis=2)
    raw_level, raw_shape = _main_effects(total, gone)
    shape = _graduated(raw_shape, (raw_level[:, None] * total).sum(axis=0), lapses)
    spread = dispersion(lapses, "branch")

    expected = exposed * shape[None, :, None]
    level = buhlmann_straub(ended.sum(axis=1), expected.sum(axis=1), spread)
    places = _bands()
    by_band = np.stack([expected[:, place].sum(axis=1) for place in places], axis=1)
    band_ended = np.stack([ended[:, place].sum(axis=1) for place in places], axis=1)
    by_band *= level.estimate[:, None, None]
    flat = (len(branches) * len(places), len(periods))
    bands = buhlmann_straub(band_ended.reshape(flat), by_band.reshape(flat), spread)
    own = bands.estimate.reshape(len(branches), len(places))

    of_age = np.concatenate([[number] * len(ages) for number, ages in enumerate(map(_ages, BANDS))])
    rate = shape[None, :] * level.estimate[:, None] * own[:, of_age]
    misses = (
        level.uncertainty[:, None] / np.maximum(level.estimate, 0.1)[:, None] ** 2
        + bands.uncertainty.reshape(own.shape)[:, of_age]
        + spread / np.maximum((shape[None, :] * total).sum(axis=0), 1.0)[None, :]
        + BETWEEN_YEARS**2
    )
    margin = ONE_SIDED * np.sqrt(misses)
    seen = total.sum(axis=0) > 0
    rates = pl.DataFrame(
        {
            "branch": np.repeat(np.array(branches, dtype=object), AGES).tolist(),
            "policy_year": np.tile(np.arange(1, AGES + 1), len(branches)),
            "years": total.ravel(),
            "lapses": gone.ravel().round().astype(np.int64),
            "customers": customers.max(axis=2).ravel(),
            "rate": rate.ravel(),
            "margin": margin.ravel(),
            "source": _sources(total, gone, seen),
        },
        schema_overrides={"branch": pl.String, "policy_year": pl.Int32},
    )
    known = pl.col("source") != "none"
    rates = rates.with_columns(
        customers=pl.col("customers").cast(pl.Int64),
        rate=pl.when(known).then("rate"),
        margin=pl.when(known).then("margin"),
    ).with_columns(
        high=pl.col("rate") * pl.col("margin").exp(), low=pl.col("rate") * (-pl.col("margin")).exp()
    )
    seen_in = _evidence(lapses, pl.col("branch"))
    table = pl.DataFrame(
        {
            "branch": list(branches),
            "level": level.estimate,
            "ratio": level.ratio,
            "limited": [limited_fluctuation(seen_in.get(branch, 0.0)) for branch in branches],
            "buhlmann": level.weight,
        },
        schema_overrides={"branch": pl.String},
    ).with_columns(pl.col("ratio").fill_nan(None))
    return Basis(rates, table, level, bands)


def _ages(band: tuple[int, int | None]) -> range:
    return range(band[0], (band[1] or AGES) + 1)


def _bands() -> list[slice]:
    return [slice(first - 1, last or AGES) for first, last in BANDS]


def _cubes(
    cells: pl.DataFrame, branches: Sequence[str], periods: Sequence[int], *columns: str
) -> list[Floats]:
    """Return columns as (branches, policy years, periods)."""
    out = [np.zeros((len(branches), AGES, len(periods))) for _ in columns]
    known = cells.filter(pl.col("branch").is_in(list(branches)))
    if known.is_empty():
        return out
    row = {branch: place for place, branch in enumerate(branches)}
    time = {period: place for place, period in enumerate(periods)}
    place = (
        known["branch"].replace_strict(row, return_dtype=pl.Int64).to_numpy(),
        known["policy_year"].to_numpy() - 1,
        known["period"].replace_strict(time, return_dtype=pl.Int64).to_numpy(),
    )
    for cube, column in zip(out, columns, strict=True):
        np.add.at(cube, place, known[column].cast(pl.Float64).to_numpy())
    return out


def _main_effects(exposed: Floats, ended: Floats) -> tuple[Floats, Floats]:
    """Return level by branch and rate by policy year of the multiplicative Poisson model."""
    level = np.ones(exposed.shape[0])
    shape = np.zeros(exposed.shape[1])
    by_age, by_branch = ended.sum(axis=0), ended.sum(axis=1)
    for _ in range(ROUNDS):
        shape = _ratio(by_age, (level[:, None] * exposed).sum(axis=0))
        level = _ratio(by_branch, (shape[None, :] * exposed).sum(axis=1))
    return level, shape


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _graduated(raw: Floats, exposed: Floats, lapses: pl.DataFrame) -> Floats:
    """Return the book's rate by policy year: a year is drawn to its band, a band to the one before
    it, the first to the whole.
    """
    out = np.zeros(AGES)
    whole = float((raw * exposed).sum()) / float(exposed.sum()) if exposed.sum() > 0 else 0.0
    before = whole
    by_age = _evidence(lapses, pl.col("policy_year"))
    by_band = _evidence(lapses, band_of())
    for band in BANDS:
        places = [age - 1 for age in _ages(band)]
        mass = float(exposed[places].sum())
        own = float((raw * exposed)[places].sum()) / mass if mass > 0 else 0.0
        z = limited_fluctuation(by_band.get(band[0], 0.0)) if mass > 0 else 0.0
        before = z * own + (1 - z) * before
        for place in places:
            z = limited_fluctuation(by_age.get(place + 1, 0.0)) if exposed[place] > 0 else 0.0
            out[place] = z * raw[place] + (1 - z) * before
    return out


def _evidence(lapses: pl.DataFrame, by: pl.Expr) -> dict[Any, float]:
    """Return key -> effective number of lapses."""
    own = lapses.group_by(by.alias("key"), "customer", "period").len("n")
    squares = own.group_by("key").agg(
        total=pl.col("n").cast(pl.Float64).sum(), squares=(pl.col("n").cast(pl.Float64) ** 2).sum()
    )
    return {key: total * total / square for key, total, square in squares.sort("key").iter_rows()}


def _sources(total: Floats, gone: Floats, seen: Floats) -> list[str]:
    """Return per branch and policy year where a rate comes from."""
    out = []
    for branch in range(total.shape[0]):
        for band in BANDS:
            lapses = sum(gone[branch, age - 1] for age in _ages(band))
            for age in _ages(band):
                if not seen[age - 1]:
                    out.append("none")
                elif not total[branch, age - 1]:
                    out.append("book")
                else:
                    out.append("own" if lapses >= FEW else "blended")
    return out
