"""``akb duty``: the register of the duty of care, and the evidence of one customer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from akb.commands import options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.live.book import ClientBook

duty = typer.Typer(
    name="duty",
    help="The duty of care: what was discussed, agreed and refused, and the evidence of it.",
    no_args_is_help=True,
)
BookFolder = Annotated[Path, typer.Option("--book", metavar="DIR", help="The client's book.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Look at everything and write nothing.")]


@duty.command()
def register(
    *,
    book: BookFolder,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write every entry to this CSV (default: no file).")
    ] = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
    dry_run: DryRun = False,
) -> None:
    """Tell per branch with how many customers it was discussed, agreed, refused; all entries as
    CSV.

    Entries come of what advisers recorded (akb feedback import) and are only ever added. Customers
    stand under their pseudonyms, and neither notes nor colleagues are told.

    Example: akb duty register --book boek --out zorgplicht.csv
    """
    from akb.commands.console import Stages
    from akb.live.book import existing_book
    from akb.live.duty.page import register_csv
    from akb.live.duty.register import WHAT, counts, entries_of
    from akb.live.journal import journal
    from akb.store.atomic import write_atomically

    client = existing_book(book)
    with journal(client, "duty register", dry_run=dry_run) as line:
        entries = entries_of(client, dry_run=dry_run)
        document = {
            "schema": "akb.duty/1",
            "entries": entries.height,
            "customers": entries["customer"].n_unique(),
            "branches": counts(entries),
        }
        if out is not None and not dry_run:
            write_atomically(out, register_csv(entries, _branches(client)))
        line |= {name: document[name] for name in ("entries", "customers")}
    if json:
        options.print_json(document)
        return
    stages, names = Stages(quiet=quiet), _branches(client)
    stages.say(f"{document['entries']:,} entries of {document['customers']:,} customers")
    for row in counts(entries):
        parts = ", ".join(f"{row[what]:,} {what}" for what in WHAT if row[what])
        stages.say(f"  {names.get(row['branch'], row['branch']) or '(no branch)'}: {parts}")
    if out is not None and not dry_run:
        stages.say(f"written: {out}")


@duty.command()
def evidence(
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="Pseudonym (K-…) or relation number.")
    ],
    *,
    book: BookFolder,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The page to write (default: ./zorgplicht-<pseudonym>.html)."),
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="With the relation number on the page.")
    ] = False,
    quiet: options.Quiet = False,
    json: options.Json = False,
    dry_run: DryRun = False,
) -> None:
    """Write what the book holds of one customer: gaps that were seen, what was said of them, when.

    One page (Dutch), for the customer's file or the AFM; only its owner can read it.

    Example: akb duty evidence K-7F3A90C2D4E1B605 --book boek --out bewijs.html
    """
    from datetime import UTC, datetime

    from akb.commands.console import Stages
    from akb.live.book import existing_book
    from akb.live.duty.evidence import customer_evidence
    from akb.live.duty.page import evidence_page
    from akb.live.journal import journal
    from akb.store.atomic import write_atomically

    client = existing_book(book)
    with journal(client, "duty evidence", dry_run=dry_run) as line:
        today = datetime.now(UTC).date()
        document = customer_evidence(client, customer, today, reveal=reveal, dry_run=dry_run)
        target = out or Path(f"zorgplicht-{document['customer']}.html")
        if not dry_run:
            write_atomically(target, evidence_page(document, _branches(client)).encode())
        line |= {"gaps": len(document["gaps"]), "entries": len(document["entries"])}
    if json:
        options.print_json(document)
        return
    stages = Stages(quiet=quiet)
    stages.say(f"{len(document['gaps'])} gaps, {len(document['entries'])} entries")
    stages.say("a dry run: nothing was written" if dry_run else f"written: {target}")


def _branches(book: ClientBook) -> Mapping[str, str]:
    """Return key -> name of branches, with those of the office's own settings."""
    from akb.core.errors import AkbError
    from akb.core.wording.text import load_toml
    from akb.live.evaluation.stored_run import stored_run
    from akb.live.registry import runs_of

    names = {key: str(each["name_nl"]) for key, each in load_toml("branches.toml").items()}
    for run in runs_of(book)[-1:]:
        try:
            taxonomy = stored_run(run.folder).settings.taxonomy()
        except AkbError:
            continue
        names |= {key: each.name_nl for key, each in taxonomy.items()}
    return names
