"""A run on two workers is the run on one machine, byte for byte, also when a worker is killed at some moment."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

import pytest

from akb.cli import run

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Office

    from tests.loopback import Loopback

pytestmark = pytest.mark.xdist_group("cluster")

MARK, CANARY = ".akb-cluster-", b"ZQRELATIE"
TASKS = 60  # of the office; a run has some more


def contents(run_folder: Path) -> dict[str, bytes]:
    """Return every file but the manifest, which tells seconds and versions."""
    found = {str(path.relative_to(run_folder)): path.read_bytes() for path in run_folder.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if name != "manifest.json"}


def differing(one: Path, other: Path) -> list[str]:
    mine, theirs = contents(one), contents(other)
    return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))


def killed_after(office: Office, cluster: Loopback, tasks: int) -> tuple[threading.Thread, list[bytes]]:
    """Kill a worker when so many tasks were written; keep what then lay in the shared folder."""
    seen: list[bytes] = []

    def wait() -> None:
        while len(list(office.folder.glob(f"{MARK}*/*.task"))) < tasks:
            time.sleep(0.01)
        for path in office.folder.glob(f"{MARK}*/*"):
            if path.exists():
                seen.append(path.read_bytes() if path.suffix in (".task", ".done") else b"")
        cluster.workers[0].kill()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread, seen


def test_a_killed_worker_costs_only_its_tasks(office: Office, alone: Path, cluster: Loopback) -> None:
    moment = random.randint(1, TASKS)
    thread, seen = killed_after(office, cluster, moment)
    spread = office.eda("spread", "--cluster", cluster.address)
    thread.join(timeout=1)
    assert cluster.workers[0].poll() is not None, f"nobody was killed after {moment} tasks"
    assert differing(alone, spread) == [], f"killed after {moment} tasks"
    assert seen and not any(CANARY in each for each in seen)
    assert not list(office.folder.glob(f"{MARK}*"))


@pytest.mark.slow
def test_two_workers_leave_the_bytes_of_one_machine(office: Office, alone: Path, cluster: Loopback) -> None:
    assert differing(alone, office.eda("both", "--cluster", cluster.address)) == []


def test_no_scheduler_is_one_sentence(office: Office, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    asked = ["eda", str(office.folder / "polissen.csv"), "--out", str(tmp_path / "run"), "--quiet"]
    assert run([*asked, "--key", str(tmp_path / "key"), "--cluster", "nowhere"]) == 2
    said = capfd.readouterr().err
    assert "no scheduler answers at nowhere" in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
