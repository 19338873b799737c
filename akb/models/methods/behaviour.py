"""Customers that behave alike, and how unusual the last year of a customer was: learned without any
outcome.

Nothing here is proven on later data, for there is nothing that could come true: the status is
*derived*. What can be shown is how stable the groups are: k-means with other seeds has to find the
same ones (adjusted Rand index).
"""

from __future__ import annotations

import time
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.draws.sampling import draw_key, lots, lowest
from akb.core.wording.phrases import Listed, Translated
from akb.core.wording.text import load_toml, text, texts
from akb.models.context import FitContext, MethodResult, why
from akb.models.method import method
from akb.models.methods.behaviour_files import (
    BehaviourGroups,
    IsolationTrees,
    Scale,
    UnusualChange,
    filled_in,
    median_of,
    nearest,
)
from akb.models.methods.verdict import unavailable
from akb.models.types import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry

    Floats = NDArray[np.float64]

SEEDS, SAMPLE = 4, 2_500  # k-means from so many starts, on so many customers: bounds the cost
TREES, DRAWN = 100, 256  # of the isolation forest, as Liu, Ting & Zhou 2008 fix them
_TOPIC, _LANGUAGE = "behaviour", "nl"


@method("cluster")
def cluster(context: FitContext, entry: Entry) -> MethodResult:
    """Return the group of every customer, named by what sets it apart."""
    began = time.perf_counter()
    rules = load_toml("behaviour.toml")["cluster"]
    names, frame = _known(context, rules["features"])
    if len(names) < rules["least"] or frame.height < 10 * rules["groups"][1]:
        return MethodResult((unavailable(entry, why("no_behaviour")),))
    values = frame.select(names).to_numpy().astype(np.float64)
    scale = Scale.of(values)
    x = scale.applied(values)
    identity = context.matrix.identity_of(frame["customer"].to_numpy())
    key = draw_key(context.settings.models.seed, entry.key, "centres")
    part, _ = lowest(lots(key, identity), np.zeros(len(x), dtype=np.int64), SAMPLE)
    centres, stability = stable_groups(
        x[part], range(rules["groups"][0], rules["groups"][1] + 1), rules["stable"]
    )
    group = nearest(x, centres)
    members = [group == each for each in range(len(centres))]
    means = np.array(
        [x[who].mean(axis=0) if who.any() else centres[k] for k, who in enumerate(members)]
    )
    words = named(means, names, rules["apart"])
    spoken = named(means, names, rules["apart"], "en")
    scores = frame.select(
        "customer", pl.Series(entry.key, [words[each] for each in group.tolist()])
    )
    reason = why(
        "clusters", groups=len(centres), stability=stability, names=_in_words(words, spoken)
    )
    made = Prediction(
        entry.key,
        "derived",
        reason,
        population=frame.height,
        winner="",
        seconds=time.perf_counter() - began,
    )
    groups = BehaviourGroups(tuple(names), scale, centres, tuple(words))
    return MethodResult((made,), classes=scores, files=groups.files(f"models/{entry.key}"))


@method("unusual")
def unusual(context: FitContext, entry: Entry) -> MethodResult:
    """Return how unusual the change of the last 12 months is: the share of customers a year ago
    that changed less.
    """
    from sklearn.ensemble import IsolationForest

    began = time.perf_counter()
    rules = load_toml("behaviour.toml")["unusual"]
    names, now = _known(context, rules["features"])
    if len(names) < rules["least"] or now.height < DRAWN:
        return MethodResult((unavailable(entry, why("no_behaviour")),))
    seed = context.settings.models.seed
    then = _a_year_ago(context, names)
    reference = now if then is None else then
    centre = median_of(reference.select(names).to_numpy().astype(np.float64))
    forest = IsolationForest(n_estimators=TREES, max_samples=DRAWN, random_state=seed, n_jobs=1)

    def filled(frame: pl.DataFrame) -> Floats:
        return filled_in(frame, names, centre)

    forest.fit(filled(reference))
    grown = IsolationTrees.of(forest)
    ordinary = np.sort(grown.unusual(filled(reference)))
    change = UnusualChange(tuple(names), centre, ordinary, grown)
    scores = now.select("customer", pl.Series(entry.key, change.rank(now)))
    reason = why("unusual" if then is not None else "unusual_now", features=len(names))
    made = Prediction(
        entry.key, "derived", reason, population=now.height, seconds=time.perf_counter() - began
    )
    return MethodResult((made,), scores, files=change.files(f"models/{entry.key}"))


