"""What is said beforehand: who is drawn, what is judged, when it stops. Written once, never
changed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from akb.core.dates import add_months
from akb.core.errors import AkbError, RefusedError
from akb.live.experiment.records import read_document
from akb.store.atomic import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "akb.experiment/1"
FILE = "experiment.json"
OUTCOMES = ("relations", "policies", "euros")
UNITS = ("customer", "adviser")
DAYS = ("started", "enrol_until", "stop")


@dataclass(frozen=True)
class Registration:
    """One experiment as it was registered.

    Parameters
    ----------
    name
        What the lots are drawn under, see `akb.core.draws.experiment_name`.
    started, enrol_until, stop
        The first as-of day, the last on which customers join, and the day before which no outcome
        is looked at: the window of who joined last is closed then.
    unit
        ``customer`` (household where those are the customers) or ``adviser``.
    contact
        The type of the ladder whose effect is asked.
    outcome
        The one that the verdict is about: ``relations``, ``policies`` or ``euros``.
    months
        After joining, in which outcomes count.
    control_share
        Who is left alone.
    risk_cuts
        Forecasts that part the strata, from low to high: of the first list, so that a customer's
        stratum does not depend on who comes later.
    gap_days, lag_days
        Of the settings: with `months` they say when a window is closed.
    key_id
        Of the key that the pseudonyms are made with: another key would draw other lots.
    looks
        How often outcomes are looked at: once, at the stop date. There is no sequential rule, so
        there are no interim results.
    """

    name: str
    started: date
    enrol_until: date
    stop: date
    unit: str
    contact: str
    outcome: str
    months: int
    control_share: float
    risk_cuts: tuple[float, ...]
    gap_days: int
    lag_days: int
    key_id: str
    looks: int = 1

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        days = {name: getattr(self, name).isoformat() for name in DAYS}
        return {"schema": SCHEMA, **asdict(self), **days, "risk_cuts": list(self.risk_cuts)}

    @property
    def fingerprint(self) -> str:
        """By what an analysis says which registration it is about."""
        written = json.dumps(self.document(), sort_keys=True).encode()
        return sha256(written).hexdigest()

    def closes(self, joined: date) -> date:
        """Return the day on which the outcomes of who joined then are complete."""
        return closing_day(joined, self.months, self.gap_days + self.lag_days)


def closing_day(joined: date, months: int, days: int) -> date:
    """Return when a window of so many months is closed: gap and registration lag come behind it."""
    return add_months(joined, months) + timedelta(days=days)


def write_registration(folder: Path, registration: Registration) -> None:
    """Write it down, once.

    Raises
    ------
    AkbError
        If there is one already.
    """
    if (folder / FILE).exists():
        raise AkbError(f"{folder} holds an experiment already", "Choose another --to.")
    content = json.dumps(registration.document(), ensure_ascii=False, indent=1) + "\n"
    write_atomically(folder / FILE, content.encode())


def read_registration(folder: Path) -> Registration:
    """Return the experiment of a folder.

    Raises
    ------
    AkbError
        If there is none that can be read.
    RefusedError
        If a newer akb wrote it.
    """
    return registration_of(read_document(folder / FILE, "an experiment"), str(folder / FILE))


def registration_of(document: dict[str, Any], where: str) -> Registration:
    """Return the experiment that a document describes.

    Raises
    ------
    AkbError
        If it describes none.
    RefusedError
        If a newer akb wrote it.
    """
    schema = document.pop("schema", None)
    if schema != SCHEMA:
        raise RefusedError(f"{where} has schema {schema}; this akb knows {SCHEMA}", "Upgrade akb.")
    try:
        days = {name: date.fromisoformat(document[name]) for name in DAYS}
        known = {field.name for field in fields(Registration)}
        if set(document) != known:
            raise ValueError
        cuts = tuple(float(each) for each in document["risk_cuts"])
        return Registration(**{**document, **days, "risk_cuts": cuts})
    except (KeyError, TypeError, ValueError):
        raise AkbError(f"{where} is no registration of an experiment") from None
