"""``akb forget``: take one customer out of what a run stored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from akb.commands import options


def forget(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")],
    customer: Annotated[
        str, typer.Argument(metavar="CUSTOMER", help="Pseudonym (K-…) or relation number.")
    ],
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Remove a customer from the scores, the lists and private/customers.csv of a run.

    Totals in the report and the summary stay: they tell of many, never of one. A next run of an
    export that still holds the customer scores them again.

    Example: akb forget out/eda K-7F3A90C2D4E1B605
    """
    from akb.commands.console import Stages
    from akb.store.forgetting import forget_customer

    removed = forget_customer(folder, customer)
    if json:
        options.print_json({"schema": "akb.forget/1", "removed": removed})
        return
    stages = Stages(quiet=quiet)
    for name, rows in removed.items():
        stages.say(f"{name}: {rows} row{'' if rows == 1 else 's'} removed")
