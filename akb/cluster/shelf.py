"""Tasks and what they leave as files: large tables lie beside them once, whoever asks for them.

A fit needs the matrix and gives a model that still holds on to it. So a table that is on the shelf
goes into a task, and into what a task leaves, by its name; who reads it gets the one that he has.
A large table that a task makes is left there by its worker: the client reads it, and tasks after it
get its name. Tables are Arrow files, for a copy in memory costs a quarter of what Parquet does.
"""

from __future__ import annotations

import io
import weakref
from contextlib import suppress
from itertools import count
from secrets import token_hex
from threading import RLock
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL = 1 << 16
"""Bytes under which a table goes along in the task."""


class Shelf:
    """The large tables of one run in a folder that client and workers see.

    Parameters
    ----------
    folder
        Of the run.
    client
        The client puts tables and arrays there, and takes away those that it let go of: while a
        task is out it holds on to what went into it. A worker puts there the tables that its task
        made (`leaving`), and keeps what it read for the next task.
    """

    def __init__(self, folder: Path, *, client: bool) -> None:
        self.folder = folder
        self._client = client
        self._stem = ""
        self._numbers = count()
        self._names: dict[int, str] = {}
        self._known: dict[str, weakref.ref[Any]] = {}  # who made a table decides how long it lives
        self._used: dict[str, Any] = {}
        self._before: dict[str, Any] = {}
        self._lock = RLock()  # answers come while tasks are written

    def leaving(self, task: str) -> None:
        """Name the tables that are put from now on after the task that made them: done again after
        a kill, it leaves the same under the same names.
        """
        self._stem, self._numbers = f"{task}-", count()

    def put(self, thing: Any) -> str | None:
        """Return the name of a table, of its file; None for what goes along in the task."""
        with self._lock:
            name = self._names.get(id(thing))
            if name is not None and self._known[name]() is thing:
                return name
            write = self._writer(thing)
            if write is None:
                return None
            suffix = "arrow" if isinstance(thing, pl.DataFrame) else "npy"
            name = f"{self._stem}{next(self._numbers)}.{suffix}"
            put_whole(self.folder / name, write)
            return self._register(name, thing)

    def _writer(self, thing: Any) -> Callable[[Path], Any] | None:
        if isinstance(thing, pl.DataFrame):
            large = thing.estimated_size() >= SMALL
            return thing.write_ipc if large and (self._client or self._stem) else None
        if type(thing) is not np.ndarray or not self._client:  # what a task gives may be written to
            return None
        large = thing.nbytes >= SMALL and not thing.dtype.hasobject
        return (lambda path: np.save(path, thing)) if large else None

    def take(self, name: str) -> Any:
        """Return the table of this name; one that is in memory is not read again."""
        with self._lock:
            known = self._known.get(name)
            thing: Any = None if known is None else known()
            if thing is None:
                path = self.folder / name
                if name.endswith(".arrow"):
                    thing = pl.read_ipc(path).rechunk()
                else:
                    thing = np.asarray(np.load(path, mmap_mode="r"))
                self._register(name, thing)
            if not self._client:
                self._used[name] = thing
            return thing

    def turn(self) -> None:
        """Let go of what neither this task nor the one before it took."""
        self._before, self._used = self._used, {}

    def _register(self, name: str, thing: Any) -> str:
        self._names[id(thing)] = name
        self._known[name] = weakref.ref(thing)
        weakref.finalize(thing, self._let_go, id(thing), name).atexit = False
        return name

    def _let_go(self, number: int, name: str) -> None:
        self._names.pop(number, None)
        if self._client:
            with suppress(OSError):
                (self.folder / name).unlink()


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, shelf: Shelf) -> None:
        super().__init__(file)
        self._shelf = shelf
        self.by_name: list[Any] = []

    def persistent_id(self, thing: Any) -> str | None:
        kind = type(thing)
        if kind is not pl.DataFrame and kind is not np.ndarray:
            return None
        name = self._shelf.put(thing)
        if name is not None:
            self.by_name.append(thing)
        return name


class _Unpickler(cloudpickle.pickle.Unpickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, shelf: Shelf) -> None:
        super().__init__(file)
        self._shelf = shelf

    def persistent_load(self, name: str) -> Any:
        return self._shelf.take(name)


def put_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Put a file (0600) there whole or not at all, also where two workers do the same task.

    It need not outlive the machine, so nobody waits for the disk.
    """
    beside = path.with_name(f"new-{token_hex(4)}-{path.name}")
    beside.touch(mode=0o600)
    write(beside)
    beside.replace(path)


def write(path: Path, thing: Any, shelf: Shelf) -> list[Any]:
    """Write a task, or what it leaves, whole or not at all; return the tables it names."""
    held = io.BytesIO()
    pickler = _Pickler(held, shelf)
    pickler.dump(thing)
    put_whole(path, lambda beside: beside.write_bytes(held.getbuffer()))
    return pickler.by_name


def read(path: Path, shelf: Shelf) -> Any:
    """Return what was written; only files of this run's own folder are read."""
    return _Unpickler(io.BytesIO(path.read_bytes()), shelf).load()
