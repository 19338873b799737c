"""What a folder looks like before every single write of a command: what a kill at that moment would leave."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


class _Camera:
    """Copies a folder before every change in it; only while it is told to (an audit hook is for life)."""

    def __init__(self) -> None:
        self.home: Path | None = None
        self.kept: Path | None = None
        self.shots = 0
        self.seen: tuple[object, ...] = ()

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
        assert self.kept is not None
        there = sorted(home.rglob("*"))
        state = tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in there if p.is_file()) + tuple(
            str(p) for p in there if p.is_dir()
        )
        if state != self.seen:
            shutil.copytree(home, self.kept / f"{self.shots:04d}", symlinks=True)
            self.shots, self.seen = self.shots + 1, state


_CAMERA = _Camera()
sys.addaudithook(_CAMERA.hook)


def states_before_writes(home: Path, kept: Path, command: Callable[[], object]) -> list[Path]:
    """Run a command; return copies of `home` as it was before each of its writes, the first first."""
    kept.mkdir()
    _CAMERA.home, _CAMERA.kept, _CAMERA.shots, _CAMERA.seen = home, kept, 0, ()
    try:
        command()
    finally:
        _CAMERA.home = None
    return sorted(kept.iterdir())


def after_a_crash(home: Path, states: list[Path]) -> Iterator[Path]:
    """Put the folder into each of the states, one after the other."""
    for state in states:
        shutil.rmtree(home)
        shutil.copytree(state, home, symlinks=True)
        yield state
