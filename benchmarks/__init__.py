"""Measurements, each repeatable by the command in its docstring; results stand in README.md."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder(name: str, given: str | None = None) -> Path | None:
    """Return the folder of real data: the one given, else ``$AKB_DATA/name``; None, with a sentence, without."""
    root = os.environ.get("AKB_DATA")
    folder = Path(given) if given else Path(root) / name if root else None
    if folder is not None and folder.is_dir():
        return folder
    print(f"left out: set AKB_DATA to the folder that holds {name}/, or give {name}/ itself")
    return None
