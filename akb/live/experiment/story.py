"""The stories of ``akb experiment assign`` and ``akb experiment analyse``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.dates import add_months
from akb.core.draws import experiment_name
from akb.core.errors import AkbError, RefusedError, did_you_mean
from akb.core.wording.text import texts
from akb.live.evaluation.stored_run import stored_run
from akb.live.experiment.assignment import CONTROL, TREATED, assign, risk_cuts
from akb.live.experiment.candidates import candidates
from akb.live.experiment.kept import TrialFolder, trial_for
from akb.live.experiment.records import alone
from akb.live.experiment.registration import OUTCOMES, UNITS, Registration, closing_day
from akb.report.files.tables import dutch_cell, dutch_csv
from akb.store.atomic import write_atomically

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.live.book import ClientBook
    from akb.live.evaluation.stored_run import PastRun
    from akb.live.experiment.kept import Trial
    from akb.pipeline import Progress, Request

ANALYSIS, FRAGMENT = "analysis.json", "measured.toml"
SHOWN = "akb.experiment_analysis/1"


@dataclass(frozen=True)
class Wish:
    """What was asked of a new experiment; None: the default, or as it was registered.

    Parameters
    ----------
    name
        None: ``akb``, by which the lists draw their control group.
    enrol_until
        None: the first day only.
    """

    name: str | None = None
    unit: str | None = None
    contact: str | None = None
    outcome: str | None = None
    months: int | None = None
    control_share: float | None = None
    enrol_until: date | None = None


def assign_run(
    folder: Path, to: Path | ClientBook, wish: Wish, *, dry_run: bool = False
) -> dict[str, Any]:
    """Assign who is on the list of a run and not yet assigned; the first time also register.

    In a folder of the experiment, or in the client's book.

    Running it again on the same run changes nothing.

    Returns
    -------
    dict
        ``registration``, ``as_of``, ``new`` and ``all`` {arm: customers}, ``units`` {arm: units},
        ``listed``, ``against`` {``withheld_treated``, ``listed_control``}: on the run's list, but
        the other way round than the record says; ``without_adviser``.

    Raises
    ------
    AkbError
        If the wish is impossible, contradicts the registration, or the run is older than the last
        that was used.
    RefusedError
        If the run has other pseudonyms.
    """
    run = stored_run(folder)
    found = candidates(run)
    trial: Trial = TrialFolder(to) if isinstance(to, Path) else trial_for(to, wish.name, run.as_of)
    if dry_run:
        return _assigned(run, found, trial, wish, write=False)
    with trial.changing():
        return _assigned(run, found, trial, wish, write=True)


def _assigned(
    run: PastRun, found: pl.DataFrame, trial: Trial, wish: Wish, *, write: bool
) -> dict[str, Any]:
    known = trial.registration()
    registration = known or _registered(run, found, wish)
    if known is not None:
        _check_same(known, wish, trial)
    check_same_key(run, registration)
    record = trial.record()
    last = record["joined"].max()
    if isinstance(last, date) and run.as_of < last:
        raise AkbError(
            f"{run.folder} looked from {run.as_of.isoformat()}, before the last who joined "
            f"({last.isoformat()})",
            "Assign from the newest run.",
        )
    drawn = assign(registration, record, found, run.as_of)
    if drawn.added.is_empty() and record.is_empty():
        raise AkbError(
            f"nobody on the list of {run.folder} is planned for contact '{registration.contact}'",
            "Choose another --contact; the report names the planned contacts.",
        )
    if write:
        if known is None:
            trial.register(registration)
        trial.add(drawn.added)
    mine = found.filter(pl.col("contact") == registration.contact)
    arms = mine.join(
        drawn.record.select("customer", "arm"), on="customer", how="inner", maintain_order="left"
    )
    if write and isinstance(trial, TrialFolder):
        listed = handed_out(arms, run.settings.report.language)
        write_atomically(trial.folder / f"list-{run.as_of.isoformat()}.csv", listed)
    return {
        "registration": registration.document(),
        "as_of": run.as_of.isoformat(),
        "written": write,
        "listed": mine.height,
        "new": _per_arm(drawn.added),
        "all": _per_arm(drawn.record),
        "units": _per_arm(drawn.record.unique("unit")),
        "open": registration.started <= run.as_of <= registration.enrol_until,
        "against": {
            "withheld_treated": arms.filter(pl.col("withheld") & (pl.col("arm") == TREATED)).height,
            "listed_control": arms.filter(~pl.col("withheld") & (pl.col("arm") == CONTROL)).height,
        },
        "without_adviser": mine["adviser"].null_count() if registration.unit == "adviser" else 0,
    }


def handed_out(arms: pl.DataFrame, language: str = "nl") -> bytes:
    """Return the run's list for who works with it: everybody assigned, and whether to contact
    him.
    """
    words = texts("experiment", language)
    names = ("customer", "rank", "adviser", "office", "arm")
    rows = (
        [dutch_cell(words["arm"][value] if name == "arm" else value) for name, value in row.items()]
        for row in arms.select(names).to_dicts()
    )
    return dutch_csv([words["list"][name] for name in names], rows)


def _registered(run: PastRun, found: pl.DataFrame, wish: Wish) -> Registration:
    ladder = run.settings.ladder()
    planned = found["contact"].value_counts(sort=True).sort(["count", "contact"], descending=True)
    personal = [key for key in planned["contact"] if ladder[key].pool != "automatic"]
    contact = wish.contact or (personal or planned["contact"].to_list() or [""])[0]
    _check_word("contact", contact, ladder)
    unit, outcome = wish.unit or "customer", wish.outcome or "relations"
    _check_word("unit", unit, UNITS)
    _check_word("outcome", outcome, OUTCOMES)
    months = 12 if wish.months is None else wish.months
    share = 0.5 if wish.control_share is None else wish.control_share
    until = wish.enrol_until or run.as_of
    if not 1 <= months <= 36:
        raise AkbError("--months is a number from 1 to 36")
    if not 0 < share < 1:
        raise AkbError("--control-share is a share between 0 and 1, such as 0.5")
    if not run.as_of <= until <= add_months(run.as_of, 36):
        raise AkbError(
            f"--enrol-until lies between the day of the run ({run.as_of.isoformat()}) and three "
            "years later"
        )
    time = run.settings.time
    own = found.filter(pl.col("contact") == contact)
    return Registration(
        name=experiment_name(wish.name or "akb", run.as_of),
        started=run.as_of,
        enrol_until=until,
        stop=closing_day(until, months, time.gap_days + time.registration_lag_days),
        unit=unit,
        contact=contact,
        outcome=outcome,
        months=months,
        control_share=share,
        risk_cuts=risk_cuts(own["forecast_relations"]),
        gap_days=time.gap_days,
        lag_days=time.registration_lag_days,
        key_id=str(run.manifest.get("key_id")),
    )


def _check_word(what: str, word: str, known: Any) -> None:
    if word not in known:
        raise AkbError(
            f"unknown {what} '{word}'{did_you_mean(word, known)}", f"Known are {', '.join(known)}."
        )


def _check_same(registration: Registration, wish: Wish, trial: Trial) -> None:
    """Raise AkbError if something else is asked than what was registered."""
    asked = {
        "unit": wish.unit,
        "contact": wish.contact,
        "outcome": wish.outcome,
        "months": wish.months,
        "control_share": wish.control_share,
        "enrol_until": wish.enrol_until,
    }
    if wish.name is not None:
        asked["name"] = experiment_name(wish.name, registration.started)
    for name, value in asked.items():
        if value is not None and value != getattr(registration, name):
            raise AkbError(
                f"{trial} was registered with {name} {getattr(registration, name)}, not {value}; "
                "what was said beforehand does not change",
                "Leave the option out, or register another experiment with another --to (in a "
                "book: --name).",
            )


def check_same_key(run: PastRun, registration: Registration) -> None:
    """Raise RefusedError if a run has other pseudonyms than the experiment."""
    if run.manifest.get("key_id") != registration.key_id:
        raise RefusedError(
            f"{run.folder} knows its customers by other pseudonyms than this experiment",
            "Run akb eda with the key of the experiment (--key), and the same [client] name.",
        )


def _per_arm(frame: pl.DataFrame) -> dict[str, int]:
    counts = dict(frame["arm"].value_counts().iter_rows())
    return {arm: int(counts.get(arm, 0)) for arm in (TREATED, CONTROL)}


def analyse(trial: Trial, request: Request, progress: Progress) -> dict[str, Any]:
    """Return what an experiment showed by a new export, and leave it in the experiment's folder
    with the fragment of ``akb.toml`` for the register.

    Raises
    ------
    RefusedError
        Before the stop date, or where the export has other pseudonyms.
    AkbError
        If nobody was assigned, or too few to say anything.
    """
    from akb.core.privacy.pseudonyms import key_id
    from akb.live.experiment.analysis import analysis, measured_effects
    from akb.live.experiment.outcomes import outcomes
    from akb.pipeline import read

    registration, record = trial.registration(), trial.record()
    if registration is None or record.is_empty():
        raise AkbError(f"nobody was assigned in {trial}", "Run akb experiment assign first.")
    if key_id(request.pseudonym_key) != registration.key_id:
        raise RefusedError(
            "the export would have other pseudonyms than this experiment",
            "Give the key of the experiment with --key, and the same [client] name.",
        )
    with progress.stage("reading and checking the export"):
        portfolio = read(request)
    if portfolio.as_of < registration.stop:
        raise RefusedError(
            f"the export looks from {portfolio.as_of.isoformat()} and this experiment stops on "
            f"{registration.stop.isoformat()}: no outcome is looked at before",
            "There is no interim look; come back with an export of that day or later.",
        )
    with progress.stage("following everybody who was assigned"):
        settings = _timed(request.settings, registration)
        followed = outcomes(portfolio, record, registration.months, settings)
        table = pl.concat([record, followed.drop("customer", "joined")], how="horizontal")
        result = analysis(registration, table, request.settings.assumed())
    document = {
        "schema": SHOWN,
        "experiment": registration.name,
        "registration": registration.fingerprint,
        "as_of": portfolio.as_of.isoformat(),
        **result,
    }
    effects = measured_effects(registration, result)
    folder = trial.folder
    with alone(folder):
        content = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
        write_atomically(folder / ANALYSIS, content.encode())
        write_atomically(folder / FRAGMENT, fragment(registration.name, effects).encode())
    return document


def _timed(settings: Settings, registration: Registration) -> Settings:
    """Return settings with the gap and the lag that were registered."""
    days = {
        "gap_days": registration.gap_days,
        "registration_lag_days": registration.lag_days,
    }
    return settings.model_copy(update={"time": settings.time.model_copy(update=days)})


def fragment(name: str, effects: Any) -> str:
    """Return the part of ``akb.toml`` that brings measured effects into the register."""
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment(f"Gemeten in het experiment {name}; akb experiment analyse."))
    document.add("schema", 1)
    table = tomlkit.table(is_super_table=True)
    for key, effect in effects.items():
        table.add(key, effect.model_dump())
    if effects:
        document.add("measured", table)
    return tomlkit.dumps(document)
