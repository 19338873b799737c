"""When a relation counts as ended: five definitions of churn, read from the same policies.

``all``: no policy left (the rest is measured against it). ``any_policy``: the first lapse.
``main_branch``: nothing left in one of the branches held at T. ``non_life``: no non-life policy
left; ``essential``: none of the branches that the taxonomy calls essential. Who holds none of those
at T is judged on all policies, so that everyone has a label. Everything lost counts at the latest
when the whole relation is, so each definition's end <= that of ``all``."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import polars as pl

from akb.config import Definition
from akb.features.branch_rows.rows import eligible_dates
from akb.features.cut import KEY
from akb.features.facts import CAUSES, FOREVER, spells

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from akb.config import Settings

DEFINITIONS: tuple[Definition, ...] = get_args(Definition)
DATES = 6
"""How many closed dates are enough to show how the definitions differ."""

_TECHNICAL = CAUSES.index("technical")


def relation_ends(
    rows: pl.DataFrame,
    facts: pl.DataFrame,
    definition: Definition,
    branches: Sequence[str],
    settings: Settings,
    *,
    whole: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return `rows` with the end of the relation that T falls in and its cause.

    Parameters
    ----------
    rows
        t, customer and ``day`` (T), one row per customer in force.
    facts
        `facts.policy_facts` with ``last`` and ``lapse`` (unmasked: also after X).
    branches
        The branch keys behind the codes.
    whole
        What this returns for ``all``, where that is known already.

    Returns
    -------
    The same rows in the same order with ``end`` i32 (`FOREVER` while open) and ``cause`` u8?.
    """
    gap = settings.time.gap_days
    if whole is None:
        whole = _spell_at(rows, spells(facts, gap), "customer")
    if definition == "all":
        return whole
    if definition == "any_policy":
        sooner = _first_lapse(rows, facts)
    elif definition == "main_branch":
        sooner = _first_empty_branch(rows, facts, gap)
    else:
        codes = [code for code, key in enumerate(branches) if _counts(definition, key, settings)]
        chosen = facts.filter(pl.col("branch").is_in(codes))
        found = _spell_at(rows, spells(chosen, gap), "customer")
        sooner = found.filter(pl.col("end") > pl.col("day")).select(*KEY, sooner="end", why="cause")
    earlier = pl.col("sooner").fill_null(FOREVER) < pl.col("end")
    return (
        whole.join(sooner, on=KEY, how="left", maintain_order="left")
        .with_columns(
            end=pl.when(earlier).then("sooner").otherwise("end"),
            cause=pl.when(earlier).then("why").otherwise("cause"),
        )
        .drop("sooner", "why")
    )


def definition_labels(
    rows: pl.DataFrame, facts: pl.DataFrame, branches: Sequence[str], as_of: int, settings: Settings
) -> pl.DataFrame:
    """Return per row of a few closed dates whether it churned within 12 months under each
    definition.

    as_of, customer, one Float32 column per definition: null where the relation was not lost but
    cannot be followed."""
    dates: list[date] = sorted(rows["as_of"].unique().to_list())
    some = (
        [each for each in eligible_dates(dates, settings) if each != dates[-1]][-DATES:]
        if dates
        else []
    )
    chosen = rows.filter(pl.col("as_of").is_in(some))
    table = chosen.select("as_of", "customer")
    whole = relation_ends(chosen, facts, "all", branches, settings)
    for definition in DEFINITIONS:
        ends = relation_ends(chosen, facts, definition, branches, settings, whole=whole)
        gone = (pl.col("end") <= pl.col("ahead_12")) & (pl.col("end") <= as_of)
        lost = pl.col("cause") != _TECHNICAL
        label = ends.select(
            pl.when(gone & ~lost).then(None).otherwise(gone.cast(pl.Float32))
        ).to_series()
        table = table.with_columns(label.cast(pl.Float32).alias(definition))
    return table


def _counts(definition: Definition, key: str, settings: Settings) -> bool:
    branch = settings.taxonomy()[key]
    return branch.essential if definition == "essential" else not branch.life


def _spell_at(rows: pl.DataFrame, relations: pl.DataFrame, key: str) -> pl.DataFrame:
    """The rows with end and cause of the last spell that had begun by T (it may have ended before
    T).
    """
    spell = relations.select(key, pl.col("start").alias("day"), "end", "cause").sort("day")
    found = (
        rows.with_row_index("row")
        .sort("day")
        .join_asof(spell, on="day", by=key, check_sortedness=False)
    )
    return found.sort("row").drop("row")


def _held(rows: pl.DataFrame, facts: pl.DataFrame, *columns: str) -> pl.LazyFrame:
    return (
        rows.lazy()
        .select(*KEY, "day")
        .join(facts.lazy().select("customer", "start", "end", *columns), on="customer")
        .filter(
            (pl.col("start") <= pl.col("day"))
            & (pl.col("end").is_null() | (pl.col("end") > pl.col("day")))
        )
    )


def _first_lapse(rows: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """The first lapse among the policies in force at T, and its cause."""
    why = facts.select(last="policy", why="cause")
    lines = facts.filter(pl.col("lapse").is_not_null()).join(
        why, on="last", how="left", maintain_order="left"
    )
    return (
        _held(rows, lines, "lapse", "why")
        .group_by(KEY)
        .agg(
            sooner=pl.col("lapse").min(),
            why=pl.col("why").filter(pl.col("lapse") == pl.col("lapse").min()).min(),
        )
        .collect()
    )


def _first_empty_branch(rows: pl.DataFrame, facts: pl.DataFrame, gap: int) -> pl.DataFrame:
    """The first day on which one of the branches held at T is empty and stays so for G days."""
    line = pl.col("customer").cast(pl.UInt64) * 256 + pl.col("branch")
    per_branch = spells(facts.with_columns(customer=line), gap).rename({"customer": "line"})
    held = _held(rows, facts, "branch").select(*KEY, "day", line=line).unique().collect()
    found = _spell_at(held.sort(*KEY, "line"), per_branch, "line")
    lost = found.filter((pl.col("end") < FOREVER) & (pl.col("cause") != _TECHNICAL))
    return (
        lost.lazy()
        .group_by(KEY)
        .agg(
            sooner=pl.col("end").min(),
            why=pl.col("cause").filter(pl.col("end") == pl.col("end").min()).min(),
        )
        .collect()
    )
