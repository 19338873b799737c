"""Trends, combinations, coverage and answers, worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from portfolios import Customer, Policy, Rows, X, portfolio

from akb.config import Settings
from akb.core.dates import add_months
from akb.features import build_matrix

SETTINGS = Settings()
STAYS = Policy(0, "avp", date(2018, 3, 1))
MONTH = 30.4375


def at(*policies: Policy, **more: Any) -> dict[str, Any]:
    """The features of customer 0 at X."""
    people = more.pop("customers", tuple(Customer(number) for number in sorted({p.customer for p in policies})))
    frame = build_matrix(portfolio(Rows(policies, people, **more)), [X], SETTINGS).frame
    return frame.row(by_predicate=pl.col("customer") == 0, named=True)


def lost(branch: str, back: int, *, start: date = date(2019, 1, 1)) -> Policy:
    """A policy that ended `back` months (less a day) before X."""
    return Policy(0, branch, start, add_months(X, -back) + timedelta(days=1), "preventable")


def test_a_decline_quarter_by_quarter() -> None:
    """Four policies two years ago; one went in each of the last three quarters: 4 4 4 4 4 4 3 2 1."""
    values = at(STAYS, lost("auto", 9), lost("reis", 6), lost("zorg", 3))
    assert (values["quarters_falling"], values["quarters_growing"], values["quarters_with_decline"]) == (3, 0, 3)
    assert (values["policies_below_peak_24m"], values["share_of_peak_24m"]) == (3, 0.25)
    assert values["policies_acceleration_24m"] == (1 - 4) - (4 - 4)
    levels = [4, 4, 4, 4, 4, 4, 3, 2, 1]
    slope = sum((i - 4) * level for i, level in enumerate(levels)) / sum((i - 4) ** 2 for i in range(9))
    assert values["policies_slope_24m"] == pytest.approx(4 * slope)


def test_a_quarter_of_growth_ends_a_run_of_decline() -> None:
    values = at(STAYS, lost("auto", 9), lost("reis", 6), Policy(0, "zorg", add_months(X, -1)))
    assert (values["quarters_falling"], values["quarters_growing"], values["quarters_with_decline"]) == (0, 1, 2)
    assert values["start_trend"] == 4 * 1 - 1
    assert values["lapse_trend_36m"] == pytest.approx(2 - 2 / 3)
    assert values["lapses_against_starts_12m"] == 1


def test_a_first_lapse_together_with_what_is_left() -> None:
    once = at(STAYS, lost("auto", 3))
    assert (once["first_lapse_few_left"], once["first_lapse_left_policies"], once["one_left_after_lapse_12m"]) == (
        1,
        1,
        1,
    )
    assert once["first_lapse_many_left"] == 0
    assert once["months_between_lapses_36m"] is None
    assert once["longest_policy_lapsed_12m"] == 0
    twice = at(STAYS, lost("auto", 3), lost("reis", 1, start=date(2017, 6, 1)))
    assert (twice["first_lapse_left_policies"], twice["several_lapses_3m"], twice["longest_policy_lapsed_12m"]) == (
        0,
        1,
        1,
    )
    days = (add_months(X, -1) - add_months(X, -3)).days
    assert twice["months_between_lapses_36m"] == pytest.approx(days / MONTH)


def test_a_lapse_counts_half_after_six_months() -> None:
    ended = X - timedelta(days=round(6 * MONTH))
    assert at(STAYS, Policy(0, "auto", date(2019, 1, 1), ended, "preventable"))["lapse_strength"] == pytest.approx(
        0.5, abs=0.002
    )


def test_branch_by_branch() -> None:
    auto = Policy(0, "auto", X - timedelta(days=100), renewal=X + timedelta(days=40))
    values = at(STAYS, auto, lost("reis", 20))
    assert values["tenure_auto"] == pytest.approx(100 / MONTH)
    assert values["renewal_auto"] == pytest.approx(40 / MONTH)
    assert values["tenure_reis"] is None
    assert (values["lapsed_reis_36m"], values["lapsed_auto_36m"]) == (1, 0)


def test_gaps_and_what_was_given_up() -> None:
    values = at(STAYS, Policy(0, "inboedel", date(2020, 1, 1)), lost("auto", 6))
    assert (values["home_without_liability"], values["home_half_insured"], values["only_people"]) == (0, 1, 0)
    assert (values["gave_up_traffic_12m"], values["gave_up_home_12m"]) == (1, 0)
    assert values["themes"] == 2
    assert at(Policy(0, "zorg", date(2020, 1, 1)), STAYS)["only_people"] == 0
    assert at(Policy(0, "zorg", date(2020, 1, 1)))["only_people"] == 1


def test_density_is_that_of_the_same_life_stage() -> None:
    """Three customers of 45 with 1, 1 and 4 policies, one of 75: means are mixed with those of all, weight 50."""
    policies = (
        STAYS,
        Policy(1, "avp", date(2018, 3, 1)),
        *(Policy(2, branch, date(2018, 3, 1)) for branch in ("auto", "avp", "zorg", "reis")),
        Policy(3, "avp", date(2018, 3, 1)),
    )
    customers = (Customer(0), Customer(1), Customer(2), Customer(3, birth_year=1949))
    values = at(*policies, customers=customers)
    assert values["policies_against_stage"] == pytest.approx(1 / ((6 + 50 * 7 / 4) / (3 + 50)))


def test_a_claim_and_the_contact_after_it() -> None:
    claims = ((0, "auto", date(2024, 3, 1), 10_000, True), (0, "auto", date(2024, 11, 1), 10_000, False))
    contacts = ((0, date(2022, 1, 1), "phone", True, "vraag"), (0, date(2024, 3, 21), "phone", False, "schade"))
    early = ((0, "avp", date(2021, 12, 1), 1, False), *claims)
    first = ((0, date(2021, 12, 1), "email", True, "klacht"), *contacts)
    values = at(STAYS, Policy(0, "auto", date(2020, 1, 1)), claims=early, contacts=first)
    assert values["claims_without_contact_12m"] == 1
    assert values["months_claim_to_contact_36m"] == pytest.approx(20 / MONTH)
    assert (values["claims_on_traffic_12m"], values["claims_on_liability_12m"]) == (2, 0)
    assert (values["contacts_about_claim_12m"], values["complaint_then_silence_12m"]) == (1, 0)


def test_an_answer_is_known_from_the_day_on_which_it_came() -> None:
    claims = ((0, "avp", date(2021, 6, 1), 1, False), (0, "avp", date(2023, 12, 1), 1, False))
    contacts = ((0, date(2021, 6, 1), "phone", True, "vraag"), (0, date(2024, 1, 10), "phone", True, "vraag"))
    rows = Rows((STAYS,), (Customer(0),), claims=claims, contacts=contacts)
    dates = [date(2024, 1, 9), date(2024, 1, 10)]
    frame = build_matrix(portfolio(rows), dates, SETTINGS).frame
    assert frame["claims_without_contact_12m"].to_list() == [1, 0]


def test_payment_behaviour() -> None:
    payments = (
        (0, date(2021, 1, 5), "paid"),
        (0, date(2024, 2, 1), "reminder"),
        (0, date(2024, 2, 21), "paid"),
        (0, date(2024, 6, 1), "reversal"),
        (0, date(2024, 10, 1), "reminder"),
        (0, date(2024, 11, 1), "reminder"),
    )
    values = at(STAYS, payments=payments)
    assert (values["reminders_in_a_row_12m"], values["first_payment_trouble_12m"]) == (2, 1)
    assert values["months_to_pay_12m"] == pytest.approx(20 / MONTH)
    assert values["reversal_share_12m"] == 0.5
    assert values["reminder_trend"] == 4 * 2 - 3
