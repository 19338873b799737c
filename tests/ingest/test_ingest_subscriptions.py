"""Subscriptions as contracts: among the policies or in a file of their own, with a fee, a renewal and no premium."""

from __future__ import annotations

import polars as pl
from ingest_exports import codes, finding, policy, read, write

from akb.config import Settings
from akb.core.relations import SUBSCRIPTION

INSURED = [policy(n, Polisnummer=f"P{n}", Branche="Inboedel") for n in range(1, 40)]
MONTHLY = {"Premie per jaar": "", "Provisie per jaar": "", "Abonnement per maand": "12,50"}


def subscription(n: int, **cells: str) -> dict[str, str]:
    return policy(n, Polisnummer=f"S{n}", Branche="Serviceabonnement") | MONTHLY | cells


def of(found) -> pl.DataFrame:
    return found.policies.filter(pl.col("branch") == SUBSCRIPTION)


def test_a_subscription_among_the_policies_has_a_fee_and_no_premium(tmp_path):
    rows = [row | {"Abonnement per maand": ""} for row in INSURED]
    rows += [subscription(n, Hoofdvervaldatum="01-04-2025") for n in range(30, 50)]
    found = read(write(tmp_path, rows))
    mine = of(found)
    assert mine["fee_cents"].to_list() == [15_000] * 20
    assert mine["premium_cents"].null_count() == mine["commission_cents"].null_count() == 20
    assert {(day.month, day.day) for day in mine["renewal_date"]} == {(4, 1)}
    told = finding(found, "AKB-D140")
    assert told.count == 20
    assert told.params == {"customers": 20, "alone": 10, "fee": 3000}


def test_its_price_may_stand_under_the_premium(tmp_path):
    priced = [
        policy(n, Polisnummer=f"S{n}", Branche="Serviceabonnement", Premie_per_jaar="150,00") for n in range(30, 50)
    ]
    found = read(write(tmp_path, [*INSURED, *priced]))
    assert of(found)["fee_cents"].to_list() == [15_000] * 20
    assert of(found)["premium_cents"].null_count() == 20
    assert "AKB-D001" not in codes(found)


def test_a_file_of_subscriptions_of_any_name(tmp_path):
    own = [
        {"Relatienummer": f"{n:06d}", "Abonnementsnummer": f"A{n}", "Soort abonnement": ("Goud", "Zilver")[n % 2],
         "Ingangsdatum": "01-02-2021", "Einddatum": "", "Abonnementsprijs per maand": "9,95",
         "Verlengdatum": "01-02-2026"}
        for n in range(30, 60)
    ]  # fmt: skip
    found = read(write(tmp_path, INSURED), write(tmp_path, own, "abonnementen.csv"))
    mine = of(found)
    assert mine.height == 30
    assert set(mine["fee_cents"]) == {11_940}
    assert set(mine["product"]) == {"Goud", "Zilver"}
    assert set(found.policies["branch"]) == {"inboedel", SUBSCRIPTION}
    assert "AKB-D009" not in codes(found)


def test_the_client_says_what_his_subscription_is_called(tmp_path):
    rows = [
        *INSURED,
        *(policy(n, Polisnummer=f"S{n}", Branche="Zorgeloos Plus", Premie_per_jaar="60") for n in range(1, 9)),
    ]
    settings = Settings(ingest={"branches": {"Zorgeloos Plus": SUBSCRIPTION}})
    assert of(read(write(tmp_path, rows), settings=settings)).height == 8


def test_advice_fees_and_commission_at_the_sale_are_one_sum_earned_once(tmp_path):
    rows = [row | {"Afsluitprovisie": "100,00", "Advieskosten": "250,00", "Winstdeling": "12,00"} for row in INSURED]
    found = read(write(tmp_path, rows))
    assert set(found.policies["one_off_cents"]) == {35_000}
    assert set(found.policies["profit_cents"]) == {1_200}
    assert "Advieskosten" in finding(found, "AKB-D086").sentence()


def test_a_mortgage_is_a_branch_and_what_only_speaks_of_one_is_not(tmp_path):
    texts = {"Hypotheek": "hypotheek", "ORV bij hypotheek": "orv", "Hypotheekbescherming": "woonlasten"}
    rows = [policy(n, Polisnummer=f"H{n}", Branche=text) for n, text in enumerate(texts, start=1)]
    found = read(write(tmp_path, [*INSURED, *rows]))
    assert sorted(found.policies["branch"].unique()) == sorted({"inboedel", *texts.values()})
