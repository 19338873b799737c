"""Whether what stands under a heading can be what the heading is taken for: proposals only where
they hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.texts import identifiers, known, plain
from akb.ingest.columns.legibility import DAYS, EUROS, legible
from akb.ingest.columns.matching import proposals, safe_heading

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.columns.matching import Headings
    from akb.ingest.files.raw_table import RawTable

_ROWS = 20_000  # of a larger file every so many-th row is looked at
_MOST = 0.9
_FORMS = {
    "birth_year": r"^(?:18|19|20)\d{2}$",
    "postcode": r"^\d{4}",
    "house_number": r"^\d",
    "version": r"^\d",
}
_NUMBERS = ("customer", "policy")
_LIKELY = {
    "premium": (
        r"premie|premium|\bgwp\b",
        ("premium", "premium_gross", "premium_term", "premium_term_gross"),
    ),
    "commission": (
        r"provisie|commission|courtage",
        ("commission", "commission_term", "commission_rate"),
    ),
    "end": (
        r"\beind|einde|beeindig|royement|cancel|terminat|lapse|\bend",
        ("end", "status", "is_ended"),
    ),
}
"""Column that a run misses most -> the words of its headings, and the columns of which one would
do.
"""


@dataclass(frozen=True)
class ColumnEvidence:
    """The cells of a table that was not read yet, a column at a time."""

    raw: RawTable
    settings: Settings

    def cells(self, heading: str) -> pl.Series:
        """Return what stands under a heading, as text; null where nothing is said."""
        position = self.raw.headings.index(heading)
        cells = self.raw.load([position])[str(position)].cast(pl.String)
        return known(cells.gather_every(max(1, cells.len() // _ROWS)))

    def holds(self, column: str, heading: str) -> bool:
        """Whether most filled cells under a heading can be a canonical column; a column without
        cells holds nothing.
        """
        cells = self.cells(heading).drop_nulls()
        if cells.is_empty():
            return False
        if column in DAYS | EUROS:
            return (legible(column, cells, self.settings) or 0.0) >= _MOST
        if column in _FORMS:
            return float(cells.str.contains(_FORMS[column]).mean() or 0.0) >= _MOST  # type: ignore[arg-type]
        if column in _NUMBERS:
            return self._numbers(column, cells)
        return True

    def _numbers(self, column: str, cells: pl.Series) -> bool:
        """Numbers have digits and are no dates; those of policies are hardly ever told twice,
        unless coverages are.
        """
        keys = identifiers(cells)[1].drop_nulls()
        digits = float(keys.str.contains(r"\d").mean() or 0.0)  # type: ignore[arg-type]
        dates = (
            (legible("start", cells, self.settings) or 0.0)
            if keys.str.len_chars().min() == keys.str.len_chars().max()
            else 0.0
        )
        few = keys.n_unique() < (0.2 if column == "policy" else 0.02) * keys.len()
        return digits >= _MOST and dates < _MOST and not few

    def proposals(self, headings: Headings) -> dict[str, str]:
        """Return canonical column -> unused heading that may well be it, where its cells hold."""
        unused = [
            heading
            for heading, column in headings.named.items()
            if column is None
            and heading not in (*headings.dropped, *headings.leaking)
            and safe_heading(heading) == heading
        ]
        found = proposals(unused, headings.role, list(headings.at))
        return {column: heading for column, heading in found.items() if self.holds(column, heading)}

    def likely(self, headings: Headings) -> dict[str, str]:
        """Return column that a table of policies lacks -> heading that speaks of it and holds it,
        and is not read.
        """
        free = [heading for heading, column in headings.named.items() if column is None]
        found: dict[str, str] = {}
        for column, (words, others) in _LIKELY.items() if headings.role == "policies" else ():
            if any(name in headings.at for name in others):
                continue
            near = [
                heading
                for heading in free
                if re.search(words, plain(heading)) and self.holds(column, heading)
            ]
            if near:
                found[column] = near[0]
        return found
