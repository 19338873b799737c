"""The same office in two dialects gives the same figures, scores and lists, to the byte."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from akb.cli import run
from akb.sample import simulate, write_sample

if TYPE_CHECKING:
    from pathlib import Path

ABOUT_THE_FILES = ("rows", "findings", "quality")  # how many rows, in which form: that differs

FIGURES = {"as_of", "customers", "policies", "predictions", "value", "business_case"}


@pytest.mark.slow
def test_two_dialects_give_the_same_figures(tmp_path: Path) -> None:
    book = simulate(700, seed=11)
    figures: list[dict[str, str]] = []
    lists: list[dict[str, bytes]] = []
    for name in ("abc", "anva"):
        files = write_sample(book, tmp_path / name, truth=False, dialect=name)
        out = tmp_path / f"out_{name}"
        assert run(["eda", *map(str, files), "--out", str(out), "--key", str(tmp_path / "key"), "--quiet"]) == 0
        summary = json.loads((out / "summary.json").read_text("utf-8"))
        assert summary["rows"]["rejected"] == 0
        figures.append({key: json.dumps(told) for key, told in summary.items() if key not in ABOUT_THE_FILES})
        lists.append(
            {
                path.name: path.read_bytes()
                for path in [out / "scores.csv", out / "scores.parquet", *(out / "actions").glob("*.csv")]
            }
        )
    assert figures[0].keys() == figures[1].keys() >= FIGURES
    assert [key for key, told in figures[0].items() if told != figures[1][key]] == []
    assert all(figures[0][key] not in ("null", "{}", "[]") for key in FIGURES)
    assert len(lists[0]) > 2
    assert lists[0] == lists[1]
