"""Whether policies end faster or slower than usual, by the ends registered in a week.

An end is registered before its day (announced) or after it (late), so the newest weeks of an
export are never complete. The exports of a book tell how late: an end that this week's export has
and last week's had not was registered in between (a reporting triangle; Kalbfleisch and Lawless
1989). Of each week of ends the share that becomes known at each age is learnt from that, and what
is usual for the week (rate per policy in force by month, and by whether a day is the first of one)
times that share is what was to be expected among this week's registrations. So the count of a week
is whole on the day it is made, and no week has to be waited for.

The rule is the cumulative sum of the Poisson log-likelihood ratio of `ratio` times the usual
against the usual (Lucas 1985, Technometrics 27, 129-144), divided by the dispersion. Its threshold
is the logarithm of the average run length that is asked without a change: the run length is at
least exp(threshold) (Lorden 1971, Annals of Mathematical Statistics 42, 1897-1908)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from math import log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.wording.text import load_toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from akb.ingest.types import Portfolio

    Floats = NDArray[np.float64]

_MONTHS = 12


@dataclass(frozen=True)
class KnownEnds:
    """How many ends per week (Monday, as `week_of` numbers it) an export of a day holds."""

    day: date
    counts: Mapping[int, int]

    def document(self) -> dict[str, Any]:
        """Return it for ``scored.json``: the next run's weeks are counted from it."""
        counts = {monday(week).isoformat(): n for week, n in sorted(self.counts.items())}
        return {"day": self.day.isoformat(), "ends": counts}

    @classmethod
    def of_document(cls, stored: Mapping[str, Any]) -> KnownEnds:
        """Return what `document` stored."""
        counts = {week_of(date.fromisoformat(day)): int(n) for day, n in stored["ends"].items()}
        return cls(date.fromisoformat(stored["day"]), counts)


@dataclass(frozen=True)
class WatchedWeek:
    """Ends registered between the export before and that of `day`, those that were usual, and the
    two cumulative sums.
    """

    day: str
    registered: int
    expected: float
    rise: float
    fall: float


@dataclass(frozen=True)
class EndsWatch:
    """What the weeks show.

    flagged
        Day of the export on which the sum first passed the threshold; None: no alarm.
    since
        From when the ends seem to have changed: the last week in which the sum was zero.
    ratio, low, high
        Registered / expected since then; before an alarm over all weeks that are judged.
    level
        What the level of the models has to be multiplied by, from weeks that are wholly after the
        change; None: too early, or not distinguishable from one.
    """

    weeks: tuple[WatchedWeek, ...]
    threshold: float
    dispersion: float
    delay_weeks: float
    flagged: str | None
    since: str | None
    ratio: float
    low: float
    high: float
    level: float | None

    def document(self) -> dict[str, Any]:
        """Return it for ``scored.json``."""
        return {**vars(self), "weeks": [vars(each) for each in self.weeks]}

    def sentence(self) -> str:
        """Return the alarm for who runs the command."""
        level = (
            "the level of the models follows as soon as enough weeks have passed"
            if self.level is None
            else f"the models' hazards of ending are multiplied by {self.level:.2f}"
        )
        return (
            f"policies end at {self.ratio:.2f} times ({self.low:.2f}-{self.high:.2f}) what was "
            f"usual since {self.since} (seen on {self.flagged}): {level}"
        )

    def brief(self) -> dict[str, Any]:
        """Return it for the line of the log."""
        last = self.weeks[-1]
        return {
            "registered": last.registered,
            "expected": round(last.expected, 1),
            "flagged": self.flagged,
            "since": self.since,
            "ratio": round(self.ratio, 2),
            "level": None if self.level is None else round(self.level, 3),
        }


def week_of(day: date) -> int:
    """Return the number of the week (Monday to Sunday) of a day."""
    return (day.toordinal() - 1) // 7


def monday(week: int) -> date:
    """Return the first day of a week."""
    return date.fromordinal(7 * week + 1)


