"""Columns of a page: the same numbers back at every width, and nobody left in a page from which he was taken."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akb.store.columns import MOST, WIDTHS, fixed, page_without, ragged, script_json, text, unpacked

NUMBERS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize(
    ("largest", "kind"),
    [(0, "u8"), (255, "u8"), (256, "u16"), (65_535, "u16"), (65_536, "u32"), (2**32 - 1, "u32")],
)
def test_a_column_is_as_wide_as_its_largest_number(largest: int, kind: str) -> None:
    column = fixed([largest, 0])
    assert column["t"] == kind
    assert unpacked(column) == [largest, 0]


@pytest.mark.parametrize("number", [-1, 2**32])
def test_a_number_that_does_not_fit_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="from 0 to"):
        fixed([3, number])


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=9), st.sampled_from([*WIDTHS]))
def test_rows_of_two_come_back(rows: list[tuple[int, int]], least: str) -> None:
    column = fixed([number for row in rows for number in row], 2, least)
    assert unpacked(column) == [list(row) for row in rows]
    assert WIDTHS[column["t"]] >= WIDTHS[least]


def packed_rows(rows: list[list[int]]) -> dict[str, Any]:
    return ragged([len(row) for row in rows], [number for row in rows for number in row])


@given(st.lists(st.lists(NUMBERS, max_size=5), max_size=9))
def test_rows_of_unequal_length_come_back(rows: list[list[int]]) -> None:
    assert unpacked(packed_rows(rows)) == rows


def test_a_row_may_have_so_many_values_and_no_more() -> None:
    assert unpacked(packed_rows([[1] * MOST])) == [[1] * MOST]
    with pytest.raises(ValueError, match="more than"):
        packed_rows([[1] * (MOST + 1)])


def test_a_customer_is_taken_out_of_every_column() -> None:
    columns = {
        "customer": text(["K-1", "K-2", "K-3"]),
        "score": fixed([1, 700, 3]),
        "pair": fixed([1, 2, 3, 4, 5, 6], 2),
        "list": packed_rows([[1], [2, 300], []]),
    }
    page = f'<script type="application/json" id="akb-columns">{script_json(columns)}</script>'
    left, gone = page_without(page, frozenset({"K-2", "K-9"}))
    assert gone == 1
    assert "K-2" not in left
    kept = {"customer": ["K-1", "K-3"], "score": [1, 3], "pair": [[1, 2], [5, 6]], "list": [[1], []]}
    found = json.loads(left.partition(">")[2].rpartition("<")[0])
    assert {name: unpacked(column) for name, column in found.items()} == kept
    assert page_without(page, frozenset({"K-9"})) == (page, 0)
