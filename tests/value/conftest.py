"""A valued portfolio that several modules look at, made once per session."""

from __future__ import annotations

import pytest
import value_fixtures as f

from akb.ingest.types import Portfolio
from akb.value import run_value
from akb.value.types import ValueRun


@pytest.fixture(scope="session")
def made() -> Portfolio:
    return f.portfolio(400)


@pytest.fixture(scope="session")
def result(made: Portfolio) -> ValueRun:
    return run_value(made, f.models(made), f.settings(**f.CALLS_PAY))
