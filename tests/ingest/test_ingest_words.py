"""Words that deny, words that nobody knows, marks for an answer, and boxes for a status."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from ingest_exports import Row, X, codes, finding, nl, office, policy, read, write
from pydantic import ValidationError

from akb.config import Settings
from akb.core.errors import AkbError
from akb.ingest import read_and_preview
from akb.ingest.cells.answers import read_answers
from akb.ingest.cells.taxonomy import map_branches, map_reasons
from akb.ingest.cells.words import read_words
from akb.ingest.columns.boxes import read_status
from akb.ingest.types import Sources


def meaning(column: str, text: str) -> str | None:
    return read_words(pl.Series([text]), column).values[0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Natuurlijk persoon", "private"), ("Niet-natuurlijk persoon", "business"),
        ("Niet natuurlijke persoon", "business"), ("niet-natuurlijke personen", "business"),
        ("niet zakelijk", "private"), ("Niet particulier", "business"), ("geen particulier", "business"),
        ("not a person", "business"), ("non-business", "private"), ("Zakelijk (niet particulier)", "business"),
        ("Particulier, geen ondernemer", "private"), ("N.V. zakelijk", "business"), ("Zakelijk: nee", "private"),
        ("Rechtspersoon", "business"), ("Organisatie", "business"), ("niet ZZP", None),
        ("Particulier en zakelijk", None),
        ("Particulier (zakelijk)", None), ("niet", None),
    ],
)  # fmt: skip
def test_a_kind_is_a_whole_meaning(text: str, kind: str | None) -> None:
    assert meaning("kind", text) == kind


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Actief", "running"), ("niet actief", "ended"), ("not active", "ended"), ("Inactief", "ended"),
        ("non-actief", "ended"), ("niet meer lopend", "ended"), ("no longer active", "ended"),
        ("not in force", "ended"), ("Niet van kracht", "ended"), ("Actief: nee", "ended"),
        ("niet geroyeerd", "running"), ("niet beëindigd", "running"), ("geen royement", "running"),
        ("not cancelled", "running"), ("Geroyeerd: nee", "running"), ("Geroyeerd", "ended"),
        ("Geroyeerd met toekomstdatum", "announced"), ("niet geaccepteerd", "offer"), ("niet doorgegaan", "offer"),
        ("nog niet ingegaan", "running"), ("nog niet actief", None), ("nog niet vervallen", "running"),
        ("niet bekend", None),
    ],
)  # fmt: skip
def test_a_status_is_a_whole_meaning(text: str, status: str | None) -> None:
    assert read_status(pl.Series([text, "iets eigens"])).values[0] == status


def test_a_reason_that_is_denied_is_no_reason() -> None:
    texts = ["Overleden", "Niet overleden", "geen verkoop", "Premie niet betaald", "Geen belang", "Niet wegens verkoop"]
    assert map_reasons(pl.Series(texts), Settings()).keys.to_list() == [
        "overlijden", None, None, "wanbetaling", "verkoop_object", None,
    ]  # fmt: skip


def test_a_branch_that_is_denied_is_no_branch() -> None:
    assert map_branches(pl.Series(["Aansprakelijkheid (niet motor)", "Niet-motor"]), Settings()).keys.to_list() == [
        "avp", "overig",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "mark", ["✓", "✔️", "☑", "✅", "*", "×", "•", "x", "X", "√", "●", "+", "☒", "✗", "Ja", "-1", "1,0", "1.00"]
)
def test_a_mark_is_an_answer(mark: str) -> None:
    answers = read_answers(pl.Series([mark, None, "-"]))
    assert answers.values.to_list() == ["yes", None, None]
    assert not answers.unknown


@pytest.mark.parametrize(
    ("yes", "no"),
    [("1,0", "0,0"), ("1.0", "0.0"), ("✓", "✗"), ("☑", "☐"), ("☒", "☐"), ("✔", "❌"), ("-1", "0"), ("WAAR", "ONWAAR")],
)
def test_two_marks_are_two_answers(yes: str, no: str) -> None:
    assert read_answers(pl.Series([yes, no, yes])).values.to_list() == ["yes", "no", "yes"]


def strange(**cells: str) -> list[Row]:
    return [row | {name.replace("_", " "): text for name, text in cells.items()} for row in office(60)]


@pytest.mark.parametrize(
    ("heading", "text", "table", "meaning"),
    [
        ("Soort relatie", "Coöperatie", "kinds", "business"), ("Termijn", "seizoensgewijs", "terms", "1"),
        ("Incassowijze", "Via Brussel", "collections", "insurer"), ("Status", "Slapend", "statuses", "running"),
    ],
)  # fmt: skip
def test_words_that_akb_lacks_are_an_issue_and_the_settings_say_what_they_mean(
    tmp_path, heading: str, text: str, table: str, meaning: str
) -> None:
    path = write(tmp_path, strange(**{heading.replace(" ", "_"): text}))
    issue = finding(read(path, as_of=X), "AKB-D058")
    assert (issue.severity, issue.count, issue.params["table"]) == ("issue", len(office(60)), table)
    assert text in issue.sentence()
    assert table in issue.remedy()
    settings = Settings(ingest={table: {text: meaning}})
    assert "AKB-D058" not in codes(read(path, as_of=X, settings=settings))
    _, view = read_and_preview(Sources([path], bytes(32), as_of=X), settings)
    assert [(word.text, word.rows, word.key) for word in view.words[table].shown] == [(text, len(office(60)), meaning)]


def test_a_channel_that_akb_lacks_keeps_its_name_and_is_an_issue(tmp_path) -> None:
    contacts = [
        {"Relatienummer": f"{n:06d}", "Datum": "01-02-2024", "Kanaal": "Postduif", "Onderwerp": "vraag"}
        for n in range(1, 9)
    ]
    files = write(tmp_path, office(60)), write(tmp_path, contacts, "contacten.csv")
    portfolio = read(*files, as_of=X)
    assert finding(portfolio, "AKB-D058").params["table"] == "channels"
    assert portfolio.contacts["channel"].unique().to_list() == ["postduif"]
    settled = read(*files, as_of=X, settings=Settings(ingest={"channels": {"Postduif": "letter"}}))
    assert settled.contacts["channel"].unique().to_list() == ["letter"]
    assert "AKB-D058" not in codes(settled)


def test_a_word_may_only_mean_what_akb_knows() -> None:
    with pytest.raises(AkbError, match="did you mean 'ended'"):
        Settings(ingest={"statuses": {"weg": "endet"}}).check_names()
    with pytest.raises(AkbError, match=r"\[ingest.terms\]"):
        Settings(ingest={"terms": {"twee": 2}}).check_names()
    with pytest.raises(ValidationError):
        Settings(ingest={"terms": "twee"})


def boxes(heading: str, yes: str, no: str, *, gone_is: bool = True, changed: bool = True) -> list[Row]:
    """The office with a box and the date of the last change, and without end dates."""
    rows = []
    for row in office(200):
        gone = bool(row["Einddatum"])
        last = row["Einddatum"] or row["Ingangsdatum"]
        kept = {name: cell for name, cell in row.items() if name != "Einddatum"}
        rows.append(kept | {heading: yes if gone == gone_is else no} | ({"Wijzigingsdatum": last} if changed else {}))
    return rows


@pytest.mark.parametrize(
    ("heading", "yes", "no", "gone_is"),
    [
        ("Geroyeerd", "Ja", "Nee", True), ("Historisch", "J", "N", True), ("Beëindigd", "✓", "", True),
        ("Vervallen", "x", "", True), ("Opgezegd J/N", "1", "0", True), ("Cancelled", "True", "False", True),
        ("Polis geroyeerd", "-1", "0", True), ("Inactief", "WAAR", "ONWAAR", True), ("Actief", "Ja", "Nee", False),
        ("Actief", "☑", "☐", False), ("Lopend", "J", "", False), ("In force", "1,0", "0,0", False),
        ("Status", "Ja", "Nee", False), ("Status", "R", "A", True), ("Status", "H", "L", True),
    ],
)  # fmt: skip
def test_a_box_with_a_date_of_change_is_a_status(tmp_path, heading: str, yes: str, no: str, gone_is: bool) -> None:
    right = read(write(tmp_path, office(200)), as_of=X).policies
    portfolio = read(write(tmp_path, boxes(heading, yes, no, gone_is=gone_is), "box.csv"), as_of=X)
    assert portfolio.policies["end_date"].to_list() == right["end_date"].to_list()
    assert portfolio.rows.read == portfolio.rows.used + portfolio.rows.rejected


def test_a_box_that_holds_the_day_of_the_lapse_is_an_end(tmp_path) -> None:
    right = read(write(tmp_path, office(200)), as_of=X).policies
    rows = [
        {
            ("Geroyeerd" if name == "Einddatum" else name): cell or ("Nee" if name == "Einddatum" else "")
            for name, cell in row.items()
        }
        for row in office(200)
    ]
    assert read(write(tmp_path, rows, "box.csv"), as_of=X).policies["end_date"].to_list() == right["end_date"].to_list()


def test_a_status_in_words_wins_over_a_box(tmp_path) -> None:
    rows = [
        row | {"Status": "Lopend", "Geroyeerd": "Ja", "Wijzigingsdatum": "01-02-2024"}
        for row in boxes("Historisch", "Nee", "Nee")
    ]
    assert read(write(tmp_path, rows), as_of=X).policies["end_date"].null_count() == len(rows)


def test_a_box_with_words_is_a_status_in_words(tmp_path) -> None:
    right = read(write(tmp_path, office(200)), as_of=X).policies
    same = read(write(tmp_path, boxes("Historisch", "Geroyeerd", "Lopend"), "a.csv"), as_of=X)
    assert same.policies["end_date"].to_list() == right["end_date"].to_list()
    strange = write(tmp_path, boxes("Historisch", "Verleden", "Heden ten dage"), "b.csv")
    with pytest.raises(AkbError, match="Heden ten dage") as refused:  # nothing else says which policies ended
        read(strange, as_of=X)
    assert "[ingest.statuses]" in refused.value.hint


def test_of_two_boxes_the_one_that_says_ended_counts(tmp_path) -> None:
    rows = [row | {"Actief": "Ja"} for row in boxes("Geroyeerd", "Ja", "Nee")]
    ends = read(write(tmp_path, rows), as_of=X).policies["end_date"]
    assert ends.null_count() < len(rows)
    assert (
        ends.to_list()
        == read(write(tmp_path, boxes("Geroyeerd", "Ja", "Nee"), "b.csv"), as_of=X).policies["end_date"].to_list()
    )


def test_a_box_without_any_date_is_told_of(tmp_path) -> None:
    rows = boxes("Geroyeerd", "Ja", "Nee", changed=False)
    portfolio = read(write(tmp_path, rows), as_of=X)
    assert finding(portfolio, "AKB-D034").count == sum(row["Geroyeerd"] == "Ja" for row in rows)
    assert portfolio.rows.read == portfolio.rows.used + portfolio.rows.rejected


def test_words_of_a_status_in_a_replay_tell_nothing_of_later(tmp_path) -> None:
    rows = [row | {"Status": "Actief"} for row in office(60)]
    rows.append(policy(1, Polisnummer="Z", Ingangsdatum=nl(date(2025, 1, 1))) | {"Status": "Slapend"})
    assert "AKB-D058" not in codes(read(write(tmp_path, rows), as_of=date(2024, 1, 1)))
    assert "AKB-D058" in codes(read(write(tmp_path, rows, "b.csv"), as_of=X))
