"""Direct identifiers are recognised, and the words of a portfolio are not taken for them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from akb.core.privacy.identifiers import POSSIBLY, identifier_in, is_bsn, is_iban, kinds_of, redacted, shared

IDENTIFIERS = {
    "p.devries+polis@example.nl": "email",
    "mail aan Jan.Jansen@kantoor-breda.com graag": "email",
    "06-12345678": "phone",
    "06 12 34 56 78": "phone",
    "+31 6 12345678": "phone",
    "0031612345678": "phone",
    "(076) 514 12 12": "phone",
    "+32 475 12 34 56": "phone",
    "NL91ABNA0417164300": "iban",
    "nl91 abna 0417 1643 00": "iban",
    "rekening NL91 ABNA 0417 1643 00 gewijzigd": "iban",
    "BE68 5390 0754 7034": "iban",
    "111222333": "bsn",
    "bsn 123456782.": "bsn",
    "1112.22.333": "bsn",
    "KvK 12345678": "kvk",
    "kvk-nummer: 68750110": "kvk",
    "68750110": "kvk",
    "1234 AB 12": "address",
    "1234AB, 12": "address",
    "12a, 4811 AA": "address",
    "4811 AA": "address",
    "Dorpsstraat 12": "address",
    "woont nu Lange Dijkgracht 7b": "address",
}
WORDS = (
    "Nationale Vaart", "De Vaart 2000 NV", "Kantoor 12", "ADV05", "Breda", "4811", "B00012345", "P0000017", "20240131",
    "31-12-2024", "111222334", "Reis 24/7 wereld", "123.456,78", "Volvo V70 2.4", "NL12XXXX", "100 % casco", "0001000",
    "Autoverzekering 2024 plus", "9 tot 5", "a@b", "@home", "12345", "Wegwijs", "Marktzicht", "", " ",
)  # fmt: skip


@pytest.mark.parametrize("text", IDENTIFIERS)
def test_an_identifier_is_recognised(text: str) -> None:
    assert identifier_in(text) == IDENTIFIERS[text]
    assert kinds_of(pl.Series([text, None, text])) == {text: IDENTIFIERS[text]}  # the first look lets it through


@pytest.mark.parametrize("text", WORDS)
def test_words_of_a_portfolio_are_none(text: str) -> None:
    assert identifier_in(text) is None
    assert redacted(text) == text


def test_a_sentence_keeps_its_words_and_loses_the_identifier() -> None:
    assert redacted("Klacht; belt terug op 06-12345678 of piet@example.nl") == "Klacht; belt terug op … of …"


@given(st.integers(0, 10**10 - 1))
def test_every_account_with_the_right_check_digits_is_an_iban_and_no_other(account: int) -> None:
    bban = f"ABNA{account:010d}"
    digits = int("".join(str(int(sign, 36)) for sign in bban + "NL00"))
    check = 98 - digits % 97
    assert is_iban(f"NL{check:02d}{bban}")
    assert not is_iban(f"NL{(check + 1) % 97:02d}{bban}")


@given(st.integers(1, 99_999_999))
def test_one_last_digit_at_most_makes_a_bsn(front: int) -> None:
    fitting = [last for last in range(10) if is_bsn(f"{front:08d}{last}")]
    assert len(fitting) <= 1
    weights = sum(weight * int(digit) for weight, digit in zip(range(9, 1, -1), f"{front:08d}", strict=True)) % 11
    assert fitting == ([weights] if weights < 10 else [])


@given(st.text(max_size=60))
def test_any_text_is_survived_and_nothing_found_is_left_behind(text: str) -> None:
    if identifier_in(text):
        assert pl.Series([text]).str.contains(POSSIBLY).item()
    assert identifier_in(text) is None or redacted(text) != text


def test_what_enough_customers_share_may_be_shown() -> None:
    values = pl.Series(["Breda"] * 6 + ["Piet Pieters"] * 6 + ["piet@example.nl"] * 6 + [None])
    customers = pl.Series([*range(6), *[1] * 6, *range(6), 1])
    assert shared(values, customers, 5) == {"Breda"}
