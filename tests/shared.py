"""What many tests look at and none changes, made once per test run, by whichever worker needs it first."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

on_disk = pytest.fixture(scope="session")
"""For a fixture that workers share on the disk: it keeps no tests together (see `tests/scheduling.py`)."""
MADE = "made.json"
"""Beside a shared folder: what lay in it when it was made."""


def shared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder of that name, which `make` fills the first time that any worker asks for it.

    Nobody may change it: a test that needs a folder of its own copies it. `changed` tells whether somebody did.
    """
    home = _home(factory) / name
    folder = home / name.rpartition("/")[2]
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home / "lock"):
        if not (home / MADE).exists():
            folder.mkdir()
            make(folder)
            (home / MADE).write_text(json.dumps(_contents(folder)))
    return folder


def changed(factory: pytest.TempPathFactory) -> list[str]:
    """Return the files of shared folders that are not as they were made."""
    found = []
    for made in sorted(_home(factory).rglob(MADE)):
        name = made.parent.relative_to(_home(factory))
        before, now = json.loads(made.read_text()), _contents(made.parent / name.name)
        found += [f"{name}/{path}" for path in sorted(before | now) if before.get(path) != now.get(path)]
    return found


def _home(factory: pytest.TempPathFactory) -> Path:
    own = factory.getbasetemp()
    return (own.parent if own.name.startswith("popen-") else own) / "shared"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _contents(folder: Path) -> dict[str, list[int]]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): [path.stat().st_size, path.stat().st_mtime_ns] for path in files}
