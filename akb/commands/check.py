"""``akb check``: what the export can and cannot tell, without any modelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from akb.commands import options

if TYPE_CHECKING:
    from akb.ingest.types import Portfolio


def check(
    export: options.Exports,
    as_of: options.AsOf = None,
    config: options.Config = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
    fail_on: options.FailOn = None,
    log_file: options.LogFile = None,
) -> None:
    """Check an export: columns found, rows used and rejected, findings. Fits nothing, writes nothing.

    Example: akb check polissen.csv --fail-on issue
    """
    from akb.commands.console import Stages
    from akb.pipeline import Request, read

    options.check_fail_on(fail_on)
    files, roles = options.split_roles(export)
    # Nothing leaves this command under a pseudonym, so it needs no key of the client.
    request = Request(
        files=files, settings=options.settings_from(config), key=bytes(32), as_of=options.as_day(as_of), roles=roles
    )
    stages = Stages(quiet=quiet or json, log_file=log_file)
    with stages.stage("reading and checking the export"):
        portfolio = read(request)
    if json:
        options.print_json(as_document(portfolio))
    else:
        _print_tables(portfolio)
    raise typer.Exit(options.exit_code(portfolio.findings, fail_on))


def as_document(portfolio: Portfolio) -> dict[str, Any]:
    """Return the check as one JSON document."""
    from akb.core.findings import in_order

    return {
        "schema": "akb.check/1",
        "as_of": portfolio.as_of.isoformat(),
        "export_day": portfolio.export_day.isoformat(),
        "rows": {"read": portfolio.rows.read, "used": portfolio.rows.used, "rejected": portfolio.rows.rejected},
        "files": [
            {
                "name": source.name,
                "role": source.role,
                "rows": {"read": source.rows.read, "used": source.rows.used, "rejected": source.rows.rejected},
                "dialect": source.dialect,
                "columns": source.columns,
                "dropped": list(source.dropped),
            }
            for source in portfolio.sources
        ],
        "history": {
            "recorded_from": portfolio.history.recorded_from and portfolio.history.recorded_from.isoformat(),
            "months": portfolio.history.months,
            "reasons": portfolio.history.reasons,
            "commission": portfolio.history.commission,
        },
        "rejected_by_reason": dict(portfolio.rejects.group_by("reason").len().sort("reason").iter_rows()),
        "findings": [finding.as_json() for finding in in_order(portfolio.findings)],
    }


def _print_tables(portfolio: Portfolio) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from akb.core.findings import in_order

    console = Console(highlight=False)
    files = Table("file", "role", "read", "used", "rejected", "columns found", box=None, header_style="bold")
    for source in portfolio.sources:
        found = sorted({column for column in source.columns.values() if column})
        files.add_row(
            Text(source.name),
            source.role,
            f"{source.rows.read:,}",
            f"{source.rows.used:,}",
            f"{source.rows.rejected:,}",
            Text(", ".join(found)),
        )
    console.print(files)
    history = portfolio.history
    since = history.recorded_from.isoformat() if history.recorded_from else "none in the file"
    console.print(
        f"\nas of {portfolio.as_of.isoformat()}; ended policies recorded since {since} ({history.months} months); "
        f"commission {history.commission}; reasons {'yes' if history.reasons else 'no'}\n"
    )
    findings = Table("code", "", "count", "finding", box=None, header_style="bold")
    for finding in in_order(portfolio.findings):
        count = "" if finding.count is None else f"{finding.count:,}"
        words = Text(f"{finding.sentence()}\n{finding.remedy()}")
        findings.add_row(finding.code, finding.severity, count, words)
    console.print(findings)
