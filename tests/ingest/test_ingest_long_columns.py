"""What is asked of a large column before it is changed leaves it as the change itself would."""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl
import pytest

from akb.ingest.cells.remembered import SHORT
from akb.ingest.cells.texts import clean, identifiers, known
from akb.ingest.policies.linking import link

PLAIN = ["A-100", "B/200", "300"]
ODD = ['="00123"', "'00123", "=7", " A 1", "\u00a0b.2", "x", "n.v.t.", "-", "12.0", '"Q"', "É1", None, ""]


def long(cells: list[str | None]) -> pl.Series:
    return pl.Series("t", cells * (SHORT // len(cells) + 1), dtype=pl.String)


@pytest.mark.parametrize("odd", [None, *ODD])
def test_a_long_column_is_read_as_a_short_one(odd: str | None) -> None:
    cells = [*PLAIN, odd]
    short = pl.Series("t", cells, dtype=pl.String)
    for read in (clean, known, lambda texts: identifiers(texts)[0], lambda texts: identifiers(texts)[1]):
        assert read(long(cells)).to_list()[: len(cells)] == read(short).to_list()


def nearest_first(rows: list[tuple[int, date, date | None]], gap: int) -> dict[int, int]:
    """Return which row continues which, a distance after the other, the k-th end with the k-th start."""
    found: dict[int, int] = {}
    for distance in [0, *(sign * step for step in range(1, gap + 1) for sign in (1, -1))]:
        ends: dict[tuple[int, date], list[int]] = {}
        for place, (whose, start, end) in enumerate(rows):
            if end is not None and place not in found and (distance >= 0 or (end - start).days > gap):
                ends.setdefault((whose, end + timedelta(distance)), []).append(place)
        for (whose, day), places in ends.items():
            taken = set(found.values())
            starts = [at for at, row in enumerate(rows) if row[:2] == (whose, day) and at not in taken]
            found.update(zip(places, starts, strict=False))
    return found


@pytest.mark.parametrize("seed", range(8))
def test_the_nearest_start_continues_an_end(seed: int) -> None:
    drawn = random.Random(seed)
    rows: list[tuple[int, date, date | None]] = []
    for _ in range(60):
        start = date(2020, 1, 1) + timedelta(drawn.randint(0, 120))
        end = None if drawn.random() < 0.3 else start + timedelta(drawn.randint(0, 90))
        rows.append((drawn.randint(0, 2), start, end))
    frame = pl.DataFrame(rows, schema={"customer": pl.UInt32, "start_date": pl.Date, "end_date": pl.Date}, orient="row")
    linked = link(frame.with_columns(branch=pl.lit("auto")), 31)
    expected = nearest_first(rows, 31)
    assert len(expected) > 5
    continued = [rows[expected[at]][1] if at in expected else None for at in range(len(rows))]
    assert linked["replaced_on"].to_list() == continued
    assert linked["replaces"].to_list() == [at in expected.values() for at in range(len(rows))]
