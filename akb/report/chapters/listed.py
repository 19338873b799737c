"""The first rows of a list, with why now in words, and who is not on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.report.formats import short_code
from akb.report.portal import portal_facts

if TYPE_CHECKING:
    from akb.report.context import Context, Row

SHOWN = 10


def left_out(context: Context, counts: dict[str, int]) -> dict[str, int | None]:
    """Return reason -> customers left out, None where too few to show."""
    return {
        reason: None if count < context.limit else count
        for reason, count in counts.items()
        if count
    }


def first_rows(context: Context, listed: pl.DataFrame, count: int = SHOWN) -> list[Row]:
    """Return the first rows to be contacted (no control group): pseudonym, kind, office, scores,
    and why now, as the portal says it.
    """
    called = listed.filter(~pl.col("control")) if "control" in listed.columns else listed
    top = (called.sort("rank") if "rank" in called.columns else called).head(count)
    who = context.customers.select(
        "customer",
        "pseudonym",
        "kind",
        "office",
        "policies",
        "commission_cents",
        place=pl.int_range(pl.len()),
    )
    # The lists hold the office as it is written, `who` only if enough customers share it to name
    # it.
    joined = top.drop("office", strict=False).join(
        who, on="customer", how="left", suffix="_now", maintain_order="left"
    )
    scores = {
        key: context.score(key) for key in ("churn_3m", "churn_12m", "churn_preventable_12m", "clv")
    }
    portal = context.once(portal_facts)
    why = portal.why.sentences(joined["customer"], portal.words)
    rows: list[Row] = []
    for rank, (row, sentence) in enumerate(zip(joined.to_dicts(), why, strict=True), start=1):
        place = row.get("place")
        numbers = {key: _at(values, place) for key, values in scores.items()}
        rows.append(
            {
                "rank": row.get("rank", rank),
                "customer": short_code(row["pseudonym"]),
                "kind": row["kind"],
                "office": row["office"],
                "policies": row["policies"],
                "commission_cents": row["commission_cents"] if context.has_commission else None,
                **numbers,
                "value_at_stake": row.get("value_at_stake"),
                "expected_saving": row.get("expected_saving"),
                "best_contact": row.get("best_contact"),
                "contact": row.get("contact"),
                "reasons": [sentence],
            }
        )
    return rows


def _at(values: np.ndarray[Any, Any] | None, place: int | None) -> float | None:
    return (
        None if values is None or place is None or np.isnan(values[place]) else float(values[place])
    )
