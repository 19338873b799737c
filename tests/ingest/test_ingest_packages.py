"""Packages: one number for several policies, and a row of the package itself."""

from __future__ import annotations

import pytest
from ingest_exports import X, assert_reconciles, codes, euro, finding, office, policy, read, reasons, write

BOOK = office(200)


def cents(row):
    return round(100 * float(row["Premie per jaar"].replace(",", ".")))


def packages(*, second_car=True):
    """Customer -> his policies at one insurer; most have a second car."""
    found = {}
    for n, person in enumerate(sorted({row["Relatienummer"] for row in BOOK})):
        mine = [row | {"Maatschappij": "De Vaart"} for row in BOOK if row["Relatienummer"] == person]
        if second_car and n % 2:
            first = mine[0] | {"Einddatum": "", "Royementsreden": ""}
            mine = [*mine, first | {"Polisnummer": f"X{n}", "Ingangsdatum": "17-03-2015", "Premie per jaar": "77,77"}]
        found[f"PK{50000 + n}"] = mine
    return found


def total(rows):
    return sum(cents(row) for row in rows)


def flat(groups):
    return [row for rows in groups for row in rows]


GROUPS = packages()
TRUTH = flat(GROUPS.values())


def check(found):
    assert found.policies.height == len(TRUTH)
    assert found.policies["premium_cents"].sum() == total(TRUTH)
    assert_reconciles(found)


PARTS = {
    "a number of the part": lambda name, n: {"Polisnummer": name, "Volgnummer": str(n + 1)},
    "a part with letters": lambda name, n: {"Polisnummer": name, "Deelnummer": f"{n + 1:02d}A"},
    "nothing": lambda name, n: {"Polisnummer": name},
    "the part as policy": lambda name, n: {"Polisnummer": str(n + 1), "Pakketnummer": name},
    "its own numbers": lambda name, n: {"Pakketnummer": name},
}


@pytest.mark.parametrize("written", PARTS)
def test_parts_are_policies(written, tmp_path):
    rows = flat([row | PARTS[written](name, n) for n, row in enumerate(mine)] for name, mine in GROUPS.items())
    found = read(write(tmp_path, rows), as_of=X)
    check(found)
    shared = "Polisnummer" in PARTS[written]("", 0) and written != "the part as policy"
    assert ("AKB-D124" in codes(found)) == shared


def head(name, mine, **changes):
    return mine[0] | {"Branche": "Pakket", "Polisnummer": name, "Premie per jaar": euro(total(mine))} | changes


def own(rows):
    return [row for row in rows if not row["Einddatum"]]


WHOLES = {
    "named by the package": lambda name, mine: (
        [row | {"Pakketnummer": name} for row in mine],
        head(name, mine, Pakketnummer=name),
    ),
    "its number is the package's": lambda name, mine: (
        [row | {"Pakketnummer": name} for row in mine],
        head(name, mine, Pakketnummer=""),
    ),
    "one number for all": lambda name, mine: ([row | {"Polisnummer": name} for row in mine], head(name, mine)),
    "only called so": lambda name, mine: (mine, head(name, mine)),
    "of what runs": lambda name, mine: (
        [row | {"Pakketnummer": name} for row in mine],
        head(name, mine, Pakketnummer=name, Einddatum="") | {"Premie per jaar": euro(total(own(mine)))},
    ),
}


@pytest.mark.parametrize("written", WHOLES)
def test_a_row_with_the_sum_of_its_parts_is_no_policy(written, tmp_path):
    rows, heads = [], 0
    for name, mine in GROUPS.items():
        parts, whole = WHOLES[written](name, mine)
        with_head = len(own(mine) if written == "of what runs" else mine) > 1
        rows += [*parts, *([whole] if with_head else [])]
        heads += with_head
    found = read(write(tmp_path, rows), as_of=X)
    check(found)
    assert reasons(found) == {"package_sum": heads}
    told = finding(found, "AKB-D123")
    assert told.count == heads
    assert told.params["premium"] > 0


def test_a_package_that_costs_something_else_is_a_policy(tmp_path):
    rows = flat(
        [
            *(row | {"Pakketnummer": name} for row in mine),
            head(name, mine, Pakketnummer=name) | {"Premie per jaar": "10,00"},
        ]
        for name, mine in GROUPS.items()
    )
    found = read(write(tmp_path, rows), as_of=X)
    assert found.policies.height == len(rows)
    assert "AKB-D123" not in codes(found)


