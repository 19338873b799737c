"""Relations that ended long ago are left out and counted, and what is learned does not change by it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from ingest_exports import X, assert_reconciles, assert_same, finding, nl, policy, read, reasons, write

from akb.config import Settings
from akb.core.errors import AkbError

ALL = Settings(time={"keep_ended_years": 0})
CUT = date(2018, 11, 30)
LONG = {"Ingangsdatum": "01-01-2010", "Royementsreden": "Opzegging klant"}


def test_the_day_itself_is_long_ago_and_one_open_or_later_policy_keeps_all(tmp_path):
    rows = [
        policy(1, **LONG, Einddatum=nl(CUT)),
        policy(2, **LONG, Einddatum=nl(CUT + timedelta(days=1))),
        policy(3, **LONG, Einddatum="01-01-2012"),
        policy(3, Polisnummer="A", Ingangsdatum="01-01-2011"),
        policy(4, **LONG, Einddatum="01-01-2012"),
        policy(4, Polisnummer="B", **LONG, Einddatum="01-01-2013"),
    ]
    claims = [
        {"Relatienummer": f"{number:06d}", "Meldingsdatum": "01-02-2011", "Schadebedrag": "10"} for number in (1, 2, 4)
    ]
    people = [{"Relatienummer": f"{number:06d}", "Soort relatie": "Particulier"} for number in range(1, 5)]
    files = [write(tmp_path, rows), write(tmp_path, claims, "s.csv"), write(tmp_path, people, "r.csv")]
    found = read(*files, as_of=X)
    assert found.customers["relation"].to_list() == ["000002", "000003"]
    assert reasons(found) == {"ended_long_ago": 3 + 2 + 2}
    assert (finding(found, "AKB-D073").count, finding(found, "AKB-D073").params["day"]) == (2, CUT)
    assert "AKB-D031" not in {each.code for each in found.findings}
    assert_reconciles(found)
    kept = read(*files, settings=ALL, as_of=X)
    assert kept.customers.height == 4
    assert kept.rows.rejected == 0


def test_a_row_that_was_rejected_before_is_not_rejected_twice(tmp_path):
    rows = [policy(1), *[policy(2, **LONG, Einddatum="01-01-2012")] * 2, policy(2, Polisnummer="A", Ingangsdatum="")]
    found = read(write(tmp_path, rows), as_of=X)
    assert reasons(found) == {"duplicate": 1, "ended_long_ago": 1, "no_start": 1}
    assert_reconciles(found)


def test_if_nobody_is_left_it_says_why(tmp_path):
    with pytest.raises(AkbError, match="ended_long_ago 1"):
        read(write(tmp_path, [policy(1, **LONG, Einddatum="01-01-2012")]), as_of=X)


def test_what_happens_after_x_leaves_nobody_out(tmp_path):
    """In a replay a relation that ends later is there; and later rows change nothing."""
    rows = [policy(n, **LONG, Einddatum=nl(CUT - timedelta(days=n))) for n in range(1, 40)]
    rows += [policy(100 + n, Ingangsdatum=f"{n % 28 + 1:02d}-{n % 11 + 1:02d}-2025") for n in range(80)]
    then = date(2018, 6, 30)
    one = read(write(tmp_path, rows), as_of=then)
    other = read(write(tmp_path, [row | {"Einddatum": ""} for row in rows], "open.csv"), as_of=then)
    assert_same(one, other, findings=False)


def crowd(seed: int = 5, policies: int = 4000, each: int = 1) -> tuple[list[dict[str, str]], float]:
    """`each` policies a customer, begun 2006-2025, a constant hazard of 15 % a year, every end recorded."""
    rng, rate = np.random.default_rng(seed), 0.15
    rows = []
    for number in range(policies):
        start = date(2006, 1, 1) + timedelta(days=int(rng.integers(0, (X - date(2006, 1, 1)).days)))
        end = start + timedelta(days=1 + int(rng.exponential(365.25 / rate)))
        gone = end <= X
        change = {"Einddatum": nl(end), "Royementsreden": "Opzegging klant"} if gone else {}
        rows.append(policy(number // each, Polisnummer=f"P{number}", Ingangsdatum=nl(start), **change))
    return rows, rate


def hazard(found, since: date, until: date = X) -> float:
    """Ends per year of exposure from `since` to `until`."""
    p = found.policies
    start, end = p["start_date"].to_numpy(), p["end_date"].fill_null(X + timedelta(days=1)).to_numpy()
    first, last = np.datetime64(since), np.datetime64(until)
    years = (np.minimum(end, last) - np.maximum(start, first)).astype("timedelta64[D]").astype(float) / 365.25
    ends = ((end > first) & (end <= last)).sum()
    return float(ends / years[years > 0].sum())


@pytest.mark.parametrize("each", [1, 3])
def test_leaving_them_out_biases_no_hazard(tmp_path, each):
    """From the recorded start on the hazard is the true one; over the whole file it would be too low.

    With three policies each there are many ends before that day, of customers who stayed: only the settings tell.
    """
    rows, rate = crowd(each=each)
    found = read(write(tmp_path, rows), as_of=X)
    assert reasons(found)["ended_long_ago"] > 100
    assert CUT <= found.history.recorded_from <= CUT + timedelta(days=1)
    assert hazard(found, found.history.recorded_from) == pytest.approx(rate, rel=0.05)
    everybody = read(write(tmp_path, rows), settings=ALL, as_of=X)
    assert everybody.history.recorded_from < date(2007, 1, 1)
    assert hazard(everybody, CUT) == hazard(found, CUT)
    assert hazard(found, date(2006, 1, 1), CUT) < 0.97 * hazard(everybody, date(2006, 1, 1), CUT)


def test_a_later_start_of_the_record_stays(tmp_path):
    rows, _ = crowd(policies=1500)
    kept = [row for row in rows if not row["Einddatum"] or row["Einddatum"][-4:] >= "2022"]
    found = read(write(tmp_path, [*kept, policy(9999, **LONG, Einddatum="01-01-2012")]), as_of=X)
    assert found.history.recorded_from.year == 2022
