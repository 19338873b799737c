"""What a worker does: it takes the path of a task and leaves the path of what came of it."""

from __future__ import annotations

import platform
import traceback
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from akb.cluster.shelf import Shelf, read, write
from akb.core import __version__
from akb.core.errors import AkbError
from akb.core.garbage import seldom_collected
from akb.models import import_libraries

_shelves: dict[Path, Shelf] = {}
"""Of the run that is busy: its tables are opened once per worker."""


@dataclass(frozen=True)
class TaskFailure:
    """Why a task gave nothing, in words: the exception itself may be one that the client cannot
    unpickle, and a Dask client that cannot waits for ever.
    """

    message: str
    hint: str | None


def run_task(task: str) -> str | TaskFailure:
    """Do a task, if nobody did it before, and return the path of what it gave, or why it failed.

    A task whose worker was killed is done again elsewhere; what had been left whole is not.
    """
    try:
        return _done(task)
    except AkbError as error:
        return TaskFailure(error.message, error.hint)
    except Exception as error:  # its message may hold data of the client; its kind and place do not
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        return TaskFailure(
            f"a task on a worker failed ({type(error).__name__} at {place})",
            "Please report this line. Without --cluster AKB_DEBUG=1 shows the whole trace, which "
            "may hold client data.",
        )


def _done(task: str) -> str:
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
