"""``actuarial/``: the review of lapse as an actuary reads it; comma and point, headings always."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from akb.report.context import Context

COLUMNS = {
    "lapse_ae": (
        "branch", "policy_year", "year", "whole", "policy_years", "lapses", "rate", "expected",
        "ae", "ae_low", "ae_high", "commission", "commission_lapsed", "commission_expected",
        "commission_ae", "limited", "buhlmann",
    ),
    "lapse_basis": (
        "branch", "policy_year", "policy_years", "lapses", "rate", "margin", "rate_high",
        "rate_low", "source",
    ),
}  # fmt: skip
_CENTS = 2
_DIGITS = 6


def actuarial_files(context: Context) -> dict[str, bytes]:
    """Return file name -> content of the table of actual against expected and of the basis."""
    value = context.bundle.value
    review = value.actuarial if value else None
    made = {
        "lapse_ae": None if review is None else review.table,
        "lapse_basis": None if review is None else review.basis,
    }
    return {f"actuarial/{name}.csv": _csv(table, COLUMNS[name]) for name, table in made.items()}


def _csv(table: pl.DataFrame | None, columns: tuple[str, ...]) -> bytes:
    if table is None:
        table = pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    rounded = table.select(columns).with_columns(
        pl.col(name).round(_CENTS if name.startswith("commission") else _DIGITS)
        for name, kind in table.schema.items()
        if kind == pl.Float64
    )
    return rounded.write_csv().encode()
