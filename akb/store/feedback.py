"""``akb.feedback/1``: what advisers did and found, as events, from the portal's CSV or the
workbook's two columns.

The page, the workbook and whoever imports share this schema. A file is taken whole or not at all:
every problem names file, row and column, and none repeats what stands in the cell, which may be
about a person."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from akb.core.errors import AkbError, did_you_mean
from akb.core.wording.text import texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

SCHEMA = "akb.feedback/1"
NOTE = 225
"""Most characters of a note."""
NAME = 60
"""Most characters of the name of who recorded it."""
Status = Literal[
    "open",
    "planned",
    "not_reached",
    "spoken",
    "appointment",
    "quote",
    "stays",
    "sold",
    "not_interested",
    "expired",
]
Mode = Literal["inform", "advise"]
Kind = Literal[
    "right", "clv_too_high", "clv_too_low", "churn_too_high", "churn_too_low",
    "product_unsuitable", "already_left",
    "natural_leaving", "not_relevant",
]  # fmt: skip
STATUSES: tuple[str, ...] = get_args(Status)
MODES: tuple[str, ...] = get_args(Mode)
KINDS: tuple[str, ...] = get_args(Kind)
COLUMNS = (
    "schema",
    "run",
    "customer",
    "recorded",
    "by",
    "list",
    "event",
    "status",
    "date",
    "mode",
    "type",
    "note",
)
LANGUAGES = ("nl", "en")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MARKED = re.compile(r"'+[=+\-@\t\r]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_RUN = re.compile(r"R-[0-9a-f]{12}")
_DUTCH_DAY = re.compile(r"(\d{1,2})[-/](\d{1,2})[-/](\d{4})")
_HEAD_LINES = 5
"""Lines of a sheet among which its headings stand."""


class Feedback(BaseModel):
    """One event: a status that an adviser gave to a customer, or what he thinks of the action.

    Parameters
    ----------
    run
        The run that the page or workbook is of.
    customer
        As the run shows it: pseudonym, or relation number in a run for those who may see it.
    recorded
        When it was recorded, UTC.
    by
        Who recorded it, as far as he said so.
    listed
        The list that it was recorded on; empty outside of any.
    day
        The day that goes with a status: of the appointment, of the talk.
    mode
        Whether the customer was informed or advised (Wft).
    kind
        Of an event ``feedback``.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, populate_by_name=True
    )

    schema_: Literal["akb.feedback/1"] = Field(default="akb.feedback/1", alias="schema")
    run: str = Field(pattern=r"^R-[0-9a-f]{12}$")
    customer: str = Field(min_length=1, max_length=64)
    recorded: datetime
    by: str = Field(default="", max_length=NAME)
    listed: str = Field(default="", alias="list", pattern=r"^[a-z_]{0,40}$")
    event: Literal["status", "feedback"]
    status: Status | None = None
    day: date | None = Field(default=None, alias="date")
    mode: Mode | None = None
    kind: Kind | None = Field(default=None, alias="type")
    note: str = Field(default="", max_length=NOTE)

    @field_validator("recorded", mode="before")
    @classmethod
    def _moment(cls, given: Any) -> Any:
        """Take nothing but a moment in UTC, to the second: local times of eight laptops have no
        order.
        """
        if isinstance(given, str) and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", given):
            raise ValueError("is no moment such as 2026-01-05T09:30:00Z")
        return given

    @field_validator("day", mode="before")
    @classmethod
    def _day(cls, given: Any) -> Any:
        """Take 2026-01-05, and 5-1-2026 as Dutch Excel writes it back."""
        if isinstance(given, str) and given:
            found = _DUTCH_DAY.fullmatch(given)
            try:
                return (
                    date(int(found[3]), int(found[2]), int(found[1]))
                    if found
                    else date.fromisoformat(given)
                )
            except ValueError:
                raise ValueError("is no date such as 2026-01-05") from None
        return given

    @field_validator("customer", "by", "note")
    @classmethod
    def _one_line(cls, given: str) -> str:
        if _CONTROL.search(given):
            raise ValueError("holds a line break or another control character")
        return given

    @model_validator(mode="after")
    def _whole(self) -> Feedback:
        if self.event == "status" and (self.status is None or self.kind is not None):
            raise ValueError("status: an event 'status' has a status and no type")
        if self.event == "feedback" and (self.kind is None or self.status is not None):
            raise ValueError("type: an event 'feedback' has a type and no status")
        return self

    def row(self) -> list[str]:
        """Return the cells of its row, in the order of `COLUMNS`; no text is a formula."""
        cells = {
            "schema": self.schema_,
            "recorded": self.recorded.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "date": self.day.isoformat() if self.day else "",
            "list": self.listed,
            "type": self.kind or "",
        }
        return [
            cells[name] if name in cells else marked(str(getattr(self, name) or ""))
            for name in COLUMNS
        ]


