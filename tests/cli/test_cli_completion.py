"""Completion in bash, zsh, fish and PowerShell: each shell gets a script, and what is asked is completed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

MAIN = "import sys; sys.argv = ['akb', *sys.argv[1:]]; from akb.cli import main; main()"


def akb(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("shell", "sign"),
    [
        ("bash", "complete -o"),
        ("zsh", "#compdef akb"),
        ("fish", "complete --command akb"),
        ("pwsh", "Register-ArgumentCompleter"),
    ],
)
def test_every_shell_gets_a_script(shell: str, sign: str) -> None:
    said = akb(_AKB_COMPLETE=f"source_{shell}")
    assert sign in said
    assert "_AKB_COMPLETE" in said


@pytest.mark.parametrize(
    ("words", "place", "expected"),
    [("akb ed", "1", "eda"), ("akb eda --as", "2", "--as-of"), ("akb explain --js", "2", "--json")],
)
def test_what_is_begun_is_completed(words: str, place: str, expected: str) -> None:
    assert expected in akb(_AKB_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=place).split()
    fish = akb(_AKB_COMPLETE="complete_fish", _TYPER_COMPLETE_FISH_ACTION="get-args", _TYPER_COMPLETE_ARGS=words)
    assert expected in fish
