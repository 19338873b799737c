"""Same input, same output: shuffled rows, other jobs, later events change no byte outside the manifest."""

from __future__ import annotations

import random
from hashlib import sha256
from pathlib import Path

from tests.offices import Office


def digests(run: Path, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    return {
        str(path.relative_to(run)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.name not in ("manifest.json", *without)
    }


def shuffled(source: Path, target: Path, seed: int) -> str:
    heading, *lines = source.read_bytes().split(b"\r\n")
    lines = [line for line in lines if line]
    random.Random(seed).shuffle(lines)
    target.write_bytes(b"\r\n".join([heading, *lines, b""]))
    return str(target)


def test_shuffled_rows_and_other_jobs_change_nothing(
    compared_office: Office, compared_run: Path, tmp_path: Path
) -> None:
    office = compared_office
    (tmp_path / "export").mkdir()
    files = [
        shuffled(office.folder / name, tmp_path / "export" / name, seed)
        for seed, name in enumerate(("polissen.csv", "schades.csv", "contacten.csv"))
    ]
    assert office.eda(tmp_path / "run", "--jobs", "1", files=files) == 0
    # Rejected rows name their line, and the files' lines have moved.
    assert digests(tmp_path / "run", without=("rejects.csv",)) == digests(compared_run, without=("rejects.csv",))


def test_what_happens_after_a_replays_day_changes_nothing(compared_office: Office, tmp_path: Path) -> None:
    """A replay sees nothing dated after X: later ends moved, later rows dropped, same scores and report figures."""
    office = compared_office
    as_of = "2024-12-31"
    assert office.eda(tmp_path / "one", "--as-of", as_of) == 0
    lines = (office.folder / "polissen.csv").read_text("utf-8-sig").split("\r\n")
    heading = lines[0].split(";")
    start, end, reason = (heading.index(name) for name in ("Ingangsdatum", "Einddatum", "Royementsreden"))
    changed = [lines[0]]
    for line in filter(None, lines[1:]):
        cells = line.split(";")
        if cells[start][6:] > "2024":
            continue
        if cells[end][6:] > "2024":
            cells[end], cells[reason] = "", ""
        changed.append(";".join(cells))
    other = tmp_path / "polissen.csv"
    other.write_text("\r\n".join([*changed, ""]), "utf-8-sig")
    claims_and_contacts = office.files[1:]
    assert office.eda(tmp_path / "two", "--as-of", as_of, files=[str(other), *claims_and_contacts]) == 0
    for name in ("scores.parquet", "scores.csv", "actions/top_defend.csv", "actions/next_best_policy.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
