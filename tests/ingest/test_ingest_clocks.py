"""The day of the export by its two clocks: books of which the day is known, and an issue where it cannot be known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from ingest_exports import Row, codes, finding, nl, policy, read, write

from akb.ingest.as_of.doubts import Doubt, doubts_of
from akb.ingest.as_of.movements import Movements, last_dense_day, read_clocks

DAY = date(2020, 9, 17)
TODAY = date(2026, 11, 28)
NO_EVENTS = pl.Series("day", [], dtype=pl.Date)


@dataclass(frozen=True)
class Book:
    """How a book behaves up to its export on DAY.

    Parameters
    ----------
    policies
        How many start.
    sells_until
        The last start; policies end until DAY.
    firsts
        Everything happens on the first of a month.
    ends
        The export has a column of end dates.
    lapse
        Share that ends a year.
    grows
        Above zero most starts are of late, below it of long ago.
    pile
        A third more starts on this day.
    planned
        Every policy has its end, after five years, from the day that it begins.
    """

    policies: int = 2000
    sells_until: date = DAY
    firsts: bool = False
    ends: bool = True
    lapse: float = 0.1
    grows: float = 0.0
    pile: date | None = None
    planned: bool = False

    def rows(self, seed: int) -> list[tuple[date, date | None]]:
        draw, first = np.random.default_rng(seed), date(2005, 1, 1)
        spread = draw.random(self.policies)
        if self.grows:
            spread = np.log1p(spread * (np.exp(self.grows) - 1)) / self.grows
        days = (self.sells_until - first).days
        starts = [first + timedelta(days=int(share * days)) for share in spread]
        if self.pile:
            starts += [self.pile] * (self.policies // 3)
        if self.sells_until == DAY:  # what is signed already: a few in the weeks after
            starts += [DAY + timedelta(days=1 + int(d)) for d in draw.exponential(25, self.policies // 500)]
        return [(self._on(start), self._end(start, draw)) for start in starts]

    def _end(self, start: date, draw: np.random.Generator) -> date | None:
        end = start + timedelta(days=30 + int(min(draw.exponential(365 / self.lapse), 100_000)))
        if self.planned:
            return start + timedelta(days=5 * 365)
        if end > DAY:
            announced = draw.random() < 0.005
            return DAY + timedelta(days=1 + int(draw.exponential(30))) if announced and self.ends else None
        return self._on(end) if self.ends else None

    def _on(self, day: date) -> date:
        return day.replace(day=1) if self.firsts else day


def moves_of(rows: list[tuple[date, date | None]]) -> Movements:
    frame = pl.DataFrame(rows, schema={"start": pl.Date, "end": pl.Date}, orient="row").with_columns(explained=False)
    starts, ends = (frame[name].drop_nulls().alias("day") for name in ("start", "end"))
    return Movements(starts, ends, frame.with_columns(explained=pl.lit(value=False)))


BOOKS = {
    "sells and ends": Book(),
    "stopped selling long ago": Book(sells_until=date(2012, 5, 1)),
    "stopped selling a year ago": Book(sells_until=date(2019, 5, 1)),
    "runs off fast": Book(sells_until=date(2017, 5, 1), lapse=0.25),
    "all on the first": Book(firsts=True),
    "all on the first, stopped selling": Book(firsts=True, sells_until=date(2018, 3, 1)),
    "without ends": Book(ends=False),
    "without ends, grows": Book(ends=False, grows=3.0),
    "without ends, a purchased book": Book(ends=False, pile=date(2019, 1, 1)),
    "a purchased book": Book(pile=date(2019, 1, 1)),
    "shrinks": Book(grows=-3.0),
    "planned ends": Book(planned=True),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", BOOKS)
def test_the_day_is_right(name: str, seed: int) -> None:
    clocks = read_clocks(moves_of(BOOKS[name].rows(seed)), TODAY)
    assert clocks is not None
    assert abs((clocks.day - DAY).days) <= 62, clocks


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", [name for name in BOOKS if name != "planned ends"])
def test_a_right_day_is_not_doubted(name: str, seed: int) -> None:
    moves = moves_of(BOOKS[name].rows(seed))
    clocks = read_clocks(moves, TODAY)
    assert clocks is not None
    assert [doubt.kind for doubt in doubts_of(clocks.day, clocks, moves, NO_EVENTS, TODAY)] == []


def kinds(day: date, book: Book, recorded: pl.Series = NO_EVENTS) -> dict[str, Doubt]:
    moves = moves_of(book.rows(1))
    return {doubt.kind: doubt for doubt in doubts_of(day, read_clocks(moves, TODAY), moves, recorded, TODAY)}


def test_starts_behind_the_day_are_doubts_and_name_the_day() -> None:
    found = kinds(date(2020, 1, 31), Book())["starts"]
    moves = moves_of(Book().rows(1))
    assert found.count == (moves.starts > date(2020, 1, 31)).sum()
    assert found.share == pytest.approx(found.count / moves.starts.len())
    assert abs((found.instead - DAY).days) <= 62


def test_exactly_two_percent_behind_the_day_is_no_doubt() -> None:
    day = date(2020, 1, 31)
    for later, doubted in ((20, False), (21, True)):
        starts = [day - timedelta(days=n % 700) for n in range(1000 - later)] + [day + timedelta(days=90)] * later
        moves = moves_of([(start, None) for start in starts])
        found = doubts_of(day, read_clocks(moves, TODAY), moves, NO_EVENTS, TODAY)
        assert ("starts" in {doubt.kind for doubt in found}) is doubted


def test_ends_that_go_on_behind_the_last_start_are_doubts() -> None:
    stopped = Book(sells_until=date(2018, 3, 1))
    found = kinds(date(2018, 3, 1), stopped)["ends"]
    assert abs((found.instead - DAY).days) <= 62
    assert "ends" not in kinds(DAY, stopped)
    assert "ends" in kinds(DAY, Book(planned=True))  # plans or leavers: only the client can say


def test_ends_that_stop_long_before_the_starts_are_doubts() -> None:
    rows = [(start, end if end and end < date(2019, 3, 1) else None) for start, end in Book(3000).rows(2)]
    moves = moves_of(rows)
    clocks = read_clocks(moves, TODAY)
    assert clocks is not None
    found = doubts_of(clocks.day, clocks, moves, NO_EVENTS, TODAY)
    assert abs((clocks.day - DAY).days) <= 62
    assert [doubt.kind for doubt in found] == ["stop"]
    assert abs((found[0].instead - date(2019, 3, 1)).days) <= 62


def test_events_that_go_on_are_doubts() -> None:
    events = pl.Series("day", [DAY + timedelta(days=n) for n in range(-600, 400)])
    assert kinds(DAY, Book(), events)["events"].count == 400 - 32
    assert "events" not in kinds(DAY, Book(), events.filter(events <= DAY + timedelta(days=31)))


def written(book: Book, seed: int = 1) -> list[Row]:
    return [
        policy(number, Polisnummer=f"P{number}", Ingangsdatum=nl(start), Einddatum=nl(end))
        for number, (start, end) in enumerate(book.rows(seed))
    ]


def test_the_issue_names_both_clocks_and_the_command(tmp_path: Path) -> None:
    path = write(tmp_path, [row | {"Peildatum": "31-12-2018"} for row in written(Book())], "polissen van ons.csv")
    found = finding(read(path, today=TODAY), "AKB-D090")
    assert found.severity == "issue"
    said = found.sentence() + found.remedy()
    assert "2020" in found.sentence()  # where both clocks stop
    assert "akb eda 'polissen van ons.csv' --as-of 2020-" in said


def test_giving_the_day_raises_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, [row | {"Peildatum": "31-12-2018"} for row in written(Book())])
    assert not {"AKB-D090", "AKB-D045"} & codes(read(path, today=TODAY, as_of=DAY))


def test_claims_of_a_later_export_do_not_move_the_day(tmp_path: Path) -> None:
    rows = written(Book())
    claims = [
        {
            "Relatienummer": rows[n]["Relatienummer"],
            "Meldingsdatum": nl(DAY + timedelta(days=n - 200)),
            "Bedrag": "9,00",
        }
        for n in range(700)
    ]
    found = read(write(tmp_path, rows), write(tmp_path, claims, "schades.csv"), today=TODAY)
    assert abs((found.as_of - DAY).days) <= 62
    assert "2022" in finding(found, "AKB-D090").remedy()


def every_day(first: date, days: int, a_day: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(days)] * a_day


def test_the_first_month_of_the_window_is_no_level() -> None:
    firsts = [date(year, month, 1) for year in range(1980, 2019) for month in range(1, 13)]
    assert last_dense_day(pl.Series(firsts * 8), TODAY) == date(2018, 12, 1)


@pytest.mark.parametrize(("later", "day"), [((31,), DAY), ((4, 13, 20, 31), DAY + timedelta(days=31))])
def test_a_few_announced_ends_do_not_move_the_day_of_a_small_book(later: tuple[int, ...], day: date) -> None:
    # an end in about nine days: four more in a month go on as usual, one is fewer than that
    starts = [DAY - timedelta(days=5 * place) for place in range(400)]
    ends = [DAY - timedelta(days=1 + 9 * place) for place in range(100)] + [DAY + timedelta(days=d) for d in later]
    rows = [(start, None) for start in starts] + [(date(2009, 5, 5), end) for end in ends]
    clocks = read_clocks(moves_of(rows), TODAY)
    assert clocks is not None
    assert clocks.day == day


def test_a_day_on_which_a_book_was_bought_is_no_level() -> None:
    days = [*every_day(date(2016, 1, 1), 700, 1), *[date(2017, 3, 26)] * 1000]
    assert last_dense_day(pl.Series(days), TODAY) == date(2017, 11, 30)


def test_a_quarter_of_the_book_is_not_signed_ahead() -> None:
    days = every_day(date(2016, 1, 1), 500, 10) + every_day(date(2017, 5, 15), 600, 3)
    assert last_dense_day(pl.Series(days), TODAY) == max(days)
