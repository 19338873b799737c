from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import value_fixtures as f
from hypothesis import given
from hypothesis import strategies as st

from akb.core.privacy.disclosure import blanked, shown, unsaid
from akb.core.revenue import Terms, with_level, with_revenue
from akb.core.wording.text import load_toml
from akb.describe.relations import spells, year_rates
from akb.report.plain import plain
from akb.value import run_value
from akb.value.classes import class_of
from akb.value.in_force import InForce, band_labels, bands
from akb.value.lifetime.lost import closed_years


def _policies(*rows: tuple) -> pl.DataFrame:
    names = ["customer", "start_date", "end_date", "reason", "cause", "replaced_on", "commission_cents"]
    types = [pl.UInt32, pl.Date, pl.Date, pl.String, pl.String, pl.Date, pl.Int64]
    return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row").with_columns(
        branch=pl.lit("auto")
    )


START, FIRST, LAST = date(2015, 1, 1), date(2024, 1, 1), date(2025, 1, 1)


def test_three_rates_by_hand() -> None:
    policies = _policies(
        (0, START, None, None, None, None, 100),
        (1, START, date(2024, 3, 1), "overstap", "preventable", None, 200),  # leaves
        (2, START, date(2024, 3, 1), "overstap", "preventable", None, 300),  # lapses, stays with another policy
        (2, START, None, None, None, None, 400),
        (3, START, date(2024, 3, 1), "overlijden", "natural", None, 500),  # leaves, natural
        (4, START, date(2024, 3, 1), "technisch", "technical", date(2024, 3, 2), 600),  # renumbered
        (4, date(2024, 3, 2), None, None, None, None, 600),
        (5, START, date(2024, 3, 1), "overstap", "preventable", None, 700),  # back within 31 days: no churn
        (5, date(2024, 4, 1), None, None, None, None, 700),
        (6, START, date(2024, 3, 1), "overstap", "preventable", None, 800),  # back after 32 days: churn, win-back
        (6, date(2024, 4, 2), None, None, None, None, 800),
        (7, START, date(2025, 1, 2), "overstap", "preventable", None, 900),  # a day too late
        (8, START, date(2024, 3, 1), "technisch", "technical", None, 50),  # transferred: no churn
    )
    rates = year_rates(with_level(with_revenue(policies, Terms()), LAST, 0.0), spells(policies, 31), FIRST, LAST)
    assert (rates.customers, rates.left, rates.natural) == (9, 3, 1)
    assert (rates.policies, rates.lapsed) == (10, 5)
    assert rates.commission == 100 + 200 + 300 + 400 + 500 + 600 + 700 + 800 + 900 + 50
    assert rates.commission_lost == 200 + 300 + 500 + 700 + 800
    assert rates.customer_churn == 3 / 9
    assert rates.policy_lapse == 0.5


def test_the_cause_is_of_the_end_that_empties_the_relation() -> None:
    policies = _policies(
        (0, START, date(2024, 1, 1), "wanbetaling", "insurer", None, 1),
        (0, START, date(2024, 6, 1), "overstap", "preventable", None, 1),
        (1, START, date(2024, 6, 1), "overstap", "preventable", None, 1),
        (1, START, date(2024, 6, 1), "overlijden", "natural", None, 1),
    )
    assert spells(policies, 31)["cause"].to_list() == ["preventable", "natural"]


def test_a_long_policy_bridges_a_short_one() -> None:
    policies = _policies(
        (0, START, date(2020, 1, 1), None, "unknown", None, 1),
        (0, date(2016, 1, 1), date(2017, 1, 1), None, "unknown", None, 1),
        (0, date(2019, 12, 1), None, None, None, None, 1),
    )
    assert spells(policies, 31).height == 1


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12))
def test_no_small_group_is_shown_and_no_total_gives_one_away(counts: list[int]) -> None:
    rows = [{"key": str(place), "customers": count, "euros": 10 * count} for place, count in enumerate(counts)]
    out = shown(rows, 5)
    assert all(row["customers"] == 0 or row["customers"] >= 5 for row in out)
    total, kept = sum(counts), sum(row["customers"] for row in out)
    assert kept == total or 0 < total - kept < 5
    if total != kept:  # what is missing is smaller than the limit, and nothing else is shown beside it
        assert kept == 0
    assert all(row["euros"] == 10 * row["customers"] for row in out)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=12))
def test_few_events_in_a_large_group_are_not_told_nor_given_away_by_their_total(counts: list[int]) -> None:
    rows = [{"key": place, "customers": 50, "left": count, "share": count / 50} for place, count in enumerate(counts)]
    out = unsaid(rows, 5, "left", "share")
    assert [row["key"] for row in out] == [row["key"] for row in rows]
    away = [count for count, row in zip(counts, out, strict=True) if row["left"] is None]
    told = [count for count, row in zip(counts, out, strict=True) if row["left"] is not None]
    assert not [count for count in told if 0 < count < 5]
    assert all((row["left"] is None) == (row["share"] is None) for row in out)
    assert not away or (len(away) > 1 and sum(away) >= 5) or not any(told)


