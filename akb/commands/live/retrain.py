"""``akb retrain``: refitting that has to be earned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options

if TYPE_CHECKING:
    from akb.live.book import ClientBook

_SAID = {
    "first": "the first models of this book score from now on",
    "won": "the challenger predicted better and scores from now on",
    "level": "the champion's level was off and the challenger's is not: it scores from now on",
    "stays": "the champion stays",
    "few": "the champion stays: too little happened to tell",
    "early": "the champion stays: no window has closed since it was fitted",
    "back": "the earlier models score again",
}


def retrain(
    export: Annotated[
        list[str] | None,
        typer.Argument(metavar="EXPORT...", help="The new export, as for akb eda."),
    ] = None,
    *,
    source: Annotated[
        Path, typer.Option("--from", "--book", metavar="DIR", help="The client's book.")
    ],
    as_of: options.AsOf = None,
    config: options.Config = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
    jobs: options.Jobs = None,
    go_on: options.GoOn = False,
    log_file: options.LogFile = None,
    back: Annotated[
        bool, typer.Option("--back", help="Let the models before these score again; no export.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare, and write nothing.")] = False,
) -> None:
    """Fit a challenger and let it score from now on only if it beats the champion.

    Both are judged on the newest window that closed since the champion was fitted, by a rule that
    the answer states. The first time the book gets its first models.

    Example: akb retrain polissen.csv schades.csv contacten.csv --from boek
    """
    from akb.commands.console import Stages
    from akb.core.errors import AkbError
    from akb.core.privacy.pseudonyms import load_or_create_key
    from akb.live.book import book_to_write
    from akb.live.journal import journal
    from akb.live.retraining.story import retrain as run
    from akb.pipeline import Request

    stages = Stages(quiet=quiet, log_file=log_file)
    if back and export:
        raise AkbError("--back takes no export", "Leave the files out.")
    if not back and not export:
        raise AkbError("there is no export to fit on", "Name its files, as for akb eda.")
    with book_to_write(source, dry_run=dry_run) as book:
        if back:
            document = _rolled_back(book, dry_run=dry_run)
        else:
            files, roles = options.split_roles(export or [])
            request = Request(
                files=files,
                settings=_settings(book, config, jobs),
                key=load_or_create_key(book.key_file),
                as_of=options.as_day(as_of),
                roles=roles,
                go_on=go_on,
                kept_apart=[book.key_file, *([config] if config else [])],
            )
            with journal(book, "retrain", dry_run=dry_run) as line:
                document = run(book, request, stages, dry_run=dry_run).document
                line |= {
                    name: document[name]
                    for name in ("as_of", "outcome", "champion", "now")
                    if name in document
                }
    if json:
        options.print_json(document)
        return
    stages.say(_SAID[document["outcome"]])
    if document["outcome"] == "early":
        stages.say(f"the first window closes on {document['window_closes']}")
    if "duel" in document:
        found = document["duel"]
        stages.say(
            f"{found['window']['months']} months from {found['window']['from']}: {found['left']:,} "
            f"of {found['customers']:,} left; gain in log loss {found['gain']:.5f} "
            f"({found['low']:.5f} to {found['high']:.5f})"
        )


def _rolled_back(book: ClientBook, *, dry_run: bool) -> dict[str, Any]:
    from akb.live.journal import journal
    from akb.live.registry import roll_back

    with journal(book, "retrain --back", dry_run=dry_run) as line:
        champion = roll_back(book, dry_run=dry_run)
        line |= {"now": champion.run.run, "fitted": champion.run.fitted}
    return {
        "schema": "akb.retrained/1",
        "outcome": "back",
        "now": champion.run.run,
        "fitted": champion.run.fitted,
    }


def _settings(book: ClientBook, config: Path | None, jobs: int | None) -> Any:
    """The client's file where it is given, else the settings of the champion, else the
    defaults.
    """
    from akb.live.registry import champion_of
    from akb.rerun import settings_of
    from akb.store.manifest import manifest_of

    champion = None if config is not None else champion_of(book)
    if champion is None:
        return options.settings_from(config, jobs=jobs)
    settings = settings_of(manifest_of(champion.run.folder), {})
    if jobs is None:
        return settings
    return settings.model_copy(update={"models": settings.models.model_copy(update={"jobs": jobs})})
