"""Every example of the documentation does what it says, in a folder that has what it names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from pages import PAGES, ROOT, Example, every, examples

from akb.cli import run
from akb.core.privacy.pseudonyms import load_or_create_key
from akb.live.book import open_book
from akb.live.registry import crown, record_run
from akb.sample import simulate, write_sample
from akb.store.feedback import Feedback, written
from tests.shared import on_disk, shared

NAMES = ("polissen", "schades", "contacten")
ELSEWHERE = {
    "make ": ".ci/run does what the README promises",
    "pip install": "the wheel is installed by benchmarks/wheel.py",
    "pipx ": "the wheel is installed by benchmarks/wheel.py",
    "uv tool": "the wheel is installed by benchmarks/wheel.py",
    "docker ": "no engine in the tests; tests/core/test_core_container.py reads the Dockerfile",
    "dask scheduler": "tests/cluster/test_cluster_eda.py starts one",
    "POLARS_MAX_THREADS=1": "tests/cluster/test_cluster_eda.py starts workers",
    "akb eda polissen.csv schades.csv --out /mnt": "tests/cluster/test_cluster_eda.py",
    "akb eda 's3://": "tests/cluster/test_cluster_addresses.py",
    "akb serve --book boek --tls": "listens; tests/live/test_serve_killed.py",
    "akb serve --book boek  ": "listens; tests/live/test_serve_killed.py",
    "akb pdf": "asks a browser; tests/report has one",
    "akb experiment plan out/eda": "wants an office with a case; tests/live/test_live_experiment.py",
    "akb experiment assign": "wants an office with a case; tests/live/test_live_experiment.py",
    "akb experiment analyse": "refuses before the stop date; tests/live/test_live_experiment.py",
    "akb case out/eda --config trial": "wants that analysis; tests/live/test_live_experiment.py",
    "dbt ": "examples/, by benchmarks/ecosystem.py",
    "DO_NOT_TRACK=1 python examples/kedro": "examples/, by benchmarks/ecosystem.py",
    "quarto ": "examples/, by benchmarks/ecosystem.py",
    "#!/bin/sh": "tests/live/test_weekly.py",
}
"""How a line begins that is tried by other means than here, and which."""
PLACEHOLDER = "K-7F3A90C2D4E1B605"
CALM = (0, 1, 3)
"""Exit codes of a command that did what it says: `--fail-on`, a rerun that differs, a refusal of a small office."""


@on_disk
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the examples name: exports, a run, a book, offices, feedback."""

    def make(folder: Path) -> None:
        write_sample(simulate(400, seed=11), folder / "sample_data", truth=False)
        load_or_create_key(folder / "config" / "akb" / "key")
        key = folder / "config" / "akb" / "key"
        files = [folder / "sample_data" / f"{name}.csv" for name in NAMES]
        command = ["eda", *map(str, files), "--key", str(key), "--as-of", "2025-06-30", "--quiet"]
        assert run([*command, "--out", str(folder / "out" / "eda")]) == 0
        for name, file in zip(NAMES, files, strict=True):
            for copy in (f"{name}.csv", f"{name}-2026.csv", "nieuw.csv"):
                if copy != "nieuw.csv" or name == "polissen":
                    shutil.copy(file, folder / copy)
            for office in ("noord", "zuid"):
                (folder / "kantoren" / office).mkdir(parents=True, exist_ok=True)
                shutil.copy(file, folder / "kantoren" / office / file.name)
        for name in ("before", "after"):
            shutil.copytree(folder / "out" / "eda", folder / "out" / name)
        (folder / "boek").mkdir(mode=0o700)
        shutil.copy(key, folder / "boek" / "key")
        book = open_book(folder / "boek")
        shutil.copytree(folder / "out" / "eda", book.runs / "2025-06-30-eda")
        crown(book, record_run(book, book.runs / "2025-06-30-eda").run, "first", {}, after=None)
        shutil.copytree(folder / "out" / "eda", book.runs / "2026-01-05-score")
        document = json.loads((folder / "out" / "eda" / "manifest.json").read_text("utf-8"))
        event = Feedback.model_validate(
            {
                "run": document["run"],
                "customer": somebody(folder),
                "recorded": datetime(2026, 1, 2, 9, tzinfo=UTC),
                "event": "status",
                "status": "spoken",
            }
        )
        (folder / "akb-terugkoppeling.csv").write_bytes(written([event]))
        (folder / "logo.png").write_bytes(PIXEL)
        (folder / "akb.toml").write_text("[report]\nsuppress_below = 5\n")
        (folder / "eigen.toml").write_text(next(each.text for each in every("toml") if "akb.crm/1" in each.text))
        commands = folder / "bin"
        commands.mkdir()
        (commands / "akb").write_text(f'#!/bin/sh\nexec {sys.executable} -m akb "$@"\n')
        (commands / "akb").chmod(0o755)

    return shared(tmp_path_factory, "docs", make)


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f00050001ff89993d1d0000000049454e44ae426082"
)
"""A logo."""


def somebody(folder: Path) -> str:
    return str(pl.read_parquet(folder / "out" / "eda" / "scores.parquet")["customer"][0])


@pytest.fixture
def here(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "here"
    shutil.copytree(world, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    yield folder


def tried(text: str) -> list[str]:
    """Return the lines of a script that are executed here."""
    lines = text.replace(".venv/bin/akb", "akb").replace("/tmp/office", "office").replace(", or akb", "\nakb")
    return [line for line in lines.splitlines() if not line.startswith(tuple(ELSEWHERE))]


def script(example: Example, folder: Path) -> list[str]:
    if example.text.startswith("#!/bin/sh"):
        return []
    lines = [line for line in tried(example.text) if line.startswith("akb ")]
    return [line.replace(PLACEHOLDER, somebody(folder)).replace("Eindhoven", "Alkmaar") for line in lines]


def as_it_was(folder: Path, example: Example) -> None:
    """Put the run back as it was before another example replaced or changed it."""
    shutil.rmtree(folder / "out" / "eda")
    shutil.copytree(folder / "out" / "before", folder / "out" / "eda")
    if "akb init" in example.text:
        (folder / "akb.toml").unlink()


def with_scripts() -> list[Path]:
    return [page for page in PAGES if any(tried(each.text) for each in examples(page) if each.language == "sh")]


@pytest.mark.slow
@pytest.mark.parametrize("page", with_scripts(), ids=lambda page: page.name)
def test_every_command_does_what_it_says(page: Path, here: Path) -> None:
    for example in examples(page):
        if example.language == "sh" and script(example, here):
            as_it_was(here, example)
        for line in script(example, here) if example.language == "sh" else ():
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
            assert done.returncode in CALM, (line, done.stderr)
            assert done.returncode != 3 or "akb retrain" in line, (line, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("example", every("python"), ids=lambda example: example.page)
def test_every_python_example_runs(example: Example, here: Path) -> None:
    frame = pl.read_csv(here / "polissen.csv", separator=";", infer_schema=False)
    text = example.text.replace(PLACEHOLDER, somebody(here))
    (here / "boek" / "key").chmod(0o600)
    key = load_or_create_key(here / "config" / "akb" / "key")
    exec(compile(text, example.page, "exec"), {"frame": frame, "key": key, "Path": Path})


def test_what_is_tried_elsewhere_is_still_in_an_example() -> None:
    lines = [line for page in PAGES for each in examples(page) for line in each.text.splitlines()]
    lines += [line for page in PAGES for line in page.read_text("utf-8").splitlines()]
    unused = [start for start in ELSEWHERE if not any(start in line for line in lines)]
    assert unused == []
