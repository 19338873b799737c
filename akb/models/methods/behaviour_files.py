"""What groups of behaviour and unusual change are told by, as data: kept with a run, read back."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TAILS = (0.01, 0.99)  # beyond these shares a value says no more
_PART = 8_192  # customers that walk down the trees at a time: they stay in the processor's cache


def median_of(values: Floats) -> Floats:
    """Return the median per column; 0 where nothing is known."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nan_to_num(np.nanmedian(values, axis=0)))


def filled_in(frame: pl.DataFrame, names: Sequence[str], centre: Floats) -> Floats:
    """Return the columns as numbers, unknown at `centre`."""
    values = frame.select(names).to_numpy().astype(np.float64)
    return np.where(np.isnan(values), centre, values)


@dataclass(frozen=True)
class Scale:
    """How columns are brought to mean 0 and deviation 1: unknown at the median, tails cut at 1 %
    and 99 %, skew by the log.
    """

    centre: Floats
    low: Floats
    high: Floats
    mean: Floats
    spread: Floats

    @classmethod
    def of(cls, values: Floats) -> Scale:
        """Return the scale of these customers."""
        centre = median_of(values)
        filled = np.where(np.isnan(values), centre, values)
        low, high = np.quantile(filled, TAILS, axis=0)
        cut = np.log1p(np.clip(filled, low, high) - low)
        spread = cut.std(axis=0)
        return cls(centre, low, high, cut.mean(axis=0), np.where(spread > 0, spread, 1.0))

    def applied(self, values: Floats) -> Floats:
        """Return values on this scale."""
        filled = np.where(np.isnan(values), self.centre, values)
        cut = np.log1p(np.clip(filled, self.low, self.high) - self.low)
        return np.asarray((cut - self.mean) / self.spread)


