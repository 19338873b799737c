"""How long a run will still take: what its stages usually cost, corrected by what those that are
done did cost.

Cost is counted in processor seconds, which another job on the machine hardly changes; how many
seconds of the clock one of them takes is seen while the run goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MANY = 6.0
"""Megabytes from which fits hardly grow: what they learn from is drawn."""


@dataclass(frozen=True)
class StageCost:
    """Processor seconds of a stage: fixed + each x size ** power up to `_MANY` megabytes, and
    `later` for each after it.
    """

    fixed: float
    each: float
    later: float
    power: float = 1.0

    def of(self, size: float) -> float:
        """Return them for an export of so many megabytes."""
        few, more = min(size, _MANY), max(size - _MANY, 0.0)
        grown: float = few**self.power
        return self.fixed + self.each * grown + self.later * more


USUAL: Mapping[str, StageCost] = {
    "reading and checking the export": StageCost(3.5, 0.3, 0.3),
    "building point-in-time features": StageCost(2.1, 1.3, 0.75),
    "fitting and evaluating the predictions": StageCost(0.0, 11.5, 0.5, power=0.65),
    "looking back three years": StageCost(0.1, 0.05, 0.2),
    "working out value and business case": StageCost(0.7, 0.45, 0.45),
    "writing the report": StageCost(1.0, 0.35, 0.35),
}
"""Stages of ``akb eda`` in their order, measured on simulated offices of 300, 1,000 and 5,000
customers (.3, .9 and 6.1 MB); the growth of larger ones follows docs/scale.md. Of few customers the
look back is part of the fits."""
PACKED = {".parquet": 4.0, ".xlsx": 4.0, ".xls": 1.0, ".zip": 6.0}
"""How many bytes of text a byte of such a file holds."""
_BELIEVED = 0.5
"""Processor seconds that a measured one weighs as much as, before the factor is believed."""
_OVERDUE = 0.08
"""Of what a stage took that is longer than it should, this much is likely to come."""
_RECENT = 0.3
"""Share of the run so far that the price of a processor second is taken from."""


def megabytes(files: Mapping[Path, int]) -> float:
    """Return how many megabytes of text files hold.

    Parameters
    ----------
    files
        File -> its bytes.
    """
    return sum(size * PACKED.get(path.suffix.lower(), 1.0) for path, size in files.items()) / 1e6


@dataclass
class Estimate:
    """What is left of a run whose stages are known.

    >>> run = Estimate(1.0)
    >>> run.begin("reading and checking the export", wall=0.0, busy=0.0)
    >>> run.done(wall=8.0, busy=4.0)
    >>> round(run.left(wall=8.0, busy=4.0))  # 18.5 processor seconds, of which each takes two
    37

    Parameters
    ----------
    size
        Megabytes that are read.
    """

    size: float
    usual: Mapping[str, StageCost] = field(default_factory=lambda: USUAL)
    _finished: dict[str, float] = field(default_factory=dict)
    _stage: str = ""
    _began: tuple[float, float] = (0.0, 0.0)
    _first: tuple[float, float] | None = None
    _seen: list[tuple[float, float]] = field(default_factory=list)

    def begin(self, stage: str, wall: float, busy: float) -> None:
        """Begin a stage, at these seconds of the clock and of the processor."""
        self._stage, self._began = stage, (wall, busy)
        self._first = self._first or (wall, busy)
        self._seen.append((wall, busy))

    def done(self, wall: float, busy: float) -> None:
        """End the stage that was begun."""
        self._finished[self._stage] = busy - self._began[1]
        self._seen.append((wall, busy))
        self._stage = ""

    def expected(self, stage: str) -> float:
        """Return the processor seconds that a stage usually takes with an export of this size."""
        return self.usual[stage].of(self.size)

    def left(self, wall: float, busy: float) -> float | None:
        """Return how many seconds are left; None where this is no run whose stages are known."""
        if self._stage and self._stage not in self.usual:
            return None
        took = sum(cost for stage, cost in self._finished.items() if stage in self.usual)
        usual = sum(self.expected(stage) for stage in self._finished if stage in self.usual)
        factor = (took + _BELIEVED) / (usual + _BELIEVED)
        ahead = [each for each in self.usual if each not in self._finished and each != self._stage]
        work = factor * sum(self.expected(each) for each in ahead)
        if self._stage:
            whole, spent = factor * self.expected(self._stage), busy - self._began[1]
            work += max(whole - spent, _OVERDUE * spent)
        return work * self._price(wall, busy)

    def _price(self, wall: float, busy: float) -> float:
        """Return the seconds of the clock that a processor second takes, lately."""
        self._seen.append((wall, busy))
        first = self._first or (wall, busy)
        since = wall - _RECENT * (wall - first[0])
        then = next((each for each in reversed(self._seen) if each[0] <= since), first)
        return (wall - then[0]) / (busy - then[1]) if busy - then[1] > 0.1 else 1.0

    def share(self, wall: float, busy: float) -> float:
        """Return how much of the run is done, from 0 to 1."""
        left = self.left(wall, busy)
        if left is None or self._first is None:
            return 0.0
        gone = wall - self._first[0]
        return gone / (gone + left) if gone + left else 0.0


def in_words(seconds: float) -> str:
    """Return a time that is left, as exact as it is known.

    >>> in_words(3.2), in_words(44), in_words(71), in_words(700)
    ('a few seconds left', 'about 45 s left', 'about 70 s left', 'about 12 min left')
    """
    if seconds < 5:
        return "a few seconds left"
    if seconds < 60:
        return f"about {5 * round(seconds / 5)} s left"
    if seconds < 100:
        return f"about {10 * round(seconds / 10)} s left"
    return f"about {round(seconds / 60)} min left"
