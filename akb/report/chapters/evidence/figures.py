"""Figures of the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.report import formats as f
from akb.report.chapters.evidence.facts import EvidenceFacts
from akb.report.page.plots import known, plot_calibration

if TYPE_CHECKING:
    from akb.report.page.figure import Figure, Maker


def calibration(m: Maker) -> Figure | None:
    """Predicted beside observed per band, on later data."""
    seen = m.of(EvidenceFacts).calibration
    rows = [row for row in seen.bands if not row.suppressed and row.customers] if seen else []
    if seen is None or len(rows) < 2:
        return None
    plot = plot_calibration(
        [(known(r.predicted), known(r.observed), known(r.low), known(r.high)) for r in rows],
        m.axis("share", "predicted"),
        m.axis("share", "observed"),
    )
    inside = sum(known(r.low) <= known(r.predicted) <= known(r.high) for r in rows)
    table = [
        (
            f.band(r.lower, r.upper),
            f.number(r.customers),
            f.percent(r.predicted, 1),
            f.percent(r.observed, 1),
            f.span(f.percent(r.low, 1), f.percent(r.high, 1)),
        )
        for r in rows
    ]
    return m.figure(
        "calibration",
        plot,
        ("band", "customers", "predicted", "observed", "range"),
        table,
        inside=f.like(f.number(inside), *(row.predicted for row in rows)),
        bands=f.named(f.number(len(rows)), "evidence.calibration"),
        months=seen.months,
        test_date=f.day(seen.test_date),
        customers=f.like(
            f.number(sum(r.customers or 0 for r in rows)), *(r.customers for r in rows)
        ),
    )


FIGURES = (calibration,)
