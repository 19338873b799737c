"""The story of ``akb export``: the tasks of a run, less whom nobody may contact now, in the form of
another system.

The control group and who objects stand in no task of a run. From a book, whoever was spoken to
lately or is said to have left goes too, and the control arm of every experiment that runs there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError, RefusedError
from akb.live.evaluation.stored_run import stored_run
from akb.live.experiment.assignment import CONTROL
from akb.live.experiment.kept import TrialFolder, arms_of, running
from akb.live.experiment.registration import read_registration
from akb.live.experiment.story import check_same_key
from akb.live.feedback.events import recorded_contacts
from akb.live.handover.form import read_form
from akb.live.handover.tasks import read_tasks, resting_since, without
from akb.live.handover.written import written
from akb.live.registry import runs_of
from akb.store.folders import PRIVATE
from akb.store.private import relations_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from akb.live.book import ClientBook
    from akb.live.evaluation.stored_run import PastRun
    from akb.live.handover.tasks import Task


@dataclass(frozen=True)
class Handover:
    """A file for another system, and what is in it.

    Parameters
    ----------
    document
        ``form``, ``run``, ``as_of``, ``tasks``, ``lists`` {list: tasks}, ``left_out`` {why:
        tasks}, ``revealed``, ``without_adviser``.
    """

    content: bytes
    document: dict[str, Any]


def hand_over(
    folder: Path,
    form: str,
    *,
    book: ClientBook | None = None,
    trial: Path | None = None,
    reveal: bool = False,
) -> Handover:
    """Return the tasks of a run in a form.

    Parameters
    ----------
    form
        See `akb.live.handover.form.read_form`.
    book
        Whose events keep customers out.
    trial
        The folder of an experiment that no book has, whose control arm stays out.
    reveal
        With relation numbers, of the run's ``private/customers.csv``.

    Raises
    ------
    AkbError
        If there is no run, form, trial or file of relation numbers.
    RefusedError
        If the trial knows customers by other pseudonyms.
    """
    shape, run = read_form(form), stored_run(folder)
    whole = read_tasks(folder, run.name, run.as_of)
    tasks = [each for each in whole if each.listed in shape.lists]
    left_out = {"list": len(whole) - len(tasks)}
    for why, customers in _kept_out(run, book, trial).items():
        fewer = without(tasks, customers, care=why != "control_arm")
        left_out[why] = len(tasks) - len(fewer)
        tasks = fewer
    if reveal:
        tasks = _revealed(run, tasks)
    document = {
        "schema": "akb.export/1",
        "form": form,
        "run": run.name,
        "as_of": run.as_of.isoformat(),
        "tasks": len(tasks),
        "lists": {name: sum(each.listed == name for each in tasks) for name in shape.lists},
        "left_out": left_out,
        "revealed": reveal or run.customer == "relation",
        "without_adviser": sum(not each.cells["adviser"] for each in tasks),
    }
    return Handover(written(tasks, shape), document)


def latest_folder(book: ClientBook) -> Path:
    """Return the latest run of a book.

    Raises
    ------
    AkbError
        If there is none.
    """
    runs = runs_of(book)
    if not runs:
        raise AkbError("the book holds no run yet", "Give it one with akb retrain.")
    return runs[-1].folder


def _kept_out(run: PastRun, book: ClientBook | None, trial: Path | None) -> Mapping[str, set[str]]:
    """Return why -> customers, as the run shows them."""
    kept: dict[str, set[str]] = {}
    if book is not None:
        known = recorded_contacts(book)
        since = resting_since(run.as_of)
        kept["contacted"] = _shown(run, known.filter(known["date"] > since)["customer"].to_list())
        kept["left"] = _shown(run, known.filter("left")["customer"].to_list())
        arms = running(arms_of(book), run.as_of)
        kept["control_arm"] = _shown(run, arms.filter(arm=CONTROL)["customer"].to_list())
    if trial is not None:
        check_same_key(run, read_registration(trial))
        record = TrialFolder(trial).record()
        drawn = set(record.filter(arm=CONTROL)["customer"])
        kept["control_arm"] = kept.get("control_arm", set()) | drawn
    return kept


def _shown(run: PastRun, pseudonyms: list[str]) -> set[str]:
    """Return customers of the book as the run shows them: by pseudonym, or not at all."""
    if run.customer == "pseudonym" or not pseudonyms:
        return set(pseudonyms)
    raise RefusedError(
        f"{run.folder} shows relation numbers, and the book knows customers by pseudonyms",
        "Score again without --no-pseudonyms.",
    )


def _revealed(run: PastRun, tasks: list[Task]) -> list[Task]:
    if run.customer == "relation":
        return tasks
    relations = relations_of(run.folder)
    missing = [each for each in tasks if each.customer not in relations]
    if missing:
        raise AkbError(
            f"{len(missing)} customers of the tasks are not in {PRIVATE}", "Run akb eda again."
        )
    return [each.named(relations[each.customer]) for each in tasks]
