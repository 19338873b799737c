"""The two simplest rivals: the base rate, and one rule (the shrunk rates of one feature's bins)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from akb.models.learners.link import from_link

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from akb.models.learners.sample import Objective, Sample

QUANTILES = tuple(part / 8 for part in range(1, 8))  # a rule has eight bins at most, and unknown
PRIOR_EVENTS = 20.0  # events of the base rate mixed into each bin
# rows that columns are compared on, and of those the ones that set the edges
SCAN_ROWS, EDGE_ROWS = 10_000, 2_500


@dataclass(frozen=True)
class Rate:
    """What is known without any feature: the offset (the base rate of the row's group)."""

    objective: Objective

    def predict(self, x: NDArray[np.float32], offset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the base rate per row."""
        return from_link(self.objective, offset)

    def files(self, stem: str) -> dict[str, bytes]:
        """Return a JSON; the base itself is kept beside the level."""
        return {f"{stem}.json": _json({"kind": "rate", "objective": self.objective})}


@dataclass(frozen=True)
class Rule:
    """The base times a ratio that depends on the bin of one feature.

    names
        The columns that it was chosen from; `column` is the position of `feature` among them.
    edges, ratios
        Inner edges (a value on an edge falls to the right), and one ratio per bin; the last ratio
        is for unknown.
    """

    objective: Objective
    feature: str
    column: int
    edges: tuple[float, ...]
    ratios: tuple[float, ...]
    names: tuple[str, ...] = ()

    def predict(self, x: NDArray[np.float32], offset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance or expected count per row."""
        ratio = np.asarray(self.ratios)[_bins(x[:, self.column], np.asarray(self.edges))]
        expected = from_link(self.objective, offset) * ratio
        return np.asarray(
            expected if self.objective == "poisson" else np.clip(expected, 1e-6, 1 - 1e-6)
        )

    def contributions(self, x: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return each column's contribution on the link scale, [n, f]: the logarithm of the
        ratio.
        """
        found = np.zeros(x.shape)
        found[:, self.column] = np.log(
            np.asarray(self.ratios)[_bins(x[:, self.column], np.asarray(self.edges))]
        )
        return found

    def files(self, stem: str) -> dict[str, bytes]:
        """Return the rule as JSON."""
        card = {
            "kind": "rule",
            "objective": self.objective,
            "columns": list(self.names),
            "feature": self.feature,
            "edges": self.edges,
            "ratios": self.ratios,
        }
        return {f"{stem}.json": _json(card)}


def _json(card: Mapping[str, object]) -> bytes:
    return (json.dumps(card, indent=1, sort_keys=True) + "\n").encode()


def _bins(values: NDArray[np.float32], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.where(np.isnan(values), len(edges) + 1, np.digitize(values, edges)).astype(np.int64)


def _edges(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Edges at the eighths and above the lowest value: most signals are zero for nearly
    everyone.
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return np.empty(0)
    above = known[known > known.min()]
    if not len(above):
        return np.empty(0)
    cuts = np.append(np.quantile(known, QUANTILES), above.min()).astype(np.float64)
    return np.unique(cuts[cuts > known.min()])


def _fit_column(
    sample: Sample, objective: Objective, take: NDArray[np.int64], column: int, every: int = 1
) -> tuple[float, Rule]:
    """Return the rule of one column on some rows (every so many set the edges), with the deviance
    it explains there.
    """
    weight, label = sample.weight[take], sample.label[take]
    base, events = from_link(objective, sample.offset[take]) * weight, label * weight
    # Weighted events stand for as many real rows as were sampled, so the prior is scaled to their
    # average weight.
    prior = PRIOR_EVENTS * (float(events.sum()) / max(float((label > 0).sum()), 1.0) or 1.0)
    values = sample.x[take, column]
    edges = _edges(values[::every])
    group = _bins(values, edges)
    observed = np.bincount(group, weights=events, minlength=len(edges) + 2)
    expected = np.bincount(group, weights=base, minlength=len(edges) + 2)
    ratio = (observed + prior) / (expected + prior)
    gain = float((observed * np.log(ratio) - expected * (ratio - 1)).sum())
    return gain, Rule(
        objective,
        sample.names[column],
        column,
        tuple(edges.tolist()),
        tuple(ratio.tolist()),
        sample.names,
    )


def scan(sample: Sample, objective: Objective) -> list[int]:
    """Return the columns by the deviance that a rule on each of them explains, best first.

    At most `SCAN_ROWS` rows are looked at, evenly spread over the sample. What was found before
    (`Sample.ranked`) is not looked for again.
    """
    if sample.ranked:
        return list(sample.ranked)
    take = np.linspace(0, len(sample) - 1, min(len(sample), SCAN_ROWS)).astype(np.int64)
    every = max(1, len(take) // EDGE_ROWS)
    gains = [
        _fit_column(sample, objective, take, column, every)[0]
        for column in range(len(sample.names))
    ]
    return sorted(range(len(gains)), key=lambda column: (-gains[column], column))


def screened(
    sample: Sample, objective: Objective, most: int, always: Collection[str] = ()
) -> Sample:
    """Return the rows with the `most` columns that tell most on their own in them, ranked; codes
    and `always` stay.

    A first sieve that costs less than a fit: each column by the deviance that a rule on it explains
    (`scan`). A column that tells something in combination only may be lost, so `most` leaves in
    more than any fit uses.
    """
    order = scan(sample, objective)
    stay = {column for column, name in enumerate(sample.names) if name in always}
    kept = sorted({*order[:most], *sample.categorical, *stay})
    place = {column: position for position, column in enumerate(kept)}
    return replace(
        sample,
        x=sample.x if len(kept) == len(sample.names) else sample.x[:, kept],
        names=tuple(sample.names[column] for column in kept),
        categorical=tuple(place[column] for column in sample.categorical),
        monotone=tuple(sample.monotone[column] for column in kept) if sample.monotone else (),
        ranked=tuple(place[column] for column in order if column in place),
    )


def fit_rule(sample: Sample, objective: Objective) -> Rule | Rate:
    """Return the one rule that explains most on the training rows; the base rate where there is no
    feature.
    """
    if not len(sample) or not sample.names:
        return Rate(objective)
    return _fit_column(sample, objective, np.arange(len(sample)), scan(sample, objective)[0])[1]