def real_ends(policies: pl.DataFrame) -> pl.DataFrame:
    """Return the policies that ended or are announced to end, less those that went on under another
    number.
    """
    return policies.filter(
        pl.col("end_date").is_not_null()
        & pl.col("replaced_on").is_null()
        & (pl.col("cause") != "technical").fill_null(value=True)
    )


def known_ends(policies: pl.DataFrame, day: date) -> KnownEnds:
    """Return the ends per week that an export of a day holds, as far around that day as is
    watched.
    """
    rules = load_toml("live.toml")["watch"]
    now = week_of(day)
    ends = real_ends(policies)["end_date"].cast(pl.Int32).to_numpy()
    weeks = (ends.astype(np.int64) + date(1970, 1, 1).toordinal() - 1) // 7
    first = now - rules["behind_weeks"]
    inside = weeks[(weeks >= first) & (weeks <= now + rules["ahead_weeks"])]
    found, counts = np.unique(inside, return_counts=True)
    return KnownEnds(day, dict(zip(found.tolist(), counts.tolist(), strict=True)))


@dataclass(frozen=True)
class UsualEnds:
    """What is usual: ends a day per policy in force, by month [12] and whether it is the first of
    one [2].
    """

    rates: Floats

    def in_week(self, week: int, in_force: float) -> float:
        """Return how many of so many policies usually end in a week."""
        days = [monday(week) + timedelta(days=day) for day in range(7)]
        return in_force * sum(float(self.rates[d.month - 1, int(d.day == 1)]) for d in days)


def usual_ends(
    policies: pl.DataFrame, first: date, until: date, level_days: int = 365
) -> UsualEnds:
    """Return what is usual by the ends of [first, until): the pattern over the year of all of it,
    at the level of its last days.
    """
    days = np.arange(first.toordinal(), until.toordinal())
    calendar = [date.fromordinal(int(day)) for day in days]
    month = np.array([day.month - 1 for day in calendar])
    opening = np.array([int(day.day == 1) for day in calendar])
    exposed = in_force_on(policies, days)
    ends = real_ends(policies)["end_date"].cast(pl.Int32).to_numpy().astype(np.int64)
    place = ends + date(1970, 1, 1).toordinal() - first.toordinal()
    place = place[(place >= 0) & (place < len(days))]
    count = np.bincount(place, minlength=len(days)).astype(np.float64)
    by_month = _ratio(count, exposed, month, _MONTHS)
    by_opening = _ratio(count, exposed * by_month[month], opening, 2)
    rates = by_month[:, None] * by_opening[None, :]
    last = slice(-level_days, None)
    expected = float((exposed * rates[month, opening])[last].sum())
    return UsualEnds(rates * float(count[last].sum()) / max(expected, 1e-9))


def _ratio(count: Floats, exposed: Floats, group: NDArray[np.int64], groups: int) -> Floats:
    above = np.bincount(group, weights=count, minlength=groups)
    below = np.bincount(group, weights=exposed, minlength=groups)
    return np.asarray(above / np.maximum(below, 1e-9))


def in_force_on(policies: pl.DataFrame, days: NDArray[np.int64]) -> Floats:
    """Return how many policies are in force on each day (ordinals, ascending)."""
    shift = date(1970, 1, 1).toordinal()
    began = np.sort(policies["start_date"].cast(pl.Int32).to_numpy().astype(np.int64)) + shift
    ended = policies["end_date"].drop_nulls().cast(pl.Int32).to_numpy().astype(np.int64) + shift
    before = np.searchsorted(began, days, side="right")
    gone = np.searchsorted(np.sort(ended), days, side="right")
    return np.asarray(before - gone, dtype=np.float64)


