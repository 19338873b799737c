"""``akb schema``: the JSON Schema of what a run leaves."""

from __future__ import annotations

from typing import Annotated

import typer

from akb.commands import options
from akb.core.errors import AkbError, did_you_mean

NAMES = ("summary", "scores", "lists", "manifest", "feedback")


def schema(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help=f"One of {', '.join(NAMES)}; none: the names."),
    ] = None,
) -> None:
    """Print the JSON Schema of a document of akb: what its keys and columns mean, and what they may
    hold.

    Example: akb schema summary
    """
    if name is None:
        for each in NAMES:
            typer.echo(each)
        return
    if name not in NAMES:
        raise AkbError(
            f"there is no schema '{name}'{did_you_mean(name, NAMES)}",
            f"Schemas: {', '.join(NAMES)}.",
        )
    from akb.report.schemas import schemas

    options.print_json(schemas()[name])
