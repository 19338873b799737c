"""Dates in the words of databases and programs, and what only the column as a whole can tell of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from ingest_exports import X, codes, finding, nl, office, policy, read, write

from akb.ingest.cells.dates import read_dates

DAYS = [date(1985, 3, 31) + timedelta(days=97 * n) for n in range(160)]
EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FULL = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
NL = (
    "januari",
    "februari",
    "maart",
    "april",
    "mei",
    "juni",
    "juli",
    "augustus",
    "september",
    "oktober",
    "november",
    "december",
)
DE = ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez.")
FR = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
DAY_NL = ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag")
DAY_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_FR = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
EPOCH = date(1970, 1, 1)
HERE = ZoneInfo("Europe/Amsterdam")
Write = Callable[[date], str]


def utc(day: date) -> datetime:
    """Midnight in the Netherlands, in universal time."""
    return datetime(day.year, day.month, day.day, tzinfo=HERE).astimezone(UTC)


FORMS: dict[str, Write] = {
    "SQL Server": lambda d: f"{EN[d.month - 1]} {d.day:2d} {d.year} 12:00AM",
    "SQL Server, style 113": lambda d: f"{d.day:02d} {EN[d.month - 1]} {d.year} 00:00:00:000",
    "Reporting Services, American": lambda d: f"{d.month}/{d.day}/{d.year} 12:00:00 AM",
    "Reporting Services, Dutch": lambda d: f"{d.day}-{d.month}-{d.year} 12:00:00 AM",
    "Access, long": lambda d: f"{DAY_NL[d.weekday()]} {d.day} {NL[d.month - 1]} {d.year}",
    "Access, between signs": lambda d: f"#{d.month}/{d.day}/{d.year}#",
    "a short day in front": lambda d: f"{DAY_NL[d.weekday()][:2]} {d:%d-%m-%Y}",
    "a short day behind": lambda d: f"{d:%d-%m-%Y} ({DAY_NL[d.weekday()][:2]})",
    "a short day and points": lambda d: f"{DAY_NL[d.weekday()][:2]}. {d:%d.%m.%Y}",
    "English, full": lambda d: f"{DAY_EN[d.weekday()]}, {FULL[d.month - 1]} {d.day}, {d.year}",
    "English, ordinal": lambda d: f"{d.day}{'st' if d.day == 1 else 'th'} {FULL[d.month - 1]} {d.year}",
    "German": lambda d: f"{d.day:02d}. {DE[d.month - 1]} {d.year}",
    "French": lambda d: f"{DAY_FR[d.weekday()]} {d.day:02d} {FR[d.month - 1]} {d.year}",
    "Oracle": lambda d: f"{d.day:02d}-{EN[d.month - 1].upper()}-{d.year % 100:02d}",
    "Oracle, a moment": lambda d: f"{d.day:02d}-{EN[d.month - 1].upper()}-{d.year} 12.00.00.000000000 AM",
    "SAS": lambda d: f"{d.day:02d}{EN[d.month - 1].upper()}{d.year}:00:00:00",
    "ODBC": lambda d: f"{{ts '{d:%Y-%m-%d} 00:00:00'}}",
    "Java": lambda d: f"{DAY_EN[d.weekday()][:3]} {EN[d.month - 1]} {d.day:02d} 00:00:00 CET {d.year}",
    "JavaScript": lambda d: f"{DAY_EN[d.weekday()][:3]} {EN[d.month - 1]} {d.day:02d} {d.year} 00:00:00 GMT+0100 (CET)",
    "mail": lambda d: f"{DAY_EN[d.weekday()][:3]}, {d.day:02d} {EN[d.month - 1]} {d.year} 00:00:00 GMT",
    "an apostrophe for the century": lambda d: f"{d.day} {NL[d.month - 1][:3]} '{d.year % 100:02d}",
    "with the hour in words": lambda d: f"{d.day} {NL[d.month - 1]} {d.year} om 0:00 uur",
    "spaces around the hyphens": lambda d: f"{d.day:02d} - {d.month:02d} - {d.year}",
    "a named zone": lambda d: f"{d:%Y-%m-%d} 00:00:00 CET",
    "an offset": lambda d: f"{d:%Y-%m-%d}T00:00:00.0000000+01:00",
    "days of Excel with a part": lambda d: f"{(d - date(1899, 12, 30)).days},5",
    "the name of the month in the middle": lambda d: f"{d.year}-{EN[d.month - 1]}-{d.day:02d}",
    "a day that lost its zero": lambda d: f"{d.day}{d.month:02d}{d.year}",
    "an American day that lost its zero": lambda d: f"{d.month}{d.day:02d}{d.year}",
    "six digits that lost their zero": lambda d: f"{d.day}{d.month:02d}{d.year % 100:02d}",
    "six digits with the year in front": lambda d: f"{d.year % 100:02d}{d.month:02d}{d.day:02d}",
    "an AS/400": lambda d: str((d.year - 1900) * 10_000 + d.month * 100 + d.day),
    "an AS/400 with its zeros": lambda d: f"{(d.year - 1900) * 10_000 + d.month * 100 + d.day:07d}",
    "a number with a fraction": lambda d: f"{d:%Y%m%d}.0",
    "digits and a time": lambda d: f"{d:%Y%m%d}093000",
    "seconds": lambda d: str((d - EPOCH).days * 86_400),
    "milliseconds": lambda d: str((d - EPOCH).days * 86_400_000),
    "nanoseconds": lambda d: str((d - EPOCH).days * 86_400_000_000_000),
    "ticks of .NET": lambda d: str((d - date(1, 1, 1)).days * 864_000_000_000),
    "JSON of .NET": lambda d: f"/Date({(d - EPOCH).days * 86_400_000}+0100)/",
    "universal midnights": lambda d: utc(d).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "universal midnights, an offset": lambda d: utc(d).strftime("%Y-%m-%dT%H:%M:%S.000+00:00"),
    "universal midnights that do not say so": lambda d: utc(d).strftime("%d-%m-%Y %H:%M"),
    "universal midnights with PM": lambda d: f"{utc(d).month}/{utc(d).day}/{utc(d).year} {utc(d).hour - 12}:00:00 PM",
    "universal midnights, milliseconds": lambda d: str(int(utc(d).timestamp() * 1000)),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_a_column_in_any_of_these_forms_is_read(name: str) -> None:
    dates = read_dates(pl.Series([FORMS[name](day) for day in DAYS] + [None]))
    assert dates.values.to_list() == [*DAYS, None]
    assert not dates.bad.any()


@pytest.mark.parametrize(
    "text", ["00:00:00", "12:00:00 AM", "30-12-1899 0:00:00", "1/1/0001 12:00:00 AM", "Jan  1 1900 12:00AM"]
)
def test_the_zero_of_a_program_is_no_day(text: str) -> None:
    dates = read_dates(pl.Series([text]))
    assert (dates.values[0], dates.bad[0]) == (None, False)


def test_evenings_that_are_no_midnights_stay_where_they_are() -> None:
    assert read_dates(pl.Series(["2019-12-31T20:15:00Z", "2020-06-30T21:00:00Z"])).values.to_list() == [
        date(2019, 12, 31),
        date(2020, 6, 30),
    ]
    summer = [f"2020-0{n}-10 23:00:00" for n in range(5, 10)]  # in summer 22:00 would be midnight
    assert read_dates(pl.Series(summer)).values.to_list() == [date(2020, n, 10) for n in range(5, 10)]
    assert read_dates(pl.Series(["2019-12-31 23:00:00"])).values[0] == date(2019, 12, 31)  # one cell proves nothing


def test_numbers_of_excel_are_not_days_that_lost_a_zero() -> None:
    serials = [str(30_000 + 17 * n) for n in range(40)]
    assert read_dates(pl.Series(serials)).values.to_list() == [
        date(1899, 12, 30) + timedelta(days=int(s)) for s in serials
    ]
    assert read_dates(pl.Series([*(nl(d) for d in DAYS), "101112"])).bad[-1]  # one number among dates


def test_zeros_among_moments_are_no_days_unless_they_are_rare() -> None:
    moments = [str((d - EPOCH).days * 86_400_000) for d in DAYS[:100]]
    assert read_dates(pl.Series([*moments, *["0"] * 20])).values[-1] is None


def test_the_first_of_the_month_shows_where_the_day_stands() -> None:
    firsts = [date(2010 + n // 12, n % 12 + 1, 1) for n in range(60)]
    american = read_dates(pl.Series([f"{d.month}/{d.day}/{d.year}" for d in firsts]))
    dutch = read_dates(pl.Series([f"{d.day}/{d.month}/{d.year}" for d in firsts]))
    assert american.values.to_list() == firsts
    assert dutch.values.to_list() == firsts
    assert dutch.unproven


def swapped(text: str, *, real: Write, american: bool = True) -> str:
    """What an Excel with other settings makes of a date; `real` says how it writes what it took for a date."""
    if not text:
        return ""
    day = date(int(text[6:]), int(text[3:5]), int(text[:2]))
    if day.day <= 12:
        return real(date(day.year, day.day, day.month))
    return text if american else f"{day.month:02d}/{day.day:02d}/{day.year}"


REAL: dict[str, Write] = {
    "dates": lambda d: f"{d.isoformat()} 00:00:00",
    "days of Excel": lambda d: str((d - date(1899, 12, 30)).days),
    "months by name": lambda d: f"{d.day:02d}-{EN[d.month - 1]}-{d.year}",
}
DATES = ("Ingangsdatum", "Einddatum", "Hoofdvervaldatum")


@pytest.mark.parametrize("american", [True, False])
@pytest.mark.parametrize("real", REAL)
def test_halves_that_excel_swapped_are_put_back(tmp_path, real: str, american: bool) -> None:
    right = read(write(tmp_path, office(300)), as_of=X)
    rows = [
        row | {name: swapped(row[name], real=REAL[real], american=american) for name in DATES} for row in office(300)
    ]
    portfolio = read(write(tmp_path, rows, "excel.csv"), as_of=X)
    assert portfolio.policies["start_date"].to_list() == right.policies["start_date"].to_list()
    assert portfolio.policies["end_date"].to_list() == right.policies["end_date"].to_list()
    assert finding(portfolio, "AKB-D056").count > 0


def test_a_column_that_is_the_first_of_every_month_was_not_swapped_with_the_others(tmp_path) -> None:
    rows = [
        row
        | {name: swapped(row[name], real=REAL["dates"]) for name in ("Ingangsdatum", "Einddatum")}
        | {"Hoofdvervaldatum": f"2026-{n % 12 + 1:02d}-01 00:00:00"}
        for n, row in enumerate(office(100))
    ]
    portfolio = read(write(tmp_path, rows), as_of=X)
    assert finding(portfolio, "AKB-D056").params["columns"] == "Ingangsdatum, Einddatum"
    assert portfolio.policies["renewal_date"].dt.day().unique().to_list() == [1]
    assert portfolio.policies["renewal_date"].dt.month().n_unique() == 12


def test_two_forms_of_dates_in_one_column_are_not_swapped(tmp_path) -> None:
    def iso(text: str) -> str:
        return "-".join(reversed(text.split("-"))) if text else ""

    rows = [row | ({"Ingangsdatum": iso(row["Ingangsdatum"])} if n % 2 else {}) for n, row in enumerate(office(300))]
    portfolio = read(write(tmp_path, rows), as_of=X)
    assert "AKB-D056" not in codes(portfolio)
    assert (
        portfolio.policies["start_date"].to_list()
        == read(write(tmp_path, office(300), "b.csv"), as_of=X).policies["start_date"].to_list()
    )


def test_real_dates_on_the_first_beside_texts_later_in_the_month_are_not_swapped(tmp_path) -> None:
    rows = [
        policy(n, Ingangsdatum=f"2019-{n % 12 + 1:02d}-01" if n % 2 else f"{15 + n % 9}-{n % 12 + 1:02d}-2019")
        for n in range(1, 90)
    ]
    portfolio = read(write(tmp_path, rows), as_of=X)
    assert "AKB-D056" not in codes(portfolio)
    assert portfolio.policies["start_date"].dt.day().to_list().count(1) == 45


def test_an_end_of_two_digits_lies_after_its_start(tmp_path) -> None:
    rows = [*office(60), policy(1, Polisnummer="L1", Ingangsdatum="01-05-12", Einddatum="01-05-42"),
            policy(1, Polisnummer="L2", Ingangsdatum="01-05-68", Einddatum="01-05-24")]  # fmt: skip
    portfolio = read(write(tmp_path, rows), as_of=X)
    ends = portfolio.policies.filter(start_date=date(2012, 5, 1))["end_date"].to_list()
    assert date(2042, 5, 1) in ends
    assert portfolio.policies.filter(start_date=date(1968, 5, 1)).height == 1
    assert finding(portfolio, "AKB-D057").count == 1
    assert "AKB-D008" not in codes(portfolio)


def test_a_start_of_two_digits_lies_not_years_ahead(tmp_path) -> None:
    rows = [*office(60), policy(1, Polisnummer="L1", Ingangsdatum="01-05-29")]
    portfolio = read(write(tmp_path, rows), as_of=X)
    assert portfolio.policies["start_date"].min() == date(1929, 5, 1)
    assert portfolio.policies["start_date"].max() <= X
