"""However the customers are divided, their features are the same bytes: what others add is added up first."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from portfolios import BRANCHES, CAUSES, Customer, Policy, Rows, X, portfolio
from test_features_premiums import with_history
from test_features_time import OTHERS, SETTINGS, T

from akb.core.errors import AkbError
from akb.features import assembly, build_matrix
from akb.features.rates import medians
from akb.ingest.types import OwnColumn, Portfolio

LEVELS = ("a", "b", "c")


def with_own(whole: Portfolio) -> Portfolio:
    """A number and a category without a role on every policy, some unknown."""
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    values = whole.policies.select(
        "policy",
        col_n=pl.when(number % 5 > 0).then(number * 700),
        col_c=pl.when(number % 4 > 0).then((number % len(LEVELS)).cast(pl.UInt16)),
    )
    own = (OwnColumn("col_n", "N", "number"), OwnColumn("col_c", "C", "category", LEVELS))
    return replace(whole, own=own, own_values=values)


def office(customers: int = 40) -> Portfolio:
    """An office of advisers, regions, kinds, insurers, ends and events that are spread over its customers."""
    rng = Random(7)

    def day() -> date:
        return date(2018, 1, 1) + timedelta(days=rng.randrange(2500))

    policies = [Policy(0, "auto", date(2019, 1, 1))]
    for number in range(customers):
        for _ in range(rng.randint(1, 4)):
            start = day()
            end = start + timedelta(days=rng.randint(200, 1500)) if rng.random() < 0.4 else None
            ended = end if end is not None and end <= X else None
            cause = rng.choice(CAUSES) if ended else None
            insurer = rng.choice(["M1", "M2", "M3", None])
            policies.append(Policy(number, rng.choice(BRANCHES), start, ended, cause, insurer, rng.choice([1, 12])))
    people = [
        Customer(
            number,
            rng.choice(["private", "business", None]),
            rng.choice([1950, 1985, None]),
            rng.choice(["3511", "1011", None]),
            rng.choice([f"A{place}" for place in range(6)]),
            rng.choice(["K1", "K2", None]),
        )
        for number in range(customers)
    ]
    who = [rng.randrange(customers) for _ in range(60)]
    claims = [(each, rng.choice(BRANCHES), day(), 100, True) for each in who]
    contacts = [(each, day(), "phone", True, "vraag") for each in who]
    rows = Rows(tuple(policies), tuple(people), tuple(claims), tuple(contacts), ((0, day(), "reminder"),))
    return with_own(with_history(portfolio(rows), X))


def test_parts_of_the_customers_give_the_same_bytes() -> None:
    whole, dates = office(), [OTHERS[0], T]
    alone = build_matrix(whole, dates, SETTINGS)
    assert {"premium", "own", "people", "coverage", "insurers", "hazards"} <= {each.group for each in alone.features}
    for parts in (2, 7):
        divided = build_matrix(whole, dates, SETTINGS, partitions=parts)
        assert divided.frame.equals(alone.frame)


def test_some_groups_have_the_same_bytes_as_among_all() -> None:
    """Each alone, so that no group leans on what another one worked out but on totals that it reads."""
    whole, dates = office(), [OTHERS[0], T]
    everything = build_matrix(whole, dates, SETTINGS)
    every = {each.group for each in everything.features}
    for chosen in [{name} for name in every] + [every]:
        some = build_matrix(whole, dates, SETTINGS, groups=chosen)
        names = [each.name for each in everything.features if each.group in chosen]
        assert list(some.names) == names
        assert some.frame.equals(everything.frame.select("as_of", "customer", *names))


def test_some_groups_survive_the_way_to_another_machine() -> None:
    """There they are the only ones worked out."""
    whole, chosen = office(), ("claims", "people")
    alone = build_matrix(whole, [T], SETTINGS, groups=chosen)
    groups: set[str] = set()

    class Elsewhere(ThreadPoolExecutor):
        def submit(self, ask: Callable[..., Any], *given: Any) -> Future[Any]:  # type: ignore[override]
            inputs, *others = pickle.loads(pickle.dumps(given))
            groups.update(group.name for group in inputs.groups if group.columns)
            return super().submit(ask, inputs, *others)

    with Elsewhere(1) as pool:
        spread = build_matrix(whole, [T], SETTINGS, groups=chosen, partitions=2, executor=pool)
    assert spread.frame.equals(alone.frame)
    assert groups == set(chosen)


def test_a_group_that_is_not_there_is_named() -> None:
    with pytest.raises(AkbError, match="no feature group 'holding' here; did you mean 'holdings'"):
        build_matrix(office(3), [T], SETTINGS, groups=["holding"])


VALUES = st.lists(st.tuples(st.integers(0, 2), st.one_of(st.none(), st.integers(-50, 50))), max_size=40)


@given(VALUES)
def test_a_median_from_counts_is_the_median(rows: list[tuple[int, int | None]]) -> None:
    table = pl.DataFrame(rows, schema={"key": pl.Int64, "value": pl.Int64}, orient="row")
    known = table.drop_nulls("value")
    counts = known.group_by("key", "value").agg(n=pl.len().cast(pl.Int64))
    found = medians(counts, ["key"], "value", "middle").sort("key")
    wanted = known.group_by("key").agg(middle=pl.col("value").median().round().cast(pl.Int64)).sort("key")
    assert found.equals(wanted)


def test_an_aggregate_holds_whole_numbers_only() -> None:
    """What does not add up exactly would differ between one division and another."""
    seen = []
    merged = assembly.merged
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assembly, "merged", lambda parts: seen.extend(parts) or merged(parts))
        build_matrix(office(9), [T], SETTINGS, partitions=2)
    tables = [(keys, table) for part in seen for keys, table in part.values()]
    assert len(tables) > 20
    for keys, table in tables:
        values = table.drop(keys)
        assert values.width and all(kind == pl.Int64 for kind in values.dtypes)


def test_an_executor_gives_the_same_bytes_also_with_a_panel() -> None:
    """What a cluster does: aggregates and columns of every part as tasks, of everybody or of those who teach."""
    whole, dates = office(), [OTHERS[0], T, X]
    few = SETTINGS.model_copy(update={"models": SETTINGS.models.model_copy(update={"panel_customers": 15})})
    for settings in (SETTINGS, few):
        alone = build_matrix(whole, dates, settings)
        with ThreadPoolExecutor(2) as pool:
            spread = build_matrix(whole, dates, settings, partitions=3, executor=pool)
        assert spread.decoded().equals(alone.decoded())
        assert (spread.panel is None) == (settings is SETTINGS)
