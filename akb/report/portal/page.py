"""``portal.html``: one file for advisers that asks nothing of anybody: no request, no inline
handler.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from akb.report.portal.document import document
from akb.store.columns import script_json

if TYPE_CHECKING:
    import polars as pl

    from akb.report.portal.facts import PortalFacts

PORTAL = "portal.html"
PER_OFFICE = "portal"
"""Folder of the pages per office."""
OFFICE = "office"
_HERE = Path(__file__).parent / "assets"
_TOKENS = Path(__file__).parent.parent / "assets" / "tokens.css"
SCRIPTS = (
    "data.js",
    "csv.js",
    "store.js",
    "dom.js",
    "list.js",
    "card.js",
    "dashboard.js",
    "main.js",
)
"""The page's scripts, after the one that says where its data and its store are."""
_OFFLINE = "browser.js"
_NAME = re.compile(r"[^a-z0-9]+")


def portal_files(facts: PortalFacts) -> dict[str, bytes]:
    """Return the page of everybody and, where the settings ask for it, one per office, by path in
    the run folder.
    """
    files = {PORTAL: render(facts, facts.people).encode()}
    if facts.context.bundle.settings.report.portal_by == OFFICE:
        files |= {
            name: render(facts, people, scope).encode() for name, scope, people in _offices(facts)
        }
    return files


def render(facts: PortalFacts, people: pl.DataFrame, scope: str = "") -> str:
    """Return the page of some customers."""
    blocks = {
        name: Markup(script_json(content))
        for name, content in document(facts, people, scope).items()
    }
    script = _script()
    policy = content_policy(script, style())
    words, client = facts.words, facts.context.bundle.settings.client.name
    page = page_template().render(
        t=words.text,
        lang=words.text("page.lang"),
        title=" · ".join(part for part in (words.text("page.title"), client, scope) if part),
        client=client,
        scope=scope,
        day=words.day(facts.context.as_of),
        named=facts.context.bundle.no_pseudonyms,
        policy=Markup(policy),
        blocks=blocks,
        script=Markup(script),
        style=Markup(style()),
    )
    return str(page).strip() + "\n"


def _offices(facts: PortalFacts) -> list[tuple[str, str, pl.DataFrame]]:
    """Return path, office and customers of every office that may be named; the others are together
    in one page.
    """
    out, taken = [], set[str]()
    for office in [*facts.people["office"].drop_nulls().unique().sort(), None]:
        mine = facts.people.filter(facts.people["office"].eq_missing(office))
        if mine.is_empty():
            continue
        shown = facts.words.text("page.other") if office is None else str(office)
        stem = _NAME.sub("-", shown.lower()).strip("-")[:40] or OFFICE
        name = next(
            f"{stem}{mark}"
            for mark in ("", *(f"-{n}" for n in range(2, 10_000)))
            if f"{stem}{mark}" not in taken
        )
        taken.add(name)
        out.append((f"{PER_OFFICE}/{name}.html", shown, mine))
    return out


def content_policy(script: str, styles: str, *more: str) -> str:
    """Return the policy of a page that runs its own script and style and asks nobody for anything,
    but for what `more` lets it.
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(styles)}'",
            "img-src data:",
            "font-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            *more,
        ]
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def asset(name: str) -> str:
    """Return a file of the page."""
    return (_HERE / name).read_text("utf-8").strip()


@cache
def _script() -> str:
    """Return the page's script: its files one after the other, in a scope of their own."""
    parts = "\n".join(asset(name) for name in (_OFFLINE, *SCRIPTS))
    return f'(() => {{\n"use strict";\n{parts}\n}})();'


@cache
def style() -> str:
    """Return the page's style."""
    return _TOKENS.read_text("utf-8").strip() + "\n" + asset("portal.css")


@cache
def page_template() -> Any:
    """Return the page's frame, for its blocks, script and style."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        lstrip_blocks=True,
    )
    return environment.get_template("portal.html.jinja")
