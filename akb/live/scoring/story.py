"""The story of ``akb score``: a new export, scored with the models of a finished run.

Nothing is fitted. The export is read as the run read its own, features see what they saw then, and
the checks of `akb.live.scoring.drift` come before anything is written."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError, RefusedError
from akb.core.garbage import seldom_collected
from akb.live.scoring.changes import (
    CHANGES,
    changes,
    changes_csv,
    previous_run,
    recorded_in,
)
from akb.live.scoring.drift import (
    FitCheck,
    feature_drift,
    level_so_far,
    reasons_to_refuse,
    score_drift,
    unseen_branches,
)
from akb.live.scoring.stored import stored_run
from akb.live.scoring.watch import KnownEnds, known_ends, watch_of
from akb.pipeline import Request, catalogue_of, get_ready, leave_run, valued

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from akb.config import Settings
    from akb.features.types import Matrix
    from akb.ingest.types import Portfolio
    from akb.live.scoring.stored import StoredRun
    from akb.live.scoring.watch import EndsWatch
    from akb.models.types import ModelRun
    from akb.pipeline import Progress, Result

SCHEMA = "akb.scored/1"
DOCUMENT = "scored.json"


@dataclass(frozen=True)
class ScoreRequest:
    """What was asked.

    source
        The run whose models score.
    out
        The folder for the results, or the runs of a book: there a folder per as-of date.
    recorded
        customer (pseudonym), date, left: what advisers recorded; None: no book.
    earlier
        Runs of the weeks before: who is new and gone is told since the latest of them.
    accept
        Score although the models no longer fit; what was found is told all the same.
    held
        File -> its content, for those of `files` that are in memory.
    changed, level
        From when ends had changed, and what the hazards are multiplied by, since the champion took
        over after a change (`akb.live.registry.Champion`).
    """

    files: Sequence[Path]
    source: Path
    out: Path
    key: bytes
    in_book: bool = False
    as_of: date | None = None
    roles: Mapping[str, Path] | None = None
    jobs: int | None = None
    kept_apart: Sequence[Path] = ()
    recorded: pl.DataFrame | None = None
    earlier: Sequence[Path] = ()
    accept: bool = False
    go_on: bool = False
    held: Mapping[Path, bytes] = field(default_factory=dict)
    changed: date | None = None
    level: float | None = None

    @property
    def on_disk(self) -> list[Path]:
        """The files that are read from a disk."""
        return [path for path in self.files if path not in self.held]


@dataclass(frozen=True)
class Scored:
    """Where the run stands and what was found; `result` is None in a dry run."""

    folder: Path
    document: dict[str, Any]
    result: Result | None = None
    watch: EndsWatch | None = None


def score(request: ScoreRequest, progress: Progress, *, dry_run: bool = False) -> Scored:
    """Score an export with stored models and leave a run folder.

    Parameters
    ----------
    dry_run
        Look at everything and write nothing.

    Raises
    ------
    AkbError
        If nobody is in force, or the folder may not be replaced.
    RefusedError
        If the models no longer fit (exit 3), with the reasons.
    """
    with seldom_collected():
        return _score(request, progress, dry_run=dry_run)


def _score(request: ScoreRequest, progress: Progress, *, dry_run: bool) -> Scored:
    began = time.perf_counter()
    if not request.in_book:
        check_place(request, request.out)
    if not dry_run:
        get_ready(fits=False)
    with progress.stage("reading the stored models"):
        run = stored_run(request.source, request.key)
    asked = request_of(request, run)
    with progress.stage("reading and checking the export"):
        portfolio = read_export(asked, run)
        portfolio = replace(portfolio, recorded=recorded_in(portfolio, request.recorded))
    watch = watched_since(run, portfolio, request.earlier, since=request.changed)
    level = level_of(request.level, watch)
    with progress.stage("scoring with the stored models"):
        settings = settings_for(asked.settings, run, portfolio)
        matrix, models, entries = models_on(settings, run, portfolio, level=level)
    with progress.stage("holding it against the run before"):
        check = fit_check(run, portfolio, matrix, models, level)
        previous = previous_run(run, request.earlier, portfolio.as_of)
        found = changes(previous, portfolio, models.scores, request.recorded)
    document = {
        "schema": SCHEMA,
        "as_of": portfolio.as_of.isoformat(),
        "source": {"run": run.name, "as_of": run.last_day.isoformat()},
        "previous": previous.day.isoformat(),
        "fitted": run.fitted.isoformat(),
        "customers": models.scores.height,
        "changes": {kind: found.filter(what=kind).height for kind in ("new", "gone", "contacted")},
        **check.document(),
        "watch": None if watch is None else watch.document(),
    }
    if not portfolio.replay:  # a replay knows of no end that was announced
        document["known_ends"] = known_ends(portfolio.policies, portfolio.as_of).document()
    if check.refused and not request.accept:
        raise RefusedError(
            "the stored models no longer fit this export: " + "; ".join(check.refused),
            "Run akb retrain, or akb score --accept to score all the same.",
        )
    folder = request.out
    if request.in_book:
        folder = request.out / f"{portfolio.as_of.isoformat()}-score"
        check_place(request, folder)
    if dry_run:
        return Scored(folder, document, watch=watch)
    bundle = valued(
        portfolio,
        entries,
        matrix.features,
        models,
        run.past_in(portfolio),
        settings=settings,
        progress=progress,
        no_pseudonyms=asked.no_pseudonyms,
    )
    more = {
        "scored": {
            "run": run.name,
            "fitted": run.fitted.isoformat(),
            "previous": previous.day.isoformat(),
            "accepted": list(check.refused),
            **({} if level is None else {"level": level}),
        }
    }
    from akb.store.manifest import as_json

    since = changes_csv(found, _shown(asked, portfolio), settings.report.language)
    files = {DOCUMENT: as_json(document), CHANGES: since}
    result = leave_run(
        asked, folder.resolve(), bundle, progress, began=began, shown=folder, more=more, files=files
    )
    return Scored(folder, document, result, watch)


def _shown(asked: Request, portfolio: Portfolio) -> pl.DataFrame | None:
    """Return customer (pseudonym) and relation number, for those who may see it."""
    if not asked.no_pseudonyms:
        return None
    return portfolio.customers.select("relation", customer="pseudonym")


def check_place(request: ScoreRequest, folder: Path) -> None:
    """Raise unless the results may stand in a folder."""
    from akb.store.folders import check_replaceable, heal

    place = folder.resolve()
    if place == request.source.resolve():
        raise AkbError(
            f"{folder} is the run that is scored from", "Give another folder with --out."
        )
    heal(place)
    check_replaceable(place, request.on_disk, (*request.kept_apart, request.source))


def request_of(request: ScoreRequest, run: StoredRun) -> Request:
    """Return what is read: the new files under the settings of the run."""
    settings = run.settings
    if request.jobs is not None:
        models = settings.models.model_copy(update={"jobs": request.jobs})
        settings = settings.model_copy(update={"models": models})
    return Request(
        files=request.files,
        settings=settings,
        key=request.key,
        as_of=request.as_of,
        roles=request.roles,
        out=request.out,
        no_pseudonyms=not run.manifest.get("pseudonyms", True),
        go_on=request.go_on,
        kept_apart=request.kept_apart,
        held=request.held,
    )


def read_export(asked: Request, run: StoredRun) -> Portfolio:
    """Read an export as the run read its own.

    Raises
    ------
    AkbError
        If it is older than what the models were fitted on.
    """
    from akb.ingest import read_portfolio

    portfolio = read_portfolio(asked.sources, asked.settings)
    if portfolio.as_of < run.last_day:
        raise AkbError(
            f"this export is of {portfolio.as_of.isoformat()} and the models are of "
            f"{run.fitted.isoformat()}: they have seen what came after it",
            "Score a later export, or name a later day with --as-of.",
        )
    return run.read_as_then(portfolio)


def settings_for(settings: Settings, run: StoredRun, portfolio: Portfolio) -> Settings:
    """Return settings with the branches that only the exports have, then and now."""
    return settings.with_branches({**run.portfolio.own_branches, **portfolio.own_branches})


def level_of(champion: float | None, watch: EndsWatch | None) -> float | None:
    """Return what the hazards of ending are multiplied by: as since the champion took over, times
    what the weeks since then show.
    """
    since = None if watch is None else watch.level
    if champion is None or since is None:
        return champion if since is None else since
    return champion * since


def watched_since(
    run: StoredRun, portfolio: Portfolio, earlier: Sequence[Path], *, since: date | None = None
) -> EndsWatch | None:
    """Return what the weeks show since the models were fitted, by the exports of the runs between;
    None where they cannot tell.

    Parameters
    ----------
    since
        From when ends had changed when the models took over: what is usual is what was so since.
    """
    time, between = run.settings.time, []
    for folder in earlier:
        path = folder / DOCUMENT
        stored = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        if "known_ends" in stored:
            between.append(KnownEnds.of_document(stored["known_ends"]))
    if run.fitted != run.last_day or portfolio.replay:
        return None  # a scored run kept another export than its models saw; a replay lacks ends
    wait = time.gap_days + time.registration_lag_days
    return watch_of(run.portfolio, portfolio, between, wait, since=since)


def models_on(
    settings: Settings, run: StoredRun, portfolio: Portfolio, *, level: float | None = None
) -> tuple[Matrix, ModelRun, tuple[Any, ...]]:
    """Return the features of X, what the models say, and the catalogue of today.

    Parameters
    ----------
    level
        What the hazards of ending are multiplied by; the models that are kept stay as they are.

    Raises
    ------
    AkbError
        If nobody is in force.
    RefusedError
        If a column that the models use cannot be made from this export.
    """
    from akb.features import build_matrix, build_targets
    from akb.models import people_of
    from akb.models.rescoring import lacking_features, score_models
    from akb.models.saved import with_level

    entries = catalogue_of(portfolio, settings, run.topics)
    matrix = build_matrix(portfolio, [portfolio.as_of], settings)
    if not matrix.height:
        raise AkbError(
            f"no policy is in force on {portfolio.as_of.isoformat()}",
            "Check the as-of date (--as-of) and the end dates of the export.",
        )
    lacking = lacking_features(run.models.files, matrix.names)
    if lacking:
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        raise RefusedError(
            "this export lacks what the stored models were fitted on: "
            f"{', '.join(lacking[:5])}{more} cannot be worked out",
            "Give the same files and columns as then, or run akb eda on what there is now.",
        )
    targets = build_targets(portfolio, matrix, settings, run.taught_branches())
    stored = run.renumbered(portfolio)
    if level is not None:
        stored = replace(stored, files=with_level(stored.files, level))
    models = score_models(
        matrix,
        targets,
        [entry for entry in entries if entry.room == "models"],
        settings,
        stored,
        as_of=portfolio.as_of,
        history=portfolio.history,
        people=people_of(portfolio.customers, settings.report.suppress_below),
    )
    return matrix, replace(models, files=dict(run.models.files)), entries


def fit_check(
    run: StoredRun,
    portfolio: Portfolio,
    matrix: Matrix,
    models: ModelRun,
    corrected: float | None = None,
) -> FitCheck:
    """Return whether the stored models fit this export; `corrected` is what the hazards of ending
    were multiplied by.
    """
    from akb.models.rescoring import columns_of

    features = feature_drift(run, matrix, columns_of(run.models.files))
    scores = score_drift(run.models.run.scores, models.scores, corrected)
    unseen, share = unseen_branches(run, portfolio)
    level = level_so_far(run, portfolio)
    refused = reasons_to_refuse(features, scores, share, level)
    return FitCheck(tuple(features), tuple(scores), unseen, share, level, tuple(refused))
