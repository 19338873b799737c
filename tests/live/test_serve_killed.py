"""kill -9 while people record: what was confirmed is in the book. And the server connects to nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from akb.live.feedback.events import events_of
from akb.live.serving.tables import audit_rows
from tests.live import served_book
from tests.live.served_book import NORTH, customers, made_book, token

if TYPE_CHECKING:
    from akb.live.book import ClientBook

ROOT = Path(__file__).parents[2]
GUARD = """
import os, sys

def guard(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"):
        os._exit(99)
    if event == "socket.bind" and arguments[-1][0] != "127.0.0.1":
        os._exit(98)

sys.addaudithook(guard)
"""
"""``sitecustomize`` of a server that may listen on loopback, and connect to nobody."""
PEOPLE = 4


class Process:
    """`akb serve` as whoever runs it would."""

    def __init__(self, book: ClientBook, guard: Path) -> None:
        (guard / "sitecustomize.py").write_text(GUARD)
        path = f"{guard}{os.pathsep}{ROOT}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "akb", "serve", "--book", str(book.folder), "--port", "0"],
            env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        self.address = self.process.stderr.readline().split()[0]
        assert self.address.startswith("http://127.0.0.1:"), self.address

    def end(self, how: int) -> int:
        self.process.send_signal(how)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return self.process.wait(timeout=30)


def recorded(address: str, own: str, mine: list[str], enough: threading.Event) -> list[str]:
    """Record one status after the other until the server has gone; return the ids that it confirmed."""
    confirmed: list[str] = []
    headers = {"authorization": f"Bearer {own}"}
    with httpx.Client(base_url=address, headers=headers, timeout=20, trust_env=False) as client:
        for place, name in enumerate(mine):
            event = {"customer": name, "event": "status", "status": "spoken", "run": served_book.facts().run}
            try:
                answer = client.post("/api/events", json={"event": event, "before": "", "key": f"{place:032x}"})
            except httpx.TransportError:
                return confirmed
            assert answer.status_code == 201, answer.text
            confirmed.append(answer.json()["event"][0])
            if len(confirmed) == 5:
                enough.set()
    return confirmed


@pytest.mark.parametrize("kills", [1, pytest.param(8, marks=pytest.mark.slow)])
def test_what_was_confirmed_outlives_a_kill(tmp_path: Path, kills: int) -> None:
    book = made_book(tmp_path / "book")
    own = [token(book, f"Adviser {n}", NORTH) for n in range(PEOPLE)]
    mine = customers(NORTH)
    share = len(mine) // (kills * PEOPLE)
    confirmed: list[str] = []
    for kill in range(kills):
        server = Process(book, tmp_path)
        enough = threading.Event()
        with ThreadPoolExecutor(PEOPLE) as pool:
            parts = [mine[(kill * PEOPLE + n) * share :][:share] for n in range(PEOPLE)]
            running = [pool.submit(recorded, server.address, own[n], parts[n], enough) for n in range(PEOPLE)]
            assert enough.wait(timeout=60)
            assert server.end(signal.SIGKILL) == -signal.SIGKILL
            confirmed += [each for one in running for each in one.result()]
    kept = events_of(book)["id"].to_list()
    assert len(confirmed) >= 5 * kills
    assert set(confirmed) <= set(kept)
    assert {row["event"] for row in audit_rows(book) if row["what"] == "saved"} == set(kept)
    # another server begins with all of it, and ends as one should
    server = Process(book, tmp_path)
    headers = {"authorization": f"Bearer {own[0]}"}
    answer = httpx.get(f"{server.address}api/events", headers=headers, trust_env=False)
    assert {event[0] for event in answer.json()["events"]} == set(kept)
    assert server.end(signal.SIGTERM) == 0
    assert audit_rows(book)[-1]["what"] == "stopped"
    assert '"command": "serve", "exit": 0' in (book.folder / "log.jsonl").read_text("utf-8")
