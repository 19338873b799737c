"""The story of ``akb retrain``: fit on all there is, and let the better one score from now on.

Rescoring weekly is normal, refitting is earned: without a window that closed since the champion was
fitted, or without winning on it, nothing changes but the record of the attempt."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from akb.core.errors import RefusedError
from akb.live.recorded import recorded_in_book
from akb.live.registry import (
    adopt,
    champion_of,
    crown,
    models_hash,
    now,
    record_run,
    runs_of,
)
from akb.live.retraining.duel import duel, first_window_closes, least_months, newest_window
from akb.live.scoring.changes import recorded_in
from akb.live.scoring.stored import stored_run
from akb.live.scoring.story import level_of, watched_since
from akb.pipeline import Request, leave_run, predict, read
from akb.store.manifest import manifest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from akb.ingest.types import Portfolio
    from akb.live.book import ClientBook
    from akb.live.registry import Champion, RecordedRun
    from akb.live.scoring.stored import StoredRun
    from akb.live.scoring.watch import EndsWatch
    from akb.pipeline import Progress

SCHEMA = "akb.retrained/1"


@dataclass(frozen=True)
class Retrained:
    """What became of it: ``first``, ``won``, ``level``, ``stays``, ``few`` or ``early``."""

    outcome: str
    document: dict[str, Any]


def retrain(
    book: ClientBook, request: Request, progress: Progress, *, dry_run: bool = False
) -> Retrained:
    """Fit a challenger on an export and make it champion if it wins by the rule.

    Parameters
    ----------
    request
        As for ``akb eda``; the book's key, and the champion's settings where there is one.
    dry_run
        Compare, and write nothing.

    Raises
    ------
    RefusedError
        If the export is older than the champion.
    """
    import time

    began = time.perf_counter()
    if dry_run:
        return _retrained(book, request, progress, began=began, dry_run=True)
    with book.at_work():
        adopt(book)
        return _retrained(book, request, progress, began=began, dry_run=False)


def _retrained(
    book: ClientBook, request: Request, progress: Progress, *, began: float, dry_run: bool
) -> Retrained:
    with progress.stage("reading and checking the export"):
        portfolio = read(request)
        portfolio = replace(
            portfolio, recorded=recorded_in(portfolio, recorded_in_book(book, dry_run=dry_run))
        )
    folder = book.runs / f"{portfolio.as_of.isoformat()}-eda"
    champion = champion_of(book)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "as_of": portfolio.as_of.isoformat(),
        "champion": None if champion is None else champion.run.run,
        "inputs": [source.sha256 for source in portfolio.sources],
    }
    if champion is None:
        if not dry_run:
            run = _fitted(book, request, portfolio, folder, progress, began=began)
            crown(book, run.run, "first", {**document, "models": run.models}, after=None)
            document["now"] = run.run
        return Retrained("first", {**document, "outcome": "first"})
    weeks = [each.folder for each in runs_of(book)]
    outcome, found = _compared(champion, request, portfolio, progress, weeks)
    document |= found
    if outcome in ("won", "level") and not dry_run:
        run = _fitted(book, request, portfolio, folder, progress, began=began)
        document["now"] = run.run
        crown(book, run.run, "won", {**document, "models": run.models}, after=champion.number)
    if not dry_run:
        _record(book, champion, outcome, document)
    return Retrained(outcome, {**document, "outcome": outcome})


def _watch_of(
    run: StoredRun, champion: Champion, portfolio: Portfolio, earlier: Sequence[Path]
) -> EndsWatch | None:
    """Return what the weeks since the champion was fitted show."""
    seen = run.read_as_then(portfolio)
    return watched_since(run, seen, earlier, since=champion.changed)


def _compared(
    champion: Champion,
    request: Request,
    portfolio: Portfolio,
    progress: Progress,
    earlier: Sequence[Path] = (),
) -> tuple[str, dict[str, Any]]:
    fitted = date.fromisoformat(champion.run.fitted)
    if portfolio.as_of < fitted:
        raise RefusedError(
            f"this export is of {portfolio.as_of.isoformat()}, and the champion was fitted on "
            f"{fitted.isoformat()}",
            "Give a later export.",
        )
    time = request.settings.time
    wait = time.gap_days + time.registration_lag_days
    run = stored_run(champion.run.folder, request.key)
    watch = _watch_of(run, champion, portfolio, earlier)
    since = None if watch is None else watch.changed_on
    begin, least = max(fitted, since or fitted), least_months(changed=since is not None)
    window = newest_window(begin, portfolio.as_of, wait, least=least)
    if window is None:
        closes = first_window_closes(begin, wait, least=least).isoformat()
        known = {} if since is None else {"since": since.isoformat()}
        return "early", {"window_closes": closes, **known}
    found = duel(
        run,
        portfolio,
        window,
        progress,
        since=since,
        level=level_of(champion.level, watch),
        followed=watch is not None and watch.level is not None,
    )
    if found is None:
        return "few", {}
    after = {} if found.since is None else {"since": found.since, "level": found.level}
    return found.verdict, {"duel": found.document(), **after}


def _fitted(
    book: ClientBook,
    request: Request,
    portfolio: Portfolio,
    folder: Path,
    progress: Progress,
    *,
    began: float,
) -> RecordedRun:
    """Fit on everything, and record the run; a run of the same files that is there already is that
    run.
    """
    from akb.store.folders import check_replaceable, heal

    there = next((each for each in runs_of(book) if each.folder == folder), None)
    if there is not None and _same(there, portfolio):
        return there
    heal(folder)
    check_replaceable(folder, request.files, (book.key_file,))
    bundle = predict(portfolio, request.settings, progress, no_pseudonyms=request.no_pseudonyms)
    leave_run(request, folder, bundle, progress, began=began)
    return record_run(book, folder)


def _same(there: RecordedRun, portfolio: Portfolio) -> bool:
    inputs = [each["sha256"] for each in manifest_of(there.folder).get("inputs", ())]
    read = [source.sha256 for source in portfolio.sources]
    return inputs == read and models_hash(there.folder) == there.models


def _record(book: ClientBook, champion: Champion, outcome: str, document: dict[str, Any]) -> None:
    """Record an attempt; the same one again is the same row."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    with book.transaction() as state:
        state.execute(
            "INSERT OR IGNORE INTO challenges VALUES (?, ?, ?, ?, ?)",
            (document["as_of"], champion.number, outcome, text, now()),
        )
