"""Settings for all tests, which of them stay together, and the one office with its run that many look at."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

# Tests run side by side, a worker on each processor, so a worker's threads would only wait for each other.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does

import pytest
from hypothesis import HealthCheck, settings

from akb.core.privacy.pseudonyms import load_or_create_key
from tests.offices import Office, marked_export
from tests.shared import changed, shared

# A machine that does other things too must not turn a slow example into a failure; a failure must repeat.
settings.register_profile("akb", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("akb")

CHUNK = 8
"""So many tests that share nothing go to a worker at a time: few enough that both workers end together."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep on one worker the tests that look at what a module or room prepares, so that it is prepared once."""
    homes: dict[Path, set[str]] = defaultdict(set)
    for item in items:
        homes[item.path] |= _prepared(item)
    free: dict[Path, int] = defaultdict(int)
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        if homes[item.path]:
            group = min(homes[item.path], key=len)  # a room's conftest before the module's own
        else:
            group = f"{item.nodeid.partition('::')[0]} {free[item.path] // CHUNK}"
            free[item.path] += 1
        item.add_marker(pytest.mark.xdist_group(group))


def _prepared(item: pytest.Item) -> set[str]:
    """Return where the fixtures are defined that a test shares in memory; `tests/conftest.py` shares on the disk."""
    known = getattr(item, "_fixtureinfo", None)
    definitions = [each for found in (known.name2fixturedefs if known else {}).values() for each in found]
    return {each.baseid for each in definitions if each.scope != "function" and each.baseid not in ("", "tests")}


@pytest.fixture(scope="session", autouse=True)
def nobody_changes_what_is_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    yield
    assert changed(tmp_path_factory) == []


def _export(folder: Path) -> None:
    marked_export(folder / "export", 1500, seed=11)
    load_or_create_key(folder / "key")


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
