"""What goes together with leaving, value and buying: asked of the models of the test date, about
customers they had not seen.

Permutation: shuffle the columns of one group of features among the customers of the test date and
see how much of what the model knows is lost (Breiman 2001; by group and on the loss as Fisher,
Rudin & Dominici 2019). Effect: accumulated local effects (Apley & Zhu 2020),
the mean change of the chance while one feature goes from one quantile to the next among the
customers who have it there, added up; unlike partial dependence it asks nothing about customers who
do not exist. Both are association, no cause.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from akb.core.draws.sampling import draw_key, lots, lowest
from akb.models.evidence.metrics import losses
from akb.models.types import Determinants, GroupWeight, LocalEffect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Rows = NDArray[np.float32]

# at most that are asked: every group of features asks all of them `REPEATS` times
CUSTOMERS = 2_000
REPEATS, DRAWS = 3, 200  # shuffles per group, and draws of the bootstrap
EFFECTS, BINS = 3, 6  # curves that the report draws, and their steps
FEWEST = 50  # events, non-events, and customers per step
RENEWAL = "renewal"


@dataclass(frozen=True)
class Probe:
    """A model of the test date and the customers of that date that it never saw.

    Parameters
    ----------
    x, names
        Their features, float32 [n, f]; of a name with ``@`` what follows is the month ahead.
    label
        Whether it happened.
    predict
        (features) -> chance per row.
    share
        Feature -> its weight in the model, to choose whose effect is drawn.
    """

    key: str
    test_date: date
    names: tuple[str, ...]
    x: Rows
    label: Floats
    predict: Callable[[Rows], Floats]
    share: Mapping[str, float]


def some_rows(identity: NDArray[np.uint64], key: str) -> NDArray[np.int64]:
    """Return the positions of at most `CUSTOMERS` rows, ascending: the lowest of a draw.

    Parameters
    ----------
    identity
        What the customer of each row is drawn by.
    key
        Names the draw.

    Examples
    --------
    >>> some_rows(np.arange(3, dtype=np.uint64), "churn_12m").tolist()
    [0, 1, 2]
    >>> len(some_rows(np.arange(10_000, dtype=np.uint64), "churn_12m"))
    2000
    """
    everyone = np.zeros(len(identity), dtype=np.int64)
    return lowest(lots(draw_key(0, key, "determinants"), identity), everyone, CUSTOMERS)[0]


def determinants_of(probe: Probe, group_of: Mapping[str, str], seed: int) -> Determinants | None:
    """Return how much each group of features weighs and the effects of the heaviest features, with
    95 % intervals.

    Parameters
    ----------
    group_of
        Feature -> group; what only the month ahead knows belongs to the renewals, what is unknown
        to none.

    Returns
    -------
    None where too few events stand behind it or the model does not beat the base rate on these
    customers.
    """
    events = float(probe.label.sum())
    if events < FEWEST or events > len(probe.label) - FEWEST:
        return None
    rng = np.random.default_rng([seed, zlib.crc32(probe.key.encode())])
    n = len(probe.label)
    draws = rng.multinomial(n, np.full(n, 1 / n), size=DRAWS) / n
    own = losses("binary", probe.label, probe.predict(probe.x))
    plain = losses("binary", probe.label, np.full(n, probe.label.mean()))
    known = plain - own
    if float(known.mean()) <= 0 or float(np.percentile(draws @ known, 5)) <= 0:
        return None
    groups = [RENEWAL if "@" in name else group_of.get(name, "") for name in probe.names]
    weights = []
    for group in sorted(set(groups) - {""}):
        columns = [place for place, each in enumerate(groups) if each == group]
        shuffled = [probe.predict(_shuffled(probe.x, columns, rng)) for _ in range(REPEATS)]
        lost = np.mean([losses("binary", probe.label, each) for each in shuffled], axis=0) - own
        share = draws @ lost / np.maximum(draws @ known, 1e-12)
        low, high = np.percentile(share, [2.5, 97.5])
        weights.append(
            GroupWeight(group, float(lost.mean() / known.mean()), (float(low), float(high)))
        )
    heaviest = sorted(probe.share, key=lambda name: (-probe.share[name], name))
    drawn = [name for name in heaviest if name in probe.names and group_of.get(name)]
    effects = (effect(probe, name, draws) for name in drawn[: 2 * EFFECTS])
    weights.sort(key=lambda each: (-each.share, each.group))
    return Determinants(
        probe.key,
        probe.test_date,
        n,
        int(events),
        tuple(weights),
        tuple(each for each in effects if each is not None)[:EFFECTS],
    )


def _shuffled(x: Rows, columns: list[int], rng: np.random.Generator) -> Rows:
    """Return a copy in which these columns belong to other customers, together."""
    mixed = x.copy()
    mixed[:, columns] = x[rng.permutation(len(x))][:, columns]
    return mixed


def effect(probe: Probe, name: str, draws: Floats) -> LocalEffect | None:
    """Return the accumulated local effect of one feature, in chance, around its mean; None where it
    hardly varies.

    Examples
    --------
    A chance that rises by .01 a year, for years of 0 to 20: from .10 below its mean to .10 above.

    >>> from datetime import date
    >>> x = np.linspace(0, 20, 601, dtype=np.float32)[:, None]
    >>> ask = Probe("k", date(2024, 1, 1), ("years",), x, x[:, 0], lambda x: x[:, 0] / 100, {})
    >>> points = effect(ask, "years", np.full((2, 601), 1 / 601)).points
    >>> [(round(years, 1), round(change, 2)) for years, change, *_ in (points[0], points[-1])]
    [(0.0, -0.1), (20.0, 0.1)]
    """
    column = probe.names.index(name)
    values = probe.x[:, column].astype(np.float64)
    known = ~np.isnan(values)
    if int(known.sum()) < BINS * FEWEST:
        return None
    edges = np.unique(np.quantile(values[known], np.linspace(0, 1, BINS + 1), method="nearest"))
    if len(edges) < 2:
        return None
    place = np.clip(np.searchsorted(edges, values, side="left") - 1, 0, len(edges) - 2)
    place[~known] = -1
    lower, upper = probe.x.copy(), probe.x.copy()
    lower[:, column] = np.where(known, edges[np.maximum(place, 0)], probe.x[:, column])
    upper[:, column] = np.where(known, edges[np.maximum(place, 0) + 1], probe.x[:, column])
    step = np.where(known, probe.predict(upper) - probe.predict(lower), 0.0)
    inside = np.stack([place == each for each in range(len(edges) - 1)], axis=1).astype(np.float64)

    def curve(weight: Floats) -> Floats:
        """Accumulated means per bin, centred on the customers; [draws, edges]."""
        total = weight @ inside
        means = (weight @ (inside * step[:, None])) / np.maximum(total, 1e-12)
        risen = np.concatenate([np.zeros((len(weight), 1)), np.cumsum(means, axis=1)], axis=1)
        middle = (risen[:, 1:] + risen[:, :-1]) / 2
        return np.asarray(
            risen - (middle * total).sum(axis=1, keepdims=True) / total.sum(axis=1, keepdims=True)
        )

    own = curve(np.full((1, len(values)), 1 / len(values)))[0]
    low, high = np.percentile(curve(draws), [2.5, 97.5], axis=0)
    points = zip(edges.tolist(), own.tolist(), low.tolist(), high.tolist(), strict=True)
    return LocalEffect(name, tuple(points))
