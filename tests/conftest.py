"""Settings for all tests, which of them stay together, and the one office with its run that many look at."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

# Tests run side by side, a worker on each processor, so a worker's threads would only wait for each other. Those of
# OpenBLAS wait by turning round: on two processors the fits of tests/models took three times the processor time.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does

import pytest
from hypothesis import HealthCheck, settings

from akb.core.garbage import SELDOM
from tests.offices import FEWEST_ROWS, Office, marked_export, simulated, write_key
from tests.shared import changed, shared

# A machine that does other things too must not turn a slow example into a failure; a failure must repeat.
settings.register_profile("akb", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("akb")

COMPARED = 400
"""Of the office whose runs are held against each other: two dozen predictions are fitted, in a third of the time."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Keep together what shares a fixture."""
    from tests.scheduling import SharedFixtures

    return SharedFixtures(config, log)


def pytest_collection_finish() -> None:
    gc.freeze()  # the modules and thousands of tests stay: the collector need not look at them time and again
    gc.set_threshold(*SELDOM)


@pytest.fixture(scope="session", autouse=True)
def nobody_changes_what_is_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    yield
    assert changed(tmp_path_factory) == []


def _export(folder: Path) -> None:
    marked_export(folder / "export", simulated())
    write_key(folder / "key")


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A small simulated office: nobody changes its folder."""
    folder = shared(tmp_path_factory, "office", _export)
    return Office(folder / "export", folder / "key")


@pytest.fixture(scope="session")
def finished(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of ``akb eda`` on that office: nobody changes it, who wants to copies it."""

    def make(folder: Path) -> None:
        assert office.eda(folder / "run") == 0

    return shared(tmp_path_factory, "finished", make) / "run"


@pytest.fixture(scope="session")
def compared_office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """An office whose runs are only held against each other: nobody changes its folder."""

    def make(folder: Path) -> None:
        marked_export(folder / "export", simulated(COMPARED))
        write_key(folder / "key")

    folder = shared(tmp_path_factory, "compared", make)
    return Office(folder / "export", folder / "key", FEWEST_ROWS)


@pytest.fixture(scope="session")
def compared_run(compared_office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of ``akb eda`` on that office: nobody changes it."""

    def make(folder: Path) -> None:
        assert compared_office.eda(folder / "run") == 0

    return shared(tmp_path_factory, "compared_run", make) / "run"
