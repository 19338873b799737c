"""``akb score``: a new export scored with stored models, without fitting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from akb.commands import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.commands.console import Stages
    from akb.live.scoring import Scored

From = Annotated[
    Path | None,
    typer.Option("--from", metavar="DIR", help="The run, or the book, whose models score."),
]
BookFolder = Annotated[
    Path | None,
    typer.Option("--book", metavar="DIR", help="The client's book: its champion, key and runs."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Look at everything and write nothing.")]


def score(
    export: Annotated[
        list[str] | None,
        typer.Argument(metavar="EXPORT...", help="The new export, as for akb eda."),
    ] = None,
    *,
    source: From = None,
    book: BookFolder = None,
    out: options.Out = None,
    as_of: options.AsOf = None,
    key: options.Key = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
    jobs: options.Jobs = None,
    go_on: options.GoOn = False,
    log_file: options.LogFile = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Score although the models no longer fit.")
    ] = False,
    dry_run: DryRun = False,
    customer: Annotated[
        str | None,
        typer.Option(
            "--customer", help="One customer in a call: pseudonym or relation number, no export."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="What he says of himself: age=41, kind=business, postcode=6811."
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            "--add", help="A branch that he has taken now, or claim:BRANCH, reported now."
        ),
    ] = None,
) -> None:
    """Score a new export with the models of a run, with who is new, gone and contacted since.

    Nothing is fitted. Where the models no longer fit it says why and exits with 3. With --customer
    it answers for one customer in a call, with what he says now.

    Example: akb score polissen.csv schades.csv contacten.csv --from out/eda --out out/week
    """
    from akb.commands.console import Stages
    from akb.commands.live.shared import opened, scores_from
    from akb.core.errors import AkbError
    from akb.core.privacy.pseudonyms import default_key_path, load_or_create_key
    from akb.live.journal import journal
    from akb.live.scoring import ScoreRequest
    from akb.live.scoring import score as run
    from akb.live.weekly import score_into

    if customer is not None:
        if export:
            raise AkbError("--customer asks a run, not an export", "Leave the files out.")
        if out is not None or dry_run:
            raise AkbError("--customer writes nothing", "Leave --out and --dry-run out.")
        _answer(book, source, key, customer, sets=set_ or (), adds=add or (), json=json)
        return
    if set_ or add:
        raise AkbError("--set and --add are about one customer", "Name him with --customer.")
    if not export:
        raise AkbError("there is no export to score", "Name its files, as for akb eda.")
    files, roles = options.split_roles(export)
    client = opened(book, source)
    if client is None and out is None:
        raise AkbError("there is no place for the scores", "Name a new folder with --out.")
    key_file = key or (client.key_file if client else default_key_path())
    stages = Stages(quiet=quiet, log_file=log_file)
    request = ScoreRequest(
        files=files,
        source=scores_from(client, source),
        out=out or Path(),
        key=load_or_create_key(key_file),
        as_of=options.as_day(as_of),
        roles=roles,
        jobs=jobs,
        kept_apart=[key_file],
        accept=accept,
        go_on=go_on,
    )
    with journal(client, "score", dry_run=dry_run) as line:
        if client is None:
            scored = run(request, stages, dry_run=dry_run)
        else:
            scored = score_into(client, request, stages, out=out, dry_run=dry_run)
        document = scored.document
        line |= {name: document[name] for name in ("as_of", "fitted", "customers", "changes")}
        line |= {"folder": scored.folder.name, "accepted": document["refused"]}
        line |= {"watch": None if scored.watch is None else scored.watch.brief()}
    if json:
        options.print_json(scored.document)
    else:
        _tell(scored, stages)


def _answer(
    book: Path | None,
    source: Path | None,
    key: Path | None,
    customer: str,
    *,
    sets: Sequence[str],
    adds: Sequence[str],
    json: bool,
) -> None:
    from akb.commands.live.shared import latest_run, opened
    from akb.commands.streams import write_out
    from akb.core.privacy.pseudonyms import default_key_path, load_or_create_key
    from akb.live.scoring.inbound import InboundScorer

    client = opened(book, source)
    key_file = key or (client.key_file if client else default_key_path())
    scorer = InboundScorer(latest_run(client, source), load_or_create_key(key_file))
    answer = scorer.ask(customer, sets=sets, adds=adds)
    if json:
        options.print_json(answer.document())
    else:
        write_out("\n".join(answer.lines()) + "\n")


def _tell(scored: Scored, stages: Stages) -> None:
    changed = scored.document["changes"]
    stages.say(
        f"{scored.document['customers']:,} customers scored with the models of "
        f"{scored.document['fitted']}: {changed['new']:,} new, {changed['gone']:,} gone, "
        f"{changed['contacted']:,} contacted since {scored.document['previous']}"
    )
    if scored.watch is not None and scored.watch.flagged is not None:
        stages.say(scored.watch.sentence())
    for reason in scored.document["refused"]:
        stages.say(f"the models no longer fit, scored all the same: {reason}")
    if scored.result is None:
        stages.say("a dry run: nothing was written")
    else:
        stages.say(f"report: {scored.folder / 'report.html'}")
