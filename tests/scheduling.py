"""Which tests go to the same worker: those that look at what a module or a room prepares, so that it is prepared once.

The groups are read from the text of a test's file: pytest-xdist 3.8 writes a test's `xdist_group` where pytest 9.2 no
longer looks for it, so that its own groups are silently none.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

from xdist.scheduler.loadscope import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
CHUNK = 8
"""So many tests that share nothing go to a worker at a time: few enough that both workers end together."""
_GROUP = re.compile(r'^pytestmark = .*xdist_group\("(\w+)"\)', re.MULTILINE)
_SHARED = re.compile(r'^@pytest\.fixture\(scope="(?:module|session)"\)\ndef (\w+)', re.MULTILINE)


_ASKED = re.compile(r"^def \w+\(([^)]*)\)", re.MULTILINE)


@cache
def group_of(file: str) -> str | None:
    """Return what the tests of a file have in common: a mark, a room's fixtures, its own; None if nothing."""
    path = ROOT / file
    text = path.read_text("utf-8")
    marked = _GROUP.search(text)
    if marked:
        return marked[1]
    room = path.with_name("conftest.py")
    prepared = _SHARED.findall(room.read_text("utf-8")) if room.exists() else []
    asked = "".join(_ASKED.findall(text))
    if any(re.search(rf"\b{name}\b", asked) for name in prepared):
        return path.parent.name
    return file if _SHARED.search(text) else None


class SharedFixtures(LoadScopeScheduling):
    """Hands a group of tests to one worker, the largest group first, and the others a few at a time."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._groups: dict[str, str] = {}
        self._alone: Counter[str] = Counter()

    def _split_scope(self, nodeid: str) -> str:
        if nodeid not in self._groups:
            file = nodeid.partition("::")[0]
            group = group_of(file)
            if group is None:
                group = f"{file} {self._alone[file] // CHUNK}"
                self._alone[file] += 1
            self._groups[nodeid] = group
        return self._groups[nodeid]
