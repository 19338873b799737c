"""The worked examples of the sources (Piet and Saskia, three covers), computed with the formulas of
the lists.
"""

from __future__ import annotations

from typing import Any

from akb.value.formulas import expected_saving, rank_by
from akb.value.targeting.contact import rules


def customer_examples(rescue: float, cost: float) -> list[dict[str, Any]]:
    """Return the customers of the source with what is at risk, what a call saves, and both ranks.

    Parameters
    ----------
    rescue, cost
        Rescue chance and cost of a call in euros. All leaving counts as preventable, as the source
        has it.

    Returns
    -------
    list of dict
        name, commission, churn, value (euros), risk = churn x value, saving = rescue x churn x
        value - cost, and ``rank_commission`` and ``rank_defend`` from one.
    """
    rows = [dict(row) for row in rules("example")["customer"]]
    for row in rows:
        row["risk"] = expected_saving(1.0, row["churn"], row["value"], 0.0)
        row["saving"] = expected_saving(rescue, row["churn"], row["value"], cost)
    return _ranked(_ranked(rows, "commission", "rank_commission"), "saving", "rank_defend")


def offer_examples() -> list[dict[str, Any]]:
    """Return the covers of the source with the middle of their band, expected commission, and both
    ranks.

    Returns
    -------
    list of dict
        name, low, high, commission, chance (middle), expected (euros), ``rank_chance`` and
        ``rank_expected``.
    """
    rows = [dict(row) for row in rules("example")["offer"]]
    for row in rows:
        row["chance"] = (row["low"] + row["high"]) / 2
        row["expected"] = row["chance"] * row["commission"]
    return _ranked(_ranked(rows, "chance", "rank_chance"), "expected", "rank_expected")


def _ranked(rows: list[dict[str, Any]], by: str, name: str) -> list[dict[str, Any]]:
    for place, number in enumerate(rank_by([row[by] for row in rows]), start=1):
        rows[number][name] = place
    return rows
