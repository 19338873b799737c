"""The proof of lifetime value as people read it: who won, and what it did not beat."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from akb.core.wording.text import text
from akb.report import assemble
from akb.report.page.figures import figures
from akb.report.words import Words
from akb.report.write import report_files

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle


def _said(key: str) -> str:
    return text("report", "nl", "worth", key)


def test_what_stands_above_the_commission_is_no_share_of_it(full: RunBundle) -> None:
    rows = {row[0]: row for row in figures(assemble.build(full), Words())["waterfall"].rows}
    assert rows["Nettopremie"][3] == rows["Blijft bij de verzekeraar"][3] == "–"
    assert rows["Provisie"][3].startswith("100")


def test_the_report_says_who_won_and_what_lifetime_value_did_not_beat(full: RunBundle, page: str) -> None:
    assert _said("winner_none") in page
    assert _said("past_not_better") not in page
    assert full.value is not None
    past = replace(full.value.figures.clv_past, winner="status_quo", beats_all_stay=False)
    lost = replace(full, value=replace(full.value, figures=replace(full.value.figures, clv_past=past)))
    told = report_files(lost)[0]["report.html"].decode()
    assert _said("winner_status_quo") in told
    assert _said("past_not_better") in told
    assert _said("winner_none") not in told


def test_no_page_calls_commission_counted_that_was_estimated_from_premium(full: RunBundle) -> None:
    def told(source: str) -> str:
        policies = full.portfolio.policies.with_columns(commission_source=pl.lit(source))
        made = replace(full, portfolio=replace(full.portfolio, policies=policies))
        assert figures(assemble.build(made), Words())["waterfall"].rows[1][-1] == said[source]
        return report_files(made)[0]["report.html"].decode()

    said = {"given": "geteld", "derived": "aanname"}
    counted, assumed = told("given"), told("derived")
    for words in ("rovisie is {}", "provisie {}, kosten aangenomen"):
        assert words.format("geteld") in counted
        assert words.format("geteld") not in assumed
        assert words.format("aangenomen") in assumed