def discounted(*shares):
    rows = []
    for n, (name, mine) in enumerate(GROUPS.items()):
        rows += [row | {"Pakketnummer": name} for row in mine]
        if len(own(mine)) > 1:
            cost = round(total(own(mine)) * shares[n % len(shares)])
            rows.append(head(name, mine, Pakketnummer=name, Einddatum="") | {"Premie per jaar": euro(cost)})
    return rows


def test_a_package_with_the_same_discount_everywhere_is_no_policy(tmp_path):
    found = read(write(tmp_path, discounted(0.93)), as_of=X)
    check(found)
    assert set(reasons(found)) == {"package_sum"}


def test_packages_with_discounts_of_their_own_are_an_issue_with_their_premium(tmp_path):
    rows = discounted(0.85, 0.9, 0.95, 1.0)
    found = read(write(tmp_path, rows), as_of=X)
    told = [f for f in found.findings if f.code == "AKB-D127"]
    assert len(told) == 1
    assert told[0].severity == "issue"
    assert told[0].count > 30
    assert found.policies.height == len(rows)


def test_a_home_package_beside_other_policies_is_a_policy(tmp_path):
    rows = [*BOOK]
    for n, row in enumerate(row for row in BOOK if not row["Einddatum"]):
        changes = {"Branche": "Woonpakket", "Polisnummer": f"W{n}", "Premie per jaar": f"{20 + n * 37 % 500},10"}
        rows += [row | changes] if n % 3 == 0 else []
    found = read(write(tmp_path, rows), as_of=X)
    assert found.policies.height == len(rows)
    assert codes(found).isdisjoint({"AKB-D123", "AKB-D127"})


def test_three_policies_of_which_one_is_the_sum_by_chance_are_three(tmp_path):
    chance = [
        policy(900, Polisnummer=f"C{n}", Premie_per_jaar=premium) | {"Pakketnummer": "PK90000"}
        for n, premium in enumerate(("10,00", "20,00", "30,00"))
    ]
    found = read(write(tmp_path, [*BOOK, *chance], headings=(*BOOK[0], "Pakketnummer")), as_of=X)
    assert found.policies.height == len(BOOK) + 3


def test_a_package_discount_names_no_package(tmp_path):
    rows = [row | {"Pakketkorting": ("5", "10", "")[n % 3]} for n, row in enumerate(BOOK)]
    found = read(write(tmp_path, rows), as_of=X)
    assert found.policies.height == len(BOOK)


def test_years_that_follow_each_other_are_one_policy_with_or_without_a_number(tmp_path):
    years = flat(
        [
            row | {"Ingangsdatum": f"01-01-{year}", "Einddatum": f"31-12-{year}", "Volgnummer": str(year - 2019)}
            for year in range(2020, 2025)
        ]
        for row in [row for row in BOOK if int(row["Ingangsdatum"][-4:]) < 2020]
    )
    policies = len({row["Polisnummer"] for row in years})
    numbered = read(write(tmp_path, years), as_of=X)
    assert numbered.policies.height == policies
    plain = [{name: cell for name, cell in row.items() if name != "Volgnummer"} for row in years]
    assert read(write(tmp_path, plain), as_of=X).policies.height == policies


def test_rows_that_may_be_either_are_told_with_the_premium_that_goes(tmp_path):
    twins = [row for row in BOOK if not row["Einddatum"]][:30]
    later = [row | {"Ingangsdatum": "01-06-2024", "Premie per jaar": "99,00"} for row in twins]
    found = read(write(tmp_path, [*BOOK, *later]), as_of=X)
    told = finding(found, "AKB-D125")
    assert (told.severity, told.count) == ("issue", 30)
    assert told.params["premium"] == sum(min(cents(row), 9900) for row in twins) // 100
    assert "version" in reasons(found)


def test_a_replay_does_not_see_later_parts(tmp_path):
    rows = flat([row | PARTS["nothing"](name, n) for n, row in enumerate(mine)] for name, mine in GROUPS.items())
    past = X.replace(year=2022)
    late = [policy(5000 + n, Polisnummer="PK1", Ingangsdatum="01-01-2025") for n in range(9)]
    one, other = read(write(tmp_path, rows), as_of=past), read(write(tmp_path, [*rows, *late]), as_of=past)
    assert one.policies.equals(other.policies)
