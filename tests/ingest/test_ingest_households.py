"""Who is one customer: main relation, number of the household, address; and what of it leaves the door."""

from __future__ import annotations

import csv
import io
from types import SimpleNamespace

import polars as pl
import pytest
from ingest_exports import KEY, X, assert_reconciles, finding, policy, read, reasons, write

from akb.config import Settings
from akb.core.privacy.pseudonyms import pseudonym
from akb.ingest.customers.households import address_key
from akb.pipeline import private_customers
from akb.store.forgetting import names_of

HOMES = Settings(client={"unit": "household"})
HERE = {"Postcode": "4811 AB", "Huisnummer": "12", "Toevoeging": ""}


def customers(found) -> set[frozenset[str]]:
    """The relations of each customer."""
    of = found.relations.group_by("customer").agg("relation")
    return {frozenset(relation.lstrip("0") for relation in row) for row in of["relation"]}


def rows(*changes: dict[str, str]) -> list[dict[str, str]]:
    return [policy(number, **change) for number, change in enumerate(changes, start=1)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("4811AB", "12", "A"), ("4811 ab", "12-a", ""), True),
        (("4811AB", "0012", ""), ("4811AB", "12", ""), True),
        (("4811AB", "12", "2 hoog"), ("4811AB", "12 2-Hoog", ""), True),
        (("4811AB", "12", ""), ("4811AB", "12", "A"), False),
        (("4811AB", "12", ""), ("4811AB", "121", ""), False),
        (("4811AB", "1", "2"), ("4811AB", "12", ""), False),
        (("4811AB", "12", ""), ("4811AC", "12", ""), False),
    ],
)
def test_one_address_is_one_key_however_it_is_written(one, other, same):
    assert (address_key(*one, KEY) == address_key(*other, KEY)) is same
    assert address_key(*one, KEY) != address_key(*one, bytes(32))


@pytest.mark.parametrize("address", [("4811", "12", ""), ("4811AB", "", ""), ("4811AB", "onbekend", "")])
def test_half_an_address_is_none(address):
    assert address_key(*address, KEY) is None


def test_private_relations_at_one_address_are_one_customer_and_businesses_are_not(tmp_path):
    business = HERE | {"Soort_relatie": "Zakelijk"}
    path = write(tmp_path, rows(HERE, HERE | {"Huisnummer": "12 "}, business, business, HERE | {"Huisnummer": "14"}))
    found = read(path, settings=HOMES, as_of=X)
    assert customers(found) == {frozenset("12"), frozenset("3"), frozenset("4"), frozenset("5")}
    told = finding(found, "AKB-D070")
    assert (told.params["relations"], told.params["customers"]) == (5, 4)
    assert customers(read(path, as_of=X)) == {frozenset(number) for number in "12345"}


def test_the_main_relation_goes_before_the_address(tmp_path):
    """2 and 3 name 1, 4 names 3; 5 lives with 1 and has no main relation; a flag is no number."""
    at = HERE | {"Hoofdrelatie": ""}
    path = write(
        tmp_path,
        rows(
            at,
            at | {"Hoofdrelatie": "1", "Huisnummer": "90"},
            at | {"Hoofdrelatie": "1"},
            at | {"Hoofdrelatie": "3"},
            at,
        ),
    )
    path.write_text(path.read_text("utf-8-sig").replace("00000", ""), "utf-8")
    assert customers(read(path, settings=HOMES, as_of=X)) == {frozenset("1234"), frozenset("5")}
    flags = write(tmp_path, rows(at | {"Hoofdrelatie": "J", "Huisnummer": "3"}, at | {"Hoofdrelatie": "J"}), "j.csv")
    assert customers(read(flags, settings=HOMES, as_of=X)) == {frozenset("1"), frozenset("2")}


def test_the_offices_own_number_is_no_relation_number(tmp_path):
    group = [{"Gezinsnummer": "000003"}, {"Gezinsnummer": "000003"}, {"Gezinsnummer": ""}]
    found = read(write(tmp_path, rows(*group)), settings=HOMES, as_of=X)
    assert customers(found) == {frozenset("12"), frozenset("3")}


def test_a_block_of_flats_is_no_household(tmp_path):
    found = read(write(tmp_path, rows(*[HERE] * 9)), settings=HOMES, as_of=X)
    assert found.customers.height == 9
    assert finding(found, "AKB-D072").count == 9
    assert read(write(tmp_path, rows(*[HERE] * 8)), settings=HOMES, as_of=X).customers.height == 1


