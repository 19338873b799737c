"""Trees as LightGBM writes them, asked a column at a time: to the bit what LightGBM answers.

LightGBM asks row by row, and first copies each row with a number per column. Here a condition is
one comparison of a column for thousands of rows; the outcomes of a tree's few conditions are the
bits of a number, and a table says which leaf that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

ROWS = 16_384  # rows at a time: the columns that trees look at stay in the processor's cache
_MOST = 8  # conditions of a tree, whose outcomes fit in the bits of one byte
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_NAN = 1, 2, 8  # of LightGBM's decision_type


@dataclass(frozen=True)
class TreeNode:
    """A question to a row with yes or no for an answer.

    bound
        The largest value of the column that goes left.
    above
        Whether it is asked if the value is above the bound, else if it is not. No comparison holds
        of an unknown value, so this says where that goes.
    codes
        Whether that is the answer for an unknown code, for the codes 0, 1, ..., and for all above
        them; None where the column holds a quantity.
    """

    column: int
    bound: np.float32
    above: bool = False
    codes: NDArray[np.bool_] | None = None

    def ask(self, values: NDArray[Any], answer: NDArray[np.bool_]) -> None:
        """Write the answer per row; of codes the values are places in `codes`, or above them."""
        if self.codes is not None:
            np.take(self.codes, values, out=answer, mode="clip")
        elif self.above:
            np.greater(values, self.bound, out=answer)
        else:
            np.less_equal(values, self.bound, out=answer)


@dataclass(frozen=True)
class Tree:
    """A tree: the answers to its conditions, read as bits, the last one first, give the place in
    `values`.
    """

    conditions: tuple[TreeNode, ...]
    values: NDArray[np.float64]


def read_trees(text: str) -> tuple[Tree, ...]:
    """Return the trees of a model in LightGBM's format.

    Raises
    ------
    ValueError
        If one has more than nine leaves, or more than a number on them: akb grows none.
    """
    found = []
    for block in text.split("\nTree=")[1:]:
        lines = block.split("\n\n", 1)[0].splitlines()[1:]
        found.append(_tree(dict(line.split("=", 1) for line in lines)))
    return tuple(found)


def _tree(given: Mapping[str, str]) -> Tree:
    nodes = int(given["num_leaves"]) - 1
    if nodes > _MOST or given.get("is_linear", "0") != "0":
        raise ValueError(f"a tree of {nodes + 1} leaves")
    leaves = np.array(given["leaf_value"].split(), dtype=np.float64)
    if not nodes:
        return Tree((), leaves[:1])
    children = [
        np.array(given[f"{side}_child"].split(), dtype=np.int64) for side in ("right", "left")
    ]
    conditions = _conditions(given)
    yes = np.arange(2**nodes)[:, None] >> np.arange(nodes) & 1
    left = yes != [condition.above for condition in conditions]
    at = np.zeros(len(left), dtype=np.int64)
    for _ in range(nodes):  # a row is at its leaf after as many conditions at most
        inner = np.flatnonzero(at >= 0)
        here = at[inner]
        at[inner] = np.where(left[inner, here], children[1][here], children[0][here])
    return Tree(conditions, leaves[-at - 1])


def _conditions(given: Mapping[str, str]) -> tuple[TreeNode, ...]:
    made = []
    columns, thresholds, kinds = (
        given[name].split() for name in ("split_feature", "threshold", "decision_type")
    )
    asked = zip(columns, map(float, thresholds), map(int, kinds), strict=True)
    for column, threshold, kind in asked:
        if kind & _CATEGORICAL:
            codes = _codes(given, int(threshold))
            made.append(TreeNode(int(column), np.float32(0), codes=codes))
            continue
        # without a side of its own an unknown value counts as zero
        unknown_left = bool(kind & _DEFAULT_LEFT) if kind & _MISSING_NAN else threshold >= 0
        made.append(TreeNode(int(column), _float32_at_most(threshold), unknown_left))
    return tuple(made)


def _codes(given: Mapping[str, str], number: int) -> NDArray[np.bool_]:
    bounds = [int(each) for each in given["cat_boundaries"].split()]
    words = [int(each) for each in given["cat_threshold"].split()]
    words = words[bounds[number] : bounds[number + 1]]
    inside = [word >> bit & 1 for word in words for bit in range(32)]
    return np.array([0, *inside, 0], dtype=np.bool_)


def _places(codes: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the place of each code among the answers of a condition."""
    return np.maximum(np.nan_to_num(codes, nan=-1).astype(np.intp) + 1, 0)


def _float32_at_most(value: float) -> np.float32:
    """Return the largest float32 that is not above a value: as a bound of float32 values the
    same.
    """
    with np.errstate(over="ignore"):
        near = np.float32(value)
    return near if float(near) <= value else np.nextafter(near, np.float32(-np.inf))


def added_up(trees: tuple[Tree, ...], x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return per row the sum of what the trees say, in their order, [n].

    Examples
    --------
    One tree: up to 2 it says -.5, above it, or where nothing is known, .25.

    >>> tree = Tree((TreeNode(0, np.float32(2)),), np.array([0.25, -0.5]))
    >>> added_up((tree,), np.array([[1], [3], [np.nan]], dtype=np.float32)).tolist()
    [-0.5, 0.25, 0.25]
    """
    total = np.zeros(len(x))
    for start in range(0, len(x), ROWS):
        _add(trees, x[start : start + ROWS], total[start : start + ROWS])
    return total


def _add(trees: tuple[Tree, ...], x: NDArray[np.float32], total: NDArray[np.float64]) -> None:
    columns: dict[int, NDArray[Any]] = {}
    bits, answer = np.empty(len(x), dtype=np.uint8), np.empty(len(x), dtype=np.bool_)
    place, value = np.empty(len(x), dtype=np.intp), np.empty(len(x))
    for tree in trees:
        bits[:] = 0
        for condition in reversed(tree.conditions):
            column = columns.get(condition.column)
            if column is None:
                column = np.ascontiguousarray(x[:, condition.column])
                column = column if condition.codes is None else _places(column)
                columns[condition.column] = column
            condition.ask(column, answer)
            np.add(bits, bits, out=bits)
            np.bitwise_or(bits, answer.view(np.uint8), out=bits)
        np.copyto(place, bits)
        np.take(tree.values, place, out=value, mode="clip")
        np.add(total, value, out=total)
