"""Tasks and what they leave as files: large tables lie beside them once, whoever asks for them.

A fit needs the matrix and gives a model that still holds on to it. So a table that is on the shelf
goes into a task, and into what a task leaves, by its name; who reads it gets the one that he has.
"""

from __future__ import annotations

import io
import weakref
from itertools import count
from typing import TYPE_CHECKING, Any

import cloudpickle
import numpy as np
import polars as pl

from akb.store.atomic import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

SMALL = 1 << 16
"""Bytes under which a table goes along in the task."""


class Shelf:
    """The large tables of one run in a folder that client and workers see.

    Parameters
    ----------
    folder
        Of the run.
    writes
        Whether tables that are not there yet are put there: the client does, a worker does not.
    """

    def __init__(self, folder: Path, *, writes: bool) -> None:
        self.folder = folder
        self._writes = writes
        self._numbers = count()
        self._names: dict[int, str] = {}
        self._known: dict[str, weakref.ref[Any]] = {}  # who made a table decides how long it lives
        self._used: dict[str, Any] = {}
        self._before: dict[str, Any] = {}

    def put(self, thing: Any) -> str | None:
        """Return the name of a table, of its file; None for what goes along in the task."""
        name = self._names.get(id(thing))
        if name is not None and self._known[name]() is thing:
            return name
        if not self._writes:
            return None
        if isinstance(thing, pl.DataFrame):
            if thing.estimated_size() < SMALL:
                return None
            name = f"{next(self._numbers)}.parquet"
            self._whole(name, lambda path: thing.write_parquet(path, compression="lz4"))
        elif type(thing) is np.ndarray and thing.nbytes >= SMALL and not thing.dtype.hasobject:
            name = f"{next(self._numbers)}.npy"
            self._whole(name, lambda path: np.save(path, thing))
        else:
            return None
        return self._register(name, thing)

    def take(self, name: str) -> Any:
        """Return the table of this name; one that is in memory is not read again."""
        known = self._known.get(name)
        thing: Any = None if known is None else known()
        if thing is None:
            path = self.folder / name
            if name.endswith(".parquet"):
                thing = pl.read_parquet(path).rechunk()
            else:
                thing = np.asarray(np.load(path, mmap_mode="r"))
            self._register(name, thing)
        if not self._writes:
            self._used[name] = thing
        return thing

    def turn(self) -> None:
        """Let go of what neither this task nor the one before it took."""
        self._before, self._used = self._used, {}

    def _register(self, name: str, thing: Any) -> str:
        self._names[id(thing)] = name
        self._known[name] = weakref.ref(thing)
        weakref.finalize(thing, self._names.pop, id(thing), None)
        return name

    def _whole(self, name: str, write: Any) -> None:
        beside = self.folder / f"new-{name}"
        write(beside)
        beside.chmod(0o600)
        beside.replace(self.folder / name)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, shelf: Shelf) -> None:
        super().__init__(file)
        self._shelf = shelf

    def persistent_id(self, thing: Any) -> str | None:
        kind = type(thing)
        return self._shelf.put(thing) if kind is pl.DataFrame or kind is np.ndarray else None


class _Unpickler(cloudpickle.pickle.Unpickler):  # type: ignore[misc]
    def __init__(self, file: io.BytesIO, shelf: Shelf) -> None:
        super().__init__(file)
        self._shelf = shelf

    def persistent_load(self, name: str) -> Any:
        return self._shelf.take(name)


def write(path: Path, thing: Any, shelf: Shelf) -> None:
    """Write a task, or what it leaves, whole or not at all."""
    held = io.BytesIO()
    _Pickler(held, shelf).dump(thing)
    write_atomically(path, held.getvalue())


def read(path: Path, shelf: Shelf) -> Any:
    """Return what was written; only files of this run's own folder are read."""
    return _Unpickler(io.BytesIO(path.read_bytes()), shelf).load()
