"""Killed before any write of a whole command: what was recorded is there, and the next run ends where one that
nobody disturbed ends."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from crashes import after_a_crash, count_of_writes, states_before_writes
from live_runs import Small, T

from akb.cli import run
from akb.live.book import open_book
from akb.live.registry import champions_of, runs_of
from akb.store.feedback import Feedback, written

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from akb.live.book import ClientBook

pytestmark = pytest.mark.xdist_group("killed")

NAMES = ("polissen.csv", "schades.csv", "contacten.csv")
CLOCK = {"recorded", "since", "imported", "registered", "assigned"}
TIMED = ("manifest.json",)  # how long it took
TABLES = ("runs", "champion", "challenges", "events", "experiments", "assignments")


def rows_of(book: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What the book holds, less when it was written."""
    with closing(sqlite3.connect(book / "state.sqlite")) as state:
        assert state.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        found = {}
        for table in TABLES:
            names = [row[1] for row in state.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(f'"{name}"' for name in names if name not in CLOCK)
            found[table] = sorted(state.execute(f"SELECT {kept} FROM {table}").fetchall(), key=str)
    return found


def files_of(folder: Path) -> dict[str, str]:
    """Every file of a folder of runs or of an experiment with the hash of its content."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in TIMED
    }


def some(writes: range) -> list[int]:
    """Every so many writes with the last ones, in which a run is swapped in and recorded."""
    return [*writes[:-6:60], *writes[-6:]]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is computed and worded is the same every time, so it is computed once; every write is the command's own."""
    from akb import pipeline, report
    from akb.live.retraining import story as retraining
    from akb.live.scoring import story as scoring

    def once(place: Any, name: str) -> None:
        real, kept = getattr(place, name), list[Any]()

        def remembered(*given: Any, **more: Any) -> Any:
            if not kept:
                kept.append(real(*given, **more))
            return kept[0]

        monkeypatch.setattr(place, name, remembered)

    for name in ("stored_run", "read_export", "models_on", "valued", "fit_check"):
        once(scoring, name)
    once(retraining, "predict")
    once(retraining, "read")
    once(pipeline, "kept")
    real, made = report.write_report, dict[str, Any]()

    def write_report(folder: Path, bundle: Any) -> Any:
        if not made:
            made["summary"] = real(folder, bundle)
            made["files"] = {
                path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
            }
            return made["summary"]
        for name, content in made["files"].items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / name).write_bytes(content)
        return made["summary"]

    monkeypatch.setattr(report, "write_report", write_report)


