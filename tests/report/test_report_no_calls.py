"""Why nobody is called: the price of a call, no hours, or nobody who may be called. The page says which."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from akb.report.sections.case import told
from akb.report.write import report_files

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle

REASONS = {"no-calls", "no-hours", "nobody-to-call"}


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, "no-calls"),
        ({"contacts_possible_count": 0.0}, "no-hours"),
        ({"customers_callable_count": 0.0, "contacts_possible_count": 0.0}, "nobody-to-call"),
    ],
)
def test_the_page_says_why_nobody_is_called(full: RunBundle, facts: dict[str, float], reason: str) -> None:
    assert full.value is not None
    assert full.value.case is not None
    none = {"contacts_used_count": 0.0, "contacts_possible_count": 9.0, "customers_callable_count": 9.0}
    none |= {"payback_years": 3.0, "contact_cost": 1375.0, "first_call_cost": 1000.0, "outside_cost": 0}
    case = replace(full.value.case, facts={**full.value.case.facts, **none, **facts})
    page = report_files(replace(full, value=replace(full.value, case=case)))[0]["report.html"].decode()
    assert set(re.findall('data-test="([a-z-]+)"', page)) & REASONS == {reason}


def test_counts_of_too_few_customers_are_not_among_the_numbers_of_the_case(full: RunBundle) -> None:
    assert full.value is not None
    assert full.value.case is not None
    given = {"calls_pay_1_count": 3.0, "calls_pay_3_count": 9.0, "calls_pay_life_count": 0.0}
    given |= {"calls_pay_payback_count": 9.0, "contacts_used_count": 9.0, "customers_callable_count": 90.0}
    given |= {"offers_in_talks_count": 4.0, "pays_at_rescue_low_count": 1.0, "pays_at_rescue_high_count": 5.0}
    given |= {"round_cost": 9.0, "round_1": 9.0, "round_3": 9.0, "payback_years": 3.0, "outside_cost": 0.0}
    case = replace(full.value.case, facts=given, basis={"least": 5})
    said = told(case)["facts"]
    assert {name for name, value in said.items() if value is None} == {
        "calls_pay_1_count", "offers_in_talks_count", "pays_at_rescue_low_count",
    }  # fmt: skip
    page = report_files(replace(full, value=replace(full.value, case=case)))[0]["report.html"].decode()
    assert "bij minder dan 5 al binnen één jaar, bij 9 binnen drie jaar. Bij 0 verdient" in page
