"""The models of a run as files: sealed with a manifest, and read back only if nothing about them
has changed.

LightGBM's own text, JSON and Parquet: nothing in them can run when it is read.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from akb.core.errors import RefusedError
from akb.store.manifest import versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = "akb.models/1"
MANIFEST = "models/manifest.json"
SUFFIXES = (".txt", ".json", ".parquet")
_BINDING = ("akb", "lightgbm")  # another version of these may score differently
_REMEDY = "Run akb eda again: that fits the models anew."


def sealed(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files with a manifest: schema, the versions that scoring depends on, and a hash
    per file.

    Parameters
    ----------
    files
        Path inside the run folder, below ``models/`` -> content.

    Raises
    ------
    ValueError
        If a file is of another kind than text, JSON or Parquet, or lies elsewhere: a programming
        error.
    """
    strange = [
        name for name in files if not name.startswith("models/") or not name.endswith(SUFFIXES)
    ]
    if strange:
        raise ValueError(f"no model file: {strange[0]}")
    document = {
        "schema": SCHEMA,
        "versions": binding(),
        "files": {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)},
    }
    return {**files, MANIFEST: (json.dumps(document, indent=1) + "\n").encode()}


def binding() -> dict[str, str]:
    """Return the versions that scoring depends on: another one may score differently."""
    own = versions()
    return {name: own[name] for name in _BINDING}


def read_models(folder: Path) -> dict[str, bytes]:
    """Return the model files of a run, without the manifest, by path inside the run folder.

    Raises
    ------
    RefusedError
        If there is no manifest, its schema or versions are not ours, or a file is missing, added or
        changed.
    """
    document = _manifest(folder)
    own = binding()
    for name in own:
        made = str(document.get("versions", {}).get(name))
        if made != own[name]:
            raise RefusedError(
                f"the models in {folder} were made with {name} {made}, this is {name} {own[name]}",
                _REMEDY,
            )
    hashes = document.get("files", {})
    there = {
        path.relative_to(folder).as_posix()
        for path in (folder / "models").rglob("*")
        if path.is_file()
    }
    strange = sorted(there.symmetric_difference({*hashes, MANIFEST}))
    if strange:
        raise RefusedError(
            f"{folder / strange[0]} is missing, or is not in the manifest of the models", _REMEDY
        )
    files = {name: (folder / name).read_bytes() for name in sorted(hashes)}
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != hashes[name]:
            raise RefusedError(f"{folder / name} has changed since the models were made", _REMEDY)
    return files


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        document = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        raise RefusedError(f"{folder} holds no models that akb can read", _REMEDY) from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        schema = document.get("schema") if isinstance(document, dict) else None
        raise RefusedError(
            f"the models in {folder} have schema {schema}, this akb reads {SCHEMA}", _REMEDY
        )
    return document
