"""Samples by a stable hash of who and when: the lowest k of a stratum, never positions.

A row's place in the draw depends on the seed, on what is drawn for, on the customer's own number
and on the day; not on the order of rows, on the key of the pseudonyms or on who else is there. So
shuffled rows and other partitions of the customers give the same sample (the lowest k of each part
hold the lowest k of the whole), and a customer more pushes out one other at most per stratum.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Lots = NDArray[np.uint64]

_DIGEST_BYTES = 8
_PERSON = b"akb.sampling"  # so that no other hash of the same words says anything about a lot
# splitmix64 (Steele, Lea & Flood 2014): its increment, and the shifts and factors of its mixer
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST = np.uint64(31)
_WHOLE = 2.0**64


def identities(names: Iterable[str]) -> Lots:
    """Return a number per name that is the same in every export, u64.

    It is made without a key and stays in memory: it must not be written beside a pseudonym.
    """
    raw = bytearray()
    for name in names:
        raw += blake2b(name.encode(), digest_size=_DIGEST_BYTES, person=_PERSON).digest()
    return np.frombuffer(bytes(raw), dtype="<u8").astype(np.uint64)


def draw_key(seed: int, problem: str, role: str) -> int:
    """Return the key of one kind of draw: draws for other problems and roles are independent."""
    words = f"{seed}\0{problem}\0{role}".encode()
    hashed = blake2b(words, digest_size=_DIGEST_BYTES, person=_PERSON)
    return int.from_bytes(hashed.digest(), "little")


def lots(key: int, identity: Lots, *when: NDArray[Any]) -> Lots:
    """Return the place in the draw `key` of every row, u64: uniform, and the same in every run.

    Parameters
    ----------
    identity
        Of the customer, see `identities`.
    when
        What else tells the rows of a customer apart, as whole numbers: the day, the branch.
    """
    return extended(_mixed(identity ^ np.uint64(key)), *when)


def extended(lot: Lots, *when: NDArray[Any]) -> Lots:
    """Return the places in a draw of rows that had the same place until more was said of them.

    Examples
    --------
    >>> who, day, lag = np.array([7], dtype=np.uint64), np.array([100]), np.array([3])
    >>> bool(extended(lots(1, who, day), lag) == lots(1, who, day, lag))
    True
    """
    for part in when:
        lot = _mixed(lot + part.astype(np.int64).view(np.uint64) * _STEP)
    return lot


def _mixed(state: Lots) -> Lots:
    state = state + _STEP
    for shift, factor in _MIX:
        state = (state ^ (state >> shift)) * factor
    return np.asarray(state ^ (state >> _LAST), dtype=np.uint64)


def quotas(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return how many rows of each stratum make a sample of `size`: in proportion, at least one.

    Examples
    --------
    >>> quotas(np.array([80, 19, 1, 0]), 10).tolist()
    [8, 1, 1, 0]
    """
    total = int(counts.sum())
    if total <= size:
        return counts.astype(np.int64)
    exact = counts * (size / total)
    given: NDArray[np.int64] = np.maximum(
        np.floor(exact).astype(np.int64), (counts > 0).astype(np.int64)
    )
    while (spare := size - int(given.sum())) > 0:  # the largest remainders first
        first = np.argsort(given - exact, kind="stable")[:spare]
        given[first[given[first] < counts[first]]] += 1
    while (over := int(given.sum()) - size) > 0 and (given > 1).any():
        last = np.argsort(np.where(given > 1, exact - given, np.inf), kind="stable")[:over]
        given[last[given[last] > 1]] -= 1
    return given


def lowest(
    lot: Lots, stratum: NDArray[np.int64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the positions of about `size` rows, ascending, and how many each stands for.

    Parameters
    ----------
    stratum
        0, 1, ... per row. Each is drawn from in proportion to its rows, none is left out; so with
        more strata than `size` there are more rows.
    """
    if len(lot) <= size:
        return np.arange(len(lot), dtype=np.int64), np.ones(len(lot))
    counts = np.bincount(stratum).astype(np.int64)
    wanted = quotas(counts, size)
    at = _candidates(lot, stratum, counts, wanted)
    order = np.lexsort((lot[at], stratum[at]))
    here = stratum[at][order]
    begin = np.searchsorted(here, np.arange(len(counts)))
    chosen = np.sort(at[order[np.arange(len(here)) - begin[here] < wanted[here]]])
    weight = (counts / np.maximum(wanted, 1))[stratum[chosen]]
    return chosen, weight


def _candidates(
    lot: Lots, stratum: NDArray[np.int64], counts: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Positions that hold the lowest of every stratum: few enough to sort in no time."""
    # lots are uniform: eight deviations more than wanted below the bound is as good as always
    bound = (wanted + 8 * np.sqrt(wanted) + 16) / np.maximum(counts, 1)
    at = np.flatnonzero(lot < (bound * _WHOLE)[stratum])
    enough = np.bincount(stratum[at], minlength=len(counts)) >= wanted
    return at if enough.all() else np.arange(len(lot))
