"""``akb forget``: take one customer out of what a run, or the client's book, stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from akb.commands import options

if TYPE_CHECKING:
    from akb.commands.console import Stages


def forget(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="The folder of a finished run, or the client's book."),
    ],
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="Pseudonym (K-…) or relation number.")
    ],
    quiet: options.Quiet = False,
    json: options.Json = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go and write nothing.")
    ] = False,
) -> None:
    """Remove a customer from the scores, the lists and private/customers.csv of a run.

    Of a book: from all its runs, from what advisers recorded, the register of the duty of care and
    experiments. Totals stay: they tell of many, never of one. A next run of an export that still
    holds the customer scores them again.

    Example: akb forget boek K-7F3A90C2D4E1B605
    """
    from akb.commands.console import Stages
    from akb.live.book import is_book, open_book
    from akb.live.forgetting import forget_in_book
    from akb.live.journal import journal
    from akb.store.forgetting import forget_customer

    stages = Stages(quiet=quiet)
    if is_book(folder):
        book = open_book(folder)
        with journal(book, "forget", dry_run=dry_run):
            found = forget_in_book(book, customer, dry_run=dry_run)
        if json:
            options.print_json(found)
            return
        for name, rows in found["runs"].items():
            _tell({f"{name}/{file}": count for file, count in rows.items()}, stages)
        stages.say(
            f"recorded by advisers: {found['events']}, in experiments: {found['assignments']}; "
            "a tombstone stands there"
        )
    else:
        removed = forget_customer(folder, customer, dry_run=dry_run)
        if json:
            options.print_json({"schema": "akb.forget/1", "removed": removed})
            return
        _tell(removed, stages)
    if dry_run:
        stages.say("nothing was written (--dry-run)")


def _tell(removed: dict[str, int], stages: Stages) -> None:
    for name, rows in removed.items():
        stages.say(f"{name}: {rows} row{'' if rows == 1 else 's'} removed")
