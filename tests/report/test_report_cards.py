"""A card per prediction: in the report and as JSON, with what it may not be used for."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import polars as pl
import pytest

from akb.models.types import Decile, Evidence, LastYear, SegmentLevel
from akb.report import assemble
from akb.report.bundle import RunBundle
from akb.report.files.cards import SCHEMA, card_files
from tests.report import fixtures
from tests.report import fixtures as f


@pytest.fixture(scope="module")
def bundle() -> RunBundle:
    full = f.full()
    assert full.models is not None
    churn, *others = full.models.predictions
    assert churn.evidence is not None
    proof = replace(
        churn.evidence,
        auc_due=0.71,
        auc_due_ci=(0.6, 0.8),
        due=321,
        precision_ci=(0.2, 0.3),
        segments=(
            SegmentLevel("office", "Zwolle", 120, 1.2, (0.9, 1.5), 0.25, 1.05),
            SegmentLevel("age", "18-24", None, None, None, None, None),
        ),
        last_year=LastYear(0.11, 0.02, (Decile(1, 70, 0.4, 0.3), Decile(2, 3, 0.1, 0.1))),
    )
    return replace(full, models=replace(full.models, predictions=(replace(churn, evidence=proof), *others)))


@pytest.fixture(scope="module")
def cards(bundle: RunBundle) -> dict[str, dict[str, object]]:
    return {name: json.loads(content) for name, content in card_files(bundle).items()}


def test_every_entry_has_a_card(bundle: RunBundle, cards: dict[str, dict[str, object]]) -> None:
    assert set(cards) == {f"models/cards/{entry.key}.json" for entry in bundle.entries}
    for card in cards.values():
        assert card["schema"] == SCHEMA
        assert card["question"] and card["population"] and card["name"]
        told = " ".join(card["not_for"])  # type: ignore[arg-type]
        assert "aanneemt" in told and "premie" in told
        assert card["status"] != "unavailable" or card["why"]
        assert card["status"] == "unavailable" or card["limits"]
    assert "accuracy" not in json.dumps(cards).lower()


def test_the_report_says_it_too(bundle: RunBundle) -> None:
    page = fixtures.text_of(assemble.build(bundle))
    made = [p.key for p in bundle.predictions.values() if p.status != "unavailable"]
    shown = re.findall(r'data-test="card-([^"]+)"', page)
    assert shown == [entry.key for entry in bundle.entries if entry.key in made]
    assert "Kantoor: Zwolle" in page and "321" in page
    card = page[page.index(f'data-test="card-{bundle.models.predictions[0].key}"') :]  # type: ignore[union-attr]
    card = card[: card.index("</details>")].replace("\u00a0", " ")
    assert "Van elke 100 klanten uit de 10 % met de hoogste kans overkwam het er" in card
    assert "niet getoond" in card  # the age band of too few customers
    assert "Niet bedoeld voor" in card


def test_a_constant_says_so(bundle: RunBundle) -> None:
    assert bundle.models is not None
    key = next(name for name in bundle.models.scores.columns if name.startswith("churn"))
    flat = replace(bundle.models, scores=bundle.models.scores.with_columns(pl.lit(0.1, dtype=pl.Float32).alias(key)))
    before, after = (
        json.loads(card_files(each)[f"models/cards/{key}.json"]) for each in (bundle, replace(bundle, models=flat))
    )
    assert not before["constant"] and after["constant"]
    assert any("hetzelfde getal" in limit for limit in after["limits"])


def test_figures_over_too_few_customers_are_not_on_a_card(bundle: RunBundle) -> None:
    assert bundle.models is not None
    churn, *others = bundle.models.predictions
    few = Evidence(test_date=None, population=40, positives=3.0, base_rate=0.075, precision_top_decile=0.5, events=3)
    run = replace(bundle.models, predictions=(replace(churn, evidence=few), *others))
    told = json.loads(card_files(replace(bundle, models=run))[f"models/cards/{churn.key}.json"])["evidence"]
    assert told["positives"] is told["events"] is told["base_rate"] is told["precision_top_decile"] is None
    whole = json.loads(card_files(bundle)[f"models/cards/{churn.key}.json"])["evidence"]
    assert [row["decile"] for row in whole["last_year"]["deciles"]] == [1]


def test_the_profit_measure_stands_in_the_card_of_its_prediction(full: RunBundle, page: str) -> None:
    cards = {name: json.loads(content) for name, content in card_files(full).items()}
    assert cards["models/cards/churn_12m.json"]["profit"]["empc"] == pytest.approx(0.62)
    assert [name for name, card in cards.items() if card["profit"]] == ["models/cards/churn_12m.json"]
    assert "EMPC 0,62 per klant op 31 oktober 2024" in fixtures.unkeyed(page).replace("\u00a0", " ")
