"""The rows of one target: who, when, what happened, in which group, and how to gather features for
some of them.

Nothing is copied until a sample is drawn: for the branches there are millions of (T, customer,
branch) rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.catalogue.directions import constraints
from akb.core.dates import add_months
from akb.core.draws.sampling import lots, lowest
from akb.models.learners import Objective, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    from akb.catalogue.directions import Outcome
    from akb.features.types import BranchRows, Matrix

BRANCH = "branch"
EPOCH = 719_163  # date(1970, 1, 1).toordinal()


def day_number(day: date) -> int:
    """Return days since 1970, as Polars stores a date."""
    return day.toordinal() - EPOCH


def days(dates: Iterable[date]) -> NDArray[np.int32]:
    """Return days since 1970, ascending."""
    return np.array(sorted(day_number(day) for day in dates), dtype=np.int32)


@dataclass(frozen=True)
class Problem:
    """One target, or a family of targets that share a model.

    Parameters
    ----------
    name
        Seeds the sampling and names the model files.
    day, customer, label
        Per row, sorted by day: as-of day since 1970, customer, outcome (meaningless until its
        window is closed).
    group
        Code of the branch per row, zero for a single target; -1: not eligible.
    groups
        The names behind the codes; one empty name for a single target.
    gather
        (positions, column names) -> float32 features [n, f]; unknown is NaN.
    names, codes
        The columns to use, and those among them that hold codes.
    all_names
        Every column that can be gathered; empty: `names`.
    standing
        Per row what is so at T already of what is asked (a margin): no feature, the baseline of the
        evidence. None where there is no such thing.
    outcome
        The kind of outcome, which says which columns have a sure direction; None: none has.
    identity
        By customer the number that he is drawn by, see `Matrix.identity`; None: the customer's own.
    panel
        By customer whether his rows may teach, see `Matrix.panel`; None: those of everybody.
    """

    name: str
    objective: Objective
    day: NDArray[np.int32]
    customer: NDArray[np.uint32]
    label: NDArray[np.float32]
    group: NDArray[np.int16]
    groups: tuple[str, ...]
    gather: Callable[[NDArray[np.int64], tuple[str, ...]], NDArray[np.float32]]
    names: tuple[str, ...]
    codes: tuple[str, ...] = ()
    all_names: tuple[str, ...] = ()
    standing: NDArray[np.float64] | None = None
    outcome: Outcome | None = None
    identity: NDArray[np.uint64] | None = None
    panel: NDArray[np.bool_] | None = None

    def rows_on(self, dates: Iterable[date]) -> NDArray[np.int64]:
        """Return the positions of the eligible rows of these dates, ascending."""
        wanted = days(dates)
        first, last = (
            np.searchsorted(self.day, wanted),
            np.searchsorted(self.day, wanted, side="right"),
        )
        parts = [np.arange(start, stop) for start, stop in zip(first, last, strict=True)]
        rows = np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
        return np.asarray(rows[self.group[rows] >= 0])

    def training_rows(self, dates: Iterable[date]) -> NDArray[np.int64]:
        """Return those of `rows_on` that may teach: of the customers followed over the dates."""
        rows = self.rows_on(dates)
        return rows if self.panel is None else rows[self.panel[self.customer[rows]]]

    def with_label(self, label: NDArray[np.float32]) -> Problem:
        """Return the same rows with another outcome, for instance over a shorter horizon."""
        return replace(self, label=label)

    def among(self, eligible: NDArray[np.bool_]) -> Problem:
        """Return the same rows, of which only some can be asked."""
        return replace(self, group=np.where(eligible, self.group, -1).astype(np.int16))

    def only(self, names: Iterable[str]) -> Problem:
        """Return the same rows with fewer columns; columns with codes always stay."""
        keep = {*names, *self.codes}
        kept = tuple(name for name in self.names if name in keep)
        return replace(self, names=kept, all_names=self.all_names or self.names)

    def features(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the features of these rows, float32 [n, f]."""
        return self.gather(rows, self.names)

    def extra(self, rows: NDArray[np.int64], name: str) -> NDArray[np.float32] | None:
        """Return one column of these rows, whether or not it is used; None where there is none."""
        return self.gather(rows, (name,))[:, 0] if name in (self.all_names or self.names) else None

    def sample(
        self, rows: NDArray[np.int64], weight: NDArray[np.float64], base: NDArray[np.float64]
    ) -> Sample:
        """Return rows with their features; `base` is the offset per group on the link scale."""
        return Sample(
            x=self.features(rows),
            label=self.label[rows].astype(np.float64),
            weight=weight,
            offset=base[self.group[rows]],
            cluster=self.customer[rows],
            names=self.names,
            categorical=tuple(self.names.index(name) for name in self.codes),
            monotone=constraints(self.outcome, self.names),
        )

    def draw(
        self, rows: NDArray[np.int64], size: int, key: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return about `size` of `rows` with the number of rows that each stands for.

        Events are kept, unless they would fill more than half; of the others, and of events that
        are too many, the lowest of the draw `key` in each date and branch, so that every one is
        represented. It depends on who is there when, not on the order of rows.
        """
        happened = self.label[rows] > 0
        events, quiet = rows[happened], rows[~happened]
        event_at, event_weight = self._lowest(events, size // 2, key)
        quiet_at, quiet_weight = self._lowest(quiet, max(size - len(event_at), 1), key)
        picked = np.concatenate([events[event_at], quiet[quiet_at]])
        order = np.argsort(picked, kind="stable")
        return picked[order], np.concatenate([event_weight, quiet_weight])[order]

    def _lowest(
        self, rows: NDArray[np.int64], size: int, key: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        if len(rows) <= size:
            return np.arange(len(rows), dtype=np.int64), np.ones(len(rows))
        day, group = self.day[rows], self.group[rows].astype(np.int64)
        date = np.searchsorted(np.unique(day), day)
        lot = lots(key, self.identity_of(self.customer[rows]), day, group)
        return lowest(lot, date * len(self.groups) + group, size)

    def identity_of(self, customer: NDArray[np.uint32]) -> NDArray[np.uint64]:
        """Return what these customers are drawn by."""
        return customer.astype(np.uint64) if self.identity is None else self.identity[customer]

    def some_customers(self, rows: NDArray[np.int64], size: int, key: int) -> NDArray[np.int64]:
        """Return all rows of the lowest customers of the draw `key`, so many that about `size` rows
        remain (all rows if fewer).
        """
        if len(rows) <= size:
            return rows
        customers = np.unique(self.customer[rows])
        wanted = max(1, round(len(customers) * size / len(rows)))
        everyone = np.zeros(len(customers), dtype=np.int64)
        chosen, _ = lowest(lots(key, self.identity_of(customers)), everyone, wanted)
        return rows[np.isin(self.customer[rows], customers[chosen])]


def floats(
    frame: pl.DataFrame, rows: NDArray[np.int64], names: tuple[str, ...]
) -> NDArray[np.float32]:
    """Return some rows of some columns, float32 [n, f]; null becomes NaN."""
    if not names or not len(rows):
        return np.empty((len(rows), len(names)), dtype=np.float32)
    return frame.select(names)[rows].to_numpy().astype(np.float32, copy=False)


def _of_customers(
    matrix: Matrix, rows: NDArray[np.int64], names: tuple[str, ...]
) -> NDArray[np.float32]:
    if not names or not len(rows):
        return np.empty((len(rows), len(names)), dtype=np.float32)
    return matrix.floats(rows, names)


def happened_within(frame: pl.DataFrame, column: str, months: int) -> NDArray[np.float32]:
    """Return 1 where the date in `column` falls in (T, T + months], else 0, per row of `frame`."""
    as_of = frame["as_of"].to_physical().to_numpy()
    seen, code = np.unique(as_of, return_inverse=True)
    limit = np.array(
        [day_number(add_months(day, months)) for day in frame["as_of"].unique().sort()]
    )
    if len(seen) == 0:
        return np.empty(0, dtype=np.float32)
    event = frame[column].to_physical().cast(int).fill_null(-1).to_numpy()
    return ((event > as_of) & (event <= limit[code])).astype(np.float32)


def customer_problem(
    matrix: Matrix, name: str, objective: Objective, label: NDArray[np.float32]
) -> Problem:
    """Return a target with one row per row of the matrix (same order)."""
    frame, names = matrix.rows, matrix.names
    return Problem(
        name=name,
        objective=objective,
        day=frame["as_of"].to_physical().to_numpy().astype(np.int32, copy=False),
        customer=frame["customer"].to_numpy(),
        label=label,
        group=np.zeros(frame.height, dtype=np.int16),
        groups=("",),
        gather=lambda rows, columns: _of_customers(matrix, rows, columns),
        names=names,
        identity=matrix.identity,
        panel=matrix.panel,
    )


def branch_problem(matrix: Matrix, rows: BranchRows, name: str, groups: tuple[str, ...]) -> Problem:
    """Return a family of targets: one row per (T, customer, branch), all branches in one model.

    The features are those of the customer at T, those of the branch row, and the branch as a code.
    Rows of branches outside `groups` are not eligible.
    """
    import polars as pl

    frame = rows.frame
    position = {branch: code for code, branch in enumerate(groups)}
    codes = frame["branch"].replace_strict(position, default=-1, return_dtype=pl.Int16).to_numpy()
    day = frame["as_of"].to_physical().to_numpy().astype(np.int32, copy=False)
    customer = frame["customer"].to_numpy()
    of_matrix = _keys(
        matrix.rows["as_of"].to_physical().to_numpy(), matrix.rows["customer"].to_numpy()
    )

    def gather(at: NDArray[np.int64], columns: tuple[str, ...]) -> NDArray[np.float32]:
        place = {column: number for number, column in enumerate(columns)}
        of_row = tuple(name for name in rows.names if name in place)
        of_customer = tuple(name for name in columns if name not in {*of_row, BRANCH})
        found = np.searchsorted(of_matrix, _keys(day[at], customer[at]))
        # column by column, as both Polars and LightGBM keep it
        x = np.empty((len(at), len(columns)), dtype=np.float32, order="F")
        for names, values in (
            (of_customer, _of_customers(matrix, found, of_customer)),
            (of_row, floats(frame, at, of_row)),
        ):
            for number, column in enumerate(names):
                x[:, place[column]] = values[:, number]
        if BRANCH in place:
            x[:, place[BRANCH]] = codes[at]
        return x

    return Problem(
        name=name,
        objective="binary",
        day=day,
        customer=customer,
        label=frame["label"].fill_null(0.0).to_numpy().astype(np.float32, copy=False),
        group=codes,
        groups=groups,
        gather=gather,
        names=(*matrix.names, *rows.names, BRANCH),
        codes=(BRANCH,),
        identity=matrix.identity,
        panel=matrix.panel,
    )


def _keys(day: NDArray[Any], customer: NDArray[Any]) -> NDArray[np.int64]:
    """One ascending number per (day, customer); the matrix is sorted by both."""
    return day.astype(np.int64) * 2**32 + customer.astype(np.int64)
