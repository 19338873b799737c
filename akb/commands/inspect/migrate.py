"""``akb migrate``: a run or book of an earlier akb."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from akb.commands import options
from akb.core.errors import AkbError, RefusedError

if TYPE_CHECKING:
    from akb.commands.console import Stages
    from akb.live.migration import Migration


def migrate(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A run, or a client's book with its runs.")
    ],
    *,
    exports: Annotated[
        Path | None,
        typer.Option("--from", help="Folder with the files that the run read: do it again."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="With --from: the folder of the new run.")
    ] = None,
    key: options.Key = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and write nothing.")
    ] = False,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Bring a run or book of an earlier akb to what this one reads.

    Its manifest gets what it did not say yet; scores, lists and figures stay as they were. Models
    cannot be converted: --from does the run again, with its own settings and as of its own day, in
    a folder beside it. Exit code 3 where that is needed and was not asked.

    Example: akb migrate out/eda
    """
    from akb.commands.console import Stages
    from akb.core.privacy.pseudonyms import default_key_path
    from akb.live.book import is_book
    from akb.live.migration import SCHEMA
    from akb.live.migration import migrate as bring

    if (exports is None) != (out is None):
        raise AkbError("--from and --out belong together", "Give both, or none.")
    book = is_book(folder)
    if exports is not None and book:
        raise AkbError(f"{folder} is a book", "akb retrain fits its models anew.")
    if out is not None and out.resolve() == folder.resolve():
        raise AkbError(f"{out} is the run itself", "Choose another --out.")
    key_file = key or (folder / "key" if book else default_key_path())
    found = bring(folder, key_file, dry_run=dry_run)
    stages = Stages(quiet=quiet or json)
    for each in found:
        for line in lines_of(each):
            stages.say(line)
    left = [each for each in found if each.again]
    if exports is not None and out is not None and not dry_run:
        _again(folder, exports, out, key_file, stages)
        left = []
    if json:
        options.print_json({"schema": SCHEMA, "runs": [each.document() for each in found]})
    if left:
        raise RefusedError(_sentence(left[0], len(left)), _hint(left[0], folder, book=book))


def lines_of(migration: Migration) -> list[str]:
    """Return what a person wants to know of a run."""
    name = migration.folder.name
    said = f": its manifest says {', '.join(migration.added)} now" if migration.added else ""
    if not said and not migration.again:
        return [f"{name}: nothing to migrate"]
    lines = [f"{name}{said}"] if said else []
    for each in migration.documents:
        if each.state != "current":
            lines.append(f"{name}: {each.file} is {each.found or 'missing'}, reads {each.reads}")
    return lines


def _sentence(migration: Migration, runs: int) -> str:
    more = f" (and {runs - 1} runs beside it)" if runs > 1 else ""
    return (
        f"{migration.folder}{more} can be evaluated; to score, report or work out a case it has to "
        f"be made again"
    )


def _hint(migration: Migration, folder: Path, *, book: bool) -> str:
    if book:
        return f"akb retrain EXPORT... --from {folder}"
    new = folder.with_name(f"{folder.name}-new")
    return f"akb migrate {folder} --from FOLDER-OF-ITS-EXPORT --out {new}"


def _again(folder: Path, exports: Path, out: Path, key_file: Path, stages: Stages) -> None:
    from dataclasses import replace

    from akb.commands.inspect.rerun import request_of
    from akb.core.privacy.pseudonyms import load_or_create_key
    from akb.pipeline import eda
    from akb.store.manifest import manifest_of

    request = request_of(manifest_of(folder), exports, load_or_create_key(key_file), key_file)
    result = eda(replace(request, out=out), stages)
    stages.say(f"report: {result.folder / 'report.html'}")
