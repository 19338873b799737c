"""``akb pack``: what may be shared, and nothing that names a customer or that people wrote into."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import pytest

from akb.cli import run
from akb.store.folders import run_folder, write_files, write_private
from akb.store.manifest import write_manifest

SHARED = {
    "report.html", "portal.html", "portal/noord.html", "summary.json", "actions/top_defend.csv", "actions/actions.xlsx",
}  # fmt: skip
KEPT = {"scores.csv", "rejects.csv", "models/churn.txt", "private/kept.zip", "private/recognition_key.csv"}
CANARY = "ZQ0012"


def write_run(folder: Path, **manifest: object) -> Path:
    private = f"customer,relation\nK-01,{CANARY}\n".encode()
    with run_folder(folder) as fresh:
        write_files(fresh, {name: f"{name} of K-01".encode() for name in SHARED | KEPT})
        write_manifest(fresh, {"schema": "akb.manifest/1", "pseudonyms": True, "settings": "ours", **manifest}, private)
    write_private(folder, private)
    return folder


def packed(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_may_be_shared_is_packed_and_nothing_else(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    assert run(["pack", str(folder), "--quiet"]) == 0
    contents = packed(tmp_path / "run.zip")
    assert set(contents) == SHARED
    assert not any(CANARY.encode() in content for content in contents.values())
    assert contents["report.html"] == b"report.html of K-01"
    assert stat.S_IMODE((tmp_path / "run.zip").stat().st_mode) == 0o600


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    for name in ("a.zip", "b.zip"):
        assert run(["pack", str(folder), "--out", str(tmp_path / name), "--quiet"]) == 0
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_what_people_wrote_into_or_added_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path / "run")
    (folder / "actions" / "top_defend.csv").write_text("K-01;Jan de Vries")
    (folder / "actions" / "bellijst.csv").write_text("Jan de Vries")
    (folder / "notes.txt").write_text("Jan de Vries")
    (folder / "actions" / "actions.xlsx").unlink()
    (folder / "actions" / "actions.xlsx").symlink_to(folder / "private" / "customers.csv")
    assert run(["pack", str(folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["left_out"] == ["actions/actions.xlsx", "actions/top_defend.csv"]
    assert (
        set(packed(tmp_path / "run.zip"))
        == SHARED - {"actions/top_defend.csv", "actions/actions.xlsx"}
        == set(document["files"])
    )


@pytest.mark.parametrize(
    ("manifest", "words"),
    [({"pseudonyms": False}, "shows relation numbers"), ({"outputs": None}, "does not say which files")],
)
def test_a_run_that_says_too_much_or_too_little_is_refused(
    manifest: dict[str, object], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path / "run")
    document = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**document, **manifest}))
    assert run(["pack", str(folder)]) == 3
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run.zip").exists()


def test_what_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_run(tmp_path / "run")
    (tmp_path / "run.zip").write_text("mine")
    assert run(["pack", str(folder)]) == 2
    assert (tmp_path / "run.zip").read_text() == "mine"
    assert run(["pack", str(tmp_path)]) == 2
    assert "not the folder of a finished akb run" in capsys.readouterr().err
