"""What a learner gets and gives: rows with their outcome, and a model that can be written down
without pickle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Objective = Literal["binary", "poisson"]


@dataclass(frozen=True)
class Sample:
    """Rows to learn from or to judge on.

    Parameters
    ----------
    x
        Float32 [n, f]; unknown is NaN.
    label
        [n]; 0/1 or a count.
    weight
        [n]; the inverse of the chance that the row was sampled.
    offset
        [n]; what is known beforehand on the link scale (log-odds or log rate), for instance the
        branch's base.
    cluster
        [n]; the customer.
    names
        Column names of `x`.
    categorical
        Positions in `x` that hold codes.
    ranked
        Positions in `x` by what each column tells alone, best first; empty where nobody looked yet.
    monotone
        Per column +1 or -1 where the label is sure to rise or fall with it, else 0; empty: all are
        free.
    """

    x: NDArray[np.float32]
    label: NDArray[np.float64]
    weight: NDArray[np.float64]
    offset: NDArray[np.float64]
    cluster: NDArray[Any]
    names: tuple[str, ...]
    categorical: tuple[int, ...] = ()
    ranked: tuple[int, ...] = ()
    monotone: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.label)


class Model(Protocol):
    """Anything that gives an expectation per row and can be written down without pickle."""

    def predict(self, x: NDArray[np.float32], offset: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance or expected count per row."""
        ...

    def files(self, stem: str) -> dict[str, bytes]:
        """Return the model as text files by name."""
        ...


Fitter = Callable[[Sample], Model]
