"""What advisers' feedback says together: per type, how far they agree, and who is left alone."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.core.proportions import interval
from akb.core.wording.text import load_toml
from akb.live.feedback.events import events_of, latest_statuses, recorded_contacts
from akb.store.feedback import KINDS, STATUSES

if TYPE_CHECKING:
    from datetime import date

    from akb.live.book import ClientBook

SCHEMA = "akb.feedback_figures/1"
SUBJECTS = {
    "clv": {"clv_too_high": "high", "clv_too_low": "low", "right": "right"},
    "churn": {"churn_too_high": "high", "churn_too_low": "low", "right": "right"},
}
"""What two advisers can agree on, and what each type says of it."""


def feedback_figures(book: ClientBook, today: date) -> dict[str, Any]:
    """Return the figures of every event in the book.

    Returns
    -------
    dict
        ``events``, ``customers``; ``types`` [{type, events, customers}] and ``statuses`` (the last
        of each customer) [{status, customers}]; ``agreement`` [{subject, pairs, agreed, share,
        interval}], pairs of advisers who judged the same customer in the same run (95 %);
        ``left_alone`` {contacted, gone}: customers kept off lists today. A share over under five
        pairs is None."""
    events = events_of(book)
    given = events.filter(pl.col("event") == "feedback")
    statuses = latest_statuses(events)
    return {
        "schema": SCHEMA,
        "events": events.height,
        "customers": events["customer"].n_unique(),
        "types": [
            {
                "type": kind,
                "events": given.filter(kind=kind).height,
                "customers": given.filter(kind=kind)["customer"].n_unique(),
            }
            for kind in KINDS
        ],
        "statuses": [
            {"status": status, "customers": statuses.filter(status=status).height}
            for status in STATUSES
        ],
        "agreement": [_agreement(given, subject) for subject in SUBJECTS],
        "left_alone": _left_alone(book, today),
    }


def _agreement(given: pl.DataFrame, subject: str) -> dict[str, Any]:
    """How often two advisers said the same of one customer in one run; each one's last word
    counts.
    """
    meant = SUBJECTS[subject]
    said = (
        given.filter(pl.col("kind").is_in(list(meant)) & (pl.col("by") != ""))
        .sort("recorded", "id")
        .unique(["run", "customer", "by"], keep="last", maintain_order=True)
        .with_columns(says=pl.col("kind").replace_strict(meant, return_dtype=pl.String))
    )
    pairs = agreed = 0
    for words in said.group_by("run", "customer").agg("says")["says"]:
        both = list(combinations(words.to_list(), 2))
        pairs += len(both)
        agreed += sum(one == other for one, other in both)
    enough = pairs >= 5
    return {
        "subject": subject,
        "pairs": pairs,
        "agreed": agreed if enough else None,
        "share": agreed / pairs if enough else None,
        "interval": list(interval(agreed, pairs, 1.96)) if enough else None,
    }


def _left_alone(book: ClientBook, today: date) -> dict[str, int]:
    recorded = recorded_contacts(book)
    since = today - timedelta(days=int(load_toml("service.toml")["contact"]["cooling_off_days"]))
    lately = (pl.col("date") > since) & (pl.col("date") <= today)
    return {
        "contacted": recorded.filter(lately)["customer"].n_unique(),
        "gone": recorded.filter("left")["customer"].n_unique(),
    }