def test_a_household_speaks_through_its_oldest_policy_or_its_main_relation(tmp_path):
    first = HERE | {"Ingangsdatum": "01-01-2015", "Geboortejaar": "", "Adviseur": "Bas", "Mailing": "J"}
    second = HERE | {"Ingangsdatum": "01-01-2018", "Geboortejaar": "1980", "Adviseur": "Anna", "Mailing": "N"}
    who = read(write(tmp_path, rows(first, second)), settings=HOMES, as_of=X).customers.row(0, named=True)
    assert (who["relation"], who["birth_year"], who["adviser"], who["no_marketing"]) == ("000001", 1980, "Bas", True)
    head = [first | {"Hoofdrelatie": "000002"}, second | {"Hoofdrelatie": "000002"}]
    who = read(write(tmp_path, rows(*head)), settings=HOMES, as_of=X).customers.row(0, named=True)
    assert (who["relation"], who["adviser"], who["pseudonym"]) == ("000002", "Anna", pseudonym("000002", KEY))
    assert "AKB-D019" not in {each.code for each in read(write(tmp_path, rows(*head)), settings=HOMES).findings}


def test_events_and_policies_of_all_relations_are_the_customers(tmp_path):
    claims = [
        {"Relatienummer": f"{number:06d}", "Meldingsdatum": f"0{number}-02-2024", "Schadebedrag": "10"}
        for number in (1, 2)
    ]
    twice = [policy(1, Polisnummer="SAMEN", **HERE), policy(2, Polisnummer="SAMEN", **HERE | {"Branche": "Inboedel"})]
    twice = [row | {"Branche": "Inboedel"} for row in twice]
    files = [write(tmp_path, [*rows(HERE, HERE), *twice]), write(tmp_path, claims, "schades.csv")]
    found = read(*files, settings=HOMES, as_of=X)
    assert found.customers.height == 1
    assert found.policies["customer"].to_list() == [0, 0, 0]  # the policy that both hold counts once
    assert found.claims["customer"].to_list() == [0, 0]
    assert reasons(found) == {"duplicate": 1}
    assert_reconciles(found)


def test_the_order_of_the_rows_means_nothing(tmp_path):
    some = rows(HERE, HERE, HERE | {"Huisnummer": "7"}, HERE | {"Hoofdrelatie": "000001"}, HERE)
    some = [{"Hoofdrelatie": ""} | row for row in some]
    one = read(write(tmp_path, some), settings=HOMES, as_of=X)
    other = read(write(tmp_path, some[::-1], "om.csv"), settings=HOMES, as_of=X)
    assert one.customers.equals(other.customers)
    assert one.policies.equals(other.policies)
    assert one.relations.equals(other.relations)


@pytest.mark.parametrize("settings", [HOMES, Settings()])
def test_nothing_of_an_address_is_kept_and_it_is_listed(tmp_path, settings):
    found = read(write(tmp_path, rows(HERE, HERE)), settings=settings, as_of=X)
    assert {"Huisnummer", "Toevoeging", "Postcode"} <= set(found.sources[0].dropped)
    assert not {"home", "house_number", "household", "main"} & {*found.customers.columns, *found.policies.columns}
    assert set(found.customers["postcode4"]) == {"4811"}


def test_every_relation_stands_in_the_private_file_and_takes_the_household_with_it(tmp_path):
    found = read(write(tmp_path, rows(HERE, HERE, HERE | {"Huisnummer": "1"})), settings=HOMES, as_of=X)
    content = private_customers(SimpleNamespace(portfolio=found)).decode()
    told = list(csv.DictReader(io.StringIO(content)))
    assert len(told) == 3
    both = {row["customer"] for row in told if row["relation"] in ("000001", "000002")}
    assert len(both) == 1
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "customers.csv").write_text(content)
    assert names_of(tmp_path, "000002") == {*both, "000001", "000002"}
    assert names_of(tmp_path, "000003") & both == set()


def test_sums_are_those_of_the_relations(tmp_path):
    path = write(tmp_path, rows(HERE, HERE, HERE | {"Huisnummer": "3"}))
    alone, together = (read(path, settings=settings, as_of=X).policies for settings in (Settings(), HOMES))
    for column in ("premium_cents", "commission_cents"):
        assert alone[column].sum() == together[column].sum()
    assert together.group_by("customer").agg(pl.len())["len"].sort().to_list() == [1, 2]
