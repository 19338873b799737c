"""``akb init``: look at an export and write a commented ``akb.toml`` that says how akb reads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options
from akb.core.errors import AkbError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from akb.config import Settings
    from akb.ingest import ExportPreview, RolePreview, TextMeanings
    from akb.ingest.types import Portfolio


def init(
    export: options.Exports,
    *,
    out: Annotated[
        Path, typer.Option("--out", help="The settings file to write; it must not exist.")
    ] = Path("akb.toml"),
    as_of: options.AsOf = None,
    config: options.Config = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
    go_on: options.GoOn = False,
) -> None:
    """Write a commented akb.toml: which column means what and how sure that is, branches, reasons,
    what is missing.

    No value of the export stands in it, only shapes (12-03-2020 is 99-99-9999) and texts that many
    customers share.

    Example: akb init polissen.csv schades.csv --out akb.toml
    """
    from akb.commands.console import Stages
    from akb.pipeline import Request, read_and_preview

    if out.exists():
        raise AkbError(
            f"{out} exists, so it is left alone", "Give another name with --out, or move it away."
        )
    files, roles = options.split_roles(export)
    settings, day = options.settings_from(config), options.as_day(as_of)
    stages = Stages(quiet=quiet or json)
    with stages.stage("looking at the export"):
        request = Request(
            files=files, settings=settings, key=bytes(32), as_of=day, roles=roles, go_on=go_on
        )
        portfolio, view = read_and_preview(request)
    document = proposal(view, portfolio, settings)
    _write_new(out, document.as_string())
    if json:
        options.print_json(
            {"schema": "akb.init/1", "written": str(out), "settings": document.unwrap()}
        )
        return
    stages.say(
        f"written: {out}; look it through, then: akb eda "
        f"{options.quoted([*export, '--config', out])}"
    )


def proposal(view: ExportPreview, portfolio: Portfolio, settings: Settings) -> TOMLDocument:
    """Return the settings that say in words what akb finds by itself: with them an export reads as
    without them.

    What the client's settings say already stands in it too.
    """
    import tomlkit

    document = tomlkit.document()
    _say(
        document,
        f"How akb reads {', '.join(name for found in view.roles for name in found.files)}, "
        f"written by akb init.",
    )
    _say(
        document,
        "Everything here is what akb would do by itself; change what is wrong. See "
        "docs/settings.md.",
    )
    document.add(tomlkit.nl())
    document.add("schema", tomlkit.item(1))
    given = settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
    document.add("client", _client(settings))
    document.add("ingest", _ingest(view, portfolio, given.get("ingest", {})))
    for table in ("time", "features", "models", "report", "branches", "assumptions"):
        if table in given:
            document.add(table, given[table])
    return document


def _client(settings: Settings) -> Table:
    import tomlkit

    client = tomlkit.table()
    client.add("name", settings.client.name)
    client.add("type", settings.client.type)
    client["type"].comment("intermediair | volmacht | verzekeraar")
    return client


def _ingest(view: ExportPreview, portfolio: Portfolio, given: dict[str, Any]) -> Table:
    import tomlkit

    from akb.commands.inspect.overview import form_of, missing, missing_lines
    from akb.config import WORDS

    ingest = tomlkit.table()
    _say(ingest, f"The export is of {portfolio.export_day.isoformat()}; another day: --as-of.")
    for source in portfolio.sources:
        rows = f"{source.rows.read} rows, {source.rows.rejected} rejected"
        _say(ingest, f"{source.name}: {rows}; {form_of(source.dialect, source.assumed)}")
    _say(
        ingest,
        "Only where that is wrong: encoding, separator, decimal, date_format, premium_per, "
        "premium_basis.",
    )
    for line in missing_lines(missing(portfolio)):
        _say(ingest, line)
    for name, value in given.items():
        if not isinstance(value, dict) and value is not None:
            ingest.add(name, value)
    columns = tomlkit.table(is_super_table=True)
    for role in view.roles:
        columns.add(role.role, _columns(role))
    ingest.add("columns", columns)
    ingest.add("branches", _texts(view.branches, "branch", given.get("branches", {})))
    ingest.add("reasons", _texts(view.reasons, "reason", given.get("reasons", {})))
    for table, column in WORDS.items():
        own = given.get(table, {})
        if table in view.words:
            ingest.add(table, _texts(view.words[table], f"{column} word", own))
        elif own:
            ingest.add(table, own)
    return ingest


def _columns(found: RolePreview) -> Table:
    import tomlkit

    from akb.ingest import listed

    table = tomlkit.table()
    for column in found.columns:
        table.add(column.column, column.heading)
        shapes = " | ".join(column.shapes) or "empty"
        table[column.column].comment(_plain(f"{column.sure}; {column.filled:.0%} filled; {shapes}"))
    if found.differing:
        _say(table, f"The files have different headings for: {', '.join(found.differing)}")
    for name, heading in found.proposals.items():
        _say(
            table,
            f"{name} = {_quoted(heading)}  # proposed, not read: take the first # away if this is "
            f"it",
        )
    if found.unused:
        _say(table, f"Not used: {listed(found.unused)}")
    return table


def _texts(words: TextMeanings, what: str, given: dict[str, str]) -> Table:
    import tomlkit

    from akb.ingest import settled_texts, unknown_texts

    table = tomlkit.table()
    for word in settled_texts(words):
        if word not in unknown_texts(words):
            table.add(word.text, word.key)
            table[word.text].comment(f"{word.rows} rows")
    for text in sorted(set(given) - set(table)):
        table.add(text, given[text])
    for word in unknown_texts(words):
        _say(table, f'{_quoted(word.text)} = ""  # {word.rows} rows, unknown {what}')
    if words.hidden_texts:
        _say(
            table,
            f"{words.hidden_texts} more texts on {words.hidden_rows} rows: too few customers each "
            f"to name them",
        )
    return table


def _say(table: Any, line: str) -> None:
    import tomlkit

    table.add(tomlkit.comment(_plain(line)))


def _quoted(text: str) -> str:
    import tomlkit

    return tomlkit.item(text).as_string()


def _plain(line: str) -> str:
    """Return a line that is a valid comment: no control characters."""
    return "".join(sign if sign.isprintable() else " " for sign in line)


def _write_new(path: Path, content: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            target.write(content)
    except OSError as error:
        raise AkbError(
            f"cannot write {path}: {error.strerror}", "Choose another file with --out."
        ) from error
