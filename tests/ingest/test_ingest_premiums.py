"""Dated premiums: a file, versions, insurance years or deliveries say from when a policy had which premium."""

from __future__ import annotations

import random
from datetime import date

import polars as pl
import pytest
from ingest_exports import (
    Row,
    X,
    assert_reconciles,
    codes,
    euro,
    finding,
    nl,
    office,
    policy,
    read,
    reasons,
    write,
)
from polars.testing import assert_frame_equal

from akb.core.dates import add_months

PAST = date(2023, 6, 30)


def day(text: str) -> date | None:
    return date(int(text[6:]), int(text[3:5]), int(text[:2])) if text else None


def to_renewal(row: Row) -> Row:
    """Let a policy end on the anniversary before its end: most do."""
    start, end = day(row["Ingangsdatum"]), day(row["Einddatum"])
    if not start or not end:
        return row
    turn = date(end.year, start.month, min(start.day, 28))
    return row | ({"Einddatum": nl(turn)} if start < turn <= end else {})


BOOK = [to_renewal(row) for row in office(120)]


def years(row: Row, since: date = date(2018, 1, 1)) -> list[tuple[date, int]]:
    """Start of each insurance year and its premium in cents; the last one of a lapsed policy may not be taken."""
    start, end = day(row["Ingangsdatum"]), day(row["Einddatum"]) or X
    assert start is not None
    first = int(row["Premie per jaar"].replace(",", ""))
    days = [date(start.year + n, start.month, min(start.day, 28)) if n else start for n in range(20)]
    found = [(each, first + 500 * n) for n, each in enumerate(days) if since <= each <= end]
    return found or [(start, first)]


def as_file(rows: list[Row], **headings: str) -> list[Row]:
    return [
        {
            headings.get("policy", "Polisnummer"): row["Polisnummer"],
            headings.get("day", "Premie vanaf"): nl(since),
            headings.get("premium", "Premie per jaar"): euro(cents),
        }
        for row in rows
        for since, cents in years(row)
    ]


def as_versions(rows: list[Row]) -> list[Row]:
    return [
        row | {"Versiedatum": nl(since), "Premie per jaar": euro(cents), "Provisie per jaar": ""}
        for row in rows
        for since, cents in years(row)
    ]


def history(found) -> pl.DataFrame:
    """By policy number's place in the portfolio, so that two ways of reading can be compared."""
    who = found.customers.select("customer", "relation")
    which = found.policies.join(who, on="customer").select("policy", "relation", "branch", "start_date")
    return found.premiums.join(which, on="policy").drop("policy", "commission_cents").sort(pl.all())


@pytest.fixture(scope="module")
def by_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("file")
    return read(write(folder, BOOK), write(folder, as_file(BOOK), "premies.csv"), as_of=X)


def test_a_file_of_premiums_is_found_by_its_columns(by_file):
    assert [source.role for source in by_file.sources] == ["policies", "premiums"]
    assert {"AKB-D060"} <= codes(by_file)
    assert_reconciles(by_file)
    premiums = by_file.premiums
    assert premiums.schema == {
        "policy": pl.UInt32,
        "date": pl.Date,
        "premium_cents": pl.Int64,
        "commission_cents": pl.Int64,
    }
    assert premiums.select("policy", "date").is_unique().all()
    assert_frame_equal(premiums, premiums.sort("policy", "date"))
    assert premiums["date"].max() <= X
    assert premiums.height > 1.5 * premiums["policy"].n_unique()


def test_a_renewal_that_was_not_taken_is_no_premium(by_file):
    told = [len(years(row)) for row in BOOK]
    kept = sum(sum(not row["Einddatum"] or since < day(row["Einddatum"]) for since, _ in years(row)) for row in BOOK)
    assert kept < sum(told)
    assert by_file.premiums.height == kept
    ends = by_file.premiums.join(by_file.policies.select("policy", "end_date"), on="policy")
    assert ends.filter(pl.col("date") >= pl.col("end_date")).is_empty()


def test_versions_say_the_same_as_a_file(by_file, tmp_path):
    rows = as_versions(BOOK)
    random.Random(3).shuffle(rows)
    found = read(write(tmp_path, rows), as_of=X)
    assert_frame_equal(history(found), history(by_file))
    assert_reconciles(found)


