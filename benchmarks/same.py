"""Two checkouts of akb on the same exports: is what a client gets the same, byte for byte?

    python -m benchmarks.same OLD NEW [--all]

Each checkout's own code reads the sample data of OLD and, where AKB_DATA names the folder with `es_motor/`, a real
portfolio. Compared are the scores, the lists and the summary; with `--all` every file of the run but the manifest.
A step that only moves or renames code leaves exit 0; what differs is printed, and the exit is 1. A run is kept in the
temporary folder as long as its checkout stands on the same commit, without changes.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks import data_folder
from benchmarks.runs import eda

RENAMED: dict[str, str] = {}
"""Keys and columns that have another name since: old -> new, wherever they stand in a table or in the summary."""

COMPARED = ("scores.parquet", "scores.csv", "winback.parquet", "rejects.csv", "summary.json", "actions/*")
NEVER = ("manifest.json",)  # input paths, versions and seconds
LEAD = re.compile(r"^(?:\ufeff)?[^\n]*")  # the line with the headings, behind the mark that Dutch Excel wants
MOST = 8  # differences shown per file


def cases(checkout: Path) -> dict[str, tuple[list[Path], tuple[str, ...]]]:
    """Return by name the files to read and the options to read them with."""
    sample = checkout / "sample_data"
    found = {"sample": ([sample / f"{name}.csv" for name in ("polissen", "schades", "contacten")], ())}
    motor = data_folder("es_motor")
    if motor is not None:
        files = [motor / f"{name}.csv" for name in ("portfolio", "premiums", "claims")]
        found["es_motor"] = (files, ("--as-of", "2017-11-30"))
    return found


def commit_of(checkout: Path) -> str | None:
    """Return the commit that a checkout stands on; None where it is changed, or no checkout."""

    def git(*asked: str) -> str | None:
        done = subprocess.run(["git", "-C", str(checkout), *asked], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "HEAD") if changed == "" else None


def run_of(checkout: Path, name: str, files: list[Path], options: tuple[str, ...]) -> Path:
    """Return the folder of a checkout's run on some files; the one that was kept where nothing changed since."""
    commit = commit_of(checkout)
    kept = None if commit is None else Path(tempfile.gettempdir()) / "akb-same" / commit / name / "run"
    if kept is not None and (kept / "manifest.json").is_file():
        return kept
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
    run = eda(files, "--quiet", *options, checkout=checkout, folder=kept)
    print(f"{name}: {checkout} in {run.seconds:.0f} s", flush=True)
    return run.folder


def names_in(folder: Path, patterns: tuple[str, ...]) -> list[str]:
    found = {str(path.relative_to(folder)) for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    return sorted(found - set(NEVER))


def differences(old: Path, new: Path) -> list[str]:
    """Return in words what differs between two files of one name."""
    if old.read_bytes() == new.read_bytes():
        return []
    if old.suffix == ".parquet":
        return frame_differences(pl.read_parquet(old), pl.read_parquet(new))
    if old.name == "summary.json":
        return summary_differences(json.loads(old.read_text("utf-8")), json.loads(new.read_text("utf-8")))
    if old.suffix == ".csv":
        before, after = (path.read_text("utf-8") for path in (old, new))
        if LEAD.sub(lambda line: renamed_words(line[0]), before, count=1) == after:
            return []
        rows = [pair for pair in zip(before.splitlines(), after.splitlines(), strict=False) if pair[0] != pair[1]]
        return [f"{was!r} is now {now!r}" for was, now in rows] or ["other rows"]
    return [f"{old.stat().st_size:,} bytes were, {new.stat().st_size:,} are, or other ones"]


def renamed_words(line: str) -> str:
    return re.sub(r"\w+", lambda word: RENAMED.get(word[0], word[0]), line)


def frame_differences(old: pl.DataFrame, new: pl.DataFrame) -> list[str]:
    old = old.rename(RENAMED, strict=False)
    if old.columns != new.columns:
        return [f"columns {sorted(set(old.columns) ^ set(new.columns)) or 'in another order'}"]
    if old.height != new.height:
        return [f"{old.height:,} rows were, {new.height:,} are"]
    found = []
    for name in old.columns:
        if old[name].dtype != new[name].dtype:
            found.append(f"{name}: {old[name].dtype} is now {new[name].dtype}")
        elif not old[name].equals(new[name], null_equal=True):
            found.append(f"{name}: {int((old[name].ne_missing(new[name])).sum()):,} of {old.height:,} rows")
    return found


def flat(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every figure of a document with the path to it; a reason by its code."""
    if isinstance(node, dict) and "code" in node and "params" in node:
        yield path, node["code"]
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from flat(value, f"{path}.{RENAMED.get(key, key)}")
    elif isinstance(node, list):
        for place, value in enumerate(node):
            yield from flat(value, f"{path}[{place}]")
    else:
        yield path, RENAMED.get(node, node) if isinstance(node, str) else node


def summary_differences(old: Any, new: Any) -> list[str]:
    before, after = dict(flat(old)), dict(flat(new))
    gone, came = sorted(before.keys() - after.keys()), sorted(after.keys() - before.keys())
    moved = [path for path in before.keys() & after.keys() if before[path] != after[path]]
    return [
        *(f"{path} is gone" for path in gone),
        *(f"{path} is new" for path in came),
        *(f"{path}: {before[path]!r} is now {after[path]!r}" for path in sorted(moved)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--all", action="store_true", help="every file but the manifest")
    asked = parser.parse_args()
    old, new = asked.old.resolve(), asked.new.resolve()
    patterns = ("**/*",) if asked.all else COMPARED
    differ = 0
    for name, (files, options) in cases(old).items():
        before, after = (run_of(checkout, name, files, options) for checkout in (old, new))
        was, now = names_in(before, patterns), names_in(after, patterns)
        for file in sorted({*was, *now}):
            if file in was and file in now:
                found = differences(before / file, after / file)
            else:
                found = [f"only in the {'old' if file in was else 'new'} run"]
            differ += bool(found)
            for line in found[:MOST]:
                print(f"  {name}/{file}: {line[:300]}")
            if len(found) > MOST:
                print(f"  {name}/{file}: and {len(found) - MOST} more")
        print(f"{name}: {len(was)} files compared", flush=True)
    print("the same" if not differ else f"{differ} files differ")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
