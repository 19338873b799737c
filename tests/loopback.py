"""A real scheduler on loopback with worker processes of one thread each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ONE_THREAD = {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"}
_WAIT = 60  # seconds


@dataclass(frozen=True)
class Loopback:
    """Where the scheduler listens, and its workers."""

    address: str
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def loopback(folder: Path, workers: int = 2) -> Iterator[Loopback]:
    """Give a cluster whose processes end with it."""
    found, processes = folder / "scheduler.json", list[subprocess.Popen[bytes]]()
    folder.mkdir(exist_ok=True)
    try:
        common = ["--no-dashboard", "--scheduler-file", str(found)]
        processes.append(_python("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *common))
        until = time.monotonic() + _WAIT
        while not found.exists() and time.monotonic() < until:
            time.sleep(0.05)
        common += ["--nthreads", "1", "--no-nanny", "--local-directory", str(folder), "--host", "127.0.0.1"]
        processes += [_python("distributed.cli.dask_worker", *common) for _ in range(workers)]
        address = json.loads(found.read_text())["address"]
        _awaited(address, workers)
        yield Loopback(address, processes[1:])
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def _python(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", module, *arguments]
    environment = {**os.environ, **_ONE_THREAD}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _awaited(address: str, workers: int) -> None:
    from distributed import Client

    with Client(address, timeout=_WAIT, set_as_default=False) as client:
        client.wait_for_workers(workers, timeout=_WAIT)
