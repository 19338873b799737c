"""Killed before every single step: no leftover holds a relation number, and the next command puts all in order.

A hook on Python's audit events stops the process before each system call that changes a folder (open, mkdir, rename,
remove, rmdir, the exchange), one call further every time, until a turn comes to its end. It all happens in one small
process of its own, which forks for every kill.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("killed")

SCRIPT = """
import json, os, shutil, sys
from pathlib import Path
from akb.store import folders
from akb.store.folders import PRIVATE, heal, rewrite_run, run_folder, write_private

what, exchange, home = sys.argv[1], sys.argv[2] == "exchange", Path(sys.argv[3])
OLD, NEW = "ZQOLD", "ZQNEW"
CHANGES = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "exchange", "os.link", "os.truncate"}
run = home / "run"
left = [None]  # steps until the kill; None: none

def watch(event, arguments):
    if left[0] is None or event not in CHANGES or str(home) not in f"{arguments}" and event == "open":
        return
    if left[0] == 0:
        os._exit(9)
    left[0] -= 1

sys.addaudithook(watch)
real = folders._exchange
def told(one, other):
    sys.audit("exchange")
    return real(one, other) if exchange else False
folders._exchange = told

def write(word):
    with run_folder(run) as fresh:
        (fresh / "actions").mkdir()
        (fresh / "actions" / "list.csv").write_text(word.lower())
        (fresh / "report.html").write_text(word.lower())
        (fresh / "manifest.json").write_text('{"schema": "akb.manifest/1"}')
    write_private(run, word.encode())

def change(copy):
    (copy / "actions" / "list.csv").write_text(NEW.lower())
    (copy / "report.html").write_text(NEW.lower())
    return NEW.encode()

def act():
    if what == "run":
        write(NEW)
    elif what == "change":
        rewrite_run(run, change)
    else:  # heal what the hardest kill left: the numbers are gone, the folders have not changed places yet
        heal(run)

def killed_at(step, action):
    child = os.fork()
    if child == 0:
        left[0] = step
        action()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0

def files(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}

def leftovers():
    return [path for path in home.iterdir() if path != run]

def start():
    while True:
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        write(OLD)
        if what != "heal":
            return
        killed_at(hardest[0], lambda: write(NEW))
        if not (run / PRIVATE).exists():
            return
        hardest[0] += 1

hardest = [0]
seen = []
step = 0
while True:
    start()
    killed = killed_at(step, act)
    now = files(run) if run.exists() else None
    beside = [content for path in leftovers() for content in files(path).values()]
    heal(run)
    healed, remaining = files(run), [path.name for path in leftovers()]
    if what == "change":
        rewrite_run(run, change)
    else:
        write(NEW)
    seen.append({"now": now, "beside": beside, "healed": healed, "left": remaining, "again": files(run)})
    if not killed:
        break
    step += 1
print(json.dumps(seen))
"""


def run_of(word: str) -> dict[str, str]:
    return {
        "actions/list.csv": word,
        "manifest.json": '{"schema": "akb.manifest/1"}',
        "private/customers.csv": word.upper(),
        "report.html": word,
    }


def without(run: dict[str, str] | None) -> dict[str, str] | None:
    return run and {name: content for name, content in run.items() if "private" not in name}


OLD, NEW = run_of("zqold"), run_of("zqnew")


@cache
def killed_everywhere(what: str, exchange: str, folder: Path) -> list[dict[str, object]]:
    command = [sys.executable, "-c", SCRIPT, what, exchange, str(folder / f"{what} {exchange}")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("killed")


@pytest.mark.parametrize("exchange", ["exchange", "two renames"])
@pytest.mark.parametrize("what", ["run", "heal", "change"])
def test_no_leftover_holds_a_relation_number_and_the_next_command_clears_it(
    folder: Path, what: str, exchange: str
) -> None:
    states = killed_everywhere(what, exchange, folder)
    assert len(states) > 8
    for step, state in enumerate(states):
        assert not [text for text in state["beside"] if "ZQ" in text], step  # type: ignore[attr-defined]
        assert state["left"] == [], step
        assert state["again"] == NEW, step


@pytest.mark.parametrize("exchange", ["exchange", "two renames"])
def test_the_folder_is_one_run_or_the_other(folder: Path, exchange: str) -> None:
    states = killed_everywhere("run", exchange, folder)
    now = [state["now"] for state in states]
    between = [step for step, run in enumerate(now) if run is None or run == without(OLD)]
    new = next(step for step, run in enumerate(now) if without(run) == without(NEW))
    assert all(run == OLD for run in now[: min(between)])  # intact to the byte
    assert between == list(range(min(between), new))  # the old run but for its relation numbers: the exchange itself
    assert len(between) == (1 if exchange == "exchange" else 3)  # without one, folders are renamed twice
    for step, state in enumerate(states):
        healed = OLD if step < min(between) else NEW  # then the new run takes over
        assert without(state["healed"]) == without(healed), step
    assert now[-1] == NEW


def test_a_change_leaves_every_file_old_or_new_and_the_numbers_last(folder: Path) -> None:
    for state in killed_everywhere("change", "exchange", folder):
        now = state["now"]
        assert all(now[name] in (OLD[name], NEW[name]) for name in OLD)  # type: ignore[index]
        if now["private/customers.csv"] == NEW["private/customers.csv"]:  # type: ignore[index]
            assert without(now) == without(NEW)  # type: ignore[arg-type]
