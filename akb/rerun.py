"""The story of ``akb case --out``: a finished run, told again under other assumptions and without
its export.

What was read and what the models said is kept with a run; value, lists, business case and report
are worked out from it by the same code as in ``akb eda``. So the new run is the one that ``akb
eda`` would have left with these assumptions, byte for byte but for its manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import is_dataclass, replace
from threading import Thread
from typing import TYPE_CHECKING, Any

from akb.core.errors import RefusedError
from akb.pipeline import PAST_MONTHS, catalogue_of, kept, valued, write_models

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from akb.config import Settings
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun
    from akb.pipeline import Progress
    from akb.report.bundle import RunBundle
    from akb.value.types import BusinessCase, Past

PAGE = "report.html"


def rerun_case(
    folder: Path,
    out: Path,
    changed: Mapping[str, float],
    progress: Progress,
    carried: list[str] | None = None,
) -> dict[str, Any]:
    """Write a whole run with other assumptions into `out` and return its summary; `folder` stays as
    it is.

    Parameters
    ----------
    folder
        A finished run.
    changed
        Assumption -> value; none of which the register says that it affects the models.
    carried
        Receives the names of the files in `out` that were not akb's and came along.

    Raises
    ------
    AkbError
        If `out` may not be replaced.
    RefusedError
        If the run kept nothing that this akb can read.
    """
    from akb.report import write_report
    from akb.store.carried import MANIFEST
    from akb.store.folders import KEPT, PRIVATE, run_folder, write_files, write_private
    from akb.store.manifest import write_manifest

    folder, out = folder.resolve(), out.resolve()
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    settings = settings_of(manifest, changed)
    private = (folder / PRIVATE).read_bytes() if (folder / PRIVATE).is_file() else None
    bundle = bundle_of(folder, manifest, settings, private, progress)
    with run_folder(out, [folder], carried) as fresh:
        with progress.stage("writing the report"):
            summary = write_report(fresh, bundle)
            write_models(fresh, bundle)
            write_files(fresh, {KEPT: kept(bundle)})
        config = settings.model_dump(mode="json", by_alias=True)
        write_manifest(
            fresh, {**manifest, "settings": config, "case": {"changed": dict(changed)}}, private
        )
    if private is not None:
        write_private(out, private)
    return summary


def rerun_report(folder: Path, cover: Callable[[Settings], Settings], progress: Progress) -> None:
    """Write ``report.html`` of a finished run anew, under other settings of the report; nothing
    else changes.

    Parameters
    ----------
    cover
        Makes the settings out of those of the run.

    Raises
    ------
    RefusedError
        If the run kept nothing that this akb can read.
    """
    from akb.report import report_page
    from akb.store.carried import MANIFEST
    from akb.store.folders import PRIVATE, rewrite_run
    from akb.store.manifest import write_json

    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    settings = cover(settings_of(manifest, {}))
    private = (folder / PRIVATE).read_bytes() if (folder / PRIVATE).is_file() else None
    bundle = bundle_of(folder, manifest, settings, private, progress)
    with progress.stage("writing the report"):
        page = report_page(bundle)

    def change(copy: Path) -> bytes | None:
        (copy / PAGE).write_bytes(page)
        outputs = {**manifest.get("outputs", {}), PAGE: hashlib.sha256(page).hexdigest()}
        config = settings.model_dump(mode="json", by_alias=True)
        write_json(copy / MANIFEST, {**manifest, "settings": config, "outputs": outputs})
        return private

    rewrite_run(folder, change)


def recomputed_case(
    folder: Path, changed: Mapping[str, float], *, solver: bool = True
) -> BusinessCase | None:
    """Return the business case that `rerun_case` would tell, to the cent; None where the run has
    none.

    Parameters
    ----------
    solver
        Whether the solver of linear programmes is likely to be asked, so that it is best imported
        meanwhile.

    Raises
    ------
    RefusedError
        If the run kept nothing that this akb can read.
    """
    from akb.store.carried import MANIFEST
    from akb.value import case_alone, import_libraries

    if solver:
        Thread(target=import_libraries, daemon=True).start()  # while the run is read
    things = things_kept(folder, only=("portfolio", "models"), without=("reasons",))
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    return case_alone(things["portfolio"], things["models"], settings_of(manifest, changed))


def settings_of(manifest: Mapping[str, Any], changed: Mapping[str, float]) -> Settings:
    """Return the settings of a run with other assumptions."""
    from pydantic import ValidationError

    from akb.config import Settings

    try:
        settings = Settings.model_validate(manifest["settings"])
    except (KeyError, ValidationError):
        raise RefusedError(
            "this akb does not know the settings of the run", "Run akb eda again."
        ) from None
    return settings.model_copy(update={"assumptions": {**settings.assumptions, **changed}})


def bundle_of(
    folder: Path,
    manifest: Mapping[str, Any],
    settings: Settings,
    private: bytes | None,
    progress: Progress,
) -> RunBundle:
    """Return what `folder` would have told under other settings."""
    from akb.store.models import read_models

    with progress.stage("reading what the run kept"):
        things = things_kept(folder)
        own = {
            name: content for name, content in read_models(folder).items() if "/cards/" not in name
        }
        models = replace(things["models"], files=own)
        portfolio = things["portfolio"]
        past = _past(portfolio, things["past"])
        named = not manifest.get("pseudonyms", True)
        if named:
            portfolio = with_relations(portfolio, private)
    catalogue = catalogue_of(portfolio, settings, things["topics"])
    return valued(
        portfolio,
        catalogue,
        things["features"],
        models,
        past,
        settings=settings,
        progress=progress,
        no_pseudonyms=named,
    )


def things_kept(
    folder: Path, only: tuple[str, ...] | None = None, without: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return what a run kept, by name.

    Parameters
    ----------
    only
        The names asked for; the rest is not read.
    without
        Fields of those that are left at their defaults.

    Raises
    ------
    RefusedError
        If the run kept nothing that this akb can read.
    """
    from akb.store.folders import KEPT
    from akb.store.packed import unpacked

    if not (folder / KEPT).is_file():
        raise RefusedError(f"{folder} was made by an akb that kept no {KEPT}", "Run akb eda again.")
    return unpacked((folder / KEPT).read_bytes(), kept_classes(), only, without)


