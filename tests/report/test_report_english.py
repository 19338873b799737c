"""The report in English: every Dutch text has its own, nothing Dutch is left, and the numbers are the same."""

from __future__ import annotations

import json
import re
import zipfile
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from akb.config import load_settings
from akb.core.wording.text import configs_dir, load_toml, texts
from akb.report.write import report_files
from tests.report.test_report_keys import Numbers, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from akb.report.bundle import RunBundle

TOPICS = (
    "report",
    "portal",
    "why",
    "proof",
    "findings",
    "columns",
    "money",
    "contacts",
    "behaviour",
    "feature_words",
    "experiment",
    "live",
)
OWN = ("report.glossary", "report.money_words")  # terms of the language itself, and what replaces a word of it
FIXED = re.compile(r"(?<![\w{&#])\d[\d.,]*(?:–\d[\d.,]*)?")
PLACE = re.compile(r"\{([a-z_]+)")
WORD = re.compile(r"[a-zàáâäçèéêëìíîïòóôöùúûü]{3,}")
# What comes from the fabricated client: names, files, headings, two sentences of its predictions.
DATA = {
    "kantoor", "vries", "adviseur", "verzekeraar", "polissen", "branche", "naam", "relatienummer",
    "afgeleid", "weinig", "royementen", "van", "leren",
}  # fmt: skip


