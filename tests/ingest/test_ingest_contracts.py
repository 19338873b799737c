"""Contracts that decide together: whose a policy is, what an event is about, and what continues what."""

from __future__ import annotations

from datetime import date

import polars as pl
from ingest_exports import codes, finding, policy, read, write

from akb.config import Settings

COLLECTIVE = "Collectief contract"
OWN = [policy(n, Polisnummer=f"P{n}", Branche="Inboedel") | {COLLECTIVE: ""} for n in range(1, 30)]


def member(n: int, contract: str = "C1", **cells: str) -> dict[str, str]:
    row = policy(n, Polisnummer=f"K{n}", Branche="Collectieve ongevallen", Ingangsdatum="01-02-2019")
    return row | {COLLECTIVE: contract} | cells


X = date(2025, 11, 30)
MEMBERS = [member(n) for n in range(20, 60)]  # ten of them have a policy of their own


def customer_of(found, relation: str) -> int:
    return found.customers.filter(pl.col("relation") == relation)["customer"].item()


def test_a_contract_is_one_customer_with_members(tmp_path):
    found = read(write(tmp_path, [*OWN, *MEMBERS]))
    assert found.customers.height == 29 + 1
    contract = found.customers.filter(pl.col("members").is_not_null()).row(0, named=True)
    assert contract["relation"] == "CONTRACT C1"
    assert (contract["members"], contract["kind"], contract["birth_year"]) == (40, "business", None)
    mine = found.policies.filter(pl.col("customer") == contract["customer"])
    assert mine.height == 40
    assert set(mine["branch"]) == {"wga_wia"}
    assert finding(found, "AKB-D141").params == {"members": 40, "policies": 40, "both": 10}
    # every relation number leads to somebody: members with nothing else to their contract
    numbers = found.relations.filter(pl.col("customer") == contract["customer"])["relation"]
    assert sorted(numbers) == [*(f"{n:06d}" for n in range(30, 60)), "CONTRACT C1"]


def test_the_client_may_leave_members_apart(tmp_path):
    found = read(write(tmp_path, [*OWN, *MEMBERS]), settings=Settings(client={"contracts": "apart"}))
    assert found.customers.height == 59
    assert found.customers["members"].null_count() == 59
    assert "AKB-D141" not in codes(found)


def test_one_member_alone_or_a_yes_is_no_contract(tmp_path):
    rows = [*OWN, member(40), *(member(n, "J") for n in range(41, 50)), *(member(n, "") for n in range(50, 60))]
    found = read(write(tmp_path, rows))
    assert found.customers["members"].null_count() == found.customers.height
    assert "AKB-D141" not in codes(found)


def test_the_end_of_a_contract_is_one_event_and_no_day_on_which_a_book_moved(tmp_path):
    gone = [row | {"Einddatum": "01-04-2024", "Royementsreden": ""} for row in MEMBERS]
    together = read(write(tmp_path, [*OWN, *gone]))
    assert "AKB-D014" not in codes(together)
    ended = together.policies.filter(pl.col("end_date") == date(2024, 4, 1))
    assert ended["customer"].n_unique() == 1
    assert set(ended["cause"]) == {"unknown"}
    apart = read(write(tmp_path, [*OWN, *gone], "los.csv"), settings=Settings(client={"contracts": "apart"}))
    assert "AKB-D014" in codes(apart)


def test_who_joins_does_not_continue_who_leaves(tmp_path):
    rows = [
        *MEMBERS,
        member(70, Einddatum="01-03-2023", Royementsreden="Opzegging klant"),
        member(71, Ingangsdatum="01-03-2023"),
        member(72, Polisnummer="K72", Einddatum="01-03-2023", Royementsreden="Omnummering"),
        member(72, Polisnummer="K72b", Ingangsdatum="01-03-2023"),
    ]
    found = read(write(tmp_path, [*OWN, *rows]))
    ended = found.policies.filter(pl.col("end_date").is_not_null())
    on = dict(ended.select("reason", "replaced_on").iter_rows())
    assert on == {"opzegging_klant": None, "technisch": date(2023, 3, 1)}


def test_claims_of_members_are_of_their_contract(tmp_path):
    claims = [{"Relatienummer": f"{n:06d}", "Meldingsdatum": "01-02-2024", "Schadebedrag": "100,00"} for n in (25, 45)]
    found = read(write(tmp_path, [*OWN, *MEMBERS]), write(tmp_path, claims, "schades.csv"), as_of=X)
    assert found.rows.rejected == 0
    assert found.claims is not None
    assert sorted(found.claims["customer"]) == sorted([customer_of(found, "000025"), customer_of(found, "CONTRACT C1")])


def test_a_fee_per_customer_stays_whole(tmp_path):
    rows = [row | {"Fee per klant": "30,00"} for row in [*OWN, *MEMBERS]]
    found = read(write(tmp_path, rows))
    held = found.policies.group_by("customer").agg(pl.col("fee_cents").sum())
    assert held["fee_cents"].sum() == 3_000 * (29 + 40)


def fleet(n: int, number: str = "W1", **cells: str) -> dict[str, str]:
    own = {"Polisnummer": f"V{n}", "Branche": "Wagenpark", "Wagenparknummer": number, "Premie_per_jaar": "500,00"}
    row = policy(100, Ingangsdatum=f"01-0{n % 9 + 1}-2020") | {k.replace("_", " "): v for k, v in own.items()}
    return row | {k.replace("_", " "): v for k, v in cells.items()}


def test_a_fleet_is_one_policy_of_many_vehicles(tmp_path):
    rows = [row | {"Wagenparknummer": ""} for row in OWN]
    for row in rows:
        del row[COLLECTIVE]
    vehicles = [fleet(n) for n in range(1, 6)]
    vehicles[0] |= {"Einddatum": "01-06-2023", "Royementsreden": "Verkocht"}
    over = [fleet(n, "W2", Einddatum=f"01-0{n}-2024", Royementsreden="Opzegging klant") for n in range(6, 9)]
    claims = [{"Relatienummer": "000100", "Polisnummer": "V3", "Meldingsdatum": "01-02-2024", "Schadebedrag": "100,00"}]
    found = read(write(tmp_path, [*rows, *vehicles, *over]), write(tmp_path, claims, "schades.csv"), as_of=X)
    mine = found.policies.filter(pl.col("branch") == "wagenpark").sort("end_date", nulls_last=True)
    assert mine["end_date"].to_list() == [date(2024, 8, 1), None]
    assert mine["start_date"].to_list() == [date(2020, 7, 1), date(2020, 2, 1)]
    assert mine["premium_cents"].to_list() == [50_000, 4 * 50_000]
    assert finding(found, "AKB-D142").params == {"vehicles": 8}
    assert found.claims is not None
    assert found.claims["policy"].to_list() == [mine["policy"][1]]
