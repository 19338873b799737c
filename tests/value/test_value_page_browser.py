"""The page's own planner in Chromium: the same plans, cases, cash and tornadoes as the planner of a run.

Fifty settings in ``make test``, two hundred in ``make bench``."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import page_vectors as v
import pytest

from akb.commands.case import switched_off
from akb.config import load_settings
from akb.report.formats import euro
from akb.report.write import report_files
from akb.value.case.case import business_case
from tests.examples import examples
from tests.report import fixtures
from tests.report.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SCRIPT = Path(__file__).resolve().parents[2] / "akb" / "report" / "assets" / "planner.js"
VECTORS = examples(30)
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        message = "no Chromium on this machine: the page's planner was not run"
        pytest.fail(message) if os.environ.get("AKB_BROWSER") == "required" else pytest.skip(message)
    running = Browser(found, tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


def worked(browser: Browser, folder: Path, rows: dict[str, Any], asked: list[Any]) -> list[dict[str, Any]]:
    page = folder / "planner.html"
    page.write_text(f"<!doctype html><script>{SCRIPT.read_text('utf-8')}</script>", "utf-8")
    browser.open(page)
    browser.run(f"window.rows = akbPlanner.read({json.dumps(rows)}); 0")
    out = browser.run(f"{json.dumps(asked)}.map(([values, off]) => akbPlanner.worked(rows, values, off))")
    return list(out)


def close(mine: float, other: float) -> bool:
    """To a cent in whole euros of tens of thousands; the tornado and options of a run are whole cents."""
    return abs(mine - other) <= max(1e-7 * abs(other), 1.01)


@pytest.mark.parametrize("most", [4000, 90], ids=["everybody", "bins"])
def test_page_and_python_pass_the_same_vectors(browser: Browser, tmp_path: Path, most: int) -> None:
    rows = v.page_block(most=most)
    asked = v.drawn_settings(VECTORS if most > 1000 else 20)
    bound = 0
    for (values, off), page in zip(asked, worked(browser, tmp_path, rows, asked), strict=True):
        told = v.told(rows, values, off)
        where = (values, off)
        bound += any(told["hour_price"].values())
        for name in ("benefit", "contacts"):
            assert close(page[name], told[name]) or name == "contacts", (name, where)
        for line, cents in told["lines"].items():
            assert close(page["lines"][line]["base"], cents), (line, where)
        assert close(page["net"]["base"], told["net"][1]), where
        types: dict[str, float] = {}
        for each in page["plan"]:
            types[each["key"]] = types.get(each["key"], 0.0) + each["customers"]
        assert types == pytest.approx(told["customers"], abs=1e-6, rel=1e-6), where
        for pool, hours in told["hours"].items():
            assert page["hours"][pool]["used"] == pytest.approx(hours, abs=1e-6, rel=1e-6), (pool, where)
            assert page["hours"][pool]["price"] == pytest.approx(told["hour_price"][pool], abs=1, rel=1e-4), where
        for mine, other in zip(page["cash"], told["cash"], strict=True):
            assert close(mine["net"], other), where
        assert close(page["running"]["net"], told["running"]), where
        assert (page["payback"], close(page["deepest"], told["deepest"])) == (told["payback"], True), where
        for mine, other in zip(page["options"], told["options"], strict=True):
            assert close(mine["base"], other[1]), where
        swings = {row["key"]: [row["low"], row["high"]] for row in page["tornado"]}
        assert swings.keys() == told["tornado"].keys(), where
        for key, (low, high) in told["tornado"].items():
            assert close(swings[key][0], low), (key, where)
            assert close(swings[key][1], high), (key, where)
        assert page["band"]["above"] == pytest.approx(told["above"], abs=0.004), where
    assert 0.2 * len(asked) < bound < 0.9 * len(asked)  # hours that suffice, and hours that do not


MOVE = """(() => { const knob = document.querySelector('[data-name="%s"]'); knob.value = %s;
knob.dispatchEvent(new Event("input")); })()"""
NEAR = "document.querySelector('.whatif').scrollIntoView({behavior: 'instant'})"


def moved(page: Browser, name: str, value: float) -> float:
    """Move a slider and return the net that comes of it, cents."""
    count = page.run("+document.getElementById('whatif').dataset.count")
    page.run(MOVE % (name, value))
    page.wait(f"+document.getElementById('whatif').dataset.count > {count}")
    return float(page.run("+document.getElementById('whatif').dataset.net"))


def press(page: Browser, selector: str) -> None:
    page.run(
        f"document.querySelector({json.dumps(selector)}).click()"
    )  # the page scrolls softly: no mouse would hit it


@pytest.fixture(scope="module")
def report() -> bytes:
    """The report of a fabricated run with a real business case."""
    full = fixtures.full()
    assert full.value is not None
    made = replace(full, value=replace(full.value, case=business_case(v.valued())))
    return report_files(made)[0]["report.html"]


@pytest.fixture
def page(browser: Browser, report: bytes, tmp_path: Path) -> Iterator[Browser]:
    """That report, opened; nothing may be said, refused or asked for."""
    (tmp_path / "report.html").write_bytes(report)
    browser.device(1280, 900)
    browser.open(tmp_path / "report.html", "document.documentElement?.dataset.drawn")
    browser.run(NEAR)
    browser.wait("document.getElementById('whatif').dataset.ready !== undefined")
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == []


def test_a_slider_gives_what_the_planner_gives_and_reset_gives_the_report(page: Browser) -> None:
    case = business_case(v.valued())
    assert case is not None
    reported = euro(case.cohort.net.base).replace("\u2060", "")
    net = "[data-test=whatif-net]"
    assert page.text(net) == reported
    for name, value in (
        ("contacts.call.minutes", 9.0),
        ("capacity.hours_per_year_inside", 1.0),
        ("price.per_customer", 2.0),
    ):
        found = moved(page, name, value)
        told = v.told(v.page_block(), {name: value}, [])
        assert found == pytest.approx(told["net"][1], abs=1.01)
        assert page.text(net) == euro(round(told["net"][1])).replace("\u2060", "") != reported
        press(page, "[data-do=reset]")
        page.wait(f"document.querySelector('{net}').innerText === {json.dumps(reported)}")


def test_the_chosen_assumptions_are_a_file_for_akb_case(page: Browser, tmp_path: Path) -> None:
    page.downloads_to(tmp_path)
    moved(page, "contacts.call.effect_relation", 0.2)
    press(page, "[data-type=review]")
    press(page, "[data-do=export]")
    file = tmp_path / "akb-case.toml"
    until = 200
    while not file.exists() and (until := until - 1):
        page.run("new Promise((done) => setTimeout(done, 50))")
    given = tomllib.loads(file.read_text("utf-8"))
    assert given == {"assumptions": {"contacts.call.effect_relation": 0.2}, "contacts": {"review": {"enabled": False}}}
    assert switched_off(load_settings(file), v.settings_with({}, []).assumed(), "") == ("review",)


def test_a_price_that_is_agreed_is_shown_as_a_choice(page: Browser) -> None:
    rows = page.run("[...document.querySelectorAll('.swing')].map((each) => [each.dataset.key, each.className])")
    assert ["price.per_customer", "swing choice"] in rows
    assert any(kind == "swing" for _, kind in rows)
    assert "keuze" in page.text(".swing.choice")


def test_on_paper_and_without_scripts_the_chapter_tells_the_base(
    browser: Browser, tmp_path: Path, page: Browser
) -> None:
    browser.ask("Emulation.setEmulatedMedia", media="print")
    assert browser.run("getComputedStyle(document.querySelector('.whatif')).display") == "none"
    browser.ask("Emulation.setEmulatedMedia", media="")
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    browser.ask("Page.reload")
    try:
        browser.wait("document.querySelector('#case table')")
        assert "akb case" in browser.text(".whatif noscript")
        assert browser.run("document.querySelector('#whatif').children.length") == 0
    finally:
        browser.ask("Emulation.setScriptExecutionDisabled", value=False)