def _known(context: FitContext, wanted: Sequence[str]) -> tuple[list[str], pl.DataFrame]:
    """Return the wanted features that say something at X, and the customers with them."""
    there = [name for name in wanted if name in context.matrix.names]
    frame = context.matrix.on(context.as_of, there)
    telling = [name for name in there if frame[name].drop_nulls().n_unique() > 1]
    return telling, frame.select("customer", *telling)


def _a_year_ago(context: FitContext, names: Sequence[str]) -> pl.DataFrame | None:
    """Return the customers of the as-of date nearest to a year before X, if all the features were
    known there.
    """
    before = [day for day in context.matrix.dates if 330 <= (context.as_of - day).days <= 400]
    if not before:
        return None
    frame = context.matrix.on(before[-1], names)
    known = all(frame[name].null_count() < frame.height for name in names)
    return frame if known and frame.height >= DRAWN else None


def stable_groups(x: Floats, numbers: Sequence[int], enough: float) -> tuple[Floats, float]:
    """Return the centres of the most groups that other seeds find too, and how well they do.

    Parameters
    ----------
    enough
        Mean adjusted Rand index between seeds from which a number of groups counts as found; where
        none reaches it, the most stable number is taken.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score
    from threadpoolctl import threadpool_limits

    found: dict[int, tuple[float, Any]] = {}
    with threadpool_limits(1):
        for k in numbers:
            fits = [KMeans(k, n_init=2, random_state=seed).fit(x) for seed in range(SEEDS)]
            rand = [adjusted_rand_score(a.labels_, b.labels_) for a, b in combinations(fits, 2)]
            found[k] = float(np.mean(rand)), min(fits, key=lambda fit: float(fit.inertia_))
    stable = [k for k, (agreement, _) in found.items() if agreement >= enough]
    best = max(stable) if stable else max(found, key=lambda k: (found[k][0], -k))
    centres = np.round(np.asarray(found[best][1].cluster_centers_, dtype=np.float64), 6)
    return np.asarray(centres[np.lexsort(centres.T[::-1])], dtype=np.float64), found[best][0]


def _in_words(dutch: Sequence[str], english: Sequence[str]) -> Listed:
    """Return the names of the groups, once each, for a sentence in either language."""
    pairs = sorted(dict(zip(dutch, english, strict=True)).items())
    return Listed(tuple(Translated(*pair) for pair in pairs), between="; ")


def named(
    centres: Floats, names: Sequence[str], apart: float, language: str = _LANGUAGE
) -> list[str]:
    """Return a name per group: the two features that lie furthest from the mean, if far enough; no
    name twice.
    """
    tree = texts(_TOPIC, language)[_TOPIC]
    made: list[str] = []
    for centre in centres:
        order = np.argsort(-np.abs(centre), kind="stable")
        far = [place for place in order.tolist() if abs(centre[place]) >= apart]
        words = [tree["high" if centre[place] > 0 else "low"][names[place]] for place in far]
        short = words[0] if len(words) == 1 else text(_TOPIC, language, _TOPIC, "average")
        tries = [tree["joined"].format(first=words[0], second=other) for other in words[1:]] or [
            short
        ]
        free = next((name for name in tries if name not in made), None)
        number = 2
        while free is None or free in made:
            free = tree["numbered"].format(name=tries[0], number=number)
            number += 1
        made.append(free)
    return made
