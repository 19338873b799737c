"""Whoever objected to marketing is left alone, however the office writes it down."""

from __future__ import annotations

import pytest
from ingest_exports import X, codes, finding, office, policy, read, write

from akb.config import Settings
from akb.ingest import read_and_preview
from akb.ingest.types import Sources

HALF = 60


def objections(folder, heading: str, said: str, others: str = "") -> tuple[int, int]:
    """How many of the customers whose cell says `said` want no marketing, and how many of the others."""
    rows = [row | {heading: said if int(row["Relatienummer"]) % 2 else others} for row in office(HALF)]
    customers = read(write(folder, rows), as_of=X).customers
    odd = customers["relation"].str.strip_chars_start("0").str.slice(-1).is_in(list("13579"))
    return (
        int(customers.filter(odd)["no_marketing"].sum() == odd.sum()),
        int(customers.filter(~odd)["no_marketing"].sum()),
    )


@pytest.mark.parametrize(
    ("said", "others"),
    [
        ("N", "J"), ("Nee", "Ja"), ("nee, afgemeld", "Ja"), ("Geen", "Ja"), ("geen mailing", "E-mail en post"),
        ("Nooit", "Wel"), ("Niet", "Wel"), ("Opt-out", "Opt-in"), ("opt out sinds 2020", ""), ("Uit", "Aan"),
        ("niet toegestaan", "toegestaan"), ("bezwaar", "akkoord"), ("Uitgeschreven", "J"), ("0", "1"), ("0.0", "1.0"),
        ("geen post, wel e-mail", "geen bezwaar"), ("ONWAAR", "WAAR"), ("N", "n.v.t."),
    ],
)  # fmt: skip
def test_a_no_in_a_column_of_permissions(tmp_path, said: str, others: str) -> None:
    assert objections(tmp_path, "Mailing", said, others) == (1, 0)


@pytest.mark.parametrize(
    ("said", "others"),
    [
        ("J", ""), ("X", "N"), ("1", "0"), ("01-02-2020", "01-01-1900"), ("Bezwaar", "Geen bezwaar"),
        ("Ja, sinds 2020", "Nee"), ("Verzet", "geen"), ("mail, post", "n.v.t."),
    ],
)  # fmt: skip
def test_whatever_stands_under_objection_is_one_unless_it_denies_it(tmp_path, said: str, others: str) -> None:
    assert objections(tmp_path, "Bezwaar marketing", said, others) == (1, 0)


@pytest.mark.parametrize(
    ("said", "others"),
    [
        ("Bezwaar", "Akkoord"),
        ("niet benaderen", "mag benaderd worden"),
        ("Opt-out", ""),
        ("Geen reclame a.u.b.", "VIP"),
    ],
)
def test_an_objection_under_a_heading_that_nobody_knows_is_one(tmp_path, said: str, others: str) -> None:
    assert objections(tmp_path, "AVG", said, others) == (1, 0)


@pytest.mark.parametrize(("said", "others"), [("Geen bezwaar", "?"), ("geen contact", "telefoon"), ("bezwaard", "")])
def test_what_only_looks_like_an_objection_is_none(tmp_path, said: str, others: str) -> None:
    assert objections(tmp_path, "AVG", said, others) == (0, 0)


def test_remarks_are_no_objections(tmp_path) -> None:
    rows = [row | {"Memo": f"bezwaar tegen taxatie {place}"} for place, row in enumerate(office(HALF))]
    portfolio = read(write(tmp_path, rows), as_of=X)
    assert not portfolio.customers["no_marketing"].any()
    assert "AKB-P009" not in codes(portfolio)


def test_who_says_something_else_than_the_others_is_left_alone(tmp_path) -> None:
    rows = [row | {"Mailing": "Ja" if int(row["Relatienummer"]) % 9 else "zie dossier"} for row in office(HALF)]
    portfolio = read(write(tmp_path, rows), as_of=X)
    ninth = portfolio.customers["relation"].cast(int) % 9 == 0
    assert portfolio.customers["no_marketing"].to_list() == ninth.to_list()
    assert finding(portfolio, "AKB-P005").severity == "issue"


def test_codes_of_an_office_are_objections_until_it_says_what_they_mean(tmp_path) -> None:
    rows = [row | {"Mailing": "A2" if int(row["Relatienummer"]) % 2 else "B1"} for row in office(HALF)]
    path = write(tmp_path, rows)
    unknown = read(path, as_of=X)
    assert unknown.customers["no_marketing"].all()
    assert finding(unknown, "AKB-P006").severity == "issue"
    _, view = read_and_preview(Sources([path], bytes(32), as_of=X), Settings())
    assert {(word.text, word.key) for word in view.words["permissions"].shown} == {("A2", None), ("B1", None)}
    settled = read(path, as_of=X, settings=Settings(ingest={"permissions": {"A2": "no", "B1": "yes"}}))
    odd = settled.customers["relation"].cast(int) % 2 == 1
    assert settled.customers["no_marketing"].to_list() == odd.to_list()
    assert not {"AKB-P005", "AKB-P006"} & codes(settled)


