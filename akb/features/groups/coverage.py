"""How complete the cover is: themes held, gaps that stand out, and density against customers of the
same life stage.

The means of a life stage (kind and 15 years of age) are those at T, mixed with the portfolio's
(`rates.shrunk`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.features.groups.lifestage import age_in_years
from akb.features.rates import relative, shrunk
from akb.features.registry import Group, added, share, within

if TYPE_CHECKING:
    from akb.features.cut import Source
    from akb.features.registry import Aggregates, Extra, Tables, World

_BAND = 15
"""Years of a life stage."""

_STAGE = ["t", "kind", "stage"]

_COMMON = 0.01
"""A theme that fewer customers of a kind hold is no gap of the others."""


def build(world: World) -> Group:
    """Return themes held, pairs of which half is missing, and density against the life stage."""
    group = Group("coverage", extend=_extend, aggregate=_aggregate, shared=_shared(world))
    held = {theme: _in_theme(group, world, theme) for theme in world.themes}
    has = {theme: count > 0 for theme, count in held.items()}
    themes = added(flag.cast(pl.Int32) for flag in has.values())
    group.add(
        "themes",
        "different themes held (home, traffic, liability, legal, leisure, company)",
        "themes",
        themes,
    )
    group.add(
        "theme_share",
        "share of the themes that customers of the same kind hold at T which this customer holds",
        "share",
        share(themes, pl.col("themes_of_kind")),
    )
    for theme in world.themes:
        group.add(
            f"share_{theme}",
            f"share of the policies in {theme}",
            "share",
            share(held[theme], pl.col("_policies")),
        )
    no = pl.lit(value=False)
    home, traffic = has.get("home", no), has.get("traffic", no)
    liability, legal = has.get("liability", no), has.get("legal", no)
    for name, words, gap in (
        ("home_without_liability", "insures the home here and liability not", home & ~liability),
        (
            "traffic_without_legal",
            "insures a vehicle here and legal expenses not",
            traffic & ~legal,
        ),
        ("traffic_without_home", "insures a vehicle here and the home not", traffic & ~home),
        ("home_without_traffic", "insures the home here and no vehicle", home & ~traffic),
        (
            "home_half_insured",
            "has contents without building or the reverse, and no home package",
            _half(world),
        ),
        (
            "only_people",
            "holds no policy in any theme: only health, funeral, life or income",
            themes == 0,
        ),
    ):
        group.add(name, words, "yes/no", gap)
    group.add(
        "policies_against_stage",
        "policies relative to the mean of customers of the same kind and age at T",
        "ratio",
        relative(pl.col("_policies"), pl.col("stage_policies")),
    )
    group.add(
        "branches_against_stage",
        "branches relative to the mean of customers of the same kind and age at T",
        "ratio",
        relative(_branches(world), pl.col("stage_branches")),
    )
    group.add(
        "tenure_against_stage",
        "age of the oldest policy relative to the mean of customers of the same kind and age at T",
        "ratio",
        relative(pl.col("_oldest"), pl.col("stage_tenure")),
    )
    if "ends" in world.records:
        _against_peers(group)
        _given_up(group, world, held)
    return group


def _in_theme(group: Group, world: World, theme: str) -> pl.Expr:
    return group.count(f"_in_{theme}", "held", pl.col("branch").is_in(list(world.themes[theme])))


def _branches(world: World) -> pl.Expr:
    return added((pl.col(f"_n_{code}") > 0).cast(pl.Int64) for code in range(len(world.branches)))


def _half(world: World) -> pl.Expr:
    order = list(world.branches)
    contents, building, package = (
        (pl.col(f"_n_{order.index(name)}") > 0) if name in order else pl.lit(value=False)
        for name in ("inboedel", "opstal", "woonpakket")
    )
    return (contents != building) & ~package


def _against_peers(group: Group) -> None:
    """Leaves the customer's own lapses out."""
    lapses = group.count("_lapses_12", "gone", pl.col("lapsed") & within("end", 12))
    peers = pl.col("stage_lapses") - lapses
    at_risk = pl.col("stage_held") - pl.col("_policies") + peers
    group.add(
        "stage_lapse_ratio_12m",
        "lapse rate in 12 months of other customers of the same kind and age, relative to the "
        "portfolio's",
        "ratio",
        relative(shrunk(peers, at_risk, pl.col("stage_overall")), pl.col("stage_overall")),
        back=12,
    )


