"""``akb experiment``: plan a trial, assign customers to it, analyse what it showed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options
from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Iterable

experiment = typer.Typer(
    help="Measure what contact does: plan a trial, assign customers, analyse the result.",
    no_args_is_help=True,
)

BookOfTrials = Annotated[
    Path | None,
    typer.Option("--book", metavar="DIR", help="The client's book, which keeps the experiment."),
]
Randomise = Annotated[
    str | None,
    typer.Option("--randomise", metavar="UNIT", help="Draw customer (default) or adviser."),
]


@experiment.command()
def plan(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="The folder of a finished run.")
    ] = None,
    *,
    before: Annotated[
        float | None,
        typer.Option("--before", help="Without a run: the chance without contact, as in 0.09."),
    ] = None,
    effect: Annotated[
        float | None,
        typer.Option("--effect", help="Without a run: the part of it to show, as in 0.36."),
    ] = None,
    randomise: Randomise = None,
    cluster_size: Annotated[
        float | None,
        typer.Option("--cluster-size", min=1.0, help="Customers on the list per adviser."),
    ] = None,
    icc: Annotated[
        float | None,
        typer.Option(
            "--icc", min=0.0, max=1.0, help="How alike customers of one adviser are, 0 to 1."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Say how many customers a trial takes, and which is the smallest that answers the advice.

    Example: akb experiment plan out/eda, or akb experiment plan --before 0.09 --effect 0.36
    """
    from akb.live.experiment.plan import plan as of_run
    from akb.live.experiment.plan import plan_of_rate
    from akb.live.experiment.sizes import ICC, Randomised

    unit = _unit(randomise)
    if unit == "customer" and (cluster_size is not None or icc is not None):
        raise AkbError(
            "--cluster-size and --icc mean something only with --randomise adviser",
            "Customers who are drawn one by one need no correction.",
        )
    rate = before is not None or effect is not None
    if (folder is None) == (not rate) or (rate and (before is None or effect is None)):
        raise AkbError(
            "name the folder of a run, or both --before and --effect",
            "For instance akb experiment plan --before 0.09 --effect 0.36.",
        )
    if before is not None and effect is not None:
        if unit == "adviser" and cluster_size is None:
            raise AkbError("without a run --randomise adviser needs --cluster-size")
        drawn = unit == "adviser"
        randomised = Randomised(
            unit,
            cluster_size or 1.0,
            (ICC if icc is None else icc) if drawn else 0.0,
        )
        document = plan_of_rate(before, effect, randomised)
    else:
        assert folder is not None
        _summary_of(folder)
        document = of_run(folder, unit, cluster_size, icc)
    if json:
        options.print_json(document)
    else:
        _print(_plan_lines(document))


@experiment.command()
def assign(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="The folder of a finished run, or the client's book: its latest."
        ),
    ],
    *,
    to: Annotated[
        Path | None, typer.Option("--to", help="The folder of the experiment, without a book.")
    ] = None,
    book: BookOfTrials = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", help="What the lots are drawn under (default: as the lists draw theirs)."
        ),
    ] = None,
    randomise: Randomise = None,
    contact: Annotated[
        str | None,
        typer.Option(
            "--contact", help="The contact whose effect is asked (default: most planned)."
        ),
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option("--outcome", help="What is judged: relations (default), policies or euros."),
    ] = None,
    months: Annotated[
        int | None, typer.Option("--months", help="In which outcomes count (default: 12).")
    ] = None,
    control_share: Annotated[
        float | None,
        typer.Option("--control-share", help="Who is left alone (default: 0.5)."),
    ] = None,
    enrol_until: Annotated[
        datetime | None,
        typer.Option(
            "--enrol-until",
            formats=["%Y-%m-%d", "%d-%m-%Y"],
            help="Until when customers join (default: this run only).",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it and write nothing.")] = False,
    json: options.Json = False,
) -> None:
    """Assign the customers on a run's list of contacts; the first time also register the trial.

    Who was assigned stays so at every next export. In a book the lists of akb score, akb export and
    akb evaluate know the arms from then on.

    Example: akb experiment assign boek --contact call --enrol-until 2026-06-30
    """
    from akb.commands.live.shared import opened
    from akb.live.experiment.story import Wish, assign_run
    from akb.live.handover.story import latest_folder
    from akb.live.journal import journal

    wish = Wish(
        name=name,
        unit=None if randomise is None else _unit(randomise),
        contact=contact,
        outcome=outcome,
        months=months,
        control_share=control_share,
        enrol_until=options.as_day(enrol_until),
    )
    client = opened(book, folder)
    place = client if to is None else to
    if place is None or (to is not None and book is not None):
        raise AkbError("say where the experiment is kept", "Give --book DIR, or --to FOLDER.")
    if client is not None and folder.resolve() == client.folder:
        folder = latest_folder(client)
    with journal(client if to is None else None, "experiment assign", dry_run=dry_run) as line:
        result = assign_run(folder, place, wish, dry_run=dry_run)
        line |= {name: result[name] for name in ("as_of", "listed", "new", "all")}
        line |= {"experiment": result["registration"]["name"]}
    if json:
        options.print_json({"schema": "akb.experiment_assignment/1", **result})
    else:
        _print(_assign_lines(result, to or (client.folder if client else folder)))


@experiment.command()
def analyse(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="TRIAL", help="The folder that akb experiment assign wrote, or the book."
        ),
    ],
    export: options.Exports,
    *,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Which experiment of the book, where it has more."),
    ] = None,
    as_of: options.AsOf = None,
    config: options.Config = None,
    key: options.Key = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
    go_on: options.GoOn = False,
) -> None:
    """Say what a trial showed by an export of its stop date or later.

    Leaves analysis.json and measured.toml in the folder of the trial; akb case --config and akb eda
    --config bring the latter into the case.

    Example: akb experiment analyse trial polissen.csv schades.csv contacten.csv
    """
    from akb.commands.console import Stages
    from akb.live.book import is_book, open_book
    from akb.live.experiment.kept import TrialFolder, trial_named
    from akb.live.experiment.story import FRAGMENT
    from akb.live.experiment.story import analyse as story

    client = open_book(folder) if is_book(folder) else None
    trial = TrialFolder(folder) if client is None else trial_named(client, name)
    key = key or (client.key_file if client else None)
    request = options.request_of(export, config=config, key=key, as_of=as_of, go_on=go_on)
    document = story(trial, request, Stages(quiet=quiet or json))
    language = request.settings.report.language
    if json:
        options.print_json(document)
    else:
        _print(
            [*_analysis_lines(document, language), f"for the register: {trial.folder / FRAGMENT}"]
        )