@pytest.mark.parametrize("mark", ["✓", "☑", "✔", "*", "×", "•", "x", "✗", "❌", "**", "~", "☒", "@", "1,0"])
def test_a_mark_under_objection_is_an_objection(tmp_path, mark: str) -> None:
    assert objections(tmp_path, "Bezwaar marketing", mark) == (1, 0)


@pytest.mark.parametrize(
    ("said", "others"), [("✓", "✗"), ("☑", "☐"), ("☒", "□"), ("1,0", "0,0"), ("-1", "0"), ("✓", "-"), ("*", "–")]
)
def test_an_empty_box_under_objection_is_none(tmp_path, said: str, others: str) -> None:
    assert objections(tmp_path, "Geen mailing", said, others) == (1, 0)


@pytest.mark.parametrize(
    ("said", "others"), [("✗", "✓"), ("☐", "☑"), ("0,0", "1,0"), ("❌", "✔"), ("~", "J"), ("❌", "J"), ("0", "-1")]
)
def test_a_mark_under_permission(tmp_path, said: str, others: str) -> None:
    assert objections(tmp_path, "Mailing", said, others) == (1, 0)


@pytest.mark.parametrize(
    ("said", "others"), [("", "J"), ("", "✓"), ("", "1,0"), ("-", "Ja"), ("onbekend", "Ja"), ("", "*")]
)
def test_where_only_yes_stands_an_empty_permission_is_none(tmp_path, said: str, others: str) -> None:
    assert objections(tmp_path, "Mailing", said, others) == (1, 0)
    rows = [row | {"Mailing": said if int(row["Relatienummer"]) % 2 else others} for row in office(HALF)]
    assert finding(read(write(tmp_path, rows), as_of=X), "AKB-P007").count == sum(
        row["Mailing"] == said for row in rows
    )


def test_an_empty_permission_beside_a_no_or_a_yes_of_the_same_customer_is_no_objection(tmp_path) -> None:
    assert objections(tmp_path, "Mailing", "N", "") == (1, 0)
    rows = [policy(n // 2, Polisnummer=f"A{n}", Mailing="J" if n % 2 else "") for n in range(2, 80)]
    portfolio = read(write(tmp_path, rows), as_of=X)
    assert not portfolio.customers["no_marketing"].any()
    assert "AKB-P007" not in codes(portfolio)


@pytest.mark.parametrize(
    ("heading", "said", "others"),
    [
        ("Bezwaar", "✔", ""), ("Bezwaar mailing", "J", "n.v.t."), ("Datum bezwaar marketing", "05-03-2024", ""),
        ("Niet mailen", "Ja", "Nee"), ("Niet bellen", "1", "0"), ("DoNotCall", "true", "false"),
        ("HasOptedOutOfEmail", "TRUE", "FALSE"), ("Unsubscribed", "Yes", "No"), ("Mailblokkade", "Ja", ""),
        ("Marketing geblokkeerd", "J", "N"), ("Bel-me-niet", "J", "N"), ("GDPR opt-out", "Yes", "No"),
        ("Suppress mailing", "Y", ""), ("Objection to marketing", "objected", "none"),
        ("Bezwaar marketing", "Ingediend", "Niet ingediend"), ("Bezwaar marketing", "Actief", "Niet actief"),
        ("Bezwaar marketing", "[x]", "[ ]"), ("Opt-out", "opt-out", "opt-in"), ("Bezwaar marketing", "aan", "uit"),
        ("Bezwaar marketing", "niet bellen", "N"), ("Bezwaar marketing", "?", ""),
        ("Toestemming marketing", "Niet gegeven", "Gegeven"), ("Marketing consent", "Denied", "Granted"),
        ("Nieuwsbrief", "N", "J"), ("Mag gebeld worden", "nee", "ja"), ("Consent", "withdrawn", "given"),
        ("Contact allowed", "N", "Y"), ("Akkoord marketing", "Niet akkoord", "Akkoord"),
        ("Toestemming mailing", "", "J"), ("Marketing", "geen toestemming", "toestemming"),
    ],
)  # fmt: skip
def test_a_heading_about_marketing_is_known_by_what_it_speaks_of(tmp_path, heading, said, others) -> None:
    assert objections(tmp_path, heading, said, others) == (1, 0)


@pytest.mark.parametrize("heading", ["Toestemming incasso", "Akkoord digitale polis", "Aantal mails", "Contactpersoon"])
def test_a_consent_to_something_else_is_none(tmp_path, heading) -> None:
    assert objections(tmp_path, heading, "N", "J") == (0, 0)


def test_an_objection_in_one_of_several_columns_is_one(tmp_path) -> None:
    rows = [
        row | {"Niet bellen": "J" if int(row["Relatienummer"]) % 3 == 0 else "N", "Niet mailen": "N",
               "Nieuwsbrief": "N" if int(row["Relatienummer"]) % 5 == 0 else "J"}
        for row in office(HALF)
    ]  # fmt: skip
    customers = read(write(tmp_path, rows), as_of=X).customers
    number = customers["relation"].cast(int)
    assert customers["no_marketing"].to_list() == [n % 3 == 0 or n % 5 == 0 for n in number]
