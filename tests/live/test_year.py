"""An office lives with akb: weekly exports, scores, a team, feedback, refitting, an experiment, an evaluation."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from akb.live.book import ClientBook
from akb.live.feedback.events import events_of
from akb.live.registry import runs_of
from akb.sample import simulate
from akb.sample.calendar import to_day
from akb.sample.living import LivingOffice, weeks_of
from benchmarks.year import YearOptions, live_a_year

if TYPE_CHECKING:
    from pathlib import Path


def test_what_is_not_registered_is_not_in_the_export_and_nothing_comes_back() -> None:
    office = LivingOffice(simulate(400, seed=2), 4, seed=2)
    for _ in range(4):
        office.live()
    policies, registered = office.all_ends()
    before: dict[str, date] = {}
    for day in weeks_of(office.book, 16):
        frame = office.on(day).policies
        assert (frame["start_date"] <= day).all()
        known = {row[0]: row[1] for row in frame.select("policy", "end_date").iter_rows() if row[1] is not None}
        assert before.items() <= known.items()  # an end that was registered stays
        before = known
    late = (registered > policies.end) & (policies.end > to_day(office.book.as_of))
    assert late.mean() > 0.005 and (registered - policies.end)[late].max() <= 60


def test_contacts_undo_ends_and_all_else_is_the_same_chance() -> None:
    ends = []
    for effect in (0.0, 1.0):
        office = LivingOffice(simulate(2000, seed=3), 6, seed=3)
        office.begin[:] = 0
        for _ in range(6):
            office.live(effect, effect)
        policies, _ = office.all_ends()
        ends.append(
            int(((policies.end > to_day(office.book.as_of)) & (policies.end < to_day(date(2026, 6, 30)))).sum())
        )
    assert ends[1] < 0.75 * ends[0]


def test_a_planted_rise_shows_in_the_months_after_it() -> None:
    counts = []
    for factor in (1.0, 1.6):
        office = LivingOffice(simulate(3000, seed=4), 6, seed=4, drift=(1.0, 1.0, *[factor] * 4))
        for _ in range(6):
            office.live()
        policies, _ = office.all_ends()
        months = [to_day(date(2026, month, 28)) for month in (2, 6)]
        counts.append(np.diff([(policies.end <= day).sum() for day in (to_day(office.book.as_of), *months)]))
    assert counts[0][0] == counts[1][0]  # until then nothing is otherwise
    assert 1.2 < counts[1][1] / counts[0][1] < 1.6


def lived(folder: Path, options: YearOptions) -> ClientBook:
    year = live_a_year(folder, options, 1)
    book = ClientBook(folder / "book")
    assert [each.number for each in year.weeks] == list(range(1, options.weeks + 1))
    assert [each.kind for each in runs_of(book)] == ["eda", *["score"] * options.weeks]
    assert events_of(book).height == sum(each.called for each in year.weeks) > 0
    assert year.champions[0] == ("first", "2024-12-31")
    assert year.evaluation is not None and year.evaluation["run_as_of"] == "2024-12-31"
    lines = [json.loads(line) for line in (book.folder / "log.jsonl").read_text("utf-8").splitlines()]
    assert {each["exit"] for each in lines} <= {0, 3}
    assert all("watch" in each for each in lines if each["command"] == "score" and each["exit"] == 0)
    return book


@pytest.mark.slow
def test_two_weeks_of_an_office(tmp_path: Path) -> None:
    lived(tmp_path, YearOptions(customers=150, weeks=2, calls=5, retrain_every=2))


@pytest.mark.slow
def test_half_a_year_of_an_office(tmp_path: Path) -> None:
    book = lived(tmp_path, YearOptions(customers=400, weeks=26, calls=8, retrain_every=8))
    watched = [json.loads((each.folder / "scored.json").read_text("utf-8"))["watch"] for each in runs_of(book)[1:]]
    assert any(each is not None for each in watched)
    assert (tmp_path / "trial" / "assignments.csv").exists()
