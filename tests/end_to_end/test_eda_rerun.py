"""``akb diff`` and ``akb rerun``: of the same nothing, of another the names of what differs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from akb.cli import run
from akb.commands.inspect.diff import compared
from tests.offices import Office


def changed(finished: Path, folder: Path, **manifest: Any) -> Path:
    """Return a copy of a run with another manifest."""
    shutil.copytree(finished, folder)
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **manifest}), "utf-8")
    return folder


def test_a_run_again_has_the_same_bytes_and_no_difference(
    compared_office: Office, compared_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office, finished, out = compared_office, compared_run, tmp_path / "again"
    asked = ["--from", str(office.folder), "--key", str(office.key), "--out", str(out), "--quiet"]
    assert run(["rerun", str(finished / "manifest.json"), *asked]) == 0
    assert capsys.readouterr().out.startswith("the same bytes: ")
    assert run(["diff", str(finished), str(out)]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_what_went_in_otherwise_and_what_came_out_of_it_is_named(
    office: Office, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exports = tmp_path / "exports"
    shutil.copytree(office.folder, exports)
    lines = (exports / "schades.csv").read_bytes().split(b"\r\n")
    (exports / "schades.csv").write_bytes(b"\r\n".join([*lines[:-200], b""]))
    out = tmp_path / "again"
    asked = ["--from", str(exports), "--key", str(office.key), "--out", str(out), "--json"]
    assert run(["rerun", str(finished), *asked]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["same"]
    assert found["inputs"] == ["schades.csv"]
    assert {"summary.json", "scores.parquet"} <= set(found["outputs"])
    difference = compared(finished, out)
    assert list(difference["inputs"]) == ["schades.csv"]
    assert difference["settings"] == {}
    assert "rows.read" in difference["figures"]
    moved = difference["scores"]["moved"]
    scores = [pl.read_parquet(folder / "scores.parquet")["claims_12m"] for folder in (finished, out)]
    assert moved["claims_12m"]["customers"] == ((scores[0] - scores[1]).abs() > 1e-6).sum()
    assert run(["diff", str(finished), str(out)]) == 0
    assert "claims_12m: " in capsys.readouterr().out


def test_settings_and_figures_that_differ_are_named_by_their_place(finished: Path, tmp_path: Path) -> None:
    settings = json.loads((finished / "manifest.json").read_text("utf-8"))["settings"]
    other = changed(finished, tmp_path / "other", settings={**settings, "time": {**settings["time"], "gap_days": 62}})
    path = other / "summary.json"
    summary = json.loads(path.read_text("utf-8"))
    next(row for row in summary["predictions"] if row["key"] == "churn_12m")["auc"] = 0.5
    path.write_text(json.dumps(summary), "utf-8")
    found = compared(finished, other)
    assert found["settings"] == {"time.gap_days": [31, 62]}
    assert list(found["figures"]) == ["predictions[churn_12m].auc"]
    assert found["scores"] == {}


def test_runs_under_other_pseudonyms_are_not_compared_by_customer(finished: Path, tmp_path: Path) -> None:
    other = changed(finished, tmp_path / "other", key_id="0" * 16)
    assert compared(finished, other)["key"] == ["the two runs have other pseudonyms"]


def test_what_cannot_be_done_again_is_said_in_a_sentence(
    office: Office, finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = ["--key", str(office.key)]
    assert run(["rerun", str(tmp_path)]) == 2
    assert "not the folder of a finished akb run" in capsys.readouterr().err
    assert run(["rerun", str(finished), "--from", str(tmp_path), *key]) == 2
    assert "polissen.csv is not in" in capsys.readouterr().err
    assert run(["rerun", str(finished), "--from", str(office.folder), "--key", str(tmp_path / "other")]) == 2
    assert "another key" in capsys.readouterr().err
    old = changed(finished, tmp_path / "old")
    manifest = json.loads((old / "manifest.json").read_text("utf-8"))
    del manifest["asked"]
    (old / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert run(["rerun", str(old), "--from", str(office.folder), *key]) == 3
    assert "did not write down what was asked" in capsys.readouterr().err
