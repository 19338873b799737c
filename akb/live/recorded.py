"""What a book knows of customers beside the export: who was spoken to, what became of it, and in
which arm of a running experiment somebody is. Lists and report are made with it, features never see
it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.live.duty.register import recorded_duty
from akb.live.experiment.kept import arms_of, running

if TYPE_CHECKING:
    from datetime import date

    from akb.live.book import ClientBook


def recorded_in_book(book: ClientBook, *, dry_run: bool = False) -> pl.DataFrame:
    """Return `recorded_duty` with rows of their own for arms: ``arm``, ``joined`` and ``until``."""
    arms = arms_of(book).with_columns(left=False)
    return pl.concat([recorded_duty(book, dry_run=dry_run), arms], how="diagonal")


def on_day(recorded: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return what counts on a day: of arms only those of experiments that run, each customer's
    once.
    """
    if "arm" not in recorded.columns:
        return recorded
    arms = running(recorded.filter(pl.col("arm").is_not_null()), day).with_columns(left=False)
    rest = recorded.filter(pl.col("arm").is_null()).drop("arm", "joined", "until")
    return pl.concat([rest, arms], how="diagonal")
