"""The portal's page with 50,000 customers in Chromium: its size, how soon it is there, how long a filter takes.

    python -m benchmarks.portal [RUN] [--customers 50000] [--rounds 5]

The portal of RUN (without it: of a small simulated office, made first) is repeated until it has so many customers. The
page is opened `rounds` times in a warm browser; in the list *all* searches and a filter follow one another. Printed:
bytes a customer above the page without any; milliseconds to the first content, to the page that answers, and a filter.
Beside the clock stands the processor time of the page's own thread, which another program lengthens less.

Asked: at most 450 bytes a customer, first content in 1.5 s, answering in 3 s, a filter in 100 ms.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from akb.store.columns import page_block, script_json, taken
from benchmarks.serve import many, small_run
from tests.report.browser import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
READY = "document.documentElement?.dataset.ready"
TYPED = (
    "(() => { const s = document.querySelector('#search'); s.value = '%s'; s.dispatchEvent(new Event('input')); })()"
)
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def empty_size(page: str) -> int:
    """Return the bytes of a page without its customers: what it weighs before the first of them."""
    packed = page_block(page, "akb-columns")
    none = {name: taken(column, []) for name, column in packed.items()}
    return len(page.replace(script_json(packed), script_json(none), 1).encode())


def processor(browser: Browser) -> float:
    """Return the milliseconds of the processor that the page's own thread has had since it was opened."""
    found = browser.ask("Performance.getMetrics")["metrics"]
    return 1000 * float(next(each["value"] for each in found if each["name"] == "TaskDuration"))


def filters(browser: Browser) -> tuple[list[float], list[float]]:
    """Return milliseconds per filter: by the clock, and of the processor up to the rows on the screen."""
    worked = []
    browser.run("location.hash = '#list/all'")
    browser.wait("document.querySelector('.rows tbody tr')")
    browser.click("details.filter[data-name=kind] summary")
    browser.wait("document.querySelector('details.filter[data-name=kind] input')")
    actions = [TYPED % text for text in ("k-00", "k-000000000000", "k-0000000000001", "")]
    actions += ["document.querySelector(\"details.filter[data-name=kind] input[data-code='1']\").click()"] * 4
    for action in actions:
        before = processor(browser)
        browser.run(action)
        browser.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        worked.append(processor(browser) - before)
    clock = browser.run("performance.getEntriesByName('filter').map((each) => each.duration)")
    return clock, worked


def measure(page: Path, rounds: int) -> None:
    chromium = next(path for name in BROWSERS if (path := shutil.which(name)))
    painted, answering, clock, worked, opened = [], [], [], [], []
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(chromium, Path(profile))
        browser.ask("Performance.enable", timeDomain="threadTicks")
        for _ in range(rounds):
            browser.device(1280, 900)
            began = time.perf_counter()
            browser.open(page, READY)
            answering.append(float(browser.run("performance.getEntriesByName('ready')[0].duration")))
            painted.append(float(browser.run(PAINTED) or 1000 * (time.perf_counter() - began)))
            opened.append(processor(browser))  # counted anew on every page
            by_clock, by_processor = filters(browser)
            clock += by_clock
            worked += by_processor
        browser.close()
    for name, values in (
        ("first content", painted),
        ("answering", answering),
        ("  of which processor", opened),
        ("filter, clock", clock),
        ("filter, processor", worked),
    ):
        print(f"  {name:<22} median {statistics.median(values):7.1f} ms, most {max(values):7.1f} ms  ({len(values)})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        source = asked.run or small_run(Path(home))
        many(source, Path(home) / "many", asked.customers)
        page = Path(home) / "many" / "portal.html"
        size, base = page.stat().st_size, empty_size(page.read_text("utf-8"))
        print(
            f"{asked.customers:,} customers: {size / 1e6:.1f} MB, {(size - base) / asked.customers:.0f} bytes each "
            f"above {base / 1e3:.0f} kB"
        )
        measure(page, asked.rounds)


if __name__ == "__main__":
    main()
