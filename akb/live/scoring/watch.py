"""Whether customers end policies faster than usual, by the ends that are registered in a week.

An end is registered before its day (announced) or after it (late), so the newest weeks of an
export are never complete. The exports of a book show how late: an end that this week's export has
and last week's had not was registered in between (a reporting triangle; Kalbfleisch and Lawless
1989). Of each day of ends the share that becomes known in a week is learnt from that by age, for
the first of a month apart (what is announced ends there), and what is usual for the day (rate per
policy in force by month, and by whether it is the first of one) times that share is what was to be
expected among this week's registrations. So the count of a week is whole on the day it is made, and
no week has to be waited for.

The rule is the cumulative sum of the Poisson log-likelihood ratio of `ratio` times the usual
against the usual (Lucas 1985, Technometrics 27, 129-144), divided by the dispersion. No year is
quite like the one before, so the usual is brought to the level of the calm weeks so far (Hawkins
1987, The Statistician 36, 299-315, starts its sums like that), drawn to one. The threshold is the
logarithm of the average run length that is asked without a change: the run length is at least
exp(threshold) (Lorden 1971, Annals of Mathematical Statistics 42, 1897-1908)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
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
_WEEK = 7
_EPOCH = date(1970, 1, 1).toordinal()
_NEAR = (3, 7)  # days over which shares are smoothed: other days, firsts of a month
_PRIOR = 20.0  # usual ends that the shares of other days count for in those of firsts of a month


@dataclass(frozen=True)
class KnownEnds:
    """How many ends per day (`date.toordinal`) an export of a day holds."""

    day: date
    counts: Mapping[int, int]

    def document(self) -> dict[str, Any]:
        """Return it for ``scored.json``: the next run's weeks are counted from it."""
        counts = {date.fromordinal(end).isoformat(): n for end, n in sorted(self.counts.items())}
        return {"day": self.day.isoformat(), "ends": counts}

    @classmethod
    def of_document(cls, stored: Mapping[str, Any]) -> KnownEnds:
        """Return what `document` stored."""
        ends = stored["ends"].items()
        counts = {date.fromisoformat(day).toordinal(): int(n) for day, n in ends}
        return cls(date.fromisoformat(stored["day"]), counts)


@dataclass(frozen=True)
class WatchedWeek:
    """Ends registered between the export before and that of `day`, those that were usual, and the
    cumulative sum.
    """

    day: str
    registered: int
    expected: float
    rise: float


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

    @property
    def changed_on(self) -> date | None:
        """From when ends have changed, if a change was flagged."""
        if self.flagged is None or self.since is None:
            return None
        return date.fromisoformat(self.since)

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
            f"customers end policies at {self.ratio:.2f} times ({self.low:.2f}-{self.high:.2f}) "
            f"what was usual since {self.since} (seen on {self.flagged}): {level}"
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


def real_ends(policies: pl.DataFrame) -> pl.DataFrame:
    """Return the policies that ended or are announced to end, less those that went on under another
    number.
    """
    return policies.filter(
        pl.col("end_date").is_not_null()
        & pl.col("replaced_on").is_null()
        & (pl.col("cause") != "technical").fill_null(value=True)
    )


def chosen_ends(policies: pl.DataFrame) -> pl.DataFrame:
    """Return the ends that a customer chose, for all that is known: no death, no object that is
    gone, no insurer. That is what changes when something is the matter.
    """
    others = pl.col("cause").is_in(["natural", "insurer"]).fill_null(value=False)
    return real_ends(policies).filter(~others)


def known_ends(policies: pl.DataFrame, day: date) -> KnownEnds:
    """Return the ends per day that an export of a day holds, as far around it as is watched."""
    ages = _ages()
    ends = chosen_ends(policies)["end_date"].cast(pl.Int32).to_numpy()
    age = day.toordinal() - (ends.astype(np.int64) + _EPOCH)
    inside = age[(age >= ages[0]) & (age <= ages[-1])]
    found, counts = np.unique(day.toordinal() - inside, return_counts=True)
    return KnownEnds(day, dict(zip(found.tolist(), counts.tolist(), strict=True)))


def _ages() -> NDArray[np.int64]:
    """Days from an end to the export, negative where it is announced."""
    rules = load_toml("live.toml")["watch"]
    return np.arange(-7 * rules["ahead_weeks"], 7 * rules["behind_weeks"] + 1)


