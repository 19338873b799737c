"""The same office in two dialects gives the same figures, scores and lists, to the byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from akb.cli import run
from akb.sample import simulate, write_sample

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("end_to_end")

ABOUT_THE_FILES = ("rows", "findings", "quality")  # how many rows, in which form: that differs


def test_two_dialects_give_the_same_figures(tmp_path: Path) -> None:
    book = simulate(700, seed=11)
    figures, lists = [], []
    for name in ("abc", "anva"):
        files = write_sample(book, tmp_path / name, truth=False, dialect=name)
        out = tmp_path / f"out_{name}"
        assert run(["eda", *map(str, files), "--out", str(out), "--key", str(tmp_path / "key"), "--quiet"]) == 0
        summary = json.loads((out / "summary.json").read_text("utf-8"))
        assert summary["rows"]["rejected"] == 0
        figures.append(json.dumps({key: value for key, value in summary.items() if key not in ABOUT_THE_FILES}))
        lists.append({path.name: path.read_bytes() for path in [out / "scores.csv", *(out / "actions").glob("*.csv")]})
    assert figures[0] == figures[1]
    assert len(lists[0]) > 2
    assert lists[0] == lists[1]
