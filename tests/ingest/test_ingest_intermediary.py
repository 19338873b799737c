"""A change of intermediary is a reason of its own; a book that is sold in one day is no lapse. And packages."""

from __future__ import annotations

from datetime import date

import pytest
from ingest_exports import Row, X, codes, finding, office, policy, read, write

from akb.config import Settings

LEFT = "overgang_tussenpersoon"


@pytest.mark.parametrize(
    ("text", "reason", "cause"),
    [
        ("Overgang andere tussenpersoon", LEFT, "preventable"),
        ("Overgang naar een ander intermediair", LEFT, "preventable"),
        ("WIJZIGING TUSSENPERSOON", LEFT, "preventable"),
        ("Intermediairwijziging", LEFT, "preventable"),
        ("Change of broker", LEFT, "preventable"),
        ("Portefeuilleoverdracht", "technisch", "technical"),
        ("Overgang portefeuille naar andere tussenpersoon", "technisch", "technical"),
        ("Overgestapt naar andere maatschappij", "overstap", "preventable"),
    ],
)
def test_the_reason_has_a_name_of_its_own(tmp_path, text, reason, cause):
    rows = [policy(1, Einddatum="01-05-2024", Royementsreden=text), policy(2)]
    ended = read(write(tmp_path, rows), as_of=X).policies.row(0, named=True)
    assert (ended["reason"], ended["cause"]) == (reason, cause)


def sold(count: int, *, adviser: str = "Anna", day: str = "01-04-2024", spread: bool = False) -> list[Row]:
    """So many running policies of one adviser go to another intermediary, on one day or on as many days."""
    rows, left = [], count
    for row in office(300):
        early = not row["Einddatum"] and int(row["Ingangsdatum"][-4:]) < 2022 and row["Adviseur"] == adviser
        if early and left:
            left -= 1
            on = f"{left % 28 + 1:02d}-{left // 28 % 12 + 1:02d}-2024" if spread else day
            rows.append(row | {"Einddatum": on, "Royementsreden": "Wijziging tussenpersoon"})
        else:
            rows.append(row)
    assert not left
    return rows


@pytest.mark.parametrize(
    ("count", "spread", "cause"), [(60, False, "technical"), (60, True, "preventable"), (12, False, "preventable")]
)
def test_a_book_that_is_sold_in_a_day_is_no_lapse(tmp_path, count, spread, cause):
    found = read(write(tmp_path, sold(count, spread=spread)), as_of=X)
    ended = found.policies.filter(reason=LEFT)
    continued = ended["replaced_on"].is_not_null()
    assert set(ended.filter(~continued)["cause"]) == {cause}
    assert ("AKB-D014" in codes(found)) == (cause == "technical")


def test_the_book_of_one_adviser_is_enough(tmp_path):
    """Sixty of this adviser's policies, under five percent of the whole book."""
    many = [
        policy(5000 + n, Adviseur="Cor", Ingangsdatum=f"{n % 28 + 1:02d}-{n % 12 + 1:02d}-2018") for n in range(1200)
    ]
    found = read(write(tmp_path, [*sold(60), *many]), as_of=X)
    assert set(found.policies.filter(reason=LEFT)["cause"]) == {"technical"}
    assert finding(found, "AKB-D014").params["day"] == date(2024, 4, 1)


def test_the_finding_counts_the_last_closed_year(tmp_path):
    rows = [row for row in office(300) if not row["Einddatum"]]
    gone = [policy(7000 + n, Einddatum=f"{n + 1:02d}-03-2025", Royementsreden="Ander intermediair") for n in range(7)]
    late = [policy(8000 + n, Einddatum="20-11-2025", Royementsreden="Ander intermediair") for n in range(7)]
    found = finding(read(write(tmp_path, [*rows, *gone, *late]), as_of=X), "AKB-D074")
    assert (found.count, found.params["policies"]) == (7, 7)
    assert "zij hielden hier geen polis over" in found.sentence()
    quiet = Settings(report={"suppress_below": 8})
    assert "AKB-D074" not in codes(read(write(tmp_path, [*rows, *gone]), as_of=X, settings=quiet))


@pytest.mark.parametrize(
    ("cell", "package"),
    [("GEZ01", True), ("5,0", True), ("J", True), ("", False), ("0", False), ("0,00 %", False), ("Nee", False)],
)
def test_a_package_is_yes_or_no(tmp_path, cell, package):
    found = read(write(tmp_path, [policy(1) | {"Pakketkorting": cell}, policy(2)]), as_of=X)
    assert found.policies["package"][0] is package
    assert read(write(tmp_path, [policy(1)], "zonder.csv"), as_of=X).policies["package"].to_list() == [None]


def test_sub_office_and_manager_are_columns_of_their_own(tmp_path):
    rows = [policy(1) | {"Sublocatie": "Breda Zuid", "Commercieel manager": "Mia"}]
    who = read(write(tmp_path, rows), as_of=X).customers.row(0, named=True)
    assert [who[name] for name in ("office", "sub_office", "adviser", "manager")] == [
        "Breda",
        "Breda Zuid",
        "Anna",
        "Mia",
    ]
