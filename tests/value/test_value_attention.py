"""Moments, months for contact, and handling cost by replay."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from value_fixtures import SETTINGS, X, models, portfolio

from akb.value.in_force import InForce
from akb.value.revenue.cost_proof import cost_replay
from akb.value.targeting.attention import attention, contact_months, moments


def with_churn(base: InForce, soon: np.ndarray, year: np.ndarray) -> InForce:
    scores = base.models.scores.with_columns(churn_3m=pl.Series(soon), churn_preventable_12m=pl.Series(year))
    return replace(base, models=replace(base.models, scores=scores))


def made(n: int = 60, **kept: object) -> InForce:
    book = replace(portfolio(n, **kept))  # type: ignore[arg-type]
    return InForce(book, models(book), SETTINGS)


def test_moments_follow_the_chances() -> None:
    base = made()
    soon, year = np.full(base.n, 0.01), np.full(base.n, 0.05)
    soon[0], year[1], soon[2] = 0.30, 0.20, np.nan
    soon[2] = 0.01
    year[2] = 0.0
    told = moments(with_churn(base, soon, year))
    assert told[:3] == ["threatens", "open", "quiet"]


def test_an_announced_leaver_is_that_before_anything_else_and_gets_no_month() -> None:
    base = made()
    who = int(base.customers["customer"][0])
    ends = pl.when(pl.col("customer") == who).then(pl.lit(X + timedelta(days=40))).otherwise("end_date")
    here = (pl.col("start_date") <= X) & (pl.col("end_date").is_null() | (pl.col("end_date") > X))
    policies = base.portfolio.policies.with_columns(end_date=pl.when(here).then(ends).otherwise("end_date"))
    base = replace(base, portfolio=replace(base.portfolio, policies=policies))
    base = with_churn(base, np.full(base.n, 0.01), np.full(base.n, 0.05))
    table = attention(base)
    assert table["moment"][0] == "announced"
    assert table["contact_month"][0] is None
    assert table["contact_month"][1:].is_between(1, 12).all()


def test_without_churn_there_is_no_moment_but_a_month() -> None:
    base = made(ended=False)
    assert set(moments(base)) == {None}
    months = contact_months(base)
    assert ((months >= 1) & (months <= 12)).all()


@pytest.mark.parametrize(("due", "month"), [(date(2020, 6, 15), 4), (date(2020, 1, 10), 1), (date(2020, 12, 1), 10)])
def test_contact_comes_two_months_before_a_renewal(due: date, month: int) -> None:
    base = made(ended=False)
    policies = base.portfolio.policies.with_columns(renewal_date=pl.lit(due))
    customers = base.portfolio.customers.with_columns(birth_year=pl.lit(1980, pl.Int32))
    base = replace(base, portfolio=replace(base.portfolio, policies=policies, customers=customers))
    assert set(contact_months(base).tolist()) == {month}


def steady(factor: float = 1.0) -> InForce:
    """Contacts and claims at a steady pace; `factor` times as many from the test day on."""
    base = made(300, months=60)
    rng = np.random.default_rng(5)
    days = np.arange(0, 1800, 1)
    pace = np.where(days < 400, 1.0 * factor, 1.0)
    tables = []
    for per_day in (4.0, 1.0):
        counts = rng.poisson(per_day * pace)
        when = [X - timedelta(days=int(day)) for day, count in zip(days, counts, strict=True) for _ in range(count)]
        who = rng.integers(0, 300, len(when))
        tables.append(pl.DataFrame({"customer": pl.Series(who, dtype=pl.UInt32), "date": when}))
    return replace(base, portfolio=replace(base.portfolio, contacts=tables[0], claims=tables[1]))


def test_cost_that_stays_the_same_is_told_and_cost_that_doubles_is_not() -> None:
    same, double = cost_replay(steady()), cost_replay(steady(2.2))
    assert same is not None
    assert double is not None
    assert same.evidence.calibration is not None
    assert same.evidence.calibration.observed_expected == pytest.approx(1.0, abs=0.12)
    assert double.gate == "fail"
    assert same.realised < 0.6 * double.realised


def test_there_is_no_proof_without_both_kinds_of_event() -> None:
    base = steady()
    assert cost_replay(replace(base, portfolio=replace(base.portfolio, claims=None))) is None
    late = base.portfolio.contacts.filter(pl.col("date") > date(2025, 1, 1))  # type: ignore[union-attr]
    assert cost_replay(replace(base, portfolio=replace(base.portfolio, contacts=late))) is None
