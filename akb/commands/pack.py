"""``akb pack``: what of a run may be given to others, as one ZIP, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from akb.commands import options


def pack(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="The ZIP to write; it must not exist (default: DIR.zip beside it)."
        ),
    ] = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Put the report, its figures and the lists under pseudonyms into one ZIP that may be shared.

    Relation numbers, what the run keeps of customers, scores, models and settings stay; so does
    every file that is not as akb wrote it. With the key of your office a pseudonym leads back to a
    customer: share it with whom you may.

    Example: akb pack out/eda --out rapport.zip
    """
    from akb.commands.console import Stages
    from akb.store.packing import pack_run

    target = out or folder.resolve().with_name(f"{folder.resolve().name}.zip")
    packed = pack_run(folder, target)
    if json:
        document = {
            "schema": "akb.pack/1",
            "written": str(target),
            "files": packed.files,
            "left_out": packed.left_out,
        }
        options.print_json(document)
        return
    stages = Stages(quiet=quiet)
    for name in packed.left_out:
        stages.say(f"left out, for it is not as akb wrote it: {name}")
    stages.say(
        f"{len(packed.files)} files in {target}; private/, scores, models and settings stay with "
        f"you"
    )
