"""What will happen: engine, calibration, survival, evidence, explanation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.imports import import_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager
    from datetime import date

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from akb.catalogue.entries import Entry
    from akb.config import Settings
    from akb.features.types import Matrix, Targets
    from akb.ingest.types import History, Portfolio
    from akb.models.evidence import People
    from akb.models.types import ModelRun


_LIBRARIES = (
    "lightgbm",
    "lifelines",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.metrics",
)


def reference_file(matrix: Matrix, portfolio: Portfolio) -> dict[str, bytes]:
    """Return how the features lay at X, as a file of the models; see `akb.models.reference`."""
    from akb.models.reference import files

    return files(matrix, portfolio)


def lifetime_methods() -> tuple[str, ...]:
    """Return the methods that lifetime value is made of: how long relations and policies last."""
    from akb.models.methods import METHODS

    return tuple(each.name for each in METHODS.values() if each.lifetime)


def people_of(customers: pl.DataFrame, limit: int) -> People:
    """Return who customers are, to tell errors by group; below `limit` a number stays hidden."""
    from akb.models.evidence import People

    return People.of(customers, limit)


def paired_difference(
    loss: NDArray[np.float64], other: NDArray[np.float64], cluster: NDArray[Any]
) -> tuple[float, float]:
    """Return the mean of ``loss - other`` and its standard error, clustered by customer."""
    from akb.models.evidence import paired_difference as difference

    return difference(loss, other, cluster)


def auc_of(label: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return how well an expectation ranks what happened."""
    from akb.models.evidence import weighted_auc

    return float(weighted_auc(label, expected))


def import_libraries() -> None:
    """Import what the models lean on: it takes two seconds, in which an export can be read."""
    import_ahead(_LIBRARIES)


def one_thread_each() -> AbstractContextManager[Any]:
    """Hold the linear algebra of every fit to one thread; see `akb.models.run`."""
    from akb.models.run import one_thread_each as held

    return held()


def run_models(
    matrix: Matrix,
    targets: Targets,
    entries: Sequence[Entry],
    settings: Settings,
    *,
    as_of: date,
    history: History,
    progress: Callable[[str], None],
    customers: pl.DataFrame | None = None,
    lifetime: bool = False,
    executor: Executor | None = None,
) -> ModelRun:
    """Fit, prove and score every entry of the models room; see `akb.models.run`.

    Parameters
    ----------
    customers
        customer, kind, birth_year, office: to show errors by group; without it there are none.
    lifetime
        Whether only lifetime value is made of it: then nothing is described, explained or graded.
    executor
        What runs the fits; None: threads, as many as the settings say.
    """
    from akb.models.evidence import People
    from akb.models.run import run_models as run

    people = None if customers is None else People.of(customers, settings.report.suppress_below)
    return run(
        matrix,
        targets,
        entries,
        settings,
        as_of=as_of,
        history=history,
        progress=progress,
        people=people,
        lifetime=lifetime,
        executor=executor,
    )
