"""Every link leads somewhere, every page is in the contents, and every command in an example is one that akb has."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
from pages import ROOT, Example, every

from akb.cli import app
from akb.config import load_settings
from scripts import docs

LINES = [
    (each.page, line.replace(".venv/bin/akb", "akb"))
    for each in every("sh")
    for line in each.text.splitlines()
    if line.replace(".venv/bin/akb", "akb").startswith("akb ")
]
NO_SETTINGS = ("[project.entry-points", 'schema = "akb.crm/1"', 'candidates = ["hist"]')
"""In TOML that is no settings file of akb, or names a package that is not installed."""
COMMANDS = typer.main.get_command(app)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#{1,4} (.+)$", text, re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", head.strip().lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", docs.pages(), ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    wrong = []
    for target, anchor in docs.links(page):
        there = (page.parent / target).resolve()
        if not there.exists() or ROOT not in [there, *there.parents]:
            wrong.append(target)
        elif anchor and there.suffix == ".md" and anchor not in anchors(there):
            wrong.append(target + anchor)
    inside = re.findall(r"\]\((#[^)\s]+)\)", page.read_text("utf-8"))
    assert wrong + [each for each in inside if each not in anchors(page)] == []


def test_every_page_is_in_the_contents_once() -> None:
    named = re.findall(r"^(?:docs/)?[\w/]+$", docs.contents(), re.MULTILINE)
    pages = [page.relative_to(ROOT).with_suffix("").as_posix() for page in docs.pages()]
    assert sorted(named) == sorted(set(pages) - {"README"})


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page}:{line[:40]}" for page, line in LINES])
def test_every_command_of_an_example_is_one_that_akb_has(page: str, line: str) -> None:
    for part in re.split(r",? or (?=akb )", line):
        _, *words = shlex.split(part, comments=True)
        command = COMMANDS
        while hasattr(command, "commands"):
            name, *words = words
            assert name in command.commands, line
            command = command.commands[name]
        known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        assert [word for word in words if word.startswith("--") and word.partition("=")[0] not in known] == []


@pytest.mark.parametrize("example", every("toml"), ids=lambda example: example.page)
def test_every_settings_file_is_understood(example: Example, tmp_path: Path) -> None:
    tomllib.loads(example.text)
    if any(start in example.text for start in NO_SETTINGS):
        return
    path = tmp_path / "akb.toml"
    path.write_text(example.text, "utf-8")
    load_settings(path)
