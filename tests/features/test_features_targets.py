"""What happened after T, against a slow reading of the definitions, day by day and policy by policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from portfolios import (
    CAUSES,
    GAP,
    RECORDED_FROM,
    Customer,
    Policy,
    Rows,
    X,
    continuation,
    in_order,
    portfolio,
    rows_drawn,
)

from akb.config import Settings
from akb.core.dates import add_months
from akb.features import build_matrix, build_targets
from akb.features.branch_rows.rows import eligible_dates
from akb.features.grid import AHEAD
from akb.features.types import Targets, TaughtBranches
from tests.examples import examples

SETTINGS = Settings.model_validate({"models": {"min_events": 1}})
DATES = [date(2021, 8, 31), date(2022, 11, 30), date(2023, 10, 31), X]
MANY = settings(
    max_examples=examples(8),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SEGMENT = {key: branch.segment for key, branch in SETTINGS.taxonomy().items()}


def targets_of(rows: Rows, dates: list[date] = DATES, **given_: object) -> Targets:
    made = portfolio(rows, **given_)  # type: ignore[arg-type]
    return build_targets(made, build_matrix(made, dates, SETTINGS), SETTINGS)


@dataclass
class Slow:
    """The definitions of docs/architecture.md, written down as they are read."""

    rows: Rows

    def __post_init__(self) -> None:
        self.policies = in_order(self.rows)
        self.next = {id(p): continuation(self.policies, p) for p in self.policies}
        self.successors = {id(p) for p in self.next.values() if p is not None}

    def of(self, customer: int) -> list[Policy]:
        return [p for p in self.policies if p.customer == customer]

    def in_force(self, day: date) -> list[int]:
        return sorted({p.customer for p in self.policies if p.in_force(day)})

    def relation(self, customer: int, day: date) -> tuple[date | None, str | None, date | None]:
        """End, cause, and the day of a technical end."""
        mine = self.of(customer)
        while (day := day + timedelta(days=1)) <= X:
            if any(p.in_force(day) for p in mine):
                continue
            if any(day < p.start <= day + timedelta(days=GAP) for p in mine):
                continue
            causes = [p.cause or "unknown" for p in mine if p.end == day]
            cause = min(causes, key=CAUSES.index)
            return (None, None, day) if cause == "technical" else (day, cause, None)
        return None, None, None

    def lapses(self, customer: int, day: date, branch: str | None = None) -> list[date]:
        """The days on which the lines of the policies in force at T lapse."""
        ends: dict[int, date] = {}
        for p in self.of(customer):
            if not p.in_force(day) or (branch and p.branch != branch):
                continue
            last = p
            while (following := self.next[id(last)]) is not None:
                last = following
            if last.end is not None and last.end <= X and last.cause != "technical":
                ends[id(last)] = last.end
        return sorted(ends.values())

    def purchases(self, customer: int, day: date, branch: str | None = None) -> list[date]:
        mine = self.of(customer)
        held = {p.branch for p in mine if p.in_force(day)}
        found = []
        for p in mine:
            before = [q for q in mine if q.start < p.start and (q.end is None or (p.start - q.end).days <= GAP)]
            new = not any(q.branch == p.branch for q in before)
            if p.start > day and before and new and p.branch not in held and id(p) not in self.successors:
                found.append((p.start, p.branch))
        return sorted(start for start, each in found if branch in (None, each))


@MANY
@given(st.one_of(rows_drawn(), rows_drawn(stays=False)))
def test_targets_agree_with_the_definitions_read_slowly(rows: Rows) -> None:
    slow, targets = Slow(rows), targets_of(rows)
    expected = [(day, customer) for day in DATES for customer in slow.in_force(day)]
    assert targets.relation.select("as_of", "customer").rows() == expected
    counted = targets.counts.select("first_lapse", "first_purchase", *(f"lapses_{months}m" for months in AHEAD))
    for (day, customer), end, count in zip(
        expected, targets.relation.drop("as_of", "customer").rows(), counted.rows(), strict=True
    ):
        left, cause, censored = slow.relation(customer, day)
        assert end == (left, cause, censored)
        lapses = slow.lapses(customer, day)
        first = min([*lapses, *([left] if left else [])], default=None)
        bought = slow.purchases(customer, day)
        ahead = [add_months(day, months) for months in AHEAD]
        within = [max(sum(each <= then for each in lapses), int(left is not None and left <= then)) for then in ahead]
        assert count == (first, bought[0] if bought else None, *within)
    _branch_rows_agree(rows, slow, targets)


def _branch_rows_agree(rows: Rows, slow: Slow, targets: Targets) -> None:
    kinds = {c.number: c.kind for c in rows.customers}
    fitting = {"private": "P PZ", "business": "Z PZ"}
    for day in DATES:
        held = targets.held.frame.filter(pl.col("as_of") == day)
        for customer, branch, label, event in held.select("customer", "branch", "label", "event_date").iter_rows():
            lapses = slow.lapses(customer, day, branch)
            assert event == (lapses[0] if lapses else None)
            assert label == float(event is not None and event <= add_months(day, 12))
        every = {(p.customer, p.branch) for p in slow.policies if p.in_force(day)}
        assert set(held.select("customer", "branch").iter_rows()) <= every
        eligible = targets.eligible.frame.filter(pl.col("as_of") == day)
        for customer, branch, label, event in eligible.select("customer", "branch", "label", "event_date").iter_rows():
            assert (customer, branch) not in every
            assert SEGMENT[branch] in fitting.get(kinds[customer] or "", "P Z PZ").split()
            bought = slow.purchases(customer, day, branch)
            assert event == (bought[0] if bought else None)
            assert label == float(event is not None and event <= add_months(day, 12))


def test_a_relation_bridges_a_gap_of_g_days_and_not_one_more() -> None:
    end = date(2023, 11, 10)

    def left(gap: int) -> date | None:
        rows = Rows(
            (
                Policy(0, "auto", date(2019, 1, 1), end, "preventable"),
                Policy(0, "avp", end + timedelta(days=gap)),
            ),
            (Customer(0),),
        )
        return targets_of(rows, [date(2023, 10, 31)]).relation["end_date"][0]

    assert left(GAP) is None
    assert left(GAP + 1) == end


def test_on_the_last_day_a_natural_cause_goes_first_and_a_technical_end_is_no_churn() -> None:
    end, day = date(2023, 11, 10), date(2023, 10, 31)

    def cause(*causes: str) -> tuple[object, ...]:
        policies = tuple(Policy(0, "auto", date(2019, 1, n), end, each) for n, each in enumerate(causes, 1))
        return targets_of(Rows(policies, (Customer(0),)), [day]).relation.drop("as_of", "customer").row(0)

    assert cause("preventable", "insurer", "natural") == (end, "natural", None)
    assert cause("technical", "preventable", "insurer") == (end, "insurer", None)
    assert cause("unknown", "preventable") == (end, "preventable", None)
    assert cause("technical", "technical") == (None, None, end)


def test_a_renumbered_policy_lapses_when_its_successor_does() -> None:
    day = date(2023, 10, 31)
    rows = Rows(
        (
            Policy(0, "auto", date(2019, 1, 1), date(2024, 1, 1), "technical"),
            Policy(0, "auto", date(2024, 1, 1), date(2024, 6, 1), "preventable"),
            Policy(0, "avp", date(2019, 1, 1)),
        ),
        (Customer(0),),
    )
    targets = targets_of(rows, [day])
    assert targets.counts.row(0)[2:5] == (date(2024, 6, 1), 1.0, None)
    assert targets.held.frame.filter(pl.col("branch") == "auto")["event_date"].to_list() == [date(2024, 6, 1)]
    features = build_matrix(portfolio(rows), [date(2024, 3, 31), X], SETTINGS).frame
    assert features["past_lapses_12m"].to_list() == [0.0, 1.0]
    assert features["converted_12m"].to_list() == [1.0, 1.0]
    assert features["purchases_12m"].to_list() == [0.0, 0.0]


def test_the_cause_is_that_of_the_end_that_empties_the_relation() -> None:
    rows = Rows(
        (
            Policy(0, "auto", date(2019, 1, 1), date(2023, 11, 9), "natural"),
            Policy(0, "avp", date(2019, 1, 1), date(2023, 11, 10), "preventable"),
        ),
        (Customer(0),),
    )
    relation = targets_of(rows, [date(2023, 10, 31)]).relation
    assert relation.row(0)[2:] == (date(2023, 11, 10), "preventable", None)


def test_two_policies_that_went_on_in_one_lapse_once() -> None:
    moved, lapsed = date(2024, 1, 1), date(2024, 6, 1)
    rows = Rows(
        (
            Policy(0, "auto", date(2019, 1, 1), moved, "technical"),
            Policy(0, "auto", date(2020, 1, 1), moved, "technical"),
            Policy(0, "auto", moved, lapsed, "preventable"),
            Policy(0, "avp", date(2019, 1, 1)),
        ),
        (Customer(0),),
    )
    assert targets_of(rows, [date(2023, 10, 31)]).counts.row(0)[2:5] == (lapsed, 1.0, None)


def _announced_rows() -> Rows:
    later = date(2025, 2, 1)
    return Rows(
        (
            Policy(0, "auto", date(2019, 1, 1), later, "preventable"),
            Policy(1, "auto", date(2019, 1, 1), later, "preventable"),
            Policy(1, "avp", date(2019, 1, 1)),
            Policy(2, "auto", date(2019, 1, 1), later, "natural"),
            Policy(2, "avp", later + timedelta(days=10)),
            Policy(3, "auto", date(2019, 1, 1), later, "technical"),
        ),
        tuple(Customer(number) for number in range(4)),
    )


def test_announced_are_the_relations_of_which_every_policy_ends() -> None:
    """Not if another policy stays, if a known one starts within G days, or if the end is technical."""
    targets = targets_of(_announced_rows(), [X])
    assert targets.announced.rows() == [(0, date(2025, 2, 1), "preventable")]
    assert targets.relation["end_date"].null_count() == 4
    assert targets.counts["first_lapse"].null_count() == 4


def test_in_a_replay_nothing_is_announced() -> None:
    assert targets_of(_announced_rows(), [X], export_day=date(2025, 3, 1)).announced.is_empty()


def test_announced_ends_and_signed_business_are_no_features() -> None:
    rows = _announced_rows()
    open_ = Rows(tuple(replace(p, end=None, cause=None) for p in rows.policies if p.start <= X), rows.customers)
    left, right = (build_matrix(portfolio(each), [X], SETTINGS) for each in (rows, open_))
    assert left.frame.equals(right.frame.select(left.frame.columns))


def test_rare_branches_have_no_rows() -> None:
    rows = Rows(
        (
            *(Policy(n, "auto", date(2019, 1, 1), date(2023, 12, n + 1), "preventable") for n in range(3)),
            *(Policy(n, "avp", date(2019, 1, 1)) for n in range(3)),
            Policy(0, "reis", date(2019, 1, 1), date(2023, 12, 1), "preventable"),
            *(Policy(n, "reis", date(2023, 12, 20)) for n in (1, 2)),
        ),
        tuple(Customer(n) for n in range(3)),
    )
    made = portfolio(rows)
    strict = Settings.model_validate({"models": {"min_events": 3}})
    targets = build_targets(made, build_matrix(made, [date(2023, 10, 31), X], strict), strict)
    assert set(targets.held.frame["branch"]) == {"auto"}
    assert targets.eligible.frame.is_empty()
    loose = Settings.model_validate({"models": {"min_events": 2}})
    assert set(
        build_targets(made, build_matrix(made, [date(2023, 10, 31), X], loose), loose).eligible.frame["branch"]
    ) == {"reis"}


@pytest.mark.parametrize(("lag", "last"), [(30, date(2023, 10, 31)), (0, date(2023, 10, 31)), (200, date(2023, 4, 30))])
def test_eligible_rows_stand_at_x_and_every_fourth_month_from_the_last_closed_date(lag: int, last: date) -> None:
    grid = sorted(add_months(X, -back) for back in range(0, 50, 2))
    found = eligible_dates(grid, Settings.model_validate({"time": {"registration_lag_days": lag}}))
    assert found[-2:] == [last, X]
    assert found[-3] == add_months(last, -4)


def test_no_date_before_the_history_and_an_empty_portfolio_makes_empty_frames() -> None:
    rows = Rows((Policy(0, "auto", RECORDED_FROM, date(2021, 1, 1), "natural"),), (Customer(0),))
    targets = targets_of(rows, [X])
    assert targets.relation.is_empty()
    assert targets.held.frame.is_empty()
    assert set(targets.held.names) <= set(targets.held.frame.columns)
    assert set(targets.eligible.names) <= set(targets.eligible.frame.columns)


def test_branches_too_rare_for_rows_tell_how_often_it_happened() -> None:
    begin = date(2019, 1, 1)
    lapsed = [Policy(number, "avp", begin, date(2022, 1 + number, 1), "preventable") for number in range(4)]
    bought = [Policy(number, "reis", date(2021, 10, 1)) for number in range(2)]
    rows = Rows((*lapsed, *bought, Policy(9, "auto", begin)), tuple(Customer(n) for n in (0, 1, 2, 3, 9)))
    made = portfolio(rows)
    told = Settings.model_validate({"models": {"min_events": 4}})
    found = build_targets(made, build_matrix(made, DATES, told), told)
    assert set(found.held.frame["branch"]) == {"avp"} and found.eligible.frame.is_empty()
    assert found.held.seldom == {"auto": 0, "reis": 0}
    assert found.eligible.seldom == {"auto": 0, "avp": 0, "reis": 2}


def test_where_stored_models_are_asked_no_definitions_are_compared_and_they_say_who_has_rows() -> None:
    rows = Rows((Policy(0, "auto", date(2019, 1, 1)), Policy(1, "avp", date(2019, 1, 1))), (Customer(0), Customer(1)))
    made = portfolio(rows)
    matrix = build_matrix(made, DATES, SETTINGS)
    taught = TaughtBranches(held=frozenset({"avp"}), eligible=frozenset({"auto"}))
    fitted, asked = build_targets(made, matrix, SETTINGS), build_targets(made, matrix, SETTINGS, taught)
    assert fitted.definitions is not None and asked.definitions is None
    assert set(asked.held.frame["branch"]) == {"avp"} and set(asked.eligible.frame["branch"]) == {"auto"}
    assert_frame_equal(asked.counts, fitted.counts)
