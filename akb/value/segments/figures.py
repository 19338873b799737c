"""Segments in tables: how many customers and euros, per adviser and office, and what changes
between two days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from akb.core.privacy.disclosure import crossed, shown
from akb.core.privacy.identifiers import shared
from akb.core.typed import made
from akb.core.wording.text import load_toml
from akb.value.classes import class_of
from akb.value.segments.growth_migration import growth_migration
from akb.value.segments.migration import migration
from akb.value.segments.segments import GROWTH, POSITION, unit_rows
from akb.value.types import ClassTable, SegmentFigures, SegmentSpread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.value.in_force import InForce
    from akb.value.lifetime.clv import Lifetime
    from akb.value.revenue.cost import ServiceCost
    from akb.value.segments.segments import Segments

Row = dict[str, Any]


def segment_figures(
    base: InForce,
    value: Lifetime | None,
    grouped: Segments | None,
    history: pl.DataFrame,
    cost: ServiceCost,
) -> SegmentFigures:
    """Return the aggregates on segments. Money in integer cents; ``clv`` is None where lifetime
    value only ranks.

    Returns
    -------
    SegmentFigures
        ``classes`` {columns (classes by lifetime value), rows {key (class by commission),
        customers, commission, clv, cells}, moved, moved_share, up, down {customers, commission,
        clv}} or None: today's practice against value; ``growth``, ``position``: rows {key,
        customers, share, commission, clv} or None; ``potential_by``: see `segments.Segments`;
        ``by_office``, ``by_adviser`` {columns, rows {key, customers, cells}} or None: position
        segments, cells under the limit hidden with as many others as it takes that no total gives
        them away; ``unit``, ``units``: the unit of ``[segment] unit`` and `segments.unit_rows`;
        ``migration``: see `migration.migration`; ``growth_migration``: see
        `growth_migration.growth_migration`.
    """
    unit = base.settings.segment.unit
    column = load_toml("segments.toml")["unit"].get(unit)
    return made(
        SegmentFigures,
        {
            "classes": _classes(base, value),
            "growth": _rows(base, value, grouped.growth, GROWTH) if grouped else None,
            "position": _rows(base, value, grouped.position, POSITION) if grouped else None,
            "potential_by": grouped.potential_by if grouped else None,
            "by_office": _spread(base, grouped, "office"),
            "by_adviser": _spread(base, grouped, "adviser"),
            "unit": unit,
            "units": unit_rows(base, grouped, _names(base, column)) if grouped and column else [],
            "migration": migration(base) if base.has_commission else None,
            "growth_migration": growth_migration(base, history, cost) if grouped else None,
        },
    )


def class_table(base: InForce, value: Lifetime | None) -> pl.DataFrame:
    """Return ``class_commission`` and ``class_value``, A to D, of every customer in force; null
    where unavailable.
    """
    labels = {
        "class_commission": class_of(base.commission_customer)
        if base.has_commission
        else [None] * base.n,
        "class_value": class_of(value.clv) if value is not None else [None] * base.n,
    }
    return base.customers.select("customer").with_columns(
        pl.Series(name, own, dtype=pl.String) for name, own in labels.items()
    )


def _classes(base: InForce, value: Lifetime | None) -> ClassTable | None:
    """Cross A to D by commission with A to D by lifetime value."""
    if value is None:
        return None
    labels = list(load_toml("lists.toml")["classes"]["labels"])
    place = {label: number for number, label in enumerate(labels)}
    today = np.array([place[label] for label in class_of(base.commission_customer)], dtype=np.int64)
    worth = np.array([place[label] for label in class_of(value.clv)], dtype=np.int64)
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, (today, worth), 1)
    limit = base.settings.report.suppress_below
    cells = crossed(counts, limit, moves=len(labels))

    def group(inside: np.ndarray[Any, np.dtype[np.bool_]]) -> Row:
        number = int(inside.sum())
        hidden = 0 < number < limit
        return {
            "customers": None if hidden else number,
            "commission": None if hidden else int(base.commission_customer[inside].sum()),
            "clv": int(value.clv[inside].sum()) if base.churn_in_euros and not hidden else None,
        }

    up, down = group(worth < today), group(worth > today)
    known = (
        up["customers"] is not None and down["customers"] is not None
    )  # else their sum would tell the small one
    moved = up["customers"] + down["customers"] if known else None
    return made(
        ClassTable,
        {
            "columns": labels,
            "rows": [
                {"key": label, **group(today == place[label]), "cells": cells[place[label]]}
                for label in labels
            ],
            "moved": moved,
            "moved_share": moved / base.n if moved is not None and base.n else None,
            "up": up if known else None,
            "down": down if known else None,
        },
    )


def _rows(
    base: InForce, value: Lifetime | None, classes: Sequence[str], order: Sequence[str]
) -> list[Row]:
    table = (
        pl.DataFrame(
            {
                "key": pl.Series(classes, dtype=pl.String),
                "commission": base.commission_customer,
                "clv": value.clv if value is not None else np.zeros(base.n, dtype=np.int64),
            }
        )
        .group_by("key")
        .agg(pl.len().cast(pl.Int64).alias("customers"), pl.col("commission", "clv").sum())
    )
    found = {row["key"]: row for row in table.to_dicts()}
    empty = {"customers": 0, "commission": 0, "clv": 0}
    rows = shown(
        [{"key": key, **empty, **found.get(key, {})} for key in order],
        base.settings.report.suppress_below,
    )
    in_euros = value is not None and base.churn_in_euros
    return [
        {
            **row,
            "share": row["customers"] / base.n if base.n else 0.0,
            "clv": row["clv"] if in_euros else None,
        }
        for row in rows
    ]


def _names(base: InForce, column: str) -> list[str | None]:
    """Return the adviser or office of every customer; None where the name may not be shown."""
    allowed = list(
        shared(
            base.customers[column], base.customers["customer"], base.settings.report.suppress_below
        )
    )
    named = base.customers.select(pl.when(pl.col(column).is_in(allowed)).then(pl.col(column)))
    return named.to_series().to_list()


def _spread(base: InForce, grouped: Segments | None, column: str) -> SegmentSpread | None:
    """Count the position segments per adviser or office, the largest first; those without a name
    are one row.
    """
    if grouped is None:
        return None
    names = _names(base, column)
    counted: dict[str | None, int] = {
        name: names.count(name) for name in sorted({n for n in names if n is not None})
    }
    order: list[str | None] = sorted(counted, key=lambda name: (-counted[name], str(name)))
    limit = base.settings.report.suppress_below
    if (
        0 < names.count(None) < limit and order
    ):  # with what is left alone the totals would tell how few they are
        smallest = order.pop()
        names = [None if name == smallest else name for name in names]
    if len(order) < 2:
        return None
    order += [None] if None in names else []
    place = {name: number for number, name in enumerate(order)}
    counts = np.zeros((len(order), len(POSITION)), dtype=np.int64)
    np.add.at(
        counts,
        ([place[name] for name in names], [POSITION.index(own) for own in grouped.position]),
        1,
    )
    cells = crossed(counts, limit)
    return made(
        SegmentSpread,
        {
            "columns": list(POSITION),
            "rows": [
                {"key": name, "customers": int(counts[number].sum()), "cells": cells[number]}
                for number, name in enumerate(order)
            ],
        },
    )