@pytest.mark.parametrize("form", ["file", "versions"])
def test_a_replay_sees_no_later_premium(form, by_file, tmp_path):
    if form == "file":
        found = read(write(tmp_path, BOOK), write(tmp_path, as_file(BOOK), "premies.csv"), as_of=PAST)
        assert reasons(found)["after_as_of"] > 0
    else:
        found = read(write(tmp_path, as_versions(BOOK)), as_of=PAST)
    assert_reconciles(found)
    assert found.premiums["date"].max() <= PAST
    # what ended after the day had its premiums until then; what ended before keeps them
    assert_frame_equal(history(found), history(by_file).filter(pl.col("date") <= PAST))


def test_deliveries_tell_the_premium_of_their_day(tmp_path):
    months = [add_months(X, -back) for back in range(14, -1, -1)]
    files = []
    for month in months:
        held = [
            row
            | {"Premie per jaar": euro(max(cents for since, cents in years(row) if since <= month)), "Einddatum": ""}
            for row in BOOK
            if years(row)[0][0] <= month and not row["Einddatum"]
        ]
        files.append(write(tmp_path, held, f"polissen_{month:%Y-%m}.csv"))
    found = read(*files)
    premiums = found.premiums
    assert set(premiums["date"]) <= set(months)
    old = found.policies.filter(pl.col("start_date") < date(2020, 1, 1)).select("policy")
    told = premiums.join(old, on="policy").group_by("policy").agg(pl.col("date", "premium_cents"), changes=pl.len())
    assert told["changes"].is_in([2, 3]).all()  # known on the first day, and again after each renewal
    rise = premiums.with_columns(rise=pl.col("premium_cents").diff().over("policy"))["rise"].drop_nulls()
    assert (rise == 500).all()


def test_todays_premium_is_no_history(by_file, tmp_path):
    """One premium per policy, with or without the date of its version."""
    assert read(write(tmp_path, BOOK), as_of=X).premiums is None
    latest = [as_versions([row])[-1] for row in BOOK]
    assert read(write(tmp_path, latest), as_of=X).premiums is None


def test_one_premium_per_policy_is_no_history_because_a_single_policy_has_two(tmp_path):
    rows = [policy(9000 + number, Ingangsdatum="01-03-2020") for number in range(20)]
    told = [{"Polisnummer": r["Polisnummer"], "Premie vanaf": "01-03-2020", "Premie per jaar": "99,00"} for r in rows]
    more = [{**each, "Premie vanaf": "01-03-2022", "Premie per jaar": "120,00"} for each in told]
    one = read(write(tmp_path, [*BOOK, *rows]), write(tmp_path, [*told, more[0]], "premies.csv"), as_of=X)
    assert one.premiums is None
    two = read(write(tmp_path, [*BOOK, *rows]), write(tmp_path, [*told, *more[:2]], "premies.csv"), as_of=X)
    assert two.premiums is not None
    assert {finding.code: finding.params for finding in two.findings}["AKB-D060"]["policies"] == 2


def test_a_premium_that_does_not_change_is_told_once(tmp_path):
    row = policy(9000, Ingangsdatum="01-03-2020")
    told = [
        {"Polisnummer": row["Polisnummer"], "Premie vanaf": f"01-03-{year}", "Premie per jaar": "99,00"}
        for year in range(2020, 2026)
    ]
    found = read(write(tmp_path, [*BOOK, row]), write(tmp_path, told, "premies.csv"), as_of=X)
    assert found.premiums["date"].to_list() == [date(2020, 3, 1)]


def test_instalments_and_tax_are_read_as_in_the_policies(tmp_path):
    """Per month with tax: the payment term of the policy makes it a year, 21 % tax goes off."""
    row = policy(1, Polisnummer="M1", Termijn="1", Branche="Personenauto")
    told = [
        {"Polisnummer": "M1", "Premie vanaf": f"01-03-{year}", "Totale termijnpremie": premium}
        for year, premium in ((2023, "12,10"), (2024, "24,20"))
    ]
    found = read(write(tmp_path, [*BOOK, row]), write(tmp_path, told, "premies.csv"), as_of=X)
    assert found.premiums["premium_cents"].to_list() == [12_000, 24_000]


