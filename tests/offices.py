"""The simulated office that the tests of the whole, of the weekly work and of privacy look at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from akb.cli import run
from akb.sample import Book, simulate, write_sample
from akb.sample.living import OfficeOnDay

CANARY = "ZQ"  # in front of every relation number, so that one found in an output is no chance digits
FEW_ROWS = Path(__file__).with_name("few_rows.toml")
"""Settings with which the fits of a run take a third of their time."""
FEWEST_ROWS = Path(__file__).with_name("fewest_rows.toml")
"""For runs that are only held against each other: everything is fitted, and nothing well."""
NAMES = ("polissen.csv", "schades.csv", "contacten.csv")


CUSTOMERS = 1400
"""Of the office: enough that predictions are fitted and lists are filled, and that a claim changes what is expected; of
700 the lists are empty."""


def simulated(customers: int = CUSTOMERS) -> Book:
    """Return what the tests' office has in its books, or one of fewer customers."""
    return simulate(customers, seed=11)


@dataclass(frozen=True)
class Office:
    """Where the export of a simulated office lies, the key its customers are known under, and how it is fitted."""

    folder: Path
    key: Path
    settings: Path = FEW_ROWS

    @property
    def files(self) -> list[str]:
        """Policies, claims and contacts, as arguments of a command."""
        return [str(self.folder / name) for name in NAMES]

    def eda(self, out: Path, *options: str, files: list[str] | None = None) -> int:
        """Run ``akb eda`` and return its exit code; with the office's settings, if the options name no other ones."""
        settings = () if "--config" in options else ("--config", str(self.settings))
        where = ["--out", str(out), "--key", str(self.key), "--quiet"]
        return run(["eda", *(files or self.files), *where, *settings, *options])


def write_key(path: Path) -> None:
    """Write a key that is the same in every run: who is drawn by his pseudonym is then the same, too."""
    path.touch(mode=0o600)
    path.write_text(hashlib.sha256(b"the key of the tests").hexdigest() + "\n")


def marked_export(folder: Path, book: Book | OfficeOnDay) -> None:
    """Write an export in which the canary stands in front of every relation number."""
    write_sample(book, folder, truth=False)
    for path in folder.glob("*.csv"):
        heading, *lines = path.read_bytes().split(b"\r\n")
        marked = [CANARY.encode() + line if line else line for line in lines]
        path.write_bytes(b"\r\n".join([heading, *marked]))
