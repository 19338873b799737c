"""``akb feedback``: what advisers recorded, into the book, and what it says together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options

if TYPE_CHECKING:
    from akb.commands.console import Stages

feedback = typer.Typer(
    name="feedback",
    help="What advisers recorded: into the book, and what it says together.",
    no_args_is_help=True,
)
To = Annotated[Path, typer.Option("--to", metavar="DIR", help="The client's book.")]


@feedback.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The portal's CSV, or a filled-in actions.xlsx.")
    ],
    *,
    to: To,
    quiet: options.Quiet = False,
    json: options.Json = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look at everything and write nothing.")
    ] = False,
) -> None:
    """Add what advisers recorded to the book: only added, each event once, never a churn label.

    Customers who were spoken to, or who are said to have left, stay off the next lists.

    Example: akb feedback import akb-terugkoppeling.csv --to boek
    """
    from akb.commands.console import Stages
    from akb.live.book import book_to_write
    from akb.live.feedback.story import import_feedback
    from akb.live.journal import journal

    with (
        book_to_write(to, dry_run=dry_run) as book,
        journal(book, "feedback import", dry_run=dry_run) as line,
    ):
        document = import_feedback(book, file, dry_run=dry_run)
        line |= {name: document[name] for name in ("events", "new", "known", "customers")}
    if json:
        options.print_json(document)
        return
    stages = Stages(quiet=quiet)
    would = "would be new" if dry_run else "new"
    stages.say(
        f"{document['events']:,} events of {document['customers']:,} customers: "
        f"{document['new']:,} {would}, {document['known']:,} known already"
    )
    if document["unknown_runs"]:
        stages.say(f"of runs that the book does not hold: {', '.join(document['unknown_runs'])}")
    _tell(document["figures"], stages)


@feedback.command("figures")
def figures(
    *,
    book: Annotated[Path, typer.Option("--book", metavar="DIR", help="The client's book.")],
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Tell what the feedback in the book says together: per type, agreement, who is left alone.

    Example: akb feedback figures --book boek
    """
    from datetime import UTC, datetime

    from akb.commands.console import Stages
    from akb.live.book import existing_book
    from akb.live.feedback.figures import feedback_figures

    document = feedback_figures(existing_book(book), datetime.now(UTC).date())
    if json:
        options.print_json(document)
    else:
        _tell(document, Stages(quiet=quiet))


def _tell(document: dict[str, Any], stages: Stages) -> None:
    for row in document["types"]:
        if row["events"]:
            stages.say(f"  {row['type']:<22}{row['events']:>6} of {row['customers']} customers")
    for row in document["agreement"]:
        if row["share"] is not None:
            low, high = row["interval"]
            stages.say(
                f"  advisers agree on {row['subject']} in {row['share']:.0%} of {row['pairs']} "
                f"pairs ({low:.0%}–{high:.0%})"
            )
    alone = document["left_alone"]
    stages.say(
        f"  left alone today: {alone['contacted']} spoken to lately, {alone['gone']} said to have "
        "left"
    )
