"""What the models say made to agree: with what is announced, and churn, any lapse, branches and counts together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.models.churn.announced import announced_lags, announced_lapses
from akb.models.churn.landmark import LAGS
from akb.models.coherence.bounds import keep_total, positions, settle, wide
from akb.models.context import Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry
    from akb.models.churn.fit import ChurnResult
    from akb.models.context import Judged, Room
    from akb.models.types import Prediction

HEADLINE, LIFETIME = "churn_12m", "remaining_lifetime_years"
DESCRIPTIONS = ("need", "churn_effect")


@dataclass(frozen=True)
class Proven:
    """Predictions with evidence of what is delivered; per (customer, branch) of T0 the lapse that was delivered."""

    predictions: tuple[Prediction, ...] = ()
    lapses: tuple[Judged, NDArray[np.float32]] | None = None

    def lapses_of(self, entries: Sequence[Entry], day: date) -> pl.DataFrame | None:
        """Return customer, branch, probability as they were told of `day`; None where that is not T0."""
        return None if self.lapses is None else _told_of(*self.lapses, entries, "family_lapse", day)


def purchases_of(parts: dict[str, Part], entries: Sequence[Entry], day: date) -> pl.DataFrame | None:
    """Return customer, branch, probability of a purchase as told of `day`, where that is T0; it agrees with nothing."""
    judged = parts["family_purchase"].tested if "family_purchase" in parts else None
    return None if judged is None else _told_of(judged, judged.expected, entries, "family_purchase", day)


def _told_of(
    judged: Judged, told: NDArray[Any], entries: Sequence[Entry], method: str, day: date
) -> pl.DataFrame | None:
    if judged.test_date != day:
        return None
    names = [entry.branch for entry in entries if entry.method == method]
    frame = {
        "customer": judged.customer,
        "branch": [names[code] for code in judged.group.tolist()],
        "probability": told.astype(np.float64),
    }
    schema = {"customer": pl.UInt32, "branch": pl.String, "probability": pl.Float64}
    return pl.DataFrame(frame, schema=schema).sort("customer", "branch")


def prove_agreed(parts: dict[str, Part], churn: ChurnResult, entries: Sequence[Entry]) -> Proven:
    """Return the predictions that are made to agree, with the evidence of what they said of T0 once they agreed.

    On T0 nothing was announced as far as an export can tell, so agreeing is all that was done to the scores; purchases
    and what happens only to those who stay agree with nothing else. Over shorter horizons, where a year is not closed,
    what is proven is the rank of each by itself.
    """
    by_target = {entry.target: parts[entry.key].tested for entry in entries if entry.target and entry.key in parts}
    whole = by_target.get("first_lapse")
    if whole is None:
        return Proven()
    family = parts["family_lapse"].tested if "family_lapse" in parts else None
    count, unpaid, branch = (
        each if each is not None and each.test_date == whole.test_date else None
        for each in (by_target.get("lapses_12m"), by_target.get("first_nonpayment"), family)
    )
    gone = churn.tested[1] if churn.tested and churn.tested[0] == whole.test_date else None
    if all(each is None for each in (count, unpaid, branch, gone)):
        return Proven()
    row = positions(whole.customer, branch.customer) if branch else np.empty(0, dtype=np.int64)
    any32, lost32, parts32 = settle(
        None if gone is None else gone.astype(np.float32),
        whole.expected,
        None if count is None else count.expected,
        row,
        branch.expected if branch else np.empty(0),
        branch.group.astype(np.int64) if branch else row,
        np.zeros(len(whole.customer), dtype=np.bool_),
    )
    least = None
    if unpaid is not None and any32 is not None:
        least = _at_most(_float32(unpaid.expected), any32[positions(whole.customer, unpaid.customer)])
    agreed = ((whole, any32), (count, lost32), (unpaid, least), (branch, parts32))
    predictions = tuple(
        prediction
        for tested, found in agreed
        if tested is not None and found is not None
        for prediction in tested.again(found.astype(np.float64))
    )
    return Proven(predictions, None if branch is None else (branch, parts32))


@dataclass(frozen=True)
class Agreed:
    """What is delivered at X: scores per customer, and the chances per (customer, branch) behind them."""

    scores: pl.DataFrame
    lapses: pl.DataFrame
    purchases: pl.DataFrame


_NO_BRANCHES = pl.DataFrame(schema={"customer": pl.UInt32, "branch": pl.String, "probability": pl.Float64})


def agree_all(
    room: Room,
    parts: dict[str, Part],
    churns: tuple[ChurnResult, ChurnResult],
    entries: Sequence[Entry],
    made: dict[str, Prediction],
) -> Agreed:
    """Return all scores at X as float32, agreeing with one another.

    Parameters
    ----------
    churns
        Under the definition that is set, and of the whole relation. The lapses agree with the latter, whatever the
        definition: money stands on them. What is delivered as churn then agrees with the lapses (`within`).
    """
    churn, entire = churns
    frame = room.matrix.frame.filter(pl.col("as_of") == room.as_of).select("customer").sort("customer")
    customers = frame["customer"].to_numpy()
    certain = _leaving(room, customers)
    by_target = {e.target: e.key for e in entries if e.target and e.key in parts and parts[e.key].scores is not None}

    def column(target: str) -> NDArray[np.float64] | None:
        part = parts.get(by_target.get(target, ""))
        return None if part is None or part.scores is None else part.scores[by_target[target]].to_numpy()

    def branches(method: str) -> pl.DataFrame:
        part = parts.get(method)
        return _NO_BRANCHES if part is None or part.branches is None else part.branches

    lapses, purchases = branches("family_lapse"), branches("family_purchase")
    told = announced_lapses(room.targets.announced_lapses, customers, lapses, room.as_of)
    row = positions(customers, lapses["customer"].to_numpy())
    sure, sure_rows = certain | (told.policies > 0), certain[row] | told.rows
    lapses = _certain_branches(lapses, sure_rows, value=1.0)
    sold = certain[positions(customers, purchases["customer"].to_numpy())]
    purchases = _certain_branches(purchases, sold, value=0.0)
    held = np.bincount(row, minlength=len(customers)).astype(np.float64)
    rest = np.bincount(row, weights=np.where(sure_rows, 0.0, lapses["probability"].to_numpy()), minlength=len(held))
    targets = ("first_lapse", "lapses_12m", "first_purchase", "first_nonpayment")
    whole, lost, bought, unpaid = (column(target) for target in targets)
    if whole is not None:
        whole = keep_total("binary", whole, sure, np.ones(len(whole)))
    if lost is not None:
        goes = np.where(certain, np.maximum(np.maximum(lost, held), told.policies), told.policies + rest)
        lost = keep_total("poisson", lost, sure, np.maximum(goes, 1.0))
    if bought is not None:
        bought = keep_total("binary", bought, certain, np.zeros(len(bought)))
    if unpaid is not None:  # who leaves for another reason does not lapse for this one any more
        unpaid = keep_total("binary", unpaid, certain | told.nonpayment, told.nonpayment.astype(np.float64))
    gone_12m = entire.scores[HEADLINE].to_numpy() if HEADLINE in entire.scores.columns else None
    code = np.unique(lapses["branch"].to_numpy().astype(str), return_inverse=True)[1]
    chance = lapses["probability"].to_numpy()
    any32, lost32, parts32 = settle(gone_12m, whole, lost, row, chance, code, sure, sure_rows)
    lapses = lapses.with_columns(pl.Series("probability", parts32.astype(np.float64)))
    own = {"first_lapse": any32, "lapses_12m": lost32, "first_purchase": _float32(bought)}
    own["first_nonpayment"] = _at_most(_float32(unpaid), any32)
    columns = {by_target[target]: pl.Series(value) for target, value in own.items() if value is not None}
    for target, key in by_target.items():
        given = parts[key].scores
        if target not in own and given is not None and parts[key].agrees:
            columns[key] = _for_who_stays(given, key, customers, certain)
    leaving = churn.scores if entire is churn else _defined(churn.scores, entire.scores, any32)
    known = [key for key in leaving.columns[1:] if made.get(key) and made[key].status != "unavailable"]
    scores = frame.join(leaving.select("customer", *known), on="customer", how="left", maintain_order="left")
    scores = scores.with_columns(value.cast(pl.Float32).alias(key) for key, value in columns.items())
    for method, chances in (("family_lapse", lapses), ("family_purchase", purchases)):
        keys = {
            entry.branch or "": entry.key
            for entry in entries
            if entry.method == method and made[entry.key].status != "unavailable"
        }
        scores = scores.join(wide(chances, keys), on="customer", how="left", maintain_order="left")
    scores = _with_own(scores, (part for name, part in parts.items() if not part.agrees or name in DESCRIPTIONS))
    order = [entry.key for entry in entries if entry.key in scores.columns]
    return Agreed(scores.select("customer", *order), lapses, purchases)


def _leaving(room: Room, customers: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Who loses every policy within 12 months because it is announced, whatever the definition of churn."""
    announced = room.targets.announced if room.settings.churn.definition == "all" else room.targets.leaving
    if announced is None:
        return np.zeros(len(customers), dtype=np.bool_)
    gone = announced_lags(announced, customers, room.as_of)
    return (gone > 0) & (gone <= LAGS)


