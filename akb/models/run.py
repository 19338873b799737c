"""Everything that the models say as of X: each method once, side by side, then made to agree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.models.coherence.scores import DESCRIPTIONS, HEADLINE, LIFETIME, agree_all, prove_agreed, purchases_of
from akb.models.context import PREMIUM, Part, Room, why
from akb.models.descriptive.profiles import find_profiles
from akb.models.evidence.explain import MOST, contributions_of, importance_of, reasons
from akb.models.evidence.grading import holm
from akb.models.methods.verdict import noticed, unavailable
from akb.models.saved import COLUMNS, feature_table
from akb.models.types import ModelRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.features.types import Matrix, Targets
    from akb.ingest.types import History
    from akb.models.churn.fit import ChurnResult
    from akb.models.evidence.determinants import Probe
    from akb.models.evidence.segments import People
    from akb.models.types import Determinants, Reason

    Job = Callable[[], "Part"]
    Step = Callable[[Room, Entry], "Part"]

CHURN_METHODS = ("hazard", "hazard_cause", "hazard_peak", "survival")
SINGLES = ("binary", "count", "winback", "events", "margin", "channel", "cluster", "unusual")
METHODS = (*CHURN_METHODS, *DESCRIPTIONS, "unmade", *SINGLES, "family_lapse", "family_purchase", "family_topic")
LIFETIME_METHODS = (*CHURN_METHODS, "family_lapse")
"""What lifetime value is made of: how long relations and policies last."""


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
        churn_job = pool.submit(_churn, room, room.targets)
        entire = room.targets.of_whole_relation()
        whole_job = churn_job if entire is room.targets else pool.submit(_churn, room, entire)
        profiles_job = pool.submit(find_profiles, room)
        jobs = {name: pool.submit(job) for name, job in _jobs(room, able)}
        churn, whole = churn_job.result(), whole_job.result()
        parts = {}
        for name, job in jobs.items():
            parts[name] = job.result()
            progress(name)
        definitions = _definitions(room, churn, pool)
        profiles = profiles_job.result()
        wanted = {entry.key for entry in able if entry.determinants}
        probes = [each for each in (churn.probe, *(part.probe for part in parts.values())) if each is not None]
        found = pool.map(lambda each: _determinants(room, each), (each for each in probes if each.key in wanted))
        telling = tuple(each for each in found if each is not None)
    made = {p.key: p for part in parts.values() for p in part.predictions} | churn.predictions
    made[LIFETIME] = whole.predictions[LIFETIME]
    proven = prove_agreed(parts, whole, able)
    made |= {p.key: p for p in proven.predictions}
    made |= {e.key: unavailable(e, reasonless[e.key]) for e in entries if e.key in reasonless}
    predictions = holm(made[entry.key] for entry in entries)
    agreed = agree_all(room, parts, (churn, whole), able, made)
    names = {entry.key: entry.name_nl for entry in entries}
    files = {**churn.files, **{name: data for part in parts.values() for name, data in part.files.items()}}
    own = [made[p.key] for part in parts.values() for p in part.predictions]
    return ModelRun(
        as_of=as_of,
        scores=agreed.scores,
        survival=whole.survival,
        branch_lapse=agreed.lapses,
        branch_purchase=agreed.purchases,
        curve=churn.curve,
        cohorts=churn.cohorts,
        definitions=definitions,
        determinants=telling,
        winback=_former([part for part in parts.values() if part.former is not None]),
        predictions=predictions,
        whole=() if whole is churn else holm(whole.predictions.values()),
        reasons=_reasons(churn),
        importance=(
            *(importance_of(HEADLINE, churn.hazard.model) if churn.hazard else ()),
            *(each for part in parts.values() for each in part.importance),
        ),
        findings=(
            *churn.findings,
            *(f for part in parts.values() for f in part.findings),
            *noticed(own, names),
        ),
        files={**files, COLUMNS: feature_table(files)} if files else {},
        ranking=parts["family_purchase"].ranking if "family_purchase" in parts else None,
        standing=targets.eligible.standing,
        effects=parts["churn_effect"].effects if "churn_effect" in parts else None,
        backtest=whole.backtest
        and replace(
            whole.backtest,
            branch_lapse=proven.lapses_of(able, whole.backtest.as_of),
            branch_purchase=purchases_of(parts, able, whole.backtest.as_of),
        ),
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


def _churn(room: Room, targets: Targets) -> ChurnResult:
    from akb.models.churn.fit import fit_churn

    return fit_churn(room.matrix, targets, room.settings, as_of=room.as_of, progress=room.progress, people=room.people)


def _definitions(room: Room, churn: ChurnResult, pool: ThreadPoolExecutor) -> pl.DataFrame:
    from akb.models.descriptive.definitions import compare

    chance = churn.scores[HEADLINE].to_numpy() if HEADLINE in churn.scores.columns else None
    return compare(room, chance, churn.names, pool)


def _determinants(room: Room, probe: Probe) -> Determinants | None:
    from akb.models.evidence.determinants import determinants

    groups = {feature.name: feature.group for feature in room.matrix.features}
    return determinants(probe, groups, room.settings.models.seed)


def _former(parts: Sequence[Part]) -> pl.DataFrame:
    """Return the scores of former customers: a column per key."""
    frames = [part.former for part in parts if part.former is not None]
    table = pl.DataFrame(schema={"customer": pl.UInt32}) if not frames else frames[0]
    for frame in frames[1:]:
        table = table.join(frame, on="customer", how="full", coalesce=True)
    return table.sort("customer")


def _jobs(room: Room, entries: Sequence[Entry]) -> list[tuple[str, Job]]:
    """Return one job per target and one per family, the largest first."""
    from akb.models.methods.behaviour import cluster, unusual
    from akb.models.methods.descriptions import churn_effects, needs
    from akb.models.methods.families import lapses, purchases
    from akb.models.methods.questions import channel, topics
    from akb.models.methods.single import binary, count, events, margin
    from akb.models.methods.winback import winback

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
