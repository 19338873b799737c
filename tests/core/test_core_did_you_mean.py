"""Whatever name is misspelt, in the settings or on the command line: one sentence that names the nearest known one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from akb.cli import run
from akb.config import Branch, ContactType, Settings, load_settings
from akb.core.errors import AkbError
from akb.core.wording.text import load_toml

SETTINGS = {
    "table": ("[tiem]\ngap_days = 3", "time"),
    "key": ("[time]\ngap_dys = 3", "gap_days"),
    "key at the top": ("schemaa = 1", "schema"),
    "key of another table": ("[ingest]\ngap_days = 3", "time.gap_days"),
    "key without its table": ("gap_days = 3", "time.gap_days"),
    "key of a branch": ("[branches.auto]\ncomission = 0.2", "commission"),
    "branch": ("[branches.auot]\npremium = 3", "auto"),
    "branch in capitals": ("[branches.AUTO]\npremium = 3", "auto"),
    "role": ("[ingest.columns.polices]\nstart = 'Ingang'", "policies"),
    "canonical column of policies": ("[ingest.columns.policies]\nstrat = 'Ingang'", "start"),
    "canonical column of claims": ("[ingest.columns.claims]\nreportd = 'Gemeld'", "reported"),
    "branch for a text": ("[ingest.branches]\n'0021 Auto' = 'atuo'", "auto"),
    "reason for a text": ("[ingest.reasons]\n'Code 44' = 'overstpa'", "overstap"),
    "assumption": ("[assumptions]\n'rule.rescu' = 0.3", "rule.rescue"),
    "kind of client": ("[client]\ntype = 'intermediar'", "intermediair"),
    "premium per": ("[ingest]\npremium_per = 'yaer'", "year"),
    "premium basis": ("[ingest]\npremium_basis = 'bruto gross'", "gross"),
    "encoding": ("[ingest]\nencoding = 'utf88'", "utf-8"),
}
ARGUMENTS = {
    "command": (["chek", "x.csv"], "Did you mean 'check'"),
    "option": (["check", "x.csv", "--quit"], "--quiet"),
    "severity": (["check", "x.csv", "--fail-on", "isue"], "did you mean 'issue'?"),
    "finding": (["check", "x.csv", "--fail-on", "AKB-D01"], "did you mean 'AKB-D0"),
    "role": (["check", "claim=x.csv"], "did you mean 'claims'?"),
    "dialect": (["sample", "nowhere", "--dialect", "avna"], "did you mean 'anva'?"),
    "file": (["check", "{}/polisen.csv"], "did you mean 'polissen.csv'?"),
}


def said_of(text: str, folder: Path) -> str:
    (folder / "akb.toml").write_text(text, "utf-8")
    with pytest.raises(AkbError) as caught:
        load_settings(folder / "akb.toml")
    return caught.value.message


@pytest.mark.parametrize("name", SETTINGS)
def test_a_misspelt_setting_is_understood(tmp_path: Path, name: str) -> None:
    text, meant = SETTINGS[name]
    assert f"did you mean '{meant}'?" in said_of(text, tmp_path)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_misspelt_argument_is_understood(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, words = ARGUMENTS[name]
    (tmp_path / "polissen.csv").write_text("")
    assert run([argument.replace("{}", str(tmp_path)) for argument in arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert re.search("^akb: ", said, re.MULTILINE)  # after the stages that had begun


def misspelt(name: str) -> str:
    """The name with a letter twice: no known name looks like that."""
    middle = len(name) // 2
    return name[: middle + 1] + name[middle:]


def tables() -> list[tuple[str, type[BaseModel]]]:
    fields = Settings.model_fields.items()
    return [(name, kind) for name, field in fields if isinstance(kind := field.annotation, type)
            and issubclass(kind, BaseModel)]  # fmt: skip


def every_name() -> list[tuple[str, str]]:
    """(settings, name in them) for every name that a settings file can hold."""
    columns = load_toml("columns.toml")
    found: list[tuple[str, str]] = [
        (f"[{misspelt(table)}]", table) for table in Settings.model_fields if table[-1] != "_"
    ]
    found += [(f"[{table}]\n{misspelt(key)} = 1", key) for table, kind in tables() for key in kind.model_fields]
    found += [(f"[branches.auto]\n{misspelt(key)} = 1", key) for key in Branch.model_fields]
    found += [(f"[ingest.columns.{misspelt(role)}]", role) for role in columns["roles"]]
    found += [(f"[ingest.columns.{role}]\n{misspelt(name)} = 'x'", name) for role in columns["roles"]
              for name in columns[role]]  # fmt: skip
    found += [(f"[ingest.branches]\nx = '{misspelt(key)}'", key) for key in load_toml("branches.toml")]
    found += [(f"[ingest.reasons]\nx = '{misspelt(key)}'", key) for key in load_toml("reasons.toml")]
    found += [(f"[contacts.{misspelt(key)}]\nminutes = 1", key) for key in load_toml("contacts.toml")]
    found += [(f"[contacts.call]\n{misspelt(key)} = 1", key) for key in ContactType.model_fields]
    found += [(f"[assumptions]\n'{misspelt(key)}' = 1", key) for key in Settings().assumed()]
    return found + [(f"[{table}]\n{key} = '{misspelt(value)}'", value) for table, key, value in enumerated()]


def enumerated() -> list[tuple[str, str, str]]:
    def values(kind: Any) -> list[str]:
        return [kind] if isinstance(kind, str) else [value for part in get_args(kind) for value in values(part)]

    return [(table, key, value) for table, kind in tables() for key, field in kind.model_fields.items()
            for value in values(field.annotation) if value.isalpha()]  # fmt: skip


def test_every_name_that_settings_can_hold_is_found_again(tmp_path: Path) -> None:
    assert len(every_name()) > 200
    assert ("client", "type", "volmacht") in enumerated()
    for text, name in every_name():
        said = said_of(text, tmp_path)
        assert f"did you mean '{name}'?" in said, (text, said)


def test_what_is_like_nothing_is_told_without_a_guess(tmp_path: Path) -> None:
    said = said_of("[time]\nzzzzzzzz = 1", tmp_path)
    assert "unknown setting 'time.zzzzzzzz'" in said
    assert "did you mean" not in said


@pytest.mark.parametrize(
    "text",
    ["encoding = 'undefined'", "encoding = 'rot13'", 'encoding = "a\\u0000b"', "separator = 'ab'", "separator = '§'",
     "separator = '1'", 'separator = "\\""', 'separator = "\\n"', "separator = ''"],
)  # fmt: skip
def test_what_reads_no_text_is_no_encoding_and_no_separator(tmp_path: Path, text: str) -> None:
    assert text.partition(" ")[0] in said_of(f"[ingest]\n{text}", tmp_path)
