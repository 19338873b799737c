"""``akb sample``: an export of a simulated office, with the truth beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from akb.commands import options
from akb.core.errors import AkbError

if TYPE_CHECKING:
    from akb.commands.console import Stages


def sample(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder for the files; must be new or empty.")
    ],
    *,
    customers: Annotated[
        int, typer.Option("--customers", min=20, max=1_000_000, help="Customers in force, about.")
    ] = 6000,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", min=0, max=options.LARGEST_SEED, help="Another seed, another office."
        ),
    ] = 1,
    dialect: Annotated[
        str,
        typer.Option(
            "--dialect",
            metavar="NAME",
            help="The form of the export; an unknown name lists them all.",
        ),
    ] = "abc",
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            metavar="NAME",
            help="A simpler office of another kind: subscription (fees and advice) or collective "
            "(contracts that decide for their members), in one form of export.",
        ),
    ] = None,
    premiums: Annotated[
        bool,
        typer.Option(
            "--premiums", help="Write the premium history too, if the form has a file for it."
        ),
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Simulate a Dutch office: policies, claims and contacts to practise on, and what really
    happened next; with --kind one of another kind.

    Example: akb sample /tmp/office --customers 2000 --seed 7 --dialect anva
    """
    from akb.commands.console import Stages
    from akb.sample import simulate, write_sample
    from akb.sample.dialects import load_dialect

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AkbError(
            f"{folder} exists and is not empty, so it is left alone", "Give a new folder."
        )
    load_dialect(dialect)  # an unknown name stops here, not after the simulation
    stages = Stages(quiet=quiet)
    if kind is not None:
        if dialect != "abc" or premiums:
            raise AkbError(
                "an office of a kind has one form", "Leave out --dialect and --premiums."
            )
        written = _of_kind(kind, folder, customers, seed, stages)
        stages.say(f"now: akb eda {options.quoted(written)}")
        return
    with stages.stage(f"simulating an office of {customers:,} customers"):
        book = simulate(customers, seed)
    with stages.stage("writing the export and the truth"):
        written = write_sample(book, folder, dialect=dialect, premiums=premiums)
    stages.say(f"now: akb eda {options.quoted(written)}")


def _of_kind(kind: str, folder: Path, customers: int, seed: int, stages: Stages) -> list[Path]:
    """Write an office of a kind; return the files of its export."""
    from akb.core.errors import did_you_mean
    from akb.sample.kinds import KINDS, simulate_kind, write_kind

    known = next((each for each in KINDS if each == kind), None)
    if known is None:
        raise AkbError(
            f"there is no kind of office '{kind}'{did_you_mean(kind, KINDS)}",
            f"Kinds: {', '.join(KINDS)}.",
        )
    with stages.stage(f"simulating a {known} office of {customers:,} customers"):
        book = simulate_kind(known, customers, seed)
    with stages.stage("writing the export and the truth"):
        return write_kind(book, folder)
