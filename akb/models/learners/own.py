"""A candidate of the client's own: an estimator of scikit-learn's kind among the others."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from akb.core.candidates import failed, make_candidate
from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from akb.core.candidates import Estimator
    from akb.models.learners.sample import Fitter, Objective, Sample

KIND = "own"
_LEAST = 1e-6  # no chance is certain: one mistake would cost without end


@dataclass(frozen=True)
class OwnModel:
    """A fitted estimator of the client's own.

    empty
        Columns [f + 1] in which it saw no value at all: it always gets zero there.
    """

    name: str
    estimator: Estimator
    names: tuple[str, ...]
    empty: NDArray[np.bool_]

    def predict(self, x: NDArray[np.float32], offset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance per row.

        Raises
        ------
        AkbError
            If the estimator stumbles, or returns no chances.
        """
        try:
            rows = _filled(_with(x, offset), self.empty)
            made = np.asarray(self.estimator.predict_proba(rows), dtype=np.float64)
        except Exception as error:
            raise failed(self.name, "predict", error) from error
        if made.shape != (len(x), 2) or not np.isfinite(made).all():
            raise AkbError(
                f"the candidate '{self.name}' returned no chances [n, 2]",
                "docs/own_model.md says what predict_proba returns.",
            )
        return np.clip(made[:, 1], _LEAST, 1 - _LEAST)

    def files(self, stem: str) -> dict[str, bytes]:
        """Return what a run keeps: which candidate it was, and its columns. Its own state is code
        of others, so no run holds it.
        """
        card = {"kind": KIND, "candidate": self.name, "columns": list(self.names)}
        return {f"{stem}.json": (json.dumps(card, indent=1) + "\n").encode()}


def own_fitters(names: Iterable[str], objective: Objective) -> dict[str, Fitter]:
    """Return the client's own candidates by name, for chances; they do not predict counts."""
    if objective != "binary":
        return {}
    return {name: partial(_fit, name) for name in names}


def _fit(name: str, sample: Sample) -> OwnModel:
    estimator = make_candidate(name)
    rows = _with(sample.x, sample.offset)
    empty = np.asarray(np.isnan(rows).all(axis=0))  # many estimators stumble over such a column
    try:
        estimator.fit(_filled(rows, empty), sample.label, sample_weight=sample.weight)
    except Exception as error:
        raise failed(name, "learn", error) from error
    return OwnModel(name, estimator, sample.names, empty)


def _with(x: NDArray[np.float32], offset: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.column_stack([x, offset.astype(np.float32)])


def _filled(rows: NDArray[np.float32], empty: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return rows, which are the caller's own, with zero in some columns."""
    rows[:, empty] = 0
    return rows
