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
_SCRIPTS = (
    "data.js",
    "csv.js",
    "store.js",
    "dom.js",
    "list.js",
    "card.js",
    "dashboard.js",
    "main.js",
)
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
    script, style = _script(), _style()
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "img-src data:",
            "font-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    words, client = facts.words, facts.context.bundle.settings.client.name
    page = _template().render(
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
        style=Markup(style),
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


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _script() -> str:
    """Return the page's script: its files one after the other, in a scope of their own."""
    parts = "\n".join((_HERE / name).read_text("utf-8").strip() for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();'


@cache
def _style() -> str:
    return (
        _TOKENS.read_text("utf-8").strip()
        + "\n"
        + (_HERE / "portal.css").read_text("utf-8").strip()
    )


@cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        lstrip_blocks=True,
    )
    return environment.get_template("portal.html.jinja")
