"""``akb forget`` on the book: the customer is nowhere in it, and what was counted stays counted."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from crashes import after_a_crash, states_before_writes
from live_runs import Small

from akb.cli import run
from akb.core.privacy.pseudonyms import load_or_create_key
from akb.live.book import open_book
from akb.live.experiment.kept import arms_of
from akb.live.feedback.figures import feedback_figures
from akb.live.scoring.inbound import InboundScorer
from akb.store.feedback import Feedback, written
from tests.searched import everything_in

if TYPE_CHECKING:
    from pathlib import Path

    from akb.live.book import ClientBook

DAY = datetime(2026, 1, 2, 9, tzinfo=UTC)


def feedback(run_: str, customer: str, note: str = "", **more: Any) -> Feedback:
    given = {"run": run_, "customer": customer, "recorded": DAY, "by": "An", "note": note}
    return Feedback.model_validate(given | ({"event": "status", "status": "spoken"} | more))


def found_in(book: Path, *words: str) -> list[str]:
    """Where any of these stands in the book, to the byte, and in what is packed."""
    told = []
    for path in sorted(path for path in book.rglob("*") if path.is_file()):
        about = path.stat()
        told += [f"{path.parent.name}/{part}" for part in _parts_with(path, words, (about.st_size, about.st_mtime_ns))]
    return told


@cache
def _parts_with(path: Path, words: tuple[str, ...], _: tuple[int, int]) -> tuple[str, ...]:
    """The parts of a file in which any of these stands; of a file that nobody touched it is known."""
    wanted = [word.encode() for word in words]
    return tuple(
        part
        for part, content in everything_in(path).items()
        # a number stands alone: the same digits in a fraction are no relation
        if any(word in content and re.search(rb"(?<![\d.])" + re.escape(word) + rb"(?!\d)", content) for word in wanted)
    )


def rows(book: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{book / 'state.sqlite'}?mode=ro", uri=True)) as state:
        return state.execute(query).fetchall()


def test_who_is_forgotten_is_nowhere_in_the_book_and_the_counts_stay(
    book: ClientBook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = book.runs / "2025-12-31-eda"
    name_of_run = json.loads((folder / "manifest.json").read_text("utf-8"))["run"]
    assert run(["experiment", "assign", str(book.folder)]) == 0
    customer, other = arms_of(book)["customer"][:2]
    private = pl.read_csv(folder / "private" / "customers.csv", infer_schema=False)
    relation = private.filter(customer=customer)["relation"][0]
    file = tmp_path / "terugkoppeling.csv"
    noted = [feedback(name_of_run, customer, f"belde over {relation}"), feedback(name_of_run, other)]
    noted.append(feedback(name_of_run, customer, event="feedback", status=None, type="clv_too_high"))
    file.write_bytes(written(noted))
    assert run(["feedback", "import", str(file), "--to", str(book.folder), "--quiet"]) == 0
    assert {"book/state.sqlite", "actions/next_best_action.csv"} <= set(found_in(book.folder, customer, relation))
    figures = feedback_figures(book, DAY.date())
    arms = rows(book.folder, "SELECT arm, count(*), count(DISTINCT customer) FROM assignments GROUP BY arm")
    duty = rows(book.folder, "SELECT event, branch, what FROM duty ORDER BY event")

    before = found_in(book.folder, customer, relation)
    assert run(["forget", str(book.folder), relation, "--dry-run", "--quiet"]) == 0
    assert found_in(book.folder, customer, relation) == before
    capsys.readouterr()
    assert run(["forget", str(book.folder), relation, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["events"], told["assignments"], list(told["runs"])) == (2, 1, [folder.name])
    assert found_in(book.folder, customer, relation) == []

    assert {**feedback_figures(book, DAY.date()), "left_alone": 0} == {**figures, "left_alone": 0}
    assert rows(book.folder, "SELECT arm, count(*), count(DISTINCT customer) FROM assignments GROUP BY arm") == arms
    assert rows(book.folder, "SELECT event, branch, what FROM duty ORDER BY event") == duty
    with pytest.raises(sqlite3.IntegrityError, match="only added"), book.transaction() as state:
        state.execute("UPDATE events SET note = 'x'")  # the triggers are back

    file.write_bytes(written([*noted, feedback(name_of_run, customer, "weer")]))
    assert run(["feedback", "import", str(file), "--to", str(book.folder), "--quiet"]) == 0
    assert found_in(book.folder, customer, relation) == []
    assert feedback_figures(book, DAY.date())["events"] == figures["events"]
    assert run(["forget", str(book.folder), customer, "--quiet"]) == 0  # again: nothing happens
    assert run(["forget", str(book.folder), "K-0000000000000000", "--quiet"]) == 2

    scorer = InboundScorer(folder, load_or_create_key(book.key_file))  # its models still answer
    assert scorer.ask(other, adds=["claim:auto"]).chances
    with pytest.raises(Exception, match="not in force"):
        scorer.ask(relation)


def test_killed_at_any_write_a_second_call_finishes(tmp_path: Path) -> None:
    small = Small(tmp_path, 60)
    book = open_book(tmp_path / "book")
    folder = small.run()
    (book.folder / "key").write_bytes(small.key.read_bytes())
    assert run(["experiment", "assign", str(folder), "--book", str(book.folder)]) == 0
    name = small.name(7)
    file = tmp_path / "f.csv"
    file.write_bytes(
        written([feedback("R-000000000001", name, "een notitie"), feedback("R-000000000001", small.name(8))])
    )
    assert run(["feedback", "import", str(file), "--to", str(book.folder), "--quiet"]) == 0

    def command() -> None:
        assert run(["forget", str(book.folder), name, "--quiet"]) == 0

    events = "SELECT id, customer, note FROM events ORDER BY id"
    states = states_before_writes(book.folder, tmp_path / "states", command)
    wanted = rows(book.folder, events)
    assert len(wanted) == 2 and not found_in(book.folder, name)
    for state in after_a_crash(book.folder, states):
        assert len(rows(book.folder, events)) == 2, state
        command()
        assert rows(book.folder, events) == wanted, state
        assert not found_in(book.folder, name), state
    assert len(states) >= 2
