"""Which as-of date teaches, chooses and proves the churn hazard, and what the proofs showed.

Who learns from what (design.md, Time 5), at most four fits:

- *choice*: the rivals learn from what was known on K1 and are compared on the person-months after it, as far as T0
  knew them. The winner of that day also scores K1 for the lifetime, the only date that can be followed beyond a year;
- *early*: the winner learns from what was known on T0(12 months) and is judged on the 12- and 6-month windows; on the
  6-month window alone, from T0(6 months), where T0(12) knew too little;
- *late*: the same from T0(3 months), for the 3- and 1-month windows: a model never younger than the test date;
- *final*: everything that is closed at X. Its level is that of the last closed years, so it is gated on none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from akb.core.dates import add_months
from akb.models.churn.causes import CAUSES, ended_by, fit_causes
from akb.models.churn.cohorts import fit_retention
from akb.models.churn.hazard import Hazard, choose, fit_hazard, incidence, levelled, stay, with_later
from akb.models.churn.landmark import LAGS, Landmarks
from akb.models.churn.survival import ATTENUATION, ages, fit_continuation, fit_lifetime, observed_months, tenures
from akb.models.evidence.determinants import asked_of_churn
from akb.models.evidence.evidence import binary_evidence
from akb.models.evidence.grading import STRONG_EVENTS
from akb.models.evidence.intervals import auc_with_interval, gain_p
from akb.models.evidence.metrics import losses
from akb.models.evidence.segments import with_events
from akb.models.learners.rivals import fitters
from akb.models.temporal.engine import ENOUGH_FOR_SPLINES, ENOUGH_FOR_TREES
from akb.models.temporal.evaluation import RENEWAL
from akb.models.temporal.problem import day_number
from akb.models.temporal.selection import best_simpler, judge

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import Settings
    from akb.models.evidence.determinants import Asked
    from akb.models.learners.sample import Fitter
    from akb.models.temporal.selection import Competition
    from akb.models.types import Evidence

    Floats = NDArray[np.float64]
    Again = tuple[tuple[date, int, float, float | None], ...]

HORIZONS = (1, 3, 6, 12)
CHURN = tuple(f"churn_{months}m" for months in HORIZONS)
BY_CAUSE = tuple(f"churn_{cause}_12m" for cause in CAUSES)
LIFETIME = "remaining_lifetime_years"
ENOUGH = 100  # distinct leavers from which rivals can be compared and a later window can be judged
PART = 3  # choosing and proving learn from a third of the rows of the final fit
_JUDGED = 40_000
_STEP, _TREES_SHARE = 0.12, 1 / 3
_FOLLOWED = 18  # months that a lifetime has to be followed before it counts as evidence


@dataclass(frozen=True)
class Plan:
    """Positions of as-of dates in their roles; None where the history is too short.

    Parameters
    ----------
    choice
        K1.
    tests
        T0 per horizon.
    early, late
        From which dates the models that are judged look.
    leavers
        Distinct relations whose end is known at X.
    """

    choice: int | None
    tests: dict[int, int]
    early: int | None
    late: int | None
    leavers: int

    def judge_of(self, months: int) -> int | None:
        """Return the date from which the model looks that is judged on this horizon's test date."""
        test = self.tests.get(months)
        judges = (self.late, self.early) if months <= 3 else (self.early,)
        return next((each for each in judges if each is not None and test is not None and each <= test), None)


def plan(landmarks: Landmarks, as_of: date) -> Plan:
    """Return which as-of date does what, as the history allows.

    A date can only judge a horizon, or choose over it, if by then leavers enough were known and at least one earlier
    date was closed over that horizon: a model that never saw month 12 proves nothing about month 12.
    """

    def can(position: int | None, months: int) -> bool:
        if position is None:
            return False
        day = landmarks.dates[position]
        return int(landmarks.closed_lags(day).max()) >= months and known_leavers(landmarks, day) >= ENOUGH

    tests = {months: landmarks.latest_closed(as_of, months) for months in HORIZONS}
    early = next((tests[months] for months in (12, 6) if can(tests[months], months)), None)
    late = tests[3] if can(tests[3], 3) else None
    proof = early if early is not None else late
    choice = None
    if proof is not None:
        day = landmarks.dates[proof]
        earlier = ((landmarks.latest_closed(day, months), months) for months in (12, 6, 3, 1))
        choice = next((position for position, months in earlier if can(position, months)), None)
    known = {months: test for months, test in tests.items() if test is not None}
    return Plan(choice, known, early, late, known_leavers(landmarks, as_of))


