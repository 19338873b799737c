"""The tasks of a finished run, less whoever was spoken to or drawn since."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import blake2b
from math import ceil
from typing import TYPE_CHECKING

from akb.core.errors import AkbError
from akb.core.wording.text import load_toml, texts
from akb.store.feedback import LANGUAGES, unmarked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

TASKS = "actions/tasks.csv"
FIELDS = (
    "task", "run", "as_of", "customer", "relation", "relations", "rank", "list", "kind", "subject",
    "why", "branch", "before", "adviser", "done_by", "level", "office", "priority",
)  # fmt: skip
"""What a form can ask of a task: those of ``tasks.csv``, and ``task`` (its own name), ``run`` and
``as_of``, ``relation`` (one number) and ``relations`` (all of a household), ``priority``."""
HIGH, NORMAL, LOW = "high", "normal", "low"
MESSAGES = "messages"


@dataclass(frozen=True)
class Task:
    """One customer to contact.

    Parameters
    ----------
    customer
        As the run shows it: pseudonym, or relation number for who may see it.
    cells
        Field -> text; `before` and ``as_of`` are days.
    """

    customer: str
    cells: Mapping[str, str]
    before: date | None
    as_of: date

    @property
    def listed(self) -> str:
        """The list that it stands on."""
        return self.cells["list"]

    def named(self, relations: Collection[str]) -> Task:
        """Return the task with the relation numbers of the customer."""
        first = next(iter(relations), "")
        shown = {"customer": first, "relation": first, "relations": " + ".join(relations)}
        return replace(self, cells={**self.cells, **shown})


def read_tasks(folder: Path, run: str, as_of: date) -> list[Task]:
    """Return the tasks of a run in their order.

    Raises
    ------
    AkbError
        If the run has none in the form that akb writes them.
    """
    path = folder / TASKS
    if not path.is_file():
        raise AkbError(
            f"{folder} holds no {TASKS}: an earlier akb made it", "Run akb eda or akb score again."
        )
    heads = {
        heading: key
        for language in LANGUAGES
        for key, heading in texts("tasks", language)["head"].items()
    }
    try:
        text = path.read_bytes().decode("utf-8-sig")
        head, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True)
        keys = [heads[heading] for heading in head]
        cells = [dict(zip(keys, map(unmarked, row), strict=True)) for row in rows if any(row)]
        days = [
            datetime.strptime(each["before"], "%d-%m-%Y").date() if each["before"] else None
            for each in cells
        ]
    except (OSError, ValueError, KeyError, csv.Error):
        raise AkbError(
            f"{path} is not as akb wrote it", "Run akb eda or akb score again."
        ) from None
    priority = _priorities([each["list"] for each in cells])
    return [
        Task(
            each["customer"],
            {
                **each,
                "task": task_name(each),
                "run": run,
                "relation": each["customer"],
                "relations": each["customer"],
                "priority": level,
            },
            day,
            as_of,
        )
        for each, day, level in zip(cells, days, priority, strict=True)
    ]


def task_name(cells: Mapping[str, str]) -> str:
    """Return ``T-…``: the same work with the same customer has the same name next week, so that
    another system knows that it has it.
    """
    what = "\n".join(cells[name] for name in ("customer", "list", "subject"))
    return "T-" + blake2b(what.encode(), digest_size=8, person=b"akb task").hexdigest().upper()


def without(tasks: Iterable[Task], customers: Collection[str], *, care: bool = True) -> list[Task]:
    """Return the tasks of other customers than these; of these too what is care, unless that goes
    as well (`care`): it is withheld from nobody by lot.
    """
    kept = set() if care else {texts("tasks", each)["kind"]["care"] for each in LANGUAGES}
    return [each for each in tasks if each.customer not in customers or each.cells["kind"] in kept]


def resting_since(as_of: date) -> date:
    """Return after which day a talk keeps a customer from being contacted on a day."""
    return as_of - timedelta(days=int(load_toml("service.toml")["contact"]["cooling_off_days"]))


def _priorities(lists: list[str]) -> list[str]:
    """Return high for the first part of the work that people begin, low for what nobody's time
    takes.
    """
    begun = sum(name != MESSAGES for name in lists)
    high = ceil(begun * float(load_toml("live.toml")["tasks"]["high_share"]))
    levels, place = [], 0
    for name in lists:
        place += name != MESSAGES
        levels.append(LOW if name == MESSAGES else HIGH if place <= high else NORMAL)
    return levels
