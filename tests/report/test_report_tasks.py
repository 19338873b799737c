"""The tasks of a run: one row per customer whom the office contacts, and nobody else."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from akb.core.wording.text import texts
from akb.report.bundle import RunBundle
from akb.report.context import Context
from akb.report.portal import portal_facts
from akb.report.portal.tasks import COLUMNS, task_table, tasks_csv
from tests.report import fixtures


@pytest.fixture(scope="module")
def planned() -> RunBundle:
    return fixtures.with_plan(fixtures.full())


def test_every_contact_that_the_office_begins_is_one_task(planned: RunBundle) -> None:
    facts = portal_facts(Context(planned))
    rows = task_table(facts).to_dicts()
    shown = dict(facts.people.select("customer", "shown").iter_rows())
    stopped = set(facts.people.filter(pl.col("stop").is_not_null())["customer"])
    listed = facts.lists["next_best_action"]["customer"].to_list()
    begun = [shown[each] for each in listed if each not in stopped]
    assert [row["customer"] for row in rows if row["list"] == "next_best_action"] == begun
    assert len({row["customer"] for row in rows}) == len(rows) > 0
    calling = {shown[each] for each in facts.lists["when_calling"]["customer"]}
    assert not calling & {row["customer"] for row in rows}
    for row in rows:
        assert row["subject"].startswith(row["kind"])
        assert row["kind"] in texts("tasks")["kind"].values()
        assert row["why"] and row["before"] > facts.context.as_of


def test_the_control_group_and_who_objects_have_no_task(planned: RunBundle) -> None:
    facts = portal_facts(Context(planned))
    shown = dict(facts.people.select("customer", "shown").iter_rows())
    assert planned.value is not None
    actions = planned.value.lists["next_best_action"]
    drawn = {shown[each] for each in actions.filter(pl.col("control"))["customer"]}
    assert drawn and not drawn & set(task_table(facts)["customer"])
    objects = next(  # listed before he objected
        each
        for each in facts.lists["next_best_action"]["customer"]
        if shown[each] in set(task_table(facts)["customer"])
    )
    customers = planned.portfolio.customers.with_columns(
        no_marketing=pl.col("no_marketing") | (pl.col("customer") == objects)
    )
    later = replace(planned, portfolio=replace(planned.portfolio, customers=customers))
    assert shown[objects] in set(task_table(facts)["customer"])
    assert shown[objects] not in set(task_table(portal_facts(Context(later)))["customer"])


def test_the_file_says_nothing_of_chances_and_euros(planned: RunBundle) -> None:
    text = tasks_csv(portal_facts(Context(planned))).decode("utf-8-sig")
    head, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert head == [texts("tasks")["head"][name] for name in COLUMNS]
    assert rows and all(len(row) == len(COLUMNS) for row in rows)
    assert "%" not in text and "€" not in text
    assert not any(word in text for word in ("Behouden", "Uitbreiden", "uitgeblust", "churn"))
    day = rows[0][COLUMNS.index("before")]
    assert date(int(day[6:]), int(day[3:5]), int(day[:2])) > planned.portfolio.as_of


def test_without_a_plan_there_are_headings(planned: RunBundle) -> None:
    made = tasks_csv(portal_facts(Context(replace(planned, value=None))))
    assert made.decode("utf-8-sig").count("\r\n") == 1
