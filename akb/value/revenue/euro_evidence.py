"""What an expected amount per customer showed on later data: level, gain, order, deciles, beside
last year's value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from akb.core.gates import level_gate
from akb.core.people import POOLING_EVENTS
from akb.core.scoring import gini, last_value, tweedie_skill
from akb.models.types import Calibration, DateResult, Decile, Evidence, LastYear, SegmentLevel

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    from akb.core.people import Parts, People
    from akb.models.types import Gate, Interval
    from akb.value.in_force import Floats


BETWEEN_YEARS = 0.05  # floor of the spread between years in an interval of a level
Z90 = 1.6449


def level_evidence(
    per_customer: pl.DataFrame, test: date, events: int, people: People | None = None
) -> Evidence:
    """Return level, gain and order of an expected amount per customer on the day `test`.

    Parameters
    ----------
    per_customer
        customer, ``expected``, ``realised`` and ``last`` (the year before `test`; null: not there
        all year), in cents; ``happened``: whether any of the things behind the amount happened to
        the customer.
    events
        How many things happened behind the amounts.
    people
        Who the customers are, to show the level by age band, private or business, and office as
        well.
    """
    customer = per_customer["customer"].to_numpy()
    expected, realised, last = (
        per_customer[name].to_numpy().astype(np.float64)
        for name in ("expected", "realised", "last")
    )
    ratio, ci = _level(expected, realised)
    before = last_value(realised, last)
    return Evidence(
        test_date=test,
        population=per_customer.height,
        positives=float(events),
        deviance="tweedie",
        deviance_skill=tweedie_skill(realised, expected),
        gini=gini(realised, expected),
        calibration=Calibration(ratio, ci),
        decile_table=_deciles(expected, realised, customer),
        by_date=(DateResult(test, per_customer.height, float(events), None),),
        segments=()
        if people is None
        else _segments(
            expected, realised, per_customer["happened"].to_numpy(), people.parts(customer, test)
        ),
        last_year=None
        if before is None
        else LastYear(
            gini(realised, before),
            tweedie_skill(realised, before),
            _deciles(before, realised, customer),
        ),
    )


def _level(expected: Floats, realised: Floats) -> tuple[float, Interval]:
    """Return realised / expected with its 90 % interval: a row is a customer, so rows are
    clusters.
    """
    total = float(expected.sum())
    ratio = float(realised.sum()) / total
    sampling = float(np.sqrt(((realised - ratio * expected) ** 2).sum())) / total
    width = Z90 * float(np.hypot(sampling, BETWEEN_YEARS * ratio))
    return ratio, (ratio - width, ratio + width)


def _segments(
    expected: Floats, realised: Floats, happened: NDArray[np.bool_], parts: Iterable[Parts]
) -> tuple[SegmentLevel, ...]:
    """Return the level in each part, drawn to that of everyone; figures over too few customers or
    events are None.
    """
    everyone, _ = _level(expected, realised)
    found: list[SegmentLevel] = []
    for division in parts:
        masks = [division.code == code for code in range(len(division.names))]
        counts, events = (
            [int((mask & rows).sum()) for mask in masks]
            for rows in (np.ones_like(happened), happened)
        )
        shown = division.shown(counts, events)
        for name, mask, may, count, own in zip(
            division.names, masks, shown, counts, events, strict=True
        ):
            if may and expected[mask].sum() > 0:
                ratio, ci = _level(expected[mask], realised[mask])
                weight = own / (own + POOLING_EVENTS)
                pooled = weight * ratio + (1 - weight) * everyone
                found.append(SegmentLevel(division.kind, name, count, ratio, ci, weight, pooled))
            elif count:
                found.append(SegmentLevel(division.kind, name, None, None, None, None, None))
    return tuple(found)


def _deciles(expected: Floats, realised: Floats, customer: Floats) -> tuple[Decile, ...]:
    """Return what was expected and realised per tenth in euros, the highest expectations first."""
    order = np.lexsort((customer, -expected))
    return tuple(
        Decile(
            number,
            len(part),
            float(expected[part].mean()) / 100,
            float(realised[part].mean()) / 100,
        )
        for number, part in enumerate(np.array_split(order, 10), start=1)
        if len(part)
    )


def gate_of(evidence: Evidence) -> Gate:
    """Return the gate on the level, as for every prediction."""
    assert evidence.calibration is not None
    return level_gate(evidence.tested, evidence.calibration.ci)
