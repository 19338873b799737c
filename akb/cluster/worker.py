"""What a worker does: it takes the path of a task and leaves the path of what came of it."""

from __future__ import annotations

import platform
from pathlib import Path
from threading import Thread

from akb.cluster.shelf import Shelf, read, write
from akb.core import __version__
from akb.core.garbage import seldom_collected
from akb.models import import_libraries

_shelves: dict[Path, Shelf] = {}
"""Of the run that is busy: its tables are opened once per worker."""


def run_task(task: str) -> str:
    """Do a task, if nobody did it before, and return the path of what it gave.

    A task whose worker was killed is done again elsewhere; what had been left whole is not.
    """
    from threadpoolctl import threadpool_limits

    path = Path(task)
    left = path.with_suffix(".done")
    if not left.exists():
        shelf = _shelf(path.parent)
        do, arguments, named = read(path, shelf)
        shelf.leaving(path.stem)
        with threadpool_limits(1), seldom_collected():
            write(left, do(*arguments, **named), shelf)
        shelf.turn()
    return str(left)


def _shelf(folder: Path) -> Shelf:
    if folder not in _shelves:
        _shelves.clear()
        _shelves[folder] = Shelf(folder, client=False)
    return _shelves[folder]


def described(folder: str) -> tuple[str, str, bool]:
    """Return this worker's akb, its Python, and whether it sees the folder; and begin to import
    what fits lean on, while the client reads the export.
    """
    Thread(target=import_libraries, daemon=True).start()
    return __version__, ".".join(platform.python_version_tuple()[:2]), Path(folder).is_dir()
