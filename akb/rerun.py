"""The story of ``akb case --out``: a finished run, told again under other assumptions and without
its export.

What was read and what the models said is kept with a run; value, lists, business case and report
are worked out from it by the same code as in ``akb eda``. So the new run is the one that ``akb
eda`` would have left with these assumptions, byte for byte but for its manifest."""

from __future__ import annotations

import hashlib
from dataclasses import is_dataclass, replace
from threading import Thread
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError, RefusedError
from akb.pipeline import catalogue_of, kept, valued, write_models

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date
    from pathlib import Path

    import polars as pl

    from akb.config import MeasuredEffect, Settings
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun
    from akb.pipeline import Progress
    from akb.report.bundle import RunBundle
    from akb.value.case.basis import CaseBasis
    from akb.value.types import BusinessCase, Past

PAGE = "report.html"


def rerun_case(
    folder: Path,
    out: Path,
    changed: Mapping[str, float],
    progress: Progress,
    carried: list[str] | None = None,
    *,
    measured: Mapping[str, MeasuredEffect] | None = None,
    without: Collection[str] = (),
) -> dict[str, Any]:
    """Write a whole run with other assumptions into `out` and return its summary; `folder` stays as
    it is.

    Parameters
    ----------
    folder
        A finished run.
    changed
        Assumption -> value; none of which the register says that it affects the models.
    without
        Contact types that are switched off.
    carried
        Receives the names of the files in `out` that were not akb's and came along.
    measured
        Assumption -> what an experiment made of it.

    Raises
    ------
    AkbError
        If `out` may not be replaced.
    RefusedError
        If the run kept nothing that this akb can read.
    """
    from akb.report import write_report
    from akb.store.folders import KEPT, PRIVATE, run_folder, write_files, write_private
    from akb.store.manifest import manifest_of, write_manifest

    folder, out = folder.resolve(), out.resolve()
    manifest = manifest_of(folder)
    settings = settings_of(manifest, changed, measured, without)
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
    from akb.store.manifest import manifest_of, write_json

    manifest = manifest_of(folder)
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
    folder: Path,
    changed: Mapping[str, float],
    *,
    measured: Mapping[str, MeasuredEffect] | None = None,
    without: Collection[str] = (),
    solver: bool = True,
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
    from akb.store.manifest import manifest_of
    from akb.value import at_accounts, case_alone, import_libraries

    if solver:
        Thread(target=import_libraries, daemon=True).start()  # while the run is read
    things = things_kept(folder, only=("portfolio", "models"), without=("reasons",))
    manifest = manifest_of(folder)
    settings = settings_of(manifest, changed, measured, without)
    portfolio, _ = at_accounts(things["portfolio"], None, settings)
    return case_alone(portfolio, things["models"], settings)


def matrix_again(
    folder: Path, day: date, groups: Collection[str] | None = None
) -> tuple[pl.DataFrame, list[str]]:
    """Return the feature values of a finished run as known on a day, and the names of those that
    cannot be worked out from what it kept.

    Parameters
    ----------
    groups
        Names of the feature groups that are asked; None: all.

    Raises
    ------
    AkbError
        If nobody was in force then, the day is after the run's, or there is no such group.
    RefusedError
        If the run kept nothing that this akb can read.
    """
    import polars as pl

    from akb.features import build_matrix
    from akb.store.folders import PRIVATE
    from akb.store.manifest import manifest_of

    manifest = manifest_of(folder)
    things = things_kept(folder, only=("portfolio", "features"))
    portfolio, shown = things["portfolio"], "pseudonym"
    if day > portfolio.as_of:
        raise AkbError(
            f"{day.isoformat()} is after {portfolio.as_of.isoformat()}, the day of this run"
        )
    if not manifest.get("pseudonyms", True):
        private = folder / PRIVATE
        portfolio = with_relations(portfolio, private.read_bytes() if private.is_file() else None)
        shown = "relation"
    settings = settings_of(manifest, {}).with_branches(portfolio.own_branches)
    matrix = build_matrix(portfolio, [day], settings, groups=groups, everybody=True)
    if matrix.frame.is_empty():
        raise AkbError(f"no policy is in force on {day.isoformat()}")
    known = [each.name for each in things["features"] if groups is None or each.group in groups]
    left_out = [name for name in known if name not in matrix.names]
    names = portfolio.customers.select("customer", _shown=shown)
    frame = matrix.frame.join(names, on="customer", how="left", maintain_order="left")
    columns = [name for name in known if name in matrix.names]
    return frame.select("as_of", pl.col("_shown").alias("customer"), *columns).sort(
        "customer"
    ), left_out


