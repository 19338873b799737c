"""The worked number in each statistic is what it gives."""

import doctest
from importlib import import_module

import pytest

import akb.core.wording.reasons

STATISTICS = {
    "evidence.intervals": 8,
    "evidence.metrics": 5,
    "evidence.evidence": 1,
    "churn.hazard": 2,
    "churn.competing": 1,
    "churn.sbg": 1,
    "descriptive.profiles": 1,
}
"""Module -> how many functions of it show one at least."""


@pytest.mark.parametrize(("name", "least"), STATISTICS.items())
def test_the_examples_are_true(name: str, least: int) -> None:
    module = import_module(f"akb.models.{name}")
    shown = [each for each in doctest.DocTestFinder().find(module) if each.examples]
    assert len(shown) >= least
    assert doctest.testmod(module).failed == 0


def test_the_example_of_a_reason_is_true() -> None:
    assert doctest.testmod(akb.core.wording.reasons) == (0, 1)