def test_a_series_keeps_its_rows() -> None:
    rows = [{"key": "a", "customers": 3, "in": 2, "policies": 9}, {"key": "b", "customers": 7, "in": 5, "policies": 2}]
    out = blanked(rows, 5, {"customers": ("customers", "in"), "policies": ("policies",)})
    assert out == [
        {"key": "a", "customers": None, "in": None, "policies": 9},
        {"key": "b", "customers": 7, "in": 5, "policies": None},
    ]


def test_bands_do_not_overlap() -> None:
    assert band_labels("churn", [0.0, 0.0499, 0.05, 0.0749, 0.075, 0.1, 0.2, 1.0]) == [
        "0–5 %", "0–5 %", "5–7,5 %", "5–7,5 %", "7,5–10 %", "10–20 %", "> 20 %", "> 20 %",
    ]  # fmt: skip
    assert band_labels("clv", [-1, 0, 750, 5500]) == ["negatief", "€ 0–1.000", "€ 0–1.000", "€ 5.000–10.000"]
    for name in load_toml("lists.toml")["bands"]:
        uppers, labels = bands(name)
        assert len(labels) == len(uppers) + 1
        assert uppers == sorted(set(uppers))


def test_classes_are_shares_of_customers() -> None:
    labels = class_of(np.arange(100)[::-1])
    assert [labels.count(label) for label in "ABCD"] == [10, 20, 30, 40]
    assert labels[0] == "A"
    assert labels[-1] == "D"
    assert class_of(np.zeros(0, dtype=np.int64)) == []


@pytest.fixture(scope="module")
def result():
    made = f.portfolio(500)
    return run_value(made, f.models(made), f.settings())


def test_sums_agree(result) -> None:
    figures = result.figures
    json.dumps(plain(figures))
    assert figures.concentration.curve[-1] == (1.0, pytest.approx(1.0))
    assert 0.2 < figures.concentration.commission_share < 1


def test_the_pair_shows_bands_and_no_ages(result) -> None:
    pair = result.figures.pair
    high, low = pair.high_commission, pair.high_stake
    assert high.class_by_commission == "A"
    assert low.class_by_commission in ("C", "D")
    assert high.commission > low.commission
    assert high.customer.startswith("K-")
    labels = bands("age")[1]
    assert high.age in labels
    assert low.age in labels
    assert not {"birth_year", "relation"} & set(vars(high))


def test_suppression_follows_the_setting() -> None:
    made = f.portfolio(60)
    settings = f.SETTINGS.model_copy(update={"report": f.SETTINGS.report.model_copy(update={"suppress_below": 25})})
    figures = run_value(made, f.models(made), settings).figures
    rows = figures.next_best
    assert rows
    assert all(row.customers == 0 or row.customers >= 25 for row in rows)


def test_no_relation_number_leaves_the_room(result) -> None:
    told = str(result.figures) + str(result.predictions) + str(result.findings) + str(result.case)
    assert "R00" not in told


def test_every_assumption_has_words_and_a_range() -> None:
    for name, entry in f.SETTINGS.assumed().items():
        assert entry.low <= entry.value <= entry.high, name
        assert entry.label, name
        assert entry.unit, name


def test_provisieverloop_compares_amounts_of_one_level() -> None:
    """Ten policies of € 100 in 2024, 10 % a year dearer since: two ended, and of those the amount froze."""
    end, today = date(2024, 3, 1), date(2026, 3, 1)
    grown = round(10_000 * 1.1 ** ((today - end).days / 365.25))
    policies = _policies(
        *((number, START, end, "overstap", "preventable", None, 10_000) for number in range(2)),
        *((number, START, None, None, None, None, grown) for number in range(2, 10)),
    )
    level = with_level(with_revenue(policies, Terms()), today, 0.1)
    rates = year_rates(level, spells(policies, 31), FIRST, LAST)
    assert rates.commission_lost == 2 * grown
    assert rates.commission_churn == pytest.approx(0.2)
    frozen = year_rates(with_level(level, today, 0.0), spells(policies, 31), FIRST, LAST)
    assert frozen.commission_churn is not None
    assert frozen.commission_churn < 0.175  # what froze looks smaller than it was


def test_the_spread_between_years_is_of_amounts_of_one_level() -> None:
    """A book that loses a fifth every year shows no trend between its years, however its amounts were indexed."""
    made = f.portfolio(60)
    one = made.policies.head(1).with_columns(start_date=pl.lit(date(2015, 1, 1)))
    rows = []
    for number in range(50):
        gone = f.X - timedelta(days=160 + 365 * (number // 10)) if number < 40 else None
        lasted = (f.X - gone).days / 365.25 if gone else 0.0
        rows.append(one.with_columns(
            policy=pl.lit(number, dtype=pl.UInt32), customer=pl.lit(number, dtype=pl.UInt32),
            end_date=pl.lit(gone, dtype=pl.Date), cause=pl.lit("preventable" if gone else None, dtype=pl.String),
            commission_cents=pl.lit(round(10_000 * 1.05**-lasted), dtype=pl.Int64),
        ))  # fmt: skip
    made = replace(made, policies=pl.concat(rows))
    shares = closed_years(InForce(made, f.models(made), f.settings(value__indexation=0.05)))
    assert shares == pytest.approx([10 / 20, 10 / 30, 10 / 40, 10 / 50], rel=1e-3)
