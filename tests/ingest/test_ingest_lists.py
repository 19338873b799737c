"""A second list of the same policies: none counts twice, nothing that only one of them says is lost."""

from __future__ import annotations

import pytest
from ingest_exports import X, assert_reconciles, assert_same, codes, finding, office, policy, read, reasons, write

GOOD = office(150)
TOP = sorted(GOOD, key=lambda row: -float(row["Premie per jaar"].replace(",", ".")))[:50]


def columns(rows, *names):
    return [{name: row[name] for name in names} for row in rows]


def without(rows, *names):
    return [{name: cell for name, cell in row.items() if name not in names} for row in rows]


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return read(write(tmp_path_factory.mktemp("truth"), GOOD), as_of=X)


SELECTIONS = {
    "no insurer": ("Relatienummer", "Polisnummer", "Branche", "Ingangsdatum", "Premie per jaar", "Adviseur"),
    "no branch": ("Relatienummer", "Polisnummer", "Maatschappij", "Ingangsdatum", "Premie per jaar"),
    "the least": ("Relatienummer", "Polisnummer", "Ingangsdatum"),
    "no end": tuple(name for name in GOOD[0] if name not in ("Einddatum", "Royementsreden")),
}


@pytest.mark.parametrize("name", SELECTIONS)
@pytest.mark.parametrize("file", ["a_top.csv", "z_top.csv"])
def test_a_selection_adds_nothing(name, file, truth, tmp_path):
    found = read(write(tmp_path, GOOD), write(tmp_path, columns(TOP, *SELECTIONS[name]), file), as_of=X)
    assert_same(truth, found, findings=False)
    assert reasons(found) == {"second_list": 50}
    told = finding(found, "AKB-D122")
    assert (told.severity, told.count, told.params["differs"]) == ("tip", 50, 0)
    assert_reconciles(found)


def test_a_selection_on_a_sheet_beside_the_list(truth, tmp_path):
    import xlsxwriter

    path = tmp_path / "export.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for title, rows in (("Top 50", columns(TOP, *SELECTIONS["no insurer"])), ("Polissen", GOOD)):
            sheet = book.add_worksheet(title)
            for place, row in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
                sheet.write_row(place, 0, row)
    found = read(path, as_of=X)
    assert_same(truth, found, findings=False)


@pytest.mark.parametrize(
    "names", [("Einddatum", "Royementsreden"), ("Premie per jaar", "Provisie per jaar"), ("Maatschappij",)]
)
def test_what_only_the_other_list_says_is_filled_in(names, truth, tmp_path):
    """The list lacks columns that a second one gives for some or all policies."""
    some = [row for row in GOOD if row[names[0]]]
    second = columns(some, "Relatienummer", "Polisnummer", "Ingangsdatum", *names)
    found = read(write(tmp_path, without(GOOD, *names)), write(tmp_path, second, "anders.csv"), as_of=X)
    assert_same(truth, found, findings=False)
    assert reasons(found) == {"second_list": len(some)}


def test_an_insurer_that_is_written_otherwise_is_no_other_policy(truth, tmp_path):
    other = [row | {"Maatschappij": row["Maatschappij"][:5], "Branche": "Schade"} for row in GOOD[:60]]
    found = read(write(tmp_path, GOOD), write(tmp_path, other, "kort.csv"), as_of=X)
    assert_same(truth, found, findings=False)


@pytest.mark.parametrize("kept", [tuple(GOOD[0]), SELECTIONS["no insurer"]])
def test_a_selection_pasted_below_the_list_without_insurer(kept, truth, tmp_path):
    below = [
        {name: cell if name in kept and name != "Maatschappij" else "" for name, cell in row.items()} for row in TOP
    ]
    found = read(write(tmp_path, [*GOOD, *below]), as_of=X)
    assert found.policies.height == truth.policies.height
    assert found.policies["premium_cents"].sum() == truth.policies["premium_cents"].sum()
    assert_reconciles(found)


def test_two_insurers_with_the_same_number_are_two_policies(tmp_path):
    twin = [row | {"Maatschappij": "Elders", "Ingangsdatum": "05-06-2020", "Einddatum": ""} for row in GOOD[:20]]
    found = read(write(tmp_path, GOOD), write(tmp_path, twin, "elders.csv"), as_of=X)
    assert found.policies.height == len(GOOD) + 20
    assert "AKB-D122" not in codes(found)


def test_an_objection_on_the_second_list_is_an_objection(tmp_path):
    said = [
        row | {"Mailing": "N"} for row in columns(GOOD[:30], "Relatienummer", "Polisnummer", "Ingangsdatum", "Mailing")
    ]
    found = read(write(tmp_path, GOOD), write(tmp_path, said, "verzet.csv"), as_of=X)
    assert found.customers["no_marketing"].sum() == len({row["Relatienummer"] for row in GOOD[:30]})


def test_another_premium_is_an_issue_and_the_larger_list_holds(truth, tmp_path):
    old = [row | {"Premie per jaar": "1,00"} for row in columns(TOP, *SELECTIONS["no insurer"])]
    found = read(write(tmp_path, GOOD), write(tmp_path, old, "oud.csv"), as_of=X)
    assert_same(truth, found, findings=False)
    told = finding(found, "AKB-D122")
    assert (told.severity, told.params["differs"]) == ("issue", 50)


def test_other_policies_of_the_second_list_are_read(truth, tmp_path):
    new = columns([policy(7, Polisnummer=f"N{n}") for n in range(5)], *SELECTIONS["no insurer"])
    top = columns(TOP, *SELECTIONS["no insurer"])
    found = read(write(tmp_path, GOOD), write(tmp_path, [*top, *new], "top.csv"), as_of=X)
    assert found.policies.height == truth.policies.height + 5


def test_an_end_that_only_the_second_list_has_is_an_end_with_its_reason(tmp_path):
    running = [row for row in GOOD if not row["Einddatum"] and int(row["Ingangsdatum"][-4:]) < 2024][:10]
    gone = [row | {"Einddatum": "03-06-2025", "Royementsreden": "Overlijden"} for row in running]
    names = ("Relatienummer", "Polisnummer", "Ingangsdatum", "Einddatum", "Royementsreden")
    found = read(write(tmp_path, GOOD), write(tmp_path, columns(gone, *names), "royementen.csv"), as_of=X)
    ended = found.policies.filter(found.policies["end_date"].dt.to_string("%d-%m-%Y") == "03-06-2025")
    assert ended.filter(ended["reason"] == "overlijden").height == 10
