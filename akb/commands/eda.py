"""``akb eda``: from an export to a folder with an honest report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from akb.commands import options

if TYPE_CHECKING:
    from akb.pipeline import Result


def eda(
    export: options.Exports,
    as_of: options.AsOf = None,
    out: options.Out = None,
    config: options.Config = None,
    key: options.Key = None,
    no_pseudonyms: options.NoPseudonyms = False,
    quiet: options.Quiet = False,
    json: options.Json = False,
    seed: options.Seed = None,
    jobs: options.Jobs = None,
    fail_on: options.FailOn = None,
    go_on: options.GoOn = False,
    log_file: options.LogFile = None,
) -> None:
    """Read an export, prove the predictions, work out the business case and write the report.

    Example: akb eda polissen.csv schades.csv contacten.csv --out out/eda
    """
    from akb.commands.console import Stages
    from akb.core.pseudonyms import load_or_create_key
    from akb.pipeline import Request
    from akb.pipeline import eda as run

    options.check_fail_on(fail_on)
    files, roles = options.split_roles(export)
    request = Request(
        files=files,
        settings=options.settings_from(config, seed, jobs),
        key=load_or_create_key(key),
        as_of=options.as_day(as_of),
        roles=roles,
        out=out,
        no_pseudonyms=no_pseudonyms,
        go_on=go_on,
    )
    stages = Stages(quiet=quiet, log_file=log_file)
    result = run(request, stages)
    if json:
        options.print_json(result.summary)
    else:
        for line in closing_lines(result):
            stages.say(line)
    raise typer.Exit(options.exit_code(result.bundle.findings, fail_on))


def closing_lines(result: Result) -> list[str]:
    """Return what a person wants to know when the run is done."""
    evidence, rows = result.summary["evidence"], result.summary["rows"]
    return [
        f"{rows['read']:,} rows read = {rows['used']:,} used + {rows['rejected']:,} rejected; "
        f"{result.summary['customers']['in_force']:,} customers in force on {result.summary['as_of']}",
        f"{evidence['made']} of {evidence['total']} predictions made, "
        f"{evidence['proven']} of them strong or usable on later data; {len(result.summary['findings'])} findings",
        f"report: {result.folder / 'report.html'}",
    ]
