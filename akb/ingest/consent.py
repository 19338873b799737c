"""Who does not want marketing: a column that says who may be written to, or one that says who objected.

An objection that is not understood is still one (AVG art. 21), so what cannot be read counts as no. Only a column of
permissions that is written in words or codes of its own, so that most of it cannot be read, says nothing: then a
finding tells that nobody was left out by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells import distinct_of, look_up, plain, rules
from akb.ingest.notes import texts_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.ingest.notes import Notes, Table

Answer = bool | None  # objected; None: nothing stands there
_UNREAD = "unread"


def read_objections(table: Table, cells: pl.DataFrame, notes: Notes) -> pl.Series:
    """Return per row whether it says that the customer does not want marketing; null where nothing is said.

    Parameters
    ----------
    table
        For its headings.
    cells
        ``mailing`` (who may be written to) and ``no_marketing`` (who objected), text; both optional.
    notes
        Receives AKB-P005, what could not be read as permission.
    """
    refused = _answers(texts_of(cells, "no_marketing"), _objected)
    mailing = _answers(texts_of(cells, "mailing"), _unwelcome)
    unread = int((mailing == _UNREAD).sum())
    filled = mailing.len() - mailing.null_count()
    trusted = 2 * unread <= filled
    if unread:
        heading = (table.headings.heading("mailing") or "")[:40]
        code = "AKB-P005" if trusted else "AKB-P006"
        notes.find(code, "issue", unread, unread / filled, column=heading, file=table.raw.name)
    frame = pl.DataFrame({"refused": refused, "mailing": mailing})
    no = pl.col("mailing").is_in(["no", _UNREAD] if trusted else ["no"])
    return frame.select(
        objects=pl.when((pl.col("refused") == "no") | no)
        .then(pl.lit(value=True))
        .when(pl.col("refused").is_not_null() | (pl.col("mailing") == "yes"))
        .then(pl.lit(value=False))
    ).to_series()


def _answers(texts: pl.Series, meaning: Callable[[str], str | None]) -> pl.Series:
    """Return per row what its text means: yes (may be written to), no, `_UNREAD`, or null."""
    distinct = distinct_of(texts)
    values = pl.Series([meaning(text.removesuffix(".0")) for text in distinct], dtype=pl.String)
    return look_up(texts.cast(pl.String), distinct, values)


def _objected(text: str) -> str | None:
    """Return what a cell under "objection" says: whatever stands there is one, unless it says that there is none."""
    words = plain(text).split()
    table = rules().values["mailing"]
    if _says_nothing(words, text):
        return None
    if len(words) == 1 and words[0] in table["denials"]:
        return "yes"
    none = words[0] in table["denials"] and any(word in table["objection"] for word in words)
    return "yes" if none or words[0] in table["negations"] else "no"


def _unwelcome(text: str) -> str | None:
    """Return what a cell under "may be written to" says; of "geen post, wel e-mail" the objection counts."""
    words = plain(text).split()
    table = rules().values["mailing"]
    if words != ["geen"] and _says_nothing(words, text):
        return None
    if len(words) > 1 and words[1] in table["objection"] and words[0] in {*table["denials"]} - {*table["negations"]}:
        return "yes"  # "geen bezwaar", but not "nee, bezwaar"
    numbers = [word.lstrip("0") or "0" for word in words]
    if any(word in table[kind] for word in numbers for kind in ("denials", "objection")):
        return "no"
    return "yes" if any(word in table["permission"] for word in numbers) else _UNREAD


def _says_nothing(words: list[str], text: str) -> bool:
    nothing = {plain(word).replace(" ", "") for word in rules().values["null"]["text"]}
    joined = "".join(words)
    return not joined or joined in nothing or (len(text) > 1 and joined in rules().values["null"]["dates"])
