"""One target or one family of targets through the three knowledge days: choose on T1, prove on T0, score at X."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from akb.core.gates import FEW_EVENTS
from akb.models.evidence.grading import STRONG_EVENTS
from akb.models.evidence.intervals import auc_with_interval, gain_p, paired_difference
from akb.models.evidence.metrics import losses as row_losses
from akb.models.learners.boosting import Boosted
from akb.models.learners.link import from_link, to_link
from akb.models.learners.rivals import STEP, fitters
from akb.models.learners.rule import Rate, screened
from akb.models.learners.sample import Fitter, Model
from akb.models.temporal.evaluation import Trial
from akb.models.temporal.level import Levels, group_levels
from akb.models.temporal.problem import Problem
from akb.models.temporal.selection import Competition, best_simpler, best_size, judge

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import Models
    from akb.models.temporal.evaluation import Again, Viewer
    from akb.models.temporal.splits import Phases
    from akb.models.types import Evidence

    Floats = NDArray[np.float64]

CHUNK = 40_000
TEST_ROWS = 30_000
TREES_SHARE = 2 / 9  # of the trees that the settings name, for the large steps of `STEP`
CHOICE_SHARE, PROOF_SHARE = 0.4, 0.5  # of the rows of the final fit: choosing and proving need fewer
FAMILY_STEP, FAMILY_SHARE = 0.12, 3.0  # of its final fit: one question per branch, of which the rare ones have few rows
SCREENED = 160  # columns that rivals choose among, by what each tells alone on the training dates: cost of the choice
SIZES = (0.3, 0.5, 0.7, 1.0)  # parts of the trees that T1 chooses among
KEPT = 48  # columns that trees keep after T1, by gain: half of the time, and less noise to learn by heart
ENOUGH_FOR_TREES, ENOUGH_FOR_SPLINES = 300, 100  # distinct events, where there was no T1 to choose on
PRIOR_EVENTS = 20.0


@dataclass(frozen=True)
class Known:
    """A model as it could be known on one day.

    base
        Rate per group on the link scale, the offset of every candidate.
    shift, flat_shift
        Level per group on the link scale, of the model and of the base rate.
    flat
        Groups that fall back to their base rate.
    events
        Distinct customers with an event per group, over all training dates.
    pooled_weight
        Share of the family's level in each group's level.
    """

    model: Model
    base: Floats
    shift: Floats
    flat_shift: Floats
    flat: NDArray[np.bool_]
    events: NDArray[np.int64]
    pooled_weight: Floats
    rows: int
    between_year: float

    def predict(self, problem: Problem, rows: NDArray[np.int64]) -> Floats:
        """Return the levelled chance or expected count per row."""
        parts = [self._part(problem, rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _part(self, problem: Problem, rows: NDArray[np.int64]) -> Floats:
        group = problem.group[rows]
        base = self.base[group]
        flat = base + self.flat_shift[group]
        if bool(self.flat.all()):
            return from_link(problem.objective, flat)
        own = to_link(problem.objective, self.model.predict(problem.features(rows), base)) + self.shift[group]
        return from_link(problem.objective, np.where(self.flat[group], flat, own))

    def files(self, problem: Problem) -> dict[str, bytes]:
        """Return the model and the level beside it, as text."""
        stem = f"models/{problem.name}"
        level = {
            name or problem.name: {"base": float(b), "shift": float(f if flat else s), "flat": bool(flat)}
            for name, b, s, f, flat in zip(
                problem.groups, self.base, self.shift, self.flat_shift, self.flat, strict=True
            )
        }
        text = json.dumps({"objective": problem.objective, "level": level}, indent=1, sort_keys=True)
        return {**self.model.files(stem), f"{stem}.level.json": (text + "\n").encode()}


@dataclass(frozen=True)
class OnChoice:
    """What the winner expected of some customers' rows on T1, and the base rate per group known then (link scale)."""

    rows: NDArray[np.int64]
    expected: Floats
    base: Floats


