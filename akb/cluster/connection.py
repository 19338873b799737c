"""A cluster for the length of a run: the scheduler, its workers, and the folder that they share."""

from __future__ import annotations

import platform
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from akb.core import __version__
from akb.core.errors import AkbError, RefusedError
from akb.store.atomic import locked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from distributed import Client

    from akb.cluster.executor import ClusterExecutor

MARK, LOCK = ".akb-cluster-", "in-use"
_SECONDS = 10


@contextmanager
def connected(address: str, shared: Path) -> Iterator[ClusterExecutor]:
    """Give an executor on the workers of a scheduler.

    Parameters
    ----------
    address
        Such as ``tcp://scheduler:8786``.
    shared
        A folder that client and workers see under one name. In it a folder (0700) lives as long as
        the run, with what the tasks need: no relation number, no pseudonym, no key.

    Raises
    ------
    AkbError
        If there is no scheduler or no worker, or a worker does not see the folder.
    RefusedError
        If a worker has another akb or another Python.
    """
    try:
        from distributed import Client

        from akb.cluster.executor import ClusterExecutor
    except ImportError as error:
        raise AkbError(
            "--cluster needs Dask, which is not installed", "Install it: pip install 'akb[cluster]'"
        ) from error
    try:
        client = Client(address, timeout=_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise AkbError(
            f"no scheduler answers at {address}",
            "Start one with dask scheduler, and give its address: --cluster tcp://HOST:8786.",
        ) from error
    with client, _folder(shared) as folder:
        yield ClusterExecutor(client, folder, _checked(client, folder))


@contextmanager
def _folder(shared: Path) -> Iterator[Path]:
    """Give a folder for this run, and take away those whose run was killed."""
    try:
        shared.mkdir(parents=True, exist_ok=True)
        for left in shared.glob(f"{MARK}*"):
            _forget(left)
        folder = Path(tempfile.mkdtemp(prefix=MARK, dir=shared)).resolve()
    except OSError as error:
        raise AkbError(
            f"cannot write in {shared}: {error.strerror}",
            "Give a folder that client and workers share: --shared DIR.",
        ) from error
    try:
        with locked(folder / LOCK, wait=True):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _forget(left: Path) -> None:
    if (left / LOCK).exists():  # without one it is being made this very moment
        with suppress(BlockingIOError), locked(left / LOCK, wait=False):
            shutil.rmtree(left, ignore_errors=True)


def _checked(client: Client, folder: Path) -> int:
    """Return how many workers there are, all of which can do the work."""
    from akb.cluster.worker import described

    try:
        found = client.run(described, str(folder))
    except ModuleNotFoundError as error:
        raise AkbError(
            "a worker of the cluster has no akb",
            "Install the same akb[cluster] wherever workers run.",
        ) from error
    if not found:
        raise AkbError(
            "the scheduler has no workers", "Start one: dask worker tcp://HOST:8786 --nthreads 1"
        )
    own = (__version__, ".".join(platform.python_version_tuple()[:2]))
    for address, (version, python, sees) in sorted(found.items()):
        if (version, python) != own:
            raise RefusedError(
                f"the worker {address} has akb {version} on Python {python}, here it is akb "
                f"{own[0]} on Python {own[1]}",
                "Install the same on all machines.",
            )
        if not sees:
            raise AkbError(
                f"the worker {address} does not see {folder.parent}",
                "Give a folder that client and workers share: --shared DIR.",
            )
    return len(found)
