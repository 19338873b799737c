"""The pages of the documentation, and the examples in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A fenced block of a page."""

    page: str
    language: str
    text: str

    @property
    def first(self) -> str:
        return self.text.splitlines()[0]


def examples(page: Path) -> list[Example]:
    """Return the fenced blocks of a page, in their order."""
    name = page.relative_to(ROOT).as_posix()
    return [Example(name, match[1], match[2]) for match in _FENCE.finditer(page.read_text("utf-8"))]


def every(language: str) -> list[Example]:
    """Return the examples of all pages in one language."""
    return [each for page in PAGES for each in examples(page) if each.language == language]
