"""The page's own planner in Chromium: the same plans, cases, cash and tornadoes as the planner of a run.

Fifty settings in ``make test``, two hundred in ``make bench``."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import page_vectors as v
import pytest

from tests.examples import examples
from tests.report.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SCRIPT = Path(__file__).resolve().parents[2] / "akb" / "report" / "assets" / "planner.js"
VECTORS = examples(50)
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
    asked = v.drawn_settings(VECTORS if most == 4000 else 20)
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
