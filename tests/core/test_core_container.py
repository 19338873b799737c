"""The container: not root, from the lock, and with everything that the wheel is built of."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text("utf-8")


def test_it_runs_as_somebody_who_is_not_root() -> None:
    last = TEXT.rpartition("\nFROM ")[2]
    users = re.findall(r"^USER (\S+)$", last, re.MULTILINE)
    assert users
    assert users[-1] not in ("root", "0")
    assert last.index("USER ") > last.index("RUN ")


def test_it_installs_the_lock_and_nothing_else() -> None:
    assert "--require-hashes -r requirements.lock" in TEXT
    assert all("--no-deps" in line or "--require-hashes" in line for line in TEXT.splitlines() if "pip install" in line)


def test_what_it_copies_is_there_and_sent_along() -> None:
    copied = {name for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE) for name in line.split()[:-1]}
    sent = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] == "!"
    }
    assert all((ROOT / name).exists() for name in copied)
    assert copied == sent
