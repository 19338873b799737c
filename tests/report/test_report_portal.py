"""The portal as a file: its size, its policy, what it may tell, and who can be taken out of it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from akb.cli import run
from akb.config import Settings
from akb.report.context import Context
from akb.report.portal import PortalFacts, portal_facts, portal_files, run_name
from akb.report.portal.holdings import UNKNOWN, amount_codes, kept_part
from akb.report.portal.offers import effect_band
from akb.report.portal.page import render
from akb.report.portal.why import Why, why_now
from akb.report.portal.words import PortalWords
from akb.report.write import report_files
from akb.store import columns
from tests.report import fixtures

if TYPE_CHECKING:
    from pathlib import Path

    from akb.report.bundle import RunBundle

BYTES_A_CUSTOMER = 450


@pytest.fixture(scope="module")
def planned() -> RunBundle:
    return fixtures.with_plan(fixtures.full())


@pytest.fixture(scope="module")
def portal(planned: RunBundle) -> PortalFacts:
    return portal_facts(Context(planned))


@pytest.fixture(scope="module")
def page(portal: PortalFacts) -> str:
    return render(portal, portal.people)


def block(page: str, name: str) -> Any:
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_customer_takes_few_bytes(portal: PortalFacts, page: str) -> None:
    base = len(render(portal, portal.people.head(0)).encode())
    assert (len(page.encode()) - base) / portal.people.height <= BYTES_A_CUSTOMER


def test_the_policy_lets_the_pages_own_script_and_style_pass_and_nothing_else(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for tag in ("script", "style"):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert "default-src 'none'" in policy[1]
    assert "base-uri 'none'" in policy[1]
    assert "unsafe-inline" not in policy[1]
    assert not re.search(
        r"<[^>]+\son\w+=|\sstyle=|javascript:|(?:src|href)=\"(?!#)",
        page.split("<script", maxsplit=1)[0],
    )
    assert not re.search(r"\b(?:fetch|XMLHttpRequest|WebSocket|sendBeacon|EventSource|innerHTML|eval)\b", page)


def test_it_holds_no_relation_number_no_age_and_no_exact_chance(
    planned: RunBundle, portal: PortalFacts, page: str
) -> None:
    assert not re.search(r"REL\d{5}Q", page)
    told = set(block(page, "akb-columns"))
    assert not told & {"birth_year", "churn_12m", "clv_euros", "commission", "postcode4"}
    churn = columns.unpacked(block(page, "akb-columns")["churn"])
    assert set(churn) <= set(range(6))
    named = replace(planned, no_pseudonyms=True)
    assert "REL00001Q" in portal_files(portal_facts(Context(named)))["portal.html"].decode()
    assert run_name(named) != portal.run


def test_a_name_that_few_share_is_nowhere(planned: RunBundle) -> None:
    people = planned.portfolio.customers
    rare = [
        pl.when(pl.col("customer") < 3).then(pl.lit(f"Zeldzaam {name}")).alias(name) for name in ("adviser", "office")
    ]
    units = people.with_columns(*rare, manager=pl.lit("M. Manager"), sub_office=pl.lit("Zeldzaam deel"))
    few = units.with_columns(sub_office=pl.when(pl.col("customer") < 4).then("sub_office"))
    made = portal_files(portal_facts(Context(replace(planned, portfolio=replace(planned.portfolio, customers=few)))))
    page = made["portal.html"].decode()
    assert "Zeldzaam" not in page
    assert "M. Manager" in page


def test_columns_are_what_they_were_before_they_were_packed(portal: PortalFacts, page: str) -> None:
    packed = block(page, "akb-columns")
    people = portal.people
    assert columns.unpacked(packed["customer"]) == people["shown"].to_list()
    assert columns.unpacked(packed["policies"]) == people["policies"].to_list()
    held = dict.fromkeys(people["customer"], 0)
    for customer, count in portal.held.select("customer", "count").iter_rows():
        held[customer] += count
    assert [sum(row[1::3]) for row in columns.unpacked(packed["held"])] == list(held.values())
    assert held == dict(people.select("customer", "policies").iter_rows())
    ranks = columns.unpacked(packed["rank_next_best_action"])
    assert sorted(rank for rank in ranks if rank) == list(range(1, portal.lists["next_best_action"].height + 1))


def test_the_control_group_is_on_no_list(planned: RunBundle, portal: PortalFacts, page: str) -> None:
    drawn = set(planned.value.lists["next_best_action"].filter(pl.col("control"))["customer"])
    assert len(drawn) > 10
    for name in ("next_best_action", "top_defend", "next_best_policy"):
        assert portal.lists[name].height > 5
        assert not drawn & set(portal.lists[name]["customer"]), name
    stops = portal.people.filter(pl.col("customer").is_in(drawn))["stop"]
    assert set(stops) <= {"control", "no_marketing", "announced"}
    assert "control" in set(stops)


@pytest.mark.parametrize("euros", [0.0, 7.0, 99.4, 99.6, 123.0, 995.0, 12_345.0, 996_000.0])
def test_amounts_keep_two_digits(euros: float) -> None:
    code = int(amount_codes(np.array([100 * euros]))[0])
    shown = code % 100 * 10 ** (code // 100)
    assert shown == pytest.approx(euros, abs=0.5 if euros < 100 else 0.05 * euros)
    assert code < 65_534
    assert amount_codes(np.array([np.nan])).tolist() == [UNKNOWN]


def test_the_coming_years_begin_with_the_first_and_add_up() -> None:
    first, together = np.array([310.0, 100.0, 0.0, 50.0]), np.array([1330.0, 500.0, 0.0, 50.0])
    part = kept_part(first, together)
    years = first * np.array([part**year for year in range(5)])
    assert years[0].tolist() == first.tolist()
    assert years.sum(axis=0) == pytest.approx(together, abs=0.01)
    assert part[:2] == pytest.approx([0.925, 1.0], abs=0.01)


def test_lower_leaving_falls_into_bands() -> None:
    assert effect_band(np.array([-12.0, -7.0, -3.0, -1.5, -0.5, 0.0, 2.0])).tolist() == [
        6,
        5,
        4,
        3,
        2,
        7,
        7,
    ]


def clauses_of(why: Why, customer: int) -> list[tuple[str, int, int]]:
    return why.clauses.filter(customer=customer).drop("customer").rows()


def test_no_clause_is_true_of_half_of_an_action(portal: PortalFacts) -> None:
    told = dict(portal.actions.select("customer", "action").iter_rows())
    for action in sorted(set(told.values())):
        mine = [customer for customer, own in told.items() if own == action]
        counts = Counter(clause for customer in mine for clause in clauses_of(portal.why, customer))
        rest = {clause for clause in counts if clause[0] in ("since", "since_one", "renewal", "renewals")}
        assert max((count for clause, count in counts.items() if clause not in rest), default=0) < len(mine) / 2, action
        assert all(clauses_of(portal.why, customer) for customer in mine), action


def test_a_clause_of_half_the_list_goes_and_another_takes_its_place(planned: RunBundle, portal: PortalFacts) -> None:
    """Everybody alike: what all share is no reason, and still everybody has one."""
    words = PortalWords(Context(planned), "nl")
    facts = {"renewals": portal.renewals, "held": portal.held, "missing": portal.missing.clear()}
    alike = portal.people.with_columns(like=pl.lit(9, dtype=pl.Int64), policies=pl.lit(1, dtype=pl.Int64))
    made = why_now(Context(planned), words, alike, facts, portal.actions)
    listed = portal.actions["customer"].to_list()
    assert not [customer for customer in listed if ("few_one", 1, 9) in clauses_of(made, customer)]
    assert all(clauses_of(made, customer) for customer in listed)


def test_a_page_per_office_holds_its_own_customers(planned: RunBundle) -> None:
    settings = planned.settings.model_copy(
        update={"report": planned.settings.report.model_copy(update={"portal_by": "office"})}
    )
    made = portal_files(portal_facts(Context(replace(planned, settings=settings))))
    assert set(made) >= {"portal.html", "portal/noord.html", "portal/west.html"}
    assert len(made) == 4  # the third office is called <script>…
    assert all(re.fullmatch(r"portal(/[a-z0-9-]+)?\.html", name) for name in made)
    seen = [name for path, content in made.items() if "/" in path for name in shown(content.decode())]
    assert sorted(seen) == sorted(shown(made["portal.html"].decode()))
    assert len(set(seen)) == len(seen)
    assert block(made["portal/noord.html"].decode(), "akb-run")["names"]["office"] == ["Noord"]
    runs = {block(content.decode(), "akb-run")["run"] for content in made.values()}
    assert len(runs) == 1
    assert Settings.model_validate({"report": {"portal_by": "office"}}).report.portal_by == "office"


def shown(page: str) -> list[str]:
    return [str(name) for name in columns.unpacked(block(page, "akb-columns")["customer"])]


def test_poor_exports_have_a_page_too(poor: dict[str, dict[str, bytes]]) -> None:
    for name, files in poor.items():
        assert block(files["portal.html"].decode(), "akb-run")["schema"] == "akb.portal/1", name


def test_the_same_run_gives_the_same_page(planned: RunBundle, page: str) -> None:
    assert report_files(planned)[0]["portal.html"].decode() == page


def test_a_forgotten_customer_is_in_no_page(planned: RunBundle, tmp_path: Path) -> None:
    folder = fixtures.written_run(planned, tmp_path / "run")
    before = (folder / "portal.html").read_text("utf-8")
    names = shown(before)
    assert run(["forget", str(folder), names[5], "-q"]) == 0
    after = (folder / "portal.html").read_text("utf-8")
    assert names[5] not in after
    assert shown(after) == [*names[:5], *names[6:]]
    for column, packed in block(before, "akb-columns").items():
        rows = columns.unpacked(packed)
        assert columns.unpacked(block(after, "akb-columns")[column]) == [*rows[:5], *rows[6:]], column
    assert after.split('id="akb-columns"')[0] == before.split('id="akb-columns"')[0]


@pytest.mark.parametrize("language", ["nl", "en"])
def test_both_languages_are_whole(planned: RunBundle, language: str) -> None:
    made = PortalFacts(Context(planned), language)
    page = render(made, made.people)
    assert f'<html lang="{language}">' in page
    assert not re.search(
        r"\{\w+\}",
        " ".join(made.why.sentences(made.people["customer"], made.words)),
    )
