"""The ways to predict: each registers itself, and says with what its scores must cohere.

A new way is a function in `akb.models.methods` under the decorator `method`; the catalogue names
it, and nothing else in this room does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from akb.catalogue.entries import Entry
    from akb.models.context import FitContext, MethodResult

    Fit = Callable[[FitContext, Sequence[Entry]], MethodResult]


class Role(Enum):
    """With what a score must cohere."""

    CHURN = "the relation ends: gives way to nothing, bounds any lapse from below"
    ANY_LAPSE = "some policy lapses: at least churn and each branch's lapse, at most their sum"
    LAPSES = "how many policies lapse: at least any lapse and the sum over the branches"
    NONPAYMENT = "some policy lapses unpaid: at most any lapse"
    BRANCH_LAPSE = "a policy of the branch lapses: at most any lapse"
    ANY_PURCHASE = "something is bought: not by who has announced to leave"
    BRANCH_PURCHASE = "a policy of the branch is bought: not by who has announced to leave"
    STAYER = "happens only to those who stay: not to who has announced to leave"
    ALONE = "coheres with nothing: leavers have theirs until they leave, or it is a description"


@dataclass(frozen=True)
class Method:
    """One way to predict.

    fit
        (context, entries) -> what it gives. None for the churn methods: one hazard makes all of
        them, see `run`.
    together
        Whether all entries of the method are one fit; else each is one of its own.
    role
        With what the scores must cohere, and by an entry's target where the method serves several.
    lifetime
        Whether lifetime value is made of it: how long relations and policies last.
    cost
        Jobs start with the largest.
    """

    name: str
    fit: Fit | None
    together: bool = False
    role: Role = Role.ALONE
    by_target: Mapping[str, Role] = field(default_factory=dict)
    lifetime: bool = False
    cost: int = 0

    def role_of(self, entry: Entry) -> Role:
        """Return with what the scores of an entry must cohere."""
        return self.by_target.get(entry.target, self.role)


METHODS: dict[str, Method] = {}
"""Filled when `akb.models.methods` is imported."""


def register(made: Method) -> None:
    """Make a method known by its name.

    Raises
    ------
    ValueError
        If there is another one of that name: a programming error.
    """
    if made.name in METHODS:
        raise ValueError(f"two methods are called {made.name}")
    METHODS[made.name] = made


def method(
    name: str,
    *,
    role: Role = Role.ALONE,
    by_target: Mapping[str, Role] | None = None,
) -> Callable[
    [Callable[[FitContext, Entry], MethodResult]], Callable[[FitContext, Entry], MethodResult]
]:
    """Register a function of one entry as the way to predict that the catalogue calls `name`."""

    def known(
        fit: Callable[[FitContext, Entry], MethodResult],
    ) -> Callable[[FitContext, Entry], MethodResult]:
        register(
            Method(
                name,
                lambda context, entries: fit(context, entries[0]),
                role=role,
                by_target=by_target or {},
            )
        )
        return fit

    return known


def family(
    name: str, *, role: Role = Role.ALONE, lifetime: bool = False, cost: int = 0
) -> Callable[[Fit], Fit]:
    """Register a function of all entries of the method, for instance one per branch."""

    def known(fit: Fit) -> Fit:
        register(Method(name, fit, together=True, role=role, lifetime=lifetime, cost=cost))
        return fit

    return known


@dataclass(frozen=True)
class MethodRun:
    """What one method gave for its entries, and with what that must cohere."""

    role: Role
    entries: tuple[Entry, ...]
    result: MethodResult

    @property
    def name(self) -> str:
        """What the job is called: its entry, or the method of its family."""
        return (
            self.entries[0].method
            if METHODS[self.entries[0].method].together
            else self.entries[0].key
        )
