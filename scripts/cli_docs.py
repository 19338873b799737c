"""``docs/cli.md``: every command and option, from their own help; ``python -m scripts.cli_docs`` writes it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import typer

from akb.cli import app

PATH = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
_HEAD = """# Commands

Written by `python -m scripts.cli_docs` from what `akb COMMAND --help` says; a test keeps it up to date. Exit codes: 0 fine, 1
findings at `--fail-on` or a rerun that differs, 2 usage or input, 3 refused, 70 a fault of akb itself, 130 interrupted.
`akb --install-completion` completes commands and options in bash, zsh, fish and PowerShell.
"""


def document() -> str:
    """Return the page."""
    parts = [_HEAD]
    for path, command in sorted(commands(typer.main.get_command(app), "akb")):
        parts.append(section(path, command))
    return "".join(parts)


def commands(node: Any, path: str) -> list[tuple[str, Any]]:
    """Return every command with its path, those of groups too."""
    found = []
    for name, command in node.commands.items():
        here = f"{path} {name}"
        found += commands(command, here) if hasattr(command, "commands") else [(here, command)]
    return found


def section(path: str, command: Any) -> str:
    words, _, example = inspect.cleandoc(command.help or "").partition("Example: ")
    text = " ".join(words.split())
    rows = [
        row(each)
        for each in command.params
        if not getattr(each, "hidden", False) and each.name != "help"
    ]
    usage = " ".join(
        f"{argument_name(each)}" for each in command.params if each.param_type_name == "argument"
    )
    lines = [f"\n## {path}\n", f"{text}\n"]
    if example:
        lines.append(f"```sh\n{' '.join(example.split())}\n```\n")
    lines.append(f"`{path} [OPTIONS] {usage}`".replace(" `", "`") + "\n")
    lines.append("| option | what it does |\n|---|---|\n" + "".join(rows))
    return "\n".join(lines)


def argument_name(argument: Any) -> str:
    return str(argument.metavar or argument.name).upper()


def row(option: Any) -> str:
    named = ", ".join(f"`{each}`" for each in (*option.opts, *option.secondary_opts))
    if option.param_type_name == "argument":
        named = f"`{argument_name(option)}`"
    words = " ".join((getattr(option, "help", None) or "").split()).replace("|", "\\|")
    return f"| {named.replace('|', chr(92) + '|')} | {words} |\n"


if __name__ == "__main__":
    PATH.write_text(document(), "utf-8")
