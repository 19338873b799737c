"""What a folder looks like before every single write of a command: what a kill at that moment would leave."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator
    from pathlib import Path

_CHANGES = frozenset(
    {
        "os.mkdir",
        "os.rename",
        "os.remove",
        "os.rmdir",
        "os.link",
        "os.truncate",
        "akb.book.commit",
        "akb.book.committed",
    }
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _contents(folder: Path | str) -> Iterator[tuple[str, int, int]]:
    """Every folder in a folder, and every file with its size and when it was written; asked before each write."""
    with os.scandir(folder) as there:
        for each in there:
            if each.is_dir():
                yield each.path, 0, 0
                yield from _contents(each.path)
            elif each.is_file():
                yield each.path, each.stat().st_size, each.stat().st_mtime_ns


class _Camera:
    """Copies a folder before every change in it; only while it is told to (an audit hook is for life)."""

    def __init__(self) -> None:
        self.home: Path | None = None
        self.kept: Path | None = None
        self.wanted: Container[int] | None = None
        self.shots = 0
        self.seen: frozenset[object] = frozenset()

    def hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.home is None or not self._writes(event, arguments):
            return
        home, self.home = self.home, None  # what copying does is no write of the command
        try:
            self._copy(home)
        finally:
            self.home = home

    def _writes(self, event: str, arguments: tuple[object, ...]) -> bool:
        if event == "open":
            path, mode, flags = arguments
            writes = any(each in mode for each in "wxa+") if isinstance(mode, str) else bool(int(str(flags)) & _WRITES)
            return writes and str(self.home) in str(path)
        if event.startswith("akb."):
            return event in _CHANGES
        return event in _CHANGES and (str(self.home) in str(arguments[0]) or not str(arguments[0]).startswith("/"))

    def _copy(self, home: Path) -> None:
        state = frozenset(_contents(home))
        if state != self.seen:
            if self.kept is not None and (self.wanted is None or self.shots in self.wanted):
                shutil.copytree(home, self.kept / f"{self.shots:04d}", symlinks=True)
            self.shots, self.seen = self.shots + 1, state


_CAMERA = _Camera()
sys.addaudithook(_CAMERA.hook)


def states_before_writes(
    home: Path, kept: Path, command: Callable[[], object], wanted: Container[int] | None = None
) -> list[Path]:
    """Run a command; return copies of `home` as it was before each of its writes, or the wanted ones, in order."""
    kept.mkdir()
    _watch(home, command, kept, wanted)
    return sorted(kept.iterdir())


def count_of_writes(home: Path, spare: Path, command: Callable[[], object]) -> int:
    """Return how many states a command has, and put `home` back as it was."""
    shutil.copytree(home, spare, symlinks=True)
    _watch(home, command)
    count = _CAMERA.shots
    list(after_a_crash(home, [spare]))
    return count


def _watch(
    home: Path, command: Callable[[], object], kept: Path | None = None, wanted: Container[int] | None = None
) -> None:
    _CAMERA.home, _CAMERA.kept, _CAMERA.wanted, _CAMERA.shots = home, kept, wanted, 0
    _CAMERA.seen = frozenset()
    try:
        command()
    finally:
        _CAMERA.home = None


def after_a_crash(home: Path, states: list[Path]) -> Iterator[Path]:
    """Put the folder into each of the states, one after the other."""
    for state in states:
        shutil.rmtree(home)
        shutil.copytree(state, home, symlinks=True)
        yield state
