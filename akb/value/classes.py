"""Classes A to D: shares of the customers, the highest values first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.core.wording.text import load_toml

if TYPE_CHECKING:
    from akb.value.in_force import Rows


def class_of(values: Rows) -> list[str]:
    """Return A to D per customer: shares of customers from ``configs/lists.toml``, highest first,
    ties by position.
    """
    table = load_toml("lists.toml")["classes"]
    cuts = np.cumsum(table["shares"])[:-1]
    order = np.lexsort((np.arange(len(values)), -values))
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.arange(len(values))
    numbers = np.searchsorted(cuts, (place + 0.5) / max(len(values), 1))
    return [table["labels"][number] for number in numbers.tolist()]