def test_coverages_of_a_version_add_up(tmp_path):
    rows = [
        policy(9000, Polisnummer="C1", Premie_per_jaar=premium) | {"Versiedatum": since, "Dekking": cover}
        for since, cover, premium in (
            ("01-03-2023", "WA", "100,00"),
            ("01-03-2023", "Casco", "200,00"),
            ("01-03-2024", "WA", "110,00"),
            ("01-03-2024", "Casco", "220,00"),
        )
    ]
    plain = [row | {"Versiedatum": "", "Dekking": ""} for row in BOOK]
    found = read(write(tmp_path, [*plain, *rows]), as_of=X)
    assert found.premiums["premium_cents"].to_list() == [30_000, 33_000]


def test_what_cannot_be_used_is_counted(by_file, tmp_path):
    told = as_file(BOOK)
    odd = [
        told[0],
        told[0] | {"Polisnummer": "Q-99"},
        told[0] | {"Premie vanaf": "31-02-2024"},
        told[0] | {"Premie vanaf": ""},
        told[0] | {"Polisnummer": ""},
        told[0] | {"Premie vanaf": "01-03-2026"},
    ]
    found = read(write(tmp_path, BOOK), write(tmp_path, [*told, *odd], "premies.csv"), as_of=X)
    assert_reconciles(found)
    expected = {"duplicate": 1, "unknown_policy": 1, "bad_date": 1, "no_date": 1, "no_policy": 1, "after_as_of": 1}
    assert reasons(found) == expected
    assert_frame_equal(found.premiums, by_file.premiums)


def test_an_ordinary_start_date_makes_a_file_of_premiums_only_if_it_is_said(by_file, tmp_path):
    told = as_file(BOOK, day="Ingangsdatum")
    files = write(tmp_path, BOOK), write(tmp_path, told, "premies.csv")
    assert "premies.csv" in finding(read(*files, as_of=X), "AKB-D047").sentence()
    found = read(files[0], as_of=X, roles={"premiums": files[1]})
    assert_frame_equal(found.premiums, by_file.premiums)


# Claims that are told per insurance year.


def claims_of(number: str, year: str, claims: str, amount: str) -> Row:
    return {
        "Polisnummer": number,
        "Begin verzekeringsjaar": year,
        "Aantal schades": claims,
        "Schadebedrag": amount,
    }


def test_claims_of_an_insurance_year_are_known_at_its_end(tmp_path):
    number = BOOK[-1]["Polisnummer"]
    told = [("01-03-2023", "3", "100,00"), ("01-03-2024", "0", ""), ("01-03-2025", "1", "5,00")]
    rows = [claims_of(number, *each) for each in told]
    found = read(write(tmp_path, BOOK), write(tmp_path, rows, "schades.csv"), as_of=X)
    assert [source.role for source in found.sources] == ["policies", "claims"]
    assert found.claims["date"].to_list() == [date(2024, 3, 1)] * 3
    assert sorted(found.claims["amount_cents"]) == [3333, 3333, 3334]
    assert reasons(found) == {"after_as_of": 1}  # the year is not over yet
    assert_reconciles(found)


def test_claims_on_the_rows_of_policy_years_are_the_same(tmp_path):
    rows = as_versions(BOOK)
    claims = []
    for place, row in enumerate(rows):
        number = place % 3 + 1 if place % 7 == 0 else 0
        claims.append(row | {"N claims year": str(number), "Cost claims year": euro(number and 100 * (place % 5))})
    apart = [
        claims_of(row["Polisnummer"], row["Versiedatum"], row["N claims year"], row["Cost claims year"])
        for row in claims
        if row["N claims year"] != "0"
    ]
    (tmp_path / "los").mkdir()
    inside = read(write(tmp_path, claims), as_of=X)
    beside = read(write(tmp_path / "los", rows), write(tmp_path / "los", apart, "schades.csv"), as_of=X)
    assert inside.claims.height > 30
    assert_frame_equal(inside.claims, beside.claims)
    assert_reconciles(inside)
