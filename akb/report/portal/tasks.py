"""``actions/tasks.csv``: one row per customer with whom the office begins a contact.

Who, what, why, before when, whose customer and who does it, in neutral words: a customer may ask to
see it. Who is left alone by lot, objects, has cancelled or calls himself has no row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.wording.text import texts
from akb.report.files.tables import dutch_cell, dutch_csv
from akb.report.portal import work
from akb.report.portal.book import action_sentence
from akb.report.portal.document import worker
from akb.report.portal.holdings import day_after

if TYPE_CHECKING:
    from akb.report.portal.facts import PortalFacts

TASKS = "tasks"
LISTS = (work.TODO, work.MESSAGES)
"""Lists of which the rows are tasks, in their order."""
COLUMNS = (
    "customer", "rank", "list", "kind", "subject", "why", "branch", "before", "adviser", "done_by",
    "level", "office",
)  # fmt: skip


def task_rows(facts: PortalFacts) -> list[dict[str, Any]]:
    """Return the tasks, what comes first first, each customer once; keys of `COLUMNS`."""
    words, seen = facts.words, set[int]()
    rows: list[dict[str, Any]] = []
    names: dict[str, str] = texts(TASKS, facts.language)["kind"]
    for name in LISTS:
        listed = facts.lists[name].join(
            facts.people.drop("rank", strict=False),
            on="customer",
            how="left",
            maintain_order="left",
        )
        for row in listed.filter(pl.col("stop").is_null()).iter_rows(named=True):
            if row["customer"] in seen:
                continue
            seen.add(row["customer"])
            kind = names.get(row["action"], str(row["action"] or ""))
            rows.append(
                {
                    "customer": row["shown"],
                    "rank": len(rows) + 1,
                    "list": name,
                    "kind": kind,
                    "subject": action_sentence(facts, row, kind),
                    "why": facts.why.sentence(row["customer"], words),
                    "branch": words.branch(row["branch"]) if row["branch"] else None,
                    "before": None if row["before"] is None
                    else day_after(facts.context, row["before"]),
                    "adviser": row["adviser"],
                    "done_by": worker(facts, row["done_by"]) or None,
                    "level": words.name("level", row["done_level"]) if row["done_level"] else None,
                    "office": row["office"],
                }
            )  # fmt: skip
    return rows


def tasks_csv(facts: PortalFacts) -> bytes:
    """Return the tasks for Dutch Excel; headings at least."""
    head: dict[str, str] = texts(TASKS, facts.language)["head"]
    rows = ([dutch_cell(row[name]) for name in COLUMNS] for row in task_rows(facts))
    return dutch_csv([head[name] for name in COLUMNS], rows)
