"""Run folders: whole or not there, never somebody else's, healed after a kill."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from akb.core.errors import AkbError
from akb.store import folders
from akb.store.folders import KEPT, PRIVATE, heal, is_run, run_folder, write_files, write_private
from akb.store.manifest import write_json

if TYPE_CHECKING:
    from collections.abc import Callable


def write_run(folder: Path, word: str) -> None:
    with run_folder(folder) as fresh:
        (fresh / "report.html").write_text(word)
        write_json(fresh / "manifest.json", {"schema": "akb.manifest/1"})
    write_private(folder, word.encode())


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.parent.iterdir() if path != folder]


def test_a_run_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_run(folder, "old")
    write_run(folder, "new")
    assert (folder / "report.html").read_text() == "new"
    assert (folder / PRIVATE).read_text() == "new"
    assert leftovers(folder) == []


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_run(folder, "x")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / PRIVATE).stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / PRIVATE).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("make", [write_private, lambda folder, _: write_files(folder, {KEPT: b"kept"})])
def test_whoever_makes_the_private_folder_shuts_it(tmp_path: Path, make: Callable[[Path, bytes], None]) -> None:
    """Inside a folder that others may look into, as one is that was unpacked or copied elsewhere."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        make(folder, b"customer,relation\n")
    finally:
        os.umask(before)
    private = folder / PRIVATE.parent
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in private.iterdir()} == {0o600}


def test_an_error_on_the_way_leaves_the_old_run_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_run(folder, "old")
    with pytest.raises(RuntimeError), run_folder(folder) as fresh:
        (fresh / "report.html").write_text("half")
        raise RuntimeError
    assert (folder / "report.html").read_text() == "old"
    assert leftovers(folder) == []


def test_without_an_atomic_exchange_the_result_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_exchange", lambda *_: False)
    test_a_run_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path)


@pytest.mark.parametrize("name", ["holiday.jpg", "manifest.json"])
def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / name).write_text("{}")
    with pytest.raises(AkbError, match="not the output of an akb run"), run_folder(tmp_path / "photos"):
        pass
    assert (tmp_path / "photos" / name).read_text() == "{}"


def test_an_empty_folder_is_used_and_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    write_run(tmp_path / "empty", "x")
    assert is_run(tmp_path / "empty")
    (tmp_path / "file").touch()
    with pytest.raises(AkbError, match="is a file"), run_folder(tmp_path / "file"):
        pass


def test_an_export_inside_the_output_folder_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "x")
    export = tmp_path / "run" / "polissen.csv"
    export.touch()
    with pytest.raises(AkbError, match="inside the output folder"), run_folder(tmp_path / "run", [export]):
        pass
    assert export.exists()


def test_the_next_command_heals_what_a_kill_left(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_run(folder, "old")
    script = (
        "import os, sys, pathlib\n"
        "from akb.store.folders import run_folder\n"
        "with run_folder(pathlib.Path(sys.argv[1])) as fresh:\n"
        "    (fresh / 'report.html').write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(folder)], check=False)
    assert len(leftovers(folder)) == 1
    assert (folder / "report.html").read_text() == "old"
    heal(folder)
    assert leftovers(folder) == []


def test_a_kill_between_the_two_renames_is_undone(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_run(folder, "old")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    folder.rename(tmp_path / f".run.akb-unfinished-{dead.pid}-old")
    heal(folder)
    assert (folder / "report.html").read_text() == "old"


def test_of_a_kill_between_the_two_renames_the_new_run_is_kept(tmp_path: Path) -> None:
    folder, made = tmp_path / "run", tmp_path / "made"
    write_run(folder, "old")
    write_run(made, "new")
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    folder.rename(tmp_path / f".run.akb-unfinished-{dead.pid}-old")
    made.rename(tmp_path / f".run.akb-unfinished-{dead.pid}-ready{made.stat().st_ino}")
    heal(folder)
    assert (folder / "report.html").read_text() == "new"
    assert leftovers(folder) == []


def test_a_run_that_is_still_being_written_is_not_cleared(tmp_path: Path) -> None:
    running = tmp_path / f".run.akb-unfinished-{os.getppid()}-abc"
    running.mkdir()
    heal(tmp_path / "run")
    assert running.exists()


def test_a_link_to_a_run_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "disk" / "run")
    for text in ('"akb.manifest/1"', '"akb.manifest/1 again"'):
        with run_folder(link) as fresh:
            (fresh / "manifest.json").write_text(text)
        assert link.is_symlink()
        assert (tmp_path / "disk" / "run" / "manifest.json").read_text() == text
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["run"]
