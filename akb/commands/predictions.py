"""``akb predictions``: the catalogue, and what an export or a finished run supports of it."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options
from akb.core.errors import AkbError
from akb.core.wording.text import text, texts

if TYPE_CHECKING:
    from akb.catalogue.entries import Entry
    from akb.ingest.types import Portfolio

_ONLY_JSON = ("name_en", "unit", "section", "population", "missing")

Source = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[EXPORT... | RUN]",
        help="An export, or the folder of a finished run; none: the catalogue.",
    ),
]


def predictions(
    source: Source = None,
    config: options.Config = None,
    as_of: options.AsOf = None,
    json: options.Json = False,
    go_on: options.GoOn = False,
) -> None:
    """List the predictions; with an export: what its columns allow; with a run: how each was
    proven.

    Example: akb predictions out/eda
    """
    if not source:
        rows = [_entry_row(entry) for entry in _templates()]
    elif len(source) == 1 and Path(source[0]).is_dir():
        rows = _from_run(Path(source[0]))
    else:
        rows = _from_export(source, config, options.as_day(as_of), go_on=go_on)
    if json:
        options.print_json({"schema": "akb.predictions/1", "predictions": rows})
    else:
        _print_table(
            [{name: value for name, value in row.items() if name not in _ONLY_JSON} for row in rows]
        )


def _templates() -> tuple[Entry, ...]:
    from akb.catalogue.entries import templates

    return templates()


def _entry_row(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "name": entry.name_nl,
        "name_en": entry.name_en,
        "kind": entry.kind,
        "unit": entry.unit_nl,
        "section": entry.section,
        "horizon_months": entry.horizon_months,
        "needs": list(entry.needs),
        "population": entry.population_nl or text("report", "nl", "card", "everyone"),
        "question": entry.question_nl,
    }


def _from_run(folder: Path) -> list[dict[str, Any]]:
    try:
        summary = json_module.loads((folder / "summary.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise AkbError(
            f"{folder} is not the folder of a finished akb run", "Give an export or a run."
        ) from None
    names = ("key", "name", "name_en", "status", "grade", "gate", "auc", "winner", "why")
    return [{name: entry.get(name) for name in names} for entry in summary["predictions"]]


def _from_export(
    source: list[str], config: Path | None, as_of: Any, *, go_on: bool
) -> list[dict[str, Any]]:
    from akb.catalogue.entries import entries
    from akb.pipeline import Request, read

    files, roles = options.split_roles(source)
    settings = options.settings_from(config)
    portfolio = read(
        Request(
            files=files, settings=settings, key=bytes(32), as_of=as_of, roles=roles, go_on=go_on
        )
    )
    settings = settings.with_branches(portfolio.own_branches)
    held = set(portfolio.policies["branch"].unique())
    branches = [(key, branch.name_nl) for key, branch in settings.taxonomy().items() if key in held]
    has = available(portfolio)
    return [_status_row(entry, has) for entry in entries(branches)]


def _status_row(entry: Entry, has: set[str]) -> dict[str, Any]:
    """What an export allows, without fitting anything: ``possible``, or ``unavailable`` and why.

    Whether a possible one is fitted, falls back to its base rate or lacks events, only a run can
    tell."""
    missing = [need for need in entry.needs if need not in has]
    why = _why(entry, missing[0]) if missing else ""
    return {
        **_entry_row(entry),
        "status": "unavailable" if missing else "possible",
        "missing": missing,
        "why": why,
    }


def _why(entry: Entry, need: str) -> str:
    rooms = [f"why_{entry.room}", "why_models"]
    return next(
        (
            str(words[f"needs_{need}"])
            for room in rooms
            if f"needs_{need}" in (words := texts(room)[room])
        ),
        "",
    )


def available(portfolio: Portfolio) -> set[str]:
    """Return which needs of the catalogue a portfolio meets."""
    history = portfolio.history
    met = {
        "ended": history.recorded_from is not None,
        "reasons": history.reasons,
        "commission": history.commission != "none",
        "claims": portfolio.claims is not None,
        "contacts": portfolio.contacts is not None,
        "premiums": portfolio.premiums is not None,
    }
    return {need for need, there in met.items() if there}


def _print_table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*rows[0], box=None, header_style="bold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    Console(highlight=False).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(value)
    return f"{value:.3f}" if isinstance(value, float) else str(value)
