"""``akb diff``: what is different between two runs; of identical ones nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from akb.commands import options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import polars as pl

_MOST = 25  # lines of a part, for people; --json has all
_NO_FIGURES = ("case_basis", "schema")  # draws and rows that the page's planner works on
_MOVED = 1e-6  # of a score: less is how a number was rounded


def diff(
    one: Annotated[Path, typer.Argument(metavar="A", help="The folder of a finished run.")],
    other: Annotated[Path, typer.Argument(metavar="B", help="That of another.")],
    json: options.Json = False,
) -> None:
    """Compare two runs: what was read, settings, figures, and the scores that moved. Identical runs
    give nothing.

    Example: akb diff out/before out/after
    """
    document = compared(one, other)
    if json:
        options.print_json({"schema": "akb.diff/1", **document})
        return
    for line in _lines(document):
        typer.echo(line)


def compared(one: Path, other: Path) -> dict[str, Any]:
    """Return what differs between two runs, by part; every part is empty where they are identical.

    Raises
    ------
    AkbError
        If one is no run, or one of another akb.
    """
    from akb.commands.case import read_summary
    from akb.store.manifest import manifest_of

    summaries = read_summary(one), read_summary(other)
    manifests = manifest_of(one), manifest_of(other)
    same_key = manifests[0].get("key_id") == manifests[1].get("key_id")
    figures = [
        {name: value for name, value in summary.items() if name not in _NO_FIGURES}
        for summary in summaries
    ]
    inputs = [
        {each["name"]: each["sha256"][:12] for each in manifest.get("inputs", ())}
        for manifest in manifests
    ]
    part = {
        "inputs": _changes(*inputs),
        "versions": _changes(*(manifest.get("versions", {}) for manifest in manifests)),
        "settings": _changes(*(_flat(manifest.get("settings", {})) for manifest in manifests)),
        "figures": _changes(*(_flat(document) for document in figures)),
        "scores": _moved(one, other, "scores.parquet") if same_key else {},
        "winback": _moved(one, other, "winback.parquet") if same_key else {},
    }
    return {**part, "key": [] if same_key else ["the two runs have other pseudonyms"]}


def _flat(document: Any, key: str = "") -> dict[str, Any]:
    """Return every value of a document by its place, as in ``risk.horizons[12].expected``."""
    from akb.report.keyed import labels

    if isinstance(document, dict):
        parts: Iterator[tuple[str, Any]] = iter(
            (f"{key}.{name}" if key else name, value) for name, value in document.items()
        )
    elif isinstance(document, list):
        parts = iter(
            (f"{key}[{label}]", value)
            for label, value in zip(labels(document), document, strict=True)
        )
    else:
        return {key: document}
    return {place: value for name, each in parts for place, value in _flat(each, name).items()}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return what is not the same: name -> [before, after]; None where it is missing."""
    names = [*before, *(name for name in after if name not in before)]
    return {
        name: [before.get(name), after.get(name)]
        for name in names
        if (name in before) != (name in after) or before.get(name) != after.get(name)
    }


def _moved(one: Path, other: Path, name: str) -> dict[str, Any]:
    """Return the customers that came and went, and per prediction how many scores moved, and how
    far at most.
    """
    import polars as pl

    before, after = pl.read_parquet(one / name), pl.read_parquet(other / name)
    if before.equals(after):
        return {}
    both = before.join(after, on="customer", how="inner", suffix=":after")
    columns = {
        key: moved
        for key in before.columns
        if key in after.columns and key != "customer" and (moved := _column(both, key))
    }
    facts = {
        "gone": before.height - both.height,
        "new": after.height - both.height,
        "columns": _changes(
            dict.fromkeys(before.columns, True), dict.fromkeys(after.columns, True)
        ),
        "moved": dict(sorted(columns.items(), key=lambda item: -item[1]["customers"])),
    }
    return {name: value for name, value in facts.items() if value}


def _column(both: pl.DataFrame, key: str) -> dict[str, Any]:
    import polars as pl

    before, after = pl.col(key), pl.col(f"{key}:after")
    if not (both.schema[key].is_numeric() and both.schema[f"{key}:after"].is_numeric()):
        count = both.select((~before.cast(pl.String).eq_missing(after.cast(pl.String))).sum())
        return {"customers": count.item()} if count.item() else {}
    far = (before - after).abs()
    other = (far > _MOVED).fill_null(value=False) | (before.is_null() != after.is_null())
    count, most = both.select(other.sum().alias("count"), far.max().alias("most")).row(0)
    return {"customers": count, "most": most} if count else {}


def _lines(document: dict[str, Any]) -> list[str]:
    lines: list[str] = list(document["key"])
    for part in ("inputs", "versions", "settings", "figures"):
        rows = [
            f"  {name}: {before} -> {after}" for name, (before, after) in document[part].items()
        ]
        lines += _titled(part, rows)
    for part in ("scores", "winback"):
        facts = document[part]
        rows = [
            f"  {facts[name]:,} customers {word}"
            for name, word in (("gone", "only in A"), ("new", "only in B"))
            if name in facts
        ]
        rows += [
            f"  {name}: only in {'B' if before is None else 'A'}"
            for name, (before, _) in facts.get("columns", {}).items()
        ]
        rows += [
            f"  {name}: {moved['customers']:,} customers moved"
            + (f", {moved['most']:.4g} at most" if moved.get("most") is not None else "")
            for name, moved in facts.get("moved", {}).items()
        ]
        lines += _titled(part, rows)
    return lines


def _titled(part: str, rows: list[str]) -> list[str]:
    more = [f"  … and {len(rows) - _MOST:,} more (--json has all)"] if len(rows) > _MOST else []
    return [part, *rows[:_MOST], *more] if rows else []