def recomputed_basis(folder: Path) -> CaseBasis | None:
    """Return what the business case of a run is made of; None where the run has no case.

    Raises
    ------
    RefusedError
        If the run kept nothing that this akb can read.
    """
    from akb.store.manifest import manifest_of
    from akb.value import at_accounts, basis_alone

    things = things_kept(folder, only=("portfolio", "models"), without=("reasons",))
    manifest = manifest_of(folder)
    settings = settings_of(manifest, {})
    portfolio, _ = at_accounts(things["portfolio"], None, settings)
    return basis_alone(portfolio, things["models"], settings)


def settings_of(
    manifest: Mapping[str, Any],
    changed: Mapping[str, float],
    measured: Mapping[str, MeasuredEffect] | None = None,
    without: Collection[str] = (),
) -> Settings:
    """Return the settings of a run with other assumptions, and without some contact types."""
    from pydantic import ValidationError

    from akb.config import Settings

    try:
        settings = Settings.model_validate(manifest["settings"])
    except (KeyError, ValidationError):
        raise RefusedError(
            "this akb does not know the settings of the run", "Run akb eda again."
        ) from None
    off = {key: {**settings.contacts.get(key, {}), "enabled": False} for key in without}
    known = {**settings.measured, **(measured or {})}
    given = {**settings.assumptions, **changed}
    settings = settings.model_copy(
        update={"contacts": {**settings.contacts, **off}, "measured": {}, "assumptions": {}}
    )
    if without:  # numbers of a type that is gone are nobody's
        left = settings.assumed()
        known = {name: effect for name, effect in known.items() if name in left}
        given = {name: value for name, value in given.items() if name in left}
    return settings.model_copy(update={"measured": known, "assumptions": given})


def asked_settings(manifest: Mapping[str, Any]) -> Settings:
    """Return the settings with which a run was asked for; what `rerun_case` and `report_again`
    changed since is in them.
    """
    from pydantic import ValidationError

    from akb.config import Settings

    later = {
        name: manifest["settings"][name]
        for name in ("assumptions", "contacts", "measured", "report")
        if name in manifest["settings"]  # an earlier akb had fewer
    }
    try:
        return Settings.model_validate({**manifest["asked"]["settings"], **later})
    except (KeyError, ValidationError):
        raise RefusedError(
            "this akb does not know the settings of the run", "Run akb eda again."
        ) from None


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
        past = past_of(portfolio, things["past"])
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


def past_of(portfolio: Portfolio, models: ModelRun | None) -> Past | None:
    """Return the portfolio as it was on the day that models of the past looked from, with what they
    said; None without them.

    Both know the same customers: where the models are of an earlier export than the portfolio, who
    is in one of them only is left out."""
    import polars as pl

    from akb.ingest import earlier
    from akb.value.types import Past

    if models is None:
        return None
    then = earlier(portfolio, models.as_of)
    running = pl.col("end_date").is_null() | (pl.col("end_date") > then.as_of)
    strangers = (
        then.policies.filter(running)
        .join(models.scores, on="customer", how="anti")
        .select("customer")
        .unique()
    )
    policies = then.policies.join(strangers, on="customer", how="anti", maintain_order="left")
    present = policies.filter(running).select("customer")
    frames: dict[str, Any] = {
        name: frame.join(present, on="customer", how="semi", maintain_order="left")
        for name, frame in vars(models).items()
        if isinstance(frame, pl.DataFrame) and "customer" in frame.columns and name != "winback"
    }
    return Past(replace(then, policies=policies), replace(models, **frames))


def kept_classes() -> list[type]:
    """Return the dataclasses that a run keeps."""
    from akb.core.findings import Finding
    from akb.core.wording.phrases import Listed, Phrase, Rounded, Translated
    from akb.features.types import Feature
    from akb.ingest import types as ingested
    from akb.models import types as modelled

    found = [each for room in (ingested, modelled) for each in vars(room).values()]
    return [
        Feature,
        Finding,
        Listed,
        Translated,
        Phrase,
        Rounded,
        *(each for each in found if isinstance(each, type) and is_dataclass(each)),
    ]
