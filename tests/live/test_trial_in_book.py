"""An experiment that the book keeps: drawn once, and known to lists, export and evaluation."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from crashes import after_a_crash, states_before_writes
from live_runs import Small, T

from akb.cli import run
from akb.live.book import open_book
from akb.live.experiment.assignment import CONTROL, SCHEMA, TREATED
from akb.live.experiment.kept import TrialFolder, TrialInBook, arms_of, registered, running, trial_for
from akb.live.recorded import on_day, recorded_in_book

if TYPE_CHECKING:
    from akb.live.book import ClientBook

WEEK2 = date(2024, 2, 7)


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return Small(tmp_path, 60)


def record_of(book: Path) -> dict[str, tuple[Any, ...]]:
    with closing(sqlite3.connect(book / "state.sqlite")) as state:
        rows = state.execute("SELECT * FROM assignments ORDER BY rowid").fetchall()
    return {row[1]: row for row in rows}


def test_the_book_draws_as_a_folder_does_and_once(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = small.run(T, range(40)), small.run(WEEK2, range(10, 60))
    book, trial = small.folder / "book", small.folder / "trial"
    until = ["--enrol-until", "2024-02-29"]
    open_book(book)
    command = ["experiment", "assign", str(first), "--book", str(book), *until]
    assert run([*command, "--dry-run"]) == 0
    assert record_of(book) == {} and not (book / "log.jsonl").exists()
    assert run(command) == 0
    week1 = record_of(book)
    assert run(command) == 0  # again: nothing changes, not even when it was assigned
    assert record_of(book) == week1 and len(week1) == 40
    assert run(["experiment", "assign", str(second), "--book", str(book), *until]) == 0
    week2 = record_of(book)
    assert len(week2) == 60 and {name: week2[name] for name in week1} == week1
    for each in (first, second):
        assert run(["experiment", "assign", str(each), "--to", str(trial), *until]) == 0
    held = TrialInBook(open_book(book), "akb 2024")
    assert held.record().equals(TrialFolder(trial).record())
    assert held.registration() == TrialFolder(trial).registration()
    assert list(held.record().columns) == list(SCHEMA)
    capsys.readouterr()
    assert run(["experiment", "assign", str(second), "--book", str(book), "--months", "6"]) == 2
    assert "does not change" in capsys.readouterr().err
    assert run(["experiment", "assign", str(second), "--book", str(book), "--to", str(trial)]) == 2
    assert run(["experiment", "assign", str(second)]) == 2
    log = [json.loads(line) for line in (book / "log.jsonl").read_text().splitlines()]
    assert {line["command"] for line in log} == {"experiment assign"}
    assert log[0]["new"]["treated"] + log[0]["new"]["control"] == 40 and log[1]["new"] == {"treated": 0, "control": 0}


def test_a_second_experiment_has_a_name_of_its_own_and_a_new_year_goes_on_with_the_one_that_runs(small: Small) -> None:
    book = open_book(small.folder / "book")
    folder = str(small.run(T))
    assert run(["experiment", "assign", folder, "--book", str(book.folder)]) == 0
    assert run(["experiment", "assign", folder, "--book", str(book.folder), "--name", "spring"]) == 0
    assert [each.name for each in registered(book)] == ["akb 2024", "spring 2024"]
    stop = registered(book)[0].stop
    assert trial_for(book, None, date(2025, 1, 15)).name == "akb 2024"
    assert trial_for(book, None, stop).name == f"akb {stop.year}"
    arms = arms_of(book)
    assert arms.height == 120 and running(arms, T).height == 60  # each customer once
    assert running(arms, stop).is_empty() and running(arms, date(2024, 1, 30)).is_empty()
    both = {(row["customer"], row["arm"]) for row in arms.to_dicts()}
    for row in running(arms, T).to_dicts():
        assert (row["arm"] == CONTROL) == ((row["customer"], CONTROL) in both)
    assert set(on_day(recorded_in_book(book), T)["arm"].drop_nulls()) == {CONTROL, TREATED}
    assert on_day(recorded_in_book(book), stop)["arm"].drop_nulls().is_empty()


def test_killed_at_any_write_a_draw_is_there_whole_or_not_at_all(small: Small, tmp_path: Path) -> None:
    first, second = small.run(T, range(40)), small.run(WEEK2, range(10, 60))
    book = open_book(tmp_path / "book")
    total = 0
    for place, folder in enumerate((first, second)):
        more = ["--enrol-until", "2024-02-29"]

        def command(folder: Path = folder, more: list[str] = more) -> None:
            assert run(["experiment", "assign", str(folder), "--book", str(book.folder), *more]) == 0

        before = {name: row[:-1] for name, row in record_of(book.folder).items()}
        states = states_before_writes(book.folder, tmp_path / f"states-{place}", command)
        wanted = {name: row[:-1] for name, row in record_of(book.folder).items()}
        for state in after_a_crash(book.folder, states):
            there = {name: row[:-1] for name, row in record_of(book.folder).items()}
            assert there in (before, wanted), state
            command()
            assert {name: row[:-1] for name, row in record_of(book.folder).items()} == wanted, state
        total += len(states)
    assert total >= 4


def test_a_book_of_before_gets_the_table(tmp_path: Path, small: Small) -> None:
    book = open_book(tmp_path / "book")
    with book.transaction() as state:
        state.execute("DROP TABLE assignments")
        state.execute(
            "CREATE TABLE assignments (experiment TEXT, unit TEXT, arm TEXT, stratum TEXT, assigned TEXT) STRICT"
        )
    assert run(["experiment", "assign", str(small.run()), "--book", str(book.folder)]) == 0
    assert len(record_of(book.folder)) == 60


def test_evaluation_and_analysis_find_the_arms_in_the_book(small: Small, capsys: pytest.CaptureFixture[str]) -> None:
    small = Small(small.folder, 240, leavers=tuple(range(0, 240, 6)))
    folder, export = small.run(), str(small.export(date(2025, 6, 30)))
    book = open_book(small.folder / "book")
    (book.folder / "key").write_bytes(small.key.read_bytes())
    asked = ["evaluate", str(folder), export, "--quiet", "--json"]
    assert run([*asked, "--key", str(small.key)]) == 0
    assert json.loads(capsys.readouterr().out)["contact"] == {"status": "unavailable", "reason": "no_control"}
    assert run(["experiment", "assign", str(folder), "--book", str(book.folder)]) == 0
    capsys.readouterr()
    assert run([*asked, "--book", str(book.folder)]) == 0
    contact = json.loads(capsys.readouterr().out)["contact"]
    arms = {row["arm"]: row["listed"] for row in contact["arms"]}
    assert contact["status"] == "measured"
    assert arms == {arm: arms_of(book).filter(arm=arm).height for arm in (TREATED, CONTROL)}
    assert run(["experiment", "analyse", str(book.folder), export, "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["experiment"] == "akb 2024"
    assert (book.folder / "experiments" / "akb-2024" / "measured.toml").is_file()
    assert run(["experiment", "analyse", str(book.folder), export, "--name", "other", "--quiet"]) == 2
    assert "no experiment 'other'" in capsys.readouterr().err


def test_lists_and_tasks_of_the_book_leave_the_control_arm_alone(
    book: ClientBook, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever lot the lists would draw by themselves: of who is in the experiment the arm decides."""
    assert run(["experiment", "assign", str(book.folder), "--name", "winter", "--contact", "mail"]) == 0
    arms = dict(arms_of(book).select("customer", "arm").iter_rows())
    capsys.readouterr()
    assert run(["export", str(book.folder), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["left_out"]["control_arm"] > 0
    files = [str(export / name) for name in ("polissen.csv", "schades.csv", "contacten.csv")]
    assert run(["score", *files, "--book", str(book.folder), "--quiet"]) == 0
    lines = (book.runs / "2025-12-31-score" / "actions" / "next_best_action.csv").read_text("utf-8-sig").splitlines()
    head = lines[0].split(";")
    who, withheld, what = (head.index(each) for each in ("klant", "controlegroep, geen contact", "actie"))
    every = [line.split(";") for line in lines[1:]]
    told = {cells[who]: cells[withheld] for cells in every if cells[what] != "Zorgcontact"}  # never withheld by lot
    known = {name: arm for name, arm in arms.items() if name in told}
    assert set(known.values()) == {CONTROL, TREATED} and len(known) > 20
    assert {name: told[name] == "ja" for name in known} == {name: arm == CONTROL for name, arm in known.items()}
    capsys.readouterr()
    assert run(["export", str(book.folder), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["left_out"]["control_arm"] == 0  # they are in no task any more
