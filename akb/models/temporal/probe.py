"""How to ask the model of the test date what its columns did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.models.evidence import Probe, importance_of, some_rows
from akb.models.learners import from_link, to_link

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from akb.models.temporal.target import FittedTarget

    Floats = NDArray[np.float64]
    Rows = NDArray[np.float32]


def probe_of(key: str, fitted: FittedTarget) -> Probe | None:
    """Return how to ask the model of the test date of a chance; None where there is none, or it
    proved nothing.
    """
    test = fitted.holdout
    if test is None or fitted.winner == "rate" or bool(fitted.model.flat.all()):
        return None
    identity = test.problem.identity_of(test.problem.customer[test.rows])
    rows = test.rows[some_rows(identity, key)]
    base, shift = float(test.model.base[0]), float(test.model.shift[0])

    def predict(x: Rows) -> Floats:
        link = to_link("binary", test.model.model.predict(x, np.full(len(x), base)))
        return from_link("binary", link + shift)

    label = test.problem.label[rows].astype(np.float64)
    share = {feature: weight for _, feature, weight in importance_of(key, test.model.model)}
    return Probe(
        key, test.test_date, test.problem.names, test.problem.features(rows), label, predict, share
    )
