"""A run says how long it will take: within half of the truth from halfway on, on any machine, beside other jobs."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from akb.commands.console import Stages, stages
from akb.commands.console.estimate import USUAL, Estimate, in_words, megabytes

RUNS = [
    (0.31, (3.6, 2.4, 5.3, 0.7, 0.8, 1.1)),
    (0.90, (4.0, 3.4, 13.2, 0.0, 1.1, 1.6)),
    (6.13, (5.1, 7.3, 33.2, 0.0, 2.2, 3.1)),
]
"""Megabytes read, and what the six stages took in processor seconds."""


def followed(size: float, costs: tuple[float, ...], price: float, speed: float = 1.0) -> list[tuple[float, float]]:
    """Return (share of the run that is over, what was said to be left / what was) every fiftieth of a run in which a
    processor second takes `price` seconds of the clock and the machine is `speed` times as fast.
    """
    busy_in_all = sum(costs) / speed
    estimate, said, busy, step = Estimate(size), [], 0.0, busy_in_all / 50
    for name, cost in zip(USUAL, costs, strict=True):
        estimate.begin(name, busy * price, busy)
        end = busy + cost / speed
        while busy + step < end:
            busy += step
            left = estimate.left(busy * price, busy)
            assert left is not None
            said.append((busy / busy_in_all, left / ((busy_in_all - busy) * price)))
        busy = end
        estimate.done(busy * price, busy)
    return said


@pytest.mark.parametrize("price", [0.6, 1.0, 3.0])
@pytest.mark.parametrize("speed", [0.4, 1.0, 2.0])
@pytest.mark.parametrize(("size", "costs"), RUNS)
def test_from_halfway_on_it_is_right_within_half(
    size: float, costs: tuple[float, ...], price: float, speed: float
) -> None:
    rest = sum(costs) / speed * price
    later = [(ratio, rest * (1 - share)) for share, ratio in followed(size, costs, price, speed) if share >= 0.5]
    wrong = [each for each in later if not 0.5 <= each[0] <= 1.5]
    assert [each for each in wrong if max(each[1], each[0] * each[1]) > max(5.0, 0.2 * rest)] == []  # near the end


def test_a_price_that_changes_is_noticed() -> None:
    estimate = Estimate(1.0)
    estimate.begin(next(iter(USUAL)), 0.0, 0.0)
    for second in range(1, 101):
        estimate.left(float(second), float(second))
    before = estimate.left(100.0, 100.0)
    for second in range(1, 101):
        after = estimate.left(100.0 + 4 * second, 100.0 + second)
    assert before is not None and after is not None
    assert after > 3 * before


def test_of_other_commands_nothing_is_claimed() -> None:
    estimate = Estimate(1.0)
    estimate.begin("simulating an office", 0.0, 0.0)
    assert estimate.left(10.0, 10.0) is None
    assert estimate.share(10.0, 10.0) == 0.0


def test_what_is_packed_holds_more() -> None:
    assert megabytes({Path("a.csv"): 2_000_000}) == 2.0
    assert megabytes({Path("a.ZIP"): 2_000_000}) > 10.0


def test_time_is_told_as_exactly_as_it_is_known() -> None:
    assert [in_words(each) for each in (0.4, 12, 58, 98, 3000)] == [
        "a few seconds left", "about 10 s left", "about 60 s left", "about 100 s left", "about 50 min left",
    ]  # fmt: skip


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, after: float) -> tuple[Stages, io.StringIO]:
    out = io.StringIO()
    made = Stages(reads=[Path(__file__)])
    made._console = Console(file=out, force_terminal=terminal, width=120)
    monkeypatch.setattr(stages, "_PATIENCE", after)
    return made, out


def test_through_a_pipe_a_stage_is_a_line_as_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    made, out = shown(monkeypatch, terminal=False, after=0.0)
    with made.stage("writing the report"):
        assert re.fullmatch(r"writing the report … (about .*|a few seconds) left\n", out.getvalue())
    assert re.search(r"\nwriting the report +\d+\.\d s\n$", out.getvalue())


def test_in_the_first_seconds_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    made, out = shown(monkeypatch, terminal=False, after=60.0)
    with made.stage("writing the report"):
        assert out.getvalue() == "writing the report …\n"


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    made, out = shown(monkeypatch, terminal=True, after=0.0)
    with made.stage("writing the report"):
        made.detail("lists")
        made._console.print(made._shown())
    assert "━" in out.getvalue() and "left" in out.getvalue() and "lists" in out.getvalue()
