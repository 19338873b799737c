"""An executor whose tasks run on the workers of a Dask scheduler."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from akb.cluster.shelf import Shelf, read, write
from akb.cluster.worker import TaskFailure, run_task
from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Callable

    from distributed import Client
    from distributed import Future as Remote


class ClusterExecutor(Executor):
    """Runs functions on workers; arguments and answers go through files in a shared folder.

    Parameters
    ----------
    workers
        How many there were when it began: in so many parts customers are divided at least.
    """

    def __init__(self, client: Client, folder: Path, workers: int) -> None:
        self.workers = workers
        self._client = client
        self._shelf = Shelf(folder, client=True)
        self._numbers = count()
        # Dask drops a task that nobody holds, and the shelf a table
        self._busy: dict[Remote, list[Any]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Write a task, queue it, and return what it will give."""
        path = self._shelf.folder / f"{next(self._numbers)}.task"
        named = write(path, (fn, args, kwargs), self._shelf)
        asked: Future[Any] = Future()
        asked.set_running_or_notify_cancel()
        remote = self._client.submit(run_task, str(path), key=str(path), pure=False)
        self._busy[remote] = named
        remote.add_done_callback(lambda done: self._answer(asked, done))
        return asked

    def _answer(self, asked: Future[Any], done: Remote) -> None:
        try:
            given = done.result()
            if isinstance(given, TaskFailure):
                raise AkbError(given.message, given.hint)
            left = Path(given)
            answer = read(left, self._shelf)
            left.unlink()
        except BaseException as error:
            asked.set_exception(_said(error))
        else:
            asked.set_result(answer)
        finally:
            self._busy.pop(done, None)


def _said(error: BaseException) -> BaseException:
    """Return what went wrong with the cluster as a sentence."""
    from distributed import CancelledError, KilledWorker

    if isinstance(error, KilledWorker):
        return AkbError(
            "a task ended every worker that tried it",
            "Most often memory: give the workers more, or start fewer on a machine.",
        )
    if isinstance(error, CancelledError):
        return AkbError("the scheduler of the cluster has gone", "Start it and run again.")
    return error
