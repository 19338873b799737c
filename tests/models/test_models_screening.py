"""The first sieve keeps what tells, in the order of the columns, and never drops a code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from akb.models.learners.rule import QUANTILES, float32_at_least, screened, sorted_quantiles
from akb.models.learners.sample import Sample


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
    assert {"c0", "c38"} <= set(kept.names)
    assert len(kept.names) in (5, 6)
    assert list(kept.names) == sorted(kept.names, key=lambda name: int(name[1:]))
    assert kept.names[kept.ranked[0]] == "c38"
    assert kept.names[kept.categorical[0]] == "c0"
    assert (kept.x[:, kept.names.index("c38")] == sample().x[:, 38]).all()


def test_directions_follow_their_columns() -> None:
    bound = replace(sample(), monotone=tuple(range(40)))
    kept = screened(bound, "binary", 5)
    assert [f"c{direction}" for direction in kept.monotone] == list(kept.names)


def test_a_rare_signal_is_seen() -> None:
    rng = np.random.default_rng(4)
    rare = rng.random(4_000) < 0.02
    noise = sample()
    x = noise.x.copy()
    x[:, 7] = rare
    label = (rng.random(4_000) < np.where(rare, 0.6, 0.05)).astype(np.float64)
    kept = screened(replace(noise, x=x, label=label), "binary", 3)
    assert kept.names[kept.ranked[0]] == "c7"


def test_few_columns_are_not_screened() -> None:
    assert screened(sample(), "binary", 40).names == sample().names


def test_one_sort_gives_the_quantiles_of_numpy_to_the_bit() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(40, 301)).astype(np.float32)
    rows[::3] = rows[::3].round(1)
    rows[rng.random(rows.shape) < rng.random((40, 1))] = np.nan
    rows[0] = np.nan
    known = (~np.isnan(rows)).sum(axis=1)
    found = sorted_quantiles(np.sort(rows, axis=1), known)
    assert np.isnan(found[0]).all()
    for row, own in zip(rows[1:], found[1:], strict=True):
        assert (np.quantile(row[~np.isnan(row)], QUANTILES) == own).all()


def test_a_value_on_an_edge_falls_to_the_right_of_it() -> None:
    edges = np.array([0.1, 0.1 + 1e-12, 0.25])  # no float32 is .1, nor anything between the first two
    near = np.float32(0.1)
    values = np.array([np.nextafter(near, np.float32(0)), near, np.nextafter(near, np.float32(1)), 0.25], np.float32)
    passed = (values >= float32_at_least(edges)[:, None]).sum(axis=0)
    assert passed.tolist() == np.digitize(values, edges).tolist()
