"""The two simplest rivals: the base rate, and one rule (the shrunk rates of one feature's bins)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.models.learners.link import from_link

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

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

    def narrowed(self) -> Rule:
        """Return the same rule on the one column that it looks at."""
        return replace(self, column=0, names=(self.feature,))

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


@dataclass(frozen=True)
class _Rows:
    """Rows that a rule is fitted on, as every column wants them.

    values
        A column per row, [f, n]: each is then read from one stretch of memory.
    expected, events
        Weighted, per row: by the base rate, and what happened.
    prior
        Weighted events of the base rate that are mixed into each bin.
    every
        Every so many rows set the edges.
    """

    values: NDArray[np.float32]
    expected: NDArray[np.float64]
    events: NDArray[np.float64]
    prior: float
    every: int

    @classmethod
    def of(
        cls,
        sample: Sample,
        objective: Objective,
        take: NDArray[np.int64] | slice,
        columns: slice | list[int],
        every: int = 1,
    ) -> _Rows:
        weight, label = sample.weight[take], sample.label[take]
        events = label * weight
        # Weighted events stand for as many real rows as were sampled, so the prior is scaled to
        # their average weight.
        each = float(events.sum()) / max(float((label > 0).sum()), 1.0) or 1.0
        return cls(
            np.ascontiguousarray(sample.x[take][:, columns].T),
            from_link(objective, sample.offset[take]) * weight,
            events,
            PRIOR_EVENTS * each,
            every,
        )

    def edges(self) -> NDArray[np.float64]:
        """Return edges at the eighths and above the lowest value, [f, 8], ascending; NaN where
        there are fewer.

        Most signals are zero for nearly everyone, hence the edge above the lowest value.
        """
        ordered = np.sort(self.values[:, :: self.every], axis=1)  # NaN comes last
        known = (~np.isnan(ordered)).sum(axis=1)
        lowest = ordered[:, :1].astype(np.float64)
        above = (ordered <= ordered[:, :1]).sum(axis=1)
        further = np.minimum(above, ordered.shape[1] - 1)[:, None]
        cuts = np.concatenate(
            [sorted_quantiles(ordered, known), np.take_along_axis(ordered, further, axis=1)], axis=1
        )
        cuts[~(cuts > lowest) | (above >= known)[:, None]] = np.nan
        cuts.sort(axis=1)
        cuts[:, 1:][cuts[:, 1:] == cuts[:, :-1]] = np.nan
        cuts.sort(axis=1)
        return cuts

    def ratios(self, column: int, edges: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return the deviance that the bins of a column explain, and the shrunk ratio of each."""
        values, inner = self.values[column], edges[~np.isnan(edges)]
        passed = (values >= float32_at_least(inner)[:, None]).view(np.uint8)
        group = passed.sum(axis=0, dtype=np.uint8).astype(np.intp)
        group[np.isnan(values)] = len(inner) + 1
        observed = np.bincount(group, weights=self.events, minlength=len(inner) + 2)
        expected = np.bincount(group, weights=self.expected, minlength=len(inner) + 2)
        ratio = (observed + self.prior) / (expected + self.prior)
        return float((observed * np.log(ratio) - expected * (ratio - 1)).sum()), ratio


def sorted_quantiles(
    ordered: NDArray[Any], known: NDArray[np.int64], parts: Sequence[float] = QUANTILES
) -> NDArray[np.float64]:
    """Return quantiles of the first `known` values of each row, [rows, parts], to the bit those of
    `numpy.quantile`; NaN where a row has none.

    One sort serves every row and every part; `numpy.quantile` is asked a row at a time where rows
    differ in how much of them is known.

    Parameters
    ----------
    ordered
        [rows, n], each ascending.

    Examples
    --------
    >>> sorted_quantiles(np.array([[1.0, 2.0, 4.0, np.nan]]), np.array([3]), (0.25, 0.5)).tolist()
    [[1.5, 2.0]]
    """
    at = np.maximum(known - 1, 0)[:, None] * np.asarray(parts)
    before = np.floor(at).astype(np.intp)
    last = np.maximum(known - 1, 0)[:, None]
    low = np.take_along_axis(ordered, before, axis=1)
    high = np.take_along_axis(ordered, np.minimum(before + 1, last), axis=1)
    share, apart = at - before, high - low
    return np.asarray(np.where(share >= 0.5, high - apart * (1 - share), low + apart * share))


def float32_at_least(edges: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the least float32 not below each edge: as bounds of float32 values they are the same,
    and need no conversion.

    Examples
    --------
    No float32 is .1: the nearest lies above it, that of .7 below.

    >>> [str(edge) for edge in float32_at_least(np.array([0.1, 0.7]))]
    ['0.1', '0.70000005']
    """
    near = edges.astype(np.float32)
    return np.where(near < edges, np.nextafter(near, np.float32(np.inf)), near)


def scan(sample: Sample, objective: Objective) -> list[int]:
    """Return the columns by the deviance that a rule on each of them explains, best first.

    At most `SCAN_ROWS` rows are looked at, evenly spread over the sample. What was found before
    (`Sample.ranked`) is not looked for again.
    """
    if sample.ranked:
        return list(sample.ranked)
    take = np.linspace(0, len(sample) - 1, min(len(sample), SCAN_ROWS)).astype(np.int64)
    rows = _Rows.of(sample, objective, take, slice(None), max(1, len(take) // EDGE_ROWS))
    gains = [rows.ratios(column, edges)[0] for column, edges in enumerate(rows.edges())]
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
    column = scan(sample, objective)[0]
    rows = _Rows.of(sample, objective, slice(None), [column])
    edges = rows.edges()[0]
    _, ratio = rows.ratios(0, edges)
    return Rule(
        objective,
        sample.names[column],
        column,
        tuple(edges[~np.isnan(edges)].tolist()),
        tuple(ratio.tolist()),
        sample.names,
    )
