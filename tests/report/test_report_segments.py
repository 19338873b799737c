"""Segments and profiles as people read them: names of the sources in the report only, nothing under five customers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from akb.models.types import Profile, Profiles
from akb.report.chapters.customer.facts import facts, sentence
from akb.report.context import Context
from akb.report.words import Words
from akb.report.write import report_files
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle

OWN_NAMES = ("stijger", "daler", "uitgeblust", "kernrelatie", "kernpotential", "toprelatie", "terugkomer")
TEST_DATE = date(2024, 10, 31)


def profile(*conditions: str, **given: Any) -> Profile:
    standard: dict[str, Any] = {
        "goal": "retention",
        "branch": None,
        "test_date": TEST_DATE,
        "customers": 80,
        "events": 16,
        "rate": 0.2,
        "base_rate": 0.083,
        "lift": 2.41,
        "lift_ci": (1.6, 3.4),
        "customers_now": 75,
    }
    return Profile(conditions=conditions, **{**standard, **given})


FOUND = Profiles(
    (
        profile("business", "one_policy", "renews_3m"),
        profile("holds.opstal", goal="product", branch="inboedel", customers_now=3),
    ),
    looked=2000,
    found=3,
    dropped=1,
    test_date=TEST_DATE,
)
GROWTH = [
    {"key": "hete_stijger", "customers": 300, "share": 0.6, "commission": 900_000, "clv": 5_000_000},
    {"key": "_other", "customers": 200, "share": 0.4, "commission": 100_000, "clv": 1_000_000},
]
POSITION = [{"key": "kernrelatie", "customers": 500, "share": 1.0, "commission": 1_000_000, "clv": 6_000_000}]
SEGMENTS = {
    "classes": {
        "columns": ["A", "B"],
        "rows": [
            {"key": "A", "customers": 50, "commission": 500_000, "clv": 700_000, "cells": [44, 6]},
            {"key": "B", "customers": 450, "commission": 500_000, "clv": 5_300_000, "cells": [6, 444]},
        ],
        "moved": 12,
        "moved_share": 0.024,
        "up": {"customers": 6, "commission": 1000, "clv": 90_000},
        "down": {"customers": 6, "commission": 90_000, "clv": 1000},
    },
    "growth": GROWTH,
    "position": POSITION,
    "potential_by": "margin",
    "by_office": {
        "columns": ["kernrelatie", "overige_relatie"],
        "rows": [
            {"key": "Noord <b>", "customers": 300, "cells": [None, None]},
            {"key": None, "customers": 200, "cells": [100, 100]},
        ],
    },
    "by_adviser": None,
    "unit": "office",
    "units": [
        {
            "key": "Noord <b>",
            "customers": 300,
            "commission": 600_000,
            "per_customer": 2000,
            "growing": 0.5,
            "position": "kernrelatie",
        }
    ],
    "migration": {
        "from": "2024-12-31",
        "to": "2025-12-31",
        "basis": "standard",
        "columns": ["A", "gone"],
        "rows": [
            {"key": "A", "customers": 60, "cells": [50, 10]},
            {"key": "new", "customers": None, "cells": [None, 0]},
        ],
        "up": None,
        "down": None,
        "same": None,
    },
    "growth_migration": None,
}


@pytest.fixture(scope="module")
def rich(full: RunBundle) -> RunBundle:
    assert full.value is not None
    assert full.models is not None
    scores = full.value.scores.with_columns(
        growth_segment=pl.lit("warme_daler"), position_segment=pl.lit("kernpotential")
    )
    value = replace(fixtures.with_figures(full.value, segments=SEGMENTS), scores=scores)
    return replace(full, value=value, models=replace(full.models, profiles=FOUND))


@pytest.fixture(scope="module")
def written(rich: RunBundle) -> dict[str, bytes]:
    return report_files(rich)[0]


def test_the_page_shows_every_table(written: dict[str, bytes]) -> None:
    page = written["report.html"].decode()
    for table in ("classes", "growth", "position", "units", "migration", "profiles"):
        assert f'data-test="segments-{table}"' in page
    for words in ("Hete stijgers", "Kernrelaties", "relatie verdiepen", "Kleine segmenten samen", "nog geen klant"):
        assert words in page
    assert "Noord <b>" not in page
    assert "Noord &lt;b&gt;" in page


def test_lifetime_value_that_only_ranks_has_no_euro(rich: RunBundle) -> None:
    def ranks(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "clv": None} for row in rows]

    own = SEGMENTS["classes"]
    moved = {side: {**own[side], "clv": None} for side in ("up", "down") if own.get(side)}
    unproven = {
        **SEGMENTS, "classes": {**own, **moved, "rows": ranks(own["rows"])},
        "growth": ranks(GROWTH), "position": ranks(POSITION),
    }  # fmt: skip
    assert rich.value is not None
    value = fixtures.with_figures(rich.value, segments=unproven)
    page = report_files(replace(rich, value=value))[0]["report.html"].decode()
    assert "het niveau van de kans op vertrek is nog niet bewezen" in page
    assert "aan klantwaarde waard" not in page
    assert "None" not in page.split('id="customer"')[1].split("</section>")[0]


def test_a_hidden_number_is_not_said_to_be_small(written: dict[str, bytes]) -> None:
    """Large numbers are hidden too where they would tell a small one."""
    page = written["report.html"].decode()
    section = page[page.index('id="customer"') : page.index('id="case"')]
    assert '<abbr title="niet getoond">x</abbr>' in section
    assert Words().plain("segments.hidden_note") in section
    assert "&lt; 5" not in section


def test_only_intermediaries_get_a_strategy_as_a_whole(written: dict[str, bytes]) -> None:
    """Nobody is told to wind down an office of his own, or a colleague."""
    page = written["report.html"].decode()
    units = page[page.index('data-test="segments-units"') :]
    assert "relatie verdiepen" not in units[: units.index("</table>")]


def test_the_summary_has_the_segments_and_the_profiles_in_words(written: dict[str, bytes]) -> None:
    told = json.loads(written["summary.json"])["segments"]
    assert told["growth"][0]["customers"] == 300
    assert told["profiles"]["dropped"] == 1
    assert told["profiles"]["rows"][0]["words"] == (
        "zakelijke klanten met één polis die binnen 3 maanden verlengen: 2,4\u00a0×\u00a0zo vaak weg"
    )
    assert told["profiles"]["rows"][1]["customers_now"] is None


def test_no_name_of_the_sources_leaves_the_report(written: dict[str, bytes]) -> None:
    """A customer may ask to see what is filed under his name."""
    told = written["scores.csv"].decode().lower()
    assert not any(name in told for name in OWN_NAMES)
    assert ",Onderhoud," in written["scores.csv"].decode()
    assert ",Groei," in written["scores.csv"].decode()
    for name, content in written.items():
        if name.startswith("actions/") and name.endswith(".csv"):
            assert not any(own in content.decode().lower() for own in OWN_NAMES)


def test_conditions_are_put_into_one_sentence(rich: RunBundle) -> None:
    context = Context(rich)
    assert sentence(context, profile("two_policies", "claimed_12m", "loyal", "started_12m")) == (
        "klanten met twee polissen en een schade in het laatste jaar die tien jaar of langer klant zijn en in het "
        "laatste jaar een polis afsloten: 2,4\u00a0×\u00a0zo vaak weg"
    )
    assert "een polis " in sentence(context, FOUND.shown[1])


def test_without_segments_the_page_says_what_is_missing(full: RunBundle) -> None:
    made = facts(Context(full))
    assert made.missing == ("segments",)
    assert made.profiles is None
