"""The watch on registered ends: late registration is no fall, a rise is seen soon, chance seldom."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from akb.core.privacy.pseudonyms import load_or_create_key
from akb.live.scoring.stored import stored_run
from akb.live.scoring.story import ScoreRequest, models_on, score, settings_for
from akb.live.scoring.watch import EndsWatch, KnownEnds, UsualEnds, known_ends, usual_ends, watched, week_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FIRST = date(2025, 12, 29)  # a Monday
HELD = 40_000


def usual(per_week: float = 80.0) -> UsualEnds:
    """Five times as many ends on the first of a month."""
    rates = np.full((12, 2), per_week / 7 / HELD)
    rates[:, 0] *= 7 / (6.77 + 5 * 0.23)
    rates[:, 1] = 5 * rates[:, 0]
    return UsualEnds(rates)


def policies() -> pl.DataFrame:
    start = pl.Series([date(2020, 1, 1)] * HELD)
    return pl.DataFrame({"start_date": start, "end_date": pl.Series([None] * HELD, dtype=pl.Date)})


def exports(
    seed: int, *, rise: float = 1.0, at: int = 30, weeks: int = 52, late: float = 1.5, ahead: float = 0.4
) -> list[KnownEnds]:
    """Exports a week apart of ends decided at a Poisson rate; some are announced up to thirteen weeks ahead."""
    rng = np.random.default_rng(seed)
    first, expected = week_of(FIRST), usual()
    cells: list[tuple[int, int, int]] = []  # week of the end, week of registration, how many
    for end in range(-30, weeks + 13):
        n = rng.poisson(expected.in_week(first + end, HELD) * 2)
        before = np.where(rng.random(n) < ahead, rng.integers(1, 13, n), 0)
        after = np.minimum(np.floor(rng.standard_exponential(n) * late), 12).astype(np.int64)
        decided = end - before
        kept = rng.random(n) < np.where(decided >= at, rise, 1.0) / 2
        registered, counts = np.unique((decided + after)[kept], return_counts=True)
        cells += [(first + end, first + int(r), int(c)) for r, c in zip(registered, counts, strict=True)]
    made = []
    for week in range(weeks + 1):
        known: dict[int, int] = {}
        for end, registered, count in cells:
            if registered <= first + week and week - 12 <= end - first <= week + 13:
                known[end] = known.get(end, 0) + count
        made.append(KnownEnds(FIRST + timedelta(days=7 * week), known))
    return made


def seen(seed: int, **how: float) -> EndsWatch:
    found = watched(usual(), POLICIES, exports(seed, **how))  # type: ignore[arg-type]
    assert found is not None
    return found


POLICIES = policies()


def flagged_in(found: EndsWatch) -> int | None:
    return None if found.flagged is None else (date.fromisoformat(found.flagged) - FIRST).days // 7


def test_without_a_change_an_alarm_is_rare_however_late_ends_are_registered() -> None:
    alarms = [flagged_in(seen(seed, late=late)) for seed in range(8) for late in (0.0, 1.5, 3.0)]
    assert sum(each is not None for each in alarms) <= 2


def test_a_rise_is_flagged_within_weeks_and_not_before_it() -> None:
    found = [seen(seed, rise=1.45) for seed in range(12)]
    weeks = [flagged_in(each) for each in found]
    assert sum(week is not None and 30 <= week <= 34 for week in weeks) >= 10
    levels = [each.level for each in found if each.level is not None]
    assert len(levels) == 12 and np.mean(levels) == pytest.approx(1.45, abs=0.06)
    assert all(each.since is not None and "2026-07-01" <= each.since <= "2026-08-26" for each in found)


def test_a_fall_is_flagged_too() -> None:
    fallen = seen(3, rise=0.6)
    assert fallen.flagged is not None and fallen.level is not None and fallen.level < 0.75


def test_nothing_is_said_of_few_weeks_or_few_ends() -> None:
    assert watched(usual(), POLICIES, exports(1)[:6]) is None
    assert watched(usual(0.5), POLICIES, exports(1)) is None


def test_a_week_that_was_left_out_counts_as_two() -> None:
    made = exports(2)
    skipped = watched(usual(), POLICIES, [*made[:20], *made[21:]])
    whole = watched(usual(), POLICIES, made)
    assert skipped is not None and whole is not None
    both = sum(each.expected for each in whole.weeks[19:21])
    assert skipped.weeks[19].expected == pytest.approx(both, rel=0.05)
    assert abs(skipped.weeks[19].registered - sum(each.registered for each in whole.weeks[19:21])) <= 3


def test_what_is_usual_is_the_rate_of_the_last_year_in_the_pattern_of_all() -> None:
    rng = np.random.default_rng(4)
    first, until = date(2021, 1, 1), date(2025, 1, 1)
    days = np.arange((until - first).days)
    opening = np.array([(first + timedelta(days=int(day))).day == 1 for day in days])
    chance = np.where(opening, 12.0, 1.0) * np.where(days < 3 * 365, 1.0, 1.5)
    ends = rng.choice(days, 30_000, p=chance / chance.sum())
    frame = pl.DataFrame(
        {
            "start_date": [date(2015, 1, 1)] * 60_000,
            "end_date": [*(first + timedelta(days=int(day)) for day in ends), *([None] * 30_000)],
        },
        schema_overrides={"end_date": pl.Date},
    ).with_columns(replaced_on=pl.lit(None, dtype=pl.Date), cause=pl.lit("preventable"))
    found = usual_ends(frame, first, until)
    at_level = sum(ends >= 1096)
    held = 30_000 + at_level / 2
    weeks = range(week_of(date(2024, 1, 8)), week_of(date(2024, 12, 30)))
    assert sum(found.in_week(week, held) for week in weeks) == pytest.approx(at_level * 51 / 52.3, rel=0.05)
    share = found.rates[:, 1] / found.rates[:, 0]
    assert share == pytest.approx(np.full(12, 12.0), rel=0.1)


def test_technical_ends_and_replaced_policies_are_no_ends() -> None:
    day = date(2026, 1, 7)
    frame = pl.DataFrame(
        {
            "end_date": [day, day, day, None, date(2020, 1, 1)],
            "replaced_on": [None, day, None, None, None],
            "cause": ["preventable", "preventable", "technical", None, "unknown"],
        },
        schema_overrides={"replaced_on": pl.Date},
    )
    assert known_ends(frame, day).counts == {week_of(day): 1}
    made = known_ends(frame, day)
    assert KnownEnds.of_document(json.loads(json.dumps(made.document()))) == made


def _sums(values: NDArray[np.float64] | pl.Series) -> float:
    return float(np.asarray(values, dtype=np.float64).sum())


def test_the_level_moves_every_chance_of_ending_and_no_other(fitted: Path, key: Path) -> None:
    stored = stored_run(fitted, load_or_create_key(key))
    portfolio = stored.read_as_then(stored.portfolio)
    settings = settings_for(stored.settings, stored, portfolio)
    _, before, _ = models_on(settings, stored, portfolio)
    _, after, _ = models_on(settings, stored, portfolio, level=1.4)
    for name, least in (("churn_1m", 1.3), ("churn_12m", 1.2), ("policy_lapse_any_12m", 1.1)):
        assert least < _sums(after.scores[name]) / _sums(before.scores[name]) < 1.42
    assert 1.2 < _sums(after.branch_lapse["probability"]) / _sums(before.branch_lapse["probability"]) < 1.42
    assert after.scores["cross_sell_any_12m"].equals(before.scores["cross_sell_any_12m"])
    nested = after.scores.select("churn_1m", "churn_3m", "churn_6m", "churn_12m").to_numpy()
    assert (np.diff(nested, axis=1) >= -1e-6).all()
    assert after.files == before.files  # what is kept is what was fitted


def test_a_run_of_the_week_keeps_what_the_next_one_counts_from(
    export: Path, key: Path, fitted: Path, rescored: Path, tmp_path: Path
) -> None:
    document = json.loads((rescored / "scored.json").read_text("utf-8"))
    known = KnownEnds.of_document(document["known_ends"])
    assert document["watch"] is None and known.day == date(2025, 12, 31) and sum(known.counts.values()) > 0
    files = [export / name for name in ("polissen.csv", "schades.csv", "contacten.csv")]
    weeks = []
    for week in range(1, 9):
        folder = tmp_path / str(week)
        folder.mkdir()
        day = known.day + timedelta(days=7 * week)
        ends = known.counts | dict.fromkeys(range(week_of(known.day) + 1, week_of(day) + 1), 4)
        stored = {"known_ends": KnownEnds(day, ends).document()}
        (folder / "scored.json").write_text(json.dumps(stored))
        weeks.append(folder)
    request = ScoreRequest(
        files, fitted, tmp_path / "out", load_or_create_key(key), as_of=date(2026, 3, 4), earlier=weeks
    )
    from akb.commands.console import Stages

    found = score(request, Stages(quiet=True), dry_run=True)
    assert found.watch is not None and len(found.watch.weeks) == 9
    assert found.watch.brief().keys() >= {"registered", "expected", "flagged"}
    assert "policies end at" in found.watch.sentence()
