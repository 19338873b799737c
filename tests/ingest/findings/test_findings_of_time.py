"""Every finding of time: a case that fires, one that must not, one where it does not apply."""

from __future__ import annotations

from pathlib import Path

import pytest
from ingest_exports import Row, X, office, read, write

from akb.config import Settings
from akb.features import without_hindsight

GOOD = office(500)


def codes(folder: Path, rows: list[Row], settings: Settings | None = None) -> dict[str, str]:
    """Codes of time -> sentence."""
    given = settings or Settings()
    found = without_hindsight(read(write(folder, rows), settings=given, as_of=X), given)
    return {each.code: each.sentence() for each in found.findings if each.code.startswith("AKB-T")}


def where_ended(**changes: str) -> list[Row]:
    return [
        row | ({name.replace("_", " "): value for name, value in changes.items()} if row["Einddatum"] else {})
        for row in GOOD
    ]


def everywhere(heading: str, *values: str) -> list[Row]:
    return [row | {heading: values[place % len(values)]} for place, row in enumerate(GOOD)]


def planted() -> list[Row]:
    return [row | {"Dossier": "dicht" if row["Einddatum"] else "open"} for row in GOOD]


@pytest.mark.parametrize(
    ("code", "fires", "silent", "not_applicable"),
    [
        ("AKB-T001", where_ended(Maatschappij="Onbekend BV"), GOOD, everywhere("Maatschappij", "")),
        ("AKB-T002", everywhere("Kleur", "rood", "groen"), everywhere("Kleur", "man", "vrouw"), GOOD),
        ("AKB-T003", planted(), everywhere("Dossier", "open", "dicht"), GOOD),
    ],
)
def test_a_finding_fires_when_it_must_and_only_then(
    code: str, fires: list[Row], silent: list[Row], not_applicable: list[Row], tmp_path: Path
) -> None:
    assert code in codes(tmp_path, fires)
    assert code not in codes(tmp_path, silent)
    assert code not in codes(tmp_path, not_applicable)


def test_the_sentences_name_the_column_and_the_value(tmp_path: Path) -> None:
    sentence = codes(tmp_path, where_ended(Maatschappij="Onbekend BV"))["AKB-T001"]
    assert "maatschappij" in sentence and "Onbekend BV" in sentence
    assert "Dossier" in codes(tmp_path, planted())["AKB-T003"]


def test_no_sentence_names_a_value_of_few_customers_or_of_a_person(tmp_path: Path) -> None:
    found = codes(tmp_path, where_ended(Adviseur="jan@kantoor.nl"))
    assert not any("jan" in sentence for sentence in found.values())


def test_without_ended_policies_there_is_nothing_to_show(tmp_path: Path) -> None:
    running = [
        row | {"Kleur": "rood" if place % 2 else "groen"} for place, row in enumerate(GOOD) if not row["Einddatum"]
    ]
    assert set(codes(tmp_path, running)) == {"AKB-T002"}
