"""The page of commands says what their help says."""

from __future__ import annotations

import re

import typer

from akb.cli import app
from scripts import cli_docs

COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_the_page_is_written_anew() -> None:
    assert cli_docs.PATH.read_text("utf-8") == cli_docs.document(), "python -m scripts.cli_docs"


def test_every_command_and_option_has_words() -> None:
    text = cli_docs.document()
    assert {name.split()[0] for name in re.findall(r"^## akb (.+)$", text, re.MULTILINE)} == COMMANDS
    assert not re.findall(r"^\| .+ \|  ?\|$", text, re.MULTILINE)
