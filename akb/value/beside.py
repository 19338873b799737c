"""Steps that do not wait for each other, and parts of the customers, on the cores and workers that
there are.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor

    from akb.config import Settings

Given = TypeVar("Given")
Share = TypeVar("Share")
MOST = 1_000_000
"""Customers of whom two steps at once fit in memory."""


@dataclass(frozen=True)
class Start:
    """Begins steps and parts of steps.

    Parameters
    ----------
    beside
        A thread beside the one that asks; None: one step after another.
    workers
        What works parts of the customers out elsewhere; None: here.
    parts
        In how many parts customers are divided.
    """

    beside: ThreadPoolExecutor | None = None
    workers: Executor | None = None
    parts: int = 1

    def __call__(self, step: Callable[[], Given], /) -> Callable[[], Given]:
        """Begin a step, and return what waits for it.

        A step that nobody began when it is asked for is done by who asks: so nobody waits for a
        core that is busy, and what comes of it is the same.
        """
        own = when_asked(step)
        if self.beside is None:
            return own
        begun = self.beside.submit(step)
        return lambda: own() if begun.cancel() or begun.cancelled() else begun.result()

    def on_parts(self, step: Callable[[Share], Given], shares: Sequence[Share], /) -> list[Given]:
        """Return what a step gives of every part of the customers, in their order.

        Who works elsewhere sees no more than the parts.
        """
        if self.workers is not None:
            asked = [self.workers.submit(step, share) for share in shares]
            return [each.result() for each in asked]
        given = [self(partial(step, share)) for share in shares[1:]]
        return [step(shares[0]), *(each() for each in given)]


ALONE = Start()
"""One after another, on all customers at once."""


def when_asked(step: Callable[[], Given]) -> Callable[[], Given]:
    """Return what does the step when it is asked for, once."""
    done: list[Given] = []

    def result() -> Given:
        if not done:
            done.append(step())
        return done[0]

    return result


@contextmanager
def side_by_side(
    settings: Settings, customers: int, workers: Executor | None = None
) -> Iterator[Start]:
    """Give what begins steps beside the one that is going on: as many as jobs are asked, at most
    two; one after another where the office is too large for that.

    Parameters
    ----------
    workers
        See `Start`.
    """
    jobs = settings.models.jobs if customers <= MOST else 1
    parts = min(jobs, 2) if workers is None else int(getattr(workers, "workers", 1))
    if jobs < 2:
        yield Start(None, workers, parts)
        return
    pool = ThreadPoolExecutor(1)
    try:
        yield Start(pool, workers, parts)
    finally:  # who interrupts does not wait for it
        pool.shutdown(wait=False, cancel_futures=True)