def with_relations(portfolio: Portfolio, private: bytes | None) -> Portfolio:
    """Return the portfolio with the relation numbers of the run, for those who may see them.

    Raises
    ------
    RefusedError
        If they are no longer with the run.
    """
    import polars as pl

    if private is None:
        raise RefusedError(
            "this run shows relation numbers, and its private/customers.csv is gone", "Run akb eda."
        )
    known = pl.read_csv(private, infer_schema=False).unique("customer", keep="first")
    numbers = known.select(pseudonym="customer", relation=pl.col("relation").str.strip_prefix("'"))
    customers = portfolio.customers.drop("relation").join(
        numbers, on="pseudonym", how="left", maintain_order="left"
    )
    return replace(portfolio, customers=customers.select(portfolio.customers.columns))


def _past(portfolio: Portfolio, models: ModelRun | None) -> Past | None:
    from akb.core.dates import add_months
    from akb.ingest import earlier
    from akb.value.types import Past

    return (
        Past(earlier(portfolio, add_months(portfolio.as_of, -PAST_MONTHS)), models)
        if models
        else None
    )


def kept_classes() -> list[type]:
    """Return the dataclasses that a run keeps."""
    from akb.core.findings import Finding
    from akb.core.wording.phrases import Listed, Phrase
    from akb.features.types import Feature
    from akb.ingest import types as ingested
    from akb.models import types as modelled

    found = [each for room in (ingested, modelled) for each in vars(room).values()]
    return [
        Feature,
        Finding,
        Listed,
        Phrase,
        *(each for each in found if isinstance(each, type) and is_dataclass(each)),
    ]
