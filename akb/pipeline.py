"""The story of ``akb eda``: from an export to a folder with an honest report."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from akb.core import __version__
from akb.core.errors import AkbError
from akb.core.garbage import keep_to_the_end, let_go, seldom_collected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager
    from pathlib import Path

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.features.types import Feature, Matrix
    from akb.ingest import ExportPreview
    from akb.ingest.types import Portfolio, Sources
    from akb.models.types import ModelRun, Prediction
    from akb.report.bundle import RunBundle
    from akb.value.types import Past

_STEM = 48  # signs: at most four bytes each
PAST_MONTHS = 36
PAST_ROWS = 30_000
PAST_HISTORY_MONTHS = 18
"""Recorded history before the day that we look back to: twelve months to see and their closing, and
a few dates.
"""


class Progress(Protocol):
    """What the story needs of a console."""

    seconds: dict[str, float]

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Announce a stage and time it."""

    def detail(self, message: str) -> None:
        """Say what the stage is busy with."""


@dataclass(frozen=True)
class Request:
    """What was asked: the files, the settings, the client's key, the day from which to look, how to
    go on.
    """

    files: Sequence[Path]
    settings: Settings
    key: bytes
    as_of: date | None = None
    roles: Mapping[str, Path] | None = None
    out: Path | None = None
    no_pseudonyms: bool = False
    go_on: bool = False
    kept_apart: Sequence[
        Path
    ] = ()  # the settings file and the key: never in the folder that a run replaces
    held: Mapping[Path, bytes] = field(default_factory=dict)  # files that are in memory

    @property
    def pseudonym_key(self) -> bytes:
        """The key under which this client's customers have their pseudonyms."""
        from akb.core.privacy.pseudonyms import client_key

        return client_key(self.key, self.settings.client.name)

    @property
    def sources(self) -> Sources:
        """What is read for it."""
        from akb.ingest.types import Sources

        return Sources(
            self.files,
            self.pseudonym_key,
            self.as_of,
            roles=self.roles or {},
            go_on=self.go_on,
            held=self.held,
        )

    @property
    def on_disk(self) -> list[Path]:
        """The files that are read from a disk, so that the run may not replace their folder."""
        return [path for path in self.files if path not in self.held]


@dataclass(frozen=True)
class Result:
    """Where the run stands and what it found.

    carried
        Files in the folder that are not akb's, or that people changed: they came along.
    other_key
        The run that stood there knew its customers by other pseudonyms.
    """

    folder: Path
    bundle: RunBundle
    summary: dict[str, Any]
    carried: Sequence[str] = ()
    other_key: bool = False


def read(request: Request) -> Portfolio:
    """Read and check the export; no model is made."""
    from akb.features import without_hindsight
    from akb.ingest import read_portfolio

    return without_hindsight(read_portfolio(request.sources, request.settings), request.settings)


def read_and_preview(request: Request) -> tuple[Portfolio, ExportPreview]:
    """Read and check the export, and say how its headings and texts were understood."""
    from akb.features import without_hindsight
    from akb.ingest import read_and_preview as read_with_preview

    portfolio, preview = read_with_preview(request.sources, request.settings)
    return without_hindsight(portfolio, request.settings), preview


def predict(
    portfolio: Portfolio,
    settings: Settings,
    progress: Progress,
    *,
    no_pseudonyms: bool = False,
    executor: Executor | None = None,
) -> RunBundle:
    """Features, models and value for a portfolio: everything that the report tells.

    Parameters
    ----------
    executor
        What works out features and fits, maybe on other machines; None: threads here. It changes
        the time, never a result.

    Raises
    ------
    AkbError
        If no customer has a policy in force on the as-of date.
    """
    from akb.features import topics_of

    settings = settings.with_branches(portfolio.own_branches)
    catalogue = catalogue_of(portfolio, settings, topics_of(portfolio))
    features, models, past = _modelled(
        portfolio, catalogue, settings, progress=progress, executor=executor
    )
    let_go(portfolio.policies.height)
    return valued(
        portfolio,
        catalogue,
        features,
        models,
        past,
        settings=settings,
        progress=progress,
        no_pseudonyms=no_pseudonyms,
        executor=executor,
    )


