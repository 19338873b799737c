"""A model with the level of the last closed years, as it could be known on one day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from akb.core.draws.sampling import draw_key
from akb.models.learners import Boosted, Rate, from_link, to_link, without_rows
from akb.models.temporal.level import Levels, group_levels

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from akb.config import Models
    from akb.models.learners import Fitter, Model
    from akb.models.temporal.problem import Problem

    Floats = NDArray[np.float64]

CHUNK = 40_000  # rows predicted at a time: 40,000 x 300 columns of float32 are 48 MB
# events of all groups mixed into the rate of each: a rare branch says little about itself
PRIOR_EVENTS = 20.0


@dataclass(frozen=True)
class CalibratedModel:
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
        parts = [
            self._chunk(problem, rows[start : start + CHUNK])
            for start in range(0, len(rows), CHUNK)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def _chunk(self, problem: Problem, rows: NDArray[np.int64]) -> Floats:
        group = problem.group[rows]
        base = self.base[group]
        flat = base + self.flat_shift[group]
        if bool(self.flat.all()):
            return from_link(problem.objective, flat)
        own = (
            to_link(problem.objective, self.model.predict(problem.features(rows), base))
            + self.shift[group]
        )
        return from_link(problem.objective, np.where(self.flat[group], flat, own))

    def files(self, problem: Problem) -> dict[str, bytes]:
        """Return the model and the level beside it, as text."""
        stem = f"models/{problem.name}"
        level = {
            name or problem.name: {
                "base": float(b),
                "shift": float(f if flat else s),
                "flat": bool(flat),
                "rate": float(from_link(problem.objective, b + f)),
            }
            for name, b, s, f, flat in zip(
                problem.groups, self.base, self.shift, self.flat_shift, self.flat, strict=True
            )
        }
        text = json.dumps(
            {"objective": problem.objective, "level": level}, indent=1, sort_keys=True
        )
        return {**self.model.files(stem), f"{stem}.level.json": (text + "\n").encode()}


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


def fit_calibrated(
    problem: Problem,
    train: tuple[date, ...],
    fit: Fitter,
    settings: Models,
    *,
    share: float,
    role: str,
) -> CalibratedModel:
    """Fit on the rows of `train` and set the level, using nothing else.

    Parameters
    ----------
    share
        Part of ``settings.target_rows`` to spend.
    role
        Names the draw.
    """
    rows = problem.training_rows(train)
    base = base_rates(problem, rows)
    picked, weight = problem.draw(
        rows, int(share * settings.target_rows), draw_key(settings.seed, problem.name, role)
    )
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

    learned = model.learned if isinstance(model, Boosted) else None
    level = levels(model.predict(sample.x, sample.offset) if learned is None else learned)
    return CalibratedModel(
        model=without_rows(model),
        base=base,
        shift=level.shift,
        flat_shift=levels(from_link(problem.objective, sample.offset)).shift,
        flat=np.full(len(problem.groups), isinstance(model, Rate)),
        events=distinct_events(problem, rows),
        pooled_weight=level.pooled_weight,
        rows=len(picked),
        between_year=level.between_year,
    )
