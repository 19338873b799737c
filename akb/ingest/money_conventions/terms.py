"""Do the bare numbers of a payment term count months, or instalments a year?

A cell says a term in words ("12x per jaar", "Kwartaalbetaling"; `term_words`) or as a bare number,
and a bare number counts months (1, 3, 6, 12) or times a year (12, 4, 2, 1). The whole column tells
which: 2 and 4 are times, 3 and 6 are months, and where only 1 and 12 occur the premiums tell, for
whoever pays more often pays less each time.

A worked row: the column holds 1, 4 and 12, and this row a 4. No term has four months, and three is
nowhere: 4 is four times a year, an instalment every 3 months."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from akb.core.wording.phrases import Phrase
from akb.ingest.cells.amounts import read_amounts
from akb.ingest.cells.texts import distinct_texts
from akb.ingest.cells.words import Meanings, own_words
from akb.ingest.columns.matching import key_of
from akb.ingest.columns.notes import texts_of
from akb.ingest.columns.readings import Reading
from akb.ingest.money_conventions.levels import TermLevel, level_by_term
from akb.ingest.money_conventions.questions import Detector, by_setting, first_answer
from akb.ingest.money_conventions.term_words import LENGTHS, bare_number, months_in, own_months
from akb.ingest.money_conventions.thresholds import ENOUGH

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.columns.notes import Notes, Table

Unit = Literal["months", "times"]

PAYMENT_MONTHS = (1, 3, 6, 12)
"""Terms of which the rest of akb knows what they mean; money can be read at others too."""

_LEAST = 3  # rows with a 2 or a 4, at least, to believe that they are no slip of the pen
_SHARE = 0.02  # or this share of the bare numbers, in a small file
_FAR_MORE = 10  # so many times as often is the rule, and the other the exception
_TURNED = 0.65  # so clearly do those with the other number pay a part
_TIMES_A_YEAR = re.compile(
    r"perjaar|peryear|perannum|aantal(termijn|betaling)|numberof|timesa|keerper|termijnenper"
)


@dataclass(frozen=True)
class PaymentTerms:
    """The terms of a table.

    Parameters
    ----------
    months
        Int8 per row: months between two instalments, 0 a single premium, null unknown.
    unknown
        Distinct texts that say no term -> number of rows.
    """

    months: pl.Series
    unknown: dict[str, int]

    @property
    def meanings(self) -> Meanings:
        """The terms as words and their meanings."""
        return Meanings(self.months.cast(pl.String), self.unknown)

    def known(self) -> pl.Series:
        """Return the terms that the rest of akb knows."""
        return (
            self.months.to_frame("m")
            .select(pl.when(pl.col("m").is_in(PAYMENT_MONTHS)).then("m"))
            .to_series()
        )


def read_terms(
    table: Table, cells: pl.DataFrame, branch: pl.Series, settings: Settings, notes: Notes
) -> PaymentTerms:
    """Return the terms of the rows of `cells`.

    Parameters
    ----------
    table, cells
        The file and the rows of it that count.
    branch
        Branch per row; the premiums of one branch are compared.
    settings
        ``[ingest] term_unit`` says what a bare number counts.
    notes
        Receives AKB-D110 where bare numbers are times a year, AKB-D111 where that cannot be
        settled.
    """
    column = distinct_texts(texts_of(cells, "term"))
    own = own_words("term", settings)
    parsed = [own_months(text, own) or months_in(text) for text in column.texts]
    bare = pl.Series(
        [None if own_months(text, own) else bare_number(text) for text in column.texts],
        dtype=pl.Int64,
    )
    seen = BareNumbers(table, cells, column.spread(bare), branch, settings)
    unit = first_answer(DETECTORS, seen)
    _say(unit, seen, notes)
    months = [
        _in_months(number, unit.value) if number is not None else words
        for number, words in zip(bare, parsed, strict=True)
    ]
    rows = column.place.drop_nulls().alias("place").value_counts(sort=False).sort("place")
    unknown = {
        column.texts[place]: int(count)
        for place, count in rows.iter_rows()
        if months[place] is None
    }
    return PaymentTerms(column.spread(pl.Series(months, dtype=pl.Int8)), unknown)


def _in_months(number: int, unit: str) -> int | None:
    if number not in LENGTHS:
        return None
    return number if unit == "months" else 12 // number


@dataclass(frozen=True)
class BareNumbers:
    """The bare numbers of a column of terms, and what stands beside them.

    Parameters
    ----------
    table, cells
        The file and the rows of it that count.
    numbers
        Per row the bare number; null where none stands.
    branch
        Branch per row.
    settings
        The client's.
    """

    table: Table
    cells: pl.DataFrame
    numbers: pl.Series
    branch: pl.Series
    settings: Settings

    @cached_property
    def _counts(self) -> dict[int, int]:
        return {number: int((self.numbers == number).sum()) for number in LENGTHS}

    @property
    def times(self) -> int:
        """Rows with a 2 or a 4."""
        return self._counts[2] + self._counts[4]

    @property
    def months(self) -> int:
        """Rows with a 3 or a 6."""
        return self._counts[3] + self._counts[6]

    @property
    def ends(self) -> bool:
        """Whether both a 1 and a 12 occur."""
        return self._counts[1] > 0 and self._counts[12] > 0

    @property
    def every(self) -> int:
        """Rows with a number that can be a term."""
        return sum(self._counts.values())

    @property
    def heading(self) -> str:
        """The column's heading, as it is compared."""
        return key_of(self.table.headings.heading("term") or "")

    @cached_property
    def premium_level(self) -> TermLevel:
        """How the premium differs between the numbers, read as months."""
        names = ("premium_term", "premium_term_gross", "premium", "premium_gross")
        name = next((name for name in names if name in self.table.headings.at), None)
        if name is None:
            return TermLevel(None, 0, 0)
        amounts = read_amounts(texts_of(self.cells, name), decimal=self.settings.ingest.decimal)
        rows = pl.DataFrame(
            {"branch": self.branch, "term": self.numbers.cast(pl.Int8), "premium": amounts.cents}
        )
        return level_by_term(rows.filter(pl.col("premium") > 0), pl.col("premium"))


