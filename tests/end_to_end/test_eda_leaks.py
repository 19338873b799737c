"""Fields that know too much change no chance: a planted end date, and amounts that the back office overwrites."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from tests.offices import Office

OVERWRITTEN = ("Premie per jaar", "Provisie per jaar")
PLANTED = "Uitstroom volgens analyse"


def spoilt(source: Path, target: Path) -> str:
    """Deal the amounts out anew among all policies, and add a column that says when each will have ended."""
    with source.open(encoding="utf-8-sig", newline="") as file:
        heading, *rows = csv.reader(file, delimiter=";")
    dice = random.Random(5)
    for name in OVERWRITTEN:
        place = heading.index(name)
        amounts = [row[place] for row in rows]
        dice.shuffle(amounts)
        for row, amount in zip(rows, amounts, strict=True):
            row[place] = amount
    end = heading.index("Einddatum")
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
        writer.writerow([*heading, PLANTED])
        writer.writerows([*row, row[end] or "31-12-2026"] for row in rows)
    return str(target)


def test_a_planted_end_date_and_other_amounts_change_no_chance(
    compared_office: Office, compared_run: Path, tmp_path: Path
) -> None:
    office = compared_office
    files = [spoilt(office.folder / "polissen.csv", tmp_path / "polissen.csv"), *office.files[1:]]
    assert office.eda(tmp_path / "run", files=files) == 0
    before, after = (pl.read_parquet(folder / "scores.parquet") for folder in (compared_run, tmp_path / "run"))
    chances = [
        name
        for name in before.columns
        if name.startswith(
            ("churn_", "lapse_", "next_policy_", "policy_lapse", "policies_lost", "nonpayment", "cross_sell_any")
        )
        and "effect" not in name
    ]
    assert len(chances) > 20
    assert_frame_equal(before.select("customer", *chances), after.select("customer", *chances), check_exact=True)
    assert not before["commission_12m"].equals(after["commission_12m"])  # the amounts did change
