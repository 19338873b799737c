"""The report on A4: as long as a board reads, at its own size, no figure or table torn apart."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest

from tests.report.browser import Browser
from tests.report.test_report_browser import chromium  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MAIN, WHOLE = 20, 45
PAPER = 658  # px: A4 less two margins of 18 mm; what is wider makes Chromium print the whole page smaller
DRAWN = "document.documentElement.dataset.drawn"
WIDE = """[...document.querySelectorAll("main *")].filter((e) => !e.closest("svg")
  && e.getBoundingClientRect().right > %d).map((e) => (e.closest("section") || {}).id + " " + e.tagName)"""
TURNED = """[...document.querySelectorAll(".xtick text")].filter((e) =>
  /rotate\\((?!0[,)])/.test(e.getAttribute("transform"))).map((e) => e.closest(".plot").id)"""


@pytest.fixture(scope="module")
def printed(chromium: str, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:  # noqa: F811
    """The report of a run, laid out as it is for paper."""
    made = Browser(chromium, tmp_path_factory.mktemp("profile"))
    made.device(PAPER, 1000)
    made.open(finished / "report.html")
    made.wait(DRAWN)
    yield made
    made.close()


def pages(browser: Browser) -> int:
    """Return how many pages Chromium prints."""
    made = base64.b64decode(browser.ask("Page.printToPDF", preferCSSPageSize=True)["data"])
    return len(re.findall(rb"/Type\s*/Page\b", made))


def test_the_main_text_is_twenty_pages_and_the_whole_forty_five(printed: Browser) -> None:
    whole = pages(printed)
    printed.run("document.head.insertAdjacentHTML('beforeend', '<style id=only>.annex{display:none}</style>')")
    main = pages(printed)
    printed.run("document.getElementById('only').remove()")
    assert 10 < main <= MAIN
    assert main + 10 < whole <= WHOLE


def test_nothing_is_wider_than_the_paper_and_no_axis_is_turned(printed: Browser) -> None:
    printed.run("dispatchEvent(new Event('beforeprint'))")
    printed.ask("Emulation.setEmulatedMedia", media="print")
    assert printed.run(WIDE % (PAPER + 1)) == []
    assert printed.run("document.documentElement.scrollWidth") <= PAPER
    assert printed.run(TURNED) == []
    printed.run("Plotly.relayout(document.querySelector('.plot'), {'xaxis.tickangle': 30}); 0")
    assert printed.run(TURNED) != []  # a control: it would be seen
    assert printed.run("parseFloat(getComputedStyle(document.querySelector('.note')).fontSize) < "
                       "parseFloat(getComputedStyle(document.body).fontSize)")  # fmt: skip
