"""Run folders: written beside the old one, swapped in at the end, healed after a kill.

A run is written in a 0700 sibling folder and takes the place of the old one in a single step, so
that whoever looks at the folder sees the old run or the new one, whole.

Two things are wanted of a kill at any moment: that no leftover holds a relation number, and that
the old run is intact. No order of steps gives both to the last byte: the one step that takes the
old folder away takes along what is in it, so its relation numbers go before that step (and are
missing from the old run) or after it (and lie in a leftover). Here they go before it, and as late
as can be:

1.  The new run is written beside the old one, without relation numbers. Killed: the old run is
    intact; what lies beside it is cleared.
2.  The new run is complete: it gets a name that says so. Killed: as before.
3.  The relation numbers of the old run are deleted. From here on the new run is the run. Killed:
    the old run is whole but for them; the next command finishes the exchange.
4.  The folders change places in one step. Killed: the new run is in place, the old one is cleared.
5.  The relation numbers of the new run are written, in place. Killed before it: the new run is
    whole but for them.

So no leftover of a run ever holds a relation number, and between 3 and 4 nothing happens but one
system call.

What people put into the old run or changed in it is copied into the new one before 2: see
`akb.store.carried`."""

from __future__ import annotations

import ctypes
import errno
import filecmp
import glob
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from akb.core.errors import AkbError
from akb.store.carried import MANIFEST, RELATIONS, carry_over, check_carriable, copied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

PRIVATE = Path(RELATIONS)
KEPT = "private/kept.zip"
RECOGNITION_KEY = "private/recognition_key.csv"
CUSTOMER_HEADINGS = ("klant", "customer")  # of the column with pseudonyms, in lists and in scores
_HALF = PRIVATE.with_suffix(".new")
_MARK = ".akb-unfinished-"
_READY = "ready"
_OLD = "-old"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def is_run(folder: Path) -> bool:
    """Whether a folder is the output of an akb run."""
    try:
        return '"akb.manifest/' in (folder / MANIFEST).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def check_run(folder: Path) -> None:
    """Raise AkbError if a folder is not the output of an akb run."""
    if not is_run(folder):
        raise AkbError(
            f"{folder} is not the folder of a finished akb run",
            "Name the folder that akb eda wrote.",
        )


def check_replaceable(
    folder: Path, inputs: Sequence[Path] = (), settings: Sequence[Path] = ()
) -> None:
    """Raise unless `folder` may be (re)placed by a run.

    Parameters
    ----------
    inputs, settings
        What the run reads, and the client's settings and key: none of them may lie in the folder
        that is replaced.

    Raises
    ------
    AkbError
        If it is a file, a mount point, or a folder that is neither empty nor an akb run, if
        something that the run needs lies inside it, if it holds what cannot be taken along, or if
        nothing can be written beside it.
    """
    folder = folder.resolve()
    for path in (*inputs, *settings):
        if folder in path.resolve().parents:
            raise AkbError(
                f"{path.name} lies inside the output folder {folder}",
                "Choose another folder with --out.",
            )
    check_writable(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise AkbError(f"{folder} is a file, not a folder", "Choose another folder with --out.")
    if folder.is_mount():
        raise AkbError(
            f"{folder} is a disk of its own, which nothing can take the place of",
            "Name a folder in it.",
        )
    if any(folder.iterdir()):
        if not is_run(folder):
            raise AkbError(
                f"{folder} exists and is not the output of an akb run, so it is left alone",
                "Choose another folder with --out.",
            )
        check_carriable(folder)


def check_writable(folder: Path) -> None:
    """Raise AkbError unless a folder can be made beside `folder`; nothing stays behind."""
    folder = folder.resolve()
    above = next((parent for parent in folder.parents if parent.exists()), folder.parent)
    try:
        Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=above)).rmdir()
    except OSError as error:
        raise _cannot_write(folder, error) from None


def heal(folder: Path) -> None:
    """Finish or clear what a killed run left beside `folder`, and half-written relation numbers
    inside it.
    """
    folder = folder.resolve()
    if not folder.parent.is_dir():
        return
    beside = folder.parent.glob(f"{glob.escape(f'.{folder.name}{_MARK}')}*")
    left = sorted(beside, key=lambda path: (not _is_ready(path), path.name))
    for path in left:
        owner = path.name.rpartition("-")[0].rpartition("-")[2]
        if owner.isdigit() and _alive(int(owner)):
            continue
        if _is_ready(path) and not (folder / PRIVATE).exists():
            _swap_in(path, folder)
        elif path.name.endswith(_OLD) and not folder.exists() and is_run(path):
            path.rename(folder)
        else:
            _forget(path)
    if is_run(folder):
        (folder / _HALF).unlink(missing_ok=True)


def heal_beside(parent: Path) -> None:
    """Heal every run of which a killed one left something in a folder of runs."""
    left = {path.name[1:].partition(_MARK)[0] for path in parent.glob(f".*{_MARK}*")}
    for name in sorted(left):
        heal(parent / name)


