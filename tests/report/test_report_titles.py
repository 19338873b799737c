"""Only the titles, as a director reads them: findings, none of which says again what stands above its chapter."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ALIKE = 0.6
"""From this share of the shorter title's words on, two titles say the same."""


def titles(page: str) -> dict[str, list[str]]:
    """Return chapter -> its headings, the finding above it first."""
    found = {}
    for section in re.split(r"(?=<section )", re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL))[1:]:
        name = re.search(r'id="(\w+)"', section)
        assert name is not None
        heads = re.findall(r"<h[23][^>]*>(.*?)</h[23]>", section, re.DOTALL)
        found[name[1]] = [unescape(re.sub(r"<[^>]+>", "", head)).replace("\xa0", " ").strip() for head in heads]
    return found


def repeated(page: str) -> list[tuple[str, str, str]]:
    """Return chapter, finding and the heading under it that says it again."""
    out = []
    for chapter, (above, *below) in titles(page).items():
        mine = set(re.findall(r"\w+", above.lower()))
        for title in below:
            words = set(re.findall(r"\w+", title.lower()))
            same = len(mine & words)
            if same > 4 and same >= ALIKE * min(len(mine), len(words)):
                out.append((chapter, above, title))
    return out


def test_no_heading_says_again_what_stands_above_its_chapter(page: str, finished: Path) -> None:
    assert repeated(page) == []
    run = (finished / "report.html").read_text("utf-8")
    assert repeated(run) == []
    assert len(titles(run)["leaving"]) > 4


def test_nor_does_one_of_a_poor_export(poor: dict[str, dict[str, bytes]]) -> None:
    again = {name: repeated(files["report.html"].decode()) for name, files in poor.items()}
    assert {name: found for name, found in again.items() if found} == {}


def test_a_repeated_finding_would_be_seen() -> None:
    page = '<section id="moment"><h2>Van 100 klanten vertrokken er 20</h2><h3>Van de 100 klanten vertrokken 20</h3>'
    assert [chapter for chapter, *_ in repeated(page)] == ["moment"]
