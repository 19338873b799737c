"""No CSV that akb writes holds a cell that a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

from akb.cli import run
from akb.sample import simulate, write_sample
from tests.offices import FEWEST_ROWS

SIGNS = ("=", "+", "-", "@", "\t", "\r")
PAYLOADS = ("=1+1", "+31-2", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", '=HYPERLINK("http://x";"klik")')


def number(cell: str) -> bool:
    """Whether a cell is a plain number, which may be negative."""
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office with formulas for relation numbers, policy numbers, offices, advisers, headings and dates."""
    folder = tmp_path_factory.mktemp("formulas")
    write_sample(simulate(150, seed=8), folder / "export", truth=False)
    text = (folder / "export" / "polissen.csv").read_text("utf-8-sig")
    heading, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    for place, row in enumerate(rows):
        payload = PAYLOADS[int(row[0]) % len(PAYLOADS)]
        row[0] = f"{payload}{row[0]}"
        for name in ("Polisnummer", "Kantoor", "Adviseur", "Maatschappij"):
            row[heading.index(name)] = f"{payload} {row[heading.index(name)]}"
        if place % 20 == 0:
            row[heading.index("Ingangsdatum")] = payload
    heading[heading.index("Ingangsdatum")] = "=Ingangsdatum"
    target = folder / "=polissen.csv"
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([heading, *rows])
    return target


def run_of(export: Path, folder: Path, *options: str) -> Path:
    out = folder / "run"
    settings = ["--key", str(folder / "key"), "--config", str(FEWEST_ROWS)]
    assert run(["eda", str(export), "--out", str(out), *settings, "-q", *options]) == 0
    return out


@pytest.fixture(scope="module")
def usual(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of(export, tmp_path_factory.mktemp("usual"))


@pytest.mark.parametrize("option", ["", "--no-pseudonyms"])
def test_no_cell_of_any_csv_is_a_formula(export: Path, usual: Path, tmp_path: Path, option: str) -> None:
    out = run_of(export, tmp_path, option) if option else usual
    files = sorted(out.rglob("*.csv"))
    assert {"scores.csv", "rejects.csv", "customers.csv", "top_defend.csv"} <= {path.name for path in files}
    cells = 0
    for path in files:
        text = path.read_text("utf-8-sig")
        separator = ";" if path.parent.name == "actions" else ","
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            assert not [cell for cell in row if cell.startswith(SIGNS) and not number(cell)], path.name
            cells += sum(cell.startswith("'") for cell in row)
    assert cells > 100  # neutralised ones


def test_a_revealed_list_holds_no_formula_and_a_formula_can_be_forgotten(usual: Path, tmp_path: Path) -> None:
    out, listed = tmp_path / "run", tmp_path / "list.csv"
    shutil.copytree(usual, out)
    assert run(["reveal", str(out / "scores.csv"), "--out", str(listed)]) == 0
    _, *rows = list(csv.reader(io.StringIO(listed.read_text("utf-8-sig"), newline="")))
    assert not [row[0] for row in rows if row[0].startswith(SIGNS)]
    formula = next(row[0] for row in rows if row[0].startswith("'"))
    assert run(["forget", "-q", "--", str(out), formula.removeprefix("'")]) == 0
    assert formula not in (out / "private" / "customers.csv").read_text("utf-8")
