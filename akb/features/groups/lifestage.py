"""Who the customer is: age, private or business. Never sex."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.registry import Group

if TYPE_CHECKING:
    from akb.features.registry import World

_BANDS = ((18, 25), (25, 35), (35, 50), (50, 65), (65, 75), (75, 106))


def age_in_years() -> pl.Expr:
    """Return the age in the year of T; null where the year of birth is no plausible one."""
    years = pl.col("year") - pl.col("birth_year")
    # 1900 and 2099 are what back offices fill in when they do not know; over 105 nobody is
    return pl.when(years.is_between(16, 105)).then(years)


def build(_world: World) -> Group:
    """Return age, age bands and kind of customer."""
    group = Group("lifestage")
    age = age_in_years()
    start_age = age - pl.col("_oldest") / 365.25
    group.add("age", "age in the year of T", "years", age)
    for low, high in _BANDS:
        group.add(
            f"age_{low}_{high - 1}",
            f"age from {low} to {high - 1}",
            "yes/no",
            age.is_between(low, high - 1),
        )
    group.add("age_unknown", "no plausible year of birth", "yes/no", age.is_null())
    group.add("age_at_start", "age at the start of the oldest policy in force", "years", start_age)
    for kind, words in (
        ("private", "a private person"),
        ("business", "a business"),
        ("self_employed", "self-employed"),
    ):
        group.add(
            f"is_{kind}", f"the customer is {words}", "yes/no", pl.col("kind") == kind, current=True
        )
    group.add(
        "young_starter",
        "under 30 and a customer for less than 3 years",
        "yes/no",
        (age < 30) & (pl.col("_oldest") <= 1096),
    )
    group.add(
        "elderly_one_policy",
        "75 or older with one policy",
        "yes/no",
        (age >= 75) & (pl.col("_policies") == 1),
    )
    return group
