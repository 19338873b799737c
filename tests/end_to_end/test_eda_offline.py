"""No command opens a connection: each runs in a process that a look-up or connection ends, children too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import typer

from akb.cli import app

ROOT = Path(__file__).parents[2]
GUARD = """
import os, sys

def guard(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg",
                 "socket.bind") and not (event != "socket.getaddrinfo" and isinstance(arguments[-1], (str, bytes))):
        sys.stderr.write(f"NETWORK {event}\\n")
        sys.stderr.flush()
        os._exit(99)

sys.addaudithook(guard)
"""
"""``sitecustomize``, which every Python below reads; an address of text is a socket of this machine's own."""
NO_PYTHON = {"pdf"}
"""Asks a browser, which is told to do without the network (`tests/report/browser.py`)."""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("guard")
    (folder / "sitecustomize.py").write_text(GUARD)
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "XDG_CONFIG_HOME": str(folder)}


def akb(guarded: dict[str, str], *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "akb", *map(str, arguments)]
    return subprocess.run(command, env=guarded, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "what",
    [
        "socket.create_connection(('192.0.2.1', 9), 1)",
        "socket.getaddrinfo('example.invalid', 80)",
        "socket.socket().bind(('127.0.0.1', 0))",
    ],
)
def test_the_guard_sees_what_it_should(guarded: dict[str, str], what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import socket; {what}"], env=guarded, capture_output=True, check=False
    )
    assert done.returncode == 99


def calls(folder: Path) -> dict[str, list[object]]:
    """Return every command with what lets it do its work, in an order in which each finds what it needs."""
    run, sample, book = folder / "run", folder / "sample", folder / "book"
    export = sample / "polissen.csv"
    return {
        "sample": [sample, "--customers", 150],
        "check": [export, sample / "schades.csv"],
        "init": [export, "--out", folder / "akb.toml"],
        "predictions": [export],
        "eda": [export, "--out", run],
        "case": [run, "--set", "contacts.call.minutes=20", "--out", folder / "case"],
        "report": [run, "--title", "Rapport"],
        "rerun": [run, "--from", sample],
        "migrate": [run],
        "score": [export, "--from", run, "--out", folder / "week"],
        "retrain": [export, "--from", book],
        "evaluate": [folder / "case", export],
        "experiment": ["plan", run],
        "feedback": ["figures", "--book", book],
        "duty": ["register", "--book", book, "--out", folder / "duty.csv"],
        "export": [run, "--out", folder / "tasks.csv"],
        "batch": [sample, "--out", folder / "batch"],
        "serve": ["--list", "--book", book],  # serving itself: tests/live/test_serve_killed.py
        "diff": [run, folder / "case"],
        "explain": ["churn_12m"],
        "schema": ["summary"],
        "pack": [run, "--out", folder / "shared.zip"],
        "reveal": [run / "actions" / "top_defend.csv"],
        "forget": [run],
    }


def test_every_command_is_watched(tmp_path: Path) -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert commands - NO_PYTHON == set(calls(tmp_path))


@pytest.mark.slow
def test_no_command_speaks_to_anybody(guarded: dict[str, str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    for name, arguments in calls(tmp_path).items():
        if name == "forget":
            private = pl.read_csv(run / "private" / "customers.csv", infer_schema=False)
            arguments.append(private["relation"][0])
        done = akb(guarded, name, *arguments, cwd=tmp_path)
        assert "NETWORK" not in done.stderr, name
        assert done.returncode in (0, 1, 2), (name, done.stderr)
        assert not re.search(r"fault in akb|Traceback", done.stderr), (name, done.stderr)
    assert (run / "report.html").is_file()
    assert (tmp_path / "shared.zip").is_file()
