"""Every broken or odd input ends in a sentence with a remedy, or in a run that counted what was odd."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from akb.cli import run
from akb.commands.inspect.overview import as_document
from akb.config import Settings
from akb.ingest import read_and_preview
from akb.ingest.types import Sources
from tests.broken.generate import GOOD, Case, cases

SECONDS = 20
SOUND = ("as_of", "rows", "history", "rejected_by_reason")
"""What is the same where the sound export is written in another way."""
CASES = {case.name: case for case in cases()}


@contextmanager
def patience(seconds: int) -> Iterator[None]:
    """Fail what hangs."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) == len(cases()) >= 80


@pytest.mark.parametrize("name", CASES)
def test_a_broken_input_is_explained_or_counted(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    case = CASES[name]
    arguments = case.write(tmp_path / "in")
    with patience(SECONDS):
        code = run(["check", *arguments, "--json"])
    said = capfd.readouterr()
    assert "Traceback" not in said.err
    assert "panicked" not in said.err
    if case.refused:
        refused(case, code, said.out, said.err)
    else:
        read(case, code, said.out, said.err)


def refused(case: Case, code: int, out: str, err: str) -> None:
    assert code == 2, err or out
    assert out == ""
    sentence, *remedy = err.strip().splitlines()
    assert sentence.startswith("akb: ")
    assert case.refused in err, err
    assert len(sentence) < 700, len(sentence)
    assert case.arguments or any(name in sentence for name in case.files), "it does not name the file"
    assert remedy, f"no remedy: {sentence}"


def read(case: Case, code: int, out: str, err: str) -> None:
    assert code == 0, err
    told = json.loads(out)
    for rows in [told["rows"], *(file["rows"] for file in told["files"])]:
        assert rows["read"] == rows["used"] + rows["rejected"]
        assert min(rows.values()) >= 0
    assert sum(told["rejected_by_reason"].values()) == told["rows"]["rejected"]
    assert told["rows"]["used"] > 0
    findings = {finding["code"]: finding for finding in told["findings"]}
    if case.finding:
        assert case.finding in findings, sorted(findings)
        assert findings[case.finding]["count"] is None or findings[case.finding]["count"] >= 0
        assert findings[case.finding]["remedy"]
    if case.rejected:
        assert case.rejected in told["rejected_by_reason"], told["rejected_by_reason"]
    if case.sound:
        assert {name: told[name] for name in SOUND} == {name: sound()[name] for name in SOUND}


@cache
def sound() -> dict[str, Any]:
    """What ``akb check`` makes of the sound export."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "polissen.csv"
        path.write_bytes(GOOD.encode())
        portfolio, view = read_and_preview(Sources([path], bytes(32)), Settings())
        return json.loads(json.dumps(as_document(portfolio, view)))
