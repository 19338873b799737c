"""Why a score is what it is: contributions per feature and shares of gain; the report words
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.models.learners import Boosted, Logistic, Rule
from akb.models.types import Contribution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

REASONS = 12  # the report words three of them, each of another kind
MOST = 2_000  # customers with reasons: contributions cost more than scores
LISTED = 15  # features that the report lists


def importance_of(key: str, model: object) -> tuple[tuple[str, str, float], ...]:
    """Return (key, feature, share) of a model's heaviest features; the shares of all add to 1.

    Examples
    --------
    >>> importance_of("churn_12m", Rule("binary", "tenure", 0, (12.0,), (1.5, 0.8, 1.0)))
    (('churn_12m', 'tenure', 1.0),)
    """
    heaviest = sorted(shares_of(model).items(), key=lambda pair: (-pair[1], pair[0]))[:LISTED]
    return tuple((key, feature, share) for feature, share in heaviest)


def shares_of(model: object) -> dict[str, float]:
    """Return each used feature's share of what the model goes by; the shares add to 1, empty for a
    base rate.
    """
    if isinstance(model, Boosted | Logistic):
        return model.importance()
    return {model.feature: 1.0} if isinstance(model, Rule) else {}


def contributions_of(model: object, x: NDArray[np.float32]) -> NDArray[np.float64] | None:
    """Return each column's contribution to the score on the link scale, [n, f]; None for a base
    rate.
    """
    if isinstance(model, Boosted | Logistic | Rule):
        return model.contributions(x)
    return None


def reasons(
    key: str,
    customers: Sequence[int],
    names: Sequence[str],
    contributions: NDArray[np.float64],
    values: NDArray[np.float32],
) -> tuple[Contribution, ...]:
    """Return the strongest contributions that raise each customer's score, heaviest first.

    Parameters
    ----------
    contributions, values
        Per customer and column, [n, f].

    Examples
    --------
    >>> weights, x = np.array([[0.4, -0.2, 0.1]]), np.array([[3.0, 1.0, np.nan]], np.float32)
    >>> [(each.feature, each.value) for each in reasons("k", [7], ["a", "b", "c"], weights, x)]
    [('a', 3.0), ('c', None)]
    """
    order = np.argsort(-contributions, axis=1, kind="stable")[:, :REASONS]
    found = []
    for row, customer in enumerate(customers):
        for column in order[row]:
            raised = float(contributions[row, column])
            if raised > 0:
                value = float(values[row, column])
                found.append(
                    Contribution(
                        int(customer),
                        key,
                        names[column],
                        raised,
                        None if np.isnan(value) else value,
                    )
                )
    return tuple(found)
