"""``akb eda``: from an export to a folder with an honest report."""

from __future__ import annotations

import webbrowser
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from akb.commands import options

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from akb.cluster.executor import ClusterExecutor
    from akb.pipeline import Result

_NAMED = 5


def eda(
    export: options.Exports,
    *,
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
    portal_by: options.PortalBy = None,
    log_file: options.LogFile = None,
    client: options.Client = None,
    title: options.Title = None,
    author: options.Author = None,
    logo: options.Logo = None,
    advisers: options.Advisers = None,
    lang: options.Lang = None,
    cluster: options.Cluster = None,
    shared: options.Shared = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Open the report when it is there.")
    ] = False,
) -> None:
    """Read an export, prove the predictions, work out the business case and write the report.

    Example: akb eda polissen.csv schades.csv contacten.csv --out out/eda
    """
    from akb.commands.console import Stages
    from akb.core.privacy.pseudonyms import default_key_path, load_or_create_key
    from akb.pipeline import Request
    from akb.pipeline import eda as run

    options.check_fail_on(fail_on)
    named, held = options.fetch_addresses(export)
    files, roles = options.split_roles(named)
    key_file = key or default_key_path()
    request = Request(
        files=files,
        settings=options.covered(
            options.settings_from(config, seed, jobs, portal_by),
            client=client,
            title=title,
            author=author,
            logo=logo,
            advisers=advisers,
            lang=lang,
        ),
        key=load_or_create_key(key_file),
        as_of=options.as_day(as_of),
        roles=roles,
        held=held,
        out=out,
        no_pseudonyms=no_pseudonyms,
        go_on=go_on,
        kept_apart=[key_file, *([config] if config else [])],
    )
    reads = request.on_disk if cluster is None else ()  # elsewhere nobody sees the processor
    stages = Stages(quiet=quiet, log_file=log_file, reads=reads)
    with _executor(cluster, shared, out) as executor:
        result = run(request, stages, executor)
    for line in folder_lines(result.carried, other_key=result.other_key):
        stages.say(line)
    if json:
        options.print_json(result.summary)
    else:
        for line in closing_lines(result):
            stages.say(line)
    if open_:
        webbrowser.open((result.folder / "report.html").resolve().as_uri())
    raise typer.Exit(options.exit_code(result.bundle.findings, fail_on))


def _executor(
    cluster: str | None, shared: Path | None, out: Path | None
) -> AbstractContextManager[ClusterExecutor | None]:
    """Return what works on a cluster for as long as it is open; nothing without one."""
    if cluster is None:
        return nullcontext()
    from akb.cluster import connected

    return connected(cluster, shared or (out.resolve().parent if out else Path.cwd()))


def folder_lines(carried: Sequence[str], *, other_key: bool = False) -> list[str]:
    """Return what a person wants to know of a folder that a run has replaced."""
    lines = []
    if carried:
        more = f" and {len(carried) - _NAMED} more" if len(carried) > _NAMED else ""
        lines.append(f"yours, so still in the folder: {', '.join(carried[:_NAMED])}{more}")
    if other_key:
        lines.append(
            "the customers have other pseudonyms than in the run that this one replaces: "
            "another key, or another [client] name"
        )
    if _is_nowhere():
        lines.append(
            "your shell stands in the folder that was replaced: cd . takes it to the new one"
        )
    return lines


def _is_nowhere() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def closing_lines(result: Result) -> list[str]:
    """Return what a person wants to know when the run is done."""
    evidence, rows = result.summary["evidence"], result.summary["rows"]
    return [
        f"{rows['read']:,} rows read = {rows['used']:,} used + {rows['rejected']:,} rejected; "
        f"{result.summary['customers']['in_force']:,} customers in force on "
        f"{result.summary['as_of']}",
        f"{evidence['made']} of {evidence['total']} predictions made, "
        f"{evidence['proven']} of them strong or usable on later data; "
        f"{len(result.summary['findings'])} findings",
        f"report: {result.folder / 'report.html'}",
        f"for advisers: {result.folder / 'portal.html'} and "
        f"{result.folder / 'actions' / 'actions.xlsx'}",
    ]
