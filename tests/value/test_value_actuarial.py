"""The actuary's review: exposure counted by other code, credibility by hand, and a basis that holds out of time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from lifelines.utils import survival_table_from_events

from akb.config import load_settings
from akb.ingest import read_portfolio
from akb.ingest.types import Portfolio, Sources
from akb.sample import simulate, write_sample
from akb.value.actuarial.basis import lapse_basis
from akb.value.actuarial.credibility import FULL, buhlmann_straub, effective, limited_fluctuation
from akb.value.actuarial.exposure import calendar_years, cells, closed_periods, pieces, with_origin
from akb.value.actuarial.review import review, stands_alone
from akb.value.actuarial.trend import months, trend
from akb.value.in_force import InForce
from tests.value import value_fixtures as fx

BANDS = {"1": (0, 1), "2": (1, 2), "3": (2, 3), "4-5": (3, 5), "6-10": (5, 10), "11-20": (10, 20), "21+": (20, 200)}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Portfolio:
    """A simulated office whose renumbered policies continue, read as any export."""
    folder = tmp_path_factory.mktemp("office")
    write_sample(simulate(1500, seed=4), folder, truth=False)
    return read_portfolio(Sources((folder / "polissen.csv",), b"0" * 32), load_settings())


def in_force(book: Portfolio) -> InForce:
    return InForce(book, None, fx.SETTINGS)  # type: ignore[arg-type]


def ages_by_hand(origin: date, day: date) -> float:
    """Years between two days: whole anniversaries, and the days since as a share that only orders."""

    def anniversary(year: int) -> date:
        leap = origin.month == 2 and origin.day == 29 and year % 4
        return date(year, origin.month, 28 if leap else origin.day)

    years = day.year - origin.year - (anniversary(day.year) > day)
    return years + (day - anniversary(origin.year + years)).days / 367


def counted_by_lifelines(rows: list[tuple[date, date, date, bool]]) -> dict[str, tuple[int, int]]:
    """Band -> days at risk and lapses, of rows (origin, entry, exit, lapsed), by lifelines' own life table in days.

    Every policy is laid on a scale on which each policy year has 367 places, so anniversaries fall on multiples."""
    entry = [round(ages_by_hand(origin, first) * 367) for origin, first, _, _ in rows]
    leave = [round(ages_by_hand(origin, last) * 367) for origin, _, last, _ in rows]
    table = survival_table_from_events(leave, [lapsed for *_, lapsed in rows], entry)
    found = {}
    for name, (first, last) in BANDS.items():
        days = 0  # a day at risk is one place on the scale, but for the places that no day has
        for origin, start, end, _ in rows:
            low, high = (add_years(origin, years) for years in (first, last))
            days += max(0, (min(end, high) - max(start, low)).days)
        inside = table[(table.index > first * 367) & (table.index <= last * 367)]
        found[name] = (days, int(inside["observed"].sum()))
    return found


def add_years(origin: date, years: int) -> date:
    try:
        return origin.replace(year=min(9999, origin.year + years))
    except ValueError:
        return date(origin.year + years, 2, 28)


def chains(book: Portfolio) -> dict[int, date]:
    """Policy -> when the first of its chain started, one policy after the other."""
    known: dict[int, date] = {}
    before: dict[tuple[int, str, date], list[date]] = {}
    columns = ("policy", "customer", "branch", "start_date", "replaced_on", "replaces")
    for policy, customer, branch, start, replaced, replaces in (
        book.policies.select(columns).sort("start_date", "policy").iter_rows()
    ):
        known[policy] = min([start, *(before.get((customer, branch, start), []) if replaces else [])])
        if replaced is not None:
            before.setdefault((customer, branch, replaced), []).append(known[policy])
    return known


def test_exposure_and_lapses_are_those_of_lifelines(office: Portfolio) -> None:
    found = review(in_force(office))
    assert found is not None
    assert office.policies["replaces"].any()
    origin = chains(office)
    for year in (2023, 2024):
        for branch in ("auto", "avp", "inboedel"):
            first, last = date(year - 1, 12, 31), date(year, 12, 31)
            rows = []
            for row in office.policies.filter(pl.col("branch") == branch).to_dicts():
                end = row["end_date"] or date(9000, 1, 1)
                entry, leave = max(row["start_date"], first), min(end, last)
                lapse = end <= last and row["cause"] != "technical" and row["replaced_on"] is None
                if entry < leave:
                    rows.append((origin[row["policy"]], entry, leave, lapse))
            told = found.table.filter((pl.col("branch") == branch) & (pl.col("year") == year))
            expected = {name: each for name, each in counted_by_lifelines(rows).items() if each[0]}
            shown = {row["policy_year"]: row for row in told.to_dicts() if row["policy_year"] not in ("all", "rest")}
            assert set(shown) <= set(expected)
            assert len(shown) >= 4
            for band, row in shown.items():
                assert row["lapses"] == expected[band][1], (branch, year, band)
                assert row["policy_years"] == pytest.approx(expected[band][0] / 365.25)
            whole = told.filter(pl.col("policy_year") == "all").to_dicts()[0]
            assert whole["lapses"] == sum(row[3] for row in rows)
            assert whole["policy_years"] == pytest.approx(sum(days for days, _ in expected.values()) / 365.25)


def test_what_is_shown_adds_up_to_the_book(office: Portfolio) -> None:
    found = review(in_force(office))
    assert found is not None
    for year in found.table["year"].unique():
        rows = found.table.filter(pl.col("year") == year)
        book = rows.filter(pl.col("branch") == "all")
        branches = rows.filter((pl.col("policy_year") == "all") & (pl.col("branch") != "all"))
        bands = rows.filter(pl.col("policy_year") != "all")
        assert branches["lapses"].sum() == book["lapses"].sum()
        assert branches["policy_years"].sum() == pytest.approx(book["policy_years"].sum())
        assert branches["commission_lapsed"].sum() == pytest.approx(book["commission_lapsed"].sum())
        rest = branches.filter(pl.col("branch") == "rest")["lapses"].sum()
        assert bands["lapses"].sum() + rest == book["lapses"].sum()


def one(start: str, end: str | None, **more: object) -> pl.DataFrame:
    row = {
        "policy": 0, "customer": 0, "branch": "auto", "start_date": date.fromisoformat(start),
        "end_date": date.fromisoformat(end) if end else None, "cause": "preventable" if end else None,
        "replaced_on": None, "replaces": False, "level_cents": 1000, **more,
    }  # fmt: skip
    schema = {
        "policy": pl.UInt32, "customer": pl.UInt32, "branch": pl.String, "start_date": pl.Date, "end_date": pl.Date,
        "cause": pl.String, "replaced_on": pl.Date, "replaces": pl.Boolean, "level_cents": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame([row], schema=schema)


def test_a_lapse_at_the_first_renewal_is_one_of_the_first_policy_year() -> None:
    table, lapses = cells(
        with_origin(one("2022-04-01", "2023-04-01")), calendar_years(date(2021, 12, 31), date(2023, 12, 31))
    )
    assert table.select("period", "policy_year", "days", "lapses").rows() == [(2022, 1, 274, 0), (2023, 1, 91, 1)]
    assert lapses.height == 1


def test_a_policy_is_a_year_older_the_day_after_its_anniversary() -> None:
    year = calendar_years(date(2022, 12, 31), date(2023, 12, 31))[0]
    found = pieces(with_origin(one("2020-02-29", None)), year)
    assert found.select("policy_year", "days").rows() == [(3, 59), (4, 306)]


def test_a_continued_policy_keeps_its_age_and_its_end_is_no_lapse() -> None:
    first = one("2018-06-01", "2022-06-01", replaced_on=date(2022, 6, 15))
    second = one("2022-06-15", None, replaces=True, policy=1)
    book = with_origin(pl.concat([first, second]))
    assert book["origin"].to_list() == [date(2018, 6, 1)] * 2
    table, lapses = cells(book, calendar_years(date(2021, 12, 31), date(2022, 12, 31)))
    assert lapses.is_empty()
    assert table.select("policy_year", "days").rows() == [(4, 152), (5, 199)]


def test_a_policy_from_before_the_recorded_history_enters_late() -> None:
    table, _ = cells(with_origin(one("2000-01-01", None)), calendar_years(date(2023, 6, 30), date(2023, 12, 31)))
    assert table.select("policy_year", "days").rows() == [(21, 184)]


def test_closed_years_go_back_to_the_first_recorded_day() -> None:
    found = closed_periods(date(2020, 3, 31), date(2023, 10, 31))
    assert [(each.first, each.last) for each in found] == [
        (date(2020, 10, 31), date(2021, 10, 31)), (date(2021, 10, 31), date(2022, 10, 31)),
        (date(2022, 10, 31), date(2023, 10, 31)),
    ]  # fmt: skip


def test_limited_fluctuation_is_the_square_root_rule() -> None:
    assert pytest.approx(1082.41, abs=0.2) == FULL
    assert limited_fluctuation(FULL / 4) == pytest.approx(0.5)
    assert limited_fluctuation(2000) == 1.0
    assert effective(np.array([1.0] * 40)) == 40.0
    assert effective(np.array([2.0] * 20)) == 20.0
    assert effective(np.array([1000.0, 0.001])) == pytest.approx(1.0, abs=1e-5)


def test_buhlmann_straub_is_that_of_the_textbooks() -> None:
    """The formulas of Klugman, Panjer and Willmot, Loss Models, by hand for two group policyholders.

    Group 1: 10,000 and 13,000 on 50 and 60 persons; group 2: 18,000, 21,000 and 17,000 on 100, 110 and 105."""
    amounts = np.array([[10000.0, 13000.0, 0.0], [18000.0, 21000.0, 17000.0]])
    persons = np.array([[50.0, 60.0, 0.0], [100.0, 110.0, 105.0]])
    found = buhlmann_straub(amounts, persons)
    means = [23000 / 110, 56000 / 315]
    within = (
        50 * (200 - means[0]) ** 2 + 60 * (13000 / 60 - means[0]) ** 2
        + 100 * (180 - means[1]) ** 2 + 110 * (21000 / 110 - means[1]) ** 2 + 105 * (17000 / 105 - means[1]) ** 2
    ) / 3  # fmt: skip
    whole = 79000 / 425
    between = (110 * (means[0] - whole) ** 2 + 315 * (means[1] - whole) ** 2 - within) / (425 - (110**2 + 315**2) / 425)
    assert found.within == pytest.approx(within) == pytest.approx(17830.69, abs=0.01)
    assert found.between == pytest.approx(between) == pytest.approx(380.90, abs=0.01)
    assert found.weight == pytest.approx([110 / (110 + within / between), 315 / (315 + within / between)])
    mean = float((found.weight * means).sum() / found.weight.sum())
    assert found.collective == pytest.approx(mean)


def test_groups_that_do_not_differ_have_no_credibility() -> None:
    same = np.full((4, 3), 100.0)
    found = buhlmann_straub(same * 1.2, same, at_least=1.0)
    assert found.between == 0
    assert found.estimate == pytest.approx(1.2)


def test_a_trend_is_found_where_there_is_one_and_not_from_three_lapses() -> None:
    expected = np.full(5, 400.0)
    found = trend(np.array([400.0, 440, 480, 520, 560]), expected, 1.0)
    assert found is not None
    assert found.low < 40 / 480 < found.high
    assert found.low > 0
    flat = trend(np.full(5, 400.0), expected, 1.0)
    assert flat is not None
    assert flat.low < 0 < flat.high
    assert trend(np.array([1.0, 1, 1]), np.ones(3), 1.0) is None


def test_a_month_in_which_more_ends_stands_out() -> None:
    rows = [one("2010-01-01", f"{year}-01-01", policy=n, customer=n) for year in (2022, 2023) for n in range(40)]
    rows += [one("2010-01-01", None, policy=100 + n, customer=100 + n) for n in range(900)]
    found = months(pl.concat(rows), date(2021, 12, 31), date(2023, 12, 31))
    assert found["index"][0] > 10
    assert found["low"][0] > 1
    assert found["index"].to_list()[1:] == [0.0] * 11


def test_the_basis_is_drawn_to_the_book_and_has_a_wider_margin_where_less_is_known(office: Portfolio) -> None:
    base = in_force(office)
    policies = with_origin(base.policies)
    found, lapses = cells(policies, closed_periods(date(2020, 12, 31), date(2024, 12, 31)))
    branches = [*sorted(found["branch"].unique()), "unknown_here"]
    basis = lapse_basis(found, lapses, branches)
    rates = {(row["branch"], row["policy_year"]): row for row in basis.rates.to_dicts()}
    assert rates["unknown_here", 1]["source"] == "book"
    assert rates["unknown_here", 1]["margin"] > rates["auto", 1]["margin"]
    for row in rates.values():
        if row["rate"] is not None:
            assert 0 < row["low"] < row["rate"] < row["high"]
    expected = basis.expected(found)
    assert float(expected["expected"].sum()) == pytest.approx(found["lapses"].sum(), rel=0.03)


def test_what_is_expected_of_a_year_knows_nothing_of_it(office: Portfolio) -> None:
    """Ends after 2023 cannot move what was expected of 2023."""
    base = review(in_force(office))
    later = pl.col("end_date") > date(2024, 2, 1)
    other = replace(office, policies=office.policies.with_columns(end_date=pl.when(~later).then("end_date")))
    changed = review(in_force(other))
    assert base is not None and changed is not None
    columns = ["branch", "policy_year", "expected"]
    before, after = (each.table.filter(pl.col("year") == 2023).select(columns) for each in (base, changed))
    assert before["expected"].null_count() < before.height
    assert before.equals(after)


def test_a_cell_of_few_customers_never_stands_alone() -> None:
    assert stands_alone({"a": 3, "b": 40, "c": 90}, 5) == {"c"}
    assert stands_alone({"a": 3, "b": 2}, 5) == set()
    assert stands_alone({"a": 9, "b": 8}, 5) == {"a", "b"}


def test_a_short_history_or_none_has_no_review() -> None:
    assert review(in_force(fx.portfolio(60, ended=False))) is None
    assert review(in_force(fx.portfolio(60, months=8))) is None


def test_nothing_depends_on_the_order_of_rows() -> None:
    book = fx.portfolio(300)
    other, _ = fx.shuffled(book, fx.models(book))
    first, second = review(in_force(book)), review(in_force(other))
    assert first is not None and second is not None
    assert first.table.equals(second.table)
    assert first.basis.equals(second.basis)
    assert first.figures == second.figures


def test_days_at_risk_are_all_days_once() -> None:
    """Cut by year and age, every policy's days add up to those between its entry and its exit."""
    book = with_origin(in_force(fx.portfolio(80)).policies)
    since, until = date(2021, 1, 31), date(2025, 10, 31)
    found = pl.concat([pieces(book, each) for each in calendar_years(since, until)])
    days = dict(found.group_by("policy").agg(pl.col("days").sum()).iter_rows())
    for row in book.to_dicts():
        last = min(row["end_date"] or until, until)
        assert days.get(row["policy"], 0) == max(0, (last - max(row["start_date"], since)).days)
    assert found.group_by("policy", "period").len()["len"].max() <= 2


def test_calendar_years_join_without_a_gap() -> None:
    found = calendar_years(date(2021, 5, 17), date(2024, 2, 1))
    assert all(before.last == after.first for before, after in pairwise(found))
    assert [each.whole for each in found] == [False, True, True, False]
    assert found[0].first + timedelta(days=1) == date(2021, 5, 18)