def nearest(x: Floats, centres: Floats) -> NDArray[np.int64]:
    """Return the number of the nearest centre per row."""
    distance = ((x[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)


@dataclass(frozen=True)
class BehaviourGroups:
    """Groups of customers that behave alike: a centre and a name each."""

    names: tuple[str, ...]
    scale: Scale
    centres: Floats
    words: tuple[str, ...]

    def classes(self, frame: pl.DataFrame) -> list[str]:
        """Return the group of every row by its name."""
        values = frame.select(self.names).to_numpy().astype(np.float64)
        return [self.words[at] for at in nearest(self.scale.applied(values), self.centres).tolist()]

    def files(self, stem: str) -> dict[str, bytes]:
        """Return the groups as text."""
        card = {
            "kind": "groups",
            "columns": list(self.names),
            "scale": {name: value.tolist() for name, value in vars(self.scale).items()},
            "centres": self.centres.tolist(),
            "words": list(self.words),
        }
        return {f"{stem}.json": (json.dumps(card, ensure_ascii=False) + "\n").encode()}

    @classmethod
    def read(cls, card: Mapping[str, Any]) -> BehaviourGroups:
        """Return the groups that `files` wrote."""
        scale = Scale(**{name: np.array(value) for name, value in card["scale"].items()})
        return cls(tuple(card["columns"]), scale, np.array(card["centres"]), tuple(card["words"]))


@dataclass(frozen=True)
class IsolationTrees:
    """An isolation forest as a table of nodes.

    nodes
        ``tree``, ``left``, ``right`` (-1: a leaf), ``feature``, ``threshold``, ``depth`` (of a leaf
        how many cuts it takes to set a customer apart, those below it expected).
    normal
        That number among as many customers as a tree was grown on.
    """

    nodes: pl.DataFrame
    normal: float

    @classmethod
    def of(cls, forest: Any) -> IsolationTrees:
        """Return the trees of scikit-learn's forest."""
        parts = []
        for number, grown in enumerate(forest.estimators_):
            tree = grown.tree_
            depth = np.zeros(tree.node_count)
            for node in range(tree.node_count):  # children come after their parent
                for child in (tree.children_left[node], tree.children_right[node]):
                    if child >= 0:
                        depth[child] = depth[node] + 1
            parts.append(
                pl.DataFrame(
                    {
                        "tree": np.full(tree.node_count, number, dtype=np.int32),
                        "left": tree.children_left.astype(np.int32),
                        "right": tree.children_right.astype(np.int32),
                        "feature": np.maximum(tree.feature, 0).astype(np.int32),
                        "threshold": tree.threshold,
                        "depth": depth + _more_cuts(tree.n_node_samples),
                    }
                )
            )
        return cls(pl.concat(parts), float(_more_cuts(np.array([forest.max_samples_]))[0]))

    @cached_property
    def _walks(self) -> list[_Walk]:
        return [_Walk.of(part) for part in self.nodes.partition_by("tree", maintain_order=True)]

    def unusual(self, values: Floats) -> Floats:
        """Return per row how easily it is set apart, in (0, 1); .5 is ordinary."""
        x = values.astype(np.float32).astype(np.float64)  # as the forest was grown
        total = np.zeros(len(x))
        for first in range(0, len(x), _PART):
            some = np.ascontiguousarray(x[first : first + _PART])
            for walk in self._walks:
                total[first : first + _PART] += walk.depths(some)
        return np.asarray(2.0 ** (-total / (len(self._walks) * self.normal)))


@dataclass(frozen=True)
class _Walk:
    """A tree as steps: from node i to ``after[2 i + 1]`` where the value is at most the threshold,
    else to ``after[2 i]``; a leaf leads to itself, so that nobody is asked who has arrived.
    """

    after: NDArray[np.intp]
    feature: NDArray[np.intp]
    threshold: Floats
    depth: Floats
    steps: int

    @classmethod
    def of(cls, nodes: pl.DataFrame) -> _Walk:
        """Return a tree of `IsolationTrees.nodes`."""
        left, right, feature = (
            nodes[name].to_numpy().astype(np.intp) for name in ("left", "right", "feature")
        )
        inside, own = left >= 0, np.arange(len(left))
        after = np.column_stack([np.where(inside, right, own), np.where(inside, left, own)])
        level, steps = np.array([0]), 0
        while len(level := level[inside[level]]):
            level, steps = np.concatenate([left[level], right[level]]), steps + 1
        threshold, depth = nodes["threshold"].to_numpy(), nodes["depth"].to_numpy()
        return cls(after.ravel(), feature, threshold, depth, steps)

    def depths(self, x: Floats) -> Floats:
        """Return per row, C-contiguous, how deep the leaf lies that it ends in."""
        values, row = x.ravel(), np.arange(len(x)) * x.shape[1]
        node = np.zeros(len(x), dtype=np.intp)
        for _ in range(self.steps):
            goes_left = values.take(self.feature.take(node) + row) <= self.threshold.take(node)
            node = self.after.take(2 * node + goes_left)
        return self.depth.take(node)


def _more_cuts(customers: NDArray[Any]) -> Floats:
    """How many cuts it takes on average to set one of so many customers apart (Liu, Ting & Zhou
    2008).
    """
    n = np.asarray(customers, dtype=np.float64)
    many = 2.0 * (np.log(np.maximum(n - 1, 1.0)) + np.euler_gamma) - 2.0 * (n - 1) / n
    return np.where(n <= 1, 0.0, np.where(n == 2, 1.0, many))


@dataclass(frozen=True)
class UnusualChange:
    """How unusual a change is: the share of the customers of a year ago that changed less.

    ordinary
        How easily each of those is set apart, ascending.
    """

    names: tuple[str, ...]
    centre: Floats
    ordinary: Floats
    trees: IsolationTrees

    def rank(self, frame: pl.DataFrame) -> Floats:
        """Return the share per row."""
        own = self.trees.unusual(filled_in(frame, self.names, self.centre))
        below = np.searchsorted(self.ordinary, own, side="left")
        up_to = np.searchsorted(self.ordinary, own, side="right")
        return np.asarray((below + up_to) / 2 / len(self.ordinary))

    def files(self, stem: str) -> dict[str, bytes]:
        """Return it as text and Parquet."""
        card = {
            "kind": "isolation",
            "columns": list(self.names),
            "centre": self.centre.tolist(),
            "ordinary": self.ordinary.tolist(),
            "normal": self.trees.normal,
        }
        held = io.BytesIO()
        self.trees.nodes.write_parquet(held)
        return {
            f"{stem}.json": (json.dumps(card) + "\n").encode(),
            f"{stem}.trees.parquet": held.getvalue(),
        }

    @classmethod
    def read(cls, card: Mapping[str, Any], nodes: bytes) -> UnusualChange:
        """Return what `files` wrote."""
        trees = IsolationTrees(pl.read_parquet(io.BytesIO(nodes)), card["normal"])
        return cls(
            tuple(card["columns"]), np.array(card["centre"]), np.array(card["ordinary"]), trees
        )
