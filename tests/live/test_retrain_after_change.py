"""After a change that the watch flagged: the window begins after it, and the challenger has seen it in others."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from akb.cli import run
from akb.commands.console import Stages
from akb.config import load_settings
from akb.core.privacy.pseudonyms import load_or_create_key
from akb.live.registry import champion_of, crown
from akb.live.retraining import story
from akb.live.retraining.duel import Duel, DuelWindow, duel, judged, newest_window
from akb.live.scoring.stored import stored_run
from akb.live.scoring.story import level_of
from akb.live.scoring.watch import EndsWatch
from akb.pipeline import Request, read
from akb.sample.living import LivingOffice, weeks_of
from tests.offices import marked_export, simulated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from akb.live.book import ClientBook

    Floats = NDArray[np.float64]

NAMES = ("polissen.csv", "schades.csv", "contacten.csv")


def after(since: str | None, ratio: float) -> Duel:
    """A duel in which the challenger's level is so much below what happened."""
    rng = np.random.default_rng(5)
    true = 1 / (1 + np.exp(-rng.normal(-2.0, 1.0, 6000)))
    left = (rng.random(6000) < true).astype(np.float64)
    found = judged(DuelWindow(date(2026, 7, 31), 3), np.arange(6000), left, (true / 1.6, true / ratio))
    return replace(found, since=since)


def test_what_the_challenger_could_not_learn_stays_with_the_champion() -> None:
    assert after("2026-07-31", 1.3).level == pytest.approx(1.3, rel=0.08)
    assert after("2026-07-31", 1.0).level is None  # its interval holds one
    assert after(None, 1.3).level is None  # without a change nothing is multiplied
    assert level_of(1.3, None) == 1.3 and level_of(None, None) is None


def held(champion: Callable[[Floats], Floats], challenger: Callable[[Floats], Floats]) -> Duel:
    """A duel after a change whose level the watch holds: what both say of the true chances of 300 leavers."""
    rng = np.random.default_rng(5)
    true = 1 / (1 + np.exp(-rng.normal(-3.4, 1.0, 6000)))
    left = (rng.random(6000) < true).astype(np.float64)
    sides = champion(true), challenger(true)
    return judged(DuelWindow(date(2026, 7, 31), 1), np.arange(6000), left, sides, followed=True)


def test_a_champion_that_is_held_up_yields_to_one_that_is_no_worse() -> None:
    def same(true: Floats) -> Floats:
        return true

    def low(true: Floats) -> Floats:
        return np.asarray(1 - (1 - true) ** 0.8)

    def blind(true: Floats) -> Floats:
        return np.full(len(true), true.mean())

    found = held(same, low)
    assert found.verdict == "level" and found.won
    # it goes on at the level that the weeks showed, not at that of one window of relations
    assert found.handed_on == pytest.approx(1.25) and replace(found, since="2026-07-31").level == found.handed_on
    assert found.challenger.expected == pytest.approx(found.champion.expected)
    assert held(same, blind).verdict == "stays"  # worse is worse
    assert held(blind, same).verdict == "won"
    calm = judged(DuelWindow(date(2026, 7, 31), 1), np.arange(6000), np.zeros(6000), (np.full(6000, 0.01),) * 2)
    assert calm.handed_on is None and not calm.won


def test_the_window_begins_after_the_change(
    book: ClientBook, export: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(export / name) for name in NAMES]
    asked: list[DuelWindow] = []

    def watched(*given: object, **more: object) -> object:
        asked.append(given[2])  # type: ignore[arg-type]
        return after("2026-03-15", 1.3)

    monkeypatch.setattr(story, "duel", watched)
    flagged = EndsWatch((), 5.3, 1.0, 1.0, "2026-04-20", "2026-03-15", 1.3, 1.2, 1.4, None)
    monkeypatch.setattr(story, "_watch_of", lambda *given: flagged)
    ask = ["retrain", *files, "--from", str(book.folder), "--quiet", "--json", "--dry-run"]
    assert run([*ask, "--as-of", "2026-06-30"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert asked == [DuelWindow(date(2026, 3, 31), 1)]
    assert document["since"] == "2026-03-15" and document["level"] == pytest.approx(1.3, rel=0.08)
    assert run([*ask, "--as-of", "2026-05-31"]) == 0  # no month after the change is closed yet
    early = json.loads(capsys.readouterr().out)
    assert early["outcome"] == "early" and early["window_closes"] == "2026-06-15"


def test_a_champion_keeps_the_change_and_the_level(book: ClientBook) -> None:
    first = champion_of(book)
    assert first is not None and first.changed is None and first.level is None
    made = crown(book, first.run.run, "won", {"since": "2026-07-31", "level": 1.2}, after=first.number)
    assert made.changed == date(2026, 7, 31) and made.level == 1.2


@pytest.mark.slow
def test_a_challenger_learns_a_change_from_other_customers(
    export: Path, key: Path, fitted: Path, tmp_path: Path
) -> None:
    office = LivingOffice(simulated(), 9, seed=3, drift=(3.0,) * 9, lag_days=5)
    for _ in range(9):
        office.live()
    day = weeks_of(office.book, 36)[-1]
    marked_export(tmp_path / "later", office.on(day))
    secret = load_or_create_key(key)
    files = [tmp_path / "later" / name for name in NAMES]
    portfolio = read(Request(files=files, settings=load_settings(), key=secret, as_of=day, out=tmp_path / "out"))
    window = newest_window(date(2025, 12, 31), day, 61, least=1)
    assert window is not None and window.months == 6
    champion = stored_run(fitted, secret)
    found = duel(champion, portfolio, window, Stages(quiet=True), since=date(2025, 12, 31))
    assert found is not None and found.left >= 50
    assert found.champion.low > 1.25 and found.verdict in ("won", "level")
    assert found.challenger.ratio < found.champion.ratio
    # the same halves every time: nobody's chance comes from models that saw him
    again = duel(champion, portfolio, window, Stages(quiet=True), since=date(2025, 12, 31))
    assert again == found
    assert isinstance(portfolio.policies, pl.DataFrame)
