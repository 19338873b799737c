"""Which tests go to the same worker: those that look at what a module or a room prepares, so that it is prepared once.

The groups are read from the text of a test's file: pytest-xdist 3.8 writes a test's `xdist_group` where pytest 9.2 no
longer looks for it, so that its own groups are silently none.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
from functools import cache
from pathlib import Path
from typing import Any

from xdist.scheduler.loadscope import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
CHUNK = 8
"""So many tests that share nothing go to a worker at a time: few enough that both workers end together."""
WHOLE_RUNS = ("cluster", "end_to_end", "batch", "privacy", "live", "models")
"""Rooms in which a few tests take long. They come first, so that none of them keeps one worker busy when the other has
nothing left; and the room that makes runs of its own before those that wait for the run that all look at."""
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


def _turn(group: tuple[str, dict[str, bool]]) -> tuple[int, int]:
    """When a group has its turn: by the room of its first test, then the largest first."""
    tests = group[1]
    room = next(iter(tests)).split("/")[1]
    return WHOLE_RUNS.index(room) if room in WHOLE_RUNS else len(WHOLE_RUNS), -len(tests)


class SharedFixtures(LoadScopeScheduling):
    """Hands a group of tests to one worker, what takes long first, and the others a few at a time."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._groups: dict[str, str] = {}
        self._alone: Counter[str] = Counter()

    def _assign_work_unit(self, node: Any) -> None:
        if not any(self.assigned_work.values()):
            self.workqueue = OrderedDict(sorted(self.workqueue.items(), key=_turn))
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        if nodeid not in self._groups:
            file = nodeid.partition("::")[0]
            group = group_of(file)
            if group is None:
                group = f"{file} {self._alone[file] // CHUNK}"
                self._alone[file] += 1
            self._groups[nodeid] = group
        return self._groups[nodeid]