def _unit(given: str | None) -> str:
    from akb.core.errors import did_you_mean

    unit = given or "customer"
    if unit not in ("customer", "adviser"):
        known = ("customer", "adviser")
        raise AkbError(
            f"--randomise {unit}: there is no such unit{did_you_mean(unit, known)}",
            "Draw customer or adviser.",
        )
    return unit


def _summary_of(folder: Path) -> None:
    from akb.commands.case import read_summary

    read_summary(folder)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _plan_lines(document: dict[str, Any]) -> list[str]:
    drawn = document["randomised"]
    lines = []
    if drawn["unit"] == "adviser":
        guessed = " (guessed)" if document.get("icc_guessed") else ""
        lines.append(
            f"advisers are drawn: sizes times {drawn['design_effect']:.2f} = 1 + "
            f"({drawn['cluster_size']:.0f} - 1) x {drawn['icc']:g}{guessed}"
        )
    if "per_arm" in document:
        return [*lines, f"{document['per_arm']:,} customers per arm"]
    lines.append(
        f"{document['customers']:,} customers can be drawn; advice of the run: "
        f"{document['advice']['key']}; contacts pay from {document['break_even']:.0%} of the "
        "expected effect"
    )
    for row in document["designs"]:
        offices = f"{row['offices']} office(s)" if row["offices"] else "more than 50 offices"
        asked = "is there an effect" if row["question"] == "works" else "do contacts pay"
        lines.append(
            f"{asked}, by {row['outcome']}: {row['expected']:.1%} against {row['against']:.1%}: "
            f"{row['per_arm']:,} per arm, {offices}, {row['hours']:,.0f} hours here"
        )
    best = document["smallest"]["decision"]
    lines.append(
        "no trial of up to 50 offices is worth more to the decision than it costs"
        if best is None
        else f"smallest that is worth its cost to the decision: {best['outcome']}, "
        f"{best['per_arm']:,} per arm, {best['offices']} office(s), {best['months']} months, "
        f"{best['hours']:,.0f} hours here; worth € {best['value'] / 100:,.0f}, costs "
        f"€ {best['cost'] / 100:,.0f} an office"
    )
    return lines


def _assign_lines(result: dict[str, Any], to: Path) -> list[str]:
    registration, new, every = result["registration"], result["new"], result["all"]
    lines = [
        f"{registration['name']}: contact '{registration['contact']}', judged on "
        f"{registration['outcome']} within {registration['months']} months; no look before "
        f"{registration['stop']}",
        f"joined now: {new['treated']:,} treated, {new['control']:,} control; in all "
        f"{every['treated']:,} and {every['control']:,}",
    ]
    if not result["open"]:
        lines.append(f"nobody joins after {registration['enrol_until']}")
    against = result["against"]
    if against["withheld_treated"]:
        lines.append(
            f"{against['withheld_treated']:,} are treated here and in the control group of the run"
        )
    if against["listed_control"]:
        lines.append(
            f"{against['listed_control']:,} on the run's list are in the control arm: do not "
            "contact them for this"
        )
    if result["without_adviser"]:
        lines.append(
            f"{result['without_adviser']:,} on the list have no adviser and were not drawn"
        )
    lines.append(f"record: {to}" if result["written"] else "nothing was written (--dry-run)")
    return lines


def _analysis_lines(document: dict[str, Any], language: str) -> list[str]:
    from akb.live.experiment.sentences import sentences

    return [
        *(
            f"{row['arm']}: {row['followed']:,} of {row['assigned']:,} followed"
            + ("" if row["contacted"] is None else f", {row['contacted']:.0%} contacted")
            for row in document["arms"]
        ),
        *sentences(document, language),
        *(
            f"{name}: {row['mean']:.1%} ({row['low']:.1%} to {row['high']:.1%}), was "
            f"{row['before']['value']:.1%} ({row['before']['low']:.1%} to "
            f"{row['before']['high']:.1%})"
            for name, row in document["register"].items()
        ),
    ]
