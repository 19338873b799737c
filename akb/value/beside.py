"""Steps that do not wait for each other, on the cores that there are."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Given = TypeVar("Given")
MOST = 250_000
"""Customers of whom two steps at once fit in memory."""


class Start(Protocol):
    """Begins a step, and returns what waits for it."""

    def __call__(self, step: Callable[[], Given], /) -> Callable[[], Given]:
        """Return a function that gives what the step gives."""


def when_asked(step: Callable[[], Given]) -> Callable[[], Given]:
    """Return what does the step when it is asked for, once."""
    done: list[Given] = []

    def result() -> Given:
        if not done:
            done.append(step())
        return done[0]

    return result


@contextmanager
def side_by_side(jobs: int, customers: int) -> Iterator[Start]:
    """Give what begins a step beside the one that is going on; one after another where the office
    is too large for that, or asked for one job.

    A step that nobody began when it is asked for is done by who asks: so nobody waits for a core
    that is busy, and what comes of it is the same.
    """
    if jobs < 2 or customers > MOST:
        yield when_asked
        return
    pool = ThreadPoolExecutor(1)

    def start(step: Callable[[], Given], /) -> Callable[[], Given]:
        begun, own = pool.submit(step), when_asked(step)
        return lambda: own() if begun.cancel() or begun.cancelled() else begun.result()

    try:
        yield start
    finally:  # who interrupts does not wait for it
        pool.shutdown(wait=False, cancel_futures=True)
