"""``akb case``: the business case of a finished run under other assumptions; the run itself never changes."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options
from akb.core.errors import AkbError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from akb.config import Assumption
    from akb.value.types import BusinessCase

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Another value, as in retention.rescue=0.25 or =25%; repeatable."),
]


def case(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")],
    set_: Sets = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write a whole new run with these figures here.")] = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Work out the business case of a run again, under other assumptions; DIR stays as it is.

    Example: akb case out/eda --set retention.rescue=25% --set cost.rate_office=65 --out out/case
    """
    from akb.commands.console import Stages
    from akb.value.case import case_from

    summary = read_summary(folder)
    basis = summary.get("case_basis")
    if not basis:
        raise AkbError(f"{folder} has no business case to work out again", "Its report says what was missing.")
    register = register_of(summary)
    changed = parsed(set_ or (), register)
    now = {name: entry.replaced(changed[name]) if name in changed else entry for name, entry in register.items()}
    made = case_from(basis, now)
    if out is not None:
        write_case(folder, out, made, now, changed)
    if json:
        options.print_json(document(summary, made, now, changed))
        return
    stages = Stages(quiet=quiet)
    for line in closing_lines(summary, made, out):
        stages.say(line)


def read_summary(folder: Path) -> dict[str, Any]:
    """Return ``summary.json`` of a finished run.

    Raises
    ------
    AkbError
        If the folder is no run, or its summary cannot be read.
    """
    from akb.store.folders import is_run

    if not is_run(folder):
        raise AkbError(f"{folder} is not the folder of a finished akb run", "Name the folder that akb eda wrote.")
    try:
        told: dict[str, Any] = json_module.loads((folder / "summary.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise AkbError(f"{folder / 'summary.json'} cannot be read", "Run akb eda again.") from None
    schema = str(told.get("schema"))
    if schema != "akb.summary/1":
        raise AkbError(f"{folder / 'summary.json'} has schema {schema}; this akb knows akb.summary/1", "Upgrade akb.")
    return told


def register_of(summary: dict[str, Any]) -> dict[str, Assumption]:
    """Return the assumptions as the run had them, and those of this akb that the run did not know yet."""
    from akb.config import Assumption, load_settings

    rows = summary["business_case"]["assumptions"]
    told = {row["key"]: Assumption(**{name: row[name] for name in row if name != "key"}) for row in rows}
    return {**load_settings().assumed(), **told}


def parsed(sets: Iterable[str], register: dict[str, Assumption]) -> dict[str, float]:
    """Return name -> value of every ``NAME=VALUE``; ``25%`` and a decimal comma are understood.

    Raises
    ------
    AkbError
        If a name is unknown (with a suggestion), a value is impossible, or the change needs a new run.
    """
    from akb.value.basis import CHANGEABLE

    found: dict[str, float] = {}
    for given in sets:
        name, equals, text = (part.strip() for part in given.partition("="))
        if not equals:
            raise AkbError(f"--set {given}: there is no value", "Write --set retention.rescue=0.25.")
        if name not in register:
            raise AkbError(
                f"unknown assumption '{name}'{did_you_mean(name, register)}",
                "The report and summary.json list them all under their names.",
            )
        if name not in CHANGEABLE:
            raise AkbError(
                f"{name} is part of every customer's value, so it cannot change without scoring everybody again",
                f'Put "{name}" = … under [assumptions] in akb.toml and run akb eda --config akb.toml.',
            )
        found[name] = _number(name, text)
        why = register[name].complaint(found[name])
        if why:
            raise AkbError(f"--set {given}: {name} {why}")
    return found


def _number(name: str, text: str) -> float:
    percent = text.endswith("%")
    try:
        value = float(text.removesuffix("%").strip().replace(",", "."))
    except ValueError:
        raise AkbError(f"--set {name}={text}: '{text}' is no number", "Write 0.25, 0,25 or 25%.") from None
    return value / 100 if percent else value


def document(
    summary: dict[str, Any], made: BusinessCase, register: dict[str, Assumption], changed: dict[str, float]
) -> dict[str, Any]:
    """Return what ``--json`` prints: the shape of the summary's ``business_case``, and what was changed."""
    from akb.report.model import plain
    from akb.report.sections.case import told
    from akb.report.summary import case_summary

    figures = plain({**told(made), "changed": changed})
    return {
        "schema": "akb.case/1",
        "as_of": summary["as_of"],
        "changed": changed,
        "business_case": case_summary(figures, plain(rows_of(register))),
    }


def rows_of(register: dict[str, Assumption]) -> list[dict[str, Any]]:
    """Return the register as the report has it."""
    return [{"key": name, **entry.model_dump()} for name, entry in sorted(register.items())]


def write_case(
    folder: Path, out: Path, made: BusinessCase, register: dict[str, Assumption], changed: dict[str, float]
) -> None:
    """Write a copy of a run in which report, summary, lists and scores tell this case.

    Raises
    ------
    AkbError
        If `out` is the run itself, lies inside it, or holds something that is no run.
    """
    from akb.report.again import MODEL, told_again
    from akb.store.folders import MANIFEST, PRIVATE, copied_run, write_private
    from akb.store.manifest import write_json

    if folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise AkbError(f"{out} is the run itself or lies inside it; a run never changes", "Choose another --out.")
    if not (folder / MODEL).is_file():
        raise AkbError(f"{folder} was made by an akb that kept no {MODEL}", "Run akb eda again, or leave --out away.")
    with copied_run(folder, out) as fresh:
        told_again(fresh, made, rows_of(register), changed)
        manifest = json_module.loads((fresh / MANIFEST).read_text("utf-8"))
        write_json(fresh / MANIFEST, {**manifest, "case": {"changed": changed}})
    if (folder / PRIVATE).is_file():
        write_private(out, (folder / PRIVATE).read_bytes())


def closing_lines(summary: dict[str, Any], made: BusinessCase, out: Path | None) -> list[str]:
    """Return the case in a few lines, beside the one of the run."""
    before = summary["business_case"]["base"]
    payback = f"month {made.payback_month}" if made.payback_month else "not within 3 years"
    lines = [
        f"net a year: {_euro(made.net[1])} ({_euro(made.net[0])} to {_euro(made.net[2])}), ROI {made.roi[1]:.0%}; "
        f"in the run {_euro(before['net'])}",
        f"first year: {_euro(made.year1['net'][1])}, ROI {made.year1['roi'][1]:.0%}; "
        f"three years: {_euro(made.three_years['net'][1])}; payback: {payback}",
        f"calls a year: {made.facts['contacts_used_count']:,.0f}",
    ]
    return [*lines, *([f"report: {out / 'report.html'}"] if out else [])]


def _euro(cents: float) -> str:
    return f"€ {cents / 100:,.0f}"
