"""What the reader works out himself: the page's rows, what the report says, and the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.report.chapters.assumptions.facts import AssumptionFacts
from akb.report.chapters.case.figures import available_case

if TYPE_CHECKING:
    from akb.report.chapters.case.facts import AvailableCase
    from akb.report.page.figure import Maker
    from akb.value.types import Three

TABLES = ("whatif", "whatif_number", "whatif_unit", "option")
CASH = ("benefit", "contacts", "price", "net")
PLAN = ("customers", "minutes", "benefit", "cost")


def whatif(m: Maker) -> dict[str, Any] | None:
    """Return what the page's own script works on; None where there is no business case.

    ``block``: see `akb.value.case.page.block.page_basis`. ``reported``: the figures of the report,
    to which differences are added, so that the page never says two things of the same.
    """
    case, block = available_case(m), m.model.basis
    if case is None or not block:
        return None
    return {
        "block": dict(block),
        "reported": _reported(case),
        "limit": int(m.model.suppress_below),
        "ladder": dict(m.model.ladder),
        "labels": {row.key: str(row.label) for row in m.of(AssumptionFacts).rows},
        "units": {
            row.key: str(row.unit)
            for row in m.of(AssumptionFacts).rows
            if not row.key.startswith("contacts.")
        },
        "words": {table: m.words.table(table) for table in TABLES},
        "language": m.words.language,
    }


def _reported(case: AvailableCase) -> dict[str, Any]:
    cohort = case.cohort
    return {
        "benefit": int(cohort.benefit),
        "contacts": int(cohort.contacts),
        "price": int(cohort.price),
        "net": _three(cohort.net),
        "cash": [{name: int(getattr(row, name)) for name in CASH} for row in case.cash],
        "running": {name: int(getattr(case.running_year, name)) for name in CASH},
        "tornado": {
            row.key: {"low": int(row.low), "high": int(row.high)}
            for row in case.sensitivity.tornado
        },
        "options": {row.key: _three(row.net) for row in case.options},
        "payback": case.payback_month if case.payback_month is None else int(case.payback_month),
        "above": float(case.sensitivity.band.above_zero),
        "plan": [
            {
                "key": row.key,
                "pool": row.pool,
                **{name: int(getattr(row, name)) for name in PLAN},
            }
            for row in case.plan.contacts
            if row.pool is not None and row.customers is not None
        ],
    }


def _three(amounts: Three) -> dict[str, int]:
    return {name: int(getattr(amounts, name)) for name in ("low", "base", "high")}
