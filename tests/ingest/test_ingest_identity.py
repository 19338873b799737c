"""Numbers that a spreadsheet or a back office spoiled: nobody becomes somebody else, and what is lost is counted."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_exports import assert_reconciles, assert_same, codes, finding, office, policy, read, reasons, write

from akb.core.errors import AkbError
from akb.ingest.repairs.numbers import _whole

GOOD = office(120)
PEOPLE = sorted({row["Relatienummer"] for row in GOOD})
CLAIMS = [
    {"Relatienummer": row["Relatienummer"], "Meldingsdatum": "01-02-2024", "Schadebedrag": "100,00"}
    for row in GOOD[:40]
]


def renumbered(rows, number, column="Relatienummer"):
    return [row | {column: number(row[column])} for row in rows]


def whole(number):
    return str(100_000_000_000 + 7 * int(number))


def scientific(digits):
    return lambda number: f"{int(whole(number)):.{digits}E}".replace(".", ",")


def test_relations_without_their_digits_stop_the_run_with_the_count_of_what_is_left(tmp_path):
    rows = renumbered(GOOD, scientific(5))
    with pytest.raises(AkbError) as stopped:
        read(write(tmp_path, rows))
    assert f"{len(rows):,} of {len(rows):,} rows share 1 numbers" in str(stopped.value)
    assert "scientific" in str(stopped.value)
    assert "9,99999E+99" in str(stopped.value)
    assert "1,00000" not in str(stopped.value)  # a shape, no value


def test_numbers_in_scientific_notation_that_kept_their_digits_are_read_back(tmp_path):
    truth = read(write(tmp_path, renumbered(GOOD, whole)))
    found = read(write(tmp_path, renumbered(GOOD, scientific(11))))
    assert_same(truth, found, findings=False)
    assert finding(found, "AKB-D117").count == len(GOOD)
    dotted = read(write(tmp_path, renumbered(GOOD, lambda number: scientific(11)(number).replace(",", "."))))
    assert_same(truth, dotted, findings=False)


@given(st.integers(min_value=10, max_value=10**15))
def test_all_digits_or_none(number):
    digits = str(number)
    assert _whole(f"{digits[0]},{digits[1:]}E+{len(digits) - 1:02d}") == digits
    assert _whole(f"{digits[0]},{digits[1:]}00E+{len(digits) - 1}") == digits  # zeros behind the point lose nothing
    assert _whole(f"{digits[0]},{digits[1:]}50E+{len(digits) - 1}") is None
    assert _whole(f"{digits[0]}.{digits[1:-1]}E+{len(digits) - 1}".replace(".E", "E")) is None


def test_some_lost_relations_are_nobodys_and_change_no_day_and_no_other_customer(tmp_path):
    lost = set(PEOPLE[::10])
    rows = [row | {"Relatienummer": "1,00001E+11"} if row["Relatienummer"] in lost else row for row in GOOD]
    found = read(write(tmp_path, rows))
    clean = read(write(tmp_path, [row for row in GOOD if row["Relatienummer"] not in lost]), as_of=found.as_of)
    assert found.as_of == read(write(tmp_path, GOOD)).as_of
    count = sum(row["Relatienummer"] in lost for row in GOOD)
    assert reasons(found)["damaged_number"] == count
    told = finding(found, "AKB-D119")
    assert (told.severity, told.count, told.params["left"]) == ("issue", count, 1)
    assert found.customers["relation"].to_list() == clean.customers["relation"].to_list()
    assert_reconciles(found)


def test_a_policy_without_its_digits_is_still_a_policy_of_its_own(tmp_path):
    rows = [row | {"Polisnummer": f"{210_000_000_000 + n * 37:.5E}".replace(".", ",")} for n, row in enumerate(GOOD)]
    truth, found = read(write(tmp_path, GOOD)), read(write(tmp_path, rows))
    assert found.policies.height == truth.policies.height
    assert found.policies["premium_cents"].sum() == truth.policies["premium_cents"].sum()
    assert finding(found, "AKB-D046").count == len(rows)
    twice = read(write(tmp_path, [*rows, rows[0]]))
    assert twice.policies.height == truth.policies.height
    assert reasons(twice) == {"duplicate": 1}
    mixed = read(write(tmp_path, rows[::-1]))
    assert_same(found, mixed)  # the order of the rows says nothing


def test_two_deliveries_of_lost_policy_numbers_are_one_book(tmp_path):
    rows = [row | {"Polisnummer": "2,1E+11"} for row in GOOD]
    first = write(tmp_path, [row | {"Peildatum": "31-10-2025", "Premie per jaar": "1,00"} for row in rows], "a.csv")
    second = write(tmp_path, [row | {"Peildatum": "30-11-2025"} for row in rows], "b.csv")
    assert read(first, second).policies.height == read(second).policies.height


@pytest.mark.parametrize("tail", [".0", ",0", ".00"])
def test_a_decimal_behind_a_number_is_no_part_of_it_whoever_stands_beside(tail, tmp_path):
    rows = [
        *renumbered(GOOD, lambda number: number.lstrip("0") + tail),
        policy(1, Relatienummer="K12", Polisnummer="K12"),
    ]
    claims = renumbered(CLAIMS, lambda number: number.lstrip("0"))
    found = read(write(tmp_path, rows), write(tmp_path, claims, "schades.csv"))
    assert found.customers.height == len(PEOPLE) + 1
    assert found.claims.height == len({claim["Relatienummer"] for claim in claims})  # repeats are one
    assert "unknown_customer" not in reasons(found)
    assert "K12" in found.customers["relation"].to_list()


def test_the_decimal_may_stand_in_one_file_only(tmp_path):
    claims = renumbered(CLAIMS, lambda number: number.lstrip("0") + ".0")
    found = read(write(tmp_path, GOOD), write(tmp_path, claims, "schades.csv"))
    assert "unknown_customer" not in reasons(found)


def test_a_real_decimal_in_another_file_is_a_part_of_the_number(tmp_path):
    rows = [policy(1, Relatienummer=f"{n}.0", Polisnummer=f"A{n}") for n in range(1000, 1040)]
    parts = [policy(1, Relatienummer=f"{n}.1", Polisnummer=f"B{n}") for n in range(1000, 1040)]
    assert read(write(tmp_path, rows), write(tmp_path, parts, "tweede.csv")).customers.height == 80
    assert read(write(tmp_path, rows)).customers["relation"].to_list()[0] == "1000"


def test_thousands_with_a_comma_are_a_way_of_writing(tmp_path):
    rows = renumbered(GOOD, lambda number: f"{1000 + int(number):,}")
    found = read(write(tmp_path, rows))
    assert found.customers["relation"].to_list()[0] == "1001"


def apart(number):
    """1001.1 and 100.11 in turn: the same digits, another point."""
    base = 1001 + int(number) // 2
    return f"{base}.1" if int(number) % 2 else f"{str(base)[:3]}.{str(base)[3:]}1"


@pytest.mark.parametrize(
    "number",
    [
        apart,
        lambda number: apart(number).replace(".", " "),
        lambda number: f"K.{apart(number)}",
        lambda number: ("aB" if int(number) % 2 else "Ab") + f"{int(number) // 2:04d}",
    ],
)
def test_what_tells_numbers_apart_matters(number, tmp_path):
    rows = renumbered(GOOD, number)
    claims = renumbered(CLAIMS, number)
    truth = read(write(tmp_path, GOOD), write(tmp_path, CLAIMS, "schades.csv"))
    found = read(write(tmp_path, rows), write(tmp_path, claims, "schades.csv"))
    assert found.customers.height == len(PEOPLE) == truth.customers.height
    assert found.claims.height == truth.claims.height
    assert finding(found, "AKB-D118").count > 0
    kept = found.customers["relation"].to_list()
    assert set(kept) == {number(person) for person in PEOPLE}  # as it is written, to find it again


def test_points_that_tell_apart_may_do_so_between_files_only(tmp_path):
    rows = renumbered(GOOD, apart)
    short = [row for row in rows if row["Relatienummer"].endswith(".1")]
    long = [row for row in rows if not row["Relatienummer"].endswith(".1")]
    assert short
    assert long
    found = read(write(tmp_path, short, "a.csv"), write(tmp_path, long, "b.csv"))
    assert found.customers.height == len(PEOPLE)
    assert finding(found, "AKB-D118").count > 0


def test_points_that_part_thousands_and_a_typing_error_do_not_matter(tmp_path):
    rows = renumbered(GOOD, lambda number: f"{1000 + int(number):,}".replace(",", "."))
    rows[0]["Relatienummer"] = rows[0]["Relatienummer"].replace(".", "")
    found = read(write(tmp_path, rows))
    assert found.customers.height == len(PEOPLE)
    assert "AKB-D118" not in codes(found)
    few = renumbered(GOOD, lambda number: "k" + number)
    few[0]["Relatienummer"] = few[0]["Relatienummer"].upper()
    assert read(write(tmp_path, few)).customers.height == len(PEOPLE)


@pytest.mark.parametrize("stand_in", ["0", "0000000", "-1", "9999999", "DUMMY", "4711"])
def test_a_third_of_the_book_on_one_relation_is_nobodys(stand_in, tmp_path):
    rows = [row | {"Relatienummer": stand_in} if n % 3 == 0 else row for n, row in enumerate(GOOD)]
    found = read(write(tmp_path, rows))
    count = len(GOOD[::3])
    told = finding(found, "AKB-D120")
    assert (told.severity, told.count) == ("issue", count)
    assert reasons(found)["no_relation"] == count
    assert stand_in not in found.customers["relation"].to_list()
    assert_reconciles(found)


def test_a_large_client_is_told_of_and_stays(tmp_path):
    fleet = [
        policy(900, Polisnummer=f"F{n}", Branche="Wagenpark", Soort_relatie="Zakelijk", Geboortejaar="")
        for n in range(90)
    ]
    found = read(write(tmp_path, [*GOOD, *fleet]))
    told = finding(found, "AKB-D121")
    assert (told.severity, told.count) == ("issue", 90)
    assert found.policies.height == read(write(tmp_path, GOOD)).policies.height + 90
    assert "AKB-D121" not in codes(read(write(tmp_path, [*GOOD, *fleet[:15]])))


def test_an_employer_of_many_is_one_client(tmp_path):
    many = [
        policy(
            900, Polisnummer=f"W{n}", Branche="Ongevallen", Soort_relatie="Zakelijk", Geboortejaar=str(1950 + n % 50)
        )
        for n in range(60)
    ]
    found = read(write(tmp_path, [*GOOD, *many]))
    assert "no_relation" not in reasons(found)
    mixed = [row | {"Soort relatie": ("Zakelijk", "Particulier")[n % 2]} for n, row in enumerate(many)]
    assert reasons(read(write(tmp_path, [*GOOD, *mixed])))["no_relation"] == 60


def test_rows_of_after_a_replay_make_nobody_of_no_one(tmp_path):
    past = date(2023, 6, 30)
    late = [policy(1, Polisnummer=f"L{n}", Ingangsdatum="01-02-2025", Geboortejaar=str(1940 + n)) for n in range(60)]
    late = [row | {"Soort relatie": ("Zakelijk", "Particulier")[n % 2]} for n, row in enumerate(late)]
    one, other = read(write(tmp_path, GOOD), as_of=past), read(write(tmp_path, [*GOOD, *late]), as_of=past)
    assert_same(one, other)
    assert reasons(other)["after_as_of"] == reasons(one).get("after_as_of", 0) + 60


def test_a_numbering_that_begins_with_zero_is_one(tmp_path):
    rows = renumbered(GOOD, lambda number: str(int(number) - 1))
    assert read(write(tmp_path, rows)).customers.height == len(PEOPLE)


def test_a_book_of_zeros_has_no_customers(tmp_path):
    with pytest.raises(AkbError, match="holds no relation number"):
        read(write(tmp_path, renumbered(GOOD, lambda _: "0")))
