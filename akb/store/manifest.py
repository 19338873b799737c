"""The manifest of a run: what went in, with which versions and settings, and how long each stage
took.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from akb.core import __version__
from akb.store.carried import MANIFEST, RELATIONS, hashes_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = "akb.manifest/1"
_LIBRARIES = ("polars", "numpy", "scipy", "scikit-learn", "lightgbm", "lifelines")


def versions() -> dict[str, str]:
    """Return the versions that can change a figure, without importing the libraries."""
    return {
        "akb": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in _LIBRARIES},
    }


def as_json(document: Mapping[str, Any]) -> bytes:
    """Return a JSON document for people and programs: UTF-8, indented, one trailing newline."""
    return (json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document for people and programs."""
    path.write_bytes(as_json(document))


def write_manifest(folder: Path, document: Mapping[str, Any], private: bytes | None) -> None:
    """Write the manifest of a run that is complete but for its relation numbers: it names every
    file and its hash.

    Parameters
    ----------
    private
        The content of ``private/customers.csv``, written later; None: there will be none.
    """
    later = {} if private is None else {RELATIONS: private}
    write_json(folder / MANIFEST, {**document, "outputs": hashes_of(folder, later)})


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return the manifest of a finished run; empty where there is none that can be read."""
    try:
        document = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
