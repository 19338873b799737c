"""Five definitions of churn, lapses for non-payment, announced ends of policies, and former customers."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from portfolios import GAP, RECORDED_FROM, Customer, Policy, Rows, X, portfolio, rows_drawn

from akb.config import Settings, load_settings
from akb.core.dates import add_months
from akb.features import build_matrix, build_targets
from akb.features.definitions import DEFINITIONS
from akb.features.types import Targets
from tests.examples import examples

T = date(2023, 10, 31)
DATES = [date(2021, 8, 31), date(2022, 6, 30), T, X]
BEGIN = date(2018, 3, 1)


def settings_of(definition: str) -> Settings:
    return Settings.model_validate({"models": {"min_events": 1}, "churn": {"definition": definition}})


@cache
def targets_of(rows: Rows, definition: str = "all", **given_: object) -> Targets:
    told = settings_of(definition)
    made = portfolio(rows, **given_)  # type: ignore[arg-type]
    return build_targets(made, build_matrix(made, DATES, told), told)


def policies(*told: Policy) -> Rows:
    return Rows(told, tuple(Customer(number) for number in sorted({p.customer for p in told})))


def end_at(rows: Rows, definition: str, customer: int = 0, day: date = T) -> tuple[date | None, str | None]:
    table = targets_of(rows, definition).relation.filter((pl.col("as_of") == day) & (pl.col("customer") == customer))
    return table.select("end_date", "cause").row(0)


FAMILY = policies(
    Policy(0, "auto", BEGIN, date(2024, 3, 1), "preventable"),
    Policy(0, "auto", BEGIN, date(2024, 5, 1), "natural"),
    Policy(0, "avp", BEGIN, date(2024, 6, 1), "insurer"),
    Policy(0, "zorg", BEGIN, date(2024, 7, 1), "preventable"),
    Policy(0, "leven", BEGIN, date(2024, 9, 1), "natural"),
    Policy(1, "leven", BEGIN, date(2024, 8, 1), "natural"),
)


@pytest.mark.parametrize(
    ("definition", "end", "cause"),
    [
        ("any_policy", date(2024, 3, 1), "preventable"),
        ("main_branch", date(2024, 5, 1), "natural"),
        ("essential", date(2024, 6, 1), "insurer"),
        ("non_life", date(2024, 7, 1), "preventable"),
        ("all", date(2024, 9, 1), "natural"),
    ],
)
def test_each_definition_ends_the_relation_on_its_own_day(definition: str, end: date, cause: str) -> None:
    assert end_at(FAMILY, definition) == (end, cause)
    # who holds nothing that counts is judged on everything
    assert end_at(FAMILY, definition, customer=1) == (date(2024, 8, 1), "natural")


def test_a_new_policy_that_counts_continues_the_relation_under_a_narrow_definition() -> None:
    later = date(2024, 6, 1) + timedelta(days=GAP)
    rows = policies(*FAMILY.policies, Policy(0, "auto", later))
    assert end_at(rows, "essential") == (None, None)
    assert end_at(rows, "any_policy") == (date(2024, 3, 1), "preventable")


def test_a_technical_end_of_one_branch_is_no_loss() -> None:
    rows = policies(Policy(0, "auto", BEGIN, date(2024, 3, 1), "technical"), Policy(0, "avp", BEGIN))
    assert end_at(rows, "any_policy") == end_at(rows, "main_branch") == (None, None)


@settings(max_examples=examples(3), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rows_drawn())
def test_a_wider_definition_never_ends_later(rows: Rows) -> None:
    made = portfolio(rows)
    matrix = build_matrix(made, DATES, settings_of("all"))  # no feature depends on what counts as churn
    told = {definition: build_targets(made, matrix, settings_of(definition)) for definition in DEFINITIONS}
    never = date(9000, 1, 1)

    def ends(definition: str) -> list[date]:
        table = told[definition].relation
        return table.select(pl.coalesce("end_date", "censored_on").fill_null(never)).to_series().to_list()

    for definition in DEFINITIONS:
        assert all(own <= whole for own, whole in zip(ends(definition), ends("all"), strict=True))
        first = told[definition].counts["first_lapse"].fill_null(never).to_list()
        lost = told[definition].relation["end_date"].fill_null(never).to_list()
        assert all(lapse <= end for lapse, end in zip(first, lost, strict=True))  # churn <= any lapse
        labels = told[definition].definitions
        assert labels is not None and labels.columns == ["as_of", "customer", *DEFINITIONS]
        seen = labels.join(told[definition].relation, on=["as_of", "customer"], maintain_order="left")
        year = (
            seen.select(pl.col("end_date") <= pl.col("as_of").dt.offset_by("12mo")).to_series().fill_null(value=False)
        )
        agreed = seen[definition].is_null() | (seen[definition] == year.cast(pl.Float32))
        assert agreed.all()
    assert all(
        line >= one for line, one in zip(ends("main_branch"), ends("any_policy"), strict=True)
    )  # an empty branch has lost a policy


MONEY = ("commission_drop", "commission_drop_possible", "bleeder", "bleeder_possible", "feeder", "margin_now")


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_who_left_one_branch_still_earns_costs_and_stays(definition: str) -> None:
    """Money and who stays are of the whole relation: its costs do not stop where a narrower definition sees an end."""
    told = (
        Policy(0, "auto", BEGIN, date(2024, 3, 1), "preventable"),
        Policy(0, "avp", BEGIN),
        Policy(1, "auto", BEGIN, date(2024, 2, 1), "technical"),
        Policy(1, "avp", BEGIN),
    )
    spoken = tuple((who, add_months(T, months), "phone", True, "Vraag") for who in (0, 1) for months in (-30, 3, 13))
    rows = Rows(told, (Customer(0), Customer(1)), contacts=spoken)
    counts = targets_of(rows, definition).counts.filter(pl.col("as_of") == T)
    assert counts["bleeder_possible"].to_list() == [True, True]
    assert counts["commission_drop"].to_list() == [add_months(T, 12)] * 2
    assert counts.select(MONEY).equals(targets_of(rows).counts.filter(pl.col("as_of") == T).select(MONEY))
    # a standing cost of a whole year against twice EUR 20: nobody earns his keep
    assert counts["bleeder"].to_list() == [add_months(T, 12)] * 2


def test_a_whole_relation_that_is_announced_to_end_is_told_under_every_definition() -> None:
    soon = add_months(X, 2)
    rows = policies(
        Policy(0, "auto", BEGIN, soon, "preventable"),
        Policy(0, "leven", BEGIN),
        Policy(1, "auto", BEGIN, soon, "preventable"),
        Policy(1, "leven", BEGIN, add_months(X, 3), "natural"),
    )
    for definition in DEFINITIONS:
        found = targets_of(rows, definition)
        assert found.leaving is not None
        assert found.leaving.rows() == [(1, add_months(X, 3), "natural")]
        assert found.announced.height == (1 if definition == "all" else 2)


def test_the_setting_is_checked() -> None:
    with pytest.raises(Exception, match="definition"):
        load_settings(churn__definition="some")


def test_a_lapse_for_non_payment_is_one_of_the_lapses() -> None:
    rows = policies(
        Policy(0, "auto", BEGIN, date(2024, 5, 1), "insurer", reason="wanbetaling"),
        Policy(0, "avp", BEGIN, date(2024, 3, 1), "preventable", reason="overstap"),
        Policy(1, "auto", BEGIN, date(2024, 4, 1), "insurer", reason="verzekeraar"),
        Policy(1, "avp", BEGIN),
    )
    counts = targets_of(rows).counts.filter(pl.col("as_of") == T)
    assert counts["first_nonpayment"].to_list() == [date(2024, 5, 1), None]
    assert counts["first_lapse"].to_list() == [date(2024, 3, 1), date(2024, 4, 1)]


def test_announced_ends_of_policies_are_told_once_per_line_and_never_in_a_replay() -> None:
    soon, late = add_months(X, 2), add_months(X, 20)
    rows = policies(
        Policy(0, "auto", BEGIN, soon, "insurer", reason="wanbetaling"),
        Policy(0, "avp", BEGIN),
        Policy(1, "avp", BEGIN, late, "preventable"),
        Policy(2, "avp", BEGIN, soon, "technical"),
        Policy(3, "avp", BEGIN, soon, "preventable"),
        Policy(3, "avp", soon),  # continued: signed already
    )
    told = targets_of(rows).announced_lapses
    assert told is not None
    assert told.rows() == [(0, "auto", soon, True), (1, "avp", late, False)]
    replayed = targets_of(rows, export_day=add_months(X, 1)).announced_lapses
    assert replayed is not None and replayed.is_empty()


def test_former_customers_are_those_who_left_and_had_not_come_back() -> None:
    left, back = date(2022, 4, 1), date(2024, 2, 1)
    rows = policies(
        Policy(0, "auto", BEGIN, left, "preventable"),
        Policy(0, "avp", back),
        Policy(1, "auto", BEGIN, left, "natural", reason="overlijden"),
        Policy(2, "auto", BEGIN, left, "natural", reason="einde_bedrijf"),
        Policy(3, "auto", BEGIN, left, "technical"),
        Policy(4, "auto", BEGIN, T - timedelta(days=GAP - 1), "preventable"),  # at T nobody knows yet
        Policy(5, "auto", BEGIN, date(2020, 9, 1), "preventable"),  # three years and more ago
        Policy(6, "auto", BEGIN, left, "insurer", reason="wanbetaling"),
        Policy(6, "avp", BEGIN, left - timedelta(days=20), "insurer"),
        Policy(7, "auto", BEGIN),
    )
    former = targets_of(rows).former
    assert former is not None
    then = former.frame.filter(pl.col("as_of") == T)
    assert then["customer"].to_list() == [0, 6]
    assert then["event_date"].to_list() == [back, None]
    assert then.select("former_policies", "former_unpaid", "former_insurer", "former_had_avp").rows() == [
        (1, 0, 0, 0),
        (2, 1, 1, 1),
    ]
    assert set(former.frame.filter(pl.col("as_of") == X)["customer"]) == {4, 6}


@settings(max_examples=examples(3), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(rows_drawn(stays=False))
def test_what_a_former_row_shows_was_known_at_t(rows: Rows) -> None:
    cut = DATES[1]
    known = Rows(
        tuple(
            Policy(p.customer, p.branch, p.start, *((p.end, p.cause) if p.end and p.end <= cut else (None, None)))
            for p in rows.policies
            if p.start <= cut
        ),
        rows.customers,
    )
    frames = [
        each.frame.filter(pl.col("as_of") == cut).drop("event_date")
        for each in (targets_of(rows).former, targets_of(known, recorded=RECORDED_FROM).former)
        if each is not None
    ]
    shared = [name for name in frames[0].columns if name in frames[1].columns]
    assert frames[0].select(shared).equals(frames[1].select(shared))
