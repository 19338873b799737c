"""Run folders: written beside the old one, swapped in at the end, healed after a kill.

A run is written in a 0700 sibling folder and takes the place of the old one in a single step, so that whoever
looks at the folder sees the old run or the new one, whole. Relation numbers are written last, in the final place:
a leftover of a killed run never holds one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MANIFEST = "manifest.json"
PRIVATE = Path("private") / "customers.csv"
_MARK = ".akb-unfinished-"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def is_run(folder: Path) -> bool:
    """Whether a folder is the output of an akb run."""
    try:
        return '"akb.manifest/' in (folder / MANIFEST).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def check_replaceable(folder: Path, inputs: Sequence[Path] = ()) -> None:
    """Raise unless `folder` may be (re)placed by a run.

    Raises
    ------
    AkbError
        If it is a file, or a folder that is neither empty nor an akb run, or if an input lies inside it.
    """
    for path in inputs:
        if folder.resolve() in path.resolve().parents:
            raise AkbError(f"{path.name} lies inside the output folder {folder}", "Choose another folder with --out.")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise AkbError(f"{folder} is a file, not a folder", "Choose another folder with --out.")
    if any(folder.iterdir()) and not is_run(folder):
        raise AkbError(
            f"{folder} exists and is not the output of an akb run, so it is left alone",
            "Choose another folder with --out.",
        )


def heal(folder: Path) -> None:
    """Finish or clear what a killed run left beside `folder`."""
    if not folder.parent.is_dir():
        return
    for left in folder.parent.glob(f".{folder.name}{_MARK}*"):
        owner = left.name.rpartition("-")[0].rpartition("-")[2]
        if owner.isdigit() and _alive(int(owner)):
            continue
        if left.name.endswith("-old") and not folder.exists() and is_run(left):
            left.rename(folder)
        else:
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def run_folder(folder: Path, inputs: Sequence[Path] = ()) -> Iterator[Path]:
    """Yield a fresh folder to write a run in; on leaving without an error it takes the place of `folder`.

    Raises
    ------
    AkbError
        If `folder` may not be replaced or its parent cannot be written.
    """
    heal(folder)
    check_replaceable(folder, inputs)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}{_MARK}{os.getpid()}-", dir=folder.parent))
    except OSError as error:
        raise AkbError(
            f"cannot write beside {folder}: {error.strerror}", "Choose another folder with --out."
        ) from error
    try:
        yield fresh
        _swap_in(fresh, folder)
    finally:
        _forget(fresh)


def rewrite_run(folder: Path, change: Callable[[Path], bytes | None]) -> None:
    """Change a finished run in one step: `change` works on a copy beside it, which then takes its place.

    Parameters
    ----------
    folder
        A finished run.
    change
        Changes the copy, which holds all but the relation numbers; returns the new content of those (None: as they
        were not there). They are written at the very last, and the old ones are the first to go.
    """
    heal(folder)
    try:
        fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}{_MARK}{os.getpid()}-", dir=folder.resolve().parent))
    except OSError as error:
        raise AkbError(f"cannot write beside {folder}: {error.strerror}") from error
    try:
        shutil.copytree(folder, fresh, dirs_exist_ok=True, ignore=shutil.ignore_patterns(PRIVATE.parent.name))
        private = change(fresh)
        if private is not None:
            write_private(fresh, private)
        _swap_in(fresh, folder)
    finally:
        _forget(fresh)


def write_private(folder: Path, content: bytes) -> None:
    """Write the only file with relation numbers (0600) into a finished run, in one step."""
    target = folder / PRIVATE
    target.parent.mkdir(mode=0o700, exist_ok=True)
    beside = target.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(target)


def _swap_in(fresh: Path, folder: Path) -> None:
    if not folder.exists():
        fresh.rename(folder)
        return
    if _exchange(fresh, folder):
        return
    old = folder.parent / f".{folder.name}{_MARK}{os.getpid()}-old"
    folder.rename(old)
    fresh.rename(folder)
    _forget(old)


def _forget(folder: Path) -> None:
    # Relation numbers of a replaced run go first: a kill during the clean-up leaves none.
    (folder / PRIVATE).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders atomically where the kernel can (Linux renameat2); False where it can't."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise AkbError(f"cannot replace {other}: {os.strerror(code)}", "Choose another folder with --out.")


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()
