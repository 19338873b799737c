"""A run that would lose most of itself does not go on: exit 2, with the word that did it and the
line that maps it.

Half a portfolio reads like a whole one, so nobody sees that all running policies fell out over one
word. ``--go-on`` insists; then the same sentence stands among the findings (AKB-D091)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from akb.core.errors import AkbError
from akb.core.privacy.identifiers import shared
from akb.core.wording.phrases import Phrase
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.texts import known, rule, shape
from akb.ingest.checks.doubted_day import command
from akb.ingest.columns.boxes import read_status
from akb.ingest.policies.rows import without_never

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from akb.config import Settings
    from akb.ingest.as_of.clock import Clock
    from akb.ingest.columns.notes import Notes, Table

_BLAMED = (
    "bad_date",
    "no_customer",
    "no_policy",
    "no_start",
    "ended_no_date",
    "ended_before_started",
    "ragged",
)
_OTHER_FORM = '  date_format = "%d-%m-%Y"   # the form in which the file writes its dates'


@dataclass(frozen=True)
class Loss:
    """Most of something cannot be read.

    Parameters
    ----------
    sentence
        What would be lost, with the word that did it and its count.
    remedy
        The line that maps it.
    count, share
        Rows, and their share of what was looked at.
    what
        The same in short, for the finding.
    """

    sentence: str
    remedy: str
    count: int
    share: float
    what: Phrase


def _said(kind: str, **values: object) -> Phrase:
    return Phrase(f"columns.losses.{kind}", values)


def refuse(loss: Loss, notes: Notes, *, go_on: bool) -> None:
    """Stop the run over a loss, or tell it as AKB-D091.

    Raises
    ------
    AkbError
        Unless `go_on`.
    """
    if not go_on:
        raise AkbError(loss.sentence, f"{loss.remedy}\nTo go on with what is left: --go-on.")
    notes.find("AKB-D091", "issue", loss.count, loss.share, what=loss.what)


def check_columns(
    tables: Sequence[Table], settings: Settings, notes: Notes, *, go_on: bool
) -> None:
    """Refuse formulas that were never computed, and policies of which a needed column or most ends
    cannot be read.
    """
    for table in tables:
        loss = _uncomputed(table)
        if loss:
            refuse(loss, notes, go_on=go_on)
            continue
        if table.headings.role == "policies" and table.cells.height >= rule("losses", "minimum"):
            loss = next(_losses(table, settings), None)
            if loss:
                refuse(loss, notes, go_on=go_on)


def check_rows(tables: Sequence[Table], notes: Notes, *, go_on: bool) -> None:
    """Refuse policies of which most rows were put aside because they cannot be read."""
    said_before = any(finding.code == "AKB-D091" for finding in notes.findings)
    for table in tables:
        if table.headings.role != "policies" or said_before:
            continue
        rejects = pl.concat(
            [
                pl.DataFrame(
                    {"file": [], "reason": []}, schema={"file": pl.String, "reason": pl.String}
                ),
                *(frame.select("file", "reason") for frame in notes.rejects),
            ]
        )
        lost = rejects.filter(
            pl.col("file") == table.raw.name, pl.col("reason").is_in(list(_BLAMED))
        )
        if (
            lost.height < rule("losses", "minimum")
            or lost.height <= rule("losses", "share") * table.raw.read
        ):
            continue
        reason, count = (
            lost.group_by("reason").len().sort("len", "reason", descending=[True, False]).row(0)
        )
        rows = f"{lost.height:,} of {table.raw.read:,} rows"
        named = Phrase(f"report_names.reject.{reason}")
        what = _said("rows", file=table.raw.name, count=lost.height, reason=named)
        sentence = f"{table.raw.name}: {rows} cannot be used, {count:,} of them as {reason}"
        refuse(
            Loss(
                sentence,
                _remedy_of_rows(table, reason),
                lost.height,
                lost.height / table.raw.read,
                what,
            ),
            notes,
            go_on=go_on,
        )


def _remedy_of_rows(table: Table, reason: str) -> str:
    if reason == "ragged" and table.raw.dialect.get("separator") == "comma":
        return (
            "The comma separates the fields and stands in the amounts too. Export with ; or a tab "
            "as separator, "
            "or with every amount between quotes."
        )
    return (
        "akb check --go-on shows how each column is read; map the right in "
        "[ingest.columns.policies] of akb.toml."
    )


def check_day(tables: Sequence[Table], clock: Clock, notes: Notes, *, go_on: bool) -> None:
    """Refuse a day of the export that is followed by a fifth of the starts."""
    doubt = next((doubt for doubt in clock.doubts if doubt.kind == "starts"), None)
    if doubt is None or doubt.share <= rule("losses", "starts_share"):
        return
    name = next(table.raw.name for table in tables if table.headings.role == "policies")
    starts, ends = (
        day.isoformat() if day else "an unknown day" for day in (clock.starts, clock.ends)
    )
    sentence = (
        f"{name}: the export seems to be of {clock.as_of.isoformat()}, but {doubt.count:,} "
        f"policies ({doubt.share:.0%}) start after it; starts go on as usual until {starts}, ends "
        f"until {ends}"
    )
    what = _said("day", day=clock.as_of, count=doubt.count)
    refuse(
        Loss(
            sentence,
            f"Give the day: {command(tables, doubt.instead)}",
            doubt.count,
            doubt.share,
            what,
        ),
        notes,
        go_on=go_on,
    )


def _losses(table: Table, settings: Settings) -> Iterator[Loss]:
    form = settings.ingest.date_format
    start = read_dates(table.texts("start"), date_format=form)
    end = read_dates(table.texts("end"), date_format=form, order=start.order)
    rows = pl.DataFrame(
        {
            "who": table.texts("customer").cast(pl.String),
            "customer": table.identifiers("customer")[1],
            "policy": table.identifiers("policy")[1],
            "start": start.values,
            "start_bad": start.bad,
            "start_text": known(table.texts("start")),
            "end": without_never(table.texts("end"), end.values, start.values),
            "end_bad": end.bad,
            "end_text": known(table.texts("end")),
        }
    )
    rows = rows.with_columns(early=(pl.col("end") < pl.col("start")).fill_null(value=False))
    limit = settings.report.suppress_below
    unread = rows.filter("start_bad")
    filled = rows["start_text"].len() - rows["start_text"].null_count()
    if _most(unread.height, filled):
        yield _of_dates(table, "start", unread, filled, limit)
    policies = rows.filter(pl.col("start").is_not_null() | pl.col("start_bad"))
    for column, other in (("customer", "policy"), ("policy", "customer")):
        filled_rows = policies.filter(pl.col(other).is_not_null())
        empty = filled_rows[column].null_count()
        if _most(empty, filled_rows.height):
            yield _of_numbers(table, column, empty, filled_rows.height)
    yield from _ends(table, rows, limit)
    yield from _same_day(table, rows)
    yield from _status(table, rows, settings)


def _uncomputed(table: Table) -> Loss | None:
    """Cells of a used column that are formulas without a result: they are empty, and nobody emptied
    them.
    """
    found = {
        column: table.raw.uncomputed[place]
        for column, place in table.headings.at.items()
        if table.raw.uncomputed.get(place, 0)
    }
    if not found:
        return None
    columns = ", ".join(
        f"'{_heading(table, column)}' ({count:,})" for column, count in found.items()
    )
    return Loss(
        f"{table.raw.name}: formulas that were never computed stand in {columns}; their cells are "
        f"empty",
        "Open the workbook in Excel or LibreOffice, save it there, and read it again.",
        sum(found.values()),
        min(sum(found.values()) / max(table.raw.read, 1), 1.0),
        _said("formulas", file=table.raw.name, columns=columns),
    )


def _most(part: int, whole: int) -> bool:
    return part >= rule("losses", "minimum") and part > rule("losses", "share") * whole


def _ends(table: Table, rows: pl.DataFrame, limit: int) -> Iterator[Loss]:
    """Ends that cannot be read, or that lie before the start because they stand for never."""
    bad = rows.filter(pl.col("end_bad") | pl.col("early"))
    filled = rows["end_text"].len() - rows["end_text"].null_count()
    running = rows.height - filled
    top = 0 if bad.is_empty() else int(bad["end_text"].value_counts()["count"].max())  # type: ignore[arg-type]
    one_word = 2 * top >= bad.height >= rule("losses", "word_share") * rows.height
    many = bad.height >= rule("losses", "starts_share") * rows.height
    if _most(int(bad["end_bad"].sum()), filled) or (
        _most(bad.height, bad.height + running) and (one_word or many)
    ):
        yield _of_dates(table, "end", bad, rows.height, limit)


def _same_day(table: Table, rows: pl.DataFrame) -> Iterator[Loss]:
    """Ends on the day of the start, on most of what runs: they stand for never."""
    same = rows.filter(pl.col("end") == pl.col("start")).height
    running = rows.height - (rows["end_text"].len() - rows["end_text"].null_count())
    if not _most(same, same + running) or same < rule("losses", "starts_share") * rows.height:
        return
    end, start = (_heading(table, column) for column in ("end", "start"))
    yield Loss(
        f"{table.raw.name}: most of the policies that run would be lost: on {same:,} of "
        f"{rows.height:,} rows the date in column '{end}' is that in column '{start}'",
        "If it stands for no end, export those cells empty; if it is another date, name the right "
        'column in akb.toml:\n  [ingest.columns.policies]\n  end = "heading in your file"',
        same,
        same / rows.height,
        _said(
            "rows",
            file=table.raw.name,
            count=same,
            reason=Phrase("report_names.reject.never_started"),
        ),
    )


def _status(table: Table, rows: pl.DataFrame, settings: Settings) -> Iterator[Loss]:
    """A status that nobody knows, where nothing else says which policies ended."""
    if rows["end"].null_count() < rows.height or "status" not in table.headings.at:
        return
    texts = known(table.texts("status"))
    status = read_status(table.texts("status"), settings)
    meaning, odd = status.values, sum(status.unknown.values())
    filled = texts.len() - texts.null_count()
    if _most(odd, filled):
        strange = pl.DataFrame({"who": rows["who"], "text": texts}).filter(
            meaning.is_null() & texts.is_not_null()
        )
        word, count = _word(strange["text"], strange["who"], settings.report.suppress_below)
        heading = _heading(table, "status")
        yield Loss(
            f"{table.raw.name}: column '{heading}' says which policies ended, but {odd:,} of its "
            f"{filled:,} cells are "
            f"no status that akb knows; '{word}' stands there {count:,} times",
            f"Give the column with the end date, or say what the word means in akb.toml:\n"
            f'  [ingest.statuses]\n  {_quoted(word)} = "running"',
            odd,
            odd / filled,
            _said("words", file=table.raw.name, column=heading, count=odd, word=word, times=count),
        )


def _of_dates(table: Table, column: str, bad: pl.DataFrame, whole: int, limit: int) -> Loss:
    word, count = _word(bad[f"{column}_text"], bad["who"], limit)
    heading = _heading(table, column)
    lost = "most policies" if column == "start" else "most of the policies that run"
    sentence = (
        f"{table.raw.name}: {lost} would be lost: {bad.height:,} of {whole:,} cells in column "
        f"'{heading}' are no date "
        f"that akb can use; '{word}' stands there {count:,} times"
    )
    maps = f"  empty = [{_quoted(word)}]   # the word says that there is no date"
    line = (
        maps
        if column == "end" and not any(sign.isdigit() for sign in word)
        else f"{maps}\nor\n{_OTHER_FORM}"
    )
    if column == "start":
        line = _OTHER_FORM
    what = _said(
        "words", file=table.raw.name, column=heading, count=bad.height, word=word, times=count
    )
    return Loss(sentence, f"Say in akb.toml, given with --config, what it means:\n  "
        f"[ingest]\n{line}",
                bad.height, bad.height / max(whole, 1), what)  # fmt: skip


def _of_numbers(table: Table, column: str, empty: int, whole: int) -> Loss:
    heading = _heading(table, column)
    return Loss(
        f"{table.raw.name}: most policies would be lost: column '{heading}' ({column}) is empty "
        f"or unreadable on "
        f"{empty:,} of {whole:,} policies",
        "Is it a report with one number above many rows? Export it as a list, a number on every "
        "row. Or name the right "
        f"column in akb.toml:\n  [ingest.columns.policies]\n  {column} = \"heading in your file\"",
        empty,
        empty / whole,
        _said("empty", file=table.raw.name, column=heading, count=empty),
    )  # fmt: skip


def _heading(table: Table, column: str) -> str:
    return (table.headings.heading(column) or column)[:40]


def _word(texts: pl.Series, customers: pl.Series, limit: int) -> tuple[str, int]:
    """Return the most frequent text and its count; its shape where too few customers share it."""
    text, count = (
        texts.drop_nulls().value_counts().sort("count", texts.name, descending=[True, False]).row(0)
    )
    if text in shared(texts, customers, limit):
        return text[:30], count
    shapes = pl.Series([shape(each, 20) for each in texts.drop_nulls()]).value_counts(sort=True)
    return shapes.row(0)


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
