"""``akb check``: what the export can and cannot tell, without any modelling."""

from __future__ import annotations

from typing import Any

import typer

from akb.commands import options


def check(
    export: options.Exports,
    *,
    as_of: options.AsOf = None,
    config: options.Config = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
    fail_on: options.FailOn = None,
    go_on: options.GoOn = False,
    log_file: options.LogFile = None,
) -> None:
    """Check an export: what its columns and texts mean, rows used and rejected, findings. Fits and
    writes nothing.

    Example: akb check polissen.csv --fail-on issue
    """
    from akb.commands.console import Stages
    from akb.commands.inspect.overview import as_document
    from akb.pipeline import Request, read_and_preview

    options.check_fail_on(fail_on)
    files, roles = options.split_roles(export)
    # Nothing leaves this command under a pseudonym, so it needs no key of the client.
    request = Request(
        files=files,
        settings=options.settings_from(config),
        key=bytes(32),
        as_of=options.as_day(as_of),
        roles=roles,
        go_on=go_on,
    )
    stages = Stages(quiet=quiet or json, log_file=log_file)
    with stages.stage("reading and checking the export"):
        portfolio, view = read_and_preview(request)
    document = as_document(portfolio, view)
    if json:
        options.print_json(document)
    else:
        _print(document)
    raise typer.Exit(options.exit_code(portfolio.findings, fail_on))


def _print(document: dict[str, Any]) -> None:
    from rich.console import Console

    from akb.commands.inspect.overview import tables

    console = Console(highlight=False)
    for place, part in enumerate(tables(document)):
        if place:
            console.print()
        console.print(part, markup=False)
