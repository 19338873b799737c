"""Candidates of a client's own: where they come from, and what akb asks of them.

A candidate has a name and a maker. Makers come from installed packages (entry points of the group
"akb.candidates") or from Python (`registered`); a settings file names them and cannot bring code
along."""

from __future__ import annotations

import re
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

from akb.core.errors import AkbError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

GROUP = "akb.candidates"
TAKEN = frozenset({"rate", "rule", "logistic", "boosting", "sbg", "survival"})
"""What akb calls its own."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_registered: dict[str, Callable[[], Estimator]] = {}


class Estimator(Protocol):
    """What a candidate is: a classifier with the interface of scikit-learn."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn from float32 rows [n, f], unknown is NaN, and labels 0 and 1.

        The last column is what is known beforehand of each row as log-odds, such as the rate of its
        branch."""

    def predict_proba(self, X: Any) -> Any:
        """Return the chances [n, 2] of 0 and 1."""


@contextmanager
def registered(makers: Mapping[str, Callable[[], Estimator]]) -> Iterator[None]:
    """Let settings name these candidates, as long as the context lasts.

    Raises
    ------
    AkbError
        If a name cannot be one, or is taken.
    """
    for name in makers:
        _check_name(name)
        if name in _registered:
            raise AkbError(f"there is a candidate '{name}' already", "Give it another name.")
    _registered.update(makers)
    try:
        yield
    finally:
        for name in makers:
            del _registered[name]


def check_candidates(names: Iterable[str]) -> None:
    """Raise AkbError unless every name is a candidate that can be made."""
    for name in names:
        _check_name(name)
        known = [*_registered, *(each.name for each in entry_points(group=GROUP))]
        if name not in known:
            raise AkbError(
                f"there is no candidate '{name}'{did_you_mean(name, known)}",
                f"Install the package that has it as an entry point of {GROUP}, or give it from "
                "Python.",
            )


def make_candidate(name: str) -> Estimator:
    """Return a new estimator of a candidate.

    Raises
    ------
    AkbError
        If it cannot be made, or cannot do what is asked of it.
    """
    maker = _registered.get(name)
    try:
        if maker is None:
            [found] = entry_points(group=GROUP, name=name)
            maker = found.load()
        made: Any = maker()
    except Exception as error:
        raise failed(name, "be made", error) from error
    if not (hasattr(made, "fit") and hasattr(made, "predict_proba")):
        raise AkbError(
            f"the candidate '{name}' has no fit and predict_proba", "docs/own_model.md says how."
        )
    estimator: Estimator = made
    return estimator


def failed(name: str, what: str, error: Exception) -> AkbError:
    """Return what to say of a candidate that stumbled; its message may hold data of the client."""
    return AkbError(
        f"the candidate '{name}' could not {what} ({type(error).__name__})",
        "docs/own_model.md says what it gets; leave it out of [models] candidates to go on.",
    )


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name) or name in TAKEN:
        raise AkbError(
            f"'{name}' cannot be the name of a candidate",
            "Small letters, digits and _, and not one of akb's own: " + ", ".join(sorted(TAKEN)),
        )
