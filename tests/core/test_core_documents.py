"""Examples in the documents are Python, TOML and commands that exist."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
import typer

import akb
from akb.cli import app

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "SECURITY.md", *(ROOT / "docs").glob("*.md")])
COMMANDS = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for path in DOCUMENTS:
        texts = re.findall(rf"^```{language}\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        found += [(f"{path.name}:{place}", text) for place, text in enumerate(texts)]
    return found


@pytest.mark.parametrize(("place", "text"), blocks("python"))
def test_python_is_python_and_uses_what_akb_has(place: str, text: str) -> None:
    used = {
        node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "akb"
    }
    assert used <= set(akb.__all__), place


@pytest.mark.parametrize(("place", "text"), blocks("toml"))
def test_toml_is_toml(place: str, text: str) -> None:
    assert tomllib.loads(text), place


@pytest.mark.parametrize(("place", "text"), blocks("sh"))
def test_commands_are_commands(place: str, text: str) -> None:
    named = set(re.findall(r"^(?:\S*/)?akb ([a-z]+)", text, re.MULTILINE))
    assert named <= COMMANDS, place
