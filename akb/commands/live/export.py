"""``akb export``: the tasks of a run, in the form that a back office or a CRM imports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options

if TYPE_CHECKING:
    from akb.commands.console import Stages

_WHY = {
    "list": "are on a list that this form does not take",
    "contacted": "were spoken to lately",
    "left": "are said to have left",
    "control_arm": "are in the control arm of the trial",
}


def export(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="The folder of a finished run, or the client's book: its latest."
        ),
    ],
    *,
    form: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="FORM",
            help="tasks, csv, salesforce, hubspot, or a TOML file of your own.",
        ),
    ] = "tasks",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The file to write (default: ./akb-FORM-<as-of>.csv)."),
    ] = None,
    reveal: Annotated[
        bool,
        typer.Option("--reveal", help="With relation numbers, of the run's private/customers.csv."),
    ] = False,
    trial: Annotated[
        Path | None,
        typer.Option(
            "--experiment",
            metavar="TRIAL",
            help="Leave out the control arm of this experiment; those of the book are known.",
        ),
    ] = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Look at everything and write nothing.")
    ] = False,
) -> None:
    """Write the tasks of a run, a row per customer to contact, for a back office or a CRM.

    Nobody of the control group, nobody who objects and nobody who has cancelled is in it; from a
    book nobody either who was spoken to since. Only its owner can read the file.

    Example: akb export boek --for salesforce --out taken.csv
    """
    from akb.commands.console import Stages
    from akb.live.book import is_book, open_book
    from akb.live.handover.story import hand_over, latest_folder
    from akb.live.journal import journal

    book = open_book(source) if is_book(source) else None
    with journal(book, "export", dry_run=dry_run) as line:
        folder = latest_folder(book) if book else source
        made = hand_over(folder, form, book=book, trial=trial, reveal=reveal)
        document = made.document
        name = f"akb-{Path(form).stem}-{document['as_of']}.csv"
        target = _allowed(out or Path(name), folder, source)
        document["written"] = None if dry_run else str(target)
        if not dry_run:
            _write(target, made.content)
        line |= {name: document[name] for name in ("as_of", "tasks", "left_out", "revealed")}
        line |= {"form": Path(form).stem}
    if json:
        options.print_json(document)
    else:
        _tell(document, Stages(quiet=quiet))


def _allowed(target: Path, folder: Path, source: Path) -> Path:
    """Return where to write: never in a run or a book, where nobody looks for copies of it."""
    from akb.core.errors import AkbError

    place = target.resolve()
    if any(place.is_relative_to(each.resolve()) for each in (folder, source)):
        raise AkbError(
            f"{target} lies in a run or a book, where akb keeps its own files",
            "Name a place outside it with --out.",
        )
    return target


def _write(target: Path, content: bytes) -> None:
    from akb.core.errors import AkbError
    from akb.store.atomic import write_atomically

    try:
        write_atomically(target, content)
    except OSError as error:
        raise AkbError(f"cannot write {target}: {error.strerror}") from error


def _tell(document: dict[str, Any], stages: Stages) -> None:
    per_list = ", ".join(f"{count:,} {name}" for name, count in document["lists"].items())
    stages.say(f"{document['tasks']:,} tasks of the run of {document['as_of']} ({per_list})")
    for why, count in document["left_out"].items():
        if count:
            stages.say(f"  left out: {count:,} {_WHY[why]}")
    if document["without_adviser"]:
        stages.say(f"  {document['without_adviser']:,} tasks name no adviser")
    if document["revealed"]:
        stages.say("  with relation numbers: keep it where only those come who may see them")
    stages.say(f"written: {document['written']}" if document["written"] else "nothing was written")
