"""Killed at any moment: the run before is as it was or the new one is whole, and no leftover names a customer.

``make test`` kills twice, ``make bench`` twenty (``AKB_KILLS``). Half of the kills fall anywhere in a run, half
while the new folder is being written and swapped in.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import sys
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from akb.cli import run
from akb.sample import simulate, write_sample
from akb.store.folders import heal
from tests.end_to_end.test_eda_contract import CONTRACT
from tests.searched import everything_in

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

pytestmark = pytest.mark.xdist_group("killed")

KILLS = int(os.environ.get("AKB_KILLS", "2"))
CANARY = "ZQRELATIE"  # in front of every relation number
FAST = "[models]\nhazard_rows = 4000\ntarget_rows = 4000\ntrees = 20\n"


PROCESSES = multiprocessing.get_context("forkserver")
"""A process for every command, forked from one that has loaded akb and computed nothing."""
PROCESSES.set_forkserver_preload(
    [__name__, "akb.models", "akb.pipeline", "akb.report", "akb.value", "jinja2", "lightgbm", "plotly.graph_objects",
     "scipy.stats", "sklearn.linear_model", "xlsxwriter"]
)  # fmt: skip


def _command(arguments: list[str], said: Path) -> None:
    """Be `akb` with these arguments: what it says on stderr is kept, whenever it dies."""
    with said.open("wb", buffering=0) as target:
        os.dup2(target.fileno(), sys.stderr.fileno())
    sys.exit(run(arguments))


class Shop:
    """A small export with a finished run of it beside which a kill had left half a run, and how long another takes."""

    def __init__(self, folder: Path) -> None:
        write_sample(simulate(60, seed=4), folder / "export", truth=False)
        self.export = folder / "polissen.csv"
        table = pl.read_csv(folder / "export" / "polissen.csv", separator=";", infer_schema=False)
        table.with_columns(pl.concat_str(pl.lit(CANARY), "Relatienummer").alias("Relatienummer")).write_csv(
            self.export, separator=";"
        )
        (folder / "akb.toml").write_text(FAST)
        self.home = folder / "out"
        self.run = self.home / "run"
        self.config, self.key, self.said = folder / "akb.toml", folder / "key", folder / "said.txt"
        left = self.home / ".run.akb-unfinished-999999999-x"
        left.mkdir(parents=True)
        (left / "report.html").write_text("half")
        began = time.perf_counter()
        self.finish(seed=1)
        self.seconds = time.perf_counter() - began
        self.before = self.contents()
        self.left = self.leftovers()

    def start(self, seed: int) -> BaseProcess:
        options = ["--out", str(self.run), "--config", str(self.config), "--key", str(self.key), "--seed", str(seed)]
        process = PROCESSES.Process(target=_command, args=(["eda", str(self.export), *options, "--quiet"], self.said))
        process.start()
        return process

    def finish(self, seed: int) -> None:
        process = self.start(seed)
        process.join()
        assert process.exitcode == 0, self.said.read_text()

    def contents(self) -> dict[str, bytes]:
        return {str(path.relative_to(self.run)): path.read_bytes() for path in self.run.rglob("*") if path.is_file()}

    def leftovers(self) -> list[Path]:
        return [path for path in self.home.iterdir() if path != self.run]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("killed"))


def killed(shop: Shop, draw: random.Random, *, while_writing: bool) -> None:
    """Start a run and kill it at a moment drawn by chance."""
    process = shop.start(seed=2)
    moment = time.perf_counter() + draw.uniform(0, 1.1) * shop.seconds
    if while_writing:
        patience = time.perf_counter() + 20 * shop.seconds
        while process.exitcode is None and not shop.leftovers() and time.perf_counter() < patience:
            time.sleep(0.001)
        moment = time.perf_counter() + draw.uniform(0, 0.15) * shop.seconds
    time.sleep(max(0.0, moment - time.perf_counter()))
    process.kill()
    process.join()
    assert "Traceback" not in (shop.said.read_text() if shop.said.exists() else "")


@pytest.mark.parametrize("turn", range(KILLS))
def test_the_folder_is_the_old_run_or_the_new_one_whole(shop: Shop, turn: int) -> None:
    killed(shop, random.Random(turn), while_writing=bool(turn % 2))
    now = shop.contents()
    if json.loads(now["manifest.json"])["seed"] == 1:
        # Relation numbers go right before the exchange (akb/store/folders.py); from then on the new run is the run.
        handing_over = "private/customers.csv" not in now and "private/customers.csv" in shop.before
        assert now | shop.before == shop.before
        assert set(shop.before) - set(now) == ({"private/customers.csv"} if handing_over else set())
    else:  # the new run had taken its place; at most its relation numbers, written last, are not there yet
        assert set(shop.before) - set(now) <= {"private/customers.csv"}
        assert {name for name in CONTRACT if name.startswith(("report", "summary", "scores", "rejects"))} <= set(now)
        json.loads(now["summary.json"])
    for path in (path for left in shop.leftovers() for path in left.rglob("*") if path.is_file()):
        assert not [part for part, content in _parts_of(path).items() if CANARY.encode() in content], path.name
    heal(shop.run)  # what every command does that writes the folder
    assert shop.leftovers() == []
    now = shop.contents()
    if "private/customers.csv" not in now or json.loads(now["manifest.json"])["seed"] == 2:
        shop.finish(seed=1)
        assert set(shop.contents()) == set(shop.before)
        shop.before = shop.contents()


def test_the_next_command_clears_what_a_kill_left(shop: Shop) -> None:
    assert shop.left == []  # the first command found the half of a run that had been killed


def test_the_search_would_find_a_relation_number(shop: Shop) -> None:
    assert CANARY.encode() in shop.before["private/customers.csv"]
    for path in (path for path in shop.run.rglob("*") if path.is_file() and path.name != "customers.csv"):
        assert not [part for part, content in everything_in(path).items() if CANARY.encode() in content], path.name


def _parts_of(path: Path) -> dict[str, bytes]:
    """What stands in a file that a kill left, perhaps half written."""
    try:
        return everything_in(path)
    except (OSError, zipfile.BadZipFile, pl.exceptions.ComputeError):
        return {path.name: path.read_bytes()}