def _defined(scores: pl.DataFrame, entire: pl.DataFrame, any_lapse: NDArray[np.float32] | None) -> pl.DataFrame:
    """Return the scores under a narrower definition, no chance to leave above that of any lapse.

    How long the relation itself still lasts is not a matter of definition.
    """
    if any_lapse is not None and HEADLINE in scores.columns:
        chance = scores[HEADLINE].to_numpy().astype(np.float64)
        factor = pl.Series(within(chance, any_lapse.astype(np.float64)) / np.where(chance > 0, chance, 1.0))
        chances = [key for key in scores.columns if key.startswith("churn_")]
        scores = scores.with_columns((pl.col(key) * factor).cast(pl.Float32) for key in chances)
        bound = pl.Series(any_lapse)  # a rounding of the last bit may not lift it over the bound again
        scores = scores.with_columns(pl.min_horizontal(pl.col(key), bound) for key in chances)
    if LIFETIME not in entire.columns:
        return scores.drop(LIFETIME, strict=False)
    own = entire.select("customer", LIFETIME)
    return scores.drop(LIFETIME, strict=False).join(own, on="customer", how="left", maintain_order="left")


def within(chance: NDArray[np.float64], bound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return chances, none above its bound, with their sum kept as far as the bounds leave room for it."""
    capped = np.minimum(chance, bound)
    lost, room = float((chance - capped).sum()), np.where(chance > 0, bound - capped, 0.0)
    total = float(room.sum())
    return capped + room * min(1.0, lost / total) if total > 0 else capped


def _with_own(scores: pl.DataFrame, parts: Iterable[Part]) -> pl.DataFrame:
    """Add the scores and classes that have nothing to agree with."""
    for part in parts:
        for given in (part.scores, part.classes):
            scores = scores if given is None else scores.join(stored(given), on="customer", how="left")
    return scores.sort("customer")


def stored(given: pl.DataFrame) -> pl.DataFrame:
    """Return scores as they are kept: numbers as Float32, classes as text."""
    return given.with_columns(pl.selectors.float().cast(pl.Float32))


def _for_who_stays(
    given: pl.DataFrame, key: str, customers: NDArray[np.uint32], certain: NDArray[np.bool_]
) -> pl.Series:
    """Return chances of what happens only to those who stay: none for announced leavers, null where it is not asked."""
    at = positions(customers, given["customer"].to_numpy())
    chance = keep_total("binary", given[key].to_numpy(), certain[at], np.zeros(len(at)))
    values: list[float | None] = [None] * len(customers)
    for place, value in zip(at.tolist(), chance.tolist(), strict=True):
        values[place] = value
    return pl.Series(key, values, dtype=pl.Float32)


def _at_most(part: NDArray[np.float32] | None, whole: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    return part if part is None or whole is None else np.minimum(part, whole)


def _float32(values: NDArray[np.float64] | None) -> NDArray[np.float32] | None:
    return None if values is None else values.astype(np.float32)


def _certain_branches(branches: pl.DataFrame, told: NDArray[np.bool_], *, value: float) -> pl.DataFrame:
    """Return the branch chances with the announced ones certain and each branch's total kept."""
    if not told.any():
        return branches
    chance, name = branches["probability"].to_numpy().copy(), branches["branch"].to_numpy().astype(str)
    for branch in np.unique(name):
        here = name == branch
        chance[here] = keep_total("binary", chance[here], told[here], np.full(int(here.sum()), value))
    return branches.with_columns(pl.Series("probability", chance))
