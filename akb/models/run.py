"""Everything that the models say as of X: each method once, side by side, then made to cohere."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.wording.phrases import Translated
from akb.core.wording.reasons import Reason
from akb.models.churn import LIFETIME
from akb.models.coherence import (
    HEADLINE,
    CoherentEvidence,
    branches_of,
    coherent_evidence,
    coherent_scores,
)
from akb.models.context import PREMIUM, FitContext, MethodResult, why
from akb.models.descriptive import find_profiles
from akb.models.evidence import (
    contributions_of,
    determinants_of,
    holm,
    importance_of,
    reasons,
)
from akb.models.method import Method, MethodRun, Role
from akb.models.methods import METHODS
from akb.models.methods.checks import checks, taught_by
from akb.models.methods.verdict import unavailable
from akb.models.saved import COLUMNS, apart, feature_table
from akb.models.types import Backtest, ModelRun

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager
    from datetime import date

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.features.types import Matrix, Targets
    from akb.ingest.types import History
    from akb.models.churn import ChurnResult
    from akb.models.evidence import People, Probe
    from akb.models.types import Contribution, Determinants


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
    lifetime: bool = False,
    executor: Executor | None = None,
) -> ModelRun:
    """Fit, prove and score every entry of the models room.

    Parameters
    ----------
    entries
        The catalogue's entries of this room, unfolded per branch.
    progress
        Hears in a few words what is being done.
    people
        Who the customers are, to show errors by age, kind and office.
    lifetime
        Whether only lifetime value is made of it: then nothing is described, explained or graded.
    executor
        What runs the fits, each in one thread, maybe elsewhere; None: threads here.
    """
    here = executor is None or isinstance(executor, ThreadPoolExecutor)
    say = progress if here else _silent
    context = FitContext(
        matrix, targets, settings, as_of, history, say, people, challenged=not lifetime
    )
    lacking = {entry.key: reason for entry in entries if (reason := _unmet(entry, context))}
    able = [entry for entry in entries if entry.key not in lacking]
    pooled = nullcontext(executor) if executor else ThreadPoolExecutor(settings.models.jobs)
    with one_thread_each(), pooled as pool:
        churn_job = pool.submit(_churn, context, context.targets)
        entire = context.targets.of_whole_relation()
        whole_job = churn_job if entire is context.targets else pool.submit(_churn, context, entire)
        profiles_job = None if lifetime else pool.submit(find_profiles, context)
        jobs = [pool.submit(_run, context, made, members) for made, members in method_jobs(able)]
        churn, whole = churn_job.result(), whole_job.result()
        runs = []
        for job in jobs:
            runs.append(job.result())
            progress(runs[-1].name)
        definitions = _definitions(context, churn, pool)
        profiles = profiles_job.result() if profiles_job else None
        probes = () if lifetime else (churn.probe, *(run.result.probe for run in runs))
        determinants = _all_determinants(context, able, probes, pool)
    results = [run.result for run in runs]
    predictions = {p.key: p for result in results for p in result.predictions} | churn.predictions
    predictions[LIFETIME] = whole.predictions[LIFETIME]
    evidence = coherent_evidence(runs, whole)
    predictions |= {p.key: p for p in evidence.predictions}
    predictions |= {e.key: unavailable(e, lacking[e.key]) for e in entries if e.key in lacking}
    coherent = coherent_scores(context, runs, churn, whole, predictions)
    named = [entry.key for entry in able if entry.key in coherent.scores.columns]
    files = {
        **churn.files,
        **({} if whole is churn else apart(whole.files)),
        **{name: data for result in results for name, data in result.files.items()},
    }
    own = [predictions[p.key] for result in results for p in result.predictions]
    return ModelRun(
        as_of=as_of,
        scores=coherent.scores.select("customer", *named),
        survival=whole.survival,
        branch_lapse=coherent.lapses,
        branch_purchase=coherent.purchases,
        curve=churn.curve,
        cohorts=churn.cohorts,
        definitions=definitions,
        determinants=determinants,
        winback=former_scores(results),
        predictions=holm(predictions[entry.key] for entry in entries),
        whole=() if whole is churn else holm(whole.predictions.values()),
        reasons=() if lifetime else churn_reasons(churn),
        importance=(
            *(importance_of(HEADLINE, churn.hazard.model) if churn.hazard else ()),
            *(each for result in results for each in result.importance),
        ),
        findings=(
            *churn.findings,
            *(finding for result in results for finding in result.findings),
            *taught_by(matrix),
            *checks(
                own, {entry.key: Translated(entry.name_nl, entry.name_en) for entry in entries}
            ),
        ),
        files={**files, COLUMNS: feature_table(files)} if files else {},
        ranking=next((result.ranking for result in results if result.ranking is not None), None),
        standing=targets.eligible.standing,
        effects=next((result.effects for result in results if result.effects is not None), None),
        backtest=_backtest(whole, runs, evidence),
        profiles=profiles,
    )


def one_thread_each() -> AbstractContextManager[Any]:
    """Hold the linear algebra of every fit to one thread: others are fitted beside it."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")  # type: ignore[no-any-return]


