"""How a question about amounts is answered: an ordered list of detectors, of which the first that
knows it wins.

The client's settings win, then the heading, then the amounts themselves; what nothing shows is
assumed, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from akb.ingest.columns.matching import key_of, spelled_out
from akb.ingest.columns.readings import Reading
from akb.ingest.money_conventions.levels import TermLevel, level_by_term
from akb.ingest.money_conventions.ratio import Related, ratios_of, related_by
from akb.ingest.money_conventions.thresholds import CLEAR, ENOUGH

if TYPE_CHECKING:
    from akb.config import Ingest
    from akb.ingest.columns.matching import Headings

_WORDS = {
    "year": ("jaar", "year", "annual", "njp", "perjr"),
    "month": ("maand", "month"),
    "instalment": ("termijn", "instal"),
    "net": ("net", "excl", "njp", "exass"),
    "gross": ("incl",),
}

Seen = TypeVar("Seen")
Detector = Callable[[Seen], Reading | None]


def first_answer(detectors: Sequence[Detector[Seen]], seen: Seen) -> Reading:
    """Return the answer of the first detector that has one; the last of them always does."""
    return next(reading for detector in detectors if (reading := detector(seen)) is not None)


@dataclass(frozen=True)
class MoneyColumns:
    """What the detectors look at: the money of one table.

    Parameters
    ----------
    rows
        Rows that count: premium, premium_gross, premium_term, premium_term_gross, commission,
        commission_term (Int64 cents), rate (Float64, a fraction), tax (Int64 cents), branch, term
        (months; 0 single, null unknown), taxed.
    headings
        What the headings mean.
    asked
        The client's settings.
    rates, premiums
        Branch -> its usual rate of commission, its usual premium in euros a year.
    answers
        Setting -> what was answered before.
    """

    rows: pl.DataFrame
    headings: Headings
    asked: Ingest
    rates: Mapping[str, float]
    premiums: Mapping[str, float]
    answers: dict[str, Reading] = field(default_factory=dict)

    @property
    def premium(self) -> str | None:
        """The column of the premium that is judged."""
        return self._first(("premium", "premium_term", "premium_gross", "premium_term_gross"))

    @property
    def commission(self) -> str | None:
        """The column of the commission that is judged."""
        return self._first(("commission", "commission_term"))

    def _first(self, names: Sequence[str]) -> str | None:
        return next((name for name in names if name in self.headings.at), None)

    @property
    def taxed(self) -> pl.DataFrame:
        """Rows with a premium in a branch under insurance premium tax."""
        return self.rows.filter("taxed", pl.col(self.premium or "") > 0)

    @cached_property
    def ratios(self) -> pl.DataFrame | None:
        """Commission over premium where both are amounts, see `ratio.ratios_of`.

        None where one of them is not.
        """
        kind = self.answers.get("commission_basis")
        if not self.premium or not self.commission or kind is None or kind.value != "amount":
            return None
        return ratios_of(self.rows, self.premium, self.commission)

    @cached_property
    def related(self) -> Related | None:
        """Which of premium and commission is per instalment where the other is per year.

        None if nothing shows.
        """
        return None if self.ratios is None else related_by(self.ratios)

    @cached_property
    def premium_level(self) -> TermLevel:
        """How the premium of those who pay in instalments compares with that of yearly payers."""
        premium = pl.col(self.premium or "")
        return level_by_term(self.rows.filter(premium > 0), premium)


def says(heading: str | None, *meanings: str) -> str | None:
    """Return which of `meanings` a heading has in its words."""
    key = key_of(spelled_out(heading or ""))
    return next(
        (meaning for meaning in meanings if any(word in key for word in _WORDS[meaning])), None
    )


def by_setting(asked: str | None) -> Reading | None:
    """Return what the client says in his settings, if he says it."""
    return Reading(asked, "setting", "setting") if asked else None


def by_words(said: str | None) -> Reading | None:
    """Return what a heading says, if it says it."""
    return Reading(said, "heading", "heading") if said else None


def by_agreement(rows: pl.DataFrame, ways: Mapping[str, pl.Expr], why: str) -> Reading | None:
    """Return the one of `ways` (value -> does it hold on a row) that holds on nearly all rows."""
    if rows.height < ENOUGH:
        return None
    counts = rows.select(expression.sum().alias(name) for name, expression in ways.items()).row(
        0, named=True
    )
    for name, hits in counts.items():
        if hits >= CLEAR * rows.height:
            return Reading(name, "data", f"{why}_{name}", {"hits": hits, "of": rows.height})
    return None