@dataclass(frozen=True)
class Outcome:
    """Everything that a problem gave.

    rows, expected
        Rows at X and their chance or expected count.
    chosen, winner
        Who won on T1, and what is used after T0 had its say (``rate`` where the chosen one proved nothing).
    evidence
        Per group, of what is delivered: of the base rate where a group falls back to it; None where nothing was closed.
    gains
        Per group the chance of such a gain over the best simpler rival on T0 (`candidates.gain_p`); None where it was
        not asked: too few events or dates for it to matter.
    test, tested
        T0, and what is delivered for its rows.
    on_choice
        T1; None where there was none.
    """

    problem: Problem
    phases: Phases
    chosen: str
    winner: str
    competition: Competition | None
    evidence: tuple[Evidence | None, ...]
    known: Known
    rows: NDArray[np.int64]
    expected: Floats
    gains: tuple[float | None, ...] = ()
    test: Trial | None = None
    tested: Floats | None = None
    on_choice: OnChoice | None = None


def _rng(settings: Models, problem: Problem, role: str) -> np.random.Generator:
    return np.random.default_rng([settings.seed, zlib.crc32(f"{problem.name}:{role}".encode())])


def base_rates(problem: Problem, rows: NDArray[np.int64]) -> Floats:
    """Return the rate per group on the link scale, shrunk to the rate of all groups (20 events)."""
    group, label = problem.group[rows], problem.label[rows].astype(np.float64)
    count = np.bincount(group, minlength=len(problem.groups)).astype(np.float64)
    events = np.bincount(group, weights=label, minlength=len(problem.groups))
    overall = (float(events.sum()) + 0.5) / (float(count.sum()) + 1)
    return to_link(problem.objective, (events + PRIOR_EVENTS) / (count + PRIOR_EVENTS / overall))


