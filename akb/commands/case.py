"""``akb case``: the business case of a finished run under other assumptions; the run itself never
changes.
"""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options
from akb.core.errors import AkbError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from akb.commands.console import Stages
    from akb.config import Assumption, MeasuredEffect, Settings

READ_FROM_SETTINGS = {"schema_", "assumptions", "contacts", "measured"}

Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Another value, as in price.per_customer=0.8 or =80%; repeatable.",
    ),
]
Chosen = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="A settings file of which [assumptions], [measured] and switched off [contacts] "
        "count: what the report's sliders export, or akb experiment analyse writes.",
    ),
]


def case(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")],
    *,
    set_: Sets = None,
    config: Chosen = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write a whole new run with these figures here.")
    ] = None,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Work out the business case of a run again, under other assumptions; DIR stays as it is.

    Example: akb case out/eda --set contacts.call.effect_policy=20% --set contacts.call.minutes=20
    --out out/case"""
    from akb.commands.console import Stages
    from akb.config import Settings

    summary = read_summary(folder)
    stages = Stages(quiet=quiet or json)
    register = register_of(summary)
    given = options.settings_from(config) if config else Settings()
    _say_what_is_left(given, stages)
    without = switched_off(given, register, f"{config}")
    changed = {
        **checked(given.assumptions, register, f"{config}", whole=out is not None),
        **parsed(set_ or (), register, whole=out is not None),
    }
    for name in given.measured:
        if name not in register:
            raise AkbError(f"{config} measures {name}, which this run does not know")
        _check_changeable(name, register, whole=out is not None)
    if out is not None:
        from akb.commands.eda import folder_lines
        from akb.rerun import rerun_case

        check_out(folder, out)
        carried: list[str] = []
        case = rerun_case(
            folder, out, changed, stages, carried, measured=given.measured, without=without
        )["business_case"]
        for line in folder_lines(carried):
            stages.say(line)
    else:
        case = figures(folder, summary, register, changed, measured=given.measured, without=without)
    if json:
        shown = {"as_of": summary["as_of"], "changed": changed, "business_case": case}
        options.print_json({"schema": "akb.case/2", **shown})
        return
    for line in closing_lines(summary["business_case"], case, out):
        stages.say(line)


def _say_what_is_left(given: Settings, stages: Stages) -> None:
    left = sorted(given.model_fields_set - READ_FROM_SETTINGS)
    if left:
        stages.say(
            f"of the settings file only [assumptions], [measured] and [contacts] count here, not "
            f"{', '.join(f'[{name}]' for name in left)}"
        )


def read_summary(folder: Path) -> dict[str, Any]:
    """Return ``summary.json`` of a finished run.

    Raises
    ------
    AkbError
        If the folder is no run, or its summary cannot be read.
    """
    from akb.report.files.summary import SCHEMA
    from akb.store.folders import check_run

    check_run(folder)
    try:
        document: dict[str, Any] = json_module.loads((folder / "summary.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise AkbError(f"{folder / 'summary.json'} cannot be read", "Run akb eda again.") from None
    schema = str(document.get("schema"))
    if schema != SCHEMA:
        newer = schema.partition("/")[2].isdecimal() and _major(schema) > _major(SCHEMA)
        raise AkbError(
            f"{folder / 'summary.json'} has schema {schema}; this akb reads {SCHEMA}",
            "Upgrade akb." if newer else f"akb migrate {folder} says what can be done with it.",
        )
    return document


def _major(schema: str) -> int:
    return int(schema.partition("/")[2])


def register_of(summary: dict[str, Any]) -> dict[str, Assumption]:
    """Return the assumptions as the run had them, and those of this akb that the run did not know
    yet.
    """
    from akb.config import Assumption, load_settings

    shipped = load_settings().assumed()
    document = {}
    for row in summary["business_case"]["assumptions"]:
        usual = (
            shipped[row["key"]].model_dump() if row["key"] in shipped else {}
        )  # an older run lacks what is new
        document[row["key"]] = Assumption(
            **{**usual, **{name: row[name] for name in row if name != "key"}}
        )
    return {**shipped, **document}


def parsed(
    sets: Iterable[str], register: dict[str, Assumption], *, whole: bool
) -> dict[str, float]:
    """Return name -> value of every ``NAME=VALUE``; ``25%`` and a decimal comma are understood.

    Parameters
    ----------
    whole
        A whole new run is written, so that everything but the models can change.

    Raises
    ------
    AkbError
        If a name is unknown (with a suggestion), a value is impossible, or the change needs a new
        run.
    """
    found: dict[str, float] = {}
    for given in sets:
        name, equals, text = (part.strip() for part in given.partition("="))
        if not equals:
            raise AkbError(
                f"--set {given}: there is no value", "Write --set contacts.call.minutes=20."
            )
        _check_changeable(name, register, whole=whole)
        found[name] = _number(name, text)
        why = register[name].complaint(found[name])
        if why:
            raise AkbError(f"--set {given}: {name} {why}")
    return found


def switched_off(given: Settings, register: dict[str, Assumption], where: str) -> tuple[str, ...]:
    """Return the contact types that settings switch off.

    Raises
    ------
    AkbError
        If a type is unknown, or anything else is said of one.
    """
    types = {name.split(".")[1] for name in register if name.startswith("contacts.")}
    for key, table in given.contacts.items():
        if key not in types:
            raise AkbError(
                f"{where}: unknown contact type '{key}'{did_you_mean(key, types)}",
                "The report lists them all.",
            )
        if set(table) != {"enabled"}:
            raise AkbError(
                f"{where}: [contacts.{key}] can only be switched off with enabled = false",
                f'Write its numbers under [assumptions], as in "contacts.{key}.minutes" = 20.',
            )
    return tuple(key for key, table in given.contacts.items() if not table["enabled"])


def checked(
    values: Mapping[str, float], register: dict[str, Assumption], where: str, *, whole: bool
) -> dict[str, float]:
    """Return the values of a file, if they can be asked for.

    Raises
    ------
    AkbError
        If a name is unknown (with a suggestion), a value is impossible, or the change needs a new
        run.
    """
    for name, value in values.items():
        _check_changeable(name, register, f"{where}: ", whole=whole)
        why = register[name].complaint(value)
        if why:
            raise AkbError(f"{where}: {name} = {value:g} {why}")
    return dict(values)


def _check_changeable(
    name: str, register: dict[str, Assumption], where: str = "", *, whole: bool
) -> None:
    if name not in register:
        raise AkbError(
            f"{where}unknown assumption '{name}'{did_you_mean(name, register)}",
            "The report and summary.json list them all under their names.",
        )
    entry = register[name]
    # What serving costs teaches models who costs more than he brings, and no euro of the case
    # follows those.
    figures_alone = name.startswith("cost.")
    if entry.affects == "models" and (whole or not figures_alone):
        alone = " (its figures alone can: leave --out away)" if figures_alone else ""
        raise AkbError(
            f"the models were fitted with {name}, so a finished run cannot be worked out with "
            f"another value{alone}",
            f'Put "{name}" = … under [assumptions] in akb.toml and run akb eda --config akb.toml.',
        )


def _number(name: str, text: str) -> float:
    percent = text.endswith("%")
    try:
        value = float(text.removesuffix("%").strip().replace(",", "."))
    except ValueError:
        raise AkbError(
            f"--set {name}={text}: '{text}' is no number", "Write 0.25, 0,25 or 25%."
        ) from None
    return value / 100 if percent else value


def figures(
    folder: Path,
    summary: dict[str, Any],
    register: dict[str, Assumption],
    changed: dict[str, float],
    *,
    measured: Mapping[str, MeasuredEffect] | None = None,
    without: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the business case in the shape of the summary's ``business_case``: that of ``--out``,
    to the cent.

    Parameters
    ----------
    without
        Contact types that are switched off.

    Raises
    ------
    AkbError
        If the run has no business case.
    RefusedError
        If nothing is left of what the run kept of its customers.
    """
    from akb.core.garbage import seldom_collected
    from akb.report.chapters.case.facts import worded
    from akb.report.files.summary import case_summary
    from akb.report.plain import plain
    from akb.rerun import recomputed_case

    if not summary.get("case_basis"):
        raise AkbError(
            f"{folder} has no business case to work out again", "Its report says what was missing."
        )
    known = {name: register[name].measured(effect) for name, effect in (measured or {}).items()}
    before = {**register, **known}
    now = {
        **before,
        **{name: shipped(name, before).replaced(value) for name, value in changed.items()},
    }
    rows = [
        {"key": name, **entry.model_dump()}
        for name, entry in sorted(now.items())
        if not name.startswith(tuple(f"contacts.{key}." for key in without))
    ]
    with seldom_collected():
        case = recomputed_case(
            folder,
            changed,
            measured=measured,
            without=without,
            solver=_hours_bind(summary),
        )
    if case is None:
        raise AkbError(
            f"{folder} has no business case to work out again", "Its report says what was missing."
        )
    return case_summary({**plain(worded(case)), "changed": plain(changed)}, plain(rows))


