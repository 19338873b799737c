"""What people put into a run folder, or changed in it: a new run in that folder takes it along.

The manifest of a run names every file that akb wrote, with its hash. So a file that is not named is
somebody's own, and one whose content is another has been worked on: a filled-in recognition test, a
list with notes."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MANIFEST = "manifest.json"
RELATIONS = "private/customers.csv"
_RETIRED = frozenset(
    {"kept.zip", "recognition_key.csv"}
)  # of an earlier akb, which wrote them beside the report
_HALF = "private/customers.new"
_ELSEWHERE = "Move it out of the folder, or choose another one with --out."


def hashes_of(folder: Path, later: Mapping[str, bytes] | None = None) -> dict[str, str]:
    """Return the files of a run that is being written -> their hash, for its manifest.

    Parameters
    ----------
    later
        Files that are written after the manifest -> their content.
    """
    hashes = {name: _hash_of(folder / name) for name in _names_in(folder)}
    hashes |= {name: hashlib.sha256(content).hexdigest() for name, content in (later or {}).items()}
    return {name: hashes[name] for name in sorted(hashes) if name != MANIFEST}


def own_files(folder: Path) -> dict[str, str] | None:
    """Return the files of a finished run that akb wrote -> their hash then; None where its manifest
    does not say.
    """
    try:
        named = json.loads((folder / MANIFEST).read_text("utf-8")).get("outputs")
    except (OSError, ValueError, AttributeError):
        return None
    return (
        {str(name): str(digest) for name, digest in named.items()}
        if isinstance(named, dict)
        else None
    )


def foreign_files(folder: Path) -> list[str]:
    """Return the files of a finished run that akb did not write, or that people changed.

    A run whose manifest does not name its files: those outside of ``models/``; what the new run
    writes anew is its own."""
    named = own_files(folder)
    names = [name for name in _names_in(folder) if name not in (MANIFEST, _HALF)]
    if named is None:
        return [
            name
            for name in names
            if name not in _RETIRED | {RELATIONS} and not name.startswith("models/")
        ]
    return [name for name in names if name not in named or _is_changed(folder / name, named[name])]


def check_carriable(folder: Path) -> None:
    """Raise unless everything in a finished run that is not akb's can be taken along.

    Raises
    ------
    AkbError
        If it holds something else than files and links, or changed relation numbers: a copy of
        these would lie outside of the run until the new one is in place.
    """
    for name in foreign_files(folder):
        if name == RELATIONS:
            raise AkbError(f"{folder / name} was changed since akb wrote it", _ELSEWHERE)
        if stat.S_IFMT((folder / name).lstat().st_mode) not in (stat.S_IFREG, stat.S_IFLNK):
            raise AkbError(
                f"{folder / name} is no ordinary file, so it cannot be taken along", _ELSEWHERE
            )


def carry_over(old: Path, fresh: Path) -> list[str]:
    """Copy what is not akb's from a finished run into the one that takes its place; return the
    names there.

    A file keeps its name; where the new run has a file of that name with another content,
    ``.edited`` comes behind it."""
    named = own_files(old)
    carried = []
    for name in sorted(
        foreign_files(old), key=lambda name: os.path.lexists(fresh / name)
    ):  # others make way for these
        if name == RELATIONS or (named is None and (fresh / name).exists()):
            continue
        target = _free_name(fresh, Path(name), old / name)
        if target is None:
            continue
        for parent in reversed(target.relative_to(fresh).parents[:-1]):
            (fresh / parent).mkdir(mode=0o700, exist_ok=True)
        copied(old / name, target)
        carried.append(target.relative_to(fresh).as_posix())
    return carried


def copied(source: Path, target: Path) -> None:
    """Copy a file or link, with its mode and times where the disk can keep them: some mounts
    cannot, and what is in the file matters more.
    """
    shutil.copyfile(source, target, follow_symlinks=False)
    with suppress(OSError):
        shutil.copystat(source, target, follow_symlinks=False)


def _free_name(fresh: Path, name: Path, source: Path) -> Path | None:
    """Return where a file can stand in the new run; None where the same content stands under its
    name.
    """
    target, place = fresh / name, 0
    while os.path.lexists(target):
        if target.is_file() and source.is_file() and _hash_of(target) == _hash_of(source):
            return None
        place += 1
        mark = ".edited" if place == 1 else f".edited-{place}"
        target = fresh / name.with_name(f"{name.stem}{mark}{name.suffix}")
    return target


def _names_in(folder: Path) -> list[str]:
    """Return everything in a folder but folders, as paths with ``/`` inside it; links are not
    followed.
    """

    def below(place: Path) -> Iterator[str]:
        with os.scandir(place) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.is_dir(follow_symlinks=False):
                    yield from below(Path(entry.path))
                else:
                    yield Path(entry.path).relative_to(folder).as_posix()

    return list(below(folder))


def _is_changed(path: Path, digest: str) -> bool:
    return path.is_symlink() or not path.is_file() or _hash_of(path) != digest


def _hash_of(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
