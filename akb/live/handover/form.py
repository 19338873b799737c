"""The form in which another system takes tasks: one TOML file, of ``configs/crm/`` or the
client's own. No code knows any of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from akb.config.tables import SettingsTable, validated
from akb.core.errors import AkbError, RefusedError, did_you_mean
from akb.core.wording.text import configs_dir
from akb.live.handover.tasks import FIELDS

SCHEMA = "akb.crm/1"
Dates = Literal["%Y-%m-%d", "%d-%m-%Y", "%d/%m/%Y", "%m/%d/%Y"]


class CrmColumn(SettingsTable):
    """One column: a field of the task, or the same value in every row.

    Parameters
    ----------
    name
        The heading.
    field
        One of `akb.live.handover.tasks.FIELDS`.
    value
        What every row has.
    words
        Value of the field -> what the system calls it; others stay as they are, or become
        ``otherwise``.
    longest
        Most characters; what is longer ends in an ellipsis.
    """

    name: str = Field(min_length=1, max_length=200)
    field: str | None = None
    value: str | None = None
    words: dict[str, str] = Field(default_factory=dict)
    otherwise: str | None = None
    longest: int | None = Field(default=None, ge=2, le=100_000)

    @model_validator(mode="after")
    def _one_source(self) -> CrmColumn:
        if (self.field is None) == (self.value is None):
            raise ValueError("a column has a field or a value, one of them")
        if self.field is not None and self.field not in FIELDS:
            near = did_you_mean(self.field, FIELDS)
            raise ValueError(f"there is no field '{self.field}'{near}")
        return self


class CrmForm(SettingsTable):
    """How a system reads a file of tasks.

    Parameters
    ----------
    lists
        Which lists of `akb.report.portal.tasks.LISTS` it takes.
    source
        Where its maker documents it.
    """

    schema_: Literal["akb.crm/1"] = Field(alias="schema")
    label: str
    source: str = ""
    separator: Literal[",", ";", "\t", "|"] = ","
    bom: bool = False
    dates: Dates = "%Y-%m-%d"
    lists: tuple[Literal["next_best_action", "messages"], ...] = ("next_best_action",)
    column: tuple[CrmColumn, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _headings_differ(self) -> CrmForm:
        names = [each.name for each in self.column]
        if len(set(names)) < len(names):
            raise ValueError("two columns have the same name")
        return self


def shipped_forms() -> list[str]:
    """Return the names of the forms that come with akb."""
    return sorted(path.stem for path in (configs_dir() / "crm").glob("*.toml"))


def read_form(name: str) -> CrmForm:
    """Return a form by its name, or by the path of a TOML file.

    Raises
    ------
    AkbError
        If there is none, or it says something that is not possible.
    RefusedError
        If it is of another akb.
    """
    shipped = shipped_forms()
    path = configs_dir() / "crm" / f"{name}.toml" if name in shipped else Path(name)
    if path.suffix != ".toml" or not path.is_file():
        raise AkbError(
            f"--for {name}: there is no such form{did_you_mean(name, shipped)}",
            f"Choose {', '.join(shipped)}, or give a TOML file of your own.",
        )
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AkbError(f"{path.name} cannot be read as TOML: {error}") from None
    given = document.get("schema")
    if given != SCHEMA:
        raise RefusedError(
            f"{path.name} has schema {given}; this akb knows {SCHEMA}",
            "docs/export_crm.md shows one.",
        )
    return validated(CrmForm, document, path.name)