def _modelled(
    portfolio: Portfolio,
    catalogue: tuple[Entry, ...],
    settings: Settings,
    *,
    progress: Progress,
    executor: Executor | None,
) -> tuple[tuple[Feature, ...], ModelRun, Past | None]:
    """Return the features, what the models say now and what they said three years ago.

    The values of the features end here: of a large portfolio they are gigabytes that nothing later
    looks at."""
    from akb.features import as_of_grid, build_matrix, build_targets
    from akb.models import one_thread_each

    with ExitStack() as ending:
        beside = ThreadPoolExecutor(1)
        ending.callback(beside.shutdown, wait=False)  # who interrupts does not wait for it
        ending.enter_context(one_thread_each())  # two at once would undo each other's limits
        with progress.stage("building point-in-time features"):
            dates = as_of_grid(portfolio, settings)
            matrix = build_matrix(portfolio, dates, settings, executor=executor)
            if matrix.frame.is_empty() or dates[-1] not in matrix.dates:
                raise AkbError(
                    f"no policy is in force on {portfolio.as_of.isoformat()}",
                    "Check the as-of date (--as-of) and the end dates of the export.",
                )
            back = partial(
                look_back, portfolio, matrix, catalogue, settings, progress=progress.detail
            )
            # elsewhere both are worked out side by side from here on
            looking = None if executor is None else beside.submit(back, executor=executor)
            targets = build_targets(portfolio, matrix, settings, executor=executor)
            let_go(portfolio.policies.height)
        if executor is None and matrix.panel is None:
            # of few customers both fit in memory, and one fills the cores that the other leaves
            executor = ending.enter_context(ThreadPoolExecutor(settings.models.jobs))
            looking = beside.submit(back, executor=executor)
        with progress.stage("fitting and evaluating the predictions"):
            from akb.models import run_models

            models = run_models(
                matrix,
                targets,
                [entry for entry in catalogue if entry.room == "models"],
                settings,
                as_of=portfolio.as_of,
                history=portfolio.history,
                progress=progress.detail,
                customers=portfolio.customers,
                executor=executor,
            )
        del targets
        models = with_reference(models, matrix, portfolio)
        with progress.stage("looking back three years"):
            past = back() if looking is None else looking.result()
    return matrix.features, models, past


def with_reference(models: ModelRun, matrix: Matrix, portfolio: Portfolio) -> ModelRun:
    """Return models with what a later export is held against when it is scored with them."""
    from akb.models import reference_file

    return replace(models, files={**models.files, **reference_file(matrix, portfolio)})


def catalogue_of(
    portfolio: Portfolio, settings: Settings, topics: tuple[str, ...] | None
) -> tuple[Entry, ...]:
    """Return the catalogue, unfolded for the branches that this portfolio holds and the topics of
    its contacts.
    """
    from akb.catalogue.entries import entries

    held = set(portfolio.policies["branch"].unique())
    present = {key: branch for key, branch in settings.taxonomy().items() if key in held}
    return entries(
        {key: branch.name_nl for key, branch in present.items()},
        topics,
        {key: branch.name_en for key, branch in present.items()},
    )


def valued(
    portfolio: Portfolio,
    catalogue: tuple[Entry, ...],
    features: tuple[Feature, ...],
    models: ModelRun,
    past: Past | None,
    *,
    settings: Settings,
    progress: Progress,
    no_pseudonyms: bool = False,
    executor: Executor | None = None,
) -> RunBundle:
    """Work out value, lists and business case on what the models said: everything that the report
    tells.
    """
    from akb.report.bundle import RunBundle
    from akb.value import at_accounts, run_value

    with progress.stage("working out value and business case"):
        portfolio, past = at_accounts(portfolio, past, settings)
        value = run_value(
            portfolio, models, settings, progress=progress.detail, past=past, executor=executor
        )
        let_go(portfolio.policies.height)
    return RunBundle(
        portfolio=portfolio,
        features=features,
        models=models,
        value=value,
        entries=catalogue,
        settings=settings,
        versions={"akb": __version__},
        no_pseudonyms=no_pseudonyms,
        past=past.models if past else None,
    )


def look_back(
    portfolio: Portfolio,
    matrix: Matrix,
    catalogue: Sequence[Entry],
    settings: Settings,
    *,
    progress: Callable[[str], None],
    executor: Executor | None = None,
) -> Past | None:
    """Return the portfolio and the survival of customers and policies as akb would have known them
    three years ago.

    The rows of the matrix up to that day are what a replay would build, for no feature sees past
    its day. None where the recorded history before it is too short to learn from: a year to look
    back, 12 months ahead and their closing."""
    from akb.core.dates import add_months
    from akb.features import build_targets, known_then
    from akb.ingest import earlier
    from akb.value.types import Past

    day = add_months(portfolio.as_of, -PAST_MONTHS)
    recorded = portfolio.history.recorded_from
    if (
        recorded is None
        or day not in matrix.dates
        or recorded > add_months(day, -PAST_HISTORY_MONTHS)
    ):
        return None
    from akb.models import lifetime_methods, run_models

    methods = lifetime_methods()
    then = earlier(portfolio, day)
    # threads of this process are for the fits
    elsewhere = None if isinstance(executor, ThreadPoolExecutor) else executor
    known = known_then(portfolio, matrix, day, settings, executor=elsewhere)
    models = run_models(
        known,
        build_targets(then, known, settings, lifetime=True, executor=elsewhere),
        [entry for entry in catalogue if entry.method in methods],
        _fewer_rows(settings),
        as_of=day,
        history=then.history,
        progress=progress,
        lifetime=True,
        executor=executor,
    )
    return Past(then, models)


