"""Who is champion: the runs of a book, which of them scores the weeks, since when and why."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal

from akb.core.errors import AkbError, RefusedError
from akb.store.folders import heal_beside, is_run
from akb.store.manifest import manifest_of
from akb.store.models import MANIFEST as MODELS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from akb.live.book import ClientBook

Why = Literal["first", "won", "back"]


@dataclass(frozen=True)
class RecordedRun:
    """A run of the book.

    models
        Hash of the manifest of its models, which names the hash of every file of them.
    fitted
        The as-of date that its models were fitted on; of an ``eda`` run its own.
    """

    run: str
    folder: Path
    kind: str
    as_of: str
    models: str
    fitted: str
    recorded: str


@dataclass(frozen=True)
class Champion:
    """The run whose models score; `why` it took over, and the figures on which."""

    number: int
    run: RecordedRun
    since: str
    why: Why
    document: Mapping[str, Any]

    @property
    def changed(self) -> date | None:
        """From when ends had changed when it took over after a change; None otherwise."""
        since = self.document.get("since")
        return None if since is None else date.fromisoformat(since)

    @property
    def level(self) -> float | None:
        """What the hazards of its models are multiplied by: a change that was too young to be
        learned whole.
        """
        level = self.document.get("level")
        return None if level is None else float(level)


def now() -> str:
    """Return this moment in UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def models_hash(folder: Path) -> str:
    """Return the hash of the manifest of a run's models; empty where it has none."""
    path = folder / MODELS
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def record_run(book: ClientBook, folder: Path) -> RecordedRun:
    """Record a finished run that lies in ``runs/``; a run that is recorded already stays as it is.

    Raises
    ------
    AkbError
        If there is no finished run.
    """
    manifest = manifest_of(folder)
    if not is_run(folder) or "run" not in manifest:
        raise AkbError(f"{folder} is not the folder of a finished akb run")
    scored = manifest.get("scored")
    found = RecordedRun(
        run=str(manifest["run"]),
        folder=folder,
        kind="score" if scored else "eda",
        as_of=str(manifest["as_of"]),
        models=models_hash(folder),
        fitted=str(scored["fitted"] if scored else manifest["as_of"]),
        recorded=now(),
    )
    with book.transaction() as state:
        # a folder that was replaced holds another run now, unless that one was champion
        state.execute(
            "DELETE FROM runs WHERE folder = ? AND (run, kind) <> (?, ?) "
            "AND (kind = 'score' OR run NOT IN (SELECT run FROM champion))",
            (folder.name, found.run, found.kind),
        )
        state.execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, kind) DO UPDATE SET "
            "models = excluded.models, fitted = excluded.fitted, recorded = excluded.recorded "
            "WHERE kind = 'score' AND models <> excluded.models",  # another champion scored since
            (
                found.run,
                folder.name,
                found.kind,
                found.as_of,
                found.models,
                found.fitted,
                found.recorded,
            ),
        )
    return found


def adopt(book: ClientBook) -> list[RecordedRun]:
    """Record the finished runs in ``runs/`` that a kill kept from being recorded."""
    names = {each.folder.name for each in runs_of(book)}
    heal_beside(book.runs)
    there = [path for path in sorted(book.runs.iterdir()) if not path.name.startswith(".")]
    return [record_run(book, path) for path in there if path.name not in names and is_run(path)]


def runs_of(book: ClientBook) -> list[RecordedRun]:
    """Return the runs of a book, the oldest as-of date first."""
    with book.read() as state:
        rows = state.execute(
            "SELECT run, folder, kind, as_of, models, fitted, recorded FROM runs "
            "ORDER BY as_of, recorded, run"
        ).fetchall()
    return [RecordedRun(row[0], book.runs / row[1], *row[2:]) for row in rows]


def champions_of(book: ClientBook) -> list[Champion]:
    """Return who was champion, the first first."""
    runs = {each.run: each for each in runs_of(book) if each.kind == "eda"}
    with book.read() as state:
        rows = state.execute(
            "SELECT number, run, since, why, document FROM champion ORDER BY number"
        ).fetchall()
    return [Champion(row[0], runs[row[1]], row[2], row[3], json.loads(row[4])) for row in rows]


def champion_of(book: ClientBook) -> Champion | None:
    """Return the champion, None before the first.

    Raises
    ------
    RefusedError
        If the models of the champion are not those that became champion.
    """
    found = champions_of(book)
    if not found:
        return None
    champion = found[-1]
    if models_hash(champion.run.folder) != champion.run.models:
        raise RefusedError(
            f"the models in {champion.run.folder} are not those that were recorded",
            "Put that folder back from a backup, or name another run with akb retrain --back.",
        )
    return champion


def crown(
    book: ClientBook, run: str, why: Why, document: Mapping[str, Any], *, after: int | None
) -> Champion:
    """Make a run the champion.

    Parameters
    ----------
    after
        The number of the champion that was compared with; None: there was none.

    Raises
    ------
    RefusedError
        If another command has made a champion meanwhile.
    """
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    with book.transaction() as state:
        last = state.execute("SELECT max(number) FROM champion").fetchone()[0]
        if last != after:
            raise RefusedError(
                "another command has chosen a champion meanwhile", "Look and try again."
            )
        state.execute(
            "INSERT INTO champion (run, since, why, document) VALUES (?, ?, ?, ?)",
            (run, now(), why, text),
        )
    return champions_of(book)[-1]


def roll_back(book: ClientBook, *, dry_run: bool = False) -> Champion:
    """Make the run that was champion before this one champion again, and return it.

    Raises
    ------
    RefusedError
        If there was none before, or its models are gone.
    """
    found = champions_of(book)
    earlier = [each for each in found if each.run.run != found[-1].run.run] if found else []
    if not earlier:
        raise RefusedError("this book has had no other champion", "There is nothing to go back to.")
    # rolling back twice goes back two steps: what was rolled back from is no candidate
    left = {each.document.get("from") for each in found if each.why == "back"}
    candidates = [each for each in earlier if each.run.run not in left] or earlier
    before = candidates[-1]
    if models_hash(before.run.folder) != before.run.models:
        raise RefusedError(f"the models in {before.run.folder} are gone or have changed")
    if dry_run:
        return before
    document = {"from": found[-1].run.run, "to": before.run.run}
    return crown(book, before.run.run, "back", document, after=found[-1].number)
