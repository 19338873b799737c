"""One small office with its run and a book of it, shared by the tests of the weekly work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from akb.cli import run
from akb.core.privacy.pseudonyms import load_or_create_key
from akb.live.book import ClientBook, open_book
from akb.live.registry import crown, record_run
from akb.sample import simulate, write_sample
from tests.offices import Office
from tests.shared import on_disk, shared


@on_disk
def small(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office of which a claim changes what is expected; of the larger one (`tests/conftest.py`) none does."""

    def make(folder: Path) -> None:
        write_sample(simulate(1200, seed=11), folder / "export", truth=False)
        load_or_create_key(folder / "key")

    folder = shared(tmp_path_factory, "live", make)
    return Office(folder / "export", folder / "key")


@on_disk
def export(small: Office) -> Path:
    return small.folder


@on_disk
def key(small: Office) -> Path:
    return small.key


@on_disk
def fitted(small: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of ``akb eda`` on the export."""

    def make(folder: Path) -> None:
        assert small.eda(folder / "run") == 0

    return shared(tmp_path_factory, "fitted", make) / "run"


@on_disk
def rescored(small: Office, fitted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of ``akb score`` on the same export."""

    def make(folder: Path) -> None:
        given = ["--from", str(fitted), "--out", str(folder / "score"), "--key", str(small.key), "--quiet"]
        assert run(["score", *small.files, *given]) == 0

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
