"""The book: two commands at once, a kill between any two writes, and what is only added stays."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from akb.core.errors import AkbError, RefusedError
from akb.live.book import book_to_write, existing_book, is_book, open_book
from akb.live.registry import adopt, champion_of, champions_of, crown, record_run, roll_back, runs_of


def a_run(folder: Path, name: str, day: str = "2026-01-01", model: str = "a") -> Path:
    """Write what the registry looks at of a run."""
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "manifest.json").write_text(model)
    (folder / "manifest.json").write_text(json.dumps({"schema": "akb.manifest/1", "run": name, "as_of": day}))
    return folder


def test_who_only_looks_or_tries_makes_no_book(tmp_path: Path) -> None:
    place = tmp_path / "book"
    with pytest.raises(AkbError, match="is no book of akb"):
        existing_book(place)
    with book_to_write(place, dry_run=True) as tried:
        assert is_book(tried.folder) and tried.folder != place
    assert not tried.folder.exists() and not place.exists()
    with book_to_write(place, dry_run=False) as made:
        assert made.folder == place
    with book_to_write(place, dry_run=True) as same:
        assert same.folder == existing_book(place).folder == place


def test_a_book_is_made_once_and_opened_again(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    key = book.key_file.read_bytes()
    assert is_book(book.folder) and (book.folder.stat().st_mode & 0o777) == 0o700
    assert (book.folder / "state.sqlite").stat().st_mode & 0o077 == 0
    assert open_book(tmp_path / "book").key_file.read_bytes() == key
    with book.read() as state:
        assert state.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_another_folder_and_another_schema_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("x")
    with pytest.raises(AkbError, match="no book"):
        open_book(tmp_path / "mine")
    book = open_book(tmp_path / "book")
    with book.transaction() as state:
        state.execute("UPDATE meta SET value = 'akb.book/9' WHERE key = 'schema'")
    with pytest.raises(RefusedError, match=r"akb\.book/9"):
        open_book(book.folder)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "state.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(RefusedError, match="cannot be opened"):
        open_book(tmp_path / "bad")


def test_what_goes_wrong_inside_a_transaction_leaves_nothing(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    with pytest.raises(ValueError, match="halfway"), book.transaction() as state:
        state.execute("INSERT INTO experiments VALUES ('e', 't', '{}')")
        raise ValueError("halfway")
    with book.read() as state:
        assert state.execute("SELECT count(*) FROM experiments").fetchone()[0] == 0


@pytest.mark.parametrize("table", ["events", "champion", "assignments"])
def test_what_is_only_added_cannot_be_changed(tmp_path: Path, table: str) -> None:
    book = open_book(tmp_path / "book")
    record_run(book, a_run(book.runs / "one", "R-000000000001"))
    crown(book, "R-000000000001", "first", {}, after=None)
    with book.transaction() as state:
        state.execute("INSERT INTO experiments VALUES ('e', 't', '{}')")
        state.execute(
            "INSERT INTO assignments (experiment, customer, unit, arm, stratum, joined, assigned) "
            "VALUES ('e', 'K-1', 'K-1', 'control', '', 'd', 't')"
        )
        columns = ("i", "R", "K", "t", "", "", "status", "open", None, None, None, "", "t")
        state.execute(f"INSERT INTO events VALUES ({', '.join('?' * len(columns))})", columns)
    column = {"events": "note", "champion": "why", "assignments": "arm"}[table]
    with pytest.raises(sqlite3.IntegrityError, match="only added"), book.transaction() as state:
        state.execute(f"UPDATE {table} SET {column} = 'other'")


def test_champions_follow_each_other_and_can_be_rolled_back(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    assert champion_of(book) is None
    for number in (1, 2, 3):
        record_run(book, a_run(book.runs / f"run{number}", f"R-00000000000{number}", model=str(number)))
    first = crown(book, "R-000000000001", "first", {}, after=None)
    second = crown(book, "R-000000000002", "won", {"rule": "r"}, after=first.number)
    with pytest.raises(RefusedError, match="another command"):
        crown(book, "R-000000000003", "won", {}, after=first.number)
    assert roll_back(book, dry_run=True).run.run == "R-000000000001"
    assert champion_of(book) == second
    assert roll_back(book).run.run == "R-000000000001"
    assert [each.why for each in champions_of(book)] == ["first", "won", "back"]
    (book.runs / "run1" / "models" / "manifest.json").write_text("changed")
    with pytest.raises(RefusedError, match="not those that were recorded"):
        champion_of(book)


def test_a_run_is_recorded_once_and_a_replaced_one_gives_way(tmp_path: Path) -> None:
    book = open_book(tmp_path / "book")
    folder = a_run(book.runs / "one", "R-000000000001")
    record_run(book, folder)
    record_run(book, folder)
    assert [each.run for each in runs_of(book)] == ["R-000000000001"]
    (folder / "manifest.json").write_text(
        json.dumps({"schema": "akb.manifest/1", "run": "R-000000000002", "as_of": "2026-02-01"})
    )
    record_run(book, folder)
    assert [each.run for each in runs_of(book)] == ["R-000000000002"]


WRITER = """
import sys
from pathlib import Path
from akb.live.book import open_book
book = open_book(Path(sys.argv[1]))
for number in range(150):
    with book.transaction() as state:
        last = state.execute("SELECT count(*) FROM experiments").fetchone()[0]
        state.execute("INSERT INTO experiments VALUES (?, 't', ?)", (f"{sys.argv[2]}{number}", str(last)))
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    """Each counts and adds in one transaction: were they not one after the other, two would count the same."""
    jobs = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "book"), name]) for name in "ab"]
    assert [job.wait(timeout=120) for job in jobs] == [0, 0]
    book = open_book(tmp_path / "book")
    with book.read() as state:
        counted = sorted(int(row[0]) for row in state.execute("SELECT document FROM experiments"))
        assert state.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert counted == list(range(300))


