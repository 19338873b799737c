"""Options that commands share, declared once."""

from __future__ import annotations

import json
import shlex
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands.streams import write_out
from akb.core.errors import AkbError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from akb.config import Settings
    from akb.core.findings import Finding
    from akb.pipeline import Request


class PortalUnit(StrEnum):
    """By what portals are made."""

    office = "office"


class Language(StrEnum):
    """In which languages a report can be."""

    nl = "nl"
    en = "en"


ROLES = ("policies", "customers", "claims", "contacts", "payments", "premiums")

Exports = Annotated[
    list[str],
    typer.Argument(
        metavar="EXPORT...",
        help="The policy export (CSV, XLSX or Parquet) and, if there are, claims, contacts and "
        "premiums. "
        "akb finds out by the columns which file is which; claims=FILE says so.",
    ),
]
AsOf = Annotated[
    datetime | None,
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d", "%d-%m-%Y"],
        help="Look from this day (default: the export's own).",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for the results (default: ./akb-<export>-<as-of>)."),
]
Config = Annotated[Path | None, typer.Option("--config", help="The client's settings, akb.toml.")]
Key = Annotated[
    Path | None,
    typer.Option("--key", help="Key file for pseudonyms (default: yours, made when needed)."),
]
NoPseudonyms = Annotated[
    bool,
    typer.Option(
        "--no-pseudonyms", help="Write relation numbers instead of pseudonyms, for those who may."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
LARGEST_SEED = 2**32 - 1  # as in `akb.config`, which is too heavy to import for a help text
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, max=LARGEST_SEED, help="Seed of everything drawn at random."),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Threads; changes the time, never a result.")
]
GoOn = Annotated[
    bool,
    typer.Option(
        "--go-on", help="Read what is left where most of the export cannot be read (else exit 2)."
    ),
]
FailOn = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        help="Exit with 1 if there is such a finding: issue, tip, or a code such as AKB-D004.",
    ),
]
PortalBy = Annotated[
    PortalUnit | None,
    typer.Option("--portal-by", help="Beside portal.html, a page per office in portal/."),
]
LogFile = Annotated[
    Path | None,
    typer.Option("--log-file", help="Append the stages and their seconds to this file."),
]

Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Features and fits on the workers of this Dask scheduler (tcp://HOST:8786); changes "
        "the time, never a result.",
    ),
]
Shared = Annotated[
    Path | None,
    typer.Option(
        "--shared",
        metavar="DIR",
        help="With --cluster: a folder that you and the workers see under one name (default: "
        "where the run folder comes).",
    ),
]


def split_roles(arguments: Sequence[str]) -> tuple[list[Path], dict[str, Path]]:
    """Split ``FILE`` and ``role=FILE`` arguments; a file that exists under the whole name is a
    file.

    Raises
    ------
    AkbError
        If the word before ``=`` is no role.
    """
    files: list[Path] = []
    roles: dict[str, Path] = {}
    for argument in arguments:
        role, equals, name = argument.partition("=")
        if not equals or Path(argument).exists():
            files.append(Path(argument))
        elif role in ROLES:
            roles[role] = Path(name)
            files.append(Path(name))
        else:
            raise AkbError(
                f"unknown role '{role}' in {argument}{did_you_mean(role, ROLES)}",
                f"Roles are {', '.join(ROLES)}.",
            )
    return files, roles


def as_day(moment: datetime | None) -> date | None:
    """Return the day of a parsed option."""
    return moment.date() if moment else None


def settings_from(
    config: Path | None,
    seed: int | None = None,
    jobs: int | None = None,
    portal_by: PortalUnit | None = None,
) -> Settings:
    """Return validated settings: defaults, the client's file, then the command line."""
    from akb.config import load_settings

    return load_settings(
        config,
        models__seed=seed,
        models__jobs=jobs,
        report__portal_by=portal_by and portal_by.value,
    )


def request_of(
    export: Sequence[str],
    *,
    config: Path | None,
    key: Path | None,
    as_of: datetime | None,
    go_on: bool = False,
    settings: Settings | None = None,
) -> Request:
    """Return what is asked of an export by a command that fits nothing and makes no key.

    Parameters
    ----------
    settings
        In place of those of `config`.

    Raises
    ------
    AkbError
        If there is no key.
    """
    from akb.core.privacy.pseudonyms import default_key_path, load_or_create_key
    from akb.pipeline import Request

    files, roles = split_roles(export)
    key_file = key or default_key_path()
    if not key_file.exists():
        raise AkbError(
            f"there is no key {key_file}, so the customers of the run cannot be recognised",
            "Give the key that the run was made with: --key FILE.",
        )
    return Request(
        files=files,
        settings=settings or settings_from(config),
        key=load_or_create_key(key_file),
        as_of=as_day(as_of),
        roles=roles,
        go_on=go_on,
    )


Client = Annotated[
    str | None, typer.Option("--client", help="For whom, on the cover of the report.")
]
Title = Annotated[
    str | None, typer.Option("--title", help="What the report is called, on its cover.")
]
Author = Annotated[
    str | None, typer.Option("--author", help="Who made it, on the cover of the report.")
]
Logo = Annotated[
    Path | None, typer.Option("--logo", help="A PNG or JPEG for the cover, 100 kB at most.")
]
Lang = Annotated[
    Language | None,
    typer.Option("--lang", help="Language of report, portal, workbook and lists."),
]
Advisers = Annotated[
    bool | None,
    typer.Option(
        "--advisers",
        help="Show colleagues beside each other in the report; ask the works council first.",
    ),
]


def covered(
    settings: Settings,
    *,
    client: str | None = None,
    title: str | None = None,
    author: str | None = None,
    logo: Path | None = None,
    advisers: bool | None = None,
    lang: Language | None = None,
) -> Settings:
    """Return settings with what was asked for the report; what was not asked stays as it is.

    Raises
    ------
    AkbError
        If the logo cannot be used.
    """
    from akb.config.pictures import data_address

    asked = {"client": client, "title": title, "author": author, "advisers": advisers}
    asked["language"] = lang.value if lang else None
    asked["logo"] = data_address(logo) if logo else None
    given = {name: value for name, value in asked.items() if value is not None}
    return (
        settings.model_copy(update={"report": settings.report.model_copy(update=given)})
        if given
        else settings
    )


def check_fail_on(wanted: Iterable[str] | None) -> None:
    """Raise if ``--fail-on`` names something that can never be found."""
    from akb.core.wording.text import texts

    for name in wanted or ():
        known = ["issue", "tip", *texts("findings")]
        if name not in known:
            raise AkbError(
                f"--fail-on {name}: there is no such severity or code{did_you_mean(name, known)}"
            )


def exit_code(findings: Iterable[Finding], wanted: Iterable[str] | None) -> int:
    """Return 1 if a finding matches ``--fail-on``, else 0."""
    names = set(wanted or ())
    return int(any({finding.code, finding.severity} & names for finding in findings))


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document on stdout, in UTF-8."""
    write_out(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def quoted(arguments: Iterable[object]) -> str:
    """Return arguments as a shell takes them: a path with a space or a quote stays one."""
    return shlex.join(str(argument) for argument in arguments)
