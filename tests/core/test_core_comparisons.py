"""The one table of comparisons: what it does first, what it says of what is left out, and how it counts."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import pytest

from benchmarks import __main__ as table
from benchmarks.comparing import Comparison, OfficeBook, comparisons
from benchmarks.runs import Cost, cost_of


def test_what_decides_most_comes_first() -> None:
    found = comparisons(table.sizes_in("1k,10k,15k,76k,1m"))
    assert [each.level for each in found] == sorted(each.level for each in found)
    first = [each for each in found if each.level == 1 and each.key == "notebook"]
    assert {(each.book.customers, each.asked) for each in first} == {(15_000, 0.25)}
    assert len({each.book for each in first}) == 4
    assert [each.peer for each in found if each.book.customers == 1_000_000] == [None]


def test_sizes_are_read() -> None:
    assert table.sizes_in("1k, 1.5K,2m,700") == [700, 1_000, 1_500, 2_000_000]


def session(tmp_path: Path, minutes: float = 10.0) -> table.Session:
    return table.Session(tmp_path, None, time.monotonic() + 60 * minutes)


def taken(customers: int, akb: float, notebook: float) -> table.Taken:
    made = table.Taken(Comparison("notebook", OfficeBook(customers, 4, True), "notebook", 1, 0.25))
    for factor in (1.0, 1.1, 0.9):
        made.costs["akb"].append(Cost(akb * factor, akb, 100.0))
        made.costs["notebook"].append(Cost(notebook * factor, notebook, 200.0))
    return made


def test_the_exponent_is_that_of_the_larger_sizes() -> None:
    made = [taken(1_000, 50.0, 1.0), taken(10_000, 10.0, 10.0), taken(100_000, 100.0, 1_000.0)]
    assert table.exponent(made, "akb") == pytest.approx(1.0)
    assert table.exponent(made, "notebook") == pytest.approx(2.0)
    assert table.exponent(made[:2], "akb") is None


def test_the_table_says_ratios_and_what_was_missed(tmp_path: Path) -> None:
    made = session(tmp_path)
    made.taken = [taken(15_000, 10.0, 50.0), taken(20_000, 30.0, 50.0)]
    made.left_out["skrub"] = "no environment skrub under --rivals"
    text = table.document(made, "python -m benchmarks --minutes 5", 5.0)
    assert "| 15,000 customers, claims and contacts, 4 years | akb | 3 | 10.0 | 10.0 | 100 |  |  |" in text
    assert "| notebook | 3 | 50.0 | 50.0 | 200 | 0.200 | 0.250 |" in text
    assert "0.600 | 0.250: missed |" in text
    assert "- skrub: no environment skrub under --rivals" in text


def test_what_does_not_fit_in_the_minutes_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = session(tmp_path, minutes=5.0)
    made.usual["notebook"].append((15_000, 100.0))
    found = [each for each in comparisons([76_000]) if each.key == "notebook"]
    assert made.expected(found[0]) == pytest.approx(100.0 * 76 / 15, rel=0.01)
    monkeypatch.setattr(OfficeBook, "write", lambda *_: pytest.fail("was made"))
    for each in found:
        made.run(each, 5)
    assert set(made.left_out.values()) == {"the minutes were up after 0 of 5 runs"}
    assert made.taken == []


def test_a_peer_without_its_environment_is_left_out(tmp_path: Path) -> None:
    made = session(tmp_path)
    made.run(next(each for each in comparisons([15_000]) if each.key == "skrub"), 5)
    assert list(made.left_out.values()) == ["no environment skrub under --rivals"]


def test_a_process_is_measured_whole() -> None:
    cost = cost_of([sys.executable, "-c", "sum(range(10**7)); bytearray(50_000_000)"])
    assert cost.processor > 0.05 and cost.seconds >= 0.5 * cost.processor and cost.mib > 40


def test_a_folder_of_this_machine_is_not_shown() -> None:
    assert table._shown(["--rivals", "/home/x/rivals", "--minutes=5", "--out=/a/b"]) == [
        "--rivals", "DIR", "--minutes=5", "--out=DIR",
    ]  # fmt: skip
    assert table.figure(math.nan) == ""