def watched(
    usual: UsualEnds, policies: pl.DataFrame, exports: Sequence[KnownEnds]
) -> EndsWatch | None:
    """Return what the weeks between exports show; None where they are too few or too small.

    Parameters
    ----------
    policies
        Those of the newest export.
    exports
        What each of them held, the oldest (that the models were fitted on) first.
    """
    rules = load_toml("live.toml")["watch"]
    cells = _Cells.of(usual, policies, exports)
    if len(cells.steps) <= rules["learn_weeks"]:
        return None
    ratio, threshold = float(rules["ratio"]), log(rules["weeks_between_false"])
    weeks: list[WatchedWeek] = []
    flagged: int | None = None
    quiet = {"rise": 0, "fall": 0}  # weeks up to which a sum was zero
    rise = fall = 0.0
    spread = float(rules["dispersion"])
    for place in range(len(cells.steps)):
        calm = max(min(quiet.values()), rules["learn_weeks"])
        share = cells.shares(calm)
        expected = cells.expected(place, share)
        registered = float(cells.registered[place])
        if place >= rules["learn_weeks"] and expected >= rules["least_expected"]:
            spread = cells.dispersion(share, calm)
            rise = max(0.0, rise + _evidence(registered, expected, ratio) / spread)
            fall = max(0.0, fall + _evidence(registered, expected, 1 / ratio) / spread)
        if flagged is None:
            quiet["rise"] = place + 1 if rise == 0 else quiet["rise"]
            quiet["fall"] = place + 1 if fall == 0 else quiet["fall"]
            if max(rise, fall) >= threshold:
                flagged = place
                quiet = dict.fromkeys(quiet, quiet["rise" if rise >= threshold else "fall"])
        elif max(rise, fall) == 0:
            flagged = None  # it is as usual again
        day = exports[place + 1].day.isoformat()
        weeks.append(WatchedWeek(day, int(registered), expected, rise, fall))
    if weeks[-1].expected < rules["least_expected"]:
        return None
    begin = max(quiet.values()) if flagged is not None else rules["learn_weeks"]
    found = _level(weeks[min(begin, len(weeks) - 1) :], spread)
    settled = weeks[begin + rules["settle_weeks"] :] if flagged is not None else []
    later = _level(settled, spread) if len(settled) >= rules["level_weeks"] else None
    beyond_one = later is not None and (later[1] > 1 or later[2] < 1)
    return EndsWatch(
        tuple(weeks),
        threshold,
        spread,
        cells.delay(calm),
        None if flagged is None else weeks[flagged].day,
        None if flagged is None else exports[begin].day.isoformat(),
        *found,
        later[0] if later is not None and beyond_one else None,
    )


def _evidence(registered: float, expected: float, ratio: float) -> float:
    """Return the log-likelihood ratio of a Poisson count."""
    return registered * log(ratio) - expected * (ratio - 1)


def _level(weeks: Sequence[WatchedWeek], spread: float) -> tuple[float, float, float]:
    """Return registered / expected with its interval."""
    from scipy.stats import norm

    registered = max(sum(each.registered for each in weeks), 1)
    expected = max(sum(each.expected for each in weeks), 1e-9)
    confidence = load_toml("live.toml")["watch"]["confidence"]
    width = float(norm.ppf((1 + confidence) / 2)) * sqrt(spread / registered)
    ratio = registered / expected
    return ratio, ratio * float(np.exp(-width)), ratio * float(np.exp(width))


