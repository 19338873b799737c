"""A column of end dates that holds the expiry of running contracts: nobody left for it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from ingest_exports import X, assert_reconciles, codes, finding, office, read, write
from polars.testing import assert_frame_equal

if TYPE_CHECKING:
    from pathlib import Path

ROWS = office(400)
RUNNING = sum(not row["Einddatum"] for row in ROWS)


def next_year(start: str, years: int = 1) -> str:
    """The first anniversary of a start (dd-mm-yyyy) after X, or one of a later year."""
    day, month, _ = start.split("-")
    first = X.year if date(X.year, int(month), min(int(day), 28)) > X else X.year + 1
    return f"{day if (day, month) != ('29', '02') else '28'}-{month}-{first + years - 1}"


def expiring(rows: list[dict[str, str]], years: int = 1, **more: str) -> list[dict[str, str]]:
    return [
        row if row["Einddatum"] else {**row, **more, "Einddatum": next_year(row["Ingangsdatum"], years)} for row in rows
    ]


@pytest.mark.parametrize("years", [1, 3])
def test_expiries_are_no_ends_and_do_not_move_the_day_of_the_export(tmp_path: Path, years: int) -> None:
    whole = read(write(tmp_path, ROWS, "a.csv"))
    found = read(write(tmp_path, expiring(ROWS, years), "b.csv"))
    assert finding(found, "AKB-D065").count >= RUNNING * 0.95
    assert found.as_of == whole.as_of
    ended = whole.policies.filter(whole.policies["end_date"] <= whole.as_of)
    assert_frame_equal(found.policies.filter(found.policies["end_date"] <= found.as_of), ended)
    assert_reconciles(found)


def test_ends_with_a_reason_or_on_other_days_stay_ends(tmp_path: Path) -> None:
    """A handful of announced ends beside policies without an end date are what they were."""
    told = [row | {"Einddatum": next_year(row["Ingangsdatum"])} if n % 9 == 0 else row for n, row in enumerate(ROWS)]
    assert "AKB-D065" not in codes(read(write(tmp_path, told, "a.csv"), as_of=X))
    reasons = read(write(tmp_path, expiring(ROWS, Royementsreden="Overstap"), "b.csv"), as_of=X)
    assert "AKB-D065" not in codes(reasons)
    sold = [row if row["Einddatum"] else row | {"Einddatum": "15-02-2026"} for row in ROWS]
    assert "AKB-D065" not in codes(read(write(tmp_path, sold, "c.csv"), as_of=X))