def checked_event(given: Mapping[str, Any]) -> Feedback:
    """Return one event from its columns, as a page over HTTP sends it.

    Raises
    ------
    AkbError
        If anything in it is not as it should be; the message names the column and not the value.
    """
    problems: list[str] = []
    event = _event(given, "event", None, problems)
    if event is None:
        raise AkbError(problems[0])
    return event


def marked(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, from which `unmarked` makes the text
    again.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unmarked(text: str) -> str:
    """Return the text of which `marked` made this one."""
    return text[1:] if _MARKED.match(text) else text


def written(events: Iterable[Feedback]) -> bytes:
    """Return events as a CSV: ``;``, UTF-8 with BOM, CRLF, as the portal exports them."""
    target = io.StringIO(newline="")
    rows = csv.writer(target, delimiter=";", lineterminator="\r\n")
    rows.writerow(COLUMNS)
    rows.writerows(event.row() for event in events)
    return ("\ufeff" + target.getvalue()).encode()


def read_feedback(path: Path, run: str | None = None) -> list[Feedback]:
    """Return the events of a CSV in its order, each once.

    Parameters
    ----------
    run
        The run that the events must be of.

    Raises
    ------
    AkbError
        If anything in the file is not as it should be: file, row (the headings are row 1) and
        column of the first problem, and how many more there are.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise AkbError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise AkbError(
            f"{path.name} is not UTF-8", "Give the file that the portal exported."
        ) from None
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") >= head.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise AkbError(
            f"{path.name} is no CSV: {error}", "Give the file that the portal exported."
        ) from None
    if not rows or tuple(rows[0]) != COLUMNS:
        _refuse_headings(path.name, rows[0] if rows else [])
    problems: list[str] = []
    events: dict[Feedback, None] = {}
    for number, cells in enumerate(rows[1:], start=2):
        if not any(cells):
            continue
        if len(cells) != len(COLUMNS):
            problems.append(
                f"row {number}: {len(cells)} cells, and there are {len(COLUMNS)} columns"
            )
            continue
        given = {name: unmarked(cell.strip()) for name, cell in zip(COLUMNS, cells, strict=True)}
        event = _event(given, f"row {number}", run, problems)
        if event is not None:
            events[event] = None
    _raise(path.name, problems)
    return list(events)


def read_workbook(path: Path, recorded: datetime, run: str | None = None) -> list[Feedback]:
    """Return what advisers filled in on their sheets of ``actions.xlsx`` as events.

    A row with a status is an event ``status``; its result is the note. Rows without either are no
    event.

    Parameters
    ----------
    recorded
        When it was recorded, UTC: a cell does not say so.
    run
        The run that the workbook must be of.

    Raises
    ------
    AkbError
        As `read_feedback`, with the sheet; and if the workbook does not say of which run it is.
    """
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
        sheets = {name: _cells(book, name) for name in book.sheet_names}
    except (fastexcel.FastExcelError, OSError):
        raise AkbError(
            f"{path.name} cannot be read as a workbook", "Give the actions.xlsx of a run."
        ) from None
    runs = [found[0] for cell in _first_column(sheets) if (found := _RUN.search(cell))]
    if not runs:
        raise AkbError(
            f"{path.name} does not say of which run it is", "Give the actions.xlsx of a run."
        )
    labels = {label.lower(): key for words in _labels("status") for key, label in words.items()}
    problems: list[str] = []
    events: dict[Feedback, None] = {}
    for name, rows in sheets.items():
        for place, status, result, customer in _filled(rows):
            where = f"sheet {name}, row {place}"
            key = labels.get(status.lower(), status.lower())
            if not key:
                problems.append(f"{where}, column status: is empty beside a result")
                continue
            given = {
                "schema": SCHEMA,
                "run": runs[0],
                "customer": customer,
                "recorded": recorded,
                "event": "status",
                "list": "next_best_action",
                "status": key,
                "note": result,
            }
            event = _event(given, where, run, problems)
            if event is not None:
                events[event] = None
    _raise(path.name, problems)
    return list(events)


def _event(
    given: Mapping[str, Any], where: str, run: str | None, problems: list[str]
) -> Feedback | None:
    """Return the event of a row; None, and what is wrong with it among the problems."""
    try:
        event = Feedback.model_validate({name: cell for name, cell in given.items() if cell != ""})
    except ValidationError as error:
        problems += [f"{where}, {_worded(each)}" for each in error.errors(include_url=False)]
        return None
    if run is not None and event.run != run:
        problems.append(f"{where}, column run: is another run than this one ({run})")
        return None
    return event


def _worded(error: Any) -> str:
    """Return a problem with its column, without the value."""
    place = str(error["loc"][0]) if error["loc"] else ""
    allowed = {
        "status": STATUSES,
        "mode": MODES,
        "type": KINDS,
        "event": ("status", "feedback"),
        "schema": (SCHEMA,),
    }
    if error["type"] == "literal_error":
        near = did_you_mean(str(error["input"]), allowed[place])
        return f"column {place}: is none of {', '.join(allowed[place])}{near}"
    if error["type"] == "missing":
        return f"column {place}: is empty"
    if error["type"] == "string_too_long":
        return f"column {place}: has more than {error['ctx']['max_length']} characters"
    if error["type"] == "string_pattern_mismatch":
        what = "run such as R-0123456789ab" if place == "run" else "key of a list"
        return f"column {place}: is no {what}"
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"column {place}: {said}" if place else f"column {said}"


def _refuse_headings(name: str, found: Sequence[str]) -> None:
    missing = [column for column in COLUMNS if column not in found]
    what = (
        f"row 1: there is no column {', '.join(missing)}"
        if missing
        else "row 1: the columns stand in another order"
    )
    raise AkbError(f"{name}, {what}", f"{SCHEMA} has the columns {', '.join(COLUMNS)}.")


def _raise(name: str, problems: Sequence[str]) -> None:
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise AkbError(
            f"{name}, {problems[0]}{more}", "Nothing of the file was taken; mend it and try again."
        )


def _cells(book: Any, name: str) -> list[list[str]]:
    """Return a sheet as texts, empty for nothing."""
    table = book.load_sheet(
        name, header_row=None, dtypes="string", skip_whitespace_tail_rows=True
    ).to_polars()
    return [[cell or "" for cell in row] for row in table.iter_rows()]


def _first_column(sheets: Mapping[str, list[list[str]]]) -> list[str]:
    return [row[0] for rows in sheets.values() for row in rows if row]


def _filled(rows: list[list[str]]) -> list[tuple[int, str, str, str]]:
    """Return row number, status, result and customer of what was filled in on an adviser's
    sheet.
    """
    heads = [
        {name: words[name].lower() for name in ("customer", "status", "result")}
        for words in _labels("book_head")
    ]
    for place, row in enumerate(rows[:_HEAD_LINES]):
        lowered = [cell.lower() for cell in row]
        known = next(
            (head for head in heads if all(name in lowered for name in head.values())), None
        )
        if known is None:
            continue
        at = {name: lowered.index(head) for name, head in known.items()}
        return [
            (
                number,
                cells[at["status"]].strip(),
                cells[at["result"]].strip(),
                unmarked(cells[at["customer"]].strip()),
            )
            for number, cells in enumerate(rows[place + 1 :], start=place + 2)
            if cells[at["status"]].strip() or cells[at["result"]].strip()
        ]
    return []


def _labels(table: str) -> list[dict[str, str]]:
    """Return a table of words in every language of the workbook."""
    return [dict(texts("portal", language)[table]) for language in LANGUAGES]
