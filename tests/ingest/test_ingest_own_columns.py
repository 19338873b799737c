"""Columns without a role: what they hold, which are refused and why, and that their values reach the right policy."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest
from ingest_exports import Row, X, office, read, write
from polars.testing import assert_frame_equal

from akb.config import Settings
from akb.core.errors import AkbError
from akb.ingest.types import OwnColumn, Portfolio

BOOK = office(120)


def planted(**columns: Callable[[int], str]) -> list[Row]:
    return [row | {name: value(place) for name, value in columns.items()} for place, row in enumerate(BOOK)]


def column(portfolio: Portfolio, heading: str) -> OwnColumn:
    return next(each for each in portfolio.own if each.heading == heading)


def one_of(*texts: str) -> Callable[[int], str]:
    return lambda place: texts[place % len(texts)]


SURNAMES = ("Jansen", "Bakker", "Visser", "Smit", "Meijer", "Mulder", "Bos", "Vos", "Peters", "Hendriks")


@pytest.mark.parametrize(
    ("cells", "form", "refused"),
    [
        (lambda n: f"{10_000 + 250 * (n % 40)},00", "number", ""),
        (lambda n: str(2001 + n % 20), "number", ""),
        (one_of("Benzine", "Diesel", "Elektrisch"), "category", ""),
        (one_of("J", "N", ""), "category", ""),
        (one_of("Variant A", "Variant B"), "category", ""),
        (one_of("Auto Basis", "Auto Plus", "Auto Compleet", "Woon Basis", "Woon Plus"), "category", ""),
        (one_of("Anna Smit", "Bas Vos", "Carla Meijer", "Daan Mulder", "Eva Peters"), "", "person"),
        (one_of("Anna de Boer", "Bas Vos"), "", "person"),
        (lambda n: f"0{1 + n % 9}-0{1 + n % 7}-20{10 + n % 12}", "", "day"),
        (lambda n: f"201{n % 9}0{1 + n % 9}1{n % 9}", "", "day"),
        (lambda n: f"20{10 + n % 9}-03-{10 + n % 9} 10:15:00", "", "day"),
        (lambda n: f"X{n:05d}Q", "", "many"),
        (lambda n: str(400_000 + 7 * n), "", "identifier"),
        (one_of("man", "vrouw"), "", "person"),
        (one_of("M", "V", "onbekend"), "", "person"),
        (lambda n: f"J. {SURNAMES[n % 10]}", "", "person"),
        (lambda n: f"{SURNAMES[n % 10].lower()}@kantoor.nl", "", "person"),
        (one_of("0612345678", "0687654321"), "", "person"),
        (one_of("1234 AB 12", "4811 XZ 7"), "", "person"),
        (lambda n: "", "", "empty"),
        (lambda n: "7" if n == 3 else "", "", "empty"),
        (lambda n: "EUR", "", "one"),
    ],
)
def test_what_a_column_holds_decides(tmp_path: Path, cells: Callable[[int], str], form: str, refused: str) -> None:
    found = column(read(write(tmp_path, planted(Eigenschap=cells))), "Eigenschap")
    assert (found.form, found.refused) == (form, refused)


def test_columns_with_a_role_and_identifiers_are_no_own_columns(tmp_path: Path) -> None:
    rows = planted(Geslacht=one_of("M", "V"), Naam=one_of("Jan"), Seniority=one_of("1", "2"), Kleur=one_of("R", "G"))
    assert [each.heading for each in read(write(tmp_path, rows)).own] == ["Kleur"]


def test_the_code_of_a_column_with_a_role_says_nothing_of_its_own(tmp_path: Path) -> None:
    branches = sorted({row["Branche"] for row in BOOK})
    rows = [
        row
        | {"Bracode": str(20 + branches.index(row["Branche"])), "Relnr 2": row["Relatienummer"], "Kleur": "rg"[n % 2]}
        for n, row in enumerate(BOOK)
    ]
    found = read(write(tmp_path, rows))
    assert [column(found, name).refused for name in ("Bracode", "Relnr 2", "Kleur")] == ["double", "double", ""]


def test_a_heading_may_be_any_word(tmp_path: Path) -> None:
    rows = planted(line=one_of("a", "b"), key=one_of("a", "b"), file=one_of("a", "b"), policy_=one_of("a", "b"))
    found = read(write(tmp_path, rows))
    assert {"file", "policy_"} <= {each.heading for each in found.own}
    assert found.own_values is not None and found.own_values.height == found.policies.height


def test_values_stand_at_their_policy_whatever_the_order_of_rows(tmp_path: Path) -> None:
    rows = planted(Vermogen=lambda n: str(50 + n % 90), Brandstof=one_of("Benzine", "diesel", " Diesel "))
    straight = read(write(tmp_path, rows))
    shuffled = random.Random(3).sample(rows, len(rows))
    other = read(write(tmp_path, shuffled, "later.csv"))
    assert straight.own == other.own
    assert straight.own_values is not None and other.own_values is not None
    assert_frame_equal(straight.own_values, other.own_values, check_exact=True)
    fuel = column(straight, "Brandstof")
    assert fuel.levels == ("benzine", "diesel")  # one answer, however it is written
    expected = sorted(1000 * (50 + n % 90) for n in range(len(rows)))
    assert sorted(straight.own_values["col_vermogen"]) == expected


def test_the_version_that_counts_says_what_holds(tmp_path: Path) -> None:
    """Of two rows of one policy the later version."""
    rows = [row | {"Versie": "1", "Kleur": "rood"} for row in BOOK]
    first = rows[0]
    rows.append(first | {"Versie": "2", "Kleur": "groen"})
    rows[1] = rows[1] | {"Kleur": "groen"}
    found = read(write(tmp_path, rows))
    values = found.policies.select("policy").join(found.own_values, on="policy")["col_kleur"]
    assert values.len() == found.policies.height and (values == 0).sum() == 2  # groen: the version and the other policy


def test_a_file_of_customers_has_own_columns_too(tmp_path: Path) -> None:
    relations = sorted({row["Relatienummer"] for row in BOOK})
    customers: Sequence[Row] = [
        {"Relatienummer": each, "Soort relatie": "Particulier", "Inkomensklasse": str(1 + place % 4)}
        for place, each in enumerate(relations)
    ]
    found = read(write(tmp_path, BOOK), write(tmp_path, list(customers), "klanten.csv"))
    assert column(found, "Inkomensklasse").form == "number"
    joined = found.policies.join(found.own_values, on="policy").join(found.customers, on="customer")
    said = dict(zip(relations, (1000 * (1 + place % 4) for place in range(len(relations))), strict=True))
    assert joined["col_inkomensklasse"].to_list() == [said[each] for each in joined["relation"]]


def test_the_client_leaves_a_column_out_and_a_wrong_name_stops_the_run(tmp_path: Path) -> None:
    file = write(tmp_path, planted(Kleur=one_of("rood", "groen")))
    without = Settings(features={"without": ("Kleur",)})
    assert column(read(file, settings=without), "Kleur").refused == "without"
    with pytest.raises(AkbError, match=r"\[features\] extra: no column 'Kleuren'; did you mean 'Kleur'"):
        read(file, settings=Settings(features={"extra": ("Kleuren",)}))


def test_a_run_keeps_nothing_of_them(tmp_path: Path) -> None:
    from akb.ingest import masked

    kept = masked(read(write(tmp_path, planted(Kleur=one_of("rood", "groen")))), 5)
    assert kept.own == () and kept.own_values is None


def test_the_product_is_one_of_them(tmp_path: Path) -> None:
    rows = [row | {"Product": ("Basis", "Plus")[place % 2]} for place, row in enumerate(BOOK)]
    found = read(write(tmp_path, rows), as_of=X)
    assert column(found, "Product").levels == ("basis", "plus")
    assert isinstance(found.own_values, pl.DataFrame)
