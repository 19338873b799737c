"""The page: every section filled, hostile text shown as text, the same bytes twice, nothing fetched."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from akb.config import Settings
from akb.report import formats
from akb.report.page import html
from akb.report.write import report_files
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle

SECTIONS = (
    "summary", "portfolio", "leaving", "customer", "moment", "product", "case",
    "quality", "evidence", "cards", "assumptions", "method", "glossary",
)  # fmt: skip
FIGURES = (
    "branches", "held", "ladder", "rates", "yearly", "reasons", "tenure", "curve", "horizons", "bands", "proof", "lost",
    "tornado", "waterfall", "clv_past", "products", "ledger", "rule", "calibration", "determinants",
)  # fmt: skip


class Reader(HTMLParser):
    """Text per section, tags, and the content of data scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.section = ""
        self.text: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.figures: dict[str, Any] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self.section = str(dict(attrs)["id"])
        if tag in ("script", "style"):
            self.inside.append(str(dict(attrs).get("data-plot", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if self.inside:
            if self.inside[-1]:
                self.figures[self.inside[-1]] = json.loads(data)
        else:
            self.text[self.section] = self.text.get(self.section, "") + data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def test_what_others_measured_stands_beside_the_effects_of_a_contact(page: str) -> None:
    register = " ".join(read(page).text["assumptions"].split())
    for contact in Settings().ladder().values():
        assert contact.label in register
        assert " ".join(contact.evidence.split()) in register


def test_every_section_and_figure_is_there(page: str) -> None:
    seen = read(page)
    for section in SECTIONS:
        assert len(seen.text[section].split()) > 40, section
    assert set(seen.figures) == {f"plot-{name}" for name in FIGURES}
    for name in FIGURES:
        assert f'data-test="figure-{name}"' in page


def test_words_of_figures_and_templates_are_dutch_and_complete(page: str) -> None:
    seen = read(page)
    everything = " ".join(seen.text.values())
    assert "{" not in everything
    assert "None" not in everything
    assert "nan" not in everything.lower().split()


def test_the_summary_has_five_sentences_and_at_most_five_headlines(page: str, summary: dict[str, Any]) -> None:
    block = page.split('data-test="summary"')[1].split("</ol>", maxsplit=1)[0]
    assert block.count("<li>") == 5
    assert 1 <= len(summary["headlines"]) <= 5
    for headline in summary["headlines"]:
        assert headline["mark"] in ("counted", "predicted", "assumed")
        if headline["key"] in ("leavers", "net"):
            assert headline["low"] <= headline["value"] <= headline["high"]


def test_hostile_text_is_text(page: str) -> None:
    assert fixtures.HOSTILE not in page
    assert "&lt;script&gt;alert(" in page
    scripts = [attrs for tag, attrs in read(page).tags if tag == "script"]
    assert len(scripts) == len(FIGURES) + 5  # Plotly packed, and the page's own four
    assert page.count("</style>") == 1  # the client's name holds one


def test_json_in_a_script_cannot_end_it() -> None:
    made = str(html.as_json({"a": "</script><!-- & \u2028"}))
    assert not set(made) & {"<", ">", "&", "\u2028"}
    assert json.loads(made) == {"a": "</script><!-- & \u2028"}


def test_css_text_is_one_string() -> None:
    assert re.fullmatch(r'"(?:[A-Za-z0-9]|\\[0-9a-f]{6})*"', str(html.css_text('a"; } </style> \\ é')))


def test_nothing_is_fetched(page: str) -> None:
    for tag, attrs in read(page).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed"), tag
        assert "src" not in attrs
        assert not any(str(value).startswith(("http", "//")) for value in attrs.values())
        if tag == "a":
            assert str(attrs["href"]).startswith("#")
    assert "default-src 'none'" in page
    styles = page.split("<style>")[1].split("</style>", maxsplit=1)[0]
    assert styles.count("url(") == styles.count("url(data:font/woff2;base64,") == 2
    assert "@import" not in styles


def test_every_link_leads_somewhere(page: str) -> None:
    tags = read(page).tags
    ids = {str(attrs["id"]) for _, attrs in tags if "id" in attrs}
    targets = {str(attrs["href"])[1:] for tag, attrs in tags if tag == "a"}
    assert targets <= ids


def test_no_relation_number_and_no_adviser(full: RunBundle, page: str, files: dict[str, bytes]) -> None:
    text = " ".join(read(page).text.values())
    relations = full.portfolio.customers["relation"].to_list()
    assert not any(relation in text for relation in relations)
    assert not any(relation in files["summary.json"].decode() for relation in relations)
    assert "Adviseur 1" not in text
    assert "klant K-" in text
    assert not any(name in text for name in full.portfolio.customers["pseudonym"].to_list())


def test_the_same_run_gives_the_same_bytes(full: RunBundle, files: dict[str, bytes]) -> None:
    assert report_files(full)[0] == files
    assert report_files(fixtures.full())[0] == files


def test_the_page_is_bounded_whatever_the_portfolio() -> None:
    book = fixtures.portfolio(4000, seed=9)
    policies = book.policies.with_columns(insurer=pl.format("Verzekeraar {} met een lange naam", "policy"))
    book = replace(
        book,
        policies=policies,
        customers=book.customers.with_columns(office=pl.format("Kantoor {}", pl.col("customer") % 400)),
    )
    run = fixtures.models(book)
    made = report_files(fixtures.bundle(book, run, fixtures.value(book, run)))[0]["report.html"]
    assert len(made) < 1_700_000 < html.SIZE_LIMIT


def test_an_office_of_one_customer_is_named_nowhere() -> None:
    book = fixtures.portfolio(400, seed=9)
    own = pl.format("Thuis bij nummer {}", "customer")
    book = replace(
        book, customers=book.customers.with_columns(office=own), policies=book.policies.with_columns(office=own)
    )
    run = fixtures.models(book)
    value = fixtures.value(book, run)
    lists = {name: listed.with_columns(office=own) for name, listed in value.lists.items()}
    made = report_files(fixtures.bundle(book, run, replace(value, lists=lists)))[0]
    assert json.loads(made["summary.json"])["risk"]["defend"]["rows"]
    assert not [name for name in ("report.html", "summary.json") if b"Thuis bij" in made[name]]


def test_accuracy_is_never_shown(page: str) -> None:
    assert "accuracy" not in " ".join(read(page).text.values()).lower()


WANTED = {
    "no_ended": ("alleen lopende polissen", "einddatum en reden"),
    "no_reasons": ("ontbreekt de reden", "royementsreden"),
    "no_money": ("geen provisie", "netto jaarpremie"),
    "thirty": ("niet te voorspellen",),
    "one_branch": ("niet te voorspellen",),
    "short": ("nog geen vol, afgesloten jaar",),
    "nothing_made": ("niet te voorspellen",),
}


@pytest.mark.parametrize("name", WANTED)
def test_a_poor_export_says_what_is_missing_why_and_what_to_ask(poor: dict[str, dict[str, bytes]], name: str) -> None:
    page = poor[name]["report.html"].decode()
    seen = read(page)
    everything = " ".join(" ".join(seen.text.values()).split())
    for words in WANTED[name]:
        assert words in everything
    assert "Vraag uw back office:" in everything
    for section in SECTIONS:
        assert len(seen.text[section].split()) >= 15, section
    assert page.split('data-test="summary"')[1].split("</ol>")[0].count("<li>") == 5
    assert "{" not in everything
    assert "None" not in everything
    assert "Traceback" not in everything


def test_a_page_over_the_limit_is_refused(full: RunBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "SIZE_LIMIT", 1000)
    with pytest.raises(ValueError, match="contract allows 1,000"):
        report_files(full)


def test_another_limit_hides_more(full: RunBundle) -> None:
    strict = replace(full, settings=Settings.model_validate({"report": {"suppress_below": 1000}}))
    seen = read(report_files(strict)[0]["report.html"].decode())
    assert "niet getoond" in seen.text["portfolio"]
    assert not re.search(r"(?:<|minder dan) 1\.000", seen.text["portfolio"])  # hidden for company, perhaps
    assert "branches" not in "".join(seen.figures)


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (formats.span("10\u00a0%", "30\u00a0%"), "10–30\u00a0%"),
        (formats.span("€\u00a01.000", "€\u00a02.000"), "€\u00a01.000–2.000"),
        (formats.span("−€\u00a01.000", "€\u00a02.000"), "−€\u00a01.000 tot €\u00a02.000"),
        (formats.rough(0.284), "0,28"),
        (formats.rough(8.12), "8,1"),
        (formats.rough(812.3), "812"),
        (formats.number(-0.0001, 2), "0,00"),
        (formats.percent(0.0942), "9,4\u00a0%"),
        (formats.percent(None), "–"),
        (formats.of_hundred(0.004), "0,4"),
        (formats.band(0.05, 0.075), "5–7,5\u00a0%"),
        (formats.band(0.2, 1.0), "> 20\u00a0%"),
        (formats.trimmed(0.2), "0,2"),
        (formats.trimmed(1400.0), "1.400"),
        (formats.turning(1.0484), "1,0"),
        (formats.turning(6.1842), "6,2"),
        (formats.turning(0.1534), "0,153"),
        (formats.turning(412.7), "413"),
        (formats.short_code("K-7F3A90C2D4E1B605"), "K-7F3A"),
    ],
)
def test_dutch_formats(shown: str, wanted: str) -> None:
    assert shown == wanted
