"""akb.feedback/1: what is written is read again, and what is wrong is named with row and column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akb.core.errors import AkbError
from akb.store.feedback import (
    COLUMNS,
    KINDS,
    MODES,
    STATUSES,
    Feedback,
    marked,
    read_feedback,
    read_workbook,
    unmarked,
    written,
)

if TYPE_CHECKING:
    from pathlib import Path

RUN = "R-0123456789ab"
HEAD = ";".join(COLUMNS)
GOOD = f"akb.feedback/1;{RUN};K-7F3A;2026-01-05T09:30:00Z;Anna;top_defend;status;spoken;2026-01-05;inform;;belde terug"
NOTES = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" ;,\"'=+-@"), max_size=225)


def event(**more: object) -> Feedback:
    given = {
        "schema": "akb.feedback/1", "run": RUN, "customer": "K-7F3A",
        "recorded": datetime(2026, 1, 5, 9, 30, tzinfo=UTC),
        "event": "status", "status": "spoken", **more,
    }  # fmt: skip
    return Feedback.model_validate(given)


def file(folder: Path, *lines: str, head: str = HEAD) -> Path:
    path = folder / "feedback.csv"
    path.write_bytes(("\ufeff" + "\r\n".join([head, *lines]) + "\r\n").encode())
    return path


@given(
    st.sampled_from(STATUSES),
    st.sampled_from([None, *MODES]),
    st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    NOTES,
)
def test_a_status_survives_the_file(status: str, mode: str | None, day: date, note: str) -> None:
    import tempfile
    from pathlib import Path

    made = event(status=status, mode=mode, date=day, note=note, by="=Jan")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.csv"
        path.write_bytes(written([made, made]))
        assert read_feedback(path, RUN) == [made]


@given(st.text("'=+-@ax", max_size=6))
def test_no_cell_is_a_formula_and_none_loses_a_sign(text: str) -> None:
    assert unmarked(marked(text)) == text
    assert not marked(text).startswith(("=", "+", "-", "@"))


def test_feedback_survives_too(tmp_path: Path) -> None:
    made = [event(event="feedback", status=None, type=kind) for kind in KINDS]
    path = tmp_path / "f.csv"
    path.write_bytes(written(made))
    assert read_feedback(path) == made


def test_what_dutch_excel_makes_of_it_is_read(tmp_path: Path) -> None:
    (event_,) = read_feedback(file(tmp_path, GOOD.replace("2026-01-05;inform", "5-1-2026;inform")))
    assert event_.day == date(2026, 1, 5)
    (same,) = read_feedback(file(tmp_path, GOOD.replace(";", ","), head=HEAD.replace(";", ",")))
    assert same == event_


BAD = {
    "no schema": (
        "akb.feedback/1",
        "akb.feedback/9",
        "row 2, column schema: is none of akb.feedback/1",
    ),
    "another run": (RUN, "R-ffffffffffff", "row 2, column run: is another run than this one"),
    "no run": (RUN, "run 1", "row 2, column run: is no run such as"),
    "no customer": ("K-7F3A", "", "row 2, column customer: is empty"),
    "a local time": (
        "2026-01-05T09:30:00Z",
        "05-01-2026 9:30",
        "row 2, column recorded: is no moment",
    ),
    "no event": (";status;", ";gebeld;", "row 2, column event: is none of status, feedback"),
    "no status": (";spoken;", ";speken;", "row 2, column status: is none of open, planned"),
    "an empty status": (";spoken;", ";;", "row 2, column status: an event 'status' has a status"),
    "no day": ("2026-01-05;inform", "2026-02-30;inform", "row 2, column date: is no date"),
    "no mode": (";inform;", ";bellen;", "row 2, column mode: is none of inform, advise"),
    "a type too": (
        ";inform;;",
        ";inform;right;",
        "row 2, column status: an event 'status' has a status and no type",
    ),
    "a long note": ("belde terug", "x" * 226, "row 2, column note: has more than 225 characters"),
    "a list of its own": ("top_defend", "Top Defend", "row 2, column list: is no key of a list"),
    "a cell too few": (";belde terug", "", "row 2: 11 cells, and there are 12 columns"),
    "a line break": ("belde terug", '"belde\nterug"', "row 2, column note: holds a line break"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_named(tmp_path: Path, name: str) -> None:
    good, bad, words = BAD[name]
    assert good in GOOD
    path = file(tmp_path, GOOD.replace(good, bad, 1), GOOD)
    with pytest.raises(AkbError) as refused:
        read_feedback(path, RUN)
    assert refused.value.message.startswith(f"feedback.csv, {words}")
    assert "(and" not in refused.value.message
    assert "Anna" not in refused.value.message


def test_more_than_one_is_counted(tmp_path: Path) -> None:
    bad = GOOD.replace("spoken", "nooit")
    with pytest.raises(AkbError, match=r"row 2, column status: .*\(and 1 more\)"):
        read_feedback(file(tmp_path, bad, GOOD, bad))


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (HEAD.replace("status;", "stand;"), "there is no column status"),
        (HEAD.replace("schema;run", "run;schema"), "the columns stand in another order"),
        ("klant;rang", "there is no column schema, run"),
    ],
)
def test_other_headings_are_refused(tmp_path: Path, head: str, words: str) -> None:
    with pytest.raises(AkbError, match=words):
        read_feedback(file(tmp_path, GOOD, head=head))


def test_no_file_and_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AkbError, match="cannot read"):
        read_feedback(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AkbError, match="UTF-8"):
        read_feedback(tmp_path / "b.csv")
    with pytest.raises(AkbError, match="no CSV"):
        read_feedback(file(tmp_path, GOOD.replace("belde terug", '"belde')))


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "actions.xlsx").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(AkbError, match=r"actions\.xlsx cannot be read as a workbook"):
        read_workbook(tmp_path / "actions.xlsx", datetime(2026, 1, 5, tzinfo=UTC))
