"""Reading and checking an export: against skrub's TableReport on the same file, and 3.3 million policies.

python -m benchmarks.ingest [RUNS]

Each measurement is a fresh process; its seconds and peak memory are of the whole process, Python's start included.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import tempfile
from pathlib import Path

import polars as pl

from akb.sample import simulate
from akb.sample.dialect_files import write_files
from akb.sample.dialects import load_dialect, tables_of
from benchmarks.runs import measured

ROWS, COPIES = 100_000, 33
CUSTOMERS = 23_000  # enough for that many policies
RUNS = 5
ASKED_SECONDS, ASKED_MIB = 60.0, 4096.0
PEERS = {
    "skrub.TableReport (Polars)": "pl.read_csv(file, separator=';', infer_schema_length=None, decimal_comma=True)",
    "skrub.TableReport (pandas)": "pd.read_csv(file, sep=';', decimal=',', low_memory=False)",
}
_PEER = """
import sys
import pandas as pd
import polars as pl
from skrub import TableReport
file = sys.argv[1]
html = TableReport({read}, verbose=0).html()
assert len(html) > 10_000
"""


def write_export(folder: Path) -> Path:
    """Write 100,000 simulated policies with twenty columns; return the file."""
    plain = load_dialect("abc")
    policies = plain.files[0]
    columns = (*policies.columns, ("Status", "status"), ("Wijzigingsdatum", "changed"))
    words = {**plain.words, "status": {"running": "Lopend", "ended": "Beëindigd", "announced": "Opgezegd"}}
    dialect = plain.model_copy(update={"files": (policies.model_copy(update={"columns": columns}),), "words": words})
    table = tables_of(simulate(CUSTOMERS, seed=33, months=50))["policies"].head(ROWS)
    assert table.height == ROWS
    return write_files(dialect, {"policies": table}, folder)[0]


def write_copies(export: Path, folder: Path, copies: int) -> Path:
    """Write the export `copies` times in one file: each copy has its own relations, numbers and amounts."""
    table = pl.read_csv(export, separator=";", infer_schema=False)
    whole = folder / "groot.csv"
    with whole.open("wb") as file:
        for copy in range(copies):
            amounts = [
                (pl.col(name).str.replace(",", ".").cast(pl.Float64) + copy / 100).round(2).cast(pl.String)
                .str.replace(".", ",", literal=True).alias(name)
                for name in ("Premie per jaar", "Provisie per jaar")
            ]  # fmt: skip
            rows = table.with_columns(
                *amounts,
                pl.format("{}{}", pl.lit(f"{copy:02d}"), "Relatienummer").alias("Relatienummer"),
                pl.format("{}{}", "Polisnummer", pl.lit(f"{copy:02d}")).alias("Polisnummer"),
            )
            file.write(rows.write_csv(separator=";", include_header=copy == 0, include_bom=copy == 0).encode())
    return whole


def _check(export: Path) -> list[str]:
    return [sys.executable, "-m", "akb", "check", str(export), "--quiet"]


def _against_peer(export: Path, runs: int) -> None:
    """Print the median of `runs` runs of akb and of its peers, taken in turn, and the ratios."""
    commands = {"akb check": _check(export)}
    if importlib.util.find_spec("skrub"):
        for name, read in PEERS.items():
            commands[name] = [sys.executable, "-c", _PEER.format(read=read), str(export)]
    else:
        print("skrub is not installed, so there is no comparison: python -m pip install 'skrub>=0.11'")
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            taken[name].append(measured(command))
    medians = {name: tuple(statistics.median(part) for part in zip(*both, strict=True)) for name, both in taken.items()}
    print(f"{ROWS:,} policies, 20 columns, {export.stat().st_size / 1e6:.1f} MB; median of {runs} runs")
    own = medians["akb check"]
    for name, (seconds, mib) in medians.items():
        ratios = "" if name == "akb check" else f"   akb / peer: {own[0] / seconds:.2f} time, {own[1] / mib:.2f} memory"
        print(f"  {name:<28} {seconds:6.2f} s   {mib:6,.0f} MiB{ratios}", flush=True)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory(prefix="akb-bench-") as name:
        folder = Path(name)
        export = write_export(folder)
        _against_peer(export, runs)
        whole = write_copies(export, folder, COPIES)
        seconds, mib = measured(_check(whole))
        print(f"\n{ROWS * COPIES:,} policies, {whole.stat().st_size / 1e6:,.0f} MB, read and checked:")
        print(f"  {seconds:6.1f} s   {mib:6,.0f} MiB   asked: at most {ASKED_SECONDS:.0f} s and {ASKED_MIB:,.0f} MiB")
        print(
            f"  ratio to what is asked: {seconds / ASKED_SECONDS:.2f} of the time, {mib / ASKED_MIB:.2f} of the memory"
        )


if __name__ == "__main__":
    main()
