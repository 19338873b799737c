"""Names of persons known by their form: a column of them is dropped, other texts are left alone."""

from __future__ import annotations

import polars as pl
import pytest

from akb.core.privacy.identifiers import is_bsn, looks_like_name, pass_eleven_test


@pytest.mark.parametrize(
    "text",
    ["J. de Vries", "Anna van den Berg", "Jansen, P.A.", "Piet Jansen", "A.B. Pietersen-Smit", "J.P. van 't Hof",
     "Mohamed El Amrani", "DE VRIES J.", "Fatma Yılmaz", "Th. O'Neil", "van der Meer"],
)  # fmt: skip
def test_names_are_known(text):
    assert looks_like_name(text)


@pytest.mark.parametrize(
    "text",
    ["Anna", "ADV01", "Kantoor Noord", "Jansen BV", "Jansen B.V.", "Auto WA", "Woonhuis verzekering", "team 4", "A 12",
     "Opmaat Pakket", "", "klacht over premie", "SMIT", "P. A.", "De heer en mevrouw Jansen uit het mooie Breda"],
)  # fmt: skip
def test_other_texts_are_none(text):
    assert not looks_like_name(text)


def test_the_eleven_test_of_many_is_that_of_one():
    numbers = [f"{number * 7919 % 10**9:09d}" for number in range(500)]
    assert pass_eleven_test(pl.Series(numbers)).to_list() == [is_bsn(number) for number in numbers]
    assert any(map(is_bsn, numbers))
