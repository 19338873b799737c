"""Who does not want marketing: a column that says who may be written to, or one that says who
objected.

An objection that is not understood is still one (AVG art. 21), so what cannot be read counts as no,
marks and codes of an office's own too: what those mean is said under ``[ingest.permissions]``. A
permission is given and not assumed: in a column in which only yes stands, an empty cell is a no.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from akb.ingest.cells.answers import NO, YES, bare, marks_of
from akb.ingest.cells.texts import distinct_of, is_mark, look_up, plain, rules
from akb.ingest.cells.words import Meanings, own_words
from akb.ingest.columns.consent_headings import OBJECTION, PERMISSION, is_consent

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.config import Settings
    from akb.ingest.columns.notes import Notes, Table

_UNREAD = "unread"
_DAY = re.compile(r"\d{1,4}[-/. ]\w{1,9}[-/. ]\d{2,4}|^\d{6,14}$")
_ACTS = re.compile(
    r"mail|bel|call|benader|contact|schrij|post|brief"
)  # "niet mailen" objects where "mailen" does not


def read_objections(
    table: Table, cells: pl.DataFrame, settings: Settings, notes: Notes
) -> pl.Series:
    """Return per row whether it says that the customer does not want marketing; null where nothing
    is said.

    Parameters
    ----------
    table
        For its headings.
    cells
        ``mailing`` (who may be written to) and ``no_marketing`` (who objected), text; none, one or
        several of each.
    settings
        ``[ingest.permissions]``: what words of the office's own mean under either heading, yes (he
        may be written to) or no.
    notes
        Receives AKB-P005 and AKB-P006, what could not be read as permission, AKB-P007, what was not
        given, and AKB-P008, what under an objection is neither one nor none.
    """
    own = own_words("permission", settings)
    who = cells["_key"] if "_key" in cells.columns else pl.int_range(cells.height, eager=True)
    said = [
        *(
            _refused(table, cells[name], own, notes)
            for name in cells.columns
            if is_consent(name, OBJECTION)
        ),
        *(
            _permitted(table, cells[name], who, own, notes)
            for name in cells.columns
            if is_consent(name, PERMISSION)
        ),
    ]
    if not said:
        return pl.Series([None], dtype=pl.Boolean).new_from_index(0, cells.height)
    return (
        pl.DataFrame(said).select(pl.any_horizontal(pl.all())).to_series()
        if len(said) > 1
        else said[0]
    )


def _refused(table: Table, cells: pl.Series, own: dict[str, str], notes: Notes) -> pl.Series:
    """Return per row whether a column of objections has one; null where nothing is said."""
    said = _answers(cells, _objections(cells), own)
    unread = int((said == _UNREAD).sum())
    if unread:
        share = unread / (said.len() - said.null_count())
        notes.find(
            "AKB-P008",
            "issue",
            unread,
            share,
            column=_heading(table, cells.name),
            file=table.raw.name,
        )
    return said.is_in([NO, _UNREAD]).alias(cells.name)


def _permitted(
    table: Table, cells: pl.Series, who: pl.Series, own: dict[str, str], notes: Notes
) -> pl.Series:
    """Return per row whether a column of permissions says, or makes fear, that there is none."""
    mailing = _answers(cells, _unwelcome, own)
    heading = _heading(table, cells.name)
    unread = int((mailing == _UNREAD).sum())
    filled = mailing.len() - mailing.null_count()
    if unread:
        code = "AKB-P005" if 2 * unread <= filled else "AKB-P006"
        notes.find(code, "issue", unread, unread / filled, column=heading, file=table.raw.name)
    asked = filled > 0 and bool(
        (mailing.drop_nulls() == YES).all()
    )  # a box that was ticked or was not
    frame = pl.DataFrame({"mailing": mailing, "who": who})
    never = pl.col("mailing").is_null().all().over("who") & pl.lit(
        value=asked
    )  # a yes on another row is a yes
    frame = frame.with_columns(silent=never)
    silent = int(frame["silent"].sum())
    if silent:
        notes.find(
            "AKB-P007", "issue", silent, silent / frame.height, column=heading, file=table.raw.name
        )
    return frame.select(
        pl.when(pl.col("mailing").is_in([NO, _UNREAD]) | pl.col("silent"))
        .then(pl.lit(value=True))
        .when(pl.col("mailing") == YES)
        .then(pl.lit(value=False))
        .alias(cells.name)
    ).to_series()


def _heading(table: Table, name: str) -> str:
    """Return the heading of a column of cells, which may be the second of its kind."""
    place = table.headings.at.get(name)
    return "" if place is None else list(table.headings.named)[place][:40]


def read_permissions(texts: pl.Series, settings: Settings) -> Meanings:
    """Return ``yes`` or ``no`` for what stands under a permission; what cannot be read is
    unknown.
    """
    values = _answers(texts, _unwelcome, own_words("permission", settings))
    unread = texts.cast(pl.String).filter(values == _UNREAD)
    counts = {str(text): int(count) for text, count in unread.value_counts().iter_rows()}
    return Meanings(values.replace(_UNREAD, None), counts)


def _answers(
    texts: pl.Series, meaning: Callable[[str, str | None], str | None], own: dict[str, str]
) -> pl.Series:
    """Return per row what its text means: yes (may be written to), no, `_UNREAD`, or null."""
    distinct = distinct_of(texts)
    mark = marks_of(texts)
    values = pl.Series(
        [
            own.get(plain(text) or text.strip().lower()) or meaning(bare(text), mark(text))
            for text in distinct
        ],
        dtype=pl.String,
    )
    return look_up(texts.cast(pl.String), distinct, values)


def _objections(texts: pl.Series) -> Callable[[str, str | None], str | None]:
    """Return what a cell under "objection" says: whatever stands there is one, unless it says none.

    What is no plain yes, date or word of objection counts too, but as unread. Of two texts of which
    one denies the other ("Niet ingediend") it says that there is none.
    """
    standing = {plain(text) for text in distinct_of(texts)}
    crossed = {text.strip() for text in distinct_of(texts)} & {*rules().values["marks"]["crosses"]}

    def objected(text: str, mark: str | None) -> str | None:
        words = plain(text).split()
        if set(text.strip()) == {"?"}:
            return _UNREAD
        if mark or is_mark(text):
            return (
                YES if mark == NO else (_UNREAD if crossed and text.strip() not in crossed else NO)
            )
        if _says_nothing(words, text):
            return None
        if _denies_objecting(words, standing):
            return YES
        return NO if _DAY.search(text) or {*words} & _objecting() else _UNREAD

    return objected


def _denies_objecting(words: list[str], standing: set[str]) -> bool:
    """Say whether words say that there is no objection."""
    table = rules().values["mailing"]
    if len(words) == 1 and words[0] in table["denials"]:
        return True
    if "".join(words) == "optin" or (words == ["uit"] and standing & {"aan", "on"}):
        return True
    if words[0] in table["denials"] and any(word in table["objection"] for word in words):
        return True
    other = " ".join(words[1:])
    return words[0] in table["negations"] or (
        words[0] in table["denials"] and other in standing and not _ACTS.search(other)
    )


@cache
def _objecting() -> frozenset[str]:
    table = rules().values["mailing"]
    return frozenset({*table["permission"], *table["objection"], *table["denials"]})


def _unwelcome(text: str, mark: str | None) -> str | None:
    """Return what a cell under "may be written to" says; of "geen post, wel e-mail" the objection
    counts.
    """
    words = plain(text).split()
    table = rules().values["mailing"]
    if set(text.strip()) == {"?"}:
        return _UNREAD
    if mark or is_mark(text):
        either = mark is None or text.strip() in rules().values["marks"]["refusals"]
        return _UNREAD if either and mark != NO else mark
    if words != ["geen"] and _says_nothing(words, text):
        return None
    if (
        len(words) > 1
        and words[1] in table["objection"]
        and words[0] in {*table["denials"]} - {*table["negations"]}
    ):
        return YES  # "geen bezwaar", but not "nee, bezwaar"
    numbers = [word.lstrip("0") or "0" for word in words]
    if any(word in table[kind] for word in numbers for kind in ("denials", "objection")):
        return NO
    return YES if any(word in table["permission"] for word in numbers) else _UNREAD


def _says_nothing(words: list[str], text: str) -> bool:
    nothing = {plain(word).replace(" ", "") for word in rules().values["null"]["text"]}
    joined = "".join(words)
    dates = rules().values["null"]["dates"]
    return (
        not joined or joined in nothing or (len(text) > 1 and joined.isdigit() and joined in dates)
    )
