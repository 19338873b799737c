"""What it is worth: commission, cost, lifetime value, lists and the business case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.core.imports import import_ahead

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from akb.config import Settings
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun
    from akb.value.case.basis import CaseBasis
    from akb.value.types import BusinessCase, Past, ValueRun


def import_libraries() -> None:
    """Import what the planner leans on: it takes .4 s, in which a run can be read."""
    import_ahead(["scipy.optimize"])


def prepare() -> None:
    """Import the room's own steps: .3 s, in which an export can be read."""
    import_ahead(["akb.value.run"])


def at_accounts(
    portfolio: Portfolio, past: Past | None, settings: Settings
) -> tuple[Portfolio, Past | None]:
    """Return portfolios at the level of the annual accounts; see `akb.value.revenue.accounts`."""
    from akb.value.revenue.accounts import at_accounts as at

    return at(portfolio, past, settings)


def as_in_file(portfolio: Portfolio) -> Portfolio:
    """Return the portfolio with the amounts of the file."""
    from akb.value.revenue.accounts import as_in_file as original

    return original(portfolio)


def run_value(
    portfolio: Portfolio,
    models: ModelRun,
    settings: Settings,
    *,
    progress: Callable[[str], None] | None = None,
    past: Past | None = None,
    executor: Executor | None = None,
) -> ValueRun:
    """Return values, lists, the business case and the figures as of X; see `akb.value.run`."""
    from akb.value.run import run_value as run

    return run(portfolio, models, settings, progress=progress, past=past, executor=executor)


def case_alone(portfolio: Portfolio, models: ModelRun, settings: Settings) -> BusinessCase | None:
    """Return the business case of `run_value`, to the cent, without its lists and figures."""
    from akb.value.case.case import business_case
    from akb.value.valuation import valuation

    valued = valuation(portfolio, models, settings, say=lambda _: None, earned=False)
    return business_case(valued, page=False)


def basis_alone(portfolio: Portfolio, models: ModelRun, settings: Settings) -> CaseBasis | None:
    """Return what that business case is made of; None where there is none."""
    from akb.value.case.case import case_basis, has_case
    from akb.value.valuation import valuation

    valued = valuation(portfolio, models, settings, say=lambda _: None, earned=False)
    return case_basis(valued) if has_case(valued) else None
