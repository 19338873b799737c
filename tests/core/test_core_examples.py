"""The worked numbers in docstrings are what the code gives, and each statistic shows one."""

from __future__ import annotations

import ast
import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ELSEWHERE = {"akb.api.calls"}
"""Examples that want an export beside them: `tests/end_to_end/test_eda_python.py` runs these."""

STATISTICS = (
    "akb.core.gates",
    "akb.core.proportions",
    "akb.core.scoring",
    "akb.models.churn.competing",
    "akb.models.evidence.evidence",
    "akb.models.evidence.grading",
    "akb.models.evidence.intervals",
    "akb.models.evidence.metrics",
    "akb.models.evidence.segments",
    "akb.models.learners.link",
    "akb.value.case.numeric",
    "akb.value.case.profit",
)
"""Modules of which every public function shows a worked number."""

LEAST = {
    "akb.models.churn.hazard": 2,
    "akb.models.churn.sbg": 1,
    "akb.models.descriptive.profiles": 1,
    "akb.models.evidence.determinants": 2,
    "akb.models.evidence.explain": 2,
    "akb.models.temporal.level": 3,
    "akb.models.temporal.splits": 2,
    "akb.value.case.trial": 3,
    "akb.value.lifetime.clv": 2,
    "akb.value.revenue.cost": 1,
}
"""Modules of which so many functions do at least."""


def source(name: str) -> str:
    return ROOT.joinpath(*name.split(".")).with_suffix(".py").read_text("utf-8")


def module_names() -> list[str]:
    paths = sorted((ROOT / "akb").rglob("*.py"))
    names = (
        ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths if ">>>" in path.read_text("utf-8")
    )
    return [name.removesuffix(".__init__") for name in names]


def shown(name: str) -> dict[str, bool]:
    """Return the public functions of a module, and whether each has an example."""
    tree = ast.parse(source(name))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return {each.name: ">>>" in (ast.get_docstring(each) or "") for each in functions}


@pytest.mark.parametrize("name", sorted(set(module_names()) - ELSEWHERE))
def test_the_examples_are_true(name: str) -> None:
    found = doctest.testmod(import_module(name))
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("name", STATISTICS)
def test_every_statistic_shows_a_worked_number(name: str) -> None:
    functions = shown(name)
    assert functions
    assert [each for each, has in functions.items() if not has] == []


@pytest.mark.parametrize(("name", "least"), LEAST.items())
def test_what_can_be_shown_in_numbers_is(name: str, least: int) -> None:
    assert sum(shown(name).values()) >= least
