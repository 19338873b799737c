"""The command line: light, documented, and polite when something is wrong."""

from __future__ import annotations

import ast
import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from akb.cli import FAULT, app, run
from akb.commands import options
from akb.core.errors import AkbError

COMMANDS = [command.callback.__name__ for command in app.registered_commands if command.callback]


def akb(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "akb", *arguments], capture_output=True, text=True, check=False)


HEAVY = (
    "polars", "numpy", "pandas", "scipy", "lightgbm", "sklearn", "lifelines", "plotly", "jinja2",
    "dataframely", "fastexcel", "xlsxwriter", "tomlkit",
)  # fmt: skip
"""What takes long to import, and may wait until it is used."""


@pytest.mark.parametrize(
    ("script", "more"),
    [
        ("from akb.cli import run; run(['--help'])", ("pydantic",)),
        ("from akb.cli import run; run(['eda', '--help'])", ()),
        ("from akb.cli import run; run(['--version'])", ("pydantic", "rich")),
        ("import akb", ("typer", "rich", "pydantic", "json", "akb.pipeline")),
        ("import akb; akb.check, akb.eda, akb.load, akb.Run", ("typer", "rich", "pydantic")),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_used(script: str, more: tuple[str, ...]) -> None:
    script = f"import sys; before = set(sys.modules); {script}; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules = set(ast.literal_eval(done.stdout.splitlines()[-1]))
    assert "akb" in modules
    assert sorted({*HEAVY, *more} & modules) == []


def test_help_costs_little() -> None:
    # Processor time: the wall time of 0.3 s is measured in benchmarks/, where nothing else runs.
    assert min(_processor_seconds("--help") for _ in range(3)) < 0.6


def _processor_seconds(*arguments: str) -> float:
    before = os.times()
    akb(*arguments)
    after = os.times()
    return (after.children_user - before.children_user) + (after.children_system - before.children_system)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert "Example: akb" in capsys.readouterr().out
    assert f"akb {command}" in (Path(__file__).parents[2] / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["edaa"], "Did you mean 'eda'?"),
        (["eda"], "Missing argument"),
        (["eda", "x.csv", "--as-of", "yesterday"], "--as-of"),
        (["eda", "x.csv", "--jobs", "0"], "--jobs"),
        (["eda", "x.csv", "--seed", "-1"], "--seed"),
        (["sample", "x", "--seed", "-1"], "--seed"),
        (["check", "x.csv", "--log-file", "."], "--log-file"),
        (["eda", "there-is-none.csv"], "there-is-none.csv"),
        (["check", "x.csv", "--fail-on", "isue"], "did you mean 'issue'?"),
        (["eda", "claim=x.csv"], "did you mean 'claims'?"),
        (["eda", "x.csv", "--config", "none.toml"], "none.toml"),
        (["predictions", "."], "not the folder of a finished akb run"),
        (["reveal", "x.csv"], "private/customers.csv"),
    ],
)
def test_wrong_use_is_one_sentence_and_exit_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_the_process_ends_as_the_command_does() -> None:
    done = akb("edaa")
    assert done.returncode == 2
    assert "Did you mean 'eda'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_fault_of_akb_names_its_place_and_never_the_data(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumble(*_: object) -> None:
        raise ValueError("Jansen, relation 0012345")

    monkeypatch.setattr(options, "split_roles", stumble)
    assert run(["check", "x.csv"]) == FAULT
    words = capsys.readouterr().err
    assert "ValueError at test_cli_manners.py" in words
    assert "Jansen" not in words
    assert "0012345" not in words


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), OSError("No space left on device")]
)
def test_a_full_disk_is_no_fault_of_akb(
    error: OSError, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr(options, "split_roles", full)
    assert run(["check", "x.csv"]) == 2
    assert "No space left on device" in capsys.readouterr().err


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(options, "split_roles", interrupt)
    assert run(["check", "x.csv"]) == 130


def test_a_file_whose_name_has_an_equals_sign_is_a_file(tmp_path: Path) -> None:
    odd = tmp_path / "jaar=2025.csv"
    odd.touch()
    assert options.split_roles([str(odd)]) == ([odd], {})
    assert options.split_roles(["claims=schades.csv"]) == ([Path("schades.csv")], {"claims": Path("schades.csv")})
    with pytest.raises(AkbError, match="unknown role"):
        options.split_roles(["claim=schades.csv"])
