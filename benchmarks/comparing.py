"""What ``python -m benchmarks`` compares: sides, books of several shapes and sizes, and what is asked of the ratio."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from benchmarks.ingest import write_export
from benchmarks.scale import FILES, write_office

PEERS = Path(__file__).resolve().parent / "peers"
ONE_OFFICE = 20_000
"""Customers up to which an office is simulated as one; above it are offices that are alike, in one export."""
ALIKE = 15_000
CUTOFFS = (
    "2023-12-31",
    "2024-03-31",
    "2024-06-30",
    "2024-09-30",
    "2024-12-31",
    "2025-03-31",
    "2025-06-30",
    "2025-09-30",
)
YEARS = {4: 50, 10: 122}
"""Years of history -> months that are simulated."""


@dataclass(frozen=True)
class OfficeBook:
    """An export of a simulated office.

    Parameters
    ----------
    whole
        With claims and contacts; else policies alone.
    """

    customers: int
    years: int
    whole: bool

    @property
    def name(self) -> str:
        what = "claims and contacts" if self.whole else "policies alone"
        return f"{what}, {self.years} years"

    def folder(self, home: Path) -> Path:
        return home / f"{self.customers}-{self.years}-{'whole' if self.whole else 'alone'}"

    def files(self, home: Path) -> list[str]:
        """Return the files that akb reads."""
        return [str(self.folder(home) / name) for name in (FILES if self.whole else FILES[:1])]

    def write(self, home: Path) -> None:
        """Write it, unless it is there."""
        folder = self.folder(home)
        if (folder / "whole").exists():
            return
        folder.mkdir(parents=True, exist_ok=True)
        if self.whole:
            one = self.customers <= ONE_OFFICE
            copies = 1 if one else -(-self.customers // ALIKE)
            written = write_office(self.customers if one else ALIKE, copies, folder, YEARS[self.years])
            for file in written:
                if file.parent != folder:
                    file.rename(folder / file.name)
        else:
            source = OfficeBook(self.customers, self.years, True)
            source.write(home)
            (folder / FILES[0]).symlink_to(source.folder(home) / FILES[0])
            for name, day in ((FILES[1], "Meldingsdatum"), (FILES[2], "Datum")):
                (folder / name).write_text(_nobody(source.folder(home) / name, day), "utf-8")
        (folder / "whole").touch()


def _nobody(file: Path, day: str) -> str:
    """Return a table with one row, on the latest day and of nobody: what the frozen notebook needs to know its day."""
    table = pl.read_csv(file, separator=";", infer_schema=False)
    last = table.sort(pl.col(day).str.to_date("%d-%m-%Y")).tail(1).with_columns(pl.lit("0").alias(table.columns[0]))
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows([last.columns, *last.rows()])
    return out.getvalue()


@dataclass(frozen=True)
class WideExport:
    """100,000 policies with twenty columns: what a report of columns is asked about."""

    customers: int = 100_000
    name: str = "100,000 policies x 20 columns"

    def folder(self, home: Path) -> Path:
        return home / "wide"

    def write(self, home: Path) -> None:
        """Write it, unless it is there."""
        if not (self.folder(home) / "whole").exists():
            self.folder(home).mkdir(parents=True, exist_ok=True)
            write_export(self.folder(home)).rename(self.folder(home) / FILES[0])
            (self.folder(home) / "whole").touch()

    def files(self, home: Path) -> list[str]:
        return [str(self.folder(home) / FILES[0])]


@dataclass(frozen=True)
class Comparison:
    """akb and a peer at the same work, in turn.

    Parameters
    ----------
    peer
        Name of the peer; None: akb alone.
    asked
        What akb's time as a share of the peer's may be at most; None: nothing is asked.
    level
        When it is its turn: the lower the more is decided by it.
    inner
        Both sides print the seconds of one stage, which are compared in place of the whole process.
    environment
        The virtual environment, in the folder of rivals, that the peer needs.
    """

    key: str
    book: OfficeBook | WideExport
    peer: str | None
    level: int
    asked: float | None = None
    inner: bool = False
    environment: str | None = None

    @cached_property
    def title(self) -> str:
        if isinstance(self.book, WideExport):
            return self.book.name
        return f"{self.book.customers:,} customers, {self.book.name}"

    def commands(self, home: Path, rivals: Path | None) -> dict[str, list[str]]:
        """Return side -> command, akb first."""
        folder, out = str(self.book.folder(home)), home / "runs"
        python = str(rivals / self.environment / "bin" / "python") if rivals and self.environment else sys.executable
        eda = [sys.executable, "-m", "akb", "eda", *self.book.files(home), "--quiet", "--out", str(out / "akb")]
        eda += ["--key", str(home / "key")]
        sides = [sys.executable, "-m", "benchmarks.sides"]
        first = self.book.files(home)[0]
        page = str(out / "peer.html")
        features = [python, str(PEERS / "ft_features.py"), folder, *CUTOFFS]
        ways: dict[str, tuple[list[str], list[str]]] = {
            "notebook": (
                eda,
                [sys.executable, "-m", "benchmarks.notebook", "--fit", folder, str(out / "peer.parquet")],
            ),
            "alone": (eda, []),
            "skrub": (
                [sys.executable, "-m", "akb", "check", first, "--quiet"],
                [python, str(PEERS / "skrub_report.py"), first, page],
            ),
            "ydata default": (eda, [python, str(PEERS / "ydata.py"), first, "default", page]),
            "ydata minimal": (eda, [python, str(PEERS / "ydata.py"), first, "minimal", page]),
            "featuretools": ([*sides, "shared", folder, *CUTOFFS], features),
            "featuretools, all": ([*sides, "features", folder, *CUTOFFS], features),
            "lifelines": ([*sides, "lifetimes", folder], [python, str(PEERS / "lifelines_loop.py"), folder]),
        }
        own, theirs = ways[self.key]
        return {"akb": own} | ({self.peer: theirs} if self.peer else {})


def comparisons(sizes: list[int]) -> list[Comparison]:
    """Return what is compared at these sizes, what decides most first."""
    found = []
    for customers in sizes:
        asked = {15_000: 1 / 4, 76_000: 1 / 6}.get(customers)
        level = {15_000: 1, 76_000: 3}.get(customers, 4 if customers < 1_000_000 else 5)
        for years, whole in ((4, True), (10, False), (4, False), (10, True)):
            book = OfficeBook(customers, years, whole)
            if customers < 1_000_000:
                found.append(Comparison("notebook", book, "notebook", level, asked))
            elif (years, whole) == (4, True):
                found.append(Comparison("alone", book, None, level))
    wide = WideExport()
    found.append(Comparison("skrub", wide, "skrub TableReport", 1, 1.0, environment="skrub"))
    found.append(Comparison("ydata default", wide, "ydata-profiling, default", 2, 1.0, environment="ydata"))
    found.append(Comparison("ydata minimal", wide, "ydata-profiling, minimal", 3, environment="ydata"))
    small = [size for size in sizes if size <= 15_000]
    if small:
        least, most = OfficeBook(min(small), 4, True), OfficeBook(max(small), 4, True)
        for level, book in zip((2, 3), dict.fromkeys((least, most)), strict=False):
            for key, peer, asked in (
                ("featuretools", "featuretools, features of both", 1 / 50),
                ("featuretools, all", "featuretools, all that akb has", None),
            ):
                found.append(Comparison(key, book, peer, level, asked, inner=True, environment="featuretools"))
        found.append(Comparison("lifelines", most, "lifelines", 2, inner=True))
    return sorted(found, key=lambda each: each.level)
