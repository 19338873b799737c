"""The weekly recipe of the docs runs as it stands there, and leaves a line for who watches."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from akb.cli import run
from akb.live.journal import journal
from akb.live.registry import champion_of, runs_of
from akb.store.feedback import Feedback, written

if TYPE_CHECKING:
    from akb.live.book import ClientBook

DOCS = Path(__file__).resolve().parents[2] / "docs" / "live.md"


def block(name: str) -> str:
    """Return the file of that name as the docs have it."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```\w+\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def lines_of(book: ClientBook) -> list[dict[str, object]]:
    return [json.loads(line) for line in (book.folder / "log.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_the_recipe_runs_twice_and_leaves_the_same_book(
    book: ClientBook, export: Path, fitted: Path, tmp_path: Path
) -> None:
    scores = pl.read_parquet(fitted / "scores.parquet")
    name = scores["customer"][0]
    event = Feedback.model_validate(
        {
            "run": json.loads((fitted / "manifest.json").read_text())["run"],
            "customer": name,
            "recorded": datetime(2026, 1, 2, 9, tzinfo=UTC),
            "event": "status",
            "status": "spoken",
        }
    )
    delivered = tmp_path / "export"
    delivered.mkdir()
    for file in export.glob("*.csv"):
        (delivered / file.name).symlink_to(file)
    (delivered / "terugkoppeling.csv").write_bytes(written([event]))
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "akb").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m akb "$@"\n')
    (commands / "date").write_text("#!/bin/sh\necho 07\n")  # the week in which refitting is looked at
    (commands / "week").write_text(block("akb-week.sh"))
    for each in commands.iterdir():
        each.chmod(0o700)
    import os

    root = str(Path(__file__).resolve().parents[2])
    environment = {
        **os.environ,
        "PATH": f"{commands}:{os.environ['PATH']}",
        "PYTHONPATH": root,
        "BOOK": str(book.folder),
        "EXPORT": str(delivered),
        "TASKS": str(tmp_path / "taken.csv"),
    }
    for _ in range(2):
        subprocess.run([commands / "week"], env=environment, check=True, timeout=600, capture_output=True)
    told = lines_of(book)
    assert [each["command"] for each in told] == 2 * ["feedback import", "retrain", "score", "export"]
    assert [each["exit"] for each in told] == [0] * 8
    assert (told[0]["new"], told[4]["new"]) == (1, 0)
    assert told[1]["outcome"] == told[5]["outcome"] == "early"
    assert told[3]["tasks"] == told[7]["tasks"] > 0
    assert name not in (tmp_path / "taken.csv").read_text("utf-8-sig")  # was spoken to
    # on the same export the same run: its own name, and a champion that stays
    assert [each.kind for each in runs_of(book)] == ["eda", "score"]
    champion = champion_of(book)
    assert champion is not None and champion.why == "first"
    made = book.runs / "2025-12-31-score"
    changes = (made / "actions" / "since_last.csv").read_text("utf-8-sig").splitlines()
    assert changes[1:] == [f"{name};gesproken;02-01-2026"]
    assert pl.read_parquet(made / "scores.parquet")["churn_12m"].equals(scores["churn_12m"])


@pytest.mark.parametrize(
    ("day", "code", "commands"),
    [
        ("07", 0, ["retrain", "score", "export"]),
        ("08", 0, ["score", "export"]),
        ("08", 3, ["score"]),  # refused: the tasks of the week before stay
    ],
)
def test_what_fails_stops_the_week_with_its_code(tmp_path: Path, day: str, code: int, commands: list[str]) -> None:
    said = tmp_path / "said"
    stands_for = {
        "akb": f'echo "$1" >> {said}\n[ "$1" != score ] || exit {code}\n',
        "date": f"echo {day}\n",
        "week": block("akb-week.sh").removeprefix("#!/bin/sh\n"),
    }
    for name, text in stands_for.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}")
        (tmp_path / name).chmod(0o700)
    environment = {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "BOOK": "boek",
        "EXPORT": str(tmp_path),  # without feedback of advisers
        "TASKS": "taken.csv",
    }
    done = subprocess.run([tmp_path / "week"], env=environment, check=False, timeout=60, capture_output=True)
    assert done.returncode == code
    assert said.read_text().split() == commands


def test_the_units_name_the_recipe() -> None:
    for name in ("akb-week.service", "akb-week.timer"):
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(block(name))
        assert unit["Unit"]["Description"]
    assert "ExecStart=/srv/akb/akb-week.sh" in block("akb-week.service")
    assert "/srv/akb/akb-week.sh" in re.search(r"```cron\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)[1]  # type: ignore[index]


def test_a_refusal_and_a_fault_leave_their_code(
    book: ClientBook, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["score", str(export / "polissen.csv"), "--book", str(book.folder), "--quiet"]) == 3
    assert "lacks what the stored models" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError), journal(book, "score"):
        raise ZeroDivisionError("K-123")
    refused, fault = lines_of(book)
    assert refused["exit"] == 3 and "lacks" in str(refused["why"])
    assert fault["exit"] == 70 and fault["why"] == "ZeroDivisionError"


def test_a_dry_run_leaves_no_line(book: ClientBook) -> None:
    with journal(book, "score", dry_run=True):
        pass
    assert not (book.folder / "log.jsonl").exists()
