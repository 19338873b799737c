"""The proof of lifetime value as people read it: who won, and what it did not beat."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from akb.core.text import text
from akb.report.write import report_files

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle


def _said(key: str) -> str:
    return text("report", "nl", "worth", key)


def test_the_report_says_who_won_and_what_lifetime_value_did_not_beat(full: RunBundle, page: str) -> None:
    assert _said("winner_none") in page
    assert _said("past_not_better") not in page
    assert full.value is not None
    past = {**full.value.figures["clv_past"], "winner": "status_quo", "beats_all_stay": False}
    lost = replace(full, value=replace(full.value, figures={**full.value.figures, "clv_past": past}))
    told = report_files(lost)[0]["report.html"].decode()
    assert _said("winner_status_quo") in told
    assert _said("past_not_better") in told
    assert _said("winner_none") not in told