def known_leavers(landmarks: Landmarks, day: date) -> int:
    """Return how many relations are known on `day` to have ended."""
    closed = landmarks.closed_lags(day)[landmarks.date_of]
    ended = landmarks.event_lag <= closed
    return len(np.unique(np.stack([landmarks.customer[ended], landmarks.end_day[ended]]), axis=1).T)


def rivals(settings: Settings, trees: int) -> dict[str, Fitter]:
    """Return the rivals by name, simplest first.

    Each fit uses one thread: other targets are fitted beside it, and threads that wait for each other on a busy
    machine took eight times as long. The steps are small, for the same customers come back from many dates and lags.
    """
    return fitters("binary", settings.models, trees, _STEP)


@dataclass(frozen=True)
class Proof:
    """What choosing and proving gave.

    Parameters
    ----------
    winner, trees
        The choices, frozen for the final fit. A winner whose ranks may be chance gives way to the base rate.
    competition
        None with a short history: then the documented default was taken.
    chosen
        The winner on K1 and its monthly hazards there, float64 [n, 12].
    evidence
        By key.
    features, later
        The columns that the fits after the choice learn from, and those that became known since: see `with_later`.
    judged
        Rows of T0 and their chance to leave within 12 months as a model of that day had it.
    lifetime
        How the remaining lifetime compares with one constant rate and with sBG, on the same rows.
    year
        T0 of the twelve months and the chance to leave of everyone in force on it, float64 [n].
    year_causes
        The same chance per recorded cause, float64 [n, causes]; None where causes are unknown.
    asked
        How to ask the model of that day what its columns did.
    gains
        By key how likely the gain over the best simpler rival on the test date is by chance, see `gain_p`.
    """

    winner: str
    trees: int
    features: tuple[str, ...]
    later: tuple[str, ...]
    competition: Competition | None
    chosen: tuple[Hazard, Floats] | None
    evidence: dict[str, Evidence]
    judged: tuple[NDArray[np.int64], Floats] | None = None
    lifetime: Competition | None = None
    year: tuple[date, Floats] | None = None
    year_causes: Floats | None = None
    asked: Asked | None = None
    gains: dict[str, float] = field(default_factory=dict)


def prove(landmarks: Landmarks, settings: Settings, roles: Plan, as_of: date) -> Proof:
    """Let the rivals compete, then judge the winner as it would have been on its day on what happened next."""
    proof = _choose(landmarks, settings, roles)
    evidence: dict[str, Evidence] = {}
    fitted: dict[int, tuple[Landmarks, Hazard]] = {}
    judged_rows: tuple[NDArray[np.int64], Floats] | None = None
    year = by_cause = asked = None
    before = _before(landmarks, settings, roles, proof)
    rivalry = _Rivalry(landmarks, settings, proof)
    gained: dict[str, float] = {}
    for months in sorted(roles.tests, reverse=True):
        judge, test = roles.judge_of(months), roles.tests[months]
        if judge is None:
            continue
        if judge not in fitted:
            size = settings.models.hazard_rows // PART
            fitted[judge] = fit_winner(landmarks, settings, proof, landmarks.dates[judge], size)
        lean, hazard = fitted[judge]
        everyone = hazard.monthly(lean, landmarks.rows_of(test), months)
        chances = _followed(landmarks, test, everyone, months)[1]
        key = f"churn_{months}m"
        evidence[key] = _with_date(_judge(landmarks, roles, proof, hazard, test, chances), before.get(key))
        if evidence[key].tested >= STRONG_EVENTS and key in before:
            gained |= rivalry.gain(key, judge, test, chances)
        if months == LAGS:
            year = (landmarks.dates[test], 1 - stay(everyone)[:, -1])
            judged_rows = (landmarks.rows_of(test, months), 1 - stay(chances)[:, -1])
            asked = asked_of_churn(CHURN[-1], lean, hazard, judged_rows[0], landmarks.dates[test])
            by_cause = _by_cause(landmarks, settings, hazard, landmarks.rows_of(test), everyone)
            if by_cause is not None:
                causes = _judge_causes(landmarks, settings, roles, proof, hazard, test, by_cause)
                evidence |= {each: _with_date(found, before.get(each)) for each, found in causes.items()}
                if any(found.tested >= STRONG_EVENTS for found in causes.values()) and before:
                    gained |= rivalry.gains_by_cause(judge, test, by_cause, evidence)
    found, lifetime = _judge_lifetime(landmarks, settings, roles, proof, as_of)
    evidence |= found
    judged = [evidence[key] for key in CHURN if key in evidence]
    chance = bool(judged) and all(each.auc_ci is None or each.auc_ci[0] <= 0.5 for each in judged)
    return replace(
        proof,
        evidence=evidence,
        winner="rate" if chance else proof.winner,
        judged=judged_rows,
        lifetime=lifetime,
        year=year,
        year_causes=by_cause,
        asked=None if chance else asked,
        gains={} if chance else gained,
    )


