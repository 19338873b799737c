"""``akb evaluate``: what a run predicted beside what a later export says happened."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE, FIGURES = "evaluation.html", "evaluation.json"
_NAMED = 8


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="OLD_RUN", help="The folder of a finished run.")],
    export: options.Exports,
    *,
    as_of: options.AsOf = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for evaluation.html and .json (default: no files)."),
    ] = None,
    book: Annotated[
        Path | None,
        typer.Option("--book", metavar="DIR", help="The client's book: its key and experiments."),
    ] = None,
    config: options.Config = None,
    key: options.Key = None,
    lang: Annotated[
        options.Language | None,
        typer.Option("--lang", help="Language of evaluation.html (default: that of the run)."),
    ] = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
    go_on: options.GoOn = False,
    fail_on_alarm: Annotated[
        bool, typer.Option("--fail-on-alarm", help="Exit with 1 where an alarm goes off.")
    ] = False,
) -> None:
    """Compare a finished run with what happened since: level, order, lists, contacts.

    A later export of the same office is read with the settings of the run, unless --config names
    others. Only windows that its day closes are judged.

    Example: akb evaluate out/eda polissen-2026.csv contacten-2026.csv --out out/evaluation
    """
    from akb.commands.console import Stages
    from akb.commands.live.shared import opened
    from akb.live.evaluation.page import page
    from akb.live.evaluation.stored_run import stored_run
    from akb.live.evaluation.story import evaluate as story
    from akb.live.experiment.kept import arms_of, running
    from akb.store.atomic import write_atomically

    stored, client = stored_run(run), opened(book, None)
    arms = None if client is None else running(arms_of(client), stored.as_of)
    key = key or (client.key_file if client else None)
    settings = None if config else stored.settings
    request = options.request_of(
        export, config=config, key=key, as_of=as_of, go_on=go_on, settings=settings
    )
    stages = Stages(quiet=quiet)
    document = story(stored, request, stages, arms=arms)
    if out is not None:
        content = json_module.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
        write_atomically(out / FIGURES, (content + "\n").encode())
        report = stored.settings.report
        shown = page(document, report.suppress_below, lang.value if lang else report.language)
        write_atomically(out / PAGE, shown.encode())
    if json:
        options.print_json(document)
    else:
        for line in _lines(document, out):
            stages.say(line)
    raise typer.Exit(int(fail_on_alarm and bool(document["alarms"])))


def _lines(document: Mapping[str, Any], out: Path | None) -> list[str]:
    """Return what a person wants to know when it is done."""
    rows = document["predictions"]
    judged = [row for row in rows if row["status"] == "judged"]
    waiting = [row["closes"] for row in rows if row["status"] == "open"]
    lines = [
        f"{document['customers']:,} customers of {document['run_as_of']} followed to "
        f"{document['as_of']}, {document['missing']:,} are not in the export",
        f"{len(judged)} predictions judged"
        + (f", {len(waiting)} not before {min(waiting)}" if waiting else ""),
    ]
    for row in judged:
        if row["key"] in ("churn_1m", "churn_12m", "policies_lost_12m") and row["observed"]:
            ends = row["interval"]
            lines.append(
                f"{row['key']}: {row['observed']:,.0f} observed, {row['expected']:,.0f} expected: "
                f"{row['observed_expected']:.2f} ({ends[0]:.2f} to {ends[1]:.2f})"
            )
    contact = document["contact"]
    if contact["status"] == "measured":
        policies = contact["effects"]["policies"]
        said = "" if policies["distinguishable"] else ", not to be told from zero"
        lines.append(
            f"policies lost per customer, contacted less withheld: {policies['difference']:+.3f} "
            f"({policies['interval'][0]:+.3f} to {policies['interval'][1]:+.3f}){said}"
        )
    alarms = [row["key"] for row in document["alarms"]]
    more = f" and {len(alarms) - _NAMED} more" if len(alarms) > _NAMED else ""
    lines.append(f"alarms: {', '.join(alarms[:_NAMED]) or 'none'}{more}")
    return [*lines, *([f"page: {out / PAGE}"] if out else [])]
