"""Lots that depend on who somebody is and on nothing else: not on his row, on who else is there, or
on a seed.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

_DIGEST_BYTES = 8
_PERSON = b"akb.draws"  # so that no other hash of the same words says anything about a lot


def experiment_name(name: str, started: date) -> str:
    """Return what one experiment is called: another year is another experiment, with other lots."""
    return f"{name} {started.year}"


def drawn(experiment: str, units: Sequence[str]) -> NDArray[np.float64]:
    """Return a lot in [0, 1) for each unit: the same in every run of one experiment, independent
    between experiments.

    Parameters
    ----------
    experiment
        Its name with the year in which it starts, see `experiment_name`.
    units
        Pseudonyms of the customers of the run (households, where those are the customers).

    Notes
    -----
    A keyed hash without a key of its own: a pseudonym is made of the relation number with the
    client's secret key, so a hash of pseudonym and experiment is one of key, relation number and
    experiment. Nobody without the key can tell from a relation number what its lot will be, or
    choose one with a lot that he likes; who sees the pseudonym already sees on the lists who is
    drawn, and learns no relation number from a lot. With another key all lots are drawn anew, as
    all pseudonyms are."""
    before = experiment.encode() + b"\0"
    raw = b"".join(
        blake2b(before + unit.encode(), digest_size=_DIGEST_BYTES, person=_PERSON).digest()
        for unit in units
    )
    # 53 bits fill a float exactly, so that no lot is rounded up to 1
    lots: NDArray[np.float64] = (np.frombuffer(raw, dtype="<u8") >> np.uint64(11)).astype(
        np.float64
    ) / 2**53
    return lots
