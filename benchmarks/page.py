"""How far the rows of the page are off: the case on them against the full plan, at random settings of the sliders.

    python -m benchmarks.page [RUN] [--settings 50] [--rows 3200]

RUN is a finished run; without it a simulated office of 16,000 customers is read, which does not fit the page. Settings
are drawn from the ranges of the register (hours from nothing to their high end), six in ten of them at a time.

Printed: the benefit of one year's contacts on the page's rows over that of the full plan, less one: mean size, the
largest, and how many beyond 1 %; the same for cash of five years and for the later years of a plan; seconds to make the
rows.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from akb.cli import run
from akb.rerun import settings_of, things_kept
from akb.sample import simulate, write_sample
from akb.value.case.case import case_basis, cash
from akb.value.case.page import bins, block
from akb.value.case.page.worked import page_case
from akb.value.case.sensitivity import Draws
from akb.value.valuation import valuation

if TYPE_CHECKING:
    from akb.config import Settings
    from akb.value.case.basis import CaseBasis
    from akb.value.valuation import Valuation

CUSTOMERS = 16_000
CLOSE = 0.01


def drawn(register: dict[str, Any], rng: np.random.Generator) -> dict[str, float]:
    """Return other values of some assumptions."""
    out = {}
    for name, entry in register.items():
        low = 0.0 if name.startswith("capacity.") else entry["low"]
        if rng.random() < 0.6:
            out[name] = float(rng.uniform(low, entry["high"]))
    return out


def full(kept: dict[str, Any], settings: Settings) -> tuple[Valuation, CaseBasis]:
    valued = valuation(kept["portfolio"], kept["models"], settings, say=lambda _: None, earned=False)
    return valued, case_basis(valued)


def compare(folder: Path, count: int, rows: int) -> None:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    kept = things_kept(folder, only=("portfolio", "models"), without=("reasons",))
    valued, basis = full(kept, settings_of(manifest, {}))
    bins.MOST_ROWS = rows
    block.bins_of = lambda plan: bins.bins_of(plan, rows)
    begun = time.perf_counter()
    page = block.page_basis(valued, Draws(basis, 1))
    seconds = time.perf_counter() - begun
    print(f"{page['customers']:,} customers in force, {page['count']:,} rows, exact: {page['exact']}, {seconds:.1f} s")
    rng = np.random.default_rng(8)
    off: dict[str, list[float]] = {"benefit": [], "later": [], "cash": []}
    for _ in range(count):
        settings = settings_of(manifest, drawn(page["register"], rng))
        _, whole = full(kept, settings)
        mine = page_case(page, settings)
        pairs = {
            "benefit": (mine.basis.cohort.benefit, whole.cohort.benefit),
            "later": (mine.basis.later[0].benefit, whole.later[0].benefit),
            "cash": (sum(row.benefit for row in mine.cash), sum(row.benefit for row in cash(whole))),
        }
        for name, (here, there) in pairs.items():
            off[name].append(here / there - 1 if there else float(here != 0))
    for name, sizes in off.items():
        size = np.abs(sizes)
        print(
            f"{name:8} mean {size.mean():.3%}  largest {size.max():.3%}  beyond 1 %: {(size > CLOSE).sum()} of {count}"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--settings", type=int, default=50)
    parser.add_argument("--rows", type=int, default=bins.MOST_ROWS)
    given = parser.parse_args()
    if given.run:
        compare(given.run, given.settings, given.rows)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_sample(simulate(CUSTOMERS, seed=3), folder / "office", truth=False)
        files = [str(folder / "office" / name) for name in ("polissen.csv", "schades.csv", "contacten.csv")]
        assert run(["eda", *files, "--out", str(folder / "run"), "--key", str(folder / "key"), "--quiet"]) == 0
        compare(folder / "run", given.settings, given.rows)


if __name__ == "__main__":
    main()
