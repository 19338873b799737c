"""Profit by number of calls in the report: words, figure and numbers say the same, and a poor export says nothing."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from akb.report import model
from akb.report.cards import card_files
from akb.report.figures import figures
from akb.report.html import render
from akb.report.words import Words
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle


def told(full: RunBundle, **changes: Any) -> tuple[dict[str, Any], Words]:
    assert full.value is not None
    profit = {**copy.deepcopy(fixtures.WORTH["profit"]), **changes}
    value = replace(full.value, figures={**full.value.figures, "profit": profit})
    return model.build(replace(full, value=value)), Words()


def test_the_figure_stands_beside_top_defend(page: str, summary: dict[str, Any]) -> None:
    risk = page[page.index('id="risk"') : page.index('id="products"')].replace("\u00a0", " ").replace("\u2060", "")
    assert risk.index("Top Defend") < risk.index('id="plot-profit"')
    assert "De eerste 120 gesprekken leveren samen € 3.100 op" in risk
    assert "De uren reiken tot 260 gesprekken en zijn hier dus niet de grens." in risk
    assert "Top Defend € 3.100" in risk
    assert "willekeurig −€ 700" in risk
    assert summary["value"]["profit"]["points"] == fixtures.WORTH["profit"]["points"]


def test_it_says_which_is_the_limit(full: RunBundle) -> None:
    facts, words = told(full, capacity=80, at=80)
    assert "maar de uren reiken tot 80: zij zijn hier de grens" in render(facts, words)
    facts, words = told(full, best={"calls": 0, "cents": 0})
    page = render(facts, words)
    assert "verdient geen groep klanten zijn gesprekken terug" in page
    assert "De eerste 0" not in page
    assert words.plain("figure.profit.action_none") in page  # a comparison at the whole portfolio would be a dead heat
    assert "Met dezelfde" not in page


def test_four_lines_and_the_marked_top(full: RunBundle) -> None:
    facts, words = told(full)
    plot = figures(facts, words)["profit"].plot
    lines = [trace for trace in plot["data"] if trace["mode"] == "lines"]
    assert [line["name"] for line in lines] == ["Top Defend", "op kans op vertrek", "op provisie", "willekeurig"]
    assert len({line["line"]["dash"] for line in lines}) == 4  # told apart without colour
    top = next(trace for trace in plot["data"] if trace["mode"] == "markers")
    assert (top["x"], top["y"]) == ([120.0], [3100.0])
    assert plot["layout"]["shapes"][0]["x0"] == 260
    far, _ = told(full, capacity=5000)
    assert "shapes" not in figures(far, words)["profit"].plot["layout"]


def test_the_profit_measure_stands_in_the_card_of_its_prediction(full: RunBundle, page: str) -> None:
    cards = {name: json.loads(content) for name, content in card_files(full).items()}
    assert cards["models/cards/churn_12m.json"]["profit"]["empc"] == pytest.approx(0.62)
    assert [name for name, card in cards.items() if card["profit"]] == ["models/cards/churn_12m.json"]
    assert "EMPC 0,62 per klant op 31 oktober 2024" in page.replace("\u00a0", " ")


def test_without_euros_there_is_no_curve(full: RunBundle) -> None:
    facts, words = told(full)
    facts["value"]["profit"] = None
    assert "profit" not in figures(facts, words)
    assert "Hoeveel gesprekken lonen?" not in render(facts, words)