def distinct_events(problem: Problem, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many different customers had the event, per group."""
    happened = rows[problem.label[rows] > 0]
    pairs = np.unique(problem.group[happened].astype(np.int64) * 2**32 + problem.customer[happened])
    return np.bincount(pairs // 2**32, minlength=len(problem.groups))


def know(
    problem: Problem,
    train: tuple[date, ...],
    fit: Fitter,
    settings: Models,
    *,
    share: float,
    role: str,
) -> Known:
    """Fit on the rows of `train` and set the level, using nothing else.

    Parameters
    ----------
    share
        Part of ``settings.target_rows`` to spend.
    role
        Seeds the sampling.
    """
    rows = problem.rows_on(train)
    base = base_rates(problem, rows)
    picked, weight = problem.draw(rows, int(share * settings.target_rows), _rng(settings, problem, role))
    sample = problem.sample(picked, weight, base)
    model = fit(sample)

    def levels(expected: Floats) -> Levels:
        return group_levels(
            problem.objective,
            train,
            day=problem.day[picked],
            group=problem.group[picked],
            groups=len(problem.groups),
            customer=sample.cluster,
            label=sample.label,
            weight=weight,
            expected=expected,
        )

    level = levels(model.predict(sample.x, sample.offset))
    return Known(
        model=model,
        base=base,
        shift=level.shift,
        flat_shift=levels(from_link(problem.objective, sample.offset)).shift,
        flat=np.full(len(problem.groups), isinstance(model, Rate)),
        events=distinct_events(problem, rows),
        pooled_weight=level.pooled_weight,
        rows=len(picked),
        between_year=level.between_year,
    )


@dataclass(frozen=True)
class _Choice:
    """What T1 decided: the winner, how many trees, which columns (and those that rivals chose among)."""

    winner: str
    trees: int
    names: tuple[str, ...]
    competition: Competition | None = None
    judged: Again = ()
    rivals: tuple[str, ...] = ()
    seen: OnChoice | None = None


@dataclass(frozen=True)
class _Rivalry:
    """Per group the chance of the winner's gain on T0 (None: not asked), and what it showed on an earlier date."""

    gains: tuple[float | None, ...]
    before: Again = ()


def _choose(problem: Problem, phases: Phases, settings: Models) -> _Choice:
    """Let the rivals compete on T1; with a short history take the documented default."""
    trees = max(20, round(settings.trees * TREES_SHARE))
    window = phases.choice
    test = problem.rows_on([window.test]) if window else np.empty(0, dtype=np.int64)
    if window is None or not len(test) or not (problem.label[test] > 0).any():
        events = int(distinct_events(problem, problem.rows_on(phases.train)).sum())
        enough = [(ENOUGH_FOR_TREES, "boosting"), (ENOUGH_FOR_SPLINES, "logistic"), (0, "rate")]
        return _Choice(next(name for least, name in enough if events >= least), trees, problem.names)
    rows = problem.rows_on(window.train)
    base = base_rates(problem, rows)
    picked, weight = problem.draw(rows, int(CHOICE_SHARE * settings.target_rows), _rng(settings, problem, "choice"))
    train = screened(problem.sample(picked, weight, base), problem.objective, SCREENED)
    problem = problem.only(train.names)
    test = problem.some_customers(test, TEST_ROWS, _rng(settings, problem, "T1"))
    held_out = problem.sample(test, np.ones(len(test)), base)
    expected: dict[str, Floats] = {}
    heaviest = problem.names
    for name, fit in fitters(problem.objective, settings, trees).items():
        model = fit(train)
        if isinstance(model, Boosted):
            expected[name], trees = best_size(model, held_out, SIZES, problem.objective)
            heaviest = _heaviest(model)
        else:
            expected[name] = model.predict(held_out.x, held_out.offset)
    competition = judge(expected, held_out.label, held_out.cluster, objective=problem.objective)
    judged = _by_group(problem, test, expected[competition.winner], window.test)
    names = heaviest if competition.winner == "boosting" else problem.names
    seen = OnChoice(test, expected[competition.winner], base)
    return _Choice(competition.winner, trees, names, competition, judged, problem.names, seen)


def _rivalry(asked: Problem, phases: Phases, choice: _Choice, settings: Models, test: Trial) -> _Rivalry:
    """Ask on T0 what the best simpler rival would have said, and of an earlier date what the winner showed.

    Only where it can make a prediction *strong*: two fits that most problems need not pay for.

    Parameters
    ----------
    asked
        With all columns: those of the rivals are not the winner's.
    """
    problem, groups = test.problem, len(test.problem.groups)
    rival = best_simpler(choice.competition) if choice.competition is not None else None
    happened = distinct_events(problem, test.rows)
    if rival is None or phases.earlier is None or int(happened.max(initial=0)) < STRONG_EVENTS:
        return _Rivalry((None,) * groups)
    theirs = asked.only(choice.rivals)
    fit = fitters(problem.objective, settings, choice.trees)[rival]
    simpler = know(theirs, test.train_dates, fit, settings, share=PROOF_SHARE, role="proof")
    label, customer = problem.label[test.rows].astype(np.float64), problem.customer[test.rows]
    mine = row_losses(problem.objective, label, test.expected)
    other = row_losses(problem.objective, label, simpler.predict(theirs, test.rows))
    masks = [problem.group[test.rows] == code for code in range(groups)]
    found = tuple(
        gain_p(mine[mask], other[mask], customer[mask]) if happened[code] >= STRONG_EVENTS else None
        for code, mask in enumerate(masks)
    )
    window = phases.earlier
    if int(distinct_events(problem, problem.rows_on(window.train)).sum()) < ENOUGH_FOR_SPLINES:
        return _Rivalry(found)
    fit = _fit_of(choice, problem, settings, PROOF_SHARE)
    before = know(problem, window.train, fit, settings, share=PROOF_SHARE, role="earlier")
    rows = problem.rows_on([window.test])
    return _Rivalry(found, _by_group(problem, rows, before.predict(problem, rows), window.test) if len(rows) else ())


def _fit_of(choice: _Choice, problem: Problem, settings: Models, share: float, step: float = STEP) -> Fitter:
    """The winner's fitter; with more rows than on T1 trees may be more: their number grows with the cube root."""
    trees = choice.trees
    if choice.competition is not None:
        trees = round(trees * (share / CHOICE_SHARE) ** (1 / 3) * STEP / step)
    return fitters(problem.objective, settings, trees, step)[choice.winner]


def _heaviest(model: Boosted) -> tuple[str, ...]:
    shares = model.importance()
    return tuple(sorted(shares, key=lambda name: (-shares[name], name))[:KEPT])


def _by_group(
    problem: Problem, rows: NDArray[np.int64], expected: Floats, day: date
) -> tuple[tuple[date, int, float, float | None], ...]:
    judged = []
    for code in range(len(problem.groups)):
        here = problem.group[rows] == code
        label = problem.label[rows][here].astype(np.float64)
        mixed = bool((label > 0).any()) and bool((label <= 0).any())
        auc = (
            auc_with_interval((label > 0).astype(np.float64), expected[here], problem.customer[rows][here])[0]
            if mixed
            else None
        )
        judged.append((day, len(label), float(label.sum()), auc))
    return tuple(judged)


def _test(problem: Problem, phases: Phases, choice: _Choice, settings: Models) -> Trial | None:
    """Fit the winner as it could be known on T0 and ask it for T0; None where nothing was closed."""
    window = phases.evidence
    if window is None:
        return None
    fit = _fit_of(choice, problem, settings, PROOF_SHARE)
    known = know(problem, window.train, fit, settings, share=PROOF_SHARE, role="proof")
    rows = problem.rows_on([window.test])
    if not len(rows):
        return None
    expected, label = known.predict(problem, rows), problem.label[rows].astype(np.float64)
    rate = replace(known, flat=np.ones(len(problem.groups), dtype=bool)).predict(problem, rows)
    gain, error = paired_difference(
        row_losses(problem.objective, label, rate),
        row_losses(problem.objective, label, expected),
        problem.customer[rows],
    )
    return Trial(problem, window.test, known, rows, expected, rate, gain > 1.645 * error, window.train, choice.judged)


def run_problem(problem: Problem, phases: Phases, settings: Models, view: Viewer | None = None) -> Outcome:
    """Choose on T1, prove on T0, refit with the choices frozen on everything closed by X, and score X.

    A single target whose rank may be chance on T0, or cannot be told from it for lack of events, falls back to its base
    rate. So does a family that as a whole does
    not beat its base rates, and a branch that ranks worse than chance; a branch with few events keeps what it learnt
    from the others, and its grade says how little that proves.
    """
    choice, asked = _choose(problem, phases, settings), problem
    problem = problem.only(choice.names)
    test = _test(problem, phases, choice, settings)
    flat = _flat(test, len(problem.groups))
    winner = "rate" if bool(flat.all()) else choice.winner
    share, step = (FAMILY_SHARE, FAMILY_STEP) if len(problem.groups) > 1 else (1.0, STEP)
    fit = _fit_of(replace(choice, winner=winner), problem, settings, share, step)
    known = know(problem, phases.train, fit, settings, share=share, role="final")
    known = replace(known, flat=known.flat | flat)
    rows = problem.rows_on([phases.as_of])
    evidence: tuple[Evidence | None, ...] = (None,) * len(problem.groups)
    tested = None
    gained: tuple[float | None, ...] = (None,) * len(problem.groups)
    if test is not None:
        if winner != "rate":
            rivalry = _rivalry(asked, phases, choice, settings, test)
            gained, test = rivalry.gains, replace(test, before=rivalry.before)
        tested = np.where(flat[problem.group[test.rows]], test.rate, test.expected)
        evidence = test.evidence(tested, view(problem, test.rows) if view else None)
    return Outcome(
        problem,
        phases,
        choice.winner,
        winner,
        choice.competition,
        evidence,
        known,
        rows,
        known.predict(problem, rows),
        gained,
        test,
        tested,
        choice.seen,
    )


def prove(problem: Problem, phases: Phases, settings: Models) -> tuple[Evidence | None, ...]:
    """Choose on T1 and return the evidence on T0 per group, without scoring anyone."""
    choice = _choose(problem, phases, settings)
    problem = problem.only(choice.names)
    test = _test(problem, phases, choice, settings)
    return (None,) * len(problem.groups) if test is None else test.evidence(test.expected)


def _flat(test: Trial | None, groups: int) -> NDArray[np.bool_]:
    """Which groups fall back to their base rate, by what the model showed on T0."""
    if test is None:
        return np.zeros(groups, dtype=np.bool_)
    found = np.full(groups, not test.informative)
    group = test.problem.group[test.rows]
    for code in range(groups):
        here = group == code
        rows = test.rows[here]
        happened = (test.problem.label[rows] > 0).astype(np.float64)
        mixed = 0 < happened.sum() < len(happened)
        auc, interval = (
            auc_with_interval(happened, test.expected[here], test.problem.customer[rows]) if mixed else (None, None)
        )
        if groups == 1:
            few = float(happened.sum()) < FEW_EVENTS
            found[code] = few or interval is None or interval[0] <= 0.5
        elif auc is not None and auc <= 0.5:
            found[code] = True
    return found
