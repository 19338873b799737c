"""Lists for Excel, scores and rejects for programs."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akb.report.context import Context
from akb.report.files.lists import action_lists, list_tables
from akb.report.files.scores import score_table
from akb.report.files.tables import dutch_cell, dutch_csv, dutch_table, neutral
from akb.report.formats import speaking
from akb.report.write import report_files, write_report
from tests.report import fixtures

if TYPE_CHECKING:
    from pathlib import Path

    from akb.report.bundle import RunBundle

CONTRACT = {
    "report.html", "portal.html", "summary.json", "scores.parquet", "scores.csv", "rejects.csv",
    "actions/top_defend.csv",
    "actions/next_best_policy.csv", "winback.parquet", "actions/next_best_action.csv",
    "actions/care_gaps.csv", "actions/announced.csv",
    "actions/winback.csv", "actions/bleeders.csv", "actions/feeders.csv", "actions/actions.xlsx",
    "actions/recognition.xlsx", "actions/tasks.csv",
    "private/recognition_key.csv", "actuarial/lapse_ae.csv", "actuarial/lapse_basis.csv",
}  # fmt: skip


def rows_of(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_write_report_leaves_the_contract(full: RunBundle, tmp_path: Path) -> None:
    summary = write_report(tmp_path, full)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == CONTRACT
    assert summary["schema"] == "akb.summary/2"


def test_every_file_exists_for_poor_exports_too(poor: dict[str, dict[str, bytes]]) -> None:
    for name, files in poor.items():
        assert set(files) == CONTRACT, name
        assert b"klant;rang" in files["actions/top_defend.csv"]


def test_a_list_is_dutch_and_begins_with_the_pseudonym(full: RunBundle, files: dict[str, bytes]) -> None:
    rows = rows_of(files["actions/top_defend.csv"])
    assert full.value is not None
    assert len(rows) == full.value.lists["top_defend"].height
    assert list(rows[0])[:2] == ["klant", "rang"]
    assert [int(row["rang"]) for row in rows] == sorted(int(row["rang"]) for row in rows)
    known = dict(full.portfolio.customers.select("customer", "pseudonym").iter_rows())
    first = full.value.lists["top_defend"].sort("rank").row(0, named=True)
    assert rows[0]["klant"] == known[first["customer"]]
    assert float(rows[0]["waarde op het spel (euro)"].replace(",", ".")) == pytest.approx(
        first["value_at_stake"], abs=0.006
    )
    assert rows[0]["lopende branches"] == "Aansprakelijkheid particulier, Personenauto"
    assert "yearly_cents" not in files["actions/top_defend.csv"].decode()


@pytest.mark.parametrize("text", ["=1+1", "+31", "-x", "@cmd", "\tx", "\rx"])
def test_formulas_are_neutralised(text: str) -> None:
    assert neutral(text) == f"'{text}"
    assert dutch_cell(text) == f"'{text}"
    assert neutral("gewoon") == "gewoon"


TEXTS = st.text(max_size=4) | st.sampled_from(["", "=1", "-", 'a"b', "a;b", "a\r\nb", "\tx"])
DOUBLES = st.floats(-1e12, 1e12) | st.sampled_from([0.125, 1.115, 2.675, -0.004, math.nan, math.inf])
COLUMNS = {
    "text": (pl.String, st.none() | TEXTS),
    "day": (pl.Date, st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1))),
    "yes": (pl.Boolean, st.none() | st.booleans()),
    "whole": (pl.Int64, st.none() | st.integers(-(10**12), 10**12)),
    "double": (pl.Float64, st.none() | DOUBLES),
    "single": (pl.Float32, st.none() | st.floats(width=32) | st.sampled_from([0.125, -0.0, -0.00004])),
    "nothing": (pl.Null, st.none()),
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*(cells for _, cells in COLUMNS.values())), max_size=12), st.sampled_from(["nl", "en"]))
def test_a_table_has_the_bytes_of_its_cells(rows: list[tuple[Any, ...]], language: str) -> None:
    """Numbers are rounded by their exact value, as Python does; texts quoted where the csv module quotes."""
    table = pl.DataFrame(rows, schema={name: kind for name, (kind, _) in COLUMNS.items()}, orient="row")
    digits = {"double": 4}
    with speaking(language):
        cells = [
            [dutch_cell(cell, digits.get(name, 2)) for name, cell in zip(COLUMNS, row, strict=True)]
            for row in table.iter_rows()
        ]
        assert dutch_table(list(COLUMNS), table, digits) == dutch_csv(list(COLUMNS), cells)


def test_a_hostile_adviser_cannot_reach_excel() -> None:
    book = fixtures.portfolio(200, seed=4)
    book = replace(book, customers=book.customers.with_columns(adviser=pl.lit('=HYPERLINK("x";"y")')))
    run = fixtures.models(book)
    content = dict(action_lists(Context(fixtures.bundle(book, run, fixtures.value(book, run)))))["top_defend.csv"]
    assert {row["adviseur"] for row in rows_of(content)} == {'\'=HYPERLINK("x";"y")'}


def test_scores_have_the_catalogue_as_columns_and_no_nan(full: RunBundle, files: dict[str, bytes]) -> None:
    table = pl.read_parquet(io.BytesIO(files["scores.parquet"]))
    assert table.columns == ["customer", *(entry.key for entry in full.entries if entry.rows == "customers")]
    assert table["customer"].is_sorted()
    assert table["customer"].n_unique() == fixtures.in_force(full.portfolio).size
    for entry in (each for each in full.entries if each.rows == "customers"):
        assert table.schema[entry.key] == (pl.String if entry.kind == "class" else pl.Float32)
    floats = table.select(pl.col(pl.Float32))
    assert floats.select(pl.all().is_nan().any()).row(0) == (False,) * floats.width
    assert table["lapse_auto_12m"].null_count() > 0
    assert table["policies_lost_12m"].null_count() == table.height  # NaN of a room is null here


def test_csv_and_parquet_tell_the_same(files: dict[str, bytes]) -> None:
    table = pl.read_parquet(io.BytesIO(files["scores.parquet"]))
    again = pl.read_csv(io.BytesIO(files["scores.csv"]), schema=dict(table.schema))
    assert again.equals(table)


def test_scores_belong_to_their_customer(full: RunBundle) -> None:
    assert full.models is not None
    table = score_table(Context(full))
    known = full.models.scores.join(full.portfolio.customers.select("customer", "pseudonym"), on="customer")
    joined = table.join(known.select(customer="pseudonym", wanted="churn_12m"), on="customer")
    assert joined.height == table.height
    assert joined["churn_12m"].equals(joined["wanted"])


def test_relation_numbers_only_on_request_and_never_in_the_page(full: RunBundle) -> None:
    open_ = report_files(replace(full, no_pseudonyms=True))[0]
    relations = set(full.portfolio.customers["relation"])
    table = pl.read_parquet(io.BytesIO(open_["scores.parquet"]))
    assert set(table["customer"]) <= relations
    assert {row["klant"] for row in rows_of(open_["actions/top_defend.csv"])} <= relations
    assert open_["report.html"] == report_files(full)[0]["report.html"]


def test_rejects_are_data_and_safe(files: dict[str, bytes]) -> None:
    table = pl.read_csv(io.BytesIO(files["rejects.csv"]))
    assert table.columns == ["file", "line", "column", "shape", "reason"]
    assert table["line"].to_list() == [4, 7, 9]
    assert table["column"].to_list() == [None, "Ingangsdatum", "'=1+1"]


def test_a_contact_type_stands_in_the_lists_under_its_own_name(full: RunBundle) -> None:
    """``contact`` is a type of the ladder in the list of actions, and yes or no in the lists behind it."""
    assert full.value is not None
    who = full.value.scores["customer"][:2].to_list()
    actions = pl.DataFrame(
        {
            "customer": who,
            "rank": [1, 2],
            "action": ["defend", "care"],
            "contact": ["call", "gone_type"],
            "runner_up": ["mail", None],
            "runner_up_euros": [3.5, None],
            "control": [False, False],
        }
    )
    value = replace(full.value, lists={**full.value.lists, "next_best_action": actions})
    made = {table.name: table for table in list_tables(Context(replace(full, value=value)))}
    ladder = full.settings.ladder()
    table = made["next_best_action"]
    column = {name: tuple(values) for name, values in table.table.to_dict(as_series=False).items()}
    assert column["contact"] == (ladder["call"].label, "gone type")
    assert column["runner_up"] == (ladder["mail"].label, None)
    assert table.heads[table.columns.index("contact")] == "soort contact"
    defend = made["top_defend"]
    assert defend.heads[defend.columns.index("contact")] == "contact gepland"
    planned = set(defend.table["contact"])
    assert planned == {True, False}
