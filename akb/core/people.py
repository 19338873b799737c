"""Who the customers are, so that a prediction's error can be shown by age, private or business, and
office.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.core.privacy.identifiers import shared

if TYPE_CHECKING:
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

AGES = (18, 25, 35, 50, 65, 75, 106)
KINDS = ("private", "business")
OTHER = "other"
OFFICES = 12  # as many are named; the others are one
POOLING_EVENTS = 100.0  # so many, and a part's own figure weighs as much as that of everyone


@dataclass(frozen=True)
class Parts:
    """One division of rows.

    code
        Position in `names` per row; -1: in none.
    limit
        Figures over fewer customers than this are not shown.
    events
        Per name how many different customers it happened to over all closed windows; empty: as on
        these rows.
    """

    kind: str
    names: tuple[str, ...]
    code: NDArray[np.int64]
    limit: int
    events: tuple[int, ...] = ()

    def shown(self, counts: list[int], events: list[int]) -> list[bool]:
        """Return which parts may be shown: enough customers, and enough of those to whom it did and
        did not happen.

        One hidden part could be found from the total of all: then the smallest other one is hidden
        too.

        Parameters
        ----------
        counts, events
            Per name the customers of these rows, and those to whom it happened.
        """
        small = [
            any(0 < number < self.limit for number in (count, event, count - event))
            for count, event in zip(counts, events, strict=True)
        ]
        others = [place for place, hidden in enumerate(small) if not hidden and counts[place]]
        if sum(small) == 1 and others:
            small[min(others, key=lambda place: (counts[place], place))] = True
        return [count > 0 and not hidden for count, hidden in zip(counts, small, strict=True)]


@dataclass(frozen=True)
class People:
    """Kind, year of birth and office per customer; -1 unknown. `customer` ascends.

    What the source keeps of these is today's value: good enough to show an error by group.
    """

    customer: NDArray[np.uint32]
    kind: NDArray[np.int64]
    born: NDArray[np.int64]
    office: NDArray[np.int64]
    offices: tuple[str, ...]
    limit: int

    @classmethod
    def of(cls, customers: pl.DataFrame, limit: int) -> People:
        """Return the people of a portfolio's customers (customer, kind, birth_year, office).

        Offices with too few customers, or whose name is a direct identifier, and all after the
        twelve largest are one."""
        import polars as pl

        known = customers.select("customer", "kind", "birth_year", "office").sort("customer")
        kinds = {name: code for code, name in enumerate(KINDS)}
        code = (
            known["kind"].cast(pl.String).replace_strict(kinds, default=-1, return_dtype=pl.Int64)
        )
        counts = known["office"].drop_nulls().value_counts(sort=False)
        may = shared(known["office"], known["customer"], limit)
        sizes = [(name, count) for name, count in counts.iter_rows() if name in may]
        largest = sorted(sizes, key=lambda pair: (-pair[1], pair[0]))[:OFFICES]
        named = tuple(sorted(name for name, _ in largest))
        place = {name: position for position, name in enumerate(named)}
        office = known["office"].replace_strict(place, default=len(named), return_dtype=pl.Int64)
        office = pl.select(
            pl.when(known["office"].is_null()).then(-1).otherwise(office)
        ).to_series()
        return cls(
            known["customer"].to_numpy(),
            code.to_numpy(),
            known["birth_year"].cast(pl.Int64).fill_null(-1).to_numpy(),
            office.to_numpy(),
            (*named, OTHER),
            limit,
        )

    def parts(self, customers: NDArray[Any], day: date) -> tuple[Parts, ...]:
        """Return the divisions of these rows on a day; a division of one part says nothing and is
        left out.
        """
        if not len(self.customer) or not len(customers):
            return ()
        at = np.minimum(np.searchsorted(self.customer, customers), len(self.customer) - 1)
        known = self.customer[at] == customers
        age = day.year - self.born[at]
        given = (
            known & (self.kind[at] != 1) & (self.born[at] > 0) & (age >= AGES[0]) & (age < AGES[-1])
        )
        bands = np.where(given, np.searchsorted(AGES, age, side="right") - 1, -1)
        names = tuple(f"{low}-{high - 1}" for low, high in pairwise(AGES))
        found = (
            Parts("age", (*names[:-1], f"{AGES[-2]}+"), bands, self.limit),
            Parts("kind", KINDS, np.where(known, self.kind[at], -1), self.limit),
            Parts("office", self.offices, np.where(known, self.office[at], -1), self.limit),
        )
        return tuple(each for each in found if len(np.unique(each.code[each.code >= 0])) > 1)
