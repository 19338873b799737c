"""A book with one run of a portal, as `akb serve` reads it: no models, no export."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl

from akb.live.book import ClientBook, open_book
from akb.live.registry import record_run
from akb.live.serving.people import Invitation, add_person
from akb.report.context import Context
from akb.report.portal import PortalFacts, portal_facts
from akb.report.portal.page import render
from akb.store import columns
from tests.report import fixtures

if TYPE_CHECKING:
    from pathlib import Path

NORTH, WEST, HOSTILE = "Noord", "West", fixtures.HOSTILE
PORT = 8321


@cache
def facts() -> PortalFacts:
    return portal_facts(Context(fixtures.with_plan(fixtures.full())))


@cache
def page() -> str:
    return render(facts(), facts().people)


def office_of() -> dict[str, str]:
    return dict(facts().people.select("shown", "office").iter_rows())


def relation_of() -> dict[str, str]:
    return dict(facts().context.bundle.portfolio.customers.select("pseudonym", "relation").iter_rows())


def customers(office: str) -> list[str]:
    return [name for name, where in office_of().items() if where == office]


def put_run(book: ClientBook, name: str, *, run: str = "", as_of: str = "2025-12-31") -> Path:
    """Put a run into the book; under another name of run its page says so too."""
    folder = book.runs / name
    (folder / "private").mkdir(parents=True)
    made = facts().run
    content = page().replace(made, run) if run else page()
    (folder / "portal.html").write_text(content, "utf-8")
    manifest = {"schema": "akb.manifest/1", "run": run or made, "as_of": as_of, "pseudonyms": True}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    pl.DataFrame({"customer": list(relation_of()), "relation": list(relation_of().values())}).write_csv(
        folder / "private" / "customers.csv"
    )
    record_run(book, folder)
    return folder


def made_book(folder: Path) -> ClientBook:
    book = open_book(folder)
    put_run(book, "2025-12-31-eda")
    return book


def token(book: ClientBook, name: str, *offices: str | None, **given: Any) -> str:
    """Let somebody in: an adviser of offices, a manager without them."""
    role = "adviser" if offices else "manager"
    return add_person(book, Invitation(name, role, offices or None, **given))


def columns_of(packed: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: columns.unpacked(column) for name, column in packed.items()}