@dataclass(frozen=True)
class UsualEnds:
    """What is usual: chosen ends a day per policy in force, by month [12] and whether it is the
    first of one [2].

    share: of all ends those that customers chose.
    """

    rates: Floats
    share: float = 1.0

    def on(self, days: NDArray[np.int64], in_force: Floats) -> Floats:
        """Return how many of so many policies usually end on each day (ordinals)."""
        month, opening = _calendar(days)
        return np.asarray(in_force * self.rates[month, opening])


def _calendar(days: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return month (0 = January) and whether it is the first of one."""
    calendar = [date.fromordinal(int(day)) for day in days]
    return (
        np.array([day.month - 1 for day in calendar], dtype=np.int64),
        np.array([int(day.day == 1) for day in calendar], dtype=np.int64),
    )


def usual_ends(
    policies: pl.DataFrame, first: date, until: date, level_days: int = 365
) -> UsualEnds:
    """Return what is usual by the ends of [first, until): the pattern over the year of all of it,
    at the level of its last days.
    """
    days = np.arange(first.toordinal(), until.toordinal())
    month, opening = _calendar(days)
    exposed = in_force_on(policies, days)
    places = []
    for found in (real_ends(policies), chosen_ends(policies)):
        place = found["end_date"].cast(pl.Int32).to_numpy().astype(np.int64)
        place = place + _EPOCH - first.toordinal()
        places.append(place[(place >= 0) & (place < len(days))])
    every, place = places
    count = np.bincount(place, minlength=len(days)).astype(np.float64)
    by_month = _ratio(count, exposed, month, _MONTHS)
    by_opening = _ratio(count, exposed * by_month[month], opening, 2)
    rates = by_month[:, None] * by_opening[None, :]
    last = slice(-level_days, None)
    expected = float((exposed * rates[month, opening])[last].sum())
    level = float(count[last].sum()) / max(expected, 1e-9)
    return UsualEnds(rates * level, len(place) / max(len(every), 1))


def _ratio(count: Floats, exposed: Floats, group: NDArray[np.int64], groups: int) -> Floats:
    above = np.bincount(group, weights=count, minlength=groups)
    below = np.bincount(group, weights=exposed, minlength=groups)
    return np.asarray(above / np.maximum(below, 1e-9))


def in_force_on(policies: pl.DataFrame, days: NDArray[np.int64]) -> Floats:
    """Return how many policies are in force on each day (ordinals, ascending)."""
    began = np.sort(policies["start_date"].cast(pl.Int32).to_numpy().astype(np.int64)) + _EPOCH
    ended = policies["end_date"].drop_nulls().cast(pl.Int32).to_numpy().astype(np.int64) + _EPOCH
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
    quiet = 0  # weeks up to which the sum was zero
    rise, spread = 0.0, float(rules["dispersion"])
    for place in range(len(cells.steps)):
        calm = max(quiet, rules["learn_weeks"])
        shares = cells.shares(calm)
        expected = cells.expected(place, shares)
        registered = float(cells.registered[place])
        if place >= rules["learn_weeks"]:
            spread, own = cells.calm_weeks(shares, calm, [each.expected for each in weeks])
            rise = max(0.0, rise + _evidence(registered, own * expected, ratio) / spread)
        if rise == 0:
            quiet, flagged = place + 1, None  # it is as usual, or again
        elif flagged is None and rise >= threshold:
            flagged = place
        day = exports[place + 1].day.isoformat()
        weeks.append(WatchedWeek(day, int(registered), expected, rise))
    if sum(each.expected for each in weeks) < rules["least_expected"] * len(weeks):
        return None
    begin = quiet if flagged is not None else rules["learn_weeks"]
    found = _level(weeks[min(begin, len(weeks) - 1) :], spread)
    settled = weeks[begin + rules["settle_weeks"] :] if flagged is not None else []
    later = _level(settled, spread) if len(settled) >= rules["level_weeks"] else None
    differs = later is not None and (later[1] > 1 or later[2] < 1)
    return EndsWatch(
        tuple(weeks),
        threshold,
        spread,
        cells.delay(calm),
        None if flagged is None else weeks[flagged].day,
        None if flagged is None else exports[begin].day.isoformat(),
        *found,
        1 + usual.share * (later[0] - 1) if later is not None and differs else None,
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
    """The reporting triangle: per step between two exports and per age of a day of ends at the
    later one, what was registered, what that day's usual is, and whether it is the first of a
    month.

    steps: how many weeks lie between the two exports.
    """

    steps: NDArray[np.int64]
    counts: Floats
    usual: Floats
    opening: NDArray[np.int64]

    @classmethod
    def of(cls, usual: UsualEnds, policies: pl.DataFrame, exports: Sequence[KnownEnds]) -> _Cells:
        ages = _ages()
        today = exports[-1].day.toordinal()
        first = exports[0].day.toordinal() - int(ages[-1])
        days = np.arange(first, today - int(ages[0]) + 1)
        _, opening = _calendar(days)
        expected = usual.on(days, in_force_on(policies, np.minimum(days, today)))
        known = np.zeros((len(exports), len(days)))
        for place, export in enumerate(exports):
            for end, count in export.counts.items():
                if 0 <= end - first < len(days):
                    known[place, end - first] = count
        dates = np.array([export.day.toordinal() for export in exports])
        at = dates[1:, None] - ages[None, :] - first
        row = np.arange(len(exports) - 1)[:, None]
        return cls(
            np.maximum(np.rint(np.diff(dates) / _WEEK).astype(np.int64), 1),
            known[row + 1, at] - known[row, at],
            expected[at],
            opening[at],
        )

    @property
    def registered(self) -> Floats:
        """Ends registered in each step."""
        return np.asarray(np.maximum(self.counts.sum(axis=1), 0))

    def shares(self, until: int) -> Floats:
        """Return the share of a day's ends that becomes known in a week [2, ages], by age and for
        firsts of a month apart, from the weekly steps before one.
        """
        weekly = (self.steps[:until] == 1)[:, None]
        late = _ages() >= 0
        sums = []
        for kind in (0, 1):
            mine = weekly & (self.opening[:until] == kind)
            parts = (self.counts[:until], self.usual[:until])
            sums.append([np.asarray((part * mine).sum(axis=0)) for part in parts])
        (above, below), (first_above, first_below) = sums
        other = _smoothed(above, _NEAR[0], late) / np.maximum(
            _smoothed(below, _NEAR[0], late), 1e-9
        )
        other = np.maximum(other, 0)
        # what is not announced is late by the same days whatever its day; what is, ends on a first
        ratio = (first_above[late].sum() + _PRIOR) / ((first_below * other)[late].sum() + _PRIOR)
        ahead = (_smoothed(first_above, _NEAR[1], late) + _PRIOR * other) / (
            _smoothed(first_below, _NEAR[1], late) + _PRIOR
        )
        first = np.where(late, ratio * other, np.maximum(ahead, 0))
        return np.stack([each * _WEEK / max(float(each.sum()), 1e-9) for each in (other, first)])

    def expected(self, place: int, shares: Floats) -> float:
        """Return the registrations that were usual in a step."""
        kind, known = self.opening[place], np.zeros(self.counts.shape[1])
        for back in range(int(self.steps[place])):
            early = np.zeros_like(shares)
            early[:, back * _WEEK :] = shares[:, : shares.shape[1] - back * _WEEK]
            known += np.where(kind == 1, early[1], early[0])
        return float((self.usual[place] * known).sum())

    def calm_weeks(self, shares: Floats, until: int, said: Sequence[float]) -> tuple[float, float]:
        """Return of the weeks before one variance / mean of the counts around their own mean, at
        least one, and their own level: registered / usual, drawn to one.

        Parameters
        ----------
        said
            What was expected of each week before it was seen: that errs by more than what is
            learnt from the week itself.
        """
        rules = load_toml("live.toml")["watch"]
        learnt = min(int(rules["learn_weeks"]), until)
        first = [self.expected(place, shares) for place in range(learnt)]
        expected = np.array([*first, *said[learnt:until]])
        registered = self.registered[:until]
        ratio = registered.sum() / max(expected.sum(), 1e-9)
        fitted = np.maximum(expected * ratio, 1e-9)
        squares = float(((registered - fitted) ** 2 / fitted).sum())
        prior = rules["dispersion_weeks"]
        found = (prior * rules["dispersion"] + squares) / (prior + max(until - 1, 0))
        spread = max(1.0, float(found))
        years = float(rules["between_years"]) ** 2
        weight = years / (years + spread / max(float(registered.sum()), 1.0))
        return spread, 1 + weight * (float(ratio) - 1)

    def delay(self, until: int) -> float:
        """Return how many weeks after its day an end is registered on average."""
        share = self.shares(until)[0]
        return float((share * (_ages() - (_WEEK - 1) / 2)).sum() / _WEEK / max(share.sum(), 1e-9))


def _smoothed(values: Floats, near: int, late: NDArray[np.bool_]) -> Floats:
    """Return sums over so many neighbours, those before and those from the day itself apart."""
    around = np.ones(near)
    parts = [np.convolve(values[side], around, mode="same") for side in (~late, late)]
    return np.concatenate(parts)


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
