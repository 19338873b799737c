"""The page of `akb serve`: the portal's own scripts and style, with another side (`shared.js` in
place of `browser.js`) and nothing of any client in it.

What it shows it asks for, once somebody has shown a token."""

from __future__ import annotations

from functools import cache
from typing import Any

from markupsafe import Markup

from akb.core.wording.text import texts
from akb.report.portal.document import WORDS
from akb.report.portal.page import SCRIPTS, asset, content_policy, page_template, style
from akb.store.columns import script_json

_OVER = {"page": "served_page", "dash": "served_dash"}
"""Words that are other ones where the state is shared."""
_ENTRY = "#entry { max-width: 32rem; }"


@cache
def served_page(language: str) -> tuple[bytes, str]:
    """Return the page in a language, and its content security policy."""
    tree = texts("portal", language)
    words: dict[str, Any] = {name: tree[name] for name in (*WORDS, "served")}
    words |= {name: {**tree[name], **tree[over]} for name, over in _OVER.items()}
    script, styles = _script(), f"{style()}\n{_ENTRY}"
    more = ("connect-src 'self'", "require-trusted-types-for 'script'")
    policy = content_policy(script, styles, *more)

    def text(key: str, **values: object) -> str:
        table, _, name = key.partition(".")
        return str(words[table][name]).format_map(values)

    page = page_template().render(
        t=text,
        lang=words["page"]["lang"],
        title=words["page"]["title"],
        client="",
        scope="",
        day="",
        named=False,
        policy=Markup(policy),
        blocks={"akb-words": Markup(script_json(words))},
        script=Markup(script),
        style=Markup(styles),
    )
    return (str(page).strip() + "\n").encode(), policy


def _script() -> str:
    """Return the entry, and behind it the portal's scripts, which begin when there is a token."""
    inside = "\n".join(asset(name) for name in ("shared.js", *SCRIPTS))
    return (
        f'(() => {{\n"use strict";\n{asset("entry.js")}\n'
        f"const start = () => {{\n{inside}\n}};\nbegin();\n}})();"
    )
