"""One small simulated office, its export and its run, shared by the tests of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from akb.cli import run
from akb.sample import simulate, write_sample

if TYPE_CHECKING:
    from pathlib import Path


CANARY = "ZQ"  # in front of every relation number, so that one found in an output is no chance digits


@dataclass(frozen=True)
class Office:
    """Where the export of a simulated office lies, and the key its customers are known under."""

    folder: Path
    key: Path

    @property
    def files(self) -> list[str]:
        """Policies, claims and contacts, as arguments of a command."""
        return [str(self.folder / name) for name in ("polissen.csv", "schades.csv", "contacten.csv")]

    def eda(self, out: Path, *options: str, files: list[str] | None = None) -> int:
        """Run ``akb eda`` and return its exit code."""
        return run(["eda", *(files or self.files), "--out", str(out), "--key", str(self.key), "--quiet", *options])


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    folder = tmp_path_factory.mktemp("office") / "export"
    write_sample(simulate(1500, seed=11), folder, truth=False)
    for path in folder.glob("*.csv"):
        heading, *lines = path.read_bytes().split(b"\r\n")
        marked = [CANARY.encode() + line if line else line for line in lines]
        path.write_bytes(b"\r\n".join([heading, *marked]))
    return Office(folder, folder.parent / "key")


@pytest.fixture(scope="session")
def finished(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished") / "run"
    assert office.eda(out) == 0
    return out
