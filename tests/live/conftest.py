"""The office of all tests with its run, and a book of it, for the tests of the weekly work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from akb.cli import run
from akb.live.book import ClientBook, open_book
from akb.live.registry import crown, record_run
from tests.offices import Office
from tests.shared import on_disk, shared


@on_disk
def export(office: Office) -> Path:
    return office.folder


@on_disk
def key(office: Office) -> Path:
    return office.key


@on_disk
def fitted(finished: Path) -> Path:
    """The run of ``akb eda`` on the export."""
    return finished


@on_disk
def rescored(office: Office, fitted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of ``akb score`` on the same export."""

    def make(folder: Path) -> None:
        given = ["--from", str(fitted), "--out", str(folder / "score"), "--key", str(office.key), "--quiet"]
        assert run(["score", *office.files, *given]) == 0

    return shared(tmp_path_factory, "rescored", make) / "score"


@pytest.fixture
def book(fitted: Path, key: Path, tmp_path: Path) -> ClientBook:
    """A book whose champion is the fitted run."""
    folder = tmp_path / "book"
    folder.mkdir(mode=0o700)
    shutil.copy(key, folder / "key")
    made = open_book(folder)
    shutil.copytree(fitted, made.runs / "2025-12-31-eda")
    run_ = record_run(made, made.runs / "2025-12-31-eda")
    crown(made, run_.run, "first", {}, after=None)
    return made
