"""One small office with its run, shared by the tests of the weekly work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from akb.cli import run
from akb.live.book import ClientBook, open_book
from akb.live.registry import crown, record_run
from akb.sample import simulate, write_sample

NAMES = ("polissen.csv", "schades.csv", "contacten.csv")


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live") / "export"
    write_sample(simulate(1200, seed=11), folder, truth=False)
    return folder


@pytest.fixture(scope="session")
def key(export: Path) -> Path:
    return export.parent / "key"


@pytest.fixture(scope="session")
def fitted(export: Path, key: Path) -> Path:
    """The run of ``akb eda`` on the export."""
    out = export.parent / "eda"
    files = [str(export / name) for name in NAMES]
    assert run(["eda", *files, "--out", str(out), "--key", str(key), "--quiet"]) == 0
    return out


@pytest.fixture(scope="session")
def rescored(export: Path, key: Path, fitted: Path) -> Path:
    """The run of ``akb score`` on the same export."""
    out = export.parent / "score"
    files = [str(export / name) for name in NAMES]
    assert run(["score", *files, "--from", str(fitted), "--out", str(out), "--key", str(key), "--quiet"]) == 0
    return out


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