def _fewer_rows(settings: Settings) -> Settings:
    """Return settings with which the models of three years ago cost little: nobody is called by
    them.
    """
    models = settings.models
    fewer = {name: min(getattr(models, name), PAST_ROWS) for name in ("hazard_rows", "target_rows")}
    return settings.model_copy(update={"models": models.model_copy(update=fewer)})


def eda(request: Request, progress: Progress, executor: Executor | None = None) -> Result:
    """Read the export, predict, and leave the run folder."""
    with seldom_collected():
        return _eda(request, progress, executor)


def _eda(request: Request, progress: Progress, executor: Executor | None) -> Result:
    from akb.store.folders import check_replaceable, check_writable, heal

    began = time.perf_counter()
    get_ready()
    with progress.stage("reading and checking the export"):
        if request.out is None:
            check_writable(default_folder(request.files[0], date.min))
        else:
            check_replaceable(request.out, request.on_disk, request.kept_apart)
        portfolio = read(request)
        let_go(portfolio.policies.height)
        keep_to_the_end()
        folder = request.out or default_folder(request.files[0], portfolio.as_of)
        place = folder.resolve()  # once: `.` is another folder when the new run has taken its place
        heal(place)
        check_replaceable(place, request.on_disk, request.kept_apart)
    bundle = predict(
        portfolio,
        request.settings,
        progress,
        no_pseudonyms=request.no_pseudonyms,
        executor=executor,
    )
    return leave_run(request, place, bundle, progress, began=began, shown=folder)


def leave_run(
    request: Request,
    place: Path,
    bundle: RunBundle,
    progress: Progress,
    *,
    began: float,
    shown: Path | None = None,
    more: Mapping[str, Any] | None = None,
    files: Mapping[str, bytes] | None = None,
) -> Result:
    """Write a whole run into a folder, in the place of the run that may stand there.

    Parameters
    ----------
    began
        When it began, as `time.perf_counter` tells.
    shown
        The folder as people named it.
    more, files
        What else the manifest says, and what else lies in the run.
    """
    from akb.report import write_report
    from akb.store.folders import KEPT, run_folder, write_files, write_private
    from akb.store.manifest import manifest_of, write_manifest

    before, carried = manifest_of(place), list[str]()
    with run_folder(place, request.on_disk, carried) as fresh:
        with progress.stage("writing the report"), ThreadPoolExecutor(1) as beside:
            packing = beside.submit(kept, bundle)  # compresses while the report is worded
            summary = write_report(fresh, bundle)
            write_models(fresh, bundle)
            write_files(fresh, {**(files or {}), KEPT: packing.result()})
        private = private_customers(bundle)
        document = manifest(request, bundle, progress.seconds, time.perf_counter() - began)
        document |= more or {}
        write_manifest(fresh, document, private)
    write_private(place, private)
    other_key = before.get("key_id", document["key_id"]) != document["key_id"]
    return Result(shown or place, bundle, summary, carried, other_key)


def get_ready(*, fits: bool = True) -> None:
    """Begin with what takes seconds and needs no data, while an export is read and features are
    counted.

    Parameters
    ----------
    fits
        Whether models will be fitted: what only that leans on is as much memory as it takes time.
    """
    threading.Thread(target=_ahead, args=(fits,), daemon=True).start()


def _ahead(fits: bool) -> None:
    from akb import report, value
    from akb.models import import_libraries

    if fits:
        import_libraries()
    report.prepare()
    value.prepare()


def write_models(folder: Path, bundle: RunBundle) -> None:
    """Write what scoring needs (LightGBM text, JSON, Parquet) and a card per prediction, sealed
    with a manifest.
    """
    from akb.report.files.cards import card_files
    from akb.store.models import sealed

    (folder / "models" / "cards").mkdir(parents=True)
    files = {**(bundle.models.files if bundle.models else {}), **card_files(bundle)}
    for name, content in sorted(sealed(files).items()):
        (folder / name).write_bytes(content)


