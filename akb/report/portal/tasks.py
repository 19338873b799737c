"""``actions/tasks.csv``: one row per customer with whom the office begins a contact.

Who, what, why, before when, whose customer and who does it, in neutral words: a customer may ask to
see it. Who is left alone by lot, objects, has cancelled or calls himself has no row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.wording.text import texts
from akb.report.files.tables import dutch_table, in_words, rows_in_words
from akb.report.portal import work
from akb.report.portal.book import action_sentences
from akb.report.portal.document import worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from akb.report.portal.facts import PortalFacts

TASKS = "tasks"
LISTS = (work.TODO, work.MESSAGES)
"""Lists of which the rows are tasks, in their order."""
COLUMNS = (
    "customer", "rank", "list", "kind", "subject", "why", "branch", "before", "adviser", "done_by",
    "level", "office",
)  # fmt: skip


def task_table(facts: PortalFacts) -> pl.DataFrame:
    """Return the tasks, what comes first first, each customer once; `COLUMNS`."""
    words = facts.words
    names: dict[str, str] = texts(TASKS, facts.language)["kind"]
    listed = pl.concat([facts.lists[name].with_columns(list=pl.lit(name)) for name in LISTS]).join(
        facts.people.drop("rank", strict=False), on="customer", how="left", maintain_order="left"
    )
    begun = listed.filter(pl.col("stop").is_null()).unique(
        "customer", keep="first", maintain_order=True
    )

    def kind(action: str | None) -> str:
        return names.get(str(action), str(action or ""))

    def spoken(column: str, word: Callable[[Any], Any]) -> pl.Series:
        return in_words(begun[column], lambda key: word(key) if key else None)

    return begun.select(
        pl.col("shown").alias("customer"),
        pl.int_range(1, pl.len() + 1).alias("rank"),
        "list",
        rows_in_words(begun.select("action"), kind).alias("kind"),
        action_sentences(facts, begun, kind).alias("subject"),
        facts.why.sentences(begun["customer"], words).alias("why"),
        spoken("branch", words.branch),
        (pl.lit(facts.context.as_of) + pl.duration(days=pl.col("before"))).alias("before"),
        "adviser",
        spoken("done_by", lambda name: worker(facts, name) or None),
        spoken("done_level", lambda key: words.name("level", key)).alias("level"),
        "office",
    )


def tasks_csv(facts: PortalFacts) -> bytes:
    """Return the tasks for Dutch Excel, in the language of the report; headings at least."""
    head: dict[str, str] = texts(TASKS, facts.language)["head"]
    return dutch_table([head[name] for name in COLUMNS], task_table(facts).select(COLUMNS))
