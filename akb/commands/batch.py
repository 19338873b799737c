"""``akb batch``: many offices side by side."""

from __future__ import annotations

import json as json_module
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE, FIGURES = "comparison.html", "comparison.json"


class PageLanguage(StrEnum):
    """In which language the comparison is."""

    nl = "nl"
    en = "en"


def batch(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A folder with a folder, or a set of files, each.")
    ],
    *,
    as_of: options.AsOf = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the results (default: ./akb-batch-<DIR>)."),
    ] = None,
    config: options.Config = None,
    key: options.Key = None,
    lang: Annotated[
        PageLanguage, typer.Option("--lang", help="Language of the comparison.")
    ] = PageLanguage.nl,
    quiet: options.Quiet = False,
    json: options.Json = False,
    seed: options.Seed = None,
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", min=1, help="Offices at a time; changes the time, never a result."),
    ] = None,
    log_file: options.LogFile = None,
) -> None:
    """Run akb eda for every office of a folder and lay the offices beside each other.

    An office under 500 customers draws on the lapses of its sister offices, the weight is shown;
    only counts per branch and how they vary go from office to office. An akb.toml in an office's
    folder stands in the place of --config. Exit code 2 if an office could not be run; the others
    are there.

    Example: akb batch kantoren --out out/batch
    """
    from akb.batch.offices import offices_in
    from akb.batch.page import page
    from akb.batch.story import Batch
    from akb.batch.story import batch as story
    from akb.commands.console import Stages
    from akb.core.errors import AkbError
    from akb.core.privacy.pseudonyms import default_key_path, load_or_create_key
    from akb.pipeline import Request
    from akb.store.atomic import write_atomically

    key_file = key or default_key_path()
    found, shared = offices_in(folder), options.settings_from(config, seed, jobs)
    place = (out or Path(f"akb-batch-{folder.resolve().name}")).resolve()
    if place == folder.resolve() or place in folder.resolve().parents:
        raise AkbError(f"{place} holds the exports", "Choose another folder with --out.")
    secret, requests = load_or_create_key(key_file), {}
    for office in found:
        own = options.settings_from(office.config, seed, jobs) if office.config else shared
        named = own.client.model_copy(update={"name": own.client.name or office.name})
        alone = own.models.model_copy(update={"jobs": 1})
        requests[office.name] = Request(
            files=office.files,
            settings=own.model_copy(update={"client": named, "models": alone}),
            key=secret,
            as_of=options.as_day(as_of),
            out=place / office.name,
            kept_apart=[key_file, *(path for path in (config, office.config) if path)],
        )
    stages = Stages(quiet=quiet, log_file=log_file)
    asked = Batch(requests, shared.models.jobs, shared.report.suppress_below)
    document = story(asked, stages)
    content = json_module.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    write_atomically(place / FIGURES, (content + "\n").encode())
    write_atomically(place / PAGE, page(document, lang.value).encode())
    if json:
        options.print_json(document)
    else:
        for line in _lines(document, place):
            stages.say(line)
    failed = [row for row in document["offices"] if row["status"] == "failed"]
    if failed:
        raise AkbError(
            f"{len(failed)} of {len(found)} offices could not be run; {failed[0]['office']}: "
            f"{failed[0]['error']}",
            "The others are there; mend the export and run again.",
        )


def _lines(document: Mapping[str, Any], place: Path) -> list[str]:
    """Return what a person wants to know when it is done."""
    made = [row for row in document["offices"] if row["status"] == "made"]
    lines = [f"{len(made)} offices, {sum(row['customers'] or 0 for row in made):,} customers"]
    lines += [
        f"{row['office']}: {row['own']:.0%} own experience, {row['sisters']:.0%} sister offices, "
        f"{row['sources']:.0%} sources"
        for row in made
        if row["sisters"]
    ]
    return [*lines, f"comparison: {place / PAGE}"]