def kept(bundle: RunBundle) -> bytes:
    """Return what value, lists and report of this run can be worked out from again; `akb.rerun`
    reads it.

    The portfolio and what the models said, without relation numbers and model files, which stand
    elsewhere in the run, and without texts that may not be shown."""
    from akb.ingest import masked
    from akb.store.packed import packed
    from akb.value import as_in_file

    topics = tuple(sorted({entry.topic for entry in bundle.entries if entry.topic}))
    portfolio = masked(as_in_file(bundle.portfolio), bundle.settings.report.suppress_below)
    sources = tuple(
        replace(source, sha256="") for source in portfolio.sources
    )  # of the manifest; rows may be shuffled
    return packed(
        {
            "portfolio": replace(portfolio, sources=sources),
            "topics": None if portfolio.contacts is None else topics,
            "features": bundle.features,
            "models": bundle.models and _timeless(bundle.models),
            "past": bundle.past and replace(_timeless(bundle.past), reasons=()),
        }
    )


def _timeless(models: ModelRun) -> ModelRun:
    """Return what the models said, without their files and without how long it took."""

    def timeless(predictions: tuple[Prediction, ...]) -> tuple[Prediction, ...]:
        return tuple(replace(each, seconds=0.0) for each in predictions)

    return replace(
        models, files={}, predictions=timeless(models.predictions), whole=timeless(models.whole)
    )


def default_folder(export: Path, as_of: date) -> Path:
    """Return ``./akb-<stem>-<X>``, with a stem that leaves room in what a file system takes for a
    name.
    """
    from pathlib import Path

    return Path(f"akb-{export.stem[:_STEM]}-{as_of.isoformat()}")


def private_customers(bundle: RunBundle) -> bytes:
    """Return pseudonym and relation number of every customer as CSV: for those who may see them.

    A household has a row per relation, the one that speaks for it first. A relation number that a
    spreadsheet would take for a formula has an apostrophe in front."""
    import polars as pl

    from akb.report.files.tables import neutralised

    customers = bundle.portfolio.customers.select("customer", "pseudonym", first="relation")
    relations = bundle.portfolio.relations
    if relations is None:
        relations = customers.select("customer", relation="first")
    rows = customers.join(relations, on="customer").sort(
        "pseudonym", pl.col("relation") != pl.col("first"), "relation"
    )
    rows = rows.select(
        customer="pseudonym",
        relation=neutralised(pl.col("relation")),
    )
    return rows.write_csv().encode()


def manifest(
    request: Request, bundle: RunBundle, seconds: Mapping[str, float], total: float
) -> dict[str, Any]:
    """Return what can differ between two runs of the same input, and what they were made of."""
    from akb.core.privacy.pseudonyms import key_id
    from akb.report.page.html import script_version
    from akb.report.portal import run_name
    from akb.store.manifest import SCHEMA, versions

    portfolio = bundle.portfolio
    return {
        "schema": SCHEMA,
        "as_of": portfolio.as_of.isoformat(),
        "run": run_name(bundle),
        "versions": {**versions(), "plotly.js": script_version()},
        "inputs": [
            {
                "name": source.name,
                "role": source.role,
                "sha256": source.sha256,
                "rows": {
                    "read": source.rows.read,
                    "used": source.rows.used,
                    "rejected": source.rows.rejected,
                },
                "dialect": source.dialect,
                "assumed": list(source.assumed),
            }
            for source in portfolio.sources
        ],
        "rows": {
            "read": portfolio.rows.read,
            "used": portfolio.rows.used,
            "rejected": portfolio.rows.rejected,
        },
        "settings": bundle.settings.model_dump(mode="json", by_alias=True),
        "seed": request.settings.models.seed,
        "asked": asked(request),
        "pseudonyms": not request.no_pseudonyms,
        "key_id": key_id(request.pseudonym_key),
        "seconds": {**seconds, "total": round(total, 3)},
        "seconds_per_prediction": {
            prediction.key: round(prediction.seconds, 3)
            for room in (bundle.models, bundle.value)
            if room is not None
            for prediction in room.predictions
        },
    }


def asked(request: Request) -> dict[str, Any]:
    """Return what `akb rerun` needs beside the settings that became of it: the files by name, what
    was said of them, and the settings that are no defaults.
    """
    return {
        "files": [printed_name(path) for path in request.files],
        "roles": {role: printed_name(path) for role, path in (request.roles or {}).items()},
        "as_of": request.as_of and request.as_of.isoformat(),
        "go_on": request.go_on,
        "settings": request.settings.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }


def printed_name(path: Path) -> str:
    """Return the name of a file as a manifest tells it: without folder and identifiers."""
    from akb.core.privacy.identifiers import identifier_in, redacted
    from akb.core.wording.printable import printable

    name = printable(path.stem)
    return (redacted(name) if identifier_in(name) else name) + printable(path.suffix)
