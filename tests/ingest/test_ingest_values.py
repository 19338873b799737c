"""Dates and amounts as back offices write them."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akb.core.wording.printable import LONGEST
from akb.ingest.cells.amounts import read_amounts
from akb.ingest.cells.bounds import bounded
from akb.ingest.cells.dates import read_dates
from akb.ingest.cells.remembered import SHORT
from akb.ingest.cells.texts import distinct_of, distinct_texts, identifiers, known, shape
from tests.examples import examples

DAY = date(2019, 3, 7)
MONTHS = ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")


def one(text: str | None) -> tuple[date | None, bool]:
    dates = read_dates(pl.Series([text], dtype=pl.String))
    return dates.values[0], dates.bad[0]


@pytest.mark.parametrize(
    "text",
    ["07-03-2019", "7-3-2019", "07/03/2019", "07.03.2019", "2019-03-07", "2019-03-07 00:00:00", "2019-03-07T13:15:00Z",
     "20190307", "20190307000000", "07032019", "07-mrt-19", "7 maart 2019", "07-MRT-2019", "07-mar-19", "07-mrt.-19",
     "07-03-19", "43531", "43531.0", ' 07-03-2019 ', '="07-03-2019"'],
)  # fmt: skip
def test_every_usual_form_is_read(text):
    assert one(text) == (DAY, False)


@pytest.mark.parametrize(
    "text",
    [None, "", " ", "0", "00000000", "00-00-0000", "0000-00-00", "31-12-9999", "99991231", "9999-12-31 00:00:00",
     "1900-01-01", "01-01-1900", "0001-01-01", "n.v.t.", "onbekend", "-", "NULL", "1-1-0001", "1-1-0001 00:00:00",
     "1/1/1900", "1-1-1900 0:00", "30-12-1899", "1-1-1753", "1 januari 1900", "01-01-2100", "31-12-2199", "5-5-9999",
     "Doorlopend", "onbepaalde tijd", "heden"],
)  # fmt: skip
def test_null_dates_are_empty_and_not_bad(text):
    assert one(text) == (None, False)


@pytest.mark.parametrize(
    "text", ["29-02-2019", "31-04-2020", "2020-13-41", "morgen", "99-99-9999", "12", "20201332", "1-1-1850"]
)
def test_what_is_no_date_is_bad(text):
    assert one(text) == (None, True)


def test_two_digit_years_turn_at_thirty():
    assert one("01-jan-29")[0] == date(2029, 1, 1)
    assert one("01-jan-30")[0] == date(1930, 1, 1)


def test_the_column_decides_between_day_month_and_month_day():
    american = read_dates(pl.Series(["03/04/2020", "04/25/2020"]))
    assert american.values.to_list() == [date(2020, 3, 4), date(2020, 4, 25)]
    dutch = read_dates(pl.Series(["03/04/2020", "25/04/2020"]))
    assert dutch.values.to_list() == [date(2020, 4, 3), date(2020, 4, 25)]
    assert read_dates(pl.Series(["03/04/2020"])).unproven
    assert not dutch.unproven


def test_in_a_replay_later_cells_do_not_decide():
    cells = pl.Series(["03/04/2019", "04/25/2021"])
    assert read_dates(cells).values[0] == date(2019, 3, 4)
    assert read_dates(cells, upto=date(2020, 1, 1)).values[0] == date(2019, 4, 3)


@settings(deadline=None, max_examples=examples(25))
@given(st.lists(st.dates(date(1931, 1, 1), date(2029, 12, 31)), min_size=1, max_size=30))
def test_dates_survive_writing(days):
    for write in (
        lambda d: d.isoformat(),
        lambda d: d.strftime("%d-%m-%Y"),
        lambda d: d.strftime("%Y%m%d"),
        lambda d: f"{d.day:02d}-{MONTHS[d.month - 1]}-{d.year % 100:02d}",
        lambda d: str((d - date(1899, 12, 30)) // timedelta(days=1)),
    ):
        read = read_dates(pl.Series([write(day) for day in days]))
        assert read.values.to_list() == days
        assert not read.bad.any()


@settings(deadline=None, max_examples=examples(25))
@given(st.text(max_size=30))
def test_no_text_breaks_the_date_parser(text):
    day, bad = one(text)
    assert day is None or (date(1900, 1, 1) < day < date(2200, 1, 1) and not bad)


def cents(*texts: str) -> list[int | None]:
    return read_amounts(pl.Series(texts)).cents.to_list()


def test_amounts_of_dutch_offices():
    assert cents("1.234,56", "1.234", "€ 12,5", "33,75-", "(10,00)", "-5", "EUR 1.234.567,89", "12,-", "") == [
        123456, 123400, 1250, -3375, -1000, -500, 123456789, 1200, None,
    ]  # fmt: skip


@pytest.mark.parametrize("text", [" €          -   ", "€ -", "EUR –", "€ 0,00"])
def test_the_dash_behind_a_currency_is_zero(text):
    assert cents("12,50", text, "-") == [1250, 0, None]


def test_amounts_with_a_point():
    assert cents("1234.56", "1,234", "12.5", "-3.75", ".5") == [123456, 123400, 1250, -375, 50]


def test_a_lone_point_before_three_digits_is_decided_by_the_column():
    assert cents("1.234", "12,50") == [123400, 1250]
    assert cents("1.234", "12.50") == [123, 1250]
    unsure = read_amounts(pl.Series(["1.234", "56", "1.234"]))
    assert unsure.cents.to_list() == [123400, 5600, 123400]
    assert unsure.assumed == 2
    assert read_amounts(pl.Series(["1.234", "56"]), decimal=".").cents.to_list() == [123, 5600]


def test_what_is_no_amount_is_counted():
    amounts = read_amounts(pl.Series(["abc", "1,2,3", "nan", "inf", "12-05-2020", "1e99", "5,00", None]))
    assert amounts.cents.to_list() == [None, None, None, None, None, None, 500, None]
    assert amounts.unreadable == 5  # "nan" says that nothing is known


@settings(deadline=None, max_examples=examples(25))
@given(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30))
def test_amounts_survive_writing(values):
    def point(value):
        return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02d}"

    def dutch(value):
        return f"{abs(value) // 100:,}".replace(",", ".") + f",{abs(value) % 100:02d}" + ("-" if value < 0 else "")

    for write in (point, dutch):
        assert read_amounts(pl.Series([write(value) for value in values])).cents.to_list() == values


@settings(deadline=None, max_examples=examples(25))
@given(st.lists(st.text(alphabet="0123456789.,-+()€ eE", max_size=12), max_size=8))
def test_no_text_breaks_the_amount_parser(texts):
    amounts = read_amounts(pl.Series(texts, dtype=pl.String))
    assert amounts.cents.len() == len(texts)
    assert amounts.cents.dtype == pl.Int64


def test_ids_stay_text_and_join_without_dots_and_spaces():
    written, key = identifiers(pl.Series(["00123", '="00123"', "P 12.34", "ab1", "onbekend", ""]))
    assert written.to_list() == ["00123", "00123", "P 12.34", "ab1", None, None]
    assert key.to_list() == ["00123", "00123", "P1234", "AB1", None, None]


def test_the_shape_of_a_value_is_not_the_value():
    assert shape("De Vries 12-03-2020") == "Xx Xxxxx 99-99-9999"
    assert shape("Jan\nÉlise\x00") == "Xxx Xxxxx "
    assert len(shape("a" * 500)) == 41


ODD_TEXTS = (
    "a", " a ", "A", '="00123"', "'00123", "00123", "", " ", None, "n.v.t.", "onbekend", "-", "€ -", "✓", "1.0", "é",
    "\u00a0x\u00a0", "nvt 2", "geen", "b\tc", '=""', "'",
)  # fmt: skip


@pytest.mark.parametrize("marks", [False, True])
@pytest.mark.parametrize("codes", [False, True])
def test_a_long_column_is_read_as_a_short_one(codes: bool, marks: bool) -> None:
    """Short columns are looked up in Python, long ones in Polars: the answers are the same."""
    kind = pl.Categorical(pl.Categories.random()) if codes else pl.String
    times = SHORT // len(ODD_TEXTS) + 1
    short, long = (pl.Series("x", ODD_TEXTS * each, dtype=pl.String).cast(kind) for each in (1, times))
    few, many = distinct_texts(short, marks=marks), distinct_texts(long, marks=marks)
    assert few.texts.to_list() == many.texts.to_list()
    assert "a" in few.texts and "00123" in few.texts and None not in few.texts.to_list()
    assert ("✓" in few.texts) is marks
    assert many.place.to_list() == few.place.to_list() * times
    assert few.place.dtype == many.place.dtype == pl.UInt32
    assert known(long).to_list() == known(short).to_list() * times
    assert distinct_of(long).to_list() == distinct_of(short).to_list()
    assert few.spread(few.texts).to_list() == known(short).to_list() or marks


def test_all_columns_are_bounded_at_once() -> None:
    long = "x" * (LONGEST + 1)
    kind = pl.Categorical(pl.Categories.random())
    cells = pl.DataFrame(
        {"plain": ["a", None], "seen": ["a\u200bb", "c"], "branch": ["d", "d"], "policy": [long, "e"], "number": [1, 2]}
    ).with_columns(coded=pl.Series(["f\u0007", None]).cast(kind), empty=pl.lit(None, dtype=pl.String))
    found = bounded(cells)
    assert found.columns == cells.columns
    assert found.select("plain", "branch", "number", "empty").equals(cells.select("plain", "branch", "number", "empty"))
    assert found["seen"].to_list() == ["ab", "c"]
    assert found["coded"].to_list() == ["f", None]
    assert len(found["policy"][0]) <= LONGEST
    assert bounded(cells.head(0)).height == 0
