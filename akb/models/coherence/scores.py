"""Scores that cohere: with what is announced, and churn, any lapse, branches and counts together.

Which score plays which part each method says itself (`akb.models.method.Role`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.models.churn import CHURN, LAGS, LIFETIME, announced_lags, announced_lapses
from akb.models.coherence.bounds import Held, Lapses, keep_total, settle
from akb.models.method import Role
from akb.models.tables import named_rows, positions, stored, wide

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from akb.models.churn import AnnouncedLapses, ChurnResult
    from akb.models.context import FitContext, HoldoutScores, MethodResult
    from akb.models.method import MethodRun
    from akb.models.types import Prediction

HEADLINE = CHURN[-1]
_BRANCHES = {"customer": pl.UInt32, "branch": pl.String, "probability": pl.Float64}


def _playing(runs: Sequence[MethodRun], role: Role) -> MethodRun | None:
    """The run that plays a part, as far as it gave something."""
    return next((run for run in runs if run.role is role), None)


def _tested(runs: Sequence[MethodRun], role: Role) -> HoldoutScores | None:
    run = _playing(runs, role)
    return None if run is None else run.result.tested


@dataclass(frozen=True)
class CoherentEvidence:
    """Predictions with evidence of what is delivered; per (customer, branch) of the test date what
    was delivered.
    """

    predictions: tuple[Prediction, ...] = ()
    lapses: NDArray[np.float32] | None = None


def branches_of(
    runs: Sequence[MethodRun], role: Role, day: date, delivered: NDArray[Any] | None = None
) -> pl.DataFrame | None:
    """Return customer, branch, probability as they were delivered on `day`; None where that is not
    the test date.

    Parameters
    ----------
    delivered
        Per row of the test date; None: as the method expected, for it coheres with nothing.
    """
    run, tested = _playing(runs, role), _tested(runs, role)
    if run is None or tested is None or tested.test_date != day:
        return None
    expected = tested.expected if delivered is None else delivered
    names = [entry.branch or "" for entry in run.entries]
    return named_rows(tested.customer, tested.group, names, expected.astype(np.float64))


def coherent_evidence(runs: Sequence[MethodRun], churn: ChurnResult) -> CoherentEvidence:
    """Return the predictions that have to cohere, with the evidence of what they said of the test
    date once they did.

    On the test date nothing was announced as far as an export can tell, so cohering is all that was
    done to the scores; purchases and what happens only to those who stay cohere with nothing else.
    Over shorter horizons, where a year is not closed, what is proven is the rank of each by itself.
    """
    whole = _tested(runs, Role.ANY_LAPSE)
    if whole is None:
        return CoherentEvidence()
    count, unpaid, branch = (
        each if each is not None and each.test_date == whole.test_date else None
        for each in (
            _tested(runs, role) for role in (Role.LAPSES, Role.NONPAYMENT, Role.BRANCH_LAPSE)
        )
    )
    gone = churn.tested[1] if churn.tested and churn.tested[0] == whole.test_date else None
    if all(each is None for each in (count, unpaid, branch, gone)):
        return CoherentEvidence()
    row = positions(whole.customer, branch.customer) if branch else np.empty(0, dtype=np.int64)
    settled = settle(
        None if gone is None else gone.astype(np.float32),
        Lapses(
            whole.expected,
            None if count is None else count.expected,
            branch.expected if branch else np.empty(0),
        ),
        Held(row, branch.group.astype(np.int64) if branch else row),
        np.zeros(len(whole.customer), dtype=np.bool_),
    )
    least = None
    if unpaid is not None and settled.any_lapse is not None:
        least = _at_most(
            _float32(unpaid.expected), settled.any_lapse[positions(whole.customer, unpaid.customer)]
        )
    coherent = (
        (whole, settled.any_lapse),
        (count, settled.count),
        (unpaid, least),
        (branch, settled.by_branch),
    )
    predictions = tuple(
        prediction
        for tested, found in coherent
        if tested is not None and found is not None
        for prediction in tested.judged(found.astype(np.float64))
    )
    return CoherentEvidence(predictions, None if branch is None else settled.by_branch)


@dataclass(frozen=True)
class CoherentScores:
    """What is delivered at X: scores per customer, and the chances per (customer, branch) behind
    them.
    """

    scores: pl.DataFrame
    lapses: pl.DataFrame
    purchases: pl.DataFrame


@dataclass(frozen=True)
class _Leaving:
    """The customers in force at X, ascending, and who of them has announced to leave wholly within
    12 months.
    """

    customers: NDArray[np.uint32]
    certain: NDArray[np.bool_]


def coherent_scores(
    context: FitContext,
    runs: Sequence[MethodRun],
    churn: ChurnResult,
    entire: ChurnResult,
    made: Mapping[str, Prediction],
) -> CoherentScores:
    """Return all scores at X as float32, cohering with one another.

    Parameters
    ----------
    churn, entire
        Under the definition that is set, and of the whole relation. The lapses cohere with the
        latter, whatever the definition: money stands on them. What is delivered as churn then
        coheres with the lapses (`within`).
    """
    frame = context.matrix.on(context.as_of)
    customers = frame["customer"].to_numpy()
    leaving = _Leaving(customers, _leaving(context, customers))
    lapses, columns, any_lapse = _coherent_lapses(context, runs, entire, leaving)
    purchases = _branches(runs, Role.BRANCH_PURCHASE)
    sold = leaving.certain[positions(customers, purchases["customer"].to_numpy())]
    purchases = _certain_branches(purchases, sold, value=0.0)
    bought = _column(runs, Role.ANY_PURCHASE)
    if bought is not None:
        none = np.zeros(len(customers))
        columns[bought[0]] = pl.Series(
            _float32(keep_total("binary", bought[1], leaving.certain, none))
        )
    for run in runs:
        if run.role is Role.STAYER and run.result.scores is not None:
            columns[run.name] = _for_who_stays(run.result.scores, run.name, leaving)
    defined = churn.scores if entire is churn else _defined(churn.scores, entire.scores, any_lapse)
    known = [
        key for key in defined.columns[1:] if made.get(key) and made[key].status != "unavailable"
    ]
    scores = frame.join(
        defined.select("customer", *known), on="customer", how="left", maintain_order="left"
    )
    scores = scores.with_columns(
        value.cast(pl.Float32).alias(key) for key, value in columns.items()
    )
    for role, chances in ((Role.BRANCH_LAPSE, lapses), (Role.BRANCH_PURCHASE, purchases)):
        playing = _playing(runs, role)
        members = () if playing is None else playing.entries
        keys = {
            entry.branch or "": entry.key
            for entry in members
            if made[entry.key].status != "unavailable"
        }
        scores = scores.join(wide(chances, keys), on="customer", how="left", maintain_order="left")
    scores = _with_own(scores, (run.result for run in runs if run.role is Role.ALONE))
    return CoherentScores(scores, lapses, purchases)


def _coherent_lapses(
    context: FitContext, runs: Sequence[MethodRun], entire: ChurnResult, leaving: _Leaving
) -> tuple[pl.DataFrame, dict[str, pl.Series], NDArray[np.float32] | None]:
    """The lapses per branch, the columns about lapses by key, and any lapse per customer."""
    customers, certain = leaving.customers, leaving.certain
    lapses = _branches(runs, Role.BRANCH_LAPSE)
    announced = announced_lapses(context.targets.announced_lapses, customers, lapses, context.as_of)
    row = positions(customers, lapses["customer"].to_numpy())
    sure, sure_rows = certain | (announced.policies > 0), certain[row] | announced.rows
    lapses = _certain_branches(lapses, sure_rows, value=1.0)
    chance = lapses["probability"].to_numpy()
    whole, count, unpaid = (
        _column(runs, role) for role in (Role.ANY_LAPSE, Role.LAPSES, Role.NONPAYMENT)
    )
    any_lapse = number = None
    if whole is not None:
        any_lapse = keep_total("binary", whole[1], sure, np.ones(len(customers)))
    if count is not None:
        held = np.bincount(row, minlength=len(customers)).astype(np.float64)
        rest = np.bincount(row, weights=np.where(sure_rows, 0.0, chance), minlength=len(customers))
        goes = np.where(
            certain,
            np.maximum(np.maximum(count[1], held), announced.policies),
            announced.policies + rest,
        )
        number = keep_total("poisson", count[1], sure, np.maximum(goes, 1.0))
    gone = entire.scores[HEADLINE].to_numpy() if HEADLINE in entire.scores.columns else None
    code = _codes(lapses["branch"])
    settled = settle(gone, Lapses(any_lapse, number, chance), Held(row, code), sure, sure_rows)
    columns: dict[str, pl.Series] = {}
    if whole is not None:
        columns[whole[0]] = pl.Series(settled.any_lapse)
    if count is not None and settled.count is not None:
        columns[count[0]] = pl.Series(settled.count)
    if unpaid is not None:
        columns[unpaid[0]] = pl.Series(
            _at_most(_unpaid(unpaid[1], certain, announced), settled.any_lapse)
        )
    delivered = lapses.with_columns(pl.Series("probability", settled.by_branch.astype(np.float64)))
    return delivered, columns, settled.any_lapse


def _unpaid(
    chance: NDArray[np.float64], certain: NDArray[np.bool_], announced: AnnouncedLapses
) -> NDArray[np.float32] | None:
    """Non-payment as announced; who leaves for another reason does not lapse for this one any
    more.
    """
    unpaid = announced.nonpayment
    return _float32(keep_total("binary", chance, certain | unpaid, unpaid.astype(np.float64)))


def _column(runs: Sequence[MethodRun], role: Role) -> tuple[str, NDArray[np.float64]] | None:
    """The key and the scores of the run that plays a part; None where it gave none."""
    run = next((run for run in runs if run.role is role and run.result.scores is not None), None)
    return (
        None
        if run is None or run.result.scores is None
        else (run.name, run.result.scores[run.name].to_numpy())
    )


def _branches(runs: Sequence[MethodRun], role: Role) -> pl.DataFrame:
    run = _playing(runs, role)
    return (
        pl.DataFrame(schema=_BRANCHES)
        if run is None or run.result.branches is None
        else run.result.branches
    )


def _leaving(context: FitContext, customers: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Who loses every policy within 12 months because it is announced, whatever the definition of
    churn.
    """
    announced = (
        context.targets.announced
        if context.settings.churn.definition == "all"
        else context.targets.leaving
    )
    if announced is None:
        return np.zeros(len(customers), dtype=np.bool_)
    gone = announced_lags(announced, customers, context.as_of)
    return (gone > 0) & (gone <= LAGS)


