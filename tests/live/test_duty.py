"""The register of the duty of care: an entry per event, only added, and the evidence of one customer."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import stat
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from akb.cli import run
from akb.config import load_settings
from akb.core.errors import AkbError
from akb.live.book import ClientBook, open_book
from akb.live.duty.evidence import customer_evidence
from akb.live.duty.page import evidence_page
from akb.live.duty.register import counts, entries_of, record_duty, recorded_duty
from akb.live.feedback.events import import_events
from akb.live.feedback.story import import_feedback
from akb.live.registry import record_run
from akb.store.feedback import KINDS, STATUSES, Feedback, written

FIRST, SECOND = "R-00000000000a", "R-00000000000b"
DAYS = {FIRST: date(2025, 12, 1), SECOND: date(2026, 1, 5)}
TODAY = date(2026, 2, 1)


def name(place: int) -> str:
    return f"K-{place:016X}"


def a_run(book: ClientBook, run_name: str, gaps: dict[int, str], actions: dict[int, str]) -> Path:
    """A run of the book whose lists show these branches beside these customers."""
    folder = book.runs / f"{DAYS[run_name]}-score"
    (folder / "actions").mkdir(parents=True)
    (folder / "private").mkdir()
    heads = {"care_gaps": ("klant;rang;te bespreken branche;bezit bij vergelijkbare klanten", gaps),
             "next_best_action": ("klant;rang;te bespreken branche", actions)}  # fmt: skip
    for listed, (head, rows) in heads.items():
        lines = [
            f"{name(place)};1;{branch}{';0,7000' if listed == 'care_gaps' else ''}" for place, branch in rows.items()
        ]
        (folder / "actions" / f"{listed}.csv").write_text("\ufeff" + "\r\n".join([head, *lines]) + "\r\n", newline="")
    people = ["customer,relation", *(f"{name(place)},{1000 + place}" for place in (1, 2, 3))]
    (folder / "private" / "customers.csv").write_text("\n".join(people) + "\n")
    manifest: dict[str, Any] = {
        "schema": "akb.manifest/1", "as_of": DAYS[run_name].isoformat(), "run": run_name, "pseudonyms": True,
        "settings": load_settings().model_dump(mode="json", by_alias=True), "scored": {"fitted": "2025-12-01"},
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    record_run(book, folder)
    return folder


@pytest.fixture
def book(tmp_path: Path) -> ClientBook:
    made = open_book(tmp_path / "book")
    a_run(made, FIRST, {1: "Reis en annulering", 2: "Inboedel"}, {1: "Personenauto"})
    a_run(made, SECOND, {1: "Reis en annulering"}, {3: "Rechtsbijstand"})
    return made


def event(place: int, word: str, run_name: str = SECOND, **given: Any) -> Feedback:
    base: dict[str, Any] = {"run": run_name, "customer": name(place), "recorded": datetime(2026, 1, 7, 9, tzinfo=UTC)}
    kind = {"event": "feedback", "type": word} if word in KINDS else {"event": "status", "status": word}
    return Feedback.model_validate(base | kind | given)


def told(book: ClientBook) -> list[tuple[str, str, str]]:
    return [(row["customer"], row["branch"], row["what"]) for row in entries_of(book).to_dicts()]


def test_an_event_is_about_the_branch_of_its_list_on_that_day(book: ClientBook) -> None:
    import_events(
        book,
        [
            event(1, "spoken", FIRST, list="next_best_action"),  # the branch to discuss, not the gap
            event(1, "not_interested", list="care_gaps", mode="inform"),
            event(2, "quote", FIRST, list="care_gaps"),
            event(3, "sold"),
            event(3, "spoken", "R-0123456789ab"),  # of a run that the book does not hold
        ],
    )
    assert set(told(book)) == {
        (name(1), "auto", "discussed"),
        (name(1), "reis", "refused"),
        (name(2), "inboedel", "offered"),
        (name(3), "rechtsbijstand", "agreed"),
        (name(3), "", "discussed"),
    }
    gaps = {(row["customer"], row["branch"]): row["gap"] for row in entries_of(book).to_dicts()}
    assert gaps[name(1), "reis"] == pytest.approx(0.7)
    assert gaps[name(1), "auto"] is None


@pytest.mark.parametrize("word", [*STATUSES, *KINDS])
def test_what_says_nothing_of_the_customer_is_no_entry(book: ClientBook, word: str) -> None:
    import_events(book, [event(1, word)])
    silent = {"open", "planned", "expired", *KINDS} - {"product_unsuitable"}
    assert (not told(book)) == (word in silent)


def test_entries_are_made_once_and_outlive_the_run(book: ClientBook) -> None:
    import_events(book, [event(1, "not_interested", list="care_gaps")])
    assert record_duty(book) == 1
    assert record_duty(book) == 0
    shutil.rmtree(book.runs / f"{DAYS[SECOND]}-score")
    assert told(book) == [(name(1), "reis", "refused")]
    with pytest.raises(sqlite3.IntegrityError, match="only added"), book.transaction() as state:
        state.execute("UPDATE duty SET what = 'agreed'")


def test_the_day_is_that_of_the_talk(book: ClientBook) -> None:
    import_events(book, [event(1, "spoken", date=date(2026, 1, 5)), event(2, "spoken", FIRST, date=date(2026, 3, 1))])
    days = dict(entries_of(book).select("customer", "day").iter_rows())
    assert days == {name(1): date(2026, 1, 5), name(2): date(2026, 1, 7)}  # an appointment is no talk yet


def test_importing_feedback_fills_the_register_and_a_dry_run_does_not(book: ClientBook, tmp_path: Path) -> None:
    path = tmp_path / "feedback.csv"
    path.write_bytes(written([event(1, "spoken", list="care_gaps")]))
    import_feedback(book, path, dry_run=True)
    assert entries_of(book, dry_run=True).is_empty()
    import_feedback(book, path)
    with book.read() as state:
        assert state.execute("SELECT branch, what FROM duty").fetchall() == [("reis", "discussed")]


def test_a_dry_run_shows_and_writes_nothing(book: ClientBook) -> None:
    import_events(book, [event(1, "spoken", list="care_gaps")])
    assert entries_of(book, dry_run=True).height == 1
    with book.read() as state:
        assert not state.execute("SELECT 1 FROM sqlite_master WHERE name = 'duty'").fetchall()


def test_lists_get_the_last_entry_beside_the_contacts(book: ClientBook) -> None:
    import_events(
        book,
        [
            event(1, "spoken", FIRST, list="care_gaps", recorded=datetime(2025, 12, 5, 9, tzinfo=UTC)),
            event(1, "not_interested", list="care_gaps"),
            event(2, "not_reached", FIRST, list="care_gaps"),
        ],
    )
    rows = recorded_duty(book)
    last = rows.filter(pl.col("what").is_not_null()).select("customer", "branch", "what", "said", "date")
    assert last.rows() == [(name(1), "reis", "refused", date(2026, 1, 7), None)]
    talks = rows.filter(pl.col("date").is_not_null())["date"].to_list()
    assert sorted(talks) == [date(2025, 12, 5), date(2026, 1, 7)]


def test_the_evidence_has_gaps_with_their_last_word_and_talks_by_day(book: ClientBook) -> None:
    import_events(
        book,
        [
            event(1, "spoken", FIRST, list="care_gaps", by="Ann", recorded=datetime(2025, 12, 5, 9, tzinfo=UTC)),
            event(1, "not_interested", list="care_gaps", mode="inform", note="wil <er> nu niet over spreken"),
            event(2, "spoken", FIRST),
        ],
    )
    for given in (name(1), name(1).lower(), "1001", " 10 01"):
        found = customer_evidence(book, given, TODAY)
        assert found["customer"] == name(1)
    assert found["relations"] is None and "1001" not in json.dumps(found)
    assert found["gaps"] == [
        {"branch": "reis", "first": "2025-12-01", "last": "2026-01-05", "share": 0.7, "runs": 2, "current": True,
         "what": "refused", "day": "2026-01-07"}
    ]  # fmt: skip
    assert [(row["day"], row["what"]) for row in found["entries"]] == [
        ("2025-12-05", "discussed"),
        ("2026-01-07", "refused"),
    ]
    assert customer_evidence(book, "1001", TODAY, reveal=True)["relations"] == ["1001"]
    page = evidence_page(found, {"reis": "Reis en annulering"})
    assert "Reis en annulering" in page and "geweigerd" in page and "7 op de 10" in page
    assert "wil &lt;er&gt; nu niet" in page
    assert "2 keer is met de klant gesproken, waarvan 1 keer als informeren" in page
    assert not re.search(r"https?://(?!www\.w3\.org)", page) and "<script" not in page


def test_an_open_gap_says_so_and_one_that_closed_too(book: ClientBook) -> None:
    found = customer_evidence(book, name(2), TODAY)
    assert [(row["what"], row["current"]) for row in found["gaps"]] == [("open", False)]
    assert "nog niet besproken" in evidence_page(found, {})
    assert "niet meer gezien" in evidence_page(found, {})


@pytest.mark.parametrize("given", ["K-00000000000000FF", "9999", ""])
def test_nobody_is_said_so_without_repeating_the_name(book: ClientBook, given: str) -> None:
    with pytest.raises(AkbError) as error:
        customer_evidence(book, given, TODAY)
    assert not given or given not in str(error.value)


def test_counts_are_of_customers(book: ClientBook) -> None:
    import_events(
        book,
        [
            event(1, "spoken", list="care_gaps"),
            event(1, "stays", list="care_gaps"),
            event(1, "not_interested", list="care_gaps"),
        ],
    )
    (row,) = counts(entries_of(book))
    assert (row["branch"], row["discussed"], row["refused"], row["agreed"]) == ("reis", 1, 1, 0)


def test_the_commands_write_for_their_owner_and_leave_a_line(
    book: ClientBook, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_events(book, [event(1, "not_interested", list="care_gaps", by="Ann", note="=1+1 zei hij")])
    monkeypatch.chdir(tmp_path)
    folder = str(book.folder)
    assert run(["duty", "evidence", "1001", "--book", folder, "--dry-run"]) == 0
    assert not list(tmp_path.glob("*.html"))
    assert run(["duty", "evidence", "1001", "--book", folder]) == 0
    (page,) = tmp_path.glob("zorgplicht-K-*.html")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "1001" not in re.sub(r"<style>.*?</style>", "", page.read_text("utf-8"), flags=re.DOTALL)
    assert run(["duty", "register", "--book", folder, "--out", "register.csv"]) == 0
    table = (tmp_path / "register.csv").read_text("utf-8-sig")
    assert f"{name(1)};Reis en annulering;geweigerd;07-01-2026" in table
    assert "Ann" not in table and "zei hij" not in table
    assert "1 entries of 1 customers" in capsys.readouterr().err
    lines = (book.folder / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["command"] for line in lines] == ["duty evidence", "duty register"]
    assert name(1) not in "".join(lines)
