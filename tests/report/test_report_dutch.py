"""The client reads Dutch: no key of a class, an action or a column in a list or on the page; scores keep the keys."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from akb.catalogue.entries import entries
from akb.core.wording.text import load_toml, texts
from akb.report.assemble import build
from akb.report.context import Context
from akb.report.files.list_columns import ADDED, discuss_sentences, month_ahead, named
from akb.report.files.lists import ALWAYS, list_tables
from akb.report.portal import portal_facts
from akb.report.words import Words
from akb.report.write import report_files
from akb.store.forgetting import _html_without
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle

CLASSES = {
    "moment": ("announced", "threatens", "open", "quiet"),
    "channel": ("phone", "email", "visit", "portal", "letter"),
    "growth_segment": ("starter", "hete_stijger", "warme_daler", "uitgeblust"),
    "position_segment": ("kernrelatie", "toprelatie", "overige_relatie"),
    "next_best_action": ("defend", "cross_sell", "care", "thank", "leave_alone"),
}
KEYS = {
    *(key for keys in CLASSES.values() for key in keys),
    *("private", "business", "self_employed", "inside", "adviser", "preventable", "insurer", "natural"),
    *("strong", "usable", "indicative", "insufficient", "fitted", "derived", "baseline", "boosting", "logistic"),
}


@pytest.fixture(scope="module")
def classed(full: RunBundle) -> RunBundle:
    """The fabricated run in which every class of every customer is known."""
    assert full.value is not None
    assert full.models is not None
    who = full.value.scores["customer"]
    made = {key: [keys[n % len(keys)] for n in range(len(who))] for key, keys in CLASSES.items()}
    labels = ["ABCD"[n % 4] for n in range(len(who))]
    scores = full.value.scores.with_columns(
        *(pl.Series(key, made[key]) for key in CLASSES if key != "channel"), contact_month=pl.lit(2.0)
    )
    needs = [pl.lit(0.1 * n).alias(f"need_{branch}") for n, branch in enumerate(fixtures.BRANCHES, start=3)]
    told = full.models.scores.with_columns(pl.Series("channel", made["channel"][: full.models.scores.height]), *needs)
    classes = pl.DataFrame({"customer": who, "class_commission": labels, "class_value": labels[::-1]})
    actions = pl.DataFrame(
        {
            "customer": who[:20],
            "rank": range(1, 21),
            "action": made["next_best_action"][:20],
            "kind": ["self_employed"] * 20,
            "done_level": ["inside"] * 20,
        }
    )
    lists = {**full.value.lists, "next_best_action": actions}
    value = replace(full.value, scores=scores, classes=classes, lists=lists)
    return replace(full, value=value, models=replace(full.models, scores=told))


def test_no_key_stands_in_a_list_or_in_a_cell_of_the_page(classed: RunBundle) -> None:
    files = report_files(classed)[0]
    for name in ALWAYS:
        rows = list(csv.reader(io.StringIO(files[f"actions/{name}.csv"].decode("utf-8-sig")), delimiter=";"))
        for row in rows:
            assert not KEYS & set(row), (name, row)
            assert not [cell for cell in row if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", cell)], (name, row)
    page = files["report.html"].decode()
    cells = {re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", page, re.DOTALL)}
    assert not (KEYS - {"adviser"}) & cells
    assert not [cell for cell in cells if re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", cell)]


def test_scores_keep_the_stable_keys(classed: RunBundle) -> None:
    scores = pl.read_parquet(io.BytesIO(report_files(classed)[0]["scores.parquet"]))
    for key in ("moment", "channel", "next_best_action"):
        assert set(scores[key].drop_nulls()) <= set(CLASSES[key])


def test_every_list_of_today_tells_class_and_segment_by_neutral_names(classed: RunBundle) -> None:
    made = {table.name: table for table in list_tables(Context(classed))}
    for name in ("next_best_action", "top_defend", "next_best_policy"):
        table = made[name]
        assert set(ADDED[name]) <= set(table.columns)
        rows = table.table.to_dicts()
        assert {row["growth_segment"] for row in rows} <= {"Groei", "Onderhoud", "Zelfservice"}
        assert {row["class_value"] for row in rows} == {"A", "B", "C", "D"}
        assert {row["contact_month"] for row in rows} == {"feb 2026"}
    for cells in made["next_best_policy"].table.to_dicts():
        assert str(cells["gap"]).startswith("Mogelijk") == (cells["share"] >= 0.5), cells
    assert not set(ADDED.get("winback", ())) & set(made["winback"].columns)


@pytest.mark.parametrize("key", sorted(CLASSES))
def test_every_class_of_the_catalogue_has_a_name(full: RunBundle, key: str) -> None:
    column = {"next_best_action": "action"}.get(key, key)
    for value in CLASSES[key]:
        assert named(Context(full), column, value) not in (None, value, value.replace("_", " "))


def test_every_column_that_can_be_read_has_a_dutch_name() -> None:
    words, known = Words("nl"), texts("columns", "nl")["columns"]
    assert {"sub_office", "manager"} <= set(known)
    assert [key for key in known if words.name("column", key) == key.replace("_", " ") and "_" in key] == []
    assert words.name("column", "sub_office") == "subkantoor"


def test_a_band_has_whole_edges() -> None:
    assert Words("nl").span("years", SimpleNamespace(lower=2.0, upper=3.0)) == "2 tot 3 jaar"
    assert Words("nl").span("years", SimpleNamespace(lower=0.0, upper=1.0)) == "korter dan 1 jaar"


@pytest.mark.parametrize(
    ("day", "months", "told"),
    [
        (date(2025, 12, 31), 1, "jan 2026"),
        (date(2025, 12, 31), 12, "dec 2026"),
        (date(2026, 3, 1), 1, "mrt 2026"),
        (date(2026, 2, 28), 1, "mrt 2026"),
    ],
)
def test_a_month_ahead_is_told_as_a_calendar_month(day: date, months: int, told: str) -> None:
    assert month_ahead(day, months) == told


def test_a_missing_cover_is_a_gap_only_where_most_hold_it(full: RunBundle) -> None:
    rows = pl.DataFrame({"branch": ["opstal", "opstal", "auto", "opstal"], "share": [0.74, 0.31, 0.31, None]})
    most, few, other, unknown = discuss_sentences(Context(full), rows)
    assert most.startswith("Mogelijk dekkingshiaat: opstal")
    assert "3 op de 10" in few
    assert "hiaat" not in few
    assert other != few
    assert "op de 10" not in unknown


def test_why_a_customer_is_on_the_list_is_said_once(full: RunBundle) -> None:
    """Report, list and portal give one reason, in words that an adviser can use: no model's ratio or measure."""
    planned = fixtures.with_plan(full)
    context = Context(planned)
    portal = context.once(portal_facts)
    said = set(portal.why.sentences(portal.people["customer"], portal.words))
    rows = build(planned, context)["risk"]["defend"]["rows"]
    listed = next(table for table in list_tables(context) if table.name == "top_defend")
    assert {each for row in rows for each in row["reasons"]} <= said
    assert set(listed.table["reasons"]) <= said
    assert len(said) > 20
    assert not [each for each in said if re.search(r"met maat|keer zoveel|springt eruit", each)]


