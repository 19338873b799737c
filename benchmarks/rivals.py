"""akb's rivals on a table without dates: cross-validation inside the rows given says who wins and is fitted to all.

What an export never is: a table in which every row is another customer and nothing happens later than anything else. So
random folds over customers are honest here, and only here; the engine itself always chooses and proves on later dates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from akb.models.learners import Model, Rate, Sample, fit_boosting, fit_logistic, fit_rule, from_link, to_link
from akb.models.temporal import compare_candidates

Floats = NDArray[np.float64]
FOLDS = 5
SIZES = (25, 50, 80, 120, 170)  # trees
SPLINES = 60  # columns of the logistic regression: small tables need not spare the time
SEEDS = 3  # boosters in one mean
FEWEST = 30  # rows that a word must have to get a column of its own


@dataclass(frozen=True)
class Table:
    """Features float32 [n, f] and their names."""

    x: NDArray[np.float32]
    names: tuple[str, ...]

    def sample(self, rows: NDArray[np.int64], label: NDArray[np.float64], rate: float) -> Sample:
        """Return some rows; every row starts from the logarithm of the odds of `rate`."""
        offset = to_link("binary", np.full(len(rows), rate))
        return Sample(self.x[rows], label[rows], np.ones(len(rows)), offset, rows, self.names)


def numeric(frame: pl.DataFrame) -> Table:
    """Return numbers as they are, and a column of 0 and 1 for each word that is not rare."""
    columns: list[pl.Series] = []
    for series in frame:
        if series.dtype.is_numeric():
            columns.append(series)
            continue
        words = series.cast(pl.String)
        counts = words.value_counts(sort=True).filter(pl.col("count") >= FEWEST)
        columns += [
            (words == word).cast(pl.Float32).alias(f"{series.name}={word}") for word in sorted(counts[words.name])
        ]
    return Table(
        np.column_stack([each.cast(pl.Float32).to_numpy() for each in columns]), tuple(each.name for each in columns)
    )


def _mean(models: Sequence[Callable[[Sample], Floats]]) -> Callable[[Sample], Floats]:
    """The mean of several models on the scale of log-odds."""
    return lambda rows: from_link("binary", np.mean([to_link("binary", model(rows)) for model in models], axis=0))


def _plain(model: Model) -> Callable[[Sample], Floats]:
    return lambda rows: model.predict(rows.x, rows.offset)


def _boosters(train: Sample, trees: int, seed: int) -> dict[int, Callable[[Sample], Floats]]:
    """Number of trees -> the mean of some boosters that differ in their seed only."""
    fitted = [
        fit_boosting(
            train.x, train.label, init_score=train.offset, names=train.names, seed=SEEDS * seed + k, jobs=1,
            trees=trees,
        )
        for k in range(SEEDS)
    ]  # fmt: skip
    return {
        size: _mean([lambda rows, m=model, s=size: m.predict(rows.x, rows.offset, s) for model in fitted])
        for size in (*[each for each in SIZES if each < trees], trees)
    }


def fit_all(train: Sample, seed: int, trees: int = SIZES[-1]) -> dict[str, Callable[[Sample], Floats]]:
    """Fit akb's rivals, simplest first; `both_N` is the mean of the logistic regression and N trees."""
    logistic = _plain(fit_logistic(train, "binary", seed=seed, features=SPLINES))
    boosters = _boosters(train, trees, seed)
    return {
        "rate": _plain(Rate("binary")),
        "rule": _plain(fit_rule(train, "binary")),
        "logistic": logistic,
        **{f"boosting_{size}": model for size, model in boosters.items()},
        **{f"both_{size}": _mean([logistic, model]) for size, model in boosters.items()},
    }


def folds(label: NDArray[np.float64], seed: int, count: int = FOLDS) -> NDArray[np.int64]:
    """Return the fold of each row, events spread evenly."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(label), np.int64)
    for value in (0.0, 1.0):
        rows = rng.permutation(np.flatnonzero(label == value))
        fold[rows] = np.arange(len(rows)) % count
    return fold


def choose(table: Table, rows: NDArray[np.int64], label: NDArray[np.float64], seed: int, count: int = FOLDS) -> str:
    """Return who wins among `rows` alone, by the engine's own rule (`compare_candidates`) on predictions out of `count`
    folds.
    """
    fold, predicted = folds(label[rows], seed, count), {}
    for k in range(count):
        inside, outside = rows[fold != k], rows[fold == k]
        rate = float(label[inside].mean())
        for name, model in fit_all(table.sample(inside, label, rate), seed).items():
            predicted.setdefault(name, np.empty(len(rows)))[fold == k] = model(table.sample(outside, label, rate))
    return _one_size(predicted, label[rows], rows)


def _one_size(predicted: dict[str, Floats], label: NDArray[np.float64], rows: NDArray[np.int64]) -> str:
    """The best number of trees of each kind first, then the contest of the kinds."""
    loss = {name: float(-np.mean(np.log(np.where(label > 0, p, 1 - p)))) for name, p in predicted.items()}
    kinds: dict[str, str] = {}
    for name in predicted:
        kind = name.split("_")[0]
        if kind not in kinds or loss[name] < loss[kinds[kind]]:
            kinds[kind] = name
    return kinds[compare_candidates({kind: predicted[name] for kind, name in kinds.items()}, label, rows).winner]


def predict(
    table: Table,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    label: NDArray[np.float64],
    seed: int,
    inner: int = FOLDS,
) -> tuple[str, Floats]:
    """Return who won inside `train`, and what it says of `test`, whose labels nobody looks at."""
    winner = choose(table, train, label, seed, inner)
    rate = float(label[train].mean())
    trees = int(winner.split("_")[1]) if "_" in winner else SIZES[0]
    model = fit_all(table.sample(train, label, rate), seed, trees)[winner]
    return winner, model(table.sample(test, label, rate))
