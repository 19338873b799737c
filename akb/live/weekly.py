"""A week in the book: score with the champion, keep the run, and record it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from akb.live.recorded import recorded_in_book
from akb.live.registry import adopt, champion_of, record_run, runs_of
from akb.live.scoring.story import Scored, ScoreRequest, score

if TYPE_CHECKING:
    from pathlib import Path

    from akb.live.book import ClientBook
    from akb.pipeline import Progress


def score_into(
    book: ClientBook,
    request: ScoreRequest,
    progress: Progress,
    *,
    out: Path | None,
    dry_run: bool = False,
) -> Scored:
    """Score with what the book knows of contacts; without another place the run lies in the book.

    The same export on the same day leaves the same run, which takes the place of itself.
    """
    champion = champion_of(book)
    scores = champion is not None and champion.run.folder.resolve() == request.source.resolve()
    request = replace(
        request,
        changed=champion.changed if champion is not None and scores else None,
        level=champion.level if champion is not None and scores else None,
        out=out or book.runs,
        in_book=out is None,
        recorded=recorded_in_book(book, dry_run=dry_run),
        earlier=[each.folder for each in runs_of(book)],
        kept_apart=(*request.kept_apart, book.key_file),
    )
    if dry_run:
        return score(request, progress, dry_run=True)
    with book.at_work():
        adopt(book)
        scored = score(request, progress)
        if out is None:
            record_run(book, scored.folder)
    return scored
