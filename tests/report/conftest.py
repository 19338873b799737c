"""Fabricated runs, written once per session."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from akb.report.write import report_files
from tests.report import fixtures

if TYPE_CHECKING:
    from akb.report.bundle import RunBundle


@pytest.fixture(scope="session")
def full() -> RunBundle:
    return fixtures.full()


@pytest.fixture(scope="session")
def files(full: RunBundle) -> dict[str, bytes]:
    return report_files(full)[0]


@pytest.fixture(scope="session")
def page(files: dict[str, bytes]) -> str:
    return files["report.html"].decode()


@pytest.fixture(scope="session")
def summary(files: dict[str, bytes]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(files["summary.json"])
    return told


@pytest.fixture(scope="session")
def poor() -> dict[str, dict[str, bytes]]:
    return {name: report_files(bundle)[0] for name, bundle in fixtures.poor().items()}