def words_of(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        yield path, node
        return
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield from words_of(value, f"{path}.{key}" if path else str(key))


def told(language: str, topics: tuple[str, ...] = TOPICS) -> dict[str, str]:
    """Return every text of a language under topic and key, but for what only that language needs."""
    found = {path: text for topic in topics for path, text in words_of(texts(topic, language), topic)}
    return {path: text for path, text in found.items() if not path.startswith(OWN)}


def dutch_only() -> set[str]:
    """Return the words that stand in a Dutch text and in no English one."""
    known = [*TOPICS, "features", "dictionary"]
    here, there = (
        {word for topic in known for _, text in words_of(texts(topic, each)) for word in WORD.findall(text.lower())}
        for each in ("nl", "en")
    )
    for name in ("branches.toml", "reasons.toml", "topics.toml"):
        for entry in load_toml(name).values():
            here |= set(WORD.findall(entry.get("name_nl", "").lower()))
            there |= set(WORD.findall(entry.get("name_en", "").lower()))
    there |= {word for _, text in words_of(texts("assumptions", "en")) for word in WORD.findall(text.lower())}
    return here - there - DATA


@pytest.fixture(scope="module")
def english(full: RunBundle) -> dict[str, bytes]:
    told_in = full.settings.report.model_copy(update={"language": "en"})
    return report_files(replace(full, settings=full.settings.model_copy(update={"report": told_in})))[0]


@pytest.fixture(scope="module")
def english_page(english: dict[str, bytes]) -> str:
    return english["report.html"].decode()


@pytest.mark.parametrize("topic", TOPICS)
def test_both_languages_have_the_same_texts(topic: str) -> None:
    assert set(told("nl", (topic,))) == set(told("en", (topic,)))


def test_a_text_has_the_same_places_in_both_languages() -> None:
    dutch, english = told("nl"), told("en")
    odd = [key for key in dutch if set(PLACE.findall(dutch[key])) != set(PLACE.findall(english[key]))]
    assert odd == []


def test_a_text_holds_the_same_fixed_numbers_in_both_languages() -> None:
    def fixed(text: str) -> list[str]:
        return sorted(re.sub(r"[.,]", "", number) for number in FIXED.findall(text))

    dutch, english = told("nl", ("report", "proof", "why")), told("en", ("report", "proof", "why"))
    odd = [key for key in dutch if fixed(dutch[key]) != fixed(english[key])]
    assert odd == []


def test_the_glossary_explains_every_term_that_a_text_links_to() -> None:
    for language in ("nl", "en"):
        known = set(texts("report", language)["glossary"])
        links = {
            (match.group(2) or match.group(1))
            for _, text in words_of(texts("report", language))
            for match in re.finditer(r"\[\[([^\]|]+)(?:\|([^\]]+))?\]\]", text)
        }
        assert links <= known, language
        order = [re.sub(r"^[^a-z0-9]+", "", term.lower()) for term in texts("report", language)["glossary"]]
        assert order == sorted(order), language
    assert len(texts("report", "en")["glossary"]) == len(texts("report", "nl")["glossary"])


def test_every_assumption_has_its_words_in_english() -> None:
    known = texts("assumptions", "en")
    settings = load_settings(None)
    shipped = {key: each for key, each in settings.assumed().items() if not key.startswith("contacts.")}
    assert set(known["label"]) == set(known["note"]) == set(shipped)
    assert {each.unit for each in shipped.values()} <= set(known["unit"])
    assert {key: bool(text) for key, text in known["note"].items()} == {k: bool(a.note) for k, a in shipped.items()}
    assert set(known["evidence"]) == {key for key, each in settings.ladder().items() if each.evidence}
    assert all(each.label_en for each in settings.ladder().values())


def test_every_file_of_words_that_a_reader_meets_is_there() -> None:
    here = {path.name for path in (configs_dir() / "text" / "nl").glob("*.toml")}
    there = {path.name for path in (configs_dir() / "text" / "en").glob("*.toml")}
    later = {name for name in here if name.startswith(("findings_", "live", "evaluation", "experiment", "sample"))}
    assert here - later <= there


def seen_words(page: str) -> list[str]:
    """Return every text of a page that a reader meets: what stands there, in attributes and in its data."""
    plain = re.sub(r"<style.*?</style>", " ", page, flags=re.DOTALL)
    blocks = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', plain, flags=re.DOTALL)
    plain = re.sub(r"<script.*?</script>", " ", plain, flags=re.DOTALL)
    found = re.findall(r'(?:alt|title|aria-label|placeholder|data-label)="([^"]*)"', plain)
    found += [text for text in re.split(r"<[^>]*>", plain) if text.strip()]
    for block in blocks:
        found += [text for _, text in words_of(_without_numbers(json.loads(block)))]
    return found


def _without_numbers(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _without_numbers(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_without_numbers(value) for value in node]
    return node if isinstance(node, str) else ""


@pytest.mark.parametrize("name", ["report.html", "portal.html"])
def test_nothing_dutch_is_left(english: dict[str, bytes], name: str) -> None:
    strange = dutch_only()
    assert {"klanten", "klant", "vertrek", "provisie"} <= strange
    told = [text for text in seen_words(english[name].decode()) if not re.fullmatch(r"[a-z0-9_.]+|K-[0-9A-F]+", text)]
    odd = {word: text[:90] for text in told for word in WORD.findall(text.lower()) if word in strange}
    assert odd == {}


def test_the_page_says_its_language_and_leaves_no_place_open(english_page: str) -> None:
    assert '<html lang="en">' in english_page
    read = " ".join(text for text in seen_words(english_page) if not text.startswith(("{", "[")))
    assert not re.search(r"\{[a-z_]+\}", read)
    assert "[[" not in read


def test_numbers_and_dates_have_the_english_form(english_page: str) -> None:
    read = " ".join(text for _, text in numbers(english_page).told)
    assert re.search(r"€\d{1,3},\d{3}", read)
    assert not re.search(r"€[ \u00a0]\d|\d[ \u00a0]%", read)
    assert "31\u00a0December\u00a02025" in english_page
    assert not re.search(r"\d[ \u00a0](?:januari|februari|maart|mei|juni|juli|augustus|oktober)\b", english_page)


def test_both_languages_tell_the_same_numbers_under_the_same_keys(page: str, english_page: str) -> None:
    dutch, english = counted(numbers(page)), counted(numbers(english_page))
    assert set(dutch) == set(english)
    odd = {key: (dutch[key], english[key]) for key in dutch if dutch[key] != english[key]}
    assert odd == {}
    assert len(dutch) > 400


def counted(seen: Numbers) -> dict[str, str]:
    """Return key -> the digits that stand under it; the terms of a glossary have keys of their language, and a name of
    the catalogue may hold its months in one language only."""
    found: dict[str, str] = {}
    for keys, text in seen.told:
        if not keys.startswith("text.glossary") and not keys.endswith(("].name", "].question")):
            found[keys] = found.get(keys, "") + re.sub(r"\D", "", text)
    return {keys: "".join(sorted(digits)) for keys, digits in found.items()}


def test_the_sheets_of_the_workbook_are_english(english: dict[str, bytes]) -> None:
    with zipfile.ZipFile(BytesIO(english["actions/actions.xlsx"])) as book:
        listed = book.read("xl/workbook.xml").decode()
        shared = book.read("xl/sharedStrings.xml").decode()
    assert 'name="Guide"' in listed
    assert 'name="For the consultant"' in listed
    odd = set(WORD.findall(re.sub(r"<[^>]*>", " ", shared).lower())) & dutch_only()
    assert odd == set()


def test_lists_have_english_headings_and_answers(english: dict[str, bytes]) -> None:
    strange = dutch_only()
    for name, content in english.items():
        if name.startswith("actions/") and name.endswith(".csv"):
            head, *rows = content.decode("utf-8-sig").splitlines()
            assert not set(WORD.findall(head.lower())) & strange, name
            assert not any(cell in ("ja", "nee") for row in rows for cell in row.split(";")), name
