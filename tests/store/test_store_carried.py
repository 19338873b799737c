"""A new run in an existing folder: nothing that people put there or changed is lost, and it says no before it works."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from akb.core.errors import AkbError
from akb.store.carried import foreign_files
from akb.store.folders import PRIVATE, check_replaceable, heal, run_folder, write_files, write_private
from akb.store.manifest import write_manifest


def write_run(folder: Path, word: str, **more: str) -> list[str]:
    """Write a run whose files hold `word`; return what came along of the run before it."""
    carried: list[str] = []
    private = f"customer,relation\n{word},1\n".encode()
    files = {"report.html": word, "actions/list.csv": f"klant\n{word}\n", "private/kept.zip": word, **more}
    with run_folder(folder, [], carried) as fresh:
        write_files(fresh, {name: content.encode() for name, content in files.items()})
        write_manifest(fresh, {"schema": "akb.manifest/1"}, private)
    write_private(folder, private)
    return carried


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_run(tmp_path / "run", "old")
    return tmp_path / "run"


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_run_that_nobody_touched_brings_nothing_along(run: Path) -> None:
    assert foreign_files(run) == []
    assert write_run(run, "new") == []
    assert set(contents(run)) == {
        "report.html",
        "actions/list.csv",
        "manifest.json",
        "private/kept.zip",
        PRIVATE.as_posix(),
    }


@pytest.mark.parametrize("name", ["notes.txt", "actions/notes.txt", "mine/deep/notes.txt", "private/notes.txt", ".n"])
def test_notes_stay_where_they_are(run: Path, name: str) -> None:
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).write_text("call Monday")
    assert write_run(run, "new") == [name]
    assert (run / name).read_text() == "call Monday"
    assert (run / "report.html").read_text() == "new"
    assert write_run(run, "newer") == [name]  # and the time after


def test_a_filled_in_list_stays_beside_the_new_one_every_time(run: Path) -> None:
    for turn, name in enumerate(["list.edited.csv", "list.edited-2.csv"]):
        (run / "actions" / "list.csv").write_text(f"klant;answer\nold;{turn}\n")
        assert f"actions/{name}" in write_run(run, f"new {turn}")
    assert (run / "actions" / "list.csv").read_text() == "klant\nnew 1\n"
    assert (run / "actions" / "list.edited.csv").read_text() == "klant;answer\nold;0\n"
    assert (run / "actions" / "list.edited-2.csv").read_text() == "klant;answer\nold;1\n"


def test_a_changed_file_that_the_new_run_leaves_out_keeps_its_name(tmp_path: Path) -> None:
    write_run(tmp_path / "run", "old", **{"actions/gone.csv": "as written", "actions/edited.csv": "as written"})
    (tmp_path / "run" / "actions" / "edited.csv").write_text("worked on")
    assert write_run(tmp_path / "run", "new") == ["actions/edited.csv"]
    assert not (tmp_path / "run" / "actions" / "gone.csv").exists()  # akb's own, and nobody changed it


def test_a_link_stays_a_link_and_what_it_points_at_stays_too(run: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "photo.jpg").write_text("x")
    (run / "photos").symlink_to(tmp_path / "elsewhere")
    assert write_run(run, "new") == ["photos"]
    assert (run / "photos").is_symlink()
    assert (tmp_path / "elsewhere" / "photo.jpg").exists()


def test_a_run_of_an_akb_that_named_no_files_loses_no_notes_and_leaves_no_kept_file_open(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("report.html", "kept.zip", "recognition_key.csv", "notes.txt"):
        (folder / name).write_text("old")
    (folder / "manifest.json").write_text('{"schema": "akb.manifest/1"}')
    assert write_run(folder, "new") == ["notes.txt"]
    assert not {"kept.zip", "recognition_key.csv"} & set(contents(folder))
    assert (folder / "report.html").read_text() == "new"


def test_changed_relation_numbers_are_refused_for_no_copy_may_lie_outside(run: Path) -> None:
    (run / PRIVATE).write_text("customer,relation,name\nold,1,mine\n")
    with pytest.raises(AkbError, match="was changed since akb wrote it"):
        check_replaceable(run)
    assert "mine" in (run / PRIVATE).read_text()


def test_what_cannot_be_copied_is_refused(run: Path) -> None:
    os.mkfifo(run / "pipe")
    with pytest.raises(AkbError, match="no ordinary file"):
        check_replaceable(run)


@pytest.mark.parametrize("name", ["akb.toml", "key", "deep/key"])
def test_settings_and_key_inside_are_refused(run: Path, name: str) -> None:
    (run / name).parent.mkdir(exist_ok=True)
    (run / name).write_text("mine")
    with pytest.raises(AkbError, match="lies inside the output folder"):
        check_replaceable(run, [], [run / name])
    check_replaceable(run, [], [run.parent / "akb.toml"])
    assert (run / name).read_text() == "mine"


def test_notes_survive_a_kill_right_before_the_exchange(run: Path) -> None:
    (run / "notes.txt").write_text("call Monday")
    script = (
        "import os, sys, pathlib\n"
        "from akb.store import folders\n"
        "folders._exchange = lambda *_: os.kill(os.getpid(), 9)\n"
        "with folders.run_folder(pathlib.Path(sys.argv[1])) as fresh:\n"
        "    (fresh / 'manifest.json').write_text('\"akb.manifest/1\"')\n"
    )
    subprocess.run([sys.executable, "-c", script, str(run)], check=False)
    heal(run)
    assert (run / "manifest.json").read_text() == '"akb.manifest/1"'  # the new run took its place
    assert (run / "notes.txt").read_text() == "call Monday"


def test_the_folder_that_one_stands_in_keeps_its_relation_numbers(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run)
    write_run(Path.cwd(), "new")
    assert (run / PRIVATE).read_text() == "customer,relation\nnew,1\n"


def test_the_manifest_names_every_file_and_private_ones_are_the_owners(run: Path) -> None:
    named = json.loads((run / "manifest.json").read_text())["outputs"]
    assert set(named) == set(contents(run)) - {"manifest.json"}
    for name in ("private/kept.zip", PRIVATE):
        assert stat.S_IMODE((run / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((run / "private").stat().st_mode) == 0o700


def test_where_nothing_can_be_written_it_is_said_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (Path("/proc/run"), tmp_path / "file" / "run", tmp_path / ("x" * 250)):
        with pytest.raises(AkbError, match="cannot write beside"):
            check_replaceable(folder)
    check_replaceable(tmp_path / "new" / "deep" / "run")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]  # the trial leaves nothing


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(AkbError, match="Permission denied"):
        check_replaceable(tmp_path / "closed" / "run")


def test_a_disk_of_its_own_is_refused() -> None:
    with pytest.raises(AkbError, match=r"cannot write beside|a disk of its own"):
        check_replaceable(Path("/proc"))


def test_a_name_with_signs_of_a_pattern_is_healed_like_any_other(tmp_path: Path) -> None:
    folder = tmp_path / "run [1]*"
    write_run(folder, "x")
    (tmp_path / ".run [1]*.akb-unfinished-999999999-x").mkdir()
    heal(folder)
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]