def test_what_is_trivial_stands_in_the_phrase_table() -> None:
    known = set(texts("features", "nl"))
    for like, table in load_toml("trivial.toml").items():
        assert set(table["features"]) <= known, like
        assert len(set(table["features"])) == len(table["features"]), like


def test_every_class_entry_of_the_catalogue_is_looked_at_here() -> None:
    """A new class must get a name before it can reach a list."""
    kinds = {entry.key for entry in entries([]) if entry.kind == "class"}
    assert kinds == {
        *CLASSES,
        "behaviour_cluster",
        "best_contact",
        "next_best_policy",
        "next_best_policy_2",
        "next_best_policy_3",
    }


def test_next_best_policies_stand_per_branch_and_a_forgotten_customer_costs_no_row(classed: RunBundle) -> None:
    files = report_files(classed)[0]
    listed = build(classed)["products"]["list"]
    rows = listed["by_branch"]
    assert sum(row["customers"] for row in rows) == listed["customers"]
    assert len({row["branch"] for row in rows}) == len(rows) > 1
    first = rows[0]["first"][0]["customer"]
    page, _ = _html_without(files["report.html"].decode(), frozenset({first}))
    assert first not in page.decode()
    row = f'<th scope="row">{rows[0]["name"]}</th><td class="num">{rows[0]["customers"]}</td>'
    assert row in re.sub(r">\s+<", "><", fixtures.unkeyed(page.decode()))
