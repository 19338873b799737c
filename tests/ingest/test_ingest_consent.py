"""Whoever objected to marketing is left alone, however the office writes it down."""

from __future__ import annotations

import pytest
from ingest_exports import X, finding, office, read, write

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


def test_who_says_something_else_than_the_others_is_left_alone(tmp_path) -> None:
    rows = [row | {"Mailing": "Ja" if int(row["Relatienummer"]) % 9 else "zie dossier"} for row in office(HALF)]
    portfolio = read(write(tmp_path, rows), as_of=X)
    ninth = portfolio.customers["relation"].cast(int) % 9 == 0
    assert portfolio.customers["no_marketing"].to_list() == ninth.to_list()
    assert finding(portfolio, "AKB-P005").severity == "issue"


def test_codes_of_an_office_leave_nobody_out_and_say_so(tmp_path) -> None:
    assert objections(tmp_path, "Mailing", "A2", "B1") == (0, 0)
    rows = [row | {"Mailing": "A2"} for row in office(HALF)]
    assert finding(read(write(tmp_path, rows), as_of=X), "AKB-P006").severity == "issue"