def crashed_everywhere(
    book: ClientBook, tmp_path: Path, command: Callable[[], object], *, whole: bool, but: str = ""
) -> tuple[int, dict[str, list[tuple[Any, ...]]]]:
    """Crash a command before its writes, go on with the same command, and hold the book against an undisturbed one."""
    before = rows_of(book.folder)
    writes = range(count_of_writes(book.folder, tmp_path / "before", command))
    states = states_before_writes(book.folder, tmp_path / "states", command, writes if whole else some(writes))
    wanted = rows_of(book.folder), files_of(book.runs)
    for state in after_a_crash(book.folder, states):
        if (book.folder / "state.sqlite").exists():
            now = rows_of(book.folder)
            assert all(set(before[table]) <= set(now[table]) for table in TABLES), state
        command()
        now = rows_of(book.folder)
        assert all(now[table] == wanted[0][table] for table in TABLES if table != but), state
        assert files_of(book.runs) == wanted[1], state
        assert not [each for each in book.runs.iterdir() if each.name.startswith(".")]
    return len(writes), wanted[0]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_score_goes_on_where_it_was_killed(book: ClientBook, export: Path, tmp_path: Path, *, whole: bool) -> None:
    files = [str(export / name) for name in NAMES]

    def command() -> None:
        assert run(["score", *files, "--book", str(book.folder), "--quiet"]) == 0

    writes, rows = crashed_everywhere(book, tmp_path, command, whole=whole)
    assert writes > 60 and len(rows["runs"]) == 2


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_retrain_that_fits_goes_on_where_it_was_killed(
    book: ClientBook, export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    """The first models of a book: fitted (which is given here), left, recorded and crowned."""
    from akb.live.retraining import story

    made = open_book(tmp_path / "fresh")
    shutil.copy(book.key_file, made.key_file)
    champion = book.runs / "2025-12-31-eda"

    def fitted(
        book: ClientBook, request: object, portfolio: object, folder: Path, *given: object, **more: object
    ) -> object:
        from akb.live.registry import record_run
        from akb.store.folders import check_replaceable, heal, run_folder

        heal(folder)
        check_replaceable(folder, ())
        with run_folder(folder) as fresh:
            shutil.copytree(champion, fresh, dirs_exist_ok=True)
        return record_run(book, folder)

    monkeypatch.setattr(story, "_fitted", fitted)
    files = [str(export / name) for name in NAMES]

    def command() -> None:
        assert run(["retrain", *files, "--from", str(made.folder), "--quiet"]) == 0

    # killed after the crown, the next attempt is one against a champion, and recorded as such
    writes, rows = crashed_everywhere(made, tmp_path, command, whole=whole, but="challenges")
    assert writes > 60 and len(rows["champion"]) == 1 and len(champions_of(made)) == 1


@pytest.mark.usefixtures("quick")
def test_an_attempt_to_retrain_is_recorded_once(book: ClientBook, export: Path, tmp_path: Path) -> None:
    files = [str(export / name) for name in NAMES]

    def command() -> None:
        assert run(["retrain", *files, "--from", str(book.folder), "--quiet"]) == 0

    _, rows = crashed_everywhere(book, tmp_path, command, whole=True)
    assert [row[2] for row in rows["challenges"]] == ["early"] and len(rows["champion"]) == 1


def test_feedback_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    events = [
        Feedback.model_validate(
            {
                "run": "R-0123456789ab",
                "customer": f"K-{number:016X}",
                "recorded": datetime(2026, 1, 5, 9, number, tzinfo=UTC),
                "event": "status",
                "status": "spoken",
            }
        )
        for number in range(20)
    ]
    file = tmp_path / "feedback.csv"
    file.write_bytes(written(events))
    book = open_book(tmp_path / "book")

    def command() -> None:
        assert run(["feedback", "import", str(file), "--to", str(book.folder), "--quiet"]) == 0

    before = rows_of(book.folder)
    states = states_before_writes(book.folder, tmp_path / "states", command)
    wanted = rows_of(book.folder)
    assert len(wanted["events"]) == 20 and len(states) >= 2
    for state in after_a_crash(book.folder, states):
        assert rows_of(book.folder)["events"] in ([], wanted["events"]), state
        command()
        assert rows_of(book.folder) == wanted
    assert before["events"] == []


def test_a_new_book_is_made_whatever_a_kill_left(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    states = states_before_writes(home, tmp_path / "states", lambda: open_book(home / "book"))
    assert len(states) > 4
    keys = set()
    for state in after_a_crash(home, states):
        key = home / "book" / "key"
        there = key.read_bytes() if key.exists() else None
        made = open_book(home / "book")
        assert there is None or made.key_file.read_bytes() == there, state
        assert runs_of(made) == [] and rows_of(made.folder)["events"] == []
        keys.add(made.key_file.read_bytes())
    assert all(keys)


def test_an_experiment_is_assigned_and_analysed_where_it_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from akb import pipeline

    real, portfolio = pipeline.read, list[Any]()

    def read(request: Any) -> Any:
        portfolio.extend([] if portfolio else [real(request)])
        return portfolio[0]

    monkeypatch.setattr(pipeline, "read", read)

    small = Small(tmp_path, 240, leavers=tuple(range(0, 240, 6)))
    trial = tmp_path / "trial"
    trial.mkdir()
    first, second = small.run(T, range(160)), small.run(date(2024, 2, 7), range(20, 240))
    export = str(small.export(date(2025, 6, 30)))
    steps = (
        ["experiment", "assign", str(first), "--to", str(trial), "--enrol-until", "2024-02-29"],
        ["experiment", "assign", str(second), "--to", str(trial)],
        ["experiment", "analyse", str(trial), export, "--key", str(small.key)],
    )
    total = 0
    for place, step in enumerate(steps):

        def command(step: list[str] = step) -> None:
            assert run([*step, "--quiet"] if "analyse" in step else step) == 0

        record = trial / "assignments.csv"
        before = record.read_bytes() if record.exists() else b""
        states = states_before_writes(trial, tmp_path / f"states-{place}", command)
        wanted = files_of(trial)
        for state in after_a_crash(trial, states):
            assert not before or record.read_bytes().startswith(before), state
            command()
            assert files_of(trial) == wanted, state
        total += len(states)
    assert total >= 9
    assert json.loads((trial / "analysis.json").read_text())["experiment"]
    assert pl.read_csv(trial / "assignments.csv").height == 240
