"""Report and portal under axe: nothing that keeps a reader out, in both languages and both themes."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files as package
from typing import TYPE_CHECKING, Any

import pytest

from akb.report.write import report_files
from tests.report import fixtures
from tests.report.browser import Browser
from tests.report.test_report_browser import chromium  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")
PLACES = ("#dashboard", "#list/next_best_action", "#customer/3")
READY = "document.documentElement?.dataset.ready"
ASKED = """axe.run(document, { runOnly: { type: "tag", values: %s }, resultTypes: ["violations"] }).then((found) =>
  found.violations.flatMap(({ id, nodes }) => nodes.map((at) => `${id}: ${at.target} ${at.html.slice(0, 120)}`)))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, full = tmp_path_factory.mktemp("pages"), fixtures.with_plan(fixtures.full())
    for language in ("nl", "en"):
        asked = full.settings.report.model_copy(update={"language": language})
        bundle = replace(full, settings=full.settings.model_copy(update={"report": asked}))
        made = report_files(bundle)[0]
        (folder / f"report-{language}.html").write_bytes(made["report.html"])
        (folder / f"portal-{language}.html").write_bytes(made["portal.html"])
    return folder


@pytest.fixture(scope="module")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:  # noqa: F811
    made = Browser(chromium, tmp_path_factory.mktemp("profile"))
    made.ask("Page.setBypassCSP", enabled=True)  # the page lets no script in but its own
    yield made
    made.close()


def found(browser: Browser) -> list[str]:
    """Return what axe finds on the page as it stands."""
    browser.run(f"{(package('axe_core_python') / 'axe.min.js').read_text('utf-8')};0")
    told: list[str] = browser.run(ASKED % json.dumps(RULES))
    return told


def look(browser: Browser, page: Path, *, dark: bool, phone: bool = False) -> None:
    browser.device(390 if phone else 1280, 900, dark=dark, phone=phone)
    browser.open(page)


@pytest.mark.parametrize(
    ("language", "dark"),
    [
        pytest.param("nl", False, id="nl-light"),
        pytest.param("en", True, id="en-dark"),
        pytest.param("nl", True, id="nl-dark", marks=pytest.mark.slow),
        pytest.param("en", False, id="en-light", marks=pytest.mark.slow),
    ],
)
def test_the_report_keeps_nobody_out(browser: Browser, pages: Path, language: str, dark: bool) -> None:
    look(browser, pages / f"report-{language}.html", dark=dark)
    browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.run("document.documentElement.lang") == language
    assert found(browser) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["nl", "en"])
def test_the_portal_keeps_nobody_out(browser: Browser, pages: Path, language: str, dark: bool) -> None:
    look(browser, pages / f"portal-{language}.html", dark=dark)
    browser.wait(READY)
    for place in PLACES:
        browser.run(f"location.hash = {json.dumps(place)}")
        browser.wait(f"location.hash === {json.dumps(place)} && document.querySelector('#menu a[aria-current]')")
        assert found(browser) == [], place


def test_on_a_phone_a_row_is_a_card_and_nothing_sticks_out(browser: Browser, pages: Path) -> None:
    look(browser, pages / "report-nl.html", dark=False, phone=True)
    browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.run("document.documentElement.scrollWidth") <= 390
    outside: Any = browser.run(
        "[...document.querySelectorAll('main th, main td, main p, main h3')].filter((e) => e.offsetParent &&"
        " e.getBoundingClientRect().right > 391).map((e) => e.textContent.trim().slice(0, 60))"
    )
    assert outside == []
    assert browser.run("getComputedStyle(document.querySelector('#assumptions tbody tr')).display") == "block"
    assert found(browser) == []


def test_axe_sees_what_is_wrong(browser: Browser, pages: Path) -> None:
    """A control: a picture without a text and a pale line are found."""
    look(browser, pages / "report-en.html", dark=False)
    browser.run("""document.querySelector("main").insertAdjacentHTML("afterbegin",
        '<img src="data:,"><p style="color:#ccc;background:#fff">pale</p>')""")
    rules: set[Any] = {each.split(":")[0] for each in found(browser)}
    assert {"image-alt", "color-contrast"} <= rules
