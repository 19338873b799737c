"""Several files of one book, several rows of one policy: what counts once, what gives an end, what is known when."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from ingest_exports import (
    Row,
    X,
    assert_reconciles,
    assert_same,
    codes,
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
from akb.ingest.as_of.snapshots import day_in_name

ROWS = office(150)
MONTHS = [add_months(X, -back) for back in range(18, -1, -1)]
FEW = MONTHS[-8:]


def day(text: str) -> date:
    return date(int(text[6:]), int(text[3:5]), int(text[:2]))


def in_force(rows: list[Row], on: date) -> list[Row]:
    """What an export of the policies in force shows on a day: no ends, no reasons."""
    held = [r for r in rows if day(r["Ingangsdatum"]) <= on and (not r["Einddatum"] or day(r["Einddatum"]) > on)]
    return [row | {"Einddatum": "", "Royementsreden": ""} for row in held]


def snapshots(folder, rows=ROWS, months=MONTHS):
    return [write(folder, in_force(rows, month), f"polissen_{month:%Y-%m}.csv") for month in months]


# Several monthly snapshots of the policies in force.


def test_the_end_is_the_first_snapshot_without_the_policy(tmp_path):
    found = read(*snapshots(tmp_path))
    assert found.as_of == found.export_day == X
    assert_reconciles(found)
    assert found.rows.rejected == 0
    whole = read(write(tmp_path, ROWS, "alles.csv"), as_of=X)
    true = whole.policies.filter(
        (pl.col("end_date").is_null() | (pl.col("end_date") > MONTHS[0]))
        & pl.struct("customer", "branch", "start_date").is_unique()
    )
    edges = pl.DataFrame({"edge": MONTHS})
    expected = (
        true.join(whole.customers.select("customer", "relation"), on="customer")
        .sort("end_date")
        .join_asof(edges, left_on="end_date", right_on="edge", strategy="forward")
        .select("relation", "branch", "start_date", end_date="edge")
    )
    got = found.policies.join(found.customers.select("customer", "relation"), on="customer")
    both = expected.join(got, on=["relation", "branch", "start_date"], how="inner", suffix="_found")
    assert both.height > 250
    assert both.drop_nulls("end_date").height > 20
    assert both.filter(pl.col("end_date").ne_missing(pl.col("end_date_found"))).is_empty()
    assert found.history.recorded_from - MONTHS[0] <= timedelta(days=1)


def test_snapshots_in_one_file_with_a_column_are_the_same(tmp_path):
    rows = [row | {"Peildatum": nl(month)} for month in FEW for row in in_force(ROWS, month)]
    assert_frame_equal(read(write(tmp_path, rows)).policies, read(*snapshots(tmp_path, months=FEW)).policies)


def test_the_order_of_the_files_means_nothing(tmp_path):
    files = snapshots(tmp_path, months=FEW)
    assert_same(read(*files), read(*reversed(files)))


def test_a_replay_knows_the_snapshots_of_then(tmp_path):
    """As of an earlier snapshot the later files change nothing but the counts of rows."""
    files = snapshots(tmp_path, months=FEW)
    then = FEW[4]
    found, expected = read(*files, as_of=then), read(*files[:5], as_of=then)
    assert_frame_equal(found.policies, expected.policies)
    assert_frame_equal(found.customers, expected.customers)
    assert_reconciles(found)
    assert found.replay


def test_a_policy_that_comes_back_was_never_gone(tmp_path):
    gone = policy(1, Polisnummer="TERUG", Branche="Caravan")
    files = []
    for place, month in enumerate(FEW):
        rows = in_force(ROWS, month) + ([gone] if place not in (3, 4) else [])
        files.append(write(tmp_path, rows, f"stand {month:%d-%m-%Y}.csv"))
    caravan = read(*files).policies.filter(pl.col("branch") == "caravan_camper")
    assert caravan["end_date"].to_list() == [None]


def test_an_end_that_a_delivery_tells_wins_over_the_difference(tmp_path):
    told = policy(1, Polisnummer="TOT", Branche="Caravan", Einddatum="15-11-2025", Royementsreden="Overlijden")
    files = [write(tmp_path, [*in_force(ROWS, MONTHS[-2]), told], "p_2025-10.csv")]
    files.append(write(tmp_path, in_force(ROWS, X), "p_2025-11.csv"))
    kept = read(*files).policies.filter(pl.col("branch") == "caravan_camper").row(0, named=True)
    assert (kept["end_date"], kept["cause"]) == (date(2025, 11, 15), "natural")


def test_another_book_ends_nothing(tmp_path):
    other = [row | {"Polisnummer": "Z" + row["Polisnummer"]} for row in in_force(ROWS, MONTHS[0])]
    files = [write(tmp_path, other, "p_2025-10.csv"), write(tmp_path, in_force(ROWS, X), "p_2025-11.csv")]
    found = read(*files)
    assert found.policies["end_date"].null_count() == found.policies.height
    assert {"AKB-D005", "AKB-D051"} <= codes(found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("polissen_2025-10.csv", date(2025, 10, 31)),
        ("polissen_202502.csv", date(2025, 2, 28)),
        ("20251130 polissen.xlsx", date(2025, 11, 30)),
        ("stand 30-11-2025.csv", date(2025, 11, 30)),
        ("polissen_2025-13.csv", None),
        ("polissen_2025-02-30.csv", None),
        ("polissen2.csv", None),
        ("export_123420251130.csv", None),
        ("polissen 2025.csv", None),
    ],
)
def test_the_day_in_a_name(name, expected):
    assert day_in_name(name) == expected


# Overlapping deliveries.


def test_overlapping_deliveries_count_once(tmp_path):
    half = len(ROWS) // 2
    files = [write(tmp_path, ROWS[: half + 60], "a.csv"), write(tmp_path, ROWS[half - 60 :], "b.csv")]
    found = read(*files, as_of=X)
    assert_same(found, read(write(tmp_path, ROWS), as_of=X), findings=False)
    assert reasons(found) == {"duplicate": 120}
    assert_reconciles(found)


def test_the_newer_delivery_wins(tmp_path):
    """A royement that the newer delivery does not know was reversed; one that it adds counts."""
    old = [policy(n, Polisnummer=f"N{n}", Branche="Caravan") for n in (1, 2)]
    new = [dict(row) for row in old]
    old[0] |= {"Einddatum": "01-06-2025", "Royementsreden": "Opzegging klant"}
    new[1] |= {"Einddatum": "01-07-2025", "Premie per jaar": "999,00"}
    files = [write(tmp_path, [*ROWS, *old], "p_20251031.csv"), write(tmp_path, [*ROWS, *new], "p_20251130.csv")]
    for order in (files, files[::-1]):
        found = read(*order).policies.filter(pl.col("branch") == "caravan_camper")
        assert found["end_date"].to_list() == [None, date(2025, 7, 1)]
        assert found["premium_cents"].to_list() == [12050, 99900]


def test_customers_in_a_file_of_their_own(tmp_path):
    about = ("Soort relatie", "Geboortejaar", "Postcode", "Adviseur", "Kantoor", "Mailing")
    people = {row["Relatienummer"]: row for row in ROWS}
    relations = [{"Relatienummer": key, **{name: row[name] for name in about}} for key, row in people.items()]
    bare = [{heading: cell for heading, cell in row.items() if heading not in about} for row in ROWS]
    apart = read(write(tmp_path, bare, "p.csv"), write(tmp_path, relations, "relaties.csv"), as_of=X)
    assert_same(apart, read(write(tmp_path, ROWS), as_of=X))


def test_payments_beside_the_policies(tmp_path):
    rows = [
        {"Relatienummer": "000001", "Boekdatum": "01-02-2024", "Soort": "Storno", "Bedrag": "12,50"},
        {"Relatienummer": "000001", "Boekdatum": "01-03-2024", "Soort": "Aanmaning", "Bedrag": ""},
        {"Relatienummer": "000002", "Boekdatum": "01-03-2024", "Soort": "Incasso", "Bedrag": "8,00"},
        {"Relatienummer": "000002", "Boekdatum": "01-03-2024", "Soort": "Incasso", "Bedrag": "8,00"},
        {"Relatienummer": "000002", "Boekdatum": "01-03-2026", "Soort": "Storno", "Bedrag": "8,00"},
    ]
    found = read(write(tmp_path, ROWS), write(tmp_path, rows, "incasso.csv"), as_of=X)
    assert found.payments is not None
    assert found.payments["kind"].to_list() == ["reversal", "reminder", "paid"]
    assert found.payments["amount_cents"].to_list() == [1250, None, 800]
    assert reasons(found) == {"duplicate": 1, "in_future": 1}
    assert_reconciles(found)


# Coverages.


def coverage(name: str, premium: str, **changes: str) -> Row:
    return policy(1, Polisnummer="DEK", Branche="Caravan", Premie_per_jaar=premium, **changes) | {"Dekking": name}


def caravan(folder, *rows: Row, **options):
    headings = dict.fromkeys((heading for row in rows for heading in row), "")
    found = read(write(folder, [*(headings | row for row in ROWS), *rows]), **({"as_of": X} | options))
    assert_reconciles(found)
    return found, found.policies.filter(pl.col("branch") == "caravan_camper").to_dicts()


def test_the_money_of_coverages_adds_up_once(tmp_path):
    rows = [coverage("WA", "100,10"), coverage("Casco", "50,05"), coverage("Pech", "0,00"), coverage("WA", "100,10")]
    found, (kept,) = caravan(tmp_path, *rows)
    assert kept["premium_cents"] == 15015
    assert kept["commission_cents"] == 3 * 2410
    assert reasons(found) == {"duplicate": 1}


def test_a_policy_goes_on_while_one_coverage_does(tmp_path):
    ended = {"Einddatum": "01-06-2025", "Royementsreden": "Opzegging klant"}
    _, (kept,) = caravan(tmp_path, coverage("WA", "100,00"), coverage("Casco", "50,00") | ended)
    assert (kept["end_date"], kept["reason"], kept["cause"]) == (None, None, None)
    _, (kept,) = caravan(tmp_path, coverage("WA", "100,00") | ended, coverage("Casco", "50,00") | ended)
    assert (kept["end_date"], kept["reason"]) == (date(2025, 6, 1), "opzegging_klant")


def test_a_coverage_of_an_older_version_is_not_added(tmp_path):
    old, new = {"Versie": "1"}, {"Versie": "2"}
    rows = [coverage("WA", "90,00") | old, coverage("Casco", "60,00") | old, coverage("WA", "100,00") | new]
    found, (kept,) = caravan(tmp_path, *rows)
    assert kept["premium_cents"] == 10000
    assert reasons(found) == {"version": 2}


def test_a_total_that_is_repeated_on_every_coverage_is_no_sum(tmp_path):
    twice = [row | {"Dekking": name} for row in ROWS for name in ("Basis", "Extra")]
    found = read(write(tmp_path, twice), as_of=X)
    assert_frame_equal(found.policies, read(write(tmp_path, ROWS), as_of=X).policies)
    assert_reconciles(found)


# Versions and insurance years.


def test_the_highest_version_known_at_x_counts(tmp_path):
    years = [
        coverage("", amount) | {"Versiedatum": since}
        for since, amount in (("01-03-2023", "100,00"), ("01-03-2024", "110,00"), ("01-03-2025", "120,00"))
    ]
    for as_of, cents in ((X, 12000), (date(2025, 2, 28), 11000), (date(2023, 6, 30), 10000)):
        _, (kept,) = caravan(tmp_path, *years, as_of=as_of)
        assert kept["premium_cents"] == cents
        assert kept["start_date"] == date(2019, 3, 1)
    years[0]["Termijn"] = "3"
    _, (kept,) = caravan(tmp_path, *years, as_of=date(2022, 6, 30))  # in force, and its premium not yet known
    assert (kept["premium_cents"], kept["commission_cents"], kept["payment_months"]) == (None, None, 3)


def test_a_renewal_that_was_not_taken_never_held(tmp_path):
    gone = {"Einddatum": "01-03-2025"}
    rows = [
        coverage("", "100,00") | gone | {"Versiedatum": "01-03-2024"},
        coverage("", "150,00") | gone | {"Versiedatum": "01-03-2025"},
    ]
    _, (kept,) = caravan(tmp_path, *rows)
    assert (kept["premium_cents"], kept["end_date"]) == (10000, date(2025, 3, 1))


# Roads to an end.


def test_an_announced_end_by_status(tmp_path):
    plain = [row | {"Status": "Beëindigd" if row["Einddatum"] else "Lopend", "Wijzigingsdatum": ""} for row in ROWS]
    ahead = coverage("", "1,00") | {"Status": "Geroyeerd met toekomstdatum", "Wijzigingsdatum": "01-02-2026"}
    booked = ahead | {"Wijzigingsdatum": "01-10-2025"}  # the day of booking says nothing about the end
    for row, end in ((ahead, date(2026, 2, 1)), (booked, None)):
        found = read(write(tmp_path, [*plain, row]), as_of=X)
        assert found.policies.filter(pl.col("branch") == "caravan_camper")["end_date"].to_list() == [end]


def test_a_reversed_royement_is_no_end(tmp_path):
    plain = [row | {"Status": "Beëindigd" if row["Einddatum"] else "Lopend"} for row in ROWS]
    back = coverage("", "1,00") | {"Einddatum": "01-06-2025", "Royementsreden": "Wanbetaling", "Status": "Lopend"}
    found = read(write(tmp_path, [*plain, back]), as_of=X)
    kept = found.policies.filter(pl.col("branch") == "caravan_camper").row(0, named=True)
    assert (kept["end_date"], kept["cause"]) == (None, None)
    assert finding(found, "AKB-D052").count == 1


def test_a_status_that_never_changes_says_nothing(tmp_path):
    found = read(write(tmp_path, [row | {"Status": "Actief"} for row in ROWS]), as_of=X)
    assert_frame_equal(found.policies, read(write(tmp_path, ROWS), as_of=X).policies)


@pytest.mark.parametrize(
    ("gap", "cause"), [(0, "technical"), (31, "technical"), (32, "preventable"), (-20, "technical")]
)
def test_a_switch_within_the_office_is_technical(gap, cause, tmp_path):
    end = date(2025, 3, 1)
    left = coverage("", "1,00") | {"Einddatum": nl(end), "Royementsreden": "Oversluiting elders"}
    came = coverage("", "1,00") | {"Polisnummer": "NIEUW", "Ingangsdatum": nl(end + timedelta(days=gap))}
    _, rows = caravan(tmp_path, left, came)
    assert [row["cause"] for row in rows] == [cause, None]
    other = coverage("", "1,00") | {"Polisnummer": "NIEUW", "Ingangsdatum": nl(end), "Branche": "Cyber"}
    _, rows = caravan(tmp_path, left, other)
    assert [row["cause"] for row in rows] == ["preventable"]


def test_the_header_says_how_far_back_ends_go(tmp_path):
    """AL_MNDGP: ends before that are chance finds, not a history."""
    flags = {"AL_ADATMSG": "20251130", "AL_INCLGP": "J"}
    found = read(write(tmp_path, [row | flags | {"AL_MNDGP": "24"} for row in ROWS]))
    assert found.export_day == X
    assert found.history.recorded_from == date(2023, 11, 30)
    assert read(write(tmp_path, [row | flags | {"AL_MNDGP": ""} for row in ROWS])).history.months > 60
    none = [row | flags | {"AL_INCLGP": "N", "AL_MNDGP": "0", "Einddatum": ""} for row in ROWS if not row["Einddatum"]]
    assert "AKB-D005" in codes(read(write(tmp_path, none)))


def test_a_known_branch_code_wins_and_the_text_fills_in(tmp_path):
    texts = (("Particulier pakket", "0021"), ("Inboedel", ""), ("Inboedel", "987"))
    rows = [
        policy(n, Polisnummer=f"C{n}", Branche=text) | {"PP_BRANCHE": code}
        for n, (text, code) in enumerate(texts, start=1)
    ]
    assert read(write(tmp_path, rows), as_of=X).policies["branch"].to_list() == ["auto", "inboedel", "inboedel"]


# Leading zeros that a spreadsheet took away.


def stripped(rows: list[Row], *headings: str) -> list[Row]:
    return [row | {heading: row[heading].lstrip("0") for heading in headings} for row in rows]


def test_a_number_without_its_zeros_is_the_same_relation_and_policy(tmp_path):
    rows = [row | {"Polisnummer": f"00{row['Polisnummer'][1:]}"} for row in ROWS]
    claims = [
        {"Relatienummer": row["Relatienummer"], "Polisnummer": row["Polisnummer"], "Meldingsdatum": "01-02-2024"}
        for row in rows[:40]
    ]
    whole = read(write(tmp_path, rows, "p.csv"), write(tmp_path, claims, "s.csv"), as_of=X)
    for policies, told in (
        (rows, stripped(claims, "Relatienummer", "Polisnummer")),
        (stripped(rows, "Relatienummer", "Polisnummer"), claims),
    ):
        found = read(write(tmp_path, policies, "p.csv"), write(tmp_path, told, "s.csv"), as_of=X)
        assert found.rows == whole.rows
        assert finding(found, "AKB-D063").severity == "tip"
        assert found.customers.height == whole.customers.height
        assert found.claims["policy"].null_count() == whole.claims["policy"].null_count() == 0


def test_a_delivery_without_zeros_makes_no_second_customer(tmp_path):
    whole = read(write(tmp_path, ROWS, "a.csv"), as_of=X)
    found = read(write(tmp_path, ROWS, "a.csv"), write(tmp_path, stripped(ROWS, "Relatienummer"), "b.csv"), as_of=X)
    assert_frame_equal(found.customers, whole.customers)
    assert_reconciles(found)


def test_two_ways_in_one_file_are_two_relations(tmp_path):
    both = [*ROWS, policy(1, Relatienummer="1", Polisnummer="Q1")]
    claims = [{"Relatienummer": "1", "Polisnummer": "Q1", "Meldingsdatum": "01-02-2024"}]
    found = read(write(tmp_path, both, "p.csv"), write(tmp_path, claims, "s.csv"), as_of=X)
    assert found.customers.height == read(write(tmp_path, ROWS, "p.csv"), as_of=X).customers.height + 1
    assert "AKB-D063" not in codes(found)


def test_another_spelling_is_no_other_insurer_adviser_or_policy(tmp_path):
    rows = [row | {"Maatschappij": "Crédit & Zn.", "Adviseur": "J. de Vries"} for row in ROWS]
    loud = [row | {"Maatschappij": "CREDIT &  ZN", "Adviseur": "J de Vries "} for row in rows]
    whole = read(write(tmp_path, rows, "a.csv"), as_of=X)
    found = read(write(tmp_path, rows, "a.csv"), write(tmp_path, loud, "b.csv"), as_of=X)
    assert_frame_equal(found.policies, whole.policies)
    assert_frame_equal(found.customers, whole.customers)
    assert "AKB-D064" not in codes(whole)
    assert finding(found, "AKB-D064").count == len(rows)
    assert_reconciles(found)


def test_names_that_differ_in_letters_stay_two(tmp_path):
    rows = [row | {"Adviseur": ("J. de Vries", "J. de Vriese")[place % 2]} for place, row in enumerate(ROWS)]
    found = read(write(tmp_path, rows, "a.csv"), as_of=X)
    assert "AKB-D064" not in codes(found)
    assert found.policies["adviser"].drop_nulls().n_unique() == 2


def test_a_year_and_a_part_number_in_a_name_set_no_day(tmp_path):
    whole = read(write(tmp_path, ROWS, "alles.csv"))
    half = len(ROWS) // 2
    parts = [write(tmp_path, ROWS[:half], "polissen_2019_01.csv"), write(tmp_path, ROWS[half:], "polissen_2019_02.csv")]
    found = read(*parts)
    assert found.as_of == whole.as_of
    assert found.policies["end_date"].to_list() == whole.policies["end_date"].to_list()
    assert not {"AKB-D050", "AKB-D051"} & codes(found)


def test_the_policies_of_every_year_in_a_file_of_their_own_set_no_day(tmp_path):
    whole = read(write(tmp_path, ROWS, "alles.csv"))
    years = sorted({row["Ingangsdatum"][-4:] for row in ROWS})
    files = [write(tmp_path, [r for r in ROWS if r["Ingangsdatum"][-4:] == year], f"{year}-12.csv") for year in years]
    found = read(
        *files[:-1], write(tmp_path, [r for r in ROWS if r["Ingangsdatum"][-4:] == years[-1]], "rest 2019-06.csv")
    )
    assert found.as_of == whole.as_of
    assert found.policies["end_date"].to_list() == whole.policies["end_date"].to_list()
