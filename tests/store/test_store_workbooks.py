"""Rows leave a workbook whole; what is no workbook of akb is refused."""

from __future__ import annotations

import io

import fastexcel
import pytest
import xlsxwriter

from akb.core.errors import RefusedError
from akb.store.workbooks import texts_of, workbook_renamed, workbook_without


def book(rows: list[list[object]]) -> bytes:
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"in_memory": True}) as made:
        for _ in range(2):
            page = made.add_worksheet()
            for line, row in enumerate(rows):
                for place, cell in enumerate(row):
                    page.write(line, place, cell)
    return target.getvalue()


ROWS: list[list[object]] = [["klant", "waarom"], ["K-1", "a & b"], ["K-2", "alleen hier"], ["K-3", "a & b"]]


def shown(content: bytes, page: int = 0) -> list[tuple[object, ...]]:
    return fastexcel.read_excel(content).load_sheet(page, header_row=None).to_polars().rows()


def test_the_row_goes_from_every_sheet_and_its_words_with_it() -> None:
    made, rows = workbook_without(book(ROWS), frozenset({"K-2"}))
    assert rows == 2
    for page in (0, 1):
        assert shown(made, page) == [("klant", "waarom"), ("K-1", "a & b"), ("K-3", "a & b")]
    assert not {"K-2", "alleen hier"} & set(texts_of(made))


def test_who_is_not_in_it_changes_no_byte() -> None:
    made = book(ROWS)
    assert workbook_without(made, frozenset({"K-9"})) == (made, 0)


def test_a_name_behind_an_apostrophe_goes_too() -> None:
    made, rows = workbook_without(book([["klant"], ["'-12"], ["13"]]), frozenset({"-12"}))
    assert rows == 2
    assert "'-12" not in texts_of(made)


def test_names_are_put_in_as_text() -> None:
    made = workbook_renamed(book(ROWS), {"K-1": "<b> & 0012", "K-3": "'=1"})
    assert [row[0] for row in shown(made)] == ["klant", "<b> & 0012", "K-2", "'=1"]


@pytest.mark.parametrize("content", [b"PK", b"", b"klant;K-1"])
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(RefusedError):
        workbook_without(content, frozenset({"K-1"}))
