"""A small office, its run on one machine, and a cluster of two workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pytest

from akb.cli import run
from akb.sample import simulate, write_sample
from tests.loopback import Loopback, loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY = "ZQRELATIE"  # in front of every relation number
FAST = "[models]\nhazard_rows = 4000\ntarget_rows = 4000\ntrees = 20\n"


@dataclass(frozen=True)
class Office:
    """An export, and the folder in which its runs come."""

    folder: Path

    def eda(self, name: str, *options: str) -> Path:
        """Run ``akb eda`` and return the run's folder."""
        out = self.folder / name
        asked = ["eda", str(self.folder / "polissen.csv"), "--out", str(out), "--key", str(self.folder / "key")]
        assert run([*asked, "--config", str(self.folder / "akb.toml"), "--quiet", *options]) == 0
        return out


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("clustered")
    write_sample(simulate(100, seed=4), folder / "export", truth=False)
    table = pl.read_csv(folder / "export" / "polissen.csv", separator=";", infer_schema=False)
    marked = table.with_columns(pl.concat_str(pl.lit(CANARY), "Relatienummer").alias("Relatienummer"))
    marked.write_csv(folder / "polissen.csv", separator=";")
    (folder / "akb.toml").write_text(FAST)
    return Office(folder)


@pytest.fixture(scope="session")
def alone(office: Office) -> Path:
    return office.eda("alone")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Loopback]:
    with loopback(tmp_path / "cluster") as made:
        yield made
