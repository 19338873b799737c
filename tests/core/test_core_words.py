"""Numbers as Dutch people write them; findings whose words all exist."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from akb.core.findings import Finding
from akb.core.wording.numbers import day_nl, euro_nl, number_nl, percent_nl
from akb.core.wording.text import texts

ROOT = Path(__file__).parents[2]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_dutch_formats() -> None:
    assert number_nl(1234567.5, 1) == "1.234.567,5"
    assert plain(percent_nl(0.1244)) == "12 %"
    assert plain(percent_nl(0.0244)) == "2,4 %"
    assert plain(euro_nl(12387.21)) == "€ 12.400"
    assert plain(euro_nl(12387.21, rounded=False)) == "€ 12.387"
    assert plain(euro_nl(-999.6)) == "−€ 1.000"
    assert plain(day_nl(date(2025, 12, 31))) == "31 december 2025"


def codes_in_code() -> set[str]:
    return {
        code
        for path in (ROOT / "akb").rglob("*.py")
        for code in re.findall(r'"(AKB-[A-Z]\d{3})"', path.read_text("utf-8"))
    }


def test_every_code_in_the_code_has_words_and_the_other_way_round() -> None:
    assert codes_in_code() == set(texts("findings"))


@pytest.mark.parametrize("code", sorted(texts("findings")))
def test_words_of_a_finding_are_whole_sentences(code: str) -> None:
    words = texts("findings")[code]
    assert set(words) >= {"sentence", "remedy"}
    for part in ("sentence", "remedy"):
        assert words[part].strip().endswith((".", "?")), (code, part)


def test_values_in_a_sentence_are_written_in_dutch(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {"AKB-D999": {"sentence": "{count} rijen ({share}) sinds {since}.", "remedy": "Vraag {who}."}}
    monkeypatch.setattr("akb.core.findings.text", lambda _topic, _language, code, part: words[code][part])
    finding = Finding("AKB-D999", "issue", 12345, 0.125, {"since": date(2024, 3, 1), "who": "het kantoor"})
    assert plain(finding.sentence()) == "12.345 rijen (12 %) sinds 1 maart 2024."
    assert finding.as_json()["remedy"] == "Vraag het kantoor."
