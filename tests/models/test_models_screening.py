"""The first sieve keeps what tells, in the order of the columns, and never drops a code."""

from __future__ import annotations

import numpy as np

from akb.models.candidates import Sample
from akb.models.rule import screened


def sample() -> Sample:
    """Forty columns of noise; the last but one carries the outcome, the first holds codes without meaning."""
    rng = np.random.default_rng(3)
    x = rng.random((4_000, 40)).astype(np.float32)
    x[:, 0] = 1
    label = (rng.random(4_000) < 0.05 + 0.4 * (x[:, 38] > 0.7)).astype(np.float64)
    names = tuple(f"c{column}" for column in range(40))
    flat = np.full(4_000, np.log(label.mean() / (1 - label.mean())))
    return Sample(x, label, np.ones(4_000), flat, np.arange(4_000), names, categorical=(0,))


def test_what_tells_stays_and_codes_always_do() -> None:
    kept = screened(sample(), "binary", 5)
    assert {"c0", "c38"} <= set(kept)
    assert len(kept) in (5, 6)
    assert list(kept) == sorted(kept, key=lambda name: int(name[1:]))


def test_few_columns_are_not_screened() -> None:
    assert screened(sample(), "binary", 40) == sample().names
