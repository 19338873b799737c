"""Former customers: who left in the three years up to T and had not come back by then, and what was
known of them.

Left means left for G days, so that at T nobody is former who may still turn out to be in between
two policies. Who died or ended the business is left out, and so is who was transferred elsewhere:
that relation was not lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.branch_rows.world import names
from akb.features.facts import CAUSES, spells
from akb.features.grid import date_table, on_each, to_day
from akb.features.matrix import portfolio_branches
from akb.features.types import Feature, FormerRows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from akb.config import Branch, Settings
    from akb.ingest.types import Portfolio

FORMER = (
    Feature("former_months", "former", "months since the relation ended", "months"),
    Feature("former_season", "former", "months since the last anniversary of the end", "months"),
    Feature("former_relation_months", "former", "how long the relation lasted", "months"),
    Feature("former_returns", "former", "relations before this one", "relations"),
    Feature(
        "former_policies",
        "former",
        "policies in force in the last year of the relation",
        "policies",
    ),
    Feature("former_branches", "former", "branches in the last year of the relation", "branches"),
    Feature(
        "former_spread_months",
        "former",
        "months between the first and the last end in that year",
        "months",
    ),
    Feature("former_natural", "former", "the last policies ended for a natural reason", "yes/no"),
    Feature("former_insurer", "former", "the last policies were ended by the insurer", "yes/no"),
    Feature("former_unpaid", "former", "a policy ended for non-payment in that year", "yes/no"),
    Feature("former_age", "former", "age in years", "years"),
    Feature("former_business", "former", "a business", "yes/no"),
)
_YEAR = 365
_MONTH = 30.4375
_TECHNICAL = CAUSES.index("technical")


def former_rows(
    portfolio: Portfolio, facts: pl.DataFrame, dates: list[date], settings: Settings
) -> FormerRows:
    """Return the former customers at each date.

    Parameters
    ----------
    facts
        `facts.policy_facts`: everything that a row shows of a relation lies before its end, and so
        before T.
    """
    branches = portfolio_branches(portfolio, settings)
    gap, as_of = settings.time.gap_days, to_day(portfolio.as_of)
    table = date_table(dates)
    ended = _ended(facts, gap, branches)
    day = pl.col("day")
    # whose next relation has begun by T, or is signed at X, has come back
    back = pl.col("next_start").is_not_null() & ((pl.col("next_start") <= day) | (day == as_of))
    gone = (pl.col("end") + gap <= day) & (pl.col("end") > pl.col("back_36"))
    dead = portfolio.customers.filter("deceased").select("customer")
    who = portfolio.customers.select(
        "customer", "birth_year", business=pl.col("kind") == "business"
    )
    rows = (
        on_each(table, ("as_of", "day", "year", "back_36"), ended.lazy(), gone & ~back)
        .join(who.lazy(), on="customer", how="left")
        .sort("as_of", "customer")
        .collect()
    )
    if not portfolio.replay:
        rows = rows.filter(
            ~((pl.col("day") == as_of) & pl.col("customer").is_in(dead["customer"].implode()))
        )
    own = [f"former_had_{branch}" for branch in branches]
    values = {**_values(), **{name: pl.col(name) for name in own}}
    frame = rows.select(
        "as_of",
        "customer",
        *(value.cast(pl.Float32).alias(name) for name, value in values.items()),
        event_date=pl.when(pl.col("next_start") <= as_of).then("next_start").cast(pl.Date),
    )
    return FormerRows(frame, (*names(FORMER), *own))


def _values() -> dict[str, pl.Expr]:
    since = (pl.col("day") - pl.col("end")) / _MONTH
    return {
        "former_months": since,
        "former_season": since % 12,
        "former_relation_months": (pl.col("end") - pl.col("start")) / _MONTH,
        "former_returns": pl.col("before"),
        "former_policies": pl.col("policies"),
        "former_branches": pl.col("kinds"),
        "former_spread_months": pl.col("spread") / _MONTH,
        "former_natural": pl.col("cause") == CAUSES.index("natural"),
        "former_insurer": pl.col("cause") == CAUSES.index("insurer"),
        "former_unpaid": pl.col("unpaid"),
        "former_age": pl.col("year") - pl.col("birth_year"),
        "former_business": pl.col("business"),
    }


def _ended(facts: pl.DataFrame, gap: int, branches: Mapping[str, Branch]) -> pl.DataFrame:
    """Relations that were lost: when, why, what was in force in their last year, and when the next
    one began.
    """
    relations = spells(facts, gap).with_columns(
        before=pl.int_range(pl.len()).over("customer"),
        next_start=pl.col("start").shift(-1).over("customer"),
    )
    spell = relations.select("customer", "start", spell_start="start", spell_end="end").sort(
        "start"
    )
    last_year = (
        facts.select("customer", "branch", "start", "end", "unpaid", "no_return")
        .sort("start")
        .join_asof(spell, on="start", by="customer", check_sortedness=False)
        .filter(pl.col("end") > pl.col("spell_end") - _YEAR)
    )
    had = {
        f"former_had_{key}": (pl.col("branch") == code).any() for code, key in enumerate(branches)
    }
    shown = last_year.group_by("customer", start="spell_start").agg(
        policies=pl.len(),
        kinds=pl.col("branch").n_unique(),
        spread=pl.col("end").max() - pl.col("end").min(),
        unpaid=pl.col("unpaid").any(),
        no_return=(pl.col("no_return") & (pl.col("end") == pl.col("spell_end"))).any(),
        **had,
    )
    lost = relations.join(shown, on=["customer", "start"], how="inner")
    return lost.filter(~pl.col("no_return") & (pl.col("cause") != _TECHNICAL)).sort(
        "customer", "start"
    )