@dataclass(frozen=True)
class _Cells:
    """The reporting triangle: per step between two exports and per age of a week of ends (in weeks
    at the later export, from -ahead to behind) what was registered, and what that week's usual is.
    """

    steps: NDArray[np.int64]
    counts: Floats
    usual: Floats

    @classmethod
    def of(cls, usual: UsualEnds, policies: pl.DataFrame, exports: Sequence[KnownEnds]) -> _Cells:
        rules = load_toml("live.toml")["watch"]
        ages = np.arange(-rules["ahead_weeks"], rules["behind_weeks"] + 1)
        today = week_of(exports[-1].day)
        steps, counts, expected = [], [], []
        held: dict[int, float] = {}
        for before, after in pairwise(exports):
            now = week_of(after.day)
            steps.append(now - week_of(before.day))
            rows = []
            for week in (now - ages).tolist():
                if week not in held:
                    day = min(monday(min(week, today)), exports[-1].day)
                    held[week] = float(in_force_on(policies, np.array([day.toordinal()]))[0])
                fresh = after.counts.get(week, 0) - before.counts.get(week, 0)
                # of an older week the export before may hold nothing: then nothing is fresh either
                known = week >= week_of(before.day) - rules["behind_weeks"]
                rows.append((fresh if known else 0, usual.in_week(week, held[week])))
            counts.append([row[0] for row in rows])
            expected.append([row[1] for row in rows])
        shape = (len(steps), len(ages))
        return cls(
            np.array(steps, dtype=np.int64),
            np.array(counts, dtype=np.float64).reshape(shape),
            np.array(expected, dtype=np.float64).reshape(shape),
        )

    @property
    def registered(self) -> Floats:
        """Ends registered in each step."""
        return np.asarray(np.maximum(self.counts.sum(axis=1), 0))

    def shares(self, until: int) -> Floats:
        """Return the share of a week's ends that becomes known at each age, from the weekly steps
        before one; they add up to one.
        """
        weekly = self.steps[:until] == 1
        above = np.maximum(self.counts[:until][weekly].sum(axis=0), 0)
        below = np.maximum(self.usual[:until][weekly].sum(axis=0), 1e-9)
        share = above / below
        total = float(share.sum())
        return np.asarray(share / total if total > 0 else share)

    def expected(self, place: int, share: Floats) -> float:
        """Return the registrations that were usual in a step."""
        width = max(int(self.steps[place]), 1)
        known = np.cumsum(share)
        before = np.concatenate([np.zeros(min(width, len(known))), known[: len(known) - width]])
        return float((self.usual[place] * (known - before[: len(known)])).sum())

    def dispersion(self, share: Floats, until: int) -> float:
        """Return variance / mean of the counts around their own mean ratio, at least one."""
        rules = load_toml("live.toml")["watch"]
        expected = np.array([self.expected(place, share) for place in range(until)])
        registered = self.registered[:until]
        fitted = expected * registered.sum() / max(expected.sum(), 1e-9)
        squares = float(((registered - fitted) ** 2 / np.maximum(fitted, 1e-9)).sum())
        prior = rules["dispersion_weeks"]
        found = (prior * rules["dispersion"] + squares) / (prior + max(until - 1, 0))
        return max(1.0, float(found))

    def delay(self, until: int) -> float:
        """Return how many weeks after its own an end is registered on average."""
        rules = load_toml("live.toml")["watch"]
        ages = np.arange(-rules["ahead_weeks"], rules["behind_weeks"] + 1)
        return float((self.shares(until) * ages).sum())


def watch_of(
    then: Portfolio,
    now: Portfolio,
    between: Sequence[KnownEnds],
    wait_days: int,
    *,
    since: date | None = None,
) -> EndsWatch | None:
    """Return what the weeks since the models were fitted show.

    Parameters
    ----------
    then
        What the models were fitted on: it says what is usual.
    between
        What the exports of the weeks between held.
    wait_days
        Until the ends of a day count as complete.
    since
        From when ends had changed when the models took over: the level is that of the days since,
        where they are a month or more.
    """
    rules = load_toml("live.toml")["watch"]
    history = then.history
    until = then.as_of - timedelta(days=wait_days)
    if history.recorded_from is None or history.months < rules["history_months"]:
        return None
    exports = [known_ends(then.policies, then.as_of)]
    exports += sorted(
        (each for each in between if then.as_of < each.day < now.as_of), key=lambda each: each.day
    )
    exports.append(known_ends(now.policies, now.as_of))
    days = 365 if since is None else (until - since).days
    usual = usual_ends(then.policies, history.recorded_from, until, days if days >= 30 else 365)
    return watched(usual, now.policies, exports)
