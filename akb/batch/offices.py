"""Which offices lie in a folder: a folder each, or files whose names begin the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = "akb.toml"
_EXPORTS = (".csv", ".txt", ".xlsx", ".xls", ".parquet", ".zip", ".gz")
_STEM = re.compile(r"[_\-. ][^_\-. ]+$")


@dataclass(frozen=True)
class BatchOffice:
    """An office of a batch.

    Parameters
    ----------
    name
        Of its folder, or what its files' names begin with; so is its run's folder called.
    config
        Its own settings; None: those of all.
    """

    name: str
    files: tuple[Path, ...]
    config: Path | None = None


def offices_in(folder: Path) -> tuple[BatchOffice, ...]:
    """Return the offices of a folder, by name.

    Every folder in it with exports is one; exports that lie in it directly are one office as far as
    their names are the same up to the last ``_`` or ``-`` (``noord_polissen.csv``,
    ``noord_schades.csv``).

    Raises
    ------
    AkbError
        If it is no folder, holds no export, or two offices have one name.
    """
    if not folder.is_dir():
        raise AkbError(f"{folder} is not a folder", "Name a folder with a folder per office.")
    found: list[BatchOffice] = []
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and _seen(path)):
        files = _exports(inner)
        if files:
            own = inner / SETTINGS
            found.append(BatchOffice(inner.name, files, own if own.is_file() else None))
    sets: dict[str, list[Path]] = {}
    for path in _exports(folder):
        sets.setdefault(_STEM.sub("", path.stem), []).append(path)
    found += [BatchOffice(name, tuple(files)) for name, files in sorted(sets.items())]
    if not found:
        raise AkbError(
            f"{folder} holds no exports", "Put the files of every office in a folder of its own."
        )
    names = [office.name for office in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AkbError(f"two offices are called '{twice[0]}'", "Rename the folder or the files.")
    return tuple(sorted(found, key=lambda office: office.name))


def _exports(folder: Path) -> tuple[Path, ...]:
    return tuple(
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and path.suffix.lower() in _EXPORTS and _seen(path)
    )


def _seen(path: Path) -> bool:
    return not path.name.startswith((".", "~$"))