@dataclass
class _Rivalry:
    """What the best simpler rival would have said on the test dates: fitted as the winner was, on the same days."""

    landmarks: Landmarks
    settings: Settings
    proof: Proof
    fitted: dict[int, tuple[Landmarks, Hazard]] = field(default_factory=dict)

    @property
    def name(self) -> str | None:
        """The rival: the best simpler one on the date that chose."""
        return None if self.proof.competition is None else best_simpler(self.proof.competition)

    def monthly(self, judge: int, test: int, months: int) -> tuple[Hazard, Floats] | None:
        """Return its hazard of the day `judge`, and its monthly chances of everyone on the date `test`."""
        if self.name is None:
            return None
        if judge not in self.fitted:
            size = self.settings.models.hazard_rows // PART
            rival = replace(self.proof, winner=self.name)
            self.fitted[judge] = fit_winner(self.landmarks, self.settings, rival, self.landmarks.dates[judge], size)
        lean, hazard = self.fitted[judge]
        return hazard, hazard.monthly(lean, self.landmarks.rows_of(test), months)

    def gain(self, key: str, judge: int, test: int, chances: Floats) -> dict[str, float]:
        """Return the chance of the winner's gain over a horizon; `chances` are its own, as they were judged."""
        months = chances.shape[1]
        met = self.monthly(judge, test, months)
        if met is None:
            return {}
        rows, theirs = _followed(self.landmarks, test, met[1], months)
        label = _gone(self.landmarks, rows, months)
        mine, other = (losses("binary", label, 1 - stay(each)[:, -1]) for each in (chances, theirs))
        return {key: gain_p(mine, other, self.landmarks.customer[rows])}

    def gains_by_cause(
        self, judge: int, test: int, by_cause: Floats, evidence: dict[str, Evidence]
    ) -> dict[str, float]:
        """Return the same per cause on which enough happened."""
        met = self.monthly(judge, test, LAGS)
        rows_all = self.landmarks.rows_of(test)
        other = None if met is None else _by_cause(self.landmarks, self.settings, met[0], rows_all, met[1])
        if other is None:
            return {}
        rows, mine = _followed(self.landmarks, test, by_cause, LAGS)
        _, theirs = _followed(self.landmarks, test, other, LAGS)
        found = {}
        for number, (key, cause) in enumerate(zip(BY_CAUSE, CAUSES, strict=True)):
            if evidence[key].tested >= STRONG_EVENTS:
                label = ended_by(self.landmarks, rows, LAGS, cause)
                lost, rival = (losses("binary", label, each[:, number]) for each in (mine, theirs))
                found[key] = gain_p(lost, rival, self.landmarks.customer[rows])
        return found


def _before(landmarks: Landmarks, settings: Settings, roles: Plan, proof: Proof) -> dict[str, Again]:
    """Return by key what the winner showed on the latest date closed by K1, which chose nothing; empty without one."""
    if roles.choice is None or proof.winner == "rate":
        return {}
    test = landmarks.latest_closed(landmarks.dates[roles.choice], LAGS)
    if test is None or known_leavers(landmarks, landmarks.dates[test]) < ENOUGH:
        return {}
    if int(landmarks.closed_lags(landmarks.dates[test]).max()) < LAGS:
        return {}
    size = settings.models.hazard_rows // PART
    lean, hazard = fit_winner(landmarks, settings, proof, landmarks.dates[test], size)
    everyone = hazard.monthly(lean, landmarks.rows_of(test), LAGS)
    found: dict[str, Again] = {}
    for months in HORIZONS:
        rows, chances = _followed(landmarks, test, everyone[:, :months], months)
        found[f"churn_{months}m"] = _date(landmarks, rows, _gone(landmarks, rows, months), 1 - stay(chances)[:, -1])
    by_cause = _by_cause(landmarks, settings, hazard, landmarks.rows_of(test), everyone)
    if by_cause is not None:
        rows, left = _followed(landmarks, test, by_cause, LAGS)
        for number, (key, cause) in enumerate(zip(BY_CAUSE, CAUSES, strict=True)):
            found[key] = _date(landmarks, rows, ended_by(landmarks, rows, LAGS, cause), left[:, number])
    return found


