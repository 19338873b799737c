"""The story of ``akb batch``: look at every office, lend the small ones what the others saw, run
each, and lay them beside each other.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from akb.batch.comparison import comparison
from akb.batch.steps import previewed, run_office
from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Executor

    from akb.batch.steps import OfficePreview
    from akb.config import Sisters
    from akb.pipeline import Progress, Request


@dataclass(frozen=True)
class Batch:
    """What is asked.

    Parameters
    ----------
    requests
        Office -> its run.
    jobs
        Offices at a time, each in a process of its own.
    limit
        Counts under it are not shown.
    """

    requests: Mapping[str, Request]
    jobs: int
    limit: int


def batch(asked: Batch, progress: Progress) -> dict[str, Any]:
    """Run every office and return the comparison; an office that cannot be run is in it with the
    reason.

    Raises
    ------
    AkbError
        If no office could be run.
    """
    with _side_by_side(min(asked.jobs, len(asked.requests))) as pool:
        with progress.stage("reading the offices"):
            jobs = {name: pool.submit(previewed, each) for name, each in asked.requests.items()}
            previews = {name: job.result() for name, job in jobs.items()}
        good = {name: asked.requests[name] for name, each in previews.items() if not each.error}
        if not good:
            first = next(iter(previews.values()))
            raise AkbError(f"none of the offices can be read; the first: {first.error}")
        lent = {name: _lent(name, previews, asked) for name in good}
        with progress.stage("running the offices"):
            running = {
                name: pool.submit(run_office, each, lent[name]) for name, each in good.items()
            }
            runs = {}
            for name, job in running.items():
                runs[name] = job.result()
                progress.detail(name)
    return comparison(asked.requests, previews, runs, asked.limit)


def _lent(name: str, previews: Mapping[str, OfficePreview], asked: Batch) -> Sisters | None:
    """Return what the sisters of a small office saw; None where nothing crosses."""
    from akb.value.actuarial.sisters import sisters_of
    from akb.value.actuarial.small import SMALL

    settings = asked.requests[name].settings
    if previews[name].customers >= SMALL or settings.sisters.offices:
        return None
    known = {key: each.experience for key, each in previews.items() if each.experience is not None}
    made = sisters_of(name, known, settings)
    return made if made.offices else None


def _side_by_side(jobs: int) -> Executor:
    """Processes that begin anew: libraries with threads do not outlive a fork."""
    if jobs == 1:
        return ThreadPoolExecutor(1)
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
