"""The control group: who is left alone by lot, so that it can be measured what contact does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from akb.core.draws import drawn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]


def control_group(
    customers: pl.DataFrame, share: float, experiment: str, spared: Flags | None = None
) -> Flags:
    """Return who is drawn for the control group: each customer with chance `share`.

    Parameters
    ----------
    customers
        ``pseudonym``: one row per customer of the run, in any order.
    experiment
        Its name with its start year, see `akb.core.draws.experiment_name`. Within one the next
        export draws the same, whoever came or left in between; a larger share keeps who was drawn.
    spared
        Per row: never withheld by lot, such as announced leavers.

    Notes
    -----
    It withholds contacts that are made for euros. Care is never withheld by lot: who is in it still
    gets that."""
    flags: Flags = drawn(experiment, customers["pseudonym"].to_list()) < share
    return flags if spared is None else flags & ~spared


def as_assigned(drawn_: Flags, customers: pl.Series, recorded: pl.DataFrame | None) -> Flags:
    """Return who is withheld where a running experiment has its own arms: of who is in it, the arm
    decides, whatever lot the lists would draw.

    Parameters
    ----------
    drawn_
        By lot, in the order of `customers`.
    recorded
        See `akb.ingest.types.Portfolio.recorded`.
    """
    if recorded is None or "arm" not in recorded.columns:
        return drawn_
    arms = recorded.filter(pl.col("arm").is_not_null())
    control, treated = (
        customers.is_in(arms.filter(arm=arm)["customer"].implode()).to_numpy()
        for arm in ("control", "treated")
    )
    flags: Flags = (drawn_ & ~treated) | control
    return flags
