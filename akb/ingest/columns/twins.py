"""Two columns under one heading: which of them is read, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from akb.ingest.columns.evidence import ColumnEvidence
    from akb.ingest.columns.matching import Headings
    from akb.ingest.columns.notes import Notes

_MOST = 10


def settle_twins(
    headings: Headings, given: Mapping[str, str], evidence: ColumnEvidence, notes: Notes
) -> Headings:
    """Return the headings with the filled one of two columns of one name; AKB-D093 where they say
    different things.

    Parameters
    ----------
    headings
        What the headings mean; the second of two is called "Einddatum (2)".
    given
        Canonical column -> heading that the client names: that one is meant.
    evidence
        The cells.
    notes
        Receives the finding.
    """
    at = dict(headings.at)
    for heading, column in headings.named.items():
        twins = [name for name in _twins(heading) if name in headings.named] if column else []
        if column and twins and column not in given:
            best = _fullest(heading, twins, evidence, notes)
            at[column] = evidence.raw.headings.index(best)
    if at == headings.at:
        return headings
    meaning = {position: column for column, position in at.items()}
    named = {heading: meaning.get(place) for place, heading in enumerate(evidence.raw.headings)}
    return replace(headings, at=at, named=named)


def _twins(heading: str) -> list[str]:
    return [f"{heading} ({number})" for number in range(2, _MOST)]


def _fullest(heading: str, twins: list[str], evidence: ColumnEvidence, notes: Notes) -> str:
    """Return the column to read: the first that is filled; say so if a later one says something
    else.
    """
    cells = {name: evidence.cells(name) for name in (heading, *twins)}
    filled = [name for name, column in cells.items() if column.null_count() < column.len()]
    if not filled:
        return heading
    first = filled[0]
    others = [name for name in filled[1:] if _differ(cells[first], cells[name])]
    if others:
        rows = sum(_differ(cells[first], cells[name]) for name in others)
        params = {
            "heading": heading[:40],
            "first": first[:40],
            "other": others[0][:40],
            "file": evidence.raw.name,
        }
        notes.find(
            "AKB-D093", "issue", rows, rows / max(cells[first].len(), 1) / len(others), **params
        )
    return first


def _differ(one: pl.Series, other: pl.Series) -> int:
    """Return on how many rows of those looked at two columns say something else."""
    return int((one.fill_null("") != other.fill_null("")).sum())
