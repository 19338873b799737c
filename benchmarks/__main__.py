"""The one table: akb beside what people use today, on the same exports, in turn, in one run.

    python -m benchmarks [--sizes 1k,10k,15k,76k,100k,1m] [--minutes N] [--runs 5] [--rivals DIR] [--out BENCHMARKS.md]

What decides most comes first (`benchmarks/comparing.py`), and the table is written anew after every comparison, so
that a run that is stopped leaves what it has. Where the minutes are up, or a peer is not there, it says what is left
out. DIR holds a virtual environment per peer: ``featuretools``, ``ydata`` (ydata-profiling), ``skrub``; the notebook
and lifelines need none.

Each side is a process of its own: wall and processor seconds and peak memory are of the whole of it. Alone on the
machine, or the ratios say little. The other measurements: ``python -m benchmarks.every``.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.comparing import Comparison, OfficeBook, comparisons
from benchmarks.runs import Cost, cost_of

ROOT = Path(__file__).resolve().parent.parent
SIZES = "1k,10k,15k,76k,100k,1m"
PATIENCE = 1800.0
"""Seconds that a peer gets for one run."""
ONCE_FROM = 1_000_000
LIBRARIES = ("akb", "polars", "pandas", "numpy", "scikit-learn", "lightgbm", "lifelines")
OF_PEERS = {"featuretools": "featuretools", "ydata": "ydata-profiling", "skrub": "skrub"}


@dataclass
class Taken:
    """What the runs of a comparison took, by side, in the order in which they were made."""

    comparison: Comparison
    costs: dict[str, list[Cost]] = field(default_factory=lambda: defaultdict(list))

    def median(self, side: str, what: str) -> float:
        return statistics.median(getattr(cost, what) for cost in self.costs[side])

    @property
    def ratio(self) -> float | None:
        """The median over the pairs of akb's time as a share of the peer's."""
        peer = self.comparison.peer
        if peer is None or not self.costs[peer]:
            return None
        pairs = zip(self.costs["akb"], self.costs[peer], strict=False)
        return statistics.median(own.seconds / theirs.seconds for own, theirs in pairs)


@dataclass
class Session:
    """One run of this module: what was taken, what was left out, and how long it may go on."""

    home: Path
    rivals: Path | None
    until: float
    taken: list[Taken] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    usual: dict[str, list[tuple[int, float]]] = field(default_factory=lambda: defaultdict(list))
    """Comparison -> (customers, seconds of a pair), to know whether another one fits."""

    def expected(self, comparison: Comparison) -> float:
        """Return the seconds that a pair of runs is likely to take, by the nearest size that was run."""
        known = self.usual[comparison.key]
        if not known:
            return 0.0
        customers = comparison.book.customers
        nearest, seconds = min(known, key=lambda each: abs(math.log(each[0] / customers)))
        return seconds * max(1.0, customers / nearest)

    def missing(self, comparison: Comparison) -> str | None:
        """Return why a comparison cannot be made, or None."""
        name = comparison.environment
        if name and (self.rivals is None or not (self.rivals / name / "bin" / "python").exists()):
            return f"no environment {name} under --rivals"
        return None

    def run(self, comparison: Comparison, runs: int) -> None:
        """Make a comparison, as far as there is time."""
        name = f"{comparison.peer or 'akb alone'}: {comparison.title}"
        if why := self.missing(comparison):
            self.left_out[name] = why
            return
        made = Taken(comparison)
        for turn in range(1 if comparison.book.customers >= ONCE_FROM else runs):
            if time.monotonic() + self.expected(comparison) > self.until:
                self.left_out[name] = f"the minutes were up after {turn} of {runs} runs"
                break
            comparison.book.write(self.home)
            began = time.monotonic()
            try:
                self._pair(comparison, made)
            except subprocess.TimeoutExpired as late:
                self.left_out[name] = f"a side took more than {late.timeout:.0f} s"
                break
            except SystemExit as failed:
                self.left_out[name] = f"a side failed: {str(failed).splitlines()[0]}"
                break
            self.usual[comparison.key].append((comparison.book.customers, time.monotonic() - began))
            costs = ", ".join(f"{side} {costs[-1].seconds:.1f} s" for side, costs in made.costs.items() if costs)
            print(f"{name}, run {turn + 1}: {costs}", flush=True)
        if made.costs["akb"]:
            self.taken.append(made)

    def _pair(self, comparison: Comparison, made: Taken) -> None:
        (self.home / "runs").mkdir(exist_ok=True)
        sides = list(comparison.commands(self.home, self.rivals).items())
        if len(made.costs["akb"]) % 2:
            sides.reverse()  # nobody always comes first
        for side, command in sides:
            if comparison.inner:
                made.costs[side].append(stage_of(command))
            else:
                made.costs[side].append(cost_of(command, timeout=PATIENCE))


def stage_of(command: list[str]) -> Cost:
    """Return what a process took, with the seconds of the stage that it prints."""
    with tempfile.TemporaryFile("w+") as printed:
        script = [sys.executable, "-c", f"import subprocess, sys; sys.exit(subprocess.call({command!r}))"]
        began = os.times()
        done = subprocess.run(script, stdout=printed, check=False, timeout=PATIENCE)
        after = os.times()
        printed.seek(0)
        text = printed.read()
    found = re.search(r"seconds ([\d.]+)", text)
    if done.returncode or found is None:
        raise SystemExit(f"{' '.join(command[:4])} ended with {done.returncode}")
    busy = after.children_user + after.children_system - began.children_user - began.children_system
    return Cost(float(found[1]), busy, math.nan)


def exponent(taken: list[Taken], side: str) -> float | None:
    """Return b of seconds = a x customers^b, fitted over the sizes from 10,000 customers on; None with one size."""
    points = [
        (math.log(each.comparison.book.customers), math.log(each.median(side, "seconds")))
        for each in taken
        if each.comparison.book.customers >= 10_000 and each.costs[side]
    ]
    if len({x for x, _ in points}) < 2:
        return None
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def machine() -> str:
    """Return what ran it."""
    model = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        model = found[1] if found else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores ({model.strip()}), {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def versions(rivals: Path | None) -> str:
    """Return the versions on both sides."""
    own = [f"{name} {version(name)}" for name in LIBRARIES]
    script = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
    for folder, name in OF_PEERS.items():
        python = rivals / folder / "bin" / "python" if rivals else None
        if python is not None and python.exists():
            done = subprocess.run([str(python), "-c", script, name], capture_output=True, text=True, check=False)
            own.append(f"{name} {done.stdout.strip() or '?'}")
    return ", ".join(own)


def commit() -> str:
    """Return which code ran."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def figure(value: float, digits: int = 1) -> str:
    return "" if math.isnan(value) else f"{value:,.{digits}f}"