def _given_up(group: Group, world: World, held: dict[str, pl.Expr]) -> None:
    """A theme that was held and is no longer: moved house, sold the car, or gone to another."""
    for theme in world.themes:
        inside = pl.col("branch").is_in(list(world.themes[theme]))
        lost = group.count(
            f"_given_up_{theme}", "gone", pl.col("lapsed") & within("end", 12) & inside
        )
        group.add(
            f"gave_up_{theme}_12m",
            f"last {theme} policy lapsed in the last 12 months",
            "yes/no",
            (lost > 0) & (held[theme] == 0),
            back=12,
        )


def _shared(world: World) -> tuple[str, ...]:
    codes = (f"_n_{code}" for code in range(len(world.branches)))
    themes = (f"_in_{theme}" for theme in world.themes)
    return ("_policies", "_oldest", "_lapses_12", *codes, *themes)


def _staged(tables: Tables, source: Source) -> pl.DataFrame:
    """The totals of one source with each customer's kind and life stage at T."""
    stage = tables.customers.select("customer", "kind", "birth_year").join(
        tables.cut.dates.select("t", "year"), how="cross"
    )
    stage = stage.select(
        "t", "customer", "kind", stage=(age_in_years() // _BAND).fill_null(-1).cast(pl.Int32)
    )
    return tables.totals[source].join(stage, on=["t", "customer"])


def _aggregate(tables: Tables) -> Aggregates:
    """Sums per life stage, of which those in force are the customers, and holders per kind."""
    world, held = tables.world, _staged(tables, "held")
    sizes = held.group_by(_STAGE).agg(
        members=pl.len().cast(pl.Int64),
        held=pl.col("_policies").cast(pl.Int64).sum(),
        branches=_branches(world).sum(),
        tenure=pl.col("_oldest").cast(pl.Int64).sum(),
    )
    lost = held.group_by(_STAGE).agg(lapses=pl.lit(0, pl.Int64).sum())
    if "gone" in tables.totals:
        lapses = pl.col("_lapses_12").cast(pl.Int64).sum()
        lost = _staged(tables, "gone").group_by(_STAGE).agg(lapses=lapses)
    kinds = held.group_by("t", "kind").agg(
        members=pl.len().cast(pl.Int64),
        **{theme: (pl.col(f"_in_{theme}") > 0).sum().cast(pl.Int64) for theme in world.themes},
    )
    return {
        "coverage": (_STAGE, sizes),
        "coverage.lost": (_STAGE, lost),
        "coverage.kinds": (["t", "kind"], kinds),
    }


def _extend(tables: Tables, aggregates: Aggregates) -> list[Extra]:
    """Means per kind and age at T, mixed with the portfolio's; whole numbers until the last
    step.
    """
    lost = aggregates["coverage.lost"][1]
    table = (
        aggregates["coverage"][1]
        .join(lost, on=_STAGE, how="left", nulls_equal=True)
        .with_columns(pl.col("lapses").fill_null(0))
    )
    whole = {name: pl.col(name).sum() for name in ("held", "branches", "tenure")}
    exposure = (pl.col("held") + pl.col("lapses")).sum()
    # joined and not `over`, as in `rates_of`
    every = table.group_by("t").agg(
        stage_overall=pl.col("lapses").sum() / pl.max_horizontal(exposure, pl.lit(1)),
        **{f"all_{name}": total / pl.col("members").sum() for name, total in whole.items()},
    )
    stages = table.join(every, on="t").select(
        *_STAGE,
        "stage_overall",
        stage_held="held",
        stage_lapses="lapses",
        **{
            f"stage_{name}": shrunk(pl.col(column), pl.col("members"), pl.col(f"all_{column}"))
            for name, column in (
                ("policies", "held"),
                ("branches", "branches"),
                ("tenure", "tenure"),
            )
        },
    )
    kinds = aggregates["coverage.kinds"][1].select(
        "t",
        "kind",
        themes_of_kind=added(
            (pl.col(theme) / pl.col("members") >= _COMMON).cast(pl.Int32)
            for theme in tables.world.themes
        ),
    )
    held = _staged(tables, "held").select("t", "customer", "kind", "stage")
    joined = held.join(stages, on=_STAGE, nulls_equal=True)
    joined = joined.join(kinds, on=["t", "kind"], nulls_equal=True)
    return [(["t", "customer"], joined.drop("kind", "stage"))]