KILLED = """
import json, os, sys, traceback
from pathlib import Path
from akb.store.folders import run_folder
from akb.live.book import open_book
from akb.live.registry import adopt, champion_of, crown, record_run
CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "akb.book.commit", "akb.book.committed"}
def killed(home, step):
    left = [step]
    def watch(event, arguments):
        if event not in CHANGES or event == "open" and str(home) not in str(arguments[0]):
            return
        if left[0] == 0:
            os._exit(9)
        left[0] -= 1
    sys.addaudithook(watch)
    book = open_book(home / "book")
    adopt(book)
    with book.at_work(), run_folder(book.runs / "one") as fresh:
        (fresh / "models").mkdir()
        (fresh / "models" / "manifest.json").write_text("a")
        (fresh / "manifest.json").write_text(json.dumps(
            {"schema": "akb.manifest/1", "run": "R-000000000001", "as_of": "2026-01-01"}))
    record_run(book, book.runs / "one")
    if champion_of(book) is None:
        crown(book, "R-000000000001", "first", {}, after=None)
for line in sys.stdin:
    home, step = json.loads(line)
    child = os.fork()
    if not child:
        try:
            killed(Path(home), step)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Mortals:
    """Processes that do a whole command's writes and die before one of them: forked from one that has akb loaded."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", KILLED]
        self.parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, home: Path, step: int) -> int:
        """Return the exit code of one that dies before the write of that number."""
        assert self.parent.stdin is not None and self.parent.stdout is not None
        print(json.dumps([str(home), step]), file=self.parent.stdin, flush=True)
        return int(self.parent.stdout.readline())


@pytest.fixture
def die() -> Iterator[Mortals]:
    made = Mortals()
    yield made
    made.parent.communicate(timeout=60)
    assert made.parent.returncode == 0


@pytest.mark.xdist_group("killed")
def test_killed_before_any_write_the_next_command_goes_on(tmp_path: Path, die: Mortals) -> None:
    step = 0
    while True:
        home = tmp_path / str(step)
        home.mkdir()
        code = die(home, step)
        if code == 0:
            break
        assert code == 9
        book = open_book(home / "book")
        before = [each.run for each in runs_of(book)]
        crowned = champion_of(book)
        adopt(book)
        assert set(before) <= {each.run for each in runs_of(book)} <= {"R-000000000001"}
        assert die(home, 100000) == 0
        champion = champion_of(book)
        assert champion is not None and (crowned is None or champion == crowned)
        assert [each.run for each in runs_of(book)] == ["R-000000000001"]
        assert len(champions_of(book)) == 1
        assert not [each for each in book.runs.iterdir() if each.name.startswith(".")]
        step += 1
    assert step > 15
