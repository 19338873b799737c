"""`akb serve` under advisers who click: how long an answer takes, and what of the processor it costs.

    python -m benchmarks.serve [RUN] [--customers 50000] [--advisers 50] [--seconds 60]

The portal of RUN (without it: of a small simulated office, made first) is repeated until it has so many customers. The
server runs as a process of its own on loopback. Every adviser opens the page, then asks what is new every two seconds,
as the page does, and records a status after a pause of 2 s on average, on any customer that he sees: some come too late
(409). Printed: milliseconds from asking to the whole answer, and processor time of the server per answer, which
another program on the machine does not lengthen.

Asked: p95 at most 100 ms with 50 advisers on 50,000 customers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from akb.live.book import ClientBook, open_book
from akb.live.feedback.events import events_of
from akb.live.registry import record_run
from akb.live.serving.people import Invitation, add_person
from akb.sample import simulate, write_sample
from akb.store.columns import page_block, script_json, taken

PAUSE, POLL = 2.0, 2.0
TICKS = os.sysconf("SC_CLK_TCK")


def small_run(home: Path) -> Path:
    write_sample(simulate(1_500, seed=5), home / "office", truth=False)
    files = [str(home / "office" / name) for name in ("polissen.csv", "schades.csv", "contacten.csv")]
    command = [sys.executable, "-m", "akb", "eda", *files, "--out", str(home / "eda"), "--key", str(home / "key"), "-q"]
    subprocess.run(command, check=True)
    return home / "eda"


def many(source: Path, target: Path, customers: int) -> list[str]:
    """Write the run with its portal's customers many times under other names; return its offices."""
    page = (source / "portal.html").read_text("utf-8")
    packed = page_block(page, "akb-columns")
    rows = np.arange(customers) % len(packed["customer"]["d"])
    made = {name: taken(column, rows) for name, column in packed.items()}
    made["customer"]["d"] = [f"K-{place:016X}" for place in range(customers)]
    target.mkdir()
    (target / "portal.html").write_text(page.replace(script_json(packed), script_json(made), 1), "utf-8")
    (target / "manifest.json").write_bytes((source / "manifest.json").read_bytes())
    return list(page_block(page, "akb-run")["names"]["office"])


class Adviser:
    """Somebody with the page open, who records a status now and then."""

    def __init__(self, client: httpx.AsyncClient, own: str, took: dict[str, list[float]], seed: int) -> None:
        self.client, self.took, self.chance = client, took, random.Random(seed)
        self.headers = {"authorization": f"Bearer {own}"}
        self.last, self.latest = 0, dict[str, str]()

    async def timed(self, what: str, method: str, path: str, content: Any = None) -> httpx.Response:
        began = time.perf_counter()
        answer = await self.client.request(method, path, json=content, headers=self.headers)
        self.took[what if answer.status_code != 409 else "too late (409)"].append(time.perf_counter() - began)
        assert answer.status_code in (200, 201, 409), (answer.status_code, answer.text)
        return answer

    async def open(self) -> None:
        shown = (await self.timed("open the page", "GET", "/api/portal")).json()
        self.customers, self.run = shown["columns"]["customer"]["d"], shown["run"]["run"]

    async def poll(self, until: float) -> None:
        while time.monotonic() < until:
            answer = (await self.timed("ask what is new", "GET", f"/api/events?after={self.last}")).json()
            self.last = answer["last"]
            self.latest |= {event[3]: event[0] for event in answer["events"]}
            await asyncio.sleep(POLL)

    async def click(self, until: float) -> None:
        await asyncio.sleep(self.chance.uniform(0, PAUSE))
        while time.monotonic() < until:
            # half of the clicks on the first hundred customers: where advisers meet
            mine = self.customers[:100] if self.chance.random() < 0.5 else self.customers
            name = self.chance.choice(mine)
            event = {"customer": name, "event": "status", "status": "spoken", "run": self.run, "note": "x" * 80}
            key = f"{self.chance.getrandbits(128):032x}"
            content = {"event": event, "before": self.latest.get(name, ""), "key": key}
            answer = await self.timed("record a status", "POST", "/api/events", content)
            self.latest[name] = answer.json()["event"][0]
            await asyncio.sleep(self.chance.expovariate(1 / PAUSE))


async def working(address: str, tokens: list[str], seconds: float) -> dict[str, list[float]]:
    took: dict[str, list[float]] = defaultdict(list)
    limits = httpx.Limits(max_connections=2 * len(tokens), max_keepalive_connections=2 * len(tokens))
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=60, trust_env=False) as client:
        advisers = [Adviser(client, own, took, seed) for seed, own in enumerate(tokens)]
        for each in advisers:  # a morning, not a stampede
            await each.open()
        until = time.monotonic() + seconds
        await asyncio.gather(*(work(until) for each in advisers for work in (each.poll, each.click)))
    return took


def processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def people(book: ClientBook, offices: list[str], count: int) -> list[str]:
    """Let them in: an office each, in turn; one in ten a manager."""
    made = []
    for n in range(count):
        seen = None if n % 10 == 0 or not offices else (offices[n % len(offices)],)
        made.append(add_person(book, Invitation(f"Adviser {n}", "manager" if seen is None else "adviser", seen)))
    return made


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", nargs="?", type=Path)
    parser.add_argument("--customers", type=int, default=50_000)
    parser.add_argument("--advisers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="akb-bench-"))
    book = open_book(home / "book")
    target = book.runs / "run"
    offices = many(given.run or small_run(home), target, given.customers)
    record_run(book, target)
    tokens = people(book, offices, given.advisers)
    command = [sys.executable, "-m", "akb", "serve", "--book", str(book.folder), "--port", "0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    address = server.stderr.readline().split()[0]
    try:
        began = processor(server.pid)
        took = asyncio.run(working(address, tokens, given.seconds))
        spent = processor(server.pid) - began
        peak = next(
            line for line in Path(f"/proc/{server.pid}/status").read_text().splitlines() if line.startswith("VmHWM")
        )
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    page = (target / "portal.html").stat().st_size
    print(
        f"{given.customers:,} customers ({page / 1e6:.1f} MB), {given.advisers} advisers for {given.seconds:.0f} s, "
        f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} processors"
    )
    for what, all_ in took.items():
        half, most, top = (1000 * value for value in np.quantile(all_, [0.5, 0.95, 1]))
        print(f"  {what:<18} {len(all_):6,} answers: median {half:6.1f} ms, p95 {most:6.1f} ms, most {top:6.1f} ms")
    clicks = [value for what in ("ask what is new", "record a status", "too late (409)") for value in took[what]]
    print(f"  p95 of what they click and ask together: {1000 * np.quantile(clicks, 0.95):.1f} ms (asked: 100)")
    count = sum(map(len, took.values()))
    print(f"  processor time of the server: {1000 * spent / count:.1f} ms an answer; {peak.split(maxsplit=1)[1]}")
    kept = events_of(book).height
    print(f"  {kept:,} events in the book, {len(took['record a status']):,} confirmed")
    assert kept == len(took["record a status"]), json.dumps({"kept": kept})


if __name__ == "__main__":
    main()
