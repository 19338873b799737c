"""What came back is no claim."""

from __future__ import annotations

import pytest
from ingest_exports import X, assert_reconciles, codes, finding, office, read, reasons, write

BOOK = office(60)
CLAIMS = [
    {name: row[name] for name in ("Relatienummer", "Polisnummer")}
    | {"Meldingsdatum": f"{n % 28 + 1:02d}-02-2024", "Schadebedrag": f"{100 + n},00"}
    for n, row in enumerate(BOOK[:60])
]  # fmt: skip


def negative(claim):
    return claim | {"Schadebedrag": "-" + claim["Schadebedrag"]}


def claims(tmp_path, rows):
    return read(write(tmp_path, BOOK), write(tmp_path, rows, "schades.csv"), as_of=X)


def booked(rows, **changes):
    return [row | {heading.replace("_", " "): value for heading, value in changes.items()} for row in rows]


WAYS = {
    "below zero": ([*CLAIMS, *(negative(claim) for claim in CLAIMS[:7])], 7),
    "a minus behind": ([*CLAIMS, *(claim | {"Schadebedrag": "50,00-"} for claim in CLAIMS[:7])], 7),
    "in brackets": ([*CLAIMS, *(claim | {"Schadebedrag": "(50,00)"} for claim in CLAIMS[:7])], 7),
    "credit among debits": (
        [*(c | {"Schadebedrag": c["Schadebedrag"] + " D"} for c in CLAIMS), *booked(CLAIMS[:7], Schadebedrag="9,00 C")],
        7,
    ),
    "called so": (
        [*booked(CLAIMS, Soort_boeking="Uitkering"), *booked(CLAIMS[:7], Soort_boeking="Verhaal op tegenpartij")],
        7,
    ),
    "the sign of the bookkeeper": ([*(negative(c) for c in CLAIMS), *CLAIMS[:5]], 5),
    "only signs": ([negative(c) for c in CLAIMS], 0),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_it_is_put_aside_and_counted(way, tmp_path):
    rows, back = WAYS[way]
    truth, found = claims(tmp_path, CLAIMS), claims(tmp_path, rows)
    assert found.claims.equals(truth.claims)
    assert reasons(found).get("recovery", 0) == back
    assert ("AKB-D126" in codes(found)) == bool(back)
    if back:
        assert finding(found, "AKB-D126").count == back
    assert_reconciles(found)


def test_a_claim_that_may_be_recovered_is_a_claim(tmp_path):
    rows = [claim | {"Soort schade": "Aanrijding, verhaalbaar", "Verhaalbaar": "J"} for claim in CLAIMS]
    assert claims(tmp_path, rows).claims.height == len(CLAIMS)


def test_a_claim_without_cost_is_a_claim(tmp_path):
    rows = [claim | {"Schadebedrag": "0,00"} for claim in CLAIMS]
    assert claims(tmp_path, rows).claims.height == len(CLAIMS)


def test_a_row_that_counts_its_claims_is_believed(tmp_path):
    rows = [claim | {"Aantal schades": "2"} for claim in CLAIMS]
    rows[0] |= {"Schadebedrag": "-10,00"}
    assert claims(tmp_path, rows).claims.height == 2 * len(CLAIMS)


def test_the_sign_is_that_of_the_whole_column_before_and_after(tmp_path):
    """Twenty rows are just enough to call it the bookkeeper's sign; what is left of them is not."""
    rows = [*(negative(claim) for claim in CLAIMS[:18]), *CLAIMS[18:20]]
    found = claims(tmp_path, rows)
    assert found.claims.height == 18
    assert found.claims["amount_cents"].min() > 0
