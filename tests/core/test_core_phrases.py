"""What is said, as data: worded where it is shown, and nowhere else."""

from __future__ import annotations

import ast
from datetime import date
from pathlib import Path

import pytest

import akb
from akb.core.findings import Finding
from akb.core.wording.phrases import Listed, Phrase

ROOM = Path(akb.__file__).parent / "ingest"
WORDING = {"text", "texts", "number_nl", "percent_nl", "day_nl", "euro_nl"}


def test_numbers_shares_and_days_are_shown_as_people_write_them():
    said = Phrase("columns.doubts.ends", {"count": 1234, "share": 0.125})
    assert (
        said.words() == "er eindigen erna nog 1.234 polissen (12\u00a0%), meer dan aangekondigde opzeggingen verklaren"
    )
    assert "3\u00a0mei\u00a02025" in Phrase("columns.losses.day", {"day": date(2025, 5, 3), "count": 2}).words()


def test_a_phrase_may_name_another():
    value = Phrase("money.value.year")
    said = Phrase("money.subject.premium_per", {"column": "{Premie}", "value": value})
    assert said.words() == "de premie ({Premie}) is per jaar"


def test_several_stand_in_their_order_or_in_that_of_their_words():
    parts = (Phrase("columns.identifiers.phone"), Phrase("columns.identifiers.email"), "BSN")
    assert Listed(parts, between="; ").words() == "telefoonnummer; e-mailadres; BSN"
    assert Listed(parts, alphabetical=True).words() == "BSN, e-mailadres, telefoonnummer"


def test_a_finding_words_what_it_was_given():
    found = Finding("AKB-D028", "tip", params={"day": date(2025, 5, 3), "how": Phrase("columns.how.header")})
    assert "de peildatum in het bestand" in found.sentence()


def test_words_that_are_missing_are_a_fault():
    with pytest.raises(KeyError):
        Phrase("columns.doubts.nobody").words()


def test_ingest_has_no_words_of_a_language():
    """It says what it saw as phrases; only the report, the terminal and the JSON know a language."""
    worded = []
    for path in sorted(ROOM.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in (
                "akb.core.wording.text",
                "akb.core.wording.numbers",
            ):
                worded += [f"{path.name}: {name.name}" for name in node.names if name.name in WORDING]
    assert worded == []
