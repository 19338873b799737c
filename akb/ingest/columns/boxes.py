"""Boxes for a status: a column Geroyeerd, Historisch or Actief with yes and no in it says whether a
policy runs.

With the date of the last change such a box is the second road to an end
(`akb.ingest.policies.rows`). Some offices put the day of the lapse itself in the column: then it is
an end date."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.answers import NO, YES, read_answers
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import distinct_of, known, packed
from akb.ingest.cells.words import Meanings, read_words

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.ingest.columns.notes import Table

BOXES = {"is_ended": {YES: "ended", NO: "running"}, "is_running": {YES: "running", NO: "ended"}}
_WRITTEN = {"ended": "beëindigd", "running": "actief"}
_DATES = 0.5  # of what stands in a box, to call it a column of dates


def read_status(texts: pl.Series, settings: Settings | None = None) -> Meanings:
    """Return what a column of statuses says: words, or only yes and no of being in force."""
    answers = read_answers(texts)
    if not answers.unknown and answers.values.null_count() < answers.values.len():
        in_force = answers.values.replace_strict(BOXES["is_running"], return_dtype=pl.String)
        return Meanings(in_force, {})
    return read_words(texts, "status", settings)


def with_boxes(table: Table, settings: Settings) -> Table:
    """Return a table of policies in which a box stands as the status, or as the end where dates are
    in it.

    A status in words wins over a box on the same row; of two boxes the one that says ended does.
    """
    boxes = (
        [name for name in BOXES if name in table.cells.columns]
        if table.headings.role == "policies"
        else []
    )
    for name in boxes:
        texts = table.texts(name)
        if _holds_dates(texts, settings):
            if "end" not in table.headings.at and name == "is_ended":
                table = _renamed(table, name, "end")
                table.cells = table.cells.with_columns(_days(table.texts("end")))
            continue
        table = _as_status(table, name, settings)
    return table


def _holds_dates(texts: pl.Series, settings: Settings) -> bool:
    distinct = distinct_of(known(texts))
    if not distinct.len() or read_answers(distinct).values.null_count() < distinct.len() / 2:
        return False
    days = read_dates(distinct, date_format=settings.ingest.date_format).values
    return days.len() - days.null_count() > _DATES * distinct.len()


def _days(texts: pl.Series) -> pl.Series:
    """Return the dates of a column without the answers beside them: "nee" is no end, and no bad
    date.
    """
    frame = pl.DataFrame({"end": texts.cast(pl.String), "answer": read_answers(texts).values})
    return packed(frame.select(end=pl.when(pl.col("answer").is_null()).then("end")))["end"]


def _as_status(table: Table, name: str, settings: Settings) -> Table:
    """Write what a box says as a status where no word of one stands; what it does not say stays as
    it is written.
    """
    texts = table.texts(name)
    answers = read_answers(texts).values
    if (
        answers.null_count() == answers.len()
    ):  # it is empty, or its words are those of a status, or the office's own
        in_words = "status" not in table.headings.at and known(texts).is_not_null().any()
        return _renamed(table, name, "status") if in_words else table
    meaning = answers.replace_strict(BOXES[name], default=None, return_dtype=pl.String)
    if answers.null_count() and NO not in answers.to_list():
        empty = known(texts).is_null()
        other = BOXES[name][NO]
        meaning = pl.DataFrame({"m": meaning, "e": empty}).select(
            pl.when(pl.col("m").is_null() & pl.col("e"))
            .then(pl.lit(other))
            .otherwise("m")
            .alias("m")
        )["m"]
    frame = pl.DataFrame(
        {
            "word": meaning.replace_strict(_WRITTEN, default=None, return_dtype=pl.String),
            "raw": known(texts),
            "status": known(table.texts("status")),
            "said": read_status(table.texts("status"), settings).values,
        }
    )
    ended = pl.col("word") == _WRITTEN["ended"]
    boxed = pl.col("status") == _WRITTEN["running"]  # an earlier box
    written = frame.select(
        status=pl.when(pl.col("said").is_null() | (ended & boxed))
        .then(pl.coalesce("word", "status", "raw"))
        .otherwise("status")
    )
    if "status" not in table.headings.at:
        table = _renamed(table, name, "status")
    table.cells = table.cells.with_columns(packed(written)["status"])
    return table


def _renamed(table: Table, name: str, canonical: str) -> Table:
    """Return the table with the heading of a box under another canonical name."""
    headings = table.headings
    named = {
        heading: canonical if column == name else column
        for heading, column in headings.named.items()
    }
    at = {canonical if column == name else column: place for column, place in headings.at.items()}
    cells = table.cells.rename({name: canonical})
    return replace(table, headings=replace(headings, named=named, at=at), cells=cells)