def _with_date(evidence: Evidence, before: Again | None) -> Evidence:
    """Return the evidence with one date more, that chose nothing."""
    return replace(evidence, by_date=(*evidence.by_date, *before)) if before else evidence


def fit_winner(
    landmarks: Landmarks, settings: Settings, proof: Proof, day: date, size: int
) -> tuple[Landmarks, Hazard]:
    """Fit the winner on at most `size` person-months of what was known on `day`; return its columns and the hazard."""
    seed = settings.models.seed
    lean = with_later(landmarks, proof.features, proof.later, day, seed)
    learn = rivals(settings, proof.trees)[proof.winner]
    return lean, fit_hazard(lean, learn, proof.winner, day, size, seed)


def _choose(landmarks: Landmarks, settings: Settings, roles: Plan) -> Proof:
    """Let the rivals compete on the person-months after K1; with a short history take the documented default."""
    trees = max(20, round(settings.models.trees * _TREES_SHARE))
    until = roles.early if roles.early is not None else roles.late
    if roles.choice is None or until is None:
        enough = [(ENOUGH_FOR_TREES, "boosting"), (ENOUGH_FOR_SPLINES, "logistic"), (0, "rate")]
        default = next(name for least, name in enough if roles.leavers >= least)
        return Proof(default, trees, landmarks.names, (), None, None, {})
    day, rng = landmarks.dates[roles.choice], np.random.default_rng(settings.models.seed)
    train = landmarks.known_on(day, settings.models.hazard_rows // PART, rng)
    test = landmarks.after(roles.choice, landmarks.dates[until], _JUDGED, rng)
    choice = choose(landmarks, rivals(settings, trees), train, test)
    landmarks, winner = choice.landmarks, choice.competition.winner
    seed = settings.models.seed
    hazard = levelled(landmarks, choice.models[winner], choice.offset, winner, day, choice.rows, seed)
    chances = hazard.monthly(landmarks, landmarks.rows_of(roles.choice))
    return Proof(winner, choice.trees or trees, choice.telling, choice.later, choice.competition, (hazard, chances), {})


def _judge(landmarks: Landmarks, roles: Plan, proof: Proof, hazard: Hazard, test: int, chances: Floats) -> Evidence:
    """Evidence over the months of `chances`, on T0 and where possible on K1 by the model of that day."""
    months = chances.shape[1]
    rows = landmarks.rows_of(test, months)
    again: Again = ()
    if proof.chosen is not None and roles.choice is not None and roles.choice < test:
        earlier, chosen = _followed(landmarks, roles.choice, proof.chosen[1], months)
        expected = 1 - stay(chosen)[:, months - 1]
        again = _date(landmarks, earlier, _gone(landmarks, earlier, months), expected)
    label = _gone(landmarks, rows, months)
    ever = _ever(landmarks, test, lambda earlier: _gone(landmarks, earlier, months))
    return _evidence(landmarks, hazard, rows, label, 1 - stay(chances)[:, -1], again, months, ever)


def _judge_causes(
    landmarks: Landmarks,
    settings: Settings,
    roles: Plan,
    proof: Proof,
    hazard: Hazard,
    test: int,
    by_cause: Floats,
) -> dict[str, Evidence]:
    """Evidence per cause on T0 and where possible on K1, on recorded causes: an unknown reason is none of them."""
    rows, left = _followed(landmarks, test, by_cause, LAGS)
    again: list[Again] = [()] * len(CAUSES)
    if proof.chosen is not None and roles.choice is not None and roles.choice < test:
        earlier, chosen = _followed(landmarks, roles.choice, proof.chosen[1], LAGS)
        before = _by_cause(landmarks, settings, proof.chosen[0], earlier, chosen)
        if before is not None:
            again = [
                _date(landmarks, earlier, ended_by(landmarks, earlier, LAGS, cause), before[:, number])
                for number, cause in enumerate(CAUSES)
            ]
    found = {}
    for number, (key, cause) in enumerate(zip(BY_CAUSE, CAUSES, strict=True)):
        label = ended_by(landmarks, rows, LAGS, cause)
        ever = _ever(landmarks, test, lambda earlier, cause=cause: ended_by(landmarks, earlier, LAGS, cause))  # type: ignore[misc]
        found[key] = _evidence(landmarks, hazard, rows, label, left[:, number], again[number], LAGS, ever)
    return found


def _by_cause(
    landmarks: Landmarks, settings: Settings, hazard: Hazard, rows: NDArray[np.int64], chances: Floats
) -> Floats | None:
    """The chance of an end with each recorded cause within twelve months, as told on the hazard's day."""
    causes = fit_causes(landmarks, hazard.day, seed=settings.models.seed)
    if causes is None:
        return None
    by_cause = chances[:, :, None] * causes.split(landmarks, rows)
    return np.asarray(incidence(by_cause)[:, -1] * (1 - causes.unknown_share))


def _judge_lifetime(
    landmarks: Landmarks, settings: Settings, roles: Plan, proof: Proof, as_of: date
) -> tuple[dict[str, Evidence], Competition | None]:
    """Evidence on the share gone over the longest closed window, as K1 would have said it, beside what sBG said."""
    if proof.chosen is None or roles.choice is None:
        return {}, None
    hazard, chances = proof.chosen
    horizon = settings.models.lifetime_horizon_years
    months = min(observed_months(landmarks, roles.choice, as_of), LAGS * horizon)
    if months < _FOLLOWED:
        return {}, None
    rows, chances = _followed(landmarks, roles.choice, chances, months)
    by_cause = np.zeros((*chances.shape, len(CAUSES)))
    by_cause[:, :, -1] = chances
    assumed = settings.assumed()[ATTENUATION].value
    continuation = fit_continuation(landmarks, hazard.day, causes=False, assumed=assumed)
    lifetime = fit_lifetime(
        continuation,
        by_cause,
        tenure_years=tenures(landmarks, rows),
        age=ages(landmarks, rows),
        horizon_years=horizon,
    )
    last = day_number(add_months(landmarks.dates[roles.choice], months))
    label = np.asarray(landmarks.end_day[rows] <= last, dtype=np.float64)
    expected = {"survival": lifetime.gone_within(months)}
    retention = fit_retention(landmarks, hazard.day)
    if retention is not None and len(rows):
        by_sbg = retention.gone_within(tenures(landmarks, rows), months)
        rate = np.full(len(rows), retention.constant_within(months))
        rivalry = judge({"rate": rate, "sbg": by_sbg, **expected}, label, landmarks.customer[rows])
    else:
        rivalry = None
    return {LIFETIME: _evidence(landmarks, hazard, rows, label, expected["survival"])}, rivalry


def _gone(landmarks: Landmarks, rows: NDArray[np.int64], months: int) -> Floats:
    return np.asarray(landmarks.event_lag[rows] <= months, dtype=np.float64)


def _ever(landmarks: Landmarks, test: int, label: Callable[[NDArray[np.int64]], Floats]) -> NDArray[np.uint32]:
    """Every customer once to whom it happened after a date up to the test date."""
    rows = np.arange(landmarks.stop[test])
    return np.unique(landmarks.customer[rows[label(rows) > 0]])


def _followed(landmarks: Landmarks, position: int, values: Floats, months: int) -> tuple[NDArray[np.int64], Floats]:
    """The rows of one date that can be followed for so many months, and their part of `values`."""
    rows = landmarks.rows_of(position, months)
    return rows, values[rows - landmarks.start[position]]


def _date(landmarks: Landmarks, rows: NDArray[np.int64], label: Floats, expected: Floats) -> Again:
    """Date, population, events and AUC of one test date."""
    mixed = 0 < float(label.sum()) < len(label)
    auc = auc_with_interval(label, expected, landmarks.customer[rows])[0] if mixed else None
    return (
        ((landmarks.dates[int(landmarks.date_of[rows[0]])], len(rows), float(label.sum()), auc),) if len(rows) else ()
    )


def _evidence(
    landmarks: Landmarks,
    hazard: Hazard,
    rows: NDArray[np.int64],
    label: Floats,
    expected: Floats,
    again: Again = (),
    months: int | None = None,
    ever: NDArray[np.uint32] | None = None,
) -> Evidence:
    """Evidence on one date; with a horizon in months also of those of whom something renews within it.

    `ever`: to whom it happened in any closed window; None: as on this date.
    """
    people, customers = landmarks.people, landmarks.customer[rows]
    day = landmarks.dates[int(landmarks.date_of[rows[0]])] if len(rows) else None
    renewal = landmarks.column(RENEWAL)[rows]
    happened = np.unique(customers[label > 0]) if ever is None else ever
    parts = with_events(lambda who: people.parts(who, day), customers, happened) if people and day else ()
    found = binary_evidence(
        label,
        expected,
        customers,
        test_date=day,
        train_dates=hazard.train_dates,
        train_rows=hazard.rows,
        between_year=hazard.between_year,
        due=None if months is None or bool(np.isnan(renewal).all()) else renewal <= months,
        parts=parts,
    )
    return replace(found, by_date=(*found.by_date, *again), choice_date=again[0][0] if again else None)
