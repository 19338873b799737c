"""What the facts of a chapter have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Facts:
    """What a chapter tells; `KEY` is its place in ``summary.json`` and in the templates."""

    KEY: ClassVar[str] = ""
