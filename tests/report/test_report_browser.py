"""The page in Chromium: figures drawn, nothing fetched, no error in the console."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
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


def opened(chromium: str, page: Path, profile: Path) -> tuple[str, list[str]]:
    """Return the page as the browser built it, and what it wrote to the console."""
    done = subprocess.run(
        [chromium, *QUIET, f"--user-data-dir={profile}", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    return done.stdout, CONSOLE.findall(done.stderr)


@pytest.mark.parametrize("name", ["full", "no_ended"])
def test_the_report_draws_its_figures_without_an_error(chromium: str, tmp_path: Path, name: str) -> None:
    bundle = fixtures.full() if name == "full" else fixtures.poor()[name]
    page = tmp_path / "report.html"
    page.write_bytes(report_files(bundle)[0]["report.html"])
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
    content = report_files(fixtures.poor()["no_ended"])[0]["report.html"].decode()
    page = tmp_path / "report.html"
    page.write_text(content.replace("<main>", '<main><img src="https://example.invalid/x.png">'), "utf-8")
    _, console = opened(chromium, page, tmp_path / "profile")
    assert any("Content Security Policy" in line for line in console)
