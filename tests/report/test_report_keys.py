"""Every number on the page says where it stands in ``summary.json``, and is what stands there."""

from __future__ import annotations

import json
import re
from datetime import date
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from akb.report import formats as f
from akb.report.files.cards import card_files
from akb.report.keyed import find, joined, keyed, keys_of
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle

VOID = {"meta", "br", "img", "input", "link", "hr", "circle", "line"}
OWN = ("text.", "chapter.", "figure.")  # a fixed number of a text, of a chapter, of the figure itself
FORMS = (
    f.rough, f.percent, f.euro, f.euro_exact, f.cost, f.cost_exact, f.size, f.whole_euro, f.price, f.hours,
    f.of_hundred, f.of_ten, f.in_points, f.points, f.trimmed, f.turning, f.at_most_all,
    *(lambda value, places=places: f.number(value, places) for places in range(6)),
    *(lambda value, places=places: f.percent(value, places) for places in range(3)),
)  # fmt: skip


class Numbers(HTMLParser):
    """Texts with a digit: those under a key, and those under none."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str | None]] = []
        self.told: list[tuple[str, str]] = []
        self.loose: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("data-key")))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not re.search(r"\d", data) or any(tag in ("script", "style", "title") for tag, _ in self.open):
            return
        key = next((key for _, key in reversed(self.open) if key), None)
        if key is None:
            self.loose.append(data.strip())
        else:
            self.told.append((key, data.strip()))


def numbers(page: str) -> Numbers:
    seen = Numbers()
    seen.feed(page.replace("\u2060", ""))
    return seen


def test_no_number_stands_without_its_key(page: str) -> None:
    seen = numbers(page)
    assert seen.loose == []
    assert len(seen.told) > 800


@pytest.mark.parametrize("name", sorted(fixtures.poor()))
def test_nor_on_the_page_of_a_poor_export(poor: dict[str, dict[str, bytes]], name: str) -> None:
    assert numbers(poor[name]["report.html"].decode()).loose == []


def test_a_number_that_a_template_works_out_for_itself_has_no_key() -> None:
    share = keyed({"a": 0.25}, "x")["a"]
    assert keys_of(f.percent(share)) == ["x.a"]
    assert keys_of(f.percent(2 * share)) == []


def test_every_key_leads_to_what_the_page_says(full: RunBundle, page: str, summary: dict[str, Any]) -> None:
    cards = {path.split("/")[-1][:-5]: json.loads(content) for path, content in card_files(full).items()}
    checked = 0
    for keys, text in numbers(page).told:
        told = [each for each in keys.split() if not each.startswith(OWN)]
        values = [_found(summary, cards, key) for key in told]
        if len(values) == 1 and isinstance(values[0], int | float):
            shown = {str(form(values[0])) for form in FORMS} | {f.year(values[0]) if isinstance(values[0], int) else ""}
            number = re.search(r"−?(?:€.)?[\d.,]+(?:.%)?", text)
            assert number, text
            assert any(number.group(0).strip(".,") in each.replace("\u2060", "") for each in shown), (
                told,
                text,
                values,
            )
            checked += 1
        elif len(values) == 1 and isinstance(values[0], str) and re.fullmatch(r"\d{4}-\d\d-\d\d", values[0]):
            assert f.day(date.fromisoformat(values[0])) == text or str(date.fromisoformat(values[0]).year) in text
    assert checked > 500


def test_parts_keep_their_own_keys() -> None:
    told = keyed({"a": 1, "b": 2}, "x")
    both = joined([f.number(told["a"]), f.number(told["b"])], " en ")
    assert both == "1 en 2"
    assert keys_of(both) == ["x.a", "x.b"]


def test_an_entry_of_a_list_is_named_where_it_can_be() -> None:
    rows = keyed([{"months": 1, "n": 3}, {"months": 12, "n": 4}], "h")
    assert rows[1]["n"].key == "h[12].n"
    assert find({"h": [{"months": 1, "n": 3}, {"months": 12, "n": 4}]}, "h[12].n") == 4
    with pytest.raises(KeyError):
        find({"h": []}, "h[12].n")


def _found(summary: dict[str, Any], cards: dict[str, Any], key: str) -> Any:
    inside = re.fullmatch(r"cards\[([^\]]*)\]\.(.*)", key)
    return find(cards[inside.group(1)], inside.group(2)) if inside else find(summary, key)
