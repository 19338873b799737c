"""What a reader trips over: a broken minus, an axis that writes it elsewhere, a range that leans to one side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from akb.report import assemble
from akb.report.page.html import held_together
from akb.report.page.plots import Axis
from akb.report.words import Words
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle
    from akb.report.model import ReportModel


@pytest.fixture(scope="module")
def facts(full: RunBundle) -> dict[str, Any]:
    return assemble.build(full)


def test_no_line_can_break_between_the_minus_and_the_euro(facts: ReportModel) -> None:
    page = fixtures.text_of(facts)
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert outside.count("−\u2060€") > 5
    assert "−€" not in outside
    assert "\u2060" not in "".join(re.findall(r"<script.*?</script>", page, re.DOTALL))


def test_a_number_keeps_its_sign_and_scripts_keep_their_bytes() -> None:
    page = "<p>tot −€ 5 of 90 % van € 12</p><script>a = b % c; x = 5 % 2; '−€ 1'</script><p>8 %</p>"
    held = held_together(page)
    assert held.startswith("<p>tot −\u2060€\u00a05 of 90\u00a0% van €\u00a012</p><script>a = b % c; x = 5 % 2; '−€ 1'<")
    assert held.endswith("<p>8\u00a0%</p>")


def test_an_axis_below_zero_writes_its_minus_as_the_text_does() -> None:
    axis = Axis("euro", "euro per jaar")
    made = axis.layout(-6537.0, 166.0)
    assert dict(zip(made["tickvals"], made["ticktext"], strict=True))[-2000.0] == "−€\u00a02.000"
    assert made["tickvals"] == sorted(made["tickvals"])
    assert made["tickvals"][0] >= -6537.0
    assert "tickvals" not in axis.layout(0.0, 100.0)


@pytest.mark.parametrize(("low", "high", "said"), [(0.99, 1.5, "edge_low"), (0.7, 1.02, "edge_high"), (0.8, 1.2, None)])
def test_a_range_that_lies_on_one_side_is_explained(
    facts: ReportModel, low: float, high: float, said: str | None
) -> None:
    """108 (108-161) looks like a slip of the pen; it is what the test on later data found."""
    *others, year = facts["risk"]["horizons"]
    year |= {"low": low * year["expected"], "high": high * year["expected"]}
    page, words = fixtures.text_of(fixtures.changed(facts, "risk", horizons=[*others, year])), Words()
    for key in ("edge_low", "edge_high"):
        assert (words.plain(f"risk.{key}") in page) == (key == said)


def test_the_tornado_says_whose_contacts_it_counts_with(facts: ReportModel) -> None:
    """Its ends keep today's contacts where `akb case` chooses them again: unsaid, the two contradict each other."""
    note = Words().plain("case.tornado_note")
    assert note in fixtures.text_of(facts)
    none = fixtures.changed(facts, "case", sensitivity={**facts["case"]["sensitivity"], "tornado": []})
    assert note not in fixtures.text_of(none)
