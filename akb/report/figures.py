"""Every figure of the report, in reading order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import figures_ahead as ahead
from akb.report import figures_case as case
from akb.report import figures_outlook as outlook
from akb.report import figures_past as past
from akb.report import figures_worth as worth
from akb.report.figure import Figure, Maker, Row

if TYPE_CHECKING:
    from akb.report.words import Words

MAKERS = (
    past.branches,
    past.rates,
    past.yearly,
    past.reasons,
    past.tenure,
    past.curve,
    ahead.horizons,
    ahead.bands,
    ahead.proof,
    worth.lost,
    worth.waterfall,
    worth.clv_past,
    outlook.backtest,
    ahead.products,
    case.ledger,
    case.tornado,
    case.rule,
    outlook.bridge,
    outlook.ahead,
    outlook.concentration,
    outlook.contact_policy,
    ahead.calibration,
    ahead.determinants,
)


def figures(model: Row, words: Words) -> dict[str, Figure]:
    """Return the figures that have data, by id."""
    maker = Maker(model, words)
    made = (make(maker) for make in MAKERS)
    return {figure.id: figure for figure in made if figure is not None}
