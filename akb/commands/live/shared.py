"""What the commands of the weekly work share: which book, and whose models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from pathlib import Path

    from akb.live.book import ClientBook


def opened(book: Path | None, source: Path | None) -> ClientBook | None:
    """Return the book that was named with ``--book``, or as ``--from``; None: there is none."""
    from akb.live.book import is_book, open_book

    if book is not None:
        return open_book(book)
    return open_book(source) if source is not None and is_book(source) else None


def scores_from(client: ClientBook | None, source: Path | None) -> Path:
    """Return the run whose models score: the one that was named, else the champion of the book.

    Raises
    ------
    AkbError
        If there is neither.
    """
    from akb.live.registry import champion_of

    if (run := _named(client, source)) is not None:
        return run
    champion = champion_of(client) if client is not None else None
    if champion is None:
        raise AkbError(
            "there are no models to score with",
            "Name a run with --from, or let akb retrain make the first champion of the book.",
        )
    return champion.run.folder


def latest_run(client: ClientBook | None, source: Path | None) -> Path:
    """Return the run that is asked about a customer: the one that was named, else the latest of the
    book.

    Raises
    ------
    AkbError
        If there is neither.
    """
    from akb.live.registry import runs_of

    if (run := _named(client, source)) is not None:
        return run
    runs = runs_of(client) if client is not None else []
    if not runs:
        raise AkbError("there is no run to ask", "Name one with --from.")
    return runs[-1].folder


def _named(client: ClientBook | None, source: Path | None) -> Path | None:
    """Return the run that ``--from`` names; None where it names the book, or nothing."""
    book = client is not None and source is not None and source.resolve() == client.folder
    return None if book else source
