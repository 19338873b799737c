"""Comparable customers: how many of them hold a branch, and whether holders leave less often than
comparable others.

Both are descriptions. A need is no chance to sell and is never multiplied with euros; a difference
in churn is an association: who takes a policy is not who would have taken none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.models.evidence import AGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from akb.features.types import Matrix

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]
    Mask = NDArray[np.bool_]

KINDS = ("is_private", "is_business", "is_self_employed")
TENURES = (24, 60, 120)  # months
MOST_OTHERS = 4  # that many other branches or more are alike
PRIOR = 20.0  # customers: how heavily the whole portfolio weighs in the share of a kind
FEW = 20  # holders and others in a stratum; with fewer it is merged with its neighbours
ENOUGH = 10  # holders who left: with fewer nothing is said of a difference
COVERED = 0.5  # of those who do not hold it must have holders who are comparable


@dataclass(frozen=True)
class Peers:
    """Rows of the matrix as what makes customers comparable; one code per row each.

    kind, age, tenure
        Codes; unknown is a code of its own.
    held
        Bool [n, branches].
    """

    kind: Codes
    age: Codes
    tenure: Codes
    held: Mask

    @classmethod
    def of(cls, frame: pl.DataFrame, branches: Sequence[str]) -> Peers:
        """Return the rows of a matrix; needs ``n_{branch}``, what else is missing is unknown for
        everyone.
        """

        def column(name: str) -> Floats:
            if name not in frame.columns:
                return np.full(frame.height, np.nan)
            return frame[name].to_numpy().astype(np.float64)

        kind = np.zeros(frame.height, dtype=np.int64)
        for code, name in enumerate(KINDS, start=1):
            kind[column(name) == 1] = code
        held = [np.nan_to_num(column(f"n_{branch}")) > 0 for branch in branches]
        return cls(
            kind,
            _banded(column("age"), AGES),
            _banded(column("tenure_months"), TENURES),
            np.column_stack(held) if held else np.zeros((frame.height, 0), dtype=np.bool_),
        )

    @staticmethod
    def columns(matrix: Matrix, branches: Sequence[str]) -> list[str]:
        """Return the columns of a matrix that `of` looks at."""
        asked = (*KINDS, "age", "tenure_months", *(f"n_{branch}" for branch in branches))
        return [name for name in asked if matrix.has(name)]

    @classmethod
    def among(cls, matrix: Matrix, rows: NDArray[np.int64], branches: Sequence[str]) -> Peers:
        """Return some rows of a matrix."""
        names, who = cls.columns(matrix, branches), matrix.rows.select("customer")[rows]
        values = matrix.floats(rows, names)
        columns = (pl.Series(name, values[:, place]) for place, name in enumerate(names))
        return cls.of(who.with_columns(columns), branches)

    def others(self, branch: int) -> Codes:
        """Return how many other branches each holds, at most `MOST_OTHERS`."""
        count = self.held.sum(axis=1) - self.held[:, branch]
        return np.asarray(np.minimum(count, MOST_OTHERS), dtype=np.int64)

    def same(self, branch: int) -> Codes:
        """Return a code for the set of other branches held."""
        weights = 2 ** np.arange(self.held.shape[1], dtype=np.int64)
        weights[branch] = 0
        return np.asarray(self.held @ weights, dtype=np.int64)


def has_holdings(matrix: Matrix, branch: str) -> bool:
    """Return whether the matrix tells who holds a branch."""
    return f"n_{branch}" in matrix.names


def _banded(values: Floats, bounds: Sequence[float]) -> Codes:
    """Code 0 for unknown, then one per band."""
    codes = np.searchsorted(bounds, np.nan_to_num(values), side="right") + 1
    return np.where(np.isnan(values), 0, codes).astype(np.int64)


def _cells(*codes: Codes) -> Codes:
    """Return one dense code per combination."""
    code = np.zeros(len(codes[0]), dtype=np.int64)
    for each in codes:
        code = code * (int(each.max(initial=0)) + 1) + each
    return np.unique(code, return_inverse=True)[1].reshape(-1).astype(np.int64)


def need(peers: Peers, branch: int, open_: Mask, limit: int) -> Floats:
    """Return per customer the share of comparable customers who hold a branch; NaN for whom it is
    not open.

    Comparable: the same kind; within it the same age band; within that as many other branches;
    within that the same other branches. Each share is drawn to that of the wider group (empirical
    Bayes: a beta-binomial with the spread between groups estimated per step), so that a small group
    says little. The customer is left out of every group, and a group with fewer than `limit` others
    says nothing.

    Parameters
    ----------
    open_
        Whom the branch is open to; together with the holders they are the ones compared.
    """
    own = peers.held[:, branch]
    rows = np.flatnonzero(own | open_)
    out = np.full(len(own), np.nan)
    if not len(rows):
        return out
    holds = own[rows].astype(np.float64)
    levels = (peers.kind, peers.age, peers.others(branch), peers.same(branch))
    share = np.full(len(rows), float(holds.mean()))
    for depth in range(1, len(levels) + 1):
        cell = _cells(*(codes[rows] for codes in levels[:depth]))
        size = np.bincount(cell).astype(np.float64)
        count = np.bincount(cell, weights=holds).astype(np.float64)
        parent = np.bincount(cell, weights=share) / size
        prior = PRIOR if depth == 1 else _prior(size, count, parent)
        n, k = size[cell] - 1, count[cell] - holds
        share = np.where(n >= limit, (k + prior * share) / (n + prior), share)
    out[rows] = share
    out[~open_] = np.nan
    return out


def _prior(size: Floats, count: Floats, expected: Floats) -> float:
    """Return how many customers the wider group counts for: method of moments for a
    beta-binomial (Kleinman 1973).

    Examples
    --------
    Of two groups of 100, 20 and 40 hold what 30 were expected to: 4.76 times the variance of
    chance, so that the correlation inside a group is 3.76 / 99 = .038, and the prior 1 / .038 - 1.

    >>> round(_prior(np.full(2, 100.0), np.array([20.0, 40.0]), np.full(2, 0.3)), 1)
    25.3
    """
    p = np.clip(expected, 1e-3, 1 - 1e-3)
    more = size > 1
    if not more.any():
        return PRIOR
    excess = float((size * (count / size - p) ** 2 / (p * (1 - p)) - 1)[more].sum())
    spread = min(max(excess / float((size - 1)[more].sum()), 1e-3), 0.5)
    return 1 / spread - 1


@dataclass(frozen=True)
class ChurnDifference:
    """Churn of holders minus that of comparable others, as shares of a year, standardised to those
    without it now.

    low, high
        95 %, clustered by customer.
    holders, others
        Churn of both as standardised.
    covered
        Share of those without it who have comparable holders.
    left
        Holders who left in the years compared.
    per_customer
        Difference in each customer's own group, drawn to the overall one; NaN: held, not open, or
        nobody comparable.
    cells
        The same per group, for who is scored later: (kind, number of other branches, age, tenure)
        or, where those with few were merged, (kind, number of other branches) -> difference.
    """

    difference: float
    low: float
    high: float
    holders: float
    others: float
    covered: float
    left: int
    per_customer: Floats
    cells: dict[tuple[int, ...], float]


@dataclass(frozen=True)
class FollowedPeers:
    """Rows of closed dates: what makes them comparable, whose they are, and who left within the
    year.
    """

    peers: Peers
    customer: NDArray[np.uint32]
    gone: Mask


def churn_difference(
    then: FollowedPeers, now: Peers, branch: int, open_: Mask
) -> ChurnDifference | None:
    """Return the difference in churn over closed years; None where holders and others do not
    overlap enough.

    Groups: kind, age band, number of other branches and tenure; a group with few on either side is
    merged with those of the same kind and number of other branches.

    Parameters
    ----------
    now, open_
        Rows of X, and whom the branch is open to.
    """
    past, customer, gone = then.peers, then.customer, then.gone
    wanted = np.flatnonzero(open_ & ~now.held[:, branch])
    if not len(wanted) or not len(gone):
        return None
    stratum, target, thick = _strata(past, now, branch, wanted)
    holds = past.held[:, branch]
    size = int(max(stratum.max(initial=0), target.max(initial=0))) + 1
    n1, n0 = (
        np.bincount(stratum[side], minlength=size).astype(np.float64) for side in (holds, ~holds)
    )
    usable = (n1 >= FEW) & (n0 >= FEW)
    asked = target[usable[target]]
    used = usable[stratum]
    left = int((gone & holds & used).sum())
    if len(asked) < COVERED * len(wanted) or left < ENOUGH:
        return None
    weight = np.bincount(asked, minlength=size) / len(asked)
    p1, p0 = (
        np.bincount(stratum[side], weights=gone[side], minlength=size) / np.maximum(n, 1)
        for side, n in ((holds, n1), (~holds, n0))
    )
    residual = np.where(
        holds,
        (gone - p1[stratum]) / n1.clip(1)[stratum],
        -(gone - p0[stratum]) / n0.clip(1)[stratum],
    )
    one = np.unique(customer[used], return_inverse=True)[1]
    error = float(
        np.sqrt((np.bincount(one, weights=(weight[stratum] * residual)[used]) ** 2).sum())
    )
    gap = float((weight * (p1 - p0))[usable].sum())
    own = _shrunk(
        p1 - p0, usable, stratum=stratum[used], residual=residual[used], one=one, overall=gap
    )
    value = np.where(usable, own, np.nan)
    cells = _by_cell(past, branch, thick, value[stratum])
    per_customer = in_own_group(cells, now, branch, open_)
    return ChurnDifference(
        gap,
        gap - 1.96 * error,
        gap + 1.96 * error,
        float((weight * p1)[usable].sum()),
        float((weight * p0)[usable].sum()),
        len(asked) / len(wanted),
        left,
        per_customer,
        cells,
    )


def in_own_group(
    cells: dict[tuple[int, ...], float], now: Peers, branch: int, open_: Mask
) -> Floats:
    """Return per customer what stands with his group in `cells`; NaN: held, not open, or nobody
    comparable.
    """
    found = np.full(len(open_), np.nan)
    asked = np.flatnonzero(open_ & ~now.held[:, branch])
    keys = np.stack([now.kind, now.others(branch), now.age, now.tenure], axis=1)[asked]
    # groups are few, however many customers there are
    _, first, group = np.unique(_cells(*keys.T), return_index=True, return_inverse=True)
    values = [
        cells[fine] if (fine := tuple(key)) in cells else cells.get(fine[:2], np.nan)
        for key in keys[first].tolist()
    ]
    found[asked] = np.array(values, dtype=np.float64)[group.reshape(-1)]
    return found


def _by_cell(past: Peers, branch: int, thick: Mask, value: Floats) -> dict[tuple[int, ...], float]:
    """Return the value of every group under what its rows have in common.

    `thick`: whose fine group is one of its own."""
    keys = np.stack([past.kind, past.others(branch), past.age, past.tenure], axis=1)
    cells: dict[tuple[int, ...], float] = {}
    for side, columns in ((thick, 4), (~thick, 2)):
        own = keys[side][:, :columns]
        _, first = np.unique(_cells(*own.T), return_index=True)
        for key, each in zip(own[first].tolist(), value[side][first].tolist(), strict=True):
            cells[tuple(key)] = each
    return cells


def _strata(past: Peers, now: Peers, branch: int, wanted: Codes) -> tuple[Codes, Codes, Mask]:
    """Return the stratum of each past row and of each wanted row of today, and which of the past
    rows were not merged with others.
    """
    cut = len(past.kind)
    both = [
        np.concatenate([getattr(past, name), getattr(now, name)[wanted]])
        for name in ("kind", "age", "tenure")
    ]
    others = np.concatenate([past.others(branch), now.others(branch)[wanted]])
    fine, wide = _cells(both[0], others, both[1], both[2]), _cells(both[0], others)
    holds = past.held[:, branch]
    thick = np.ones(fine.max() + 1, dtype=np.bool_)
    for side in (holds, ~holds):
        thick &= np.bincount(fine[:cut][side], minlength=len(thick)) >= FEW
    code = np.where(thick[fine], fine, len(thick) + wide)
    return code[:cut], code[cut:], thick[fine[:cut]]


def _shrunk(
    gap: Floats, usable: Mask, *, stratum: Codes, residual: Floats, one: Codes, overall: float
) -> Floats:
    """Draw each stratum's difference to the overall one, by its own error and the spread between
    strata.
    """
    size = len(gap)
    pairs, place = np.unique(stratum * (one.max(initial=0) + 1) + one, return_inverse=True)
    sums = np.bincount(place.reshape(-1), weights=residual)
    variance = np.bincount(pairs // (one.max(initial=0) + 1), weights=sums**2, minlength=size)
    known = usable & (variance > 0)
    if known.sum() < 2:
        return np.full(size, overall)
    w = 1 / variance[known]
    centre = float((w * gap[known]).sum() / w.sum())
    excess = float((w * (gap[known] - centre) ** 2).sum()) - (int(known.sum()) - 1)
    spread = max(excess / float(w.sum() - (w**2).sum() / w.sum()), 0.0)
    own = np.full(size, overall)
    own[known] = (gap[known] * spread + overall * variance[known]) / (spread + variance[known])
    return own
