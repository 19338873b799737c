"""Who scores from now on: by the rule, on a window that neither has seen, and back again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from akb.cli import run
from akb.live.registry import champion_of, champions_of
from akb.live.retraining import duel
from akb.live.retraining.duel import DuelWindow, first_window_closes, judged, least_months, newest_window

if TYPE_CHECKING:
    from pathlib import Path

    from akb.live.book import ClientBook

WINDOW = DuelWindow(date(2025, 1, 1), 6)


def world(n: int = 4000, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customers, who left, and the true chance."""
    rng = np.random.default_rng(seed)
    true = 1 / (1 + np.exp(-rng.normal(-2.7, 1.0, n)))
    return np.arange(n, dtype=np.uint32), (rng.random(n) < true).astype(np.float64), true


def test_the_better_one_wins_and_an_equal_one_does_not() -> None:
    customers, left, true = world()
    flat = np.full(len(true), true.mean())
    assert judged(WINDOW, customers, left, (flat, true)).verdict == "won"
    assert judged(WINDOW, customers, left, (true, flat)).verdict == "stays"
    assert judged(WINDOW, customers, left, (true, true)).verdict == "stays"


def test_chance_alone_seldom_replaces_a_champion() -> None:
    taken = 0
    for seed in range(240):
        customers, left, true = world(1500, seed)
        rng = np.random.default_rng(100 + seed)
        both = [1 / (1 + (1 - true) / true * np.exp(rng.normal(0, 0.2, len(true)))) for _ in range(2)]
        taken += judged(WINDOW, customers, left, (both[0], both[1])).won
    assert taken <= 3  # 2.5 % over twelve attempts: .5 of 240; at 1.96 standard errors it would be six


def test_a_month_that_is_calm_for_everybody_replaces_no_champion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a month in which fewer leave, a challenger that says a little less of all is not the better."""
    customers, _, true = world(20_000)
    month = np.clip(true * 0.006 / true.mean(), 0, 1)
    left = (np.random.default_rng(8).random(len(month)) < month * 0.75).astype(np.float64)
    found = judged(replace(WINDOW, months=1), customers, left, (month, month * 0.88))
    assert found.gain > 0 and found.verdict == "stays"
    monkeypatch.setattr(duel, "common_shock", lambda months: 0.0)
    assert judged(replace(WINDOW, months=1), customers, left, (month, month * 0.88)).verdict == "won"


def test_a_level_that_is_off_is_reason_enough() -> None:
    customers, left, true = world()
    found = judged(WINDOW, customers, left, (true / 1.6, true))
    assert found.champion.low > 1.25 and found.verdict in ("won", "level")
    assert judged(WINDOW, customers, left, (true, true / 1.6)).verdict == "stays"


def test_few_leavers_decide_nothing() -> None:
    customers, left, true = world(300)
    assert left.sum() < 50
    assert judged(WINDOW, customers, left, (np.full(len(true), 0.5), true)).verdict == "few"


def test_the_window_begins_after_the_champion_was_fitted_and_is_closed() -> None:
    fitted, wait = date(2025, 1, 31), 61
    assert newest_window(fitted, date(2025, 4, 29), wait, least=1) is None
    assert first_window_closes(fitted, wait, least=1) == date(2025, 4, 30)
    assert newest_window(fitted, date(2025, 4, 30), wait, least=1) == DuelWindow(date(2025, 1, 31), 1)
    quarter = newest_window(fitted, date(2025, 7, 15), wait, least=1)
    assert quarter is not None and quarter.months == 3 and quarter.day >= fitted
    assert least_months(changed=True) == 1 and least_months(changed=False) == 3
    assert newest_window(fitted, date(2025, 6, 29), wait, least=3) is None
    assert first_window_closes(fitted, wait, least=3) == date(2025, 6, 30)
    year = newest_window(fitted, date(2026, 6, 1), wait, least=3)
    assert year is not None and year.months == 12 and year.day >= fitted


def test_before_a_window_has_closed_the_champion_stays_and_the_attempt_is_recorded(
    book: ClientBook, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(export / name) for name in ("polissen.csv", "schades.csv", "contacten.csv")]
    ask = ["retrain", *files, "--from", str(book.folder), "--quiet", "--json"]
    before = champion_of(book)
    for options in (["--dry-run"], [], []):
        assert run([*ask, *options]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["outcome"] == "early" and document["window_closes"] > "2026-01-31"
    assert champion_of(book) == before and len(champions_of(book)) == 1
    with book.read() as state:
        assert state.execute("SELECT outcome FROM challenges").fetchall() == [("early",)]
    assert run(["retrain", "--from", str(book.folder), "--back", "--quiet"]) == 3
    assert "no other champion" in capsys.readouterr().err


@pytest.mark.slow
def test_a_challenger_that_wins_is_fitted_and_scores_from_then_on(
    book: ClientBook, export: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The two at their posts: what they said is given here, what follows from it is the story's own."""
    import shutil

    from akb.live.registry import record_run
    from akb.live.retraining import story

    customers, left, true = world()
    found = judged(WINDOW, customers, left, (np.full(len(true), true.mean()), true))
    monkeypatch.setattr(story, "duel", lambda *given, **more: found)
    monkeypatch.setattr(story, "newest_window", lambda *given, **more: WINDOW)

    def fitted(
        made: ClientBook, request: object, portfolio: object, folder: Path, *_: object, **more: object
    ) -> object:
        shutil.copytree(made.runs / "2025-12-31-eda", folder.with_name("other"))
        manifest = json.loads((folder.with_name("other") / "manifest.json").read_text())
        (folder.with_name("other") / "manifest.json").write_text(json.dumps({**manifest, "run": "R-00000000000c"}))
        return record_run(made, folder.with_name("other"))

    monkeypatch.setattr(story, "_fitted", fitted)
    files = [str(export / name) for name in ("polissen.csv", "schades.csv", "contacten.csv")]
    ask = ["retrain", *files, "--from", str(book.folder), "--quiet", "--json"]
    assert run([*ask, "--dry-run"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "won" and len(champions_of(book)) == 1
    assert run(ask) == 0
    capsys.readouterr()
    champion = champion_of(book)
    assert champion is not None and champion.why == "won" and champion.run.run == "R-00000000000c"
    assert champion.document["duel"]["rule"].startswith("at least 50") and champion.document["models"]
    assert run(["retrain", "--from", str(book.folder), "--back", "--quiet"]) == 0
    back = champion_of(book)
    assert back is not None and back.why == "back" and back.run.folder.name == "2025-12-31-eda"
