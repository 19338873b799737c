"""``report.html``: the facts of the report through small templates; escaped, self-contained, no
request of any kind.
"""

from __future__ import annotations

import base64
import json
import re
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import MAX_WBITS, decompress

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from akb.report import formats
from akb.report.chapters.case.whatif import whatif
from akb.report.chapters.registry import chapters
from akb.report.chapters.summary import figures as summary
from akb.report.chapters.summary import sentences
from akb.report.keyed import joined
from akb.report.page.figure import Maker
from akb.report.page.figures import drawn_by, headings
from akb.report.page.phrases import Phrases

if TYPE_CHECKING:
    from akb.report.model import ReportModel
    from akb.report.words import Words

SIZE_LIMIT = 3_000_000
# The whole script of Plotly's package is larger than the page may be; the small one is deflated,
# and its bytes are an asset, so that they are the same whatever compresses here.
PACKED = "plotly-basic.min.js.deflate"
_HERE = Path(__file__).parent
_REPORT = _HERE.parent
_FACES = (("Inter", "100 900"), ("Newsreader", "400 600"))
_SCRIPTS = ("unpack.js", "report.js", "planner.js", "case.js")
_STYLES = ("tokens.css", "page.css", "tables.css", "figures.css", "case.css", "print.css")
_FILTERS = {
    "cost": formats.cost,
    "hours": formats.hours,
    "number": formats.number,
    "rough": formats.rough,
    "percent": formats.percent,
    "euro": formats.euro,
    "euro_exact": formats.euro_exact,
    "day": formats.day,
}
# What a line may not be broken in, each with what holds it together; figures' JSON and scripts stay
# as they are.
_HELD = ((re.compile("−€"), "−\u2060€"), (re.compile(r"(?<=\d) (?=%)|(?<=€) (?=\d)"), "\u00a0"))
_SCRIPT = re.compile(r"(<script.*?</script>)", re.DOTALL)
_CSS_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def title(model: ReportModel, words: Words) -> str:
    """Return what the report is called."""
    if model.cover.title:
        return model.cover.title
    client = model.cover.client
    return words.plain("page.title_client", client=client) if client else words.plain("page.title")


@cache
def policy() -> Markup:
    """Return what the page may do: run its own scripts, by the hash of their bytes, and ask for
    nothing.
    """
    scripts = (script_of_figures(), *(_asset(name).encode() for name in _SCRIPTS))
    hashes = (base64.b64encode(sha256(script).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{each}'" for each in hashes)
    return Markup(
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        f"font-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def faces() -> Markup:
    """Return the embedded faces as CSS."""
    made = []
    for name, weights in _FACES:
        held = base64.b64encode(
            (_REPORT / "assets" / f"{name.lower()}.woff2").read_bytes()
        ).decode()
        source = f"src:url(data:font/woff2;base64,{held}) format('woff2')"
        made.append(
            f"@font-face{{font-family:{name};{source};font-weight:{weights};font-display:block}}"
        )
    return Markup("\n".join(made))


def plainly(text: str) -> str:
    """Return a text or markup as what it reads, for an attribute."""
    return text.striptags() if isinstance(text, Markup) else str(text)


class View:
    """The facts under the names that the templates call them."""

    def __init__(self, model: ReportModel) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        facts = self._model.facts
        return facts[name] if name in facts else getattr(self._model, name)


def render(model: ReportModel, words: Words) -> str:
    """Return the whole page.

    Raises
    ------
    ValueError
        If the page is larger than the contract allows: a programming error, everything on it is
        binned or cut.
    """
    maker = Maker(model.with_keys(), words)
    drawn = drawn_by(maker)
    phrases = Phrases(maker.model, words)
    page = (
        _environment()
        .get_template("base.html")
        .render(
            m=View(maker.model),
            t=words.html,
            plain=words.plain,
            raw=words.raw,
            name=words.name,
            span=words.span,
            count=words.count,
            words_table=words.table,
            terms=words.table("glossary"),
            chapters=chapters(),
            figures=drawn,
            headings=headings(maker),
            decided=partial(sentences.rows, maker, phrases),
            summary_sentences=partial(sentences.sentences, maker, phrases),
            headline=summary.shown,
            range_of=summary.range_of,
            strip=summary.strip,
            whatif=whatif(maker),
            title=title(model, words),
            lead=summary.lead(maker),
            policy=policy(),
            scripts=_SCRIPTS,
            faces=faces(),
            packed=packed(),
            plainly=plainly,
            together=partial(joined, between=", "),
            f=formats,
            asset=_asset,
            styles=_STYLES,
            as_json=as_json,
            css_text=css_text,
            slug=words.slug,
            **phrases.functions(),
        )
    )
    page = held_together(page.strip()) + "\n"
    size = len(page.encode())
    if size > SIZE_LIMIT:
        raise ValueError(f"report.html is {size:,} bytes, the contract allows {SIZE_LIMIT:,}")
    return page


def held_together(page: str) -> str:
    """Return the page with no line break possible between a number and its sign: ``−€``, ``€ 12``,
    ``90 %``.
    """
    parts = _SCRIPT.split(page)
    for place in range(0, len(parts), 2):
        for loose, held in _HELD:
            parts[place] = loose.sub(held, parts[place])
    return "".join(parts)


def as_json(value: Any) -> Markup:
    """Return a value as JSON that can stand in a script element: nothing in it can end the
    element.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def css_text(text: str) -> Markup:
    """Return text as a CSS string: everything but letters and digits as a code point."""
    return Markup('"' + "".join(c if c in _CSS_SAFE else f"\\{ord(c):06x}" for c in text) + '"')


def compile_templates() -> None:
    """Compile every template, so that a page is rendered without delay."""
    environment = _environment()
    for name in environment.list_templates(extensions=["html"]):  # modules stand beside them
        environment.get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([_HERE, _REPORT / "chapters"]),
        autoescape=True,
        undefined=StrictUndefined,
        lstrip_blocks=True,
    )
    environment.filters.update(_FILTERS)
    return environment


@cache
def script_version() -> str:
    """Return the version of the script that draws the figures, as it says itself."""
    match = re.search(rb"plotly\.js \([^)]*\) v(\d+\.\d+\.\d+)", script_of_figures()[:300])
    return match.group(1).decode() if match else ""


@cache
def script_of_figures() -> bytes:
    """Return the script that draws the figures, as it will run."""
    return decompress((_REPORT / "assets" / PACKED).read_bytes(), wbits=-MAX_WBITS)


def packed() -> Markup:
    """Return the deflated script of figures as base64, and what it unpacks to in bytes."""
    held = base64.b64encode((_REPORT / "assets" / PACKED).read_bytes()).decode()
    size = len(script_of_figures())
    return Markup(f'<script type="text/plain" id="packed" data-size="{size}">{held}</script>')


def _asset(name: str) -> Markup:
    return Markup((_REPORT / "assets" / name).read_text("utf-8"))
