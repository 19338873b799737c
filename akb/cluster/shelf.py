"""Tasks and what they leave as files: large tables lie beside them once, whoever asks for them.

A fit needs the matrix and gives a model that still holds on to it. So a table that is on the shelf
goes into a task, and into what a task leaves, by its name; who reads it gets the one that he has.
"""

from __future__ import annotations

import io
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
        self._names: dict[int, str] = {}
        self._things: dict[str, Any] = {}  # held, so that an identity stays that of one thing

    def put(self, thing: Any) -> str | None:
        """Return the name of a table, of its file; None for what goes along in the task."""
        name = self._names.get(id(thing))
        if name is not None or not self._writes:
            return name
        number = len(self._things)
        if isinstance(thing, pl.DataFrame):
            if thing.estimated_size() < SMALL:
                return None
            name = f"{number}.parquet"
            self._whole(name, lambda path: thing.write_parquet(path, compression="lz4"))
        elif type(thing) is np.ndarray and thing.nbytes >= SMALL and not thing.dtype.hasobject:
            name = f"{number}.npy"
            self._whole(name, lambda path: np.save(path, thing))
        else:
            return None
        return self._keep(name, thing)

    def take(self, name: str) -> Any:
        """Return the table of this name, read once."""
        if name not in self._things:
            path = self.folder / name
            if name.endswith(".parquet"):
                thing: Any = pl.read_parquet(path).rechunk()
            else:
                thing = np.asarray(np.load(path, mmap_mode="r"))
            self._keep(name, thing)
        return self._things[name]

    def _keep(self, name: str, thing: Any) -> str:
        self._names[id(thing)] = name
        self._things[name] = thing
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
