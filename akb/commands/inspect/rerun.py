"""``akb rerun``: a run again from its manifest, and whether it is the same, to the byte."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options
from akb.core.errors import AkbError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from akb.pipeline import Progress, Request

DIFFERENT = 1


def rerun(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="manifest.json of a run, or its folder.")
    ],
    *,
    exports: Annotated[
        Path, typer.Option("--from", help="Folder with the files that the run read.")
    ] = Path(),
    out: Annotated[
        Path | None, typer.Option("--out", help="Keep the new run here (default: it is deleted).")
    ] = None,
    key: options.Key = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Do a run again as its manifest says, and compare: the same bytes, or the names of what
    differs (exit 1).

    Example: akb rerun out/eda/manifest.json --from sample_data
    """
    from akb.commands.console import Stages
    from akb.core.privacy.pseudonyms import default_key_path, load_or_create_key

    document = read(manifest)
    folder = manifest if manifest.is_dir() else manifest.parent
    if out is not None and out.resolve() == folder.resolve():
        raise AkbError(f"{out} is the run itself", "Choose another --out.")
    key_file = key or default_key_path()
    request = request_of(document, exports, load_or_create_key(key_file), key_file)
    stages = Stages(quiet=quiet or json)
    if out is not None:
        found = again(document, request, out, stages)
    else:
        with tempfile.TemporaryDirectory(prefix="akb-rerun-") as held:
            found = again(document, request, Path(held) / "run", stages)
    if json:
        options.print_json({"schema": "akb.rerun/1", "same": not any(found.values()), **found})
    elif any(found.values()):
        for part, names in found.items():
            for name in names:
                typer.echo(f"{part}: {name}")
    else:
        typer.echo(f"the same bytes: {len(document['outputs']):,} files")
    raise typer.Exit(DIFFERENT if any(found.values()) else 0)


def read(manifest: Path) -> dict[str, Any]:
    """Return the manifest of a run.

    Raises
    ------
    AkbError
        If it is none.
    RefusedError
        If it does not say what was asked.
    """
    from akb.store.carried import MANIFEST
    from akb.store.manifest import SCHEMA, manifest_of

    folder = manifest if manifest.is_dir() else manifest.parent
    if not manifest.is_dir() and manifest.name != MANIFEST:
        raise AkbError(f"{manifest} is no {MANIFEST}", "Name the manifest of a run, or its folder.")
    document = manifest_of(folder)
    if document.get("schema") != SCHEMA:
        raise AkbError(
            f"{folder} is not the folder of a finished akb run",
            "Name the folder that akb eda wrote.",
        )
    if "asked" not in document or "outputs" not in document:
        raise RefusedError(
            f"{folder} was made by an akb that did not write down what was asked",
            "Run akb eda again.",
        )
    if "scored" in document:
        raise RefusedError(
            f"{folder} was scored with the models of another run, which akb score does again",
            f"akb score --from the run {document['scored']['run']}.",
        )
    return document


def request_of(document: Mapping[str, Any], exports: Path, key: bytes, key_file: Path) -> Request:
    """Return what was asked of a run.

    Raises
    ------
    AkbError
        If a file is not there, or the key is another one.
    """
    from datetime import date

    from akb.core.privacy.pseudonyms import key_id
    from akb.pipeline import Request, printed_name
    from akb.rerun import asked_settings

    asked = document["asked"]
    there = {printed_name(path): path for path in sorted(exports.iterdir()) if path.is_file()}
    missing = [name for name in asked["files"] if name not in there]
    if missing:
        raise AkbError(
            f"{missing[0]} is not in {exports.resolve()}",
            "Name the folder with the files that the run read: --from DIR.",
        )
    request = Request(
        files=[there[name] for name in asked["files"]],
        settings=asked_settings(document),
        key=key,
        as_of=asked["as_of"] and date.fromisoformat(asked["as_of"]),
        roles={role: there[name] for role, name in asked["roles"].items()},
        no_pseudonyms=not document["pseudonyms"],
        go_on=asked["go_on"],
        kept_apart=[key_file],
    )
    if key_id(request.pseudonym_key) != document["key_id"]:
        raise AkbError(
            "the run was made with another key, so every pseudonym would be another",
            "Give the key of the run with --key.",
        )
    return request


def again(
    document: Mapping[str, Any], request: Request, out: Path, progress: Progress
) -> dict[str, list[str]]:
    """Do the run again into `out`; return the names of what differs: versions, inputs, outputs."""
    from akb.pipeline import eda
    from akb.store.manifest import manifest_of

    eda(replace(request, out=out), progress)
    made = manifest_of(out)
    hashes = [
        {each["name"]: each["sha256"] for each in side["inputs"]} for side in (document, made)
    ]
    return {
        "versions": _differing(document["versions"], made["versions"]),
        "inputs": _differing(*hashes),
        "outputs": _differing(document["outputs"], made["outputs"]),
    }


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
