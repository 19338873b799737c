"""The page in Chromium: figures drawn, nothing fetched, no error in the console."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from akb.report.write import report_files
from tests.report import fixtures

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=4000",
)  # fmt: skip
CONSOLE = re.compile(r"CONSOLE[^\"]*\"(.*)\"")


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        message = "no Chromium on this machine: the report was not opened in a browser"
        if os.environ.get("AKB_BROWSER") == "required":
            pytest.fail(message)
        pytest.skip(message)
    return found


@cache
def rendered(name: str) -> bytes:
    bundle = fixtures.full() if name == "full" else fixtures.poor()[name]
    return report_files(bundle)[0]["report.html"]


LOCAL = "--allow-file-access-from-files"  # a page may look into its own frame


def opened(chromium: str, page: Path, profile: Path, *more: str) -> tuple[str, list[str]]:
    """Return the page as the browser built it, and what it wrote to the console."""
    done = subprocess.run(
        [chromium, *QUIET, *more, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    return done.stdout, CONSOLE.findall(done.stderr)


@pytest.mark.parametrize("name", ["full", "no_ended"])
def test_the_report_draws_its_figures_without_an_error(chromium: str, tmp_path: Path, name: str) -> None:
    page = tmp_path / "report.html"
    page.write_bytes(rendered(name))
    dom, console = opened(chromium, page, tmp_path / "profile")
    assert console == []
    figures = re.findall(r'data-plot="plot-(\w+)"', dom)
    assert len(figures) >= (13 if name == "full" else 1)
    assert f'data-drawn="{len(figures)}"' in dom
    for figure in figures:
        drawn = dom.split(f'id="plot-{figure}"')[1].split("</figure>")[0]
        assert '<svg class="main-svg"' in drawn, figure
        assert "@" not in re.sub(r"<text[^>]*>.*?</text>", "", drawn), f"{figure}: a colour role is left"


def test_the_policy_blocks_requests_and_the_test_would_see_it(chromium: str, tmp_path: Path) -> None:
    """A control: with a picture from elsewhere in the page, the console must complain."""
    content = rendered("no_ended").decode()
    page = tmp_path / "report.html"
    page.write_text(content.replace("<main>", '<main><img src="https://example.invalid/x.png">'), "utf-8")
    _, console = opened(chromium, page, tmp_path / "profile")
    assert any("Content Security Policy" in line for line in console)


PROBE = """<script>addEventListener("load", () => setTimeout(() => {
  const seen = document.querySelector("iframe").contentDocument, root = seen.documentElement;
  const wide = [...seen.querySelectorAll("main *")].filter((e) => !e.closest(".scroll, svg, details:not([open])")
    && e.getBoundingClientRect().right > root.clientWidth + 1).map((e) => e.tagName + "." + e.className);
  const cut = [...seen.querySelectorAll(".plot")].flatMap((p) => [...p.querySelectorAll(".annotation-text")]
    .filter((e) => e.getBoundingClientRect().right > p.getBoundingClientRect().right + 1)
    .map((e) => p.id + " " + e.textContent));
  document.body.dataset.cut = [seen.querySelectorAll(".annotation-text").length, ...cut.slice(0, 3)].join("; ");
  const own = [...seen.querySelectorAll(".scroll")].filter((e) => e.scrollWidth > e.clientWidth).length;
  document.body.dataset.probe = [root.clientWidth, root.scrollWidth, own, wide.slice(0, 5)].join(" ");
}, 500))</script>"""


def test_on_a_phone_nothing_is_wider_than_the_screen(chromium: str, tmp_path: Path) -> None:
    """A window of Chromium is never narrower than 500 px, so that the page stands in a frame of 390."""
    content = rendered("full").decode()
    page = tmp_path / "report.html"
    page.write_text(content.replace("<details", "<details open"), "utf-8")
    frame = tmp_path / "frame.html"
    frame.write_text(f'<body><iframe src="report.html" width="390" height="800"></iframe>{PROBE}</body>', "utf-8")
    seen = opened(chromium, frame, tmp_path / "profile", LOCAL)[0]
    found = re.search(r'data-probe="(\d+) (\d+) (\d+) ([^"]*)"', seen)
    labels = re.search(r'data-cut="(\d+)([^"]*)"', seen)
    assert found is not None
    assert labels is not None
    width, scroll, boxes, wide = int(found[1]), int(found[2]), int(found[3]), found[4]
    assert 300 < width <= 390
    assert (scroll, wide) == (width, "")
    assert boxes <= 2  # rows are cards; what has cells over columns scrolls in a box of its own
    assert int(labels[1]) > 50
    assert labels[2] == ""  # no figure writes past its edge
