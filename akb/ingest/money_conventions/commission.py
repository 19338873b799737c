"""Is a column of commission an amount or a percentage of the premium?

Agreed rates are few and round whatever the premium is; amounts differ as the premiums do.

A worked row: commission 20.00, beside premiums of 83.10, 412.55 and 1,230.00 alike: 20 is the rate,
and 83.10 x 20 % = 16.62 is the amount."""

from __future__ import annotations

import polars as pl

from akb.ingest.columns.matching import key_of
from akb.ingest.columns.readings import Reading
from akb.ingest.money_conventions.questions import Detector, MoneyColumns, by_setting, by_words
from akb.ingest.money_conventions.thresholds import ENOUGH, PREMIUMS

_MOST_RATE, _RATES = 5_000, 40  # hundredths of a percent, so at most 50 %; few different ones
_MOST = 0.95  # share of the filled cells that could be a rate
_QUARTER = 25  # hundredths: agreed rates are multiples of a quarter of a percent


def _by_setting(seen: MoneyColumns) -> Reading | None:
    return by_setting(seen.asked.commission_basis)


def _by_heading(seen: MoneyColumns) -> Reading | None:
    heading = seen.headings.heading(seen.commission or "") or ""
    return by_words("percentage" if "%" in heading or "perc" in key_of(heading) else None)


def _by_amounts(seen: MoneyColumns) -> Reading:
    column = seen.commission or ""
    filled = seen.rows.filter(pl.col(column) > 0)
    rates = filled.filter(pl.col(column) <= _MOST_RATE, pl.col(column) % _QUARTER == 0)
    numbers = {"hits": rates.height, "of": filled.height}
    few = filled[column].n_unique() <= min(_RATES, filled.height // 5)
    premiums = filled.select(pl.max_horizontal(PREMIUMS)).to_series()
    if filled.height >= ENOUGH and few and rates.height >= _MOST * filled.height:
        varied = premiums.n_unique() > 2 * filled[column].n_unique()
        if varied:
            return Reading("percentage", "data", "percentages", numbers)
    return Reading("amount", "data", "amounts", numbers)


DETECTORS: tuple[Detector[MoneyColumns], ...] = (_by_setting, _by_heading, _by_amounts)
