"""Everything that the models say as of X: each method once, side by side, then made to agree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.models.announced import announced_lags, announced_lapses
from akb.models.explain import MOST, contributions_of, importance_of, reasons
from akb.models.landmark import LAGS
from akb.models.parts import PREMIUM, Part, Room, why
from akb.models.profiles import find_profiles
from akb.models.reconcile import keep_total, positions, settle, wide
from akb.models.saved import COLUMNS, feature_table
from akb.models.types import ModelRun, Prediction
from akb.models.verdict import noticed, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.features.types import Matrix, Targets
    from akb.ingest.types import History
    from akb.models.churn import ChurnResult
    from akb.models.drivers import Asked
    from akb.models.people import People
    from akb.models.types import Determinants, Reason

    Job = Callable[[], "Part"]
    Step = Callable[[Room, Entry], "Part"]

CHURN_METHODS = ("hazard", "hazard_cause", "hazard_peak", "survival")
DESCRIPTIONS = ("need", "churn_effect")
SINGLES = ("binary", "count", "winback", "events", "margin", "channel", "cluster", "unusual")
METHODS = (*CHURN_METHODS, *DESCRIPTIONS, "unmade", *SINGLES, "family_lapse", "family_purchase", "family_topic")
LIFETIME_METHODS = (*CHURN_METHODS, "family_lapse")
"""What lifetime value is made of: how long relations and policies last."""
STANDING = ("margin",)
HEADLINE = "churn_12m"


def run_models(
    matrix: Matrix,
    targets: Targets,
    entries: Sequence[Entry],
    settings: Settings,
    *,
    as_of: date,
    history: History,
    progress: Callable[[str], None],
    people: People | None = None,
) -> ModelRun:
    """Fit, prove and score every entry of the models room.

    Parameters
    ----------
    entries
        The catalogue's entries of this room, unfolded per branch.
    progress
        Told in a few words what is being done.
    people
        Who the customers are, to show errors by age, kind and office.
    """
    from threadpoolctl import threadpool_limits

    room = Room(matrix, targets, settings, as_of, history, progress, people)
    reasonless = {entry.key: reason for entry in entries if (reason := _unmet(entry, room))}
    able = [entry for entry in entries if entry.key not in reasonless]
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(settings.models.jobs) as pool:
        churn_job = pool.submit(_churn, room)
        profiles_job = pool.submit(find_profiles, room)
        jobs = {name: pool.submit(job) for name, job in _jobs(room, able)}
        churn = churn_job.result()
        parts = {}
        for name, job in jobs.items():
            parts[name] = job.result()
            progress(name)
        definitions = _definitions(room, churn, pool)
        profiles = profiles_job.result()
        wanted = {entry.key for entry in able if entry.determinants}
        asked = [each for each in (churn.asked, *(part.asked for part in parts.values())) if each is not None]
        found = pool.map(lambda each: _determinants(room, each), (each for each in asked if each.key in wanted))
        telling = tuple(each for each in found if each is not None)
    made = {p.key: p for part in parts.values() for p in part.predictions} | churn.predictions
    made |= {p.key: p for p in _prove_agreed(parts, churn, able)}
    made |= {e.key: unavailable(e, reasonless[e.key]) for e in entries if e.key in reasonless}
    predictions = tuple(made[entry.key] for entry in entries)
    agreed = _agree(room, parts, churn, able, made)
    names = {entry.key: entry.name_nl for entry in entries}
    files = {**churn.files, **{name: data for part in parts.values() for name, data in part.files.items()}}
    standing = {entry.key for entry in entries if entry.method in STANDING}
    own = [made[p.key] for part in parts.values() for p in part.predictions]
    return ModelRun(
        as_of=as_of,
        scores=agreed.scores,
        survival=churn.survival,
        branch_lapse=agreed.lapses,
        branch_purchase=agreed.purchases,
        curve=churn.curve,
        cohorts=churn.cohorts,
        definitions=definitions,
        determinants=telling,
        winback=_former([part for part in parts.values() if part.former is not None]),
        predictions=predictions,
        reasons=_reasons(churn),
        importance=(
            *(importance_of(HEADLINE, churn.hazard.model) if churn.hazard else ()),
            *(each for part in parts.values() for each in part.importance),
        ),
        findings=(
            *churn.findings,
            *(f for part in parts.values() for f in part.findings),
            *noticed(own, names, standing),
        ),
        files={**files, COLUMNS: feature_table(files)} if files else {},
        ranking=parts["family_purchase"].ranking if "family_purchase" in parts else None,
        standing=targets.eligible.standing,
        effects=parts["churn_effect"].effects if "churn_effect" in parts else None,
        backtest=churn.backtest,
        profiles=profiles,
    )


def _unmet(entry: Entry, room: Room) -> str | None:
    """Return why this export cannot support an entry, or None."""
    history, matrix, counts = room.history, room.matrix, room.targets.counts
    recorded = {
        name: bool(counts[asked].any()) if (asked := f"{name}_12m_possible") in counts.columns else False
        for name in ("contacts", "claims")
    }
    has = recorded | {
        "ended": history.recorded_from is not None,
        "reasons": history.reasons,
        "commission": history.commission != "none",
        "premiums": PREMIUM in matrix.names,
        "coverages": False,  # no dated coverage rows leave ingest: the money of a policy's coverages is added up
    }
    lacking = next((need for need in entry.needs if not has.get(need, True)), None)
    return why(f"needs_{lacking}") if lacking else None


def _churn(room: Room) -> ChurnResult:
    from akb.models.churn import fit_churn

    return fit_churn(
        room.matrix, room.targets, room.settings, as_of=room.as_of, progress=room.progress, people=room.people
    )


def _definitions(room: Room, churn: ChurnResult, pool: ThreadPoolExecutor) -> pl.DataFrame:
    from akb.models.definitions import compare

    chance = churn.scores[HEADLINE].to_numpy() if HEADLINE in churn.scores.columns else None
    return compare(room, chance, churn.names, pool)


def _determinants(room: Room, asked: Asked) -> Determinants | None:
    from akb.models.drivers import determinants

    groups = {feature.name: feature.group for feature in room.matrix.features}
    return determinants(asked, groups, room.settings.models.seed)


def _former(parts: Sequence[Part]) -> pl.DataFrame:
    """Return the scores of former customers: a column per key."""
    frames = [part.former for part in parts if part.former is not None]
    table = pl.DataFrame(schema={"customer": pl.UInt32}) if not frames else frames[0]
    for frame in frames[1:]:
        table = table.join(frame, on="customer", how="full", coalesce=True)
    return table.sort("customer")


def _jobs(room: Room, entries: Sequence[Entry]) -> list[tuple[str, Job]]:
    """Return one job per target and one per family, the largest first."""
    from akb.models.behaviour import cluster, unusual
    from akb.models.descriptions import churn_effects, needs
    from akb.models.families import lapses, purchases
    from akb.models.questions import channel, topics
    from akb.models.single import binary, count, events, margin
    from akb.models.winback import winback

    steps = (binary, count, winback, events, margin, channel, cluster, unusual)
    singles: dict[str, Step] = dict(zip(SINGLES, steps, strict=True))
    families = {
        "family_lapse": lapses,
        "family_purchase": purchases,
        "family_topic": topics,
        "need": needs,
        "churn_effect": churn_effects,
    }
    jobs: list[tuple[str, Job]] = []
    for method, family in families.items():
        members = [entry for entry in entries if entry.method == method]
        if members:
            jobs.append((method, lambda family=family, members=members: family(room, members)))  # type: ignore[misc]
    for entry in entries:
        if entry.method in singles:
            step = singles[entry.method]
            jobs.append((entry.key, lambda step=step, entry=entry: step(room, entry)))  # type: ignore[misc]
    return jobs


def _prove_agreed(parts: dict[str, Part], churn: ChurnResult, entries: Sequence[Entry]) -> tuple[Prediction, ...]:
    """Return the predictions that are made to agree, with the evidence of what they said of T0 once they agreed.

    On T0 nothing was announced as far as an export can tell, so agreeing is all that was done to the scores.
    """
    by_target = {entry.target: parts[entry.key].tested for entry in entries if entry.target and entry.key in parts}
    whole = by_target.get("first_lapse")
    if whole is None:
        return ()
    family = parts["family_lapse"].tested if "family_lapse" in parts else None
    count, branch = (
        each if each is not None and each.test_date == whole.test_date else None
        for each in (by_target.get("lapses_12m"), family)
    )
    gone = churn.tested[1] if churn.tested and churn.tested[0] == whole.test_date else None
    if count is None and branch is None and gone is None:
        return ()
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
    agreed = ((whole, any32), (count, lost32), (branch, parts32))
    return tuple(
        prediction
        for tested, found in agreed
        if tested is not None and found is not None
        for prediction in tested.again(found.astype(np.float64))
    )


@dataclass(frozen=True)
class _Agreed:
    scores: pl.DataFrame
    lapses: pl.DataFrame
    purchases: pl.DataFrame


_NO_BRANCHES = pl.DataFrame(schema={"customer": pl.UInt32, "branch": pl.String, "probability": pl.Float64})


def _agree(
    room: Room, parts: dict[str, Part], churn: ChurnResult, entries: Sequence[Entry], made: dict[str, Prediction]
) -> _Agreed:
    """Return all scores at X as float32, agreeing with one another."""
    frame = room.matrix.frame.filter(pl.col("as_of") == room.as_of).select("customer").sort("customer")
    customers = frame["customer"].to_numpy()
    gone = announced_lags(room.targets.announced, customers, room.as_of)
    leaves = (gone > 0) & (gone <= LAGS)
    # only under this definition does whoever leaves lose every policy
    certain = leaves if room.settings.churn.definition == "all" else np.zeros_like(leaves)
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
    sure, sure_rows = leaves | (told.policies > 0), certain[row] | told.rows
    lapses = _certain_branches(lapses, sure_rows, value=1.0)
    leaving = certain[positions(customers, purchases["customer"].to_numpy())]
    purchases = _certain_branches(purchases, leaving, value=0.0)
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
    gone_12m = churn.scores[HEADLINE].to_numpy() if HEADLINE in churn.scores.columns else None
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
            columns[key] = _for_who_stays(given, key, customers, leaves)
    known = [key for key in churn.scores.columns[1:] if made.get(key) and made[key].status != "unavailable"]
    scores = frame.join(churn.scores.select("customer", *known), on="customer", how="left", maintain_order="left")
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
    return _Agreed(scores.select("customer", *order), lapses, purchases)


def _with_own(scores: pl.DataFrame, parts: Iterable[Part]) -> pl.DataFrame:
    """Add the scores and classes that have nothing to agree with."""
    for part in parts:
        for given in (part.scores, part.classes):
            scores = scores if given is None else scores.join(_stored(given), on="customer", how="left")
    return scores.sort("customer")


def _stored(given: pl.DataFrame) -> pl.DataFrame:
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


def _reasons(churn: ChurnResult) -> tuple[Reason, ...]:
    """Return the reasons of the customers with the highest chance to leave, at most 2,000."""
    if churn.hazard is None or HEADLINE not in churn.scores.columns:
        return ()
    chance, customers = churn.scores[HEADLINE].to_numpy(), churn.scores["customer"].to_numpy()
    first = np.lexsort((customers, -chance))[:MOST]
    x = churn.x[first]
    contributions = contributions_of(churn.hazard.model, x)
    if contributions is None:
        return ()
    return reasons(HEADLINE, customers[first].tolist(), churn.names, contributions, x)