def _is_ready(path: Path) -> bool:
    """Whether a leftover is a complete run that has not taken its place yet.

    Its name holds its inode, which a rename keeps and an exchange takes elsewhere.
    """
    return path.name.endswith(f"-{_READY}{path.stat().st_ino}") and is_run(path)


@contextmanager
def run_folder(
    folder: Path, inputs: Sequence[Path] = (), carried: list[str] | None = None
) -> Iterator[Path]:
    """Yield a fresh folder to write a run in; on leaving without an error it takes the place of
    `folder`.

    Parameters
    ----------
    carried
        Receives the names of the files that were not akb's and came along.

    Raises
    ------
    AkbError
        If `folder` may not be replaced or its parent cannot be written.
    """
    folder = folder.resolve()  # a link stays one: the folder behind it is replaced
    heal(folder)
    check_replaceable(folder, inputs)
    fresh = _beside(folder)
    try:
        yield fresh
        if is_run(folder):
            names = carry_over(folder, fresh)
            if carried is not None:
                carried += names
        _swap_in(fresh, folder)
    finally:
        _forget(fresh)


def rewrite_run(folder: Path, change: Callable[[Path], bytes | None]) -> None:
    """Change a finished run: `change` works on a copy beside it, whose changed files then replace
    the run's.

    An error in `change` leaves the run as it was. The files are replaced one at a time, each in one
    step, the relation numbers last: an exchange of the whole folder would leave them in a leftover,
    or nowhere, after a kill. What a kill stopped, the same change finishes.

    Parameters
    ----------
    folder
        A finished run.
    change
        Changes the copy, which holds all but the relation numbers; returns the new content of those
        (None: as they were not there).
    """
    folder = folder.resolve()
    heal(folder)
    copy = _beside(folder)
    try:
        _copy_tree(folder, copy)
        private = change(copy)
        changed = [path for path in copy.rglob("*") if path.is_file() and not path.is_symlink()]
        # The manifest first: it names the content that the others are about to have.
        for path in sorted(changed, key=lambda path: (path != copy / MANIFEST, path)):
            target = folder / path.relative_to(copy)
            if not target.is_file() or not filecmp.cmp(path, target, shallow=False):
                path.replace(target)
        if private is not None:
            write_private(folder, private)
    finally:
        _forget(copy)


def _copy_tree(folder: Path, copy: Path) -> None:
    """Copy what is in a run into an existing folder, but for the relation numbers and what else
    somebody put into ``private/``.
    """
    own = (Path(KEPT).name, Path(RECOGNITION_KEY).name)
    for source in sorted(folder.iterdir()):
        target = copy / source.name
        if source.is_dir() and not source.is_symlink():
            target.mkdir(mode=0o700)
            _copy_tree(source, target)
        elif folder.name != PRIVATE.parent.name or source.name in own:
            copied(source, target)


def _beside(folder: Path) -> Path:
    """Return a new folder (0700) beside `folder`."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=_prefix(folder), dir=folder.parent))
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _prefix(folder: Path) -> str:
    return f".{folder.name}{_MARK}{os.getpid()}-"


def _cannot_write(folder: Path, error: OSError) -> AkbError:
    return AkbError(
        f"cannot write beside {folder}: {error.strerror}", "Choose another folder with --out."
    )


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files of a run, given by their path in it; what lies in ``private/`` is its owner's
    alone.
    """
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if Path(name).parts[0] == PRIVATE.parent.name:
            path.touch(mode=0o600)
        path.write_bytes(content)


def write_private(folder: Path, content: bytes) -> None:
    """Write the only file with relation numbers (0600) into a finished run, in one step."""
    folder = folder.resolve()
    target = folder / PRIVATE
    target.parent.mkdir(mode=0o700, exist_ok=True)
    beside = folder / _HALF
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    beside.replace(target)


def _swap_in(fresh: Path, folder: Path) -> None:
    """Put a complete run in its place: steps 2 to 4 of the module."""
    if not folder.exists():
        fresh.rename(folder)
        return
    number = fresh.stat().st_ino
    ready = fresh.rename(folder.parent / f".{folder.name}{_MARK}{os.getpid()}-{_READY}{number}")
    try:
        with _without_private(folder, number):
            if not _exchange(ready, folder):
                folder.rename(old := folder.parent / f".{folder.name}{_MARK}{os.getpid()}{_OLD}")
                ready.rename(folder)
                _forget(old)
    finally:
        _forget(ready)


@contextmanager
def _without_private(folder: Path, number: int) -> Iterator[None]:
    """Delete the relation numbers of a run that is about to be replaced by folder `number`; put
    back if it is not.
    """
    target = folder / PRIVATE
    content = target.read_bytes() if target.is_file() else None
    (folder / _HALF).unlink(missing_ok=True)
    target.unlink(missing_ok=True)
    try:
        yield
    except BaseException:
        if content is not None and folder.exists() and folder.stat().st_ino != number:
            write_private(folder, content)
        raise


def _forget(folder: Path) -> None:
    # The manifest goes first: what is half deleted is no run.
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders atomically where the kernel can (Linux renameat2); False where it
    can't.
    """
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
    raise AkbError(
        f"cannot replace {other}: {os.strerror(code)}", "Choose another folder with --out."
    )


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()
