"""The story of ``akb feedback import``: a file of the portal, checked whole, into the book."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from akb.core.errors import RefusedError
from akb.live.duty.register import record_duty
from akb.live.feedback.events import import_events
from akb.live.feedback.figures import feedback_figures
from akb.live.registry import adopt, champion_of, runs_of
from akb.store.feedback import read_feedback, read_workbook
from akb.store.manifest import manifest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from akb.live.book import ClientBook
    from akb.store.feedback import Feedback

_PSEUDONYM = re.compile(r"K-[0-9A-F]{16}")


def import_feedback(book: ClientBook, path: Path, *, dry_run: bool = False) -> dict[str, Any]:
    """Add a file's events to the book and return what was added, with the figures of all of them.

    The same file twice adds nothing. A workbook does not say when its cells were filled in: its own
    time of change stands for it.

    Raises
    ------
    AkbError
        If anything in the file is not as it should be: then nothing of it is taken.
    RefusedError
        If it names customers by relation number and the book cannot say of which client they are.
    """
    if not dry_run:
        adopt(book)
    if path.suffix.lower() == ".xlsx":
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.is_file() else None
        events = read_workbook(path, (changed or datetime.now(UTC)).replace(microsecond=0))
    else:
        events = read_feedback(path)
    made = import_events(book, _under_pseudonyms(book, events), dry_run=dry_run)
    if not dry_run:
        record_duty(book)  # while the lists of the run are there
    known = {each.run for each in runs_of(book)}
    return {
        **made.document(),
        "unknown_runs": sorted(set(made.runs) - known),
        "figures": feedback_figures(book, datetime.now(UTC).date()),
    }


def _under_pseudonyms(book: ClientBook, events: Sequence[Feedback]) -> list[Feedback]:
    """Events with pseudonyms: a run that shows relation numbers gives those back."""
    if all(_PSEUDONYM.fullmatch(event.customer) for event in events):
        return list(events)
    from akb.core.privacy.pseudonyms import client_key, load_or_create_key, pseudonym

    champion = champion_of(book)
    if champion is None:
        raise RefusedError(
            "this file names customers by relation number, and the book holds no run to know them "
            "by",
            "Import it after the first akb retrain of the book.",
        )
    settings = manifest_of(champion.run.folder)["settings"]
    key = client_key(load_or_create_key(book.key_file), settings["client"]["name"])
    return [
        event
        if _PSEUDONYM.fullmatch(event.customer)
        else event.model_copy(update={"customer": pseudonym(event.customer, key)})
        for event in events
    ]
