"""A disk without exchange of folders, modes and links, as some mounts have it: the same run, or a sentence."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from akb.core.errors import AkbError
from akb.core.privacy.pseudonyms import load_or_create_key
from akb.store import folders
from akb.store.folders import PRIVATE, rewrite_run, run_folder, write_private
from akb.store.manifest import write_manifest


@pytest.fixture
def poor_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can change a mode, link a file or exchange two folders."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "chmod", refuse)
    monkeypatch.setattr(os, "link", refuse)
    if hasattr(os, "setxattr"):
        monkeypatch.setattr(os, "setxattr", refuse)
    monkeypatch.setattr(folders.ctypes, "CDLL", lambda *_, **__: object())  # no renameat2 in the C library


def write_run(folder: Path, word: str) -> None:
    private = word.encode()
    with run_folder(folder) as fresh:
        (fresh / "report.html").write_text(word)
        write_manifest(fresh, {"schema": "akb.manifest/1"}, private)
    write_private(folder, private)


def test_a_run_replaces_another_and_takes_along_what_is_not_akbs(tmp_path: Path, poor_disk: None) -> None:
    folder = tmp_path / "run"
    write_run(folder, "old")
    (folder / "notes.txt").write_text("mine")
    write_run(folder, "new")
    assert (folder / "report.html").read_text() == "new"
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / PRIVATE).read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_run_is_changed_in_place(tmp_path: Path, poor_disk: None) -> None:
    folder = tmp_path / "run"
    write_run(folder, "old")

    def change(copy: Path) -> None:
        (copy / "report.html").write_text("changed")

    rewrite_run(folder, change)
    assert (folder / "report.html").read_text() == "changed"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_key_is_made_and_read_again(tmp_path: Path, poor_disk: None) -> None:
    key = load_or_create_key(tmp_path / "key")
    assert load_or_create_key(tmp_path / "key") == key
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_key_that_a_disk_shows_to_others_is_refused(tmp_path: Path) -> None:
    load_or_create_key(tmp_path / "key")
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(AkbError, match="open to others"):
        load_or_create_key(tmp_path / "key")
