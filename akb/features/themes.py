"""What branches insure (themes) and what contacts are about (topics), as the configuration lists
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from akb.core.wording.text import load_toml

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from akb.ingest.types import Portfolio


def themes_of(branches: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return the themes that a portfolio has, with the positions of their branches in
    `branches`.
    """
    order = list(branches)
    listed = {name: entry["branches"] for name, entry in load_toml("themes.toml").items()}
    found = {
        name: tuple(order.index(each) for each in members if each in order)
        for name, members in listed.items()
    }
    return {name: members for name, members in found.items() if members}


def theme_of(branch: pl.Expr) -> pl.Expr:
    """Return the theme of a branch key; null where it has none."""
    listed = {
        each: name for name, entry in load_toml("themes.toml").items() for each in entry["branches"]
    }
    return branch.replace_strict(listed, default=None, return_dtype=pl.String)


def every_theme() -> tuple[str, ...]:
    """Return all themes."""
    return tuple(load_toml("themes.toml"))


def every_topic() -> tuple[str, ...]:
    """Return all topics, in the order in which they are tried."""
    return tuple(load_toml("topics.toml"))


def topic_of(subject: pl.Expr) -> pl.Expr:
    """Return the first topic that a subject speaks of; null where it speaks of none."""
    lower = subject.str.to_lowercase()
    topics: Sequence[tuple[str, str]] = [
        (name, entry["pattern"]) for name, entry in load_toml("topics.toml").items()
    ]
    return pl.coalesce(
        *(pl.when(lower.str.contains(pattern)).then(pl.lit(name)) for name, pattern in topics),
        pl.lit(None, pl.String),
    )


def topics_of(portfolio: Portfolio) -> tuple[str, ...] | None:
    """Return the topics that the portfolio's contacts speak of, in the order of the list; None
    without contacts.
    """
    if portfolio.contacts is None or portfolio.contacts.is_empty():
        return None
    given = set(
        portfolio.contacts.select(topic_of(pl.col("subject"))).to_series().drop_nulls().unique()
    )
    return tuple(name for name in every_topic() if name in given)