def document(session: Session, command: str, minutes: float) -> str:
    """Return BENCHMARKS.md."""
    lines = [
        "# akb beside what people use today",
        "",
        f"Written by `{command}` in {minutes:.0f} minutes; commit {commit()}.",
        f"{machine()}; {versions(session.rivals)}.",
        f"The load of the machine was {os.getloadavg()[1]:.1f} at the end (alone it is at most its cores).",
        "",
        "Medians over runs in turn; the ratio is the median of akb's wall time as a share of the peer's in each pair.",
        "What each peer does: `benchmarks/comparing.py`, `benchmarks/peers/`, `benchmarks/notebook.py`. *Stage*: both",
        "sides timed from the export as read.",
        "",
        "| export | side | runs | wall s | processor s | peak MiB | akb / peer | asked |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for each in session.taken:
        for side, costs in each.costs.items():
            if not costs:
                continue
            own, asked, ratio = side == "akb", each.comparison.asked, each.ratio
            said = "" if own or ratio is None else f"{ratio:.3f}"
            bar = "" if own or asked is None else f"{asked:.3f}{'' if ratio is None or ratio <= asked else ': missed'}"
            stage = ", stage" if each.comparison.inner else ""
            values = (figure(each.median(side, what)) for what in ("seconds", "processor"))
            mib = figure(each.median(side, "mib"), 0)
            title = each.comparison.title if own else ""
            cells = [title, f"{side}{stage}", str(len(costs)), *values, mib, said, bar]
            lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *_exponents(session), *_left_out(session)]
    return "\n".join(lines) + "\n"


def _exponents(session: Session) -> list[str]:
    """Return how the time grows with the size, per kind of book."""
    kinds: dict[str, list[Taken]] = defaultdict(list)
    for each in session.taken:
        if isinstance(each.comparison.book, OfficeBook) and not each.comparison.inner:
            kinds[each.comparison.book.name].append(each)
    rows = []
    for name, them in kinds.items():
        found = [exponent(them, side) for side in ("akb", "notebook")]
        if any(each is not None for each in found):
            shown = " | ".join("" if each is None else f"{each:.2f}" for each in found)
            rows.append(f"| {name} | {shown} |")
    if not rows:
        return []
    head = "Exponent of wall time against customers, from 10,000 on (asked of akb: at most 1.0):"
    return [head, "", "| book | akb | notebook |", "|---|---|---|", *rows, ""]


def _left_out(session: Session) -> list[str]:
    if not session.left_out:
        return ["Nothing was left out."]
    return ["Left out:", "", *(f"- {name}: {why}" for name, why in session.left_out.items())]


def sizes_in(text: str) -> list[int]:
    """Return customers for ``1k,10k,1m``."""
    units = {"k": 1_000, "m": 1_000_000}
    parts = [part.strip().lower() for part in text.split(",") if part.strip()]
    return sorted({round(float(part.rstrip("km")) * units.get(part[-1], 1)) for part in parts})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES, help="customers of the simulated offices")
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rivals", type=Path)
    parser.add_argument("--only", default="", help="comparisons by key, such as notebook,skrub")
    parser.add_argument("--out", type=Path, default=ROOT / "BENCHMARKS.md")
    parser.add_argument("--home", type=Path, help="where the exports are, and stay (default: a temporary folder)")
    asked = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="akb-bench-") as held:
        home = (asked.home or Path(held)).resolve()
        home.mkdir(parents=True, exist_ok=True)
        rivals = asked.rivals.resolve() if asked.rivals else None
        session = Session(home, rivals, began + 60 * asked.minutes)
        command = f"python -m benchmarks {shlex.join(_shown(sys.argv[1:]))}".strip()
        wanted = [each for each in asked.only.split(",") if each]
        for comparison in comparisons(sizes_in(asked.sizes)):
            if wanted and comparison.key not in wanted:
                continue
            session.run(comparison, asked.runs)
            asked.out.write_text(document(session, command, (time.monotonic() - began) / 60), "utf-8")
    print(asked.out.read_text("utf-8"))


def _shown(arguments: list[str]) -> list[str]:
    """Return the arguments as a page may show them: no folder of this machine."""
    return [re.sub(r"^(--[\w-]+=)?.*/.*", r"\1DIR", each) for each in arguments]


if __name__ == "__main__":
    main()
