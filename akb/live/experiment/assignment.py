"""Who is treated and who is left alone: by a keyed lot, recorded when it is drawn.

A customer's lot is a keyed hash of who he is and of the experiment's name, the one that the lists
draw their control group by (`akb.value.targeting.control`): whoever comes or goes, and in whatever
order rows stand, it is the same. With the name that the lists use, whom they withhold is in the
control arm here too, for a larger share keeps who was drawn.

Advisers are few, so their lots only say in which order they join their stratum; arms are filled so
that each stratum and the whole keep to the share. What was assigned once is read back from the
record and never drawn again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.draws import drawn
from akb.value.targeting.control import control_group

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from akb.live.experiment.registration import Registration

SCHEMA = {
    "customer": pl.String,
    "unit": pl.String,
    "arm": pl.String,
    "stratum": pl.String,
    "joined": pl.Date,
    "adviser": pl.String,
    "office": pl.String,
    "forecast_relations": pl.Float64,
    "forecast_policies": pl.Float64,
    "forecast_euros": pl.Float64,
}
TREATED, CONTROL = "treated", "control"
BANDS = 3


@dataclass(frozen=True)
class Drawn:
    """The result of one draw.

    Parameters
    ----------
    record
        Everybody who was ever assigned, in the order in which they joined.
    added
        Who joined now: the last rows of `record`.
    """

    record: pl.DataFrame
    added: pl.DataFrame


def risk_cuts(forecast: pl.Series) -> tuple[float, ...]:
    """Return the forecasts that part customers in thirds; fewer where many are the same."""
    known = forecast.drop_nulls().to_numpy()
    if not len(known):
        return ()
    ends = [round(float(np.quantile(known, part / BANDS)), 6) for part in range(1, BANDS)]
    return tuple(sorted(set(ends)))


def assign(
    registration: Registration, record: pl.DataFrame, candidates: pl.DataFrame, day: date
) -> Drawn:
    """Return the record with the candidates of a day who were not in it.

    Parameters
    ----------
    record
        Columns of `SCHEMA`.
    candidates
        See `akb.live.experiment.candidates.candidates`; any order.
    """
    new = candidates.join(record, on="customer", how="anti").filter(
        pl.col("contact") == registration.contact
    )
    if registration.unit == "adviser":
        new = new.filter(pl.col("adviser").is_not_null())
    if new.is_empty() or not registration.started <= day <= registration.enrol_until:
        return Drawn(record, record.clear())
    new = new.sort("customer").with_columns(
        stratum=pl.Series(_strata(registration, new.sort("customer")), dtype=pl.String),
        joined=pl.lit(day, pl.Date),
    )
    if registration.unit == "adviser":
        new = _by_adviser(registration, record, new)
    else:
        flags = control_group(
            new.select(pseudonym="customer"), registration.control_share, registration.name
        )
        new = new.with_columns(
            unit=pl.col("customer"),
            arm=pl.Series([CONTROL if each else TREATED for each in flags], dtype=pl.String),
        )
    added = new.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    return Drawn(pl.concat([record, added]), added)


def _strata(registration: Registration, new: pl.DataFrame) -> list[str]:
    """Return per customer his office and risk band, by what was registered; per adviser his
    office.
    """
    offices = new["office"].fill_null("").to_list()
    if registration.unit == "adviser":
        return offices
    cuts = np.array(registration.risk_cuts)
    forecast = new["forecast_relations"].fill_null(0.0).to_numpy()
    bands = np.searchsorted(cuts, forecast, side="right")
    return [f"{office}/{band}" for office, band in zip(offices, bands, strict=True)]


def _by_adviser(
    registration: Registration, record: pl.DataFrame, new: pl.DataFrame
) -> pl.DataFrame:
    """Return new customers in the arm of their adviser; a new adviser joins the emptier arm."""
    known = record.unique("unit", keep="first", maintain_order=True)
    arms = dict(known.select("unit", "arm").iter_rows())
    counts: dict[str, list[int]] = {}
    for unit, stratum in known.select("unit", "stratum").iter_rows():
        _count(counts, stratum, arms[unit])
    fresh = new.filter(~pl.col("adviser").is_in(list(arms)))
    office = (
        fresh.group_by("adviser", "stratum")
        .len()
        .sort("adviser", "len", "stratum", descending=[False, True, False])
        .unique("adviser", keep="first", maintain_order=True)
    )
    stratum_of = dict(office.select("adviser", "stratum").iter_rows())
    names: Sequence[str] = sorted(stratum_of)
    lots = dict(zip(names, drawn(registration.name, names), strict=True))
    for name in sorted(names, key=lambda name: (stratum_of[name], lots[name])):
        stratum = stratum_of[name]
        arms[name] = _arm(counts, stratum, registration.control_share, lots[name])
        _count(counts, stratum, arms[name])
    return new.with_columns(
        unit=pl.col("adviser"),
        arm=pl.col("adviser").replace_strict(arms, return_dtype=pl.String),
        stratum=pl.col("adviser").replace_strict(
            {**dict(known.select("unit", "stratum").iter_rows()), **stratum_of},
            return_dtype=pl.String,
        ),
    )


def _count(counts: dict[str, list[int]], stratum: str, arm: str) -> None:
    for key in (f"stratum {stratum}", "all"):
        counts.setdefault(key, [0, 0])[arm == CONTROL] += 1


def _arm(counts: dict[str, list[int]], stratum: str, share: float, lot: float) -> str:
    """Return the arm that keeps the stratum, then the whole, nearest to the share; the lot decides
    what is left.
    """

    def off(key: str, control: bool) -> float:
        treated, withheld = counts.get(key, [0, 0])
        total = treated + withheld + 1
        return abs(withheld + control - share * total)

    for key in (f"stratum {stratum}", "all"):
        gap = off(key, control=True) - off(key, control=False)
        if abs(gap) > 1e-9:
            return CONTROL if gap < 0 else TREATED
    return CONTROL if lot < share else TREATED