def _backtest(
    whole: ChurnResult, runs: Sequence[MethodRun], evidence: CoherentEvidence
) -> Backtest | None:
    """What was said a year ago of leaving, with what was said of lapses and purchases per
    branch.
    """
    made = whole.backtest
    if made is None:
        return None
    lapses = None
    if evidence.lapses is not None:
        lapses = branches_of(runs, Role.BRANCH_LAPSE, made.as_of, evidence.lapses)
    purchases = branches_of(runs, Role.BRANCH_PURCHASE, made.as_of)
    return replace(made, branch_lapse=lapses, branch_purchase=purchases)


def _unmet(entry: Entry, context: FitContext) -> Reason | None:
    """Return why this export cannot support an entry, or None."""
    history, matrix, counts = context.history, context.matrix, context.targets.counts
    recorded = {
        name: bool(counts[asked].any())
        if (asked := f"{name}_12m_possible") in counts.columns
        else False
        for name in ("contacts", "claims")
    }
    has = recorded | {
        "ended": history.recorded_from is not None,
        "reasons": history.reasons,
        "commission": history.commission != "none",
        "premiums": PREMIUM in matrix.names,
        # no dated coverage rows leave ingest: the money of a policy's coverages is added up
        "coverages": False,
    }
    lacking = next((need for need in entry.needs if not has.get(need, True)), None)
    return why(f"needs_{lacking}") if lacking else None


def _churn(context: FitContext, targets: Targets) -> ChurnResult:
    from akb.models.churn import fit_churn

    return fit_churn(
        context.matrix,
        targets,
        context.settings,
        as_of=context.as_of,
        progress=context.progress,
        people=context.people,
        challenged=context.challenged,
    )


def _silent(words: str) -> None:
    """Say nothing: who works elsewhere has no console."""


def _definitions(context: FitContext, churn: ChurnResult, pool: Executor) -> pl.DataFrame:
    from akb.models.descriptive import compare

    chance = churn.scores[HEADLINE].to_numpy() if HEADLINE in churn.scores.columns else None
    return compare(context, chance, churn.names, pool)


def _all_determinants(
    context: FitContext,
    entries: Sequence[Entry],
    probes: Iterable[Probe | None],
    pool: Executor,
) -> tuple[Determinants, ...]:
    """What goes together with the entries that ask for it."""
    wanted = {entry.key for entry in entries if entry.determinants}
    groups = {feature.name: feature.group for feature in context.matrix.features}
    seed = context.settings.models.seed
    asked = [probe for probe in probes if probe is not None and probe.key in wanted]
    found = pool.map(lambda probe: determinants_of(probe, groups, seed), asked)
    return tuple(each for each in found if each is not None)


def former_scores(results: Iterable[MethodResult]) -> pl.DataFrame:
    """Return the scores of former customers: a column per key."""
    frames = [result.former for result in results if result.former is not None]
    table = pl.DataFrame(schema={"customer": pl.UInt32}) if not frames else frames[0]
    for frame in frames[1:]:
        table = table.join(frame, on="customer", how="full", coalesce=True)
    return table.sort("customer")


def method_jobs(entries: Sequence[Entry]) -> list[tuple[Method, tuple[Entry, ...]]]:
    """Return one job per family and one per entry of the other methods, the largest first."""
    families = sorted(
        (each for each in METHODS.values() if each.together and each.fit),
        key=lambda each: -each.cost,
    )
    jobs = [
        (each, tuple(entry for entry in entries if entry.method == each.name)) for each in families
    ]
    alone = [entry for entry in entries if not METHODS[entry.method].together]
    return [job for job in jobs if job[1]] + [(METHODS[entry.method], (entry,)) for entry in alone]


def _run(context: FitContext, made: Method, entries: tuple[Entry, ...]) -> MethodRun:
    assert made.fit is not None
    return MethodRun(made.role_of(entries[0]), entries, made.fit(context, entries))


def churn_reasons(churn: ChurnResult) -> tuple[Contribution, ...]:
    """Return the reasons of the customers with the highest chance to leave, at most 2,000."""
    if churn.hazard is None or HEADLINE not in churn.scores.columns:
        return ()
    contributions = contributions_of(churn.hazard.model, churn.x)
    if contributions is None:
        return ()
    customers = churn.scores["customer"].gather(churn.explained).to_list()
    return reasons(HEADLINE, customers, churn.names, contributions, churn.x)
