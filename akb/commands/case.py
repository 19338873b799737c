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

    Example: akb case out/eda --set retention.rescue=25% --set contact.minutes=20 --out out/case
    """
    from akb.commands.console import Stages

    summary = read_summary(folder)
    stages = Stages(quiet=quiet or json)
    register = register_of(summary)
    changed = parsed(set_ or (), register, whole=out is not None)
    if out is not None:
        from akb.again import told_again
        from akb.commands.eda import folder_lines

        check_out(folder, out)
        carried: list[str] = []
        made = told_again(folder, out, changed, stages, carried)["business_case"]
        for line in folder_lines(carried):
            stages.say(line)
        exact = True
    else:
        made, exact = figures(folder, summary, register, changed)
    if json:
        note = None if exact else estimated()
        told = {"as_of": summary["as_of"], "changed": changed, "exact": exact, "note": note, "business_case": made}
        options.print_json({"schema": "akb.case/1", **told})
        return
    for line in closing_lines(summary["business_case"], made, out, exact=exact):
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


def parsed(sets: Iterable[str], register: dict[str, Assumption], *, whole: bool) -> dict[str, float]:
    """Return name -> value of every ``NAME=VALUE``; ``25%`` and a decimal comma are understood.

    Parameters
    ----------
    whole
        A whole new run is written, so that everything but the models can change.

    Raises
    ------
    AkbError
        If a name is unknown (with a suggestion), a value is impossible, or the change needs a new run.
    """
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
        _check_changeable(name, whole=whole)
        found[name] = _number(name, text)
        why = register[name].complaint(found[name])
        if why:
            raise AkbError(f"--set {given}: {name} {why}")
    return found


def _check_changeable(name: str, *, whole: bool) -> None:
    from akb.again import is_learned
    from akb.value.basis import CHANGEABLE

    if is_learned(name) and (whole or name not in CHANGEABLE):
        alone = " (its figures alone can: leave --out away)" if name in CHANGEABLE else ""
        raise AkbError(
            f"the models were fitted with {name}, so a finished run cannot be told again with another value{alone}",
            f'Put "{name}" = … under [assumptions] in akb.toml and run akb eda --config akb.toml.',
        )
    if not whole and name not in CHANGEABLE:
        raise AkbError(
            f"{name} is part of what every customer is worth, so that has to be worked out again with it",
            f'Add --out NEW, or put "{name}" = … under [assumptions] in akb.toml and run akb eda --config akb.toml.',
        )


def _number(name: str, text: str) -> float:
    percent = text.endswith("%")
    try:
        value = float(text.removesuffix("%").strip().replace(",", "."))
    except ValueError:
        raise AkbError(f"--set {name}={text}: '{text}' is no number", "Write 0.25, 0,25 or 25%.") from None
    return value / 100 if percent else value


def figures(
    folder: Path, summary: dict[str, Any], register: dict[str, Assumption], changed: dict[str, float]
) -> tuple[dict[str, Any], bool]:
    """Return the business case in the shape of the summary's ``business_case``, and whether it is that of ``--out``.

    It is worked out from what the run kept; where nothing is left of that, on the basis in the summary, whose bins make
    it an estimate wherever other customers are called.

    Raises
    ------
    AkbError
        If the run has no business case.
    """
    from akb.report.model import plain
    from akb.report.sections.case import told
    from akb.report.summary import case_summary
    from akb.value.basis import SAME_CALLS
    from akb.value.case import case_from

    basis = summary.get("case_basis")
    if not basis:
        raise AkbError(f"{folder} has no business case to work out again", "Its report says what was missing.")
    now = {**register, **{name: shipped(name, register).replaced(value) for name, value in changed.items()}}
    rows = [{"key": name, **entry.model_dump()} for name, entry in sorted(now.items())]
    same = set(changed) <= SAME_CALLS
    case = None if same else _from_customers(folder, changed)
    found = case_from(basis, now) if case is None else case
    return case_summary(plain({**told(found), "changed": changed}), plain(rows)), same or case is not None


def _from_customers(folder: Path, changed: dict[str, float]) -> BusinessCase | None:
    """Return the business case from what the run kept; None where nothing is left of that."""
    from akb.again import case_again
    from akb.core.errors import RefusedError
    from akb.core.garbage import seldom_collected

    try:
        with seldom_collected():
            return case_again(folder, changed)
    except RefusedError:
        return None


def estimated() -> str:
    """Return in Dutch that figures are estimates, by how much, and what gives exact ones."""
    from akb.core.text import text

    return text("case", "nl", "estimated")


def shipped(name: str, register: dict[str, Assumption]) -> Assumption:
    """Return an assumption with the range that akb ships, as `akb eda` would start from."""
    from akb.config import load_settings

    return load_settings().assumed().get(name, register[name])


def check_out(folder: Path, out: Path) -> None:
    """Raise AkbError if `out` is the run itself, lies inside it, or holds something that is no run."""
    from akb.store.folders import check_replaceable

    if folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise AkbError(f"{out} is the run itself or lies inside it; a run never changes", "Choose another --out.")
    check_replaceable(out, [folder])


def closing_lines(before: dict[str, Any], made: dict[str, Any], out: Path | None, *, exact: bool = True) -> list[str]:
    """Return the case in a few lines, beside the one of the run."""
    report = [f"report: {out / 'report.html'}"] if out else []
    if not made["available"]:
        return ["no business case under these assumptions; the report says what is missing", *report]
    low, base, high = (made[scenario] for scenario in ("low", "base", "high"))
    was = f"; in the run {_euro(before['base']['net'])}" if before["available"] else ""
    payback = f"month {made['payback_month']}" if made["payback_month"] else "not within 3 years"
    return [
        f"net a year: {_euro(base['net'])} ({_euro(low['net'])} to {_euro(high['net'])}), ROI {base['roi']:.0%}{was}",
        f"first year: {_euro(base['year1']['net'])}, ROI {base['year1']['roi']:.0%}; "
        f"three years: {_euro(base['three_years']['net'])}; payback: {payback}",
        f"calls a year: {made['facts']['contacts_used_count']:,.0f}",
        *([] if exact else [f"an estimate: {estimated()}"]),
        *report,
    ]


def _euro(cents: float) -> str:
    return f"€ {cents / 100:,.0f}"