def _defined(
    scores: pl.DataFrame, entire: pl.DataFrame, any_lapse: NDArray[np.float32] | None
) -> pl.DataFrame:
    """Return the scores under a narrower definition, no chance to leave above that of any lapse.

    How long the relation itself still lasts is not a matter of definition.
    """
    if any_lapse is not None and HEADLINE in scores.columns:
        chance = scores[HEADLINE].to_numpy().astype(np.float64)
        factor = pl.Series(
            within(chance, any_lapse.astype(np.float64)) / np.where(chance > 0, chance, 1.0)
        )
        chances = [key for key in scores.columns if key.startswith("churn_")]
        scores = scores.with_columns((pl.col(key) * factor).cast(pl.Float32) for key in chances)
        # a rounding of the last bit may not lift it over the bound again
        bound = pl.Series(any_lapse)
        scores = scores.with_columns(pl.min_horizontal(pl.col(key), bound) for key in chances)
    if LIFETIME not in entire.columns:
        return scores.drop(LIFETIME, strict=False)
    own = entire.select("customer", LIFETIME)
    return scores.drop(LIFETIME, strict=False).join(
        own, on="customer", how="left", maintain_order="left"
    )


def within(chance: NDArray[np.float64], bound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return chances, none above its bound, with their sum kept as far as the bounds leave room for
    it.
    """
    capped = np.minimum(chance, bound)
    lost, left = float((chance - capped).sum()), np.where(chance > 0, bound - capped, 0.0)
    total = float(left.sum())
    return capped + left * min(1.0, lost / total) if total > 0 else capped


def _with_own(scores: pl.DataFrame, results: Iterable[MethodResult]) -> pl.DataFrame:
    """Add the scores and classes that have nothing to cohere with."""
    for result in results:
        for given in (result.scores, result.classes):
            scores = (
                scores if given is None else scores.join(stored(given), on="customer", how="left")
            )
    return scores.sort("customer")


def _for_who_stays(given: pl.DataFrame, key: str, leaving: _Leaving) -> pl.Series:
    """Return chances of what happens only to those who stay: none for announced leavers, null where
    it is not asked.
    """
    at = positions(leaving.customers, given["customer"].to_numpy())
    chance = keep_total("binary", given[key].to_numpy(), leaving.certain[at], np.zeros(len(at)))
    values: list[float | None] = [None] * len(leaving.customers)
    for place, value in zip(at.tolist(), chance.tolist(), strict=True):
        values[place] = value
    return pl.Series(key, values, dtype=pl.Float32)


def _at_most(
    part: NDArray[np.float32] | None, whole: NDArray[np.float32] | None
) -> NDArray[np.float32] | None:
    return part if part is None or whole is None else np.minimum(part, whole)


def _float32(values: NDArray[np.float64] | None) -> NDArray[np.float32] | None:
    return None if values is None else values.astype(np.float32)


def _codes(branch: pl.Series) -> NDArray[np.int64]:
    """The place of each branch in the alphabet."""
    names = pl.Enum(branch.unique().sort())
    return branch.cast(names).to_physical().to_numpy().astype(np.int64)


def _certain_branches(
    branches: pl.DataFrame, announced: NDArray[np.bool_], *, value: float
) -> pl.DataFrame:
    """Return the branch chances with the announced ones certain and each branch's total kept."""
    if not announced.any():
        return branches
    chance, code = branches["probability"].to_numpy().copy(), _codes(branches["branch"])
    for branch in np.unique(code):
        here = code == branch
        chance[here] = keep_total(
            "binary", chance[here], announced[here], np.full(int(here.sum()), value)
        )
    return branches.with_columns(pl.Series("probability", chance))
