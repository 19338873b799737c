"""``tests/golden_runs/``: a small run of every schema that a run has had, with its export and key; all simulated.

    python -m scripts.golden NAME                          of this akb: simulate, run, pack
    python -m scripts.golden NAME --folder FOLDER          pack FOLDER/run, FOLDER/export and FOLDER/key, made by another akb

The run looks half a year before the day of the export, so that it can be evaluated. Pages and workbooks are left out:
nothing reads them. When a schema gets a new number, make one before the number changes.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import zipfile
from pathlib import Path

from akb.cli import run
from akb.sample import simulate, write_sample

PLACE = Path(__file__).resolve().parent.parent / "tests" / "golden_runs"
CUSTOMERS, SEED, AS_OF = 150, 23, "2025-06-30"
FILES = ("polissen.csv", "schades.csv", "contacten.csv")
LEFT_OUT = (".html", ".xlsx")
_DAY = (1980, 1, 1, 0, 0, 0)


def make(folder: Path) -> None:
    write_sample(simulate(CUSTOMERS, seed=SEED), folder / "export", truth=False)
    files = [str(folder / "export" / name) for name in FILES]
    command = [
        "eda",
        *files,
        "--as-of",
        AS_OF,
        "--key",
        str(folder / "key"),
        "--out",
        str(folder / "run"),
    ]
    assert run(command) == 0


def pack(folder: Path, target: Path) -> None:
    kept = [
        path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in LEFT_OUT
    ]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_LZMA) as archive:
        for path in kept:
            name = path.relative_to(folder).as_posix()
            if name.startswith(("run/", "export/")) or name == "key":
                archive.writestr(zipfile.ZipInfo(name, _DAY), path.read_bytes(), zipfile.ZIP_LZMA)
    print(f"{target.name}: {target.stat().st_size:,} bytes")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    PLACE.mkdir(exist_ok=True)
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="akb-golden-"))
    if asked.folder is None:
        make(folder)
    pack(folder, PLACE / f"{asked.name}.zip")
    if asked.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