def _by_setting(seen: BareNumbers) -> Reading | None:
    return by_setting(seen.settings.ingest.term_unit)


def _without_numbers(seen: BareNumbers) -> Reading | None:
    return (
        Reading("months", "data", "none")
        if seen.numbers.null_count() == seen.numbers.len()
        else None
    )


def _times_by_heading(seen: BareNumbers) -> Reading | None:
    numbers = {"rows": seen.every, "of": seen.every}
    return (
        Reading("times", "heading", "heading", numbers)
        if _TIMES_A_YEAR.search(seen.heading)
        else None
    )


def _times_by_numbers(seen: BareNumbers) -> Reading | None:
    enough = seen.times >= min(_LEAST, _SHARE * seen.every)
    if not (seen.times > 0 and enough and seen.times >= _FAR_MORE * seen.months):
        return None
    return Reading("times", "data", "numbers", {"rows": seen.times, "of": seen.every})


def _months_by_numbers(seen: BareNumbers) -> Reading | None:
    """They are months, or nothing speaks for anything else."""
    found = not seen.times and (seen.months > 0 or not seen.ends)
    return Reading("months", "data", "numbers") if found else None


def _months_by_heading(seen: BareNumbers) -> Reading | None:
    return (
        Reading("months", "heading", "heading")
        if "maand" in seen.heading or "month" in seen.heading
        else None
    )


def _by_premiums(seen: BareNumbers) -> Reading | None:
    found = seen.premium_level
    if found.way is None or abs(found.way) < _TURNED:
        return None
    return Reading(
        "times" if found.way < 0 else "months",
        "data",
        "premiums",
        {"rows": found.short, "of": found.yearly},
    )


def _assumed(_: BareNumbers) -> Reading:
    return Reading("months", "unsure", "unsettled")


DETECTORS: tuple[Detector[BareNumbers], ...] = (
    _by_setting,
    _without_numbers,
    _times_by_heading,
    _times_by_numbers,
    _months_by_numbers,
    _months_by_heading,
    _by_premiums,
    _assumed,
)


def _say(unit: Reading, seen: BareNumbers, notes: Notes) -> None:
    where: dict[str, Any] = {
        "file": seen.table.raw.name,
        "column": (seen.table.headings.heading("term") or "")[:40],
    }
    if unit.how == "unsure":
        _say_unsettled(seen, where, notes)
    elif unit.value == "times" and unit.how != "setting":
        notes.find(
            "AKB-D110",
            "tip",
            unit.numbers["rows"],
            why=Phrase(f"money.terms.{unit.why}", unit.numbers),
            **where,
        )


def _say_unsettled(seen: BareNumbers, where: dict[str, Any], notes: Notes) -> None:
    """Report numbers that may be either, where that changes a premium or most numbers speak against
    it.
    """
    mixed = seen.times * _FAR_MORE > seen.months > 0
    by_instalment = any(
        name in seen.table.headings.at for name in ("premium_term", "premium_term_gross")
    )
    silent = not seen.times and not seen.months and by_instalment
    if (mixed or silent) and seen.every >= ENOUGH:
        rows = seen.times + seen.months if mixed else seen.every
        notes.find(
            "AKB-D111",
            "issue",
            rows,
            rows / seen.every,
            times=seen.times,
            months=seen.months,
            **where,
        )
