"""``akb evaluate``: what was said beside what happened, only where a window is closed, small counts hidden."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from live_runs import Small

from akb.cli import run
from akb.core.wording.text import texts
from akb.live.evaluation.judge import level_alarm
from akb.live.evaluation.page import page
from akb.live.experiment.registration import closing_day

if TYPE_CHECKING:
    from pathlib import Path

N = 400


def leavers(seed: int = 2, times: float = 1.0) -> tuple[int, ...]:
    """Return who leaves when everybody leaves with the chance that the run expects, times so much."""
    chance = np.linspace(0.02, 0.20, N) * times
    return tuple(np.flatnonzero(np.random.default_rng(seed).random(N) < chance).tolist())


def evaluated(office: Small, capsys: Any, *options: str, as_of: date | None = None, **how: Any) -> dict[str, Any]:
    export = office.export(as_of) if as_of else office.export()
    folder = office.run(**how)
    capsys.readouterr()
    arguments = ["evaluate", str(folder), str(export), "--key", str(office.key), "--quiet", "--json", *options]
    assert run(arguments) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def of(told: dict[str, Any], key: str) -> dict[str, Any]:
    return next(row for row in told["predictions"] if row["key"] == key)


def test_what_happened_stands_beside_what_was_said(tmp_path: Path, capsys: Any) -> None:
    gone = leavers()
    office = Small(tmp_path, N, gone, lapsed=tuple(range(0, N, 9)))
    told = evaluated(office, capsys, "--out", str(tmp_path / "out"), every=3)
    row = of(told, "churn_12m")
    assert (row["customers"], row["observed"]) == (N, len(gone))
    assert row["expected"] == pytest.approx(0.11 * N, rel=1e-3)
    low, high = row["interval"]
    assert low < row["observed_expected"] < high
    assert row["alarm"] is None
    assert row["auc_interval"][0] < row["auc"] < row["auc_interval"][1]
    assert sum(each["customers"] for each in row["deciles"]) == N
    assert of(told, "churn_6m")["observed"] == len(gone)  # everybody leaves half a year after T
    lost = len(gone) * 2 + len(set(range(0, N, 9)) - set(gone))
    assert of(told, "policies_lost_12m")["observed"] == lost
    lines = {each["key"]: each for each in told["lines"]}
    assert lines["relation"]["observed"] == len(gone)
    assert lines["relation"]["observed_euros"] == pytest.approx(1000.0 * len(gone))
    assert lines["policy"]["observed"] == lost
    assert lines["relation"]["hits"][-1]["observed"] == len(gone)
    stretches = {(each["from"], each["to"]): each for each in told["decay"]}
    assert stretches[3, 6]["observed"] == len(gone)
    assert stretches[6, 12]["customers"] == N - len(gone)
    offices = told["groups"]["office"]
    assert offices is None or sum(each["customers"] for each in offices) <= N
    assert told["groups"]["adviser"] is None  # colleagues are not shown beside each other unless asked
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"evaluation.html", "evaluation.json"}
    html = (tmp_path / "out" / "evaluation.html").read_text("utf-8")
    assert "Voorspeld en gebeurd" in html
    assert "http" not in html.replace("http-equiv", "")
    assert "<script" not in html
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text()) == told


def test_only_closed_windows_are_judged(tmp_path: Path, capsys: Any) -> None:
    told = evaluated(Small(tmp_path, N, leavers()), capsys, as_of=date(2024, 10, 15))
    states = {key: of(told, key)["status"] for key in ("churn_1m", "churn_3m", "churn_6m", "churn_12m")}
    assert states == {"churn_1m": "judged", "churn_3m": "judged", "churn_6m": "judged", "churn_12m": "open"}
    assert of(told, "churn_12m")["closes"] == "2025-04-02"  # a year, G = 31 and 30 days of registration lag
    assert told["lines"] == []
    assert told["contact"] == {"status": "open", "closes": "2025-04-02"}
    assert [each["to"] for each in told["decay"]] == [1, 3, 6]


def test_a_window_closes_a_year_a_gap_and_a_lag_after_the_day() -> None:
    assert closing_day(date(2024, 1, 31), 12, 61) == date(2025, 4, 2)
    assert closing_day(date(2024, 1, 31), 1, 61) == date(2024, 4, 30)


def test_an_alarm_goes_off_outside_the_interval(tmp_path: Path, capsys: Any) -> None:
    told = evaluated(Small(tmp_path, N, leavers(times=2.0)), capsys)
    assert of(told, "churn_12m")["alarm"] == "more"
    assert "churn_12m" in [row["key"] for row in told["alarms"]]
    assert told["contact"] == {"status": "unavailable", "reason": "no_control"}
    assert "Zonder loting" in page(told, 5)
    assert "vaker dan verwacht" in page(told, 5)
    english = page(told, 5, "en")
    assert 'lang="en"' in english
    assert "more often than expected" in english
    assert of(told, "churn_12m")["name_en"] in english
    assert not re.search(r"\b(klanten|verwacht|gebeurd|niveau|volgorde|wat)\b", english, re.IGNORECASE)


def test_the_page_has_the_same_words_in_both_languages() -> None:
    dutch, english = texts("evaluation", "nl"), texts("evaluation", "en")
    assert {key: set(table) for key, table in dutch.items()} == {key: set(table) for key, table in english.items()}
    places = [
        {key: sorted(re.findall(r"{\w+}", text)) for table in words.values() for key, text in table.items()}
        for words in (dutch, english)
    ]
    assert places[0] == places[1]


def test_false_alarms_are_rare_and_a_shift_is_seen() -> None:
    rng = np.random.default_rng(6)
    chance = rng.beta(2, 18, size=(400, 2000))
    cluster = np.arange(2000)
    quiet = [level_alarm((rng.random(2000) < p).astype(float), p, cluster) for p in chance]
    loud = [level_alarm((rng.random(2000) < 1.6 * p).astype(float), p, cluster) for p in chance[:50]]
    assert sum(each is not None for each in quiet) <= 8
    assert all(each == "more" for each in loud)


def test_contacts_are_judged_against_who_was_withheld(tmp_path: Path, capsys: Any) -> None:
    rng = np.random.default_rng(5)
    gone = tuple(place for place in range(N) if rng.random() < (0.4 if place % 3 == 0 else 0.1))
    office = Small(tmp_path, N, gone)
    contact = evaluated(office, capsys, every=3)["contact"]
    assert contact["status"] == "measured"
    assert [row["listed"] for row in contact["arms"]] == [266, 134]
    rates = [
        np.mean([place in gone for place in range(N) if (place % 3 == 0) == withheld]) for withheld in (False, True)
    ]
    effect = contact["effects"]["policies"]
    assert effect["interval"][0] < 2 * (rates[0] - rates[1]) < effect["interval"][1] < 0
    figures = contact["figures"]
    assert figures["effectiviteit"]["value"] == pytest.approx(1 - rates[0] / rates[1], abs=0.06)
    assert figures["efficiency"]["value"] == pytest.approx(-100 * effect["difference"])
    assert figures["impact"]["value"] == pytest.approx(-266 * contact["effects"]["euros"]["difference"])
    assert {row["treated"] for row in figures.values()} == {266}


def test_small_counts_are_not_shown_and_who_is_gone_is_told(tmp_path: Path, capsys: Any) -> None:
    office = Small(tmp_path, N, (3, 5, 8))
    folder, export = office.run(), Small(tmp_path, N - 50, (3, 5, 8)).export(reason="")
    capsys.readouterr()
    assert run(["evaluate", str(folder), str(export), "--key", str(office.key), "--quiet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["customers"], told["missing"]) == (N - 50, 50)
    row = of(told, "churn_12m")
    assert (row["observed"], row["observed_expected"], row["interval"], row["deciles"]) == (None, None, None, [])
    line = next(each for each in told["lines"] if each["key"] == "relation")
    assert line["observed"] is None
    assert line["expected"] == pytest.approx(row["expected"], rel=1e-5)  # without reasons the chance of any end
    assert "churn_preventable_12m" not in {each["key"] for each in told["predictions"]}
    assert page(told, 5)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [("key", 3, "other pseudonyms"), ("day", 2, "not after the run's"), ("run", 2, "not the folder of a"),
     ("no key", 2, "there is no key")],
)  # fmt: skip
def test_what_cannot_be_compared_is_a_sentence(tmp_path: Path, capsys: Any, change: str, code: int, words: str) -> None:
    office, other = Small(tmp_path, 60), Small(tmp_path / "other", 60)
    other.folder.mkdir()
    other.run()
    folder = tmp_path if change == "run" else office.run()
    export = office.export(date(2024, 1, 31)) if change == "day" else office.export()
    key = other.key if change == "key" else tmp_path / "none" if change == "no key" else office.key
    assert run(["evaluate", str(folder), str(export), "--key", str(key), "--quiet"]) == code
    assert words in " ".join(capsys.readouterr().err.split())
