"""Assumptions at the least and the most that is allowed: a figure or a sentence, never a fault or a number lost."""

from __future__ import annotations

import math
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

import pytest
from value_fixtures import models, portfolio, settings

from akb.config import load_settings
from akb.core.errors import AkbError
from akb.value import run_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from akb.config import Assumption

REGISTER = load_settings().assumed()
OFFICE = portfolio(60, advisers=0)
MADE = models(OFFICE)
MOST = 1_000_000.0
ASKED = [
    *(name for name in REGISTER if name.startswith(("value.", "capacity.", "contact_policy.years", "outlook."))),
    *(name for name in REGISTER if name.startswith(("contacts.call.", "contacts.inbound_else_call.", "experiment."))),
    *("planning.secondary_share", "inbound.rate", "lists.ageing", "price.self_hours", "case.correlation"),
    *("cross_sell.years", "contact_policy.hours_per_adviser"),
]
"""Years, divisors and shares of which the ends are special."""
ENDLESS = {"value.indexation"}
"""What makes amounts grow beyond what can be counted when it is that large."""


def ends(entry: Assumption) -> tuple[float, ...]:
    """The least and the most of 0, 1, 100 and a million that the register lets through."""
    allowed = [value for value in (0.0, 1.0, 100.0, MOST) if entry.complaint(value) is None]
    return allowed[0], allowed[-1]


@pytest.mark.parametrize("name", ASKED)
def test_an_assumption_at_either_end_is_worked_out(name: str) -> None:
    for value in ends(REGISTER[name]):
        assumed = settings(**{name.replace(".", "__"): value})
        if name in ENDLESS and value == MOST:
            with pytest.raises(AkbError, match="without end"):
                run_value(OFFICE, MADE, assumed)
            continue
        made = run_value(OFFICE, MADE, assumed)
        assert not list(_broken(made.figures)), name
        assert made.case is not None
        nets = [made.case.cohort.net, *(row.net for row in made.case.options)]
        for line in (*made.case.cohort.lines, *nets):
            assert line.low <= line.base <= line.high, (name, value, line)
        for told in (made.case.cohort, made.case.plan, made.case.sensitivity, made.case.advice, made.case.facts):
            assert not list(_broken(told)), (name, value)


def _broken(told: Any, path: str = "") -> Iterator[str]:
    """Where a figure is no number."""
    if is_dataclass(told):
        told = vars(told)
    if isinstance(told, dict):
        for key, value in told.items():
            yield from _broken(value, f"{path}.{key}")
    elif isinstance(told, list | tuple):
        for value in told:
            yield from _broken(value, path)
    elif isinstance(told, float) and not math.isfinite(told):
        yield path
