"""Atheris (libFuzzer) over the CSV reader, the value parsers and the whole of ingest; how to run: ``fuzz/README.md``.

The first byte of an input chooses the client's settings and whether ingest runs as a whole; the rest is the file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["akb.ingest", "akb.core"]):
    import akb.ingest.customers.relations
    import akb.ingest.files.csvfile
    import akb.ingest.policies.rows
    import akb.ingest.portfolio  # noqa: F401
    from fuzz.oracle import check_export, check_reader, check_values

from akb.config import Ingest, Settings

SETTINGS = (
    {},
    {"separator": ";"},
    {"separator": "|", "decimal": "."},
    {"separator": "~"},
    {"encoding": "utf-8", "date_format": "%d%b%Y"},
    {"encoding": "utf-16", "decimal": ","},
    {"encoding": "cp1252", "separator": "\t"},
    {"date_format": "%Y/%d/%m", "premium_per": "instalment", "premium_basis": "gross"},
)
_FILE = Path(tempfile.mkdtemp(prefix="akb-fuzz-")) / "export.csv"


def one_input(data: bytes) -> None:
    """Check everything that must hold of one input."""
    if not data:
        return
    ingest = Ingest.model_validate(SETTINGS[data[0] % len(SETTINGS)])
    read = check_reader(data[1:], ingest)
    if read is None:
        return
    table, frame = read
    for position in range(min(len(table.headings), 4)):
        check_values(frame[str(position)], ingest.decimal, ingest.date_format)
    if data[0] // len(SETTINGS) % 4 == 0:  # takes fifty times as long
        _FILE.write_bytes(data[1:])
        check_export(_FILE, Settings(ingest=ingest))


def write_seeds(folder: Path) -> None:
    """Write the corpus of broken and odd exports as seeds."""
    from tests.broken.generate import cases

    folder.mkdir(parents=True, exist_ok=True)
    for case in cases():
        for name, content in case.files.items():
            if name.endswith((".csv", ".txt")):
                head = content[:2500].rpartition(b"\n")[0] + b"\n"
                for first in (b"\0", b"\x08"):  # whole, and the reader alone
                    (folder / f"{case.name} {name} {first[0]}".replace("/", " ")).write_bytes(first + head)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--seeds"]:
        write_seeds(Path(sys.argv[2]))
    else:
        atheris.Setup(sys.argv, one_input)
        atheris.Fuzz()
