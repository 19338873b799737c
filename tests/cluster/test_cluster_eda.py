"""A run on two workers is the run on one machine, byte for byte, also when a worker is killed at some moment."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from akb.cli import run
from akb.cluster import shelf

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Office

    from tests.loopback import Loopback

pytestmark = pytest.mark.xdist_group("cluster")

MARK, CANARY = ".akb-cluster-", "ZQRELATIE"
TASKS = 60  # of the office; a run has some more


def contents(run_folder: Path) -> dict[str, bytes]:
    """Return every file but the manifest, which tells seconds and versions."""
    found = {str(path.relative_to(run_folder)): path.read_bytes() for path in run_folder.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if name != "manifest.json"}


def differing(one: Path, other: Path) -> list[str]:
    mine, theirs = contents(one), contents(other)
    return sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))


def kill_after(office: Office, cluster: Loopback, tasks: int) -> threading.Thread:
    """Kill a worker when so many tasks were written."""

    def wait() -> None:
        while len(list(office.folder.glob(f"{MARK}*/*.task"))) < tasks:
            time.sleep(0.01)
        cluster.workers[0].kill()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def names_and_key(office: Office, alone: Path) -> dict[bytes, str]:
    """Return what no worker may see: relation numbers, pseudonyms and the key, as they stand in files."""
    key = (office.folder / "key").read_bytes().strip()
    found = {CANARY.encode(): "a relation number", key: "the key"}
    with suppress(ValueError):
        found[bytes.fromhex(key.decode())] = "the key"
    customers = pl.read_csv(alone / "private" / "customers.csv", infer_schema=False)
    return found | dict.fromkeys((name.encode() for name in customers["customer"]), "a pseudonym")


def test_a_killed_worker_costs_only_its_tasks_and_none_sees_a_name(
    office: Office, alone: Path, cluster: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_whole, secrets, seen, sent = shelf.put_whole, names_and_key(office, alone), set[str](), list[bytes]()

    def watched(path: Path, write: Any) -> None:
        put_whole(path, write)  # nothing is packed, so what stands in it can be read
        sent.append(path.read_bytes())
        seen.update(what for secret, what in secrets.items() if secret in sent[-1])

    monkeypatch.setattr(shelf, "put_whole", watched)
    moment = random.randint(1, TASKS)
    thread = kill_after(office, cluster, moment)
    spread = office.eda("spread", "--cluster", cluster.address)
    thread.join(timeout=1)
    assert cluster.workers[0].poll() is not None, f"nobody was killed after {moment} tasks"
    assert differing(alone, spread) == [], f"killed after {moment} tasks"
    assert not list(office.folder.glob(f"{MARK}*"))
    assert any(b"birth_year" in each for each in sent)
    assert seen == set()


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
