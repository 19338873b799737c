"""X, the export's own day, the recorded history, and replays that see nothing dated after X."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from ingest_exports import (
    BRANCHES,
    REASONS,
    TODAY,
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

from akb.ingest.as_of.clock import last_dense_day
from akb.ingest.as_of.history import recorded_from
from tests.examples import examples

PAST = date(2023, 6, 30)


def dense(first: date, last: date, per_day: float, seed: int = 0, firsts: int = 0) -> list[date]:
    """Random days at a rate, with a pile on each first of the month."""
    rng = np.random.default_rng(seed)
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    return [day for day in days for _ in range(int(rng.poisson(per_day)) + (firsts if day.day == 1 else 0))]


def test_the_export_day_is_the_last_day_of_usual_activity():
    days = pl.Series(dense(date(2019, 1, 1), X, 3.0))
    assert last_dense_day(days, TODAY) == X
    assert last_dense_day(days, date(2024, 5, 15)) == date(2024, 5, 15)


def test_announced_ends_and_signed_starts_do_not_become_the_export_day():
    days = dense(date(2019, 1, 1), date(2021, 3, 31), 3.0)
    ahead = [date(2021, 4, 1) + timedelta(days=int(i * 7)) for i in range(20)]
    assert last_dense_day(pl.Series(days + ahead), TODAY) == date(2021, 3, 31)


def test_a_pile_on_the_next_first_of_the_month_is_announced():
    days = dense(date(2019, 1, 1), date(2021, 11, 20), 3.0, firsts=40)
    ahead = [date(2021, 12, 1)] * 25 + [date(2022, 1, 1)] * 15 + [date(2022, 2, 14)]
    found = last_dense_day(pl.Series(days + ahead), TODAY)
    assert found is not None
    assert abs((found - date(2021, 11, 20)).days) <= 3


def test_a_handful_of_dates_still_gives_a_day():
    assert last_dense_day(pl.Series([date(2020, 5, 5)]), TODAY) == date(2020, 5, 5)
    assert last_dense_day(pl.Series([date(2030, 5, 5)]), TODAY) is None
    assert last_dense_day(pl.Series([], dtype=pl.Date), TODAY) is None


@pytest.mark.parametrize("customers", [20, 60, 200])
def test_rows_delivered_twice_do_not_move_the_day(tmp_path, customers: int):
    rows = office(customers)
    (tmp_path / "twice").mkdir()
    once, twice = read(write(tmp_path, rows)), read(write(tmp_path / "twice", rows * 4))
    assert once.as_of == twice.as_of


def test_contacts_tell_the_day_better_than_policies(tmp_path):
    rows = office(200)
    contacts = [
        {
            "Relatienummer": rows[i % len(rows)]["Relatienummer"],
            "Datum": nl(X + timedelta(days=6 - 3 * i)),
            "Kanaal": "Telefoon",
        }
        for i in range(150)
    ]
    found = read(write(tmp_path, rows), write(tmp_path, contacts, "contacten.csv"))
    assert found.as_of == X + timedelta(days=6)
    assert "laatste vastgelegde contacten" in finding(found, "AKB-D028").sentence()


def test_a_header_day_wins_and_the_option_wins_over_all(tmp_path):
    rows = [{**row, "Peildatum": "15-12-2025"} for row in office(60)]
    path = write(tmp_path, rows)
    assert read(path).as_of == date(2025, 12, 15)
    replay = read(path, as_of=PAST)
    assert (replay.as_of, replay.export_day, replay.replay) == (PAST, date(2025, 12, 15), True)
    later = read(path, as_of=date(2025, 12, 18))
    assert (later.as_of, later.export_day, later.replay) == (date(2025, 12, 18), date(2025, 12, 18), False)


@pytest.mark.parametrize("months", [6, 13, 25, 48])
def test_a_retention_window_is_found(months):
    rng = np.random.default_rng(months)
    x, first = date(2024, 12, 31), date(2010, 1, 1)
    window = date(2024 - months // 12 - (12 - months % 12) // 12, (12 - months % 12) % 12 + 1, 1)
    starts = [first + timedelta(days=int(d)) for d in rng.integers(0, (x - first).days, 3000)]
    ends = [start + timedelta(days=int(d) + 30) for start, d in zip(starts, rng.exponential(2500, 3000), strict=True)]
    kept = [(start, end) for start, end in zip(starts, ends, strict=True) if end >= window]
    kept_ends = [end for _, end in kept if end <= x]
    found = recorded_from(pl.Series([start for start, _ in kept]), pl.Series(kept_ends), x)
    assert found is not None
    assert abs((found - window).days) <= 12


def test_a_complete_history_reaches_back_to_the_first_policy():
    rng = np.random.default_rng(5)
    x, first = date(2024, 12, 31), date(2012, 1, 1)
    starts = [first + timedelta(days=int(d)) for d in np.sort(rng.integers(0, 4000, 2000))]
    ends = [start + timedelta(days=int(d) + 30) for start, d in zip(starts, rng.exponential(2500, 2000), strict=True)]
    assert recorded_from(pl.Series(starts), pl.Series([end for end in ends if end <= x]), x) == starts[0]


def test_a_few_old_ends_do_not_open_the_history():
    rng = np.random.default_rng(6)
    x = date(2024, 12, 31)
    starts = [date(2005, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 6900, 4000)]
    ends = [date(2022, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 1090, 900)]
    found = recorded_from(pl.Series(starts), pl.Series([*ends, date(2011, 4, 4), date(2015, 7, 8)]), x)
    assert found is not None
    assert date(2022, 1, 1) <= found <= date(2022, 1, 8)


@pytest.mark.parametrize(("month", "day"), [(12, 31), (1, 1), (7, 1)])
def test_ends_on_one_day_of_the_year_are_a_history_of_many_years(month: int, day: int):
    """Most offices register lapses when they happen, some only at the yearly renewal."""
    rng = np.random.default_rng(11)
    x = date(2025, 12, 31)
    starts = [date(2008, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 5800, 4000)]
    ends = [date(year, month, day) for year in range(2020, 2026) for _ in range(int(rng.poisson(240)))]
    assert recorded_from(pl.Series(starts), pl.Series(ends), x) == date(2020, month, day)


def test_no_ends_no_history(tmp_path):
    found = read(write(tmp_path, [row for row in office(60) if not row["Einddatum"]]))
    assert found.history.recorded_from is None
    assert found.history.months == 0


def later_world(rows: list[dict[str, str]], seed: int) -> list[dict[str, str]]:
    """The same office with everything after PAST changed: ends moved, reasons changed, later rows other ones."""
    rng = np.random.default_rng(seed)
    past = []
    for row in rows:
        start, end = (
            date(*map(int, reversed(row[c].split("-")))) if row[c] else None for c in ("Ingangsdatum", "Einddatum")
        )
        if start and start > PAST:
            continue
        changed = dict(row)
        if end is None or end > PAST:
            choice = rng.integers(3)
            new = PAST + timedelta(days=int(rng.integers(1, 800)))
            changed["Einddatum"] = "" if choice == 0 else nl(new) if choice == 1 else new.isoformat()
            changed["Royementsreden"] = (
                ["", "iets heel anders", "Niet doorgegaan", *REASONS][int(rng.integers(9))] if choice else ""
            )
        past.append(changed)
    later = []
    for i in range(int(rng.integers(40, 80))):
        start = PAST + timedelta(days=int(rng.integers(1, 850)))
        later.append(
            policy(
                int(rng.integers(1, 400)),
                Polisnummer=f"L{i}",
                Branche=["Ruimtereis", *BRANCHES][int(rng.integers(6))],
                Ingangsdatum=nl(start),
                Einddatum=nl(start + timedelta(days=int(rng.integers(-3, 300)))),
                Premie_per_jaar=["1.234", "12.34", "abc", "1,5"][int(rng.integers(4))],
                Soort_relatie=["Zakelijk", "Particulier"][int(rng.integers(2))],
                Geboortejaar=["1850", "1999"][int(rng.integers(2))],
                Adviseur="Carla",
            )
        )
    out = past + later
    rng.shuffle(out)  # type: ignore[arg-type]
    return out


def later_changes(rows: list[dict[str, str]], seed: int) -> list[dict[str, str]]:
    """Change every later date of change."""
    rng = np.random.default_rng(seed)
    later = [nl(PAST + timedelta(days=int(rng.integers(1, 800)))) for _ in rows]
    return [
        row | {"Wijzigingsdatum": day} if int(row.get("Wijzigingsdatum", "")[-4:] or 0) > PAST.year else row
        for row, day in zip(rows, later, strict=True)
    ]


def events(rows: list[dict[str, str]], heading: str, seed: int) -> list[dict[str, str]]:
    """Events of known and unknown customers; those after PAST depend on the seed."""
    past = [
        {
            "Relatienummer": rows[i % 90]["Relatienummer"],
            heading: nl(PAST - timedelta(days=9 * i)),
            "Kanaal": "Telefoon",
        }
        for i in range(120)
    ]
    rng = np.random.default_rng(seed)
    later = [
        {"Relatienummer": str(rng.integers(1, 999)), heading: nl(PAST + timedelta(days=int(d))), "Kanaal": "E-mail"}
        for d in rng.integers(1, 700, seed % 40)
    ]
    return past + later


@pytest.fixture(scope="module")
def world():
    return versions()


def versions() -> list[dict[str, str]]:
    """An office with versions of policies, some changed after PAST, and doubles that differ only later."""
    old = {"Wijzigingsdatum": "01-02-2021"}
    new = {"Wijzigingsdatum": "01-02-2024"}
    rows = [row | old for row in office(150)]
    v1, v4 = (policy(1, Polisnummer=number, Ingangsdatum="01-01-2020") for number in ("V1", "V4"))
    rows += [v1 | old, v1 | new | {"Einddatum": "01-01-2024"}]
    rows += [v4 | new | {"Premie per jaar": "10,00"}, v4 | new | {"Premie per jaar": "20,00", "Adviseur": "Bas"}]
    rows += [
        policy(2, Polisnummer="V2", Ingangsdatum="01-01-2019", Einddatum="01-01-2022") | old,
        policy(2, Polisnummer="V3", Ingangsdatum="10-01-2022") | old,
    ]
    return rows


@settings(max_examples=examples(4), deadline=None, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 10**6))
def test_nothing_after_x_changes_a_replay(seed):
    with TemporaryDirectory() as folder:
        compare_replays(Path(folder), seed)


@cache
def replay_of_the_world():
    """What every other future is compared with."""
    world = versions()
    with TemporaryDirectory() as name:
        folder = Path(name)
        claims, contacts = (write(folder, events(world, h, 1), f"{h}.csv") for h in ("Meldingsdatum", "Contactdatum"))
        return read(write(folder, world), claims, contacts, as_of=PAST)


def compare_replays(folder, seed):
    world, one = versions(), replay_of_the_world()
    changed = later_changes(later_world(world, seed), seed)
    claims, contacts = (write(folder, events(world, h, seed), f"{h}.csv") for h in ("Meldingsdatum", "Contactdatum"))
    other = read(write(folder, changed, "later.csv", headings=tuple(world[0])), claims, contacts, as_of=PAST)
    assert one.replay
    assert other.replay
    assert one.claims is not None
    assert 100 <= one.claims.height <= 120
    assert_same(one, other)
    assert_reconciles(other)


def test_in_a_replay_later_ends_are_open_and_later_rows_rejected(world, tmp_path):
    found = read(write(tmp_path, world), as_of=PAST)
    assert (found.policies["start_date"] <= PAST).all()
    assert found.policies.filter(pl.col("end_date") > PAST).is_empty()
    assert found.policies.filter(pl.col("end_date").is_null(), pl.col("reason").is_not_null()).is_empty()
    assert reasons(found)["after_as_of"] == sum(
        date(*map(int, reversed(r["Ingangsdatum"].split("-")))) > PAST for r in world
    )
    assert {"AKB-D044"} <= codes(found)
    assert not {"AKB-D016", "AKB-D017", "AKB-D020"} & codes(found)


def test_a_replay_knows_what_ended_on_its_own_day(tmp_path):
    """Of three policies one ended the day before, one on the day itself, one the day after."""
    ends = [PAST + timedelta(days=days) for days in (-1, 0, 1)]
    rows = [
        policy(900 + place, Polisnummer=f"E{place}", Branche="Cyber", Ingangsdatum="01-03-2019", Einddatum=nl(end),
               Royementsreden="Verkocht")
        for place, end in enumerate(ends)
    ]  # fmt: skip
    found = read(write(tmp_path, [*versions(), *rows]), as_of=PAST)
    mine = found.policies.filter(pl.col("branch") == "cyber").join(found.customers, on="customer").sort("relation")
    assert mine["relation"].to_list() == ["000900", "000901", "000902"]
    assert mine["end_date"].to_list() == [*ends[:2], None]
    assert mine["cause"].is_not_null().to_list() == [True, True, False]


def test_claims_and_contacts_after_x_are_rejected_in_a_replay(world, tmp_path):
    customer = world[0]["Relatienummer"]
    claims = [
        {"Relatienummer": customer, "Meldingsdatum": nl(PAST + timedelta(days=d)), "Schadebedrag": "100,00"}
        for d in range(-5, 6)
    ]
    found = read(write(tmp_path, world), write(tmp_path, claims, "schades.csv"), as_of=PAST)
    assert found.claims is not None
    assert found.claims["date"].max() == PAST
    assert found.rejects.filter(pl.col("file") == "schades.csv")["reason"].to_list() == ["after_as_of"] * 5


def test_on_the_exports_own_day_later_ends_are_announced(tmp_path):
    rows = [*office(120), policy(1, Polisnummer="A1", Einddatum="01-02-2026", Royementsreden="Overlijden")]
    rows += [policy(2, Polisnummer="A2", Ingangsdatum="01-01-2026")]
    found = read(write(tmp_path, rows), as_of=X)
    assert not found.replay
    announced = found.policies.filter(pl.col("end_date") > X)
    assert announced.select("end_date", "reason", "cause").rows() == [(date(2026, 2, 1), "overlijden", "natural")]
    assert finding(found, "AKB-D016").count == 1
    assert finding(found, "AKB-D017").count == 1