def _hours_bind(summary: dict[str, Any]) -> bool:
    """Return whether the run's hours were short: only then is the plan a linear programme."""
    plan = summary["business_case"].get("plan") or {}
    return any(plan.get("hour_price", {}).values())


def shipped(name: str, register: dict[str, Assumption]) -> Assumption:
    """Return an assumption with the range that akb ships or an experiment measured, as `akb eda`
    would start from.
    """
    from akb.config import load_settings

    if register[name].source == "measured":
        return register[name]
    return load_settings().assumed().get(name, register[name])


def check_out(folder: Path, out: Path) -> None:
    """Raise AkbError if `out` is the run itself, lies inside it, or holds something that is no
    run.
    """
    from akb.store.folders import check_replaceable

    if folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise AkbError(
            f"{out} is the run itself or lies inside it; a run never changes",
            "Choose another --out.",
        )
    check_replaceable(out, [folder])


def closing_lines(before: dict[str, Any], case: dict[str, Any], out: Path | None) -> list[str]:
    """Return the case in a few lines, beside the one of the run."""
    report = [f"report: {out / 'report.html'}"] if out else []
    if not case["available"]:
        return [
            "no business case under these assumptions; the report says what is missing",
            *report,
        ]
    cohort, net, advice = case["cohort"], case["cohort"]["net"], case["advice"]
    was = f"; in the run {_euro(before['cohort']['net']['base'])}" if before["available"] else ""
    planned = sum(row["customers"] for row in case["plan"]["contacts"])
    payback = f"month {case['payback_month']}" if case["payback_month"] else "not within 5 years"
    running = case["running_year"]["net"]
    return [
        f"net of one year's contacts: {_euro(net['base'])} ({_euro(net['low'])} to "
        f"{_euro(net['high'])}){was}",
        f"benefit {_euro(cohort['benefit'])}, contacts {_euro(cohort['contacts'])}, price "
        f"{_euro(cohort['price'])}; "
        f"a running year: {_euro(running)}; payback: {payback}",
        f"customers contacted: {planned:,}; advice: {advice['key']} (net above zero in "
        f"{advice['probability']:.0%} of the draws)",
        *report,
    ]


def _euro(cents: float) -> str:
    return f"€ {cents / 100:,.0f}"
