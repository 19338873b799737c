"""`check`, `eda` and `load`: the commands as functions."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from akb.api.frames import export_files, findings_frame
from akb.api.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from akb.api.frames import Export
    from akb.config import Settings
    from akb.core.candidates import Estimator


@dataclass(frozen=True)
class Check:
    """What an export can and cannot tell.

    Parameters
    ----------
    document
        What ``akb check --json`` prints (``akb.check/1``): files, columns, texts, history, rejected
        rows, findings.
    """

    document: Mapping[str, Any]

    @property
    def as_of(self) -> date:
        """The day from which the export is looked at."""
        return date.fromisoformat(self.document["as_of"])

    @property
    def rows(self) -> dict[str, int]:
        """Rows ``read``, ``used`` and ``rejected``."""
        return dict(self.document["rows"])

    @property
    def findings(self) -> pl.DataFrame:
        """A row per finding: code, severity, count, share, sentence, remedy."""
        return findings_frame(self.document["findings"])


def check(
    *exports: Export,
    policies: Export | None = None,
    customers: Export | None = None,
    claims: Export | None = None,
    contacts: Export | None = None,
    payments: Export | None = None,
    premiums: Export | None = None,
    as_of: date | str | None = None,
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    go_on: bool = False,
) -> Check:
    """Check an export: what its columns and texts mean, rows used and rejected, findings.

    Fits and writes nothing; the same as ``akb check``.

    Parameters
    ----------
    exports
        Paths, or frames of Polars, pandas or Arrow, in any order: akb finds out by the columns
        which is which.
    policies, customers, claims, contacts, payments, premiums
        The same, with the role said.
    as_of
        Look from this day; None for the export's own.
    config
        The client's settings: a TOML file, or a mapping of its tables.
    go_on
        Read what is left where most of the export cannot be read.

    Raises
    ------
    AkbError
        If something cannot be read, or the settings are wrong.

    Examples
    --------
    >>> import akb
    >>> found = akb.check("polissen.csv", contacts="contacten.csv")
    >>> found.rows["read"] == found.rows["used"] + found.rows["rejected"]
    True
    >>> found.findings.columns
    ['code', 'severity', 'count', 'share', 'sentence', 'remedy']
    """
    from akb.commands.inspect.overview import as_document
    from akb.pipeline import Request, read_and_preview

    what = export_files(
        exports,
        {
            "policies": policies,
            "customers": customers,
            "claims": claims,
            "contacts": contacts,
            "payments": payments,
            "premiums": premiums,
        },
    )
    request = Request(
        files=what.files,
        settings=_settings(config),
        key=bytes(32),  # nothing leaves under a pseudonym
        as_of=_day(as_of),
        roles=what.roles,
        go_on=go_on,
        held=what.held,
    )
    return Check(as_document(*read_and_preview(request)))


def eda(
    *exports: Export,
    policies: Export | None = None,
    customers: Export | None = None,
    claims: Export | None = None,
    contacts: Export | None = None,
    payments: Export | None = None,
    premiums: Export | None = None,
    out: str | os.PathLike[str] | None = None,
    as_of: date | str | None = None,
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    key: str | os.PathLike[str] | None = None,
    pseudonyms: bool = True,
    candidates: Mapping[str, Callable[[], Estimator]] | None = None,
    seed: int | None = None,
    jobs: int | None = None,
    go_on: bool = False,
    verbose: bool = False,
) -> Run:
    """Read an export, evaluate the predictions, work out the business case and write the report.

    The same as ``akb eda``, byte for byte.

    Parameters
    ----------
    exports, policies, customers, claims, contacts, payments, premiums, as_of, config, go_on
        As for `check`.
    out
        Folder for the results; None: ``./akb-<export>-<as-of>``.
    key
        Key file for pseudonyms; None: yours, made when needed.
    pseudonyms
        False: relation numbers instead, for those who may see them.
    candidates
        Name -> what makes an estimator of your own (`fit`, `predict_proba`), which then competes
        for every chance under the same windows, gate and evidence: docs/own_model.md.
    seed, jobs
        Seed of everything drawn at random, and threads, which change the time and never a result.
    verbose
        Say on stderr what is being done.

    Raises
    ------
    AkbError
        If something cannot be read or written, or the settings are wrong.

    Examples
    --------
    >>> import akb
    >>> run = akb.eda("polissen.csv", "schades.csv", contacts="contacten.csv", out="run")
    >>> run.scores.select("customer", "churn_12m").height == run.summary["customers"]["in_force"]
    True
    """
    from akb.commands.console import Stages
    from akb.core.candidates import registered
    from akb.core.privacy.pseudonyms import default_key_path, load_or_create_key
    from akb.pipeline import Request
    from akb.pipeline import eda as run

    what = export_files(
        exports,
        {
            "policies": policies,
            "customers": customers,
            "claims": claims,
            "contacts": contacts,
            "payments": payments,
            "premiums": premiums,
        },
    )
    key_file = Path(key) if key is not None else default_key_path()
    config_file = [Path(config)] if isinstance(config, str | os.PathLike) else []
    with registered(candidates or {}):
        request = Request(
            files=what.files,
            settings=_settings(config, seed, jobs, candidates),
            key=load_or_create_key(key_file),
            as_of=_day(as_of),
            roles=what.roles,
            out=None if out is None else Path(out),
            no_pseudonyms=not pseudonyms,
            go_on=go_on,
            kept_apart=[key_file, *config_file],
            held=what.held,
        )
        return Run(run(request, Stages(quiet=not verbose)).folder)


def score(
    *exports: Export,
    run: Run | str | os.PathLike[str],
    out: str | os.PathLike[str],
    policies: Export | None = None,
    customers: Export | None = None,
    claims: Export | None = None,
    contacts: Export | None = None,
    payments: Export | None = None,
    premiums: Export | None = None,
    as_of: date | str | None = None,
    key: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    accept: bool = False,
    go_on: bool = False,
    verbose: bool = False,
) -> Run:
    """Score a new export with the models of a finished run; nothing is fitted.

    The same as ``akb score --from RUN --out OUT``, byte for byte.

    Parameters
    ----------
    exports, policies, customers, claims, contacts, payments, premiums, as_of, go_on
        As for `check`.
    run
        The run whose models score, or its folder.
    out, key, jobs, verbose
        As for `eda`.
    accept
        Score although the models no longer fit.

    Raises
    ------
    AkbError
        If something cannot be read or written.
    RefusedError
        If the models no longer fit, with the reasons.

    Examples
    --------
    >>> import akb
    >>> week = akb.score("polissen.csv", "schades.csv", "contacten.csv", run="run", out="week")
    >>> week.scores.equals(akb.load("run").scores)
    True
    """
    from akb.commands.console import Stages
    from akb.core.privacy.pseudonyms import default_key_path, load_or_create_key
    from akb.live.scoring import ScoreRequest
    from akb.live.scoring import score as rescored

    what = export_files(
        exports,
        {
            "policies": policies,
            "customers": customers,
            "claims": claims,
            "contacts": contacts,
            "payments": payments,
            "premiums": premiums,
        },
    )
    key_file = Path(key) if key is not None else default_key_path()
    request = ScoreRequest(
        files=what.files,
        source=run.folder if isinstance(run, Run) else Path(run),
        out=Path(out),
        key=load_or_create_key(key_file),
        as_of=_day(as_of),
        roles=what.roles,
        jobs=jobs,
        kept_apart=[key_file],
        accept=accept,
        go_on=go_on,
        held=what.held,
    )
    return Run(rescored(request, Stages(quiet=not verbose)).folder)


def load(run: str | os.PathLike[str]) -> Run:
    """Return a finished run.

    Parameters
    ----------
    run
        The folder that ``akb eda`` or `eda` left.

    Raises
    ------
    AkbError
        If it is no run, or one of another akb.

    Examples
    --------
    >>> import akb
    >>> run = akb.load("run")
    >>> run.evidence.filter(key="churn_12m")["horizon_months"].item()
    12
    >>> run.matrix().height == run.scores.height
    True
    """
    return Run(Path(run))


def _settings(
    config: str | os.PathLike[str] | Mapping[str, Any] | None,
    seed: int | None = None,
    jobs: int | None = None,
    candidates: Mapping[str, Any] | None = None,
) -> Settings:
    from akb.config import load_settings

    on_disk = config is None or isinstance(config, str | os.PathLike)
    return load_settings(
        Path(config) if isinstance(config, str | os.PathLike) else None,
        None if on_disk else config,  # type: ignore[arg-type]
        models__seed=seed,
        models__jobs=jobs,
        models__candidates=list(candidates) if candidates else None,
    )


def _day(day: date | str | None) -> date | None:
    from akb.core.errors import AkbError

    if not isinstance(day, str):
        return day
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise AkbError(f"as_of='{day}' is no day", "Write as_of='2026-01-31'.") from None
