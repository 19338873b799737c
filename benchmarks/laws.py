"""The laws of the business case on random settings of a finished run: ``python -m benchmarks.laws RUN [--settings N]``.

Each of N settings draws every assumption of the plan within its range. Then one thing at a time gets better (an effect,
a pool's hours, the share of customers that may be contacted) or cheaper (minutes, costs, rates, the price), and the net
of one year's contacts may not fall by more than a cent.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from akb.config import Assumption, Settings
    from akb.ingest.types import Portfolio
    from akb.models.types import ModelRun

BETTER = ("effect_", "hours_per_year_")
CHEAPER = (".minutes", ".cost", ".sale_minutes", ".follow_up", "price.per_customer", "cost.rate_")
FEWER = ("experiment.control_share",)
CENT = 1


def directions(register: dict[str, Assumption]) -> dict[str, int]:
    """Return assumption -> +1 where more may not lower the net, -1 where less may not."""
    out = {}
    for name in sorted(register):
        if name.startswith("cost.") and "rate_" not in name:
            continue
        if name.startswith("contact."):  # of the case before contact types were data
            continue
        if any(part in name for part in BETTER):
            out[name] = 1
        elif any(part in name for part in CHEAPER) or name in FEWER:
            out[name] = -1
    return out


def net_of(portfolio: Portfolio, models: ModelRun, settings: Settings, values: dict[str, float]) -> int:
    """Return the net of one year's contacts at these values, cents."""
    from akb.value import case_alone

    changed = settings.model_copy(update={"assumptions": {**settings.assumptions, **values}})
    case = case_alone(portfolio, models, changed)
    if case is None:
        raise SystemExit("the run has no business case")
    net: int = case.cohort.net.base
    return net


def broken(run: Path, number: int, seed: int) -> list[str]:
    """Return what went against a law, a sentence each."""
    from akb.config import load_settings
    from akb.rerun import things_kept

    kept = things_kept(run, only=("portfolio", "models"))
    settings = load_settings()
    register = settings.assumed()
    ways = directions(register)
    rng = np.random.default_rng(seed)
    found = []
    for place in range(number):
        values = {
            name: float(rng.triangular(e.low, e.value, e.high)) if e.high > e.low else e.value
            for name in ways
            for e in (register[name],)
        }
        name = list(ways)[int(rng.integers(len(ways)))]
        entry = register[name]
        far = entry.high if ways[name] > 0 else entry.low
        before = net_of(kept["portfolio"], kept["models"], settings, values)
        after = net_of(kept["portfolio"], kept["models"], settings, {**values, name: far})
        if after < before - CENT:
            found.append(
                f"setting {place}: {name} {values[name]:.4g} -> {far:.4g}: {before / 100:,.2f} -> {after / 100:,.2f}"
            )
    return found


def main() -> None:
    """Print how many of the settings broke a law."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--settings", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.perf_counter()
    found = broken(given.run, given.settings, given.seed)
    print(
        f"{given.settings} settings of {given.run.name}: {len(found)} against a law; "
        f"{time.perf_counter() - began:.0f} s"
    )
    for line in found:
        print(line)


if __name__ == "__main__":
    main()
