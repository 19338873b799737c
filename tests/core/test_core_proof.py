"""What may be said of an order and a level: by one function, from the evidence, with its interval."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace

import pytest

from akb.core.wording.proof import Shown, first_judged
from akb.core.wording.text import configs_dir

GOOD = Shown(events=300.0, months=12, auc=(0.70, (0.65, 0.75)), ratio=(0.92, (0.81, 1.05)), gate="pass")
ORDER = re.compile(r"(?i)(volgorde|rangorde)[^.:;]*\b(klopt|blijft|geldt|bruikbaar|te gebruiken|deugt)\b")
"""A claim that an order holds; only `akb.core.wording.proof` may make one."""


@pytest.mark.parametrize(
    ("events", "interval", "order"),
    [
        (300, (0.501, 0.75), "proven"),
        (300, (0.5, 0.75), "unproven"),  # the interval includes chance
        (300, (0.45, 0.62), "unproven"),
        (50, (0.6, 0.9), "proven"),
        (49, (0.6, 0.9), "unproven"),
    ],
)
def test_an_order_is_proven_where_its_interval_lies_above_chance(
    events: float, interval: tuple[float, float], order: str
) -> None:
    assert replace(GOOD, events=float(events), auc=(0.7, interval)).order == order


def test_the_sentence_names_the_interval_and_the_horizon_that_was_tested() -> None:
    assert "0,65–0,75" in GOOD.order_words()
    assert "beter dan toeval" in GOOD.order_words()
    assert "12 maanden" in GOOD.order_words()
    assert "3 maanden" in replace(GOOD, months=3).order_words()
    assert "1 maand " in replace(GOOD, months=1).order_words()
    near = replace(GOOD, auc=(0.52, (0.4996, 0.55))).order_words()
    assert "niet van toeval" in near
    assert "0,500–0,550" in near


@pytest.mark.parametrize("shown", [Shown(), replace(GOOD, events=49.0), replace(GOOD, auc=(0.52, (0.49, 0.55)))])
def test_what_is_not_proven_is_nowhere_called_better_than_chance(shown: Shown) -> None:
    assert "beter dan" not in shown.order_words()
    assert shown.order != "proven"


def test_the_level_has_its_interval_too() -> None:
    assert "0,81–1,05" in GOOD.level_words()
    assert "klopte niet" in replace(GOOD, gate="fail").level_words()
    assert "niet op latere gegevens" in replace(GOOD, gate="none").level_words()


def test_the_first_that_can_be_judged_speaks_also_where_it_says_no() -> None:
    few, chance = replace(GOOD, events=20.0), replace(GOOD, auc=(0.52, (0.49, 0.55)))
    assert first_judged([few, chance, GOOD]) == chance
    assert first_judged([few]) == few
    assert first_judged([]).order == "untested"


def test_no_other_text_says_that_an_order_holds() -> None:
    found = []
    for path in sorted((configs_dir() / "text" / "nl").glob("*.toml")):
        if path.name != "proof.toml":
            found += [
                f"{path.name}: {line}" for line in _texts(tomllib.loads(path.read_text("utf-8"))) if ORDER.search(line)
            ]
    assert not found


def _texts(node: object) -> list[str]:
    if isinstance(node, dict):
        return [line for value in node.values() for line in _texts(value)]
    return [node] if isinstance(node, str) else []
