"""A finished run told again under other assumptions: from what the run kept as data, without the export."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
from jinja2 import UndefinedError

from akb.core.errors import RefusedError
from akb.report import html, scores
from akb.report.lists import case_candidates, list_heads
from akb.report.model import plain
from akb.report.sections import case as case_section
from akb.report.summary import as_bytes, summary
from akb.report.tables import dutch_cell, dutch_csv
from akb.report.words import Words

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from akb.report.context import Context
    from akb.value.types import BusinessCase

SCHEMA = "akb.report/1"
MODEL = "report.json"
CANDIDATES = "case_lists.parquet"
RANK = 1  # its column in a list
CUT = ("below_threshold", "no_hours")  # why a list ends


def kept_files(context: Context, model: dict[str, Any]) -> dict[str, bytes]:
    """Return what a run keeps so that its report and lists can be made again: the report as data, and candidates."""
    words = context.words
    model = {**model, "list_heads": list_heads(context)}
    document = {"schema": SCHEMA, "language": words.language, "money": words.money, "model": model}
    return {MODEL: as_bytes(document), CANDIDATES: scores.scores_parquet(case_candidates(context))}


def told_again(folder: Path, case: BusinessCase, register: list[dict[str, Any]], changed: Mapping[str, float]) -> None:
    """Rewrite report, summary, lists and scores of a run in `folder` as if it had been made with this case.

    Parameters
    ----------
    folder
        A copy of a finished run; never the run itself.
    register
        The assumptions as rows, in the order of the report.
    changed
        What differs from the run, by name.
    """
    document = json.loads((folder / MODEL).read_text("utf-8"))
    model = document["model"]
    words = Words(document["language"], document["money"])
    before = {row["key"]: row["value"] for row in model["assumptions"]}
    now = {row["key"]: row["value"] for row in register}
    told = plain(case_section.told(case))
    model["case"] = {**told, "basis": case.basis, "changed": dict(changed)}
    model["assumptions"] = plain(register)
    for row in model["headlines"]:
        if row["key"] == "net":
            row.update(value=case.net[1], low=case.net[0], high=case.net[2])
    for row in (model["value"].get("risk_value") or ()) if changed else ():
        row["expected_saving"] = None  # of the run's own assumptions
    table = pl.read_parquet(folder / CANDIDATES)
    _lists_again(folder, table, model, case, now)
    _scores_again(folder, before, now)
    try:
        page = html.render(model, words)
    except UndefinedError:
        raise RefusedError("the run was made by another akb; its report cannot be made again", "Run akb eda.") from None
    (folder / "report.html").write_bytes(page.encode())
    (folder / "summary.json").write_bytes(as_bytes(summary(model)))
    (folder / MODEL).write_bytes(as_bytes({**document, "model": model}))


def _lists_again(folder: Path, table: pl.DataFrame, model: dict[str, Any], case: BusinessCase, now: Any) -> None:
    """Cut both lists where the calls of this case end, and say what each call is expected to bring."""
    cost = 100 * now["cost.rate_office"] * now["contact.minutes"] / 60
    rescue = now["retention.rescue"]
    calls = {name: int(case.facts[f"contacts_{name}_count"]) for name in ("retention", "offer")}
    called: set[str] = set()
    if "retention" in case.basis["lines"]:
        rows = _first(table.filter(pl.col("list") == "top_defend"), calls["retention"])
        called = set(rows.filter(~pl.col("control"))["customer"])
        saving = [round(rescue * worth - cost) for worth in rows["worth"]]
        limits = [
            min(1.0, cost * worth / (rescue * stake * pays)) if rescue * stake * pays > 0 else 1.0
            for worth, stake, pays in rows.select("worth", "stake", "pays").iter_rows()
        ]
        new = {"expected_saving": [s / 100 for s in saving], "threshold": limits}
        _write(folder, "top_defend", model["list_heads"]["top_defend"], rows, new)
        _told_defend(model, rows, dict(zip(rows["customer"], saving, strict=True)), _paying(table, rescue, cost))
    if "cross_sell" in case.basis["lines"]:
        offers = table.filter(pl.col("list") == "next_best_policy").sort("place")
        spare = offers.filter(~pl.col("control") & ~pl.col("customer").is_in(list(called)) & (pl.col("pays") > 0))
        own = set(spare.sort("pays", "place", descending=[True, False])["customer"].head(calls["offer"]))
        talked = pl.col("customer").is_in(list(called)) & ~pl.col("control")
        talked &= (
            pl.col("pays") * now["cross_sell.uplift"]
            > 100 * now["cost.rate_office"] * now["contact.offer_minutes"] / 60
        )
        offers = offers.with_columns(
            own=pl.col("customer").is_in(list(own)), talk=talked & (now["cross_sell.uplift"] > 0)
        )
        length = int(case.facts["contacts_possible_count"])
        rows = offers.filter((pl.col("place") < length) | pl.col("own") | pl.col("talk"))
        flags = {"contact": rows["own"] | rows["talk"], "own_call": rows["own"]}
        _write(folder, "next_best_policy", model["list_heads"]["next_best_policy"], rows, flags)
        if model["products"].get("list"):
            model["products"]["list"]["customers"] = rows.height


def _first(table: pl.DataFrame, calls: int) -> pl.DataFrame:
    """Return the calls that earn most, with the members of the control group that would; in the list's own order."""
    free = table.filter(~pl.col("control")).sort("pays", "place", descending=[True, False]).head(calls)
    least = free["pays"].min() if free.height else float("inf")
    told = pl.col("customer").is_in(free["customer"].to_list()) | (pl.col("control") & (pl.col("pays") >= least))
    return table.filter(told).sort("place")


def _paying(table: pl.DataFrame, rescue: float, cost: float) -> int:
    """Return for how many customers, control group included, a call to keep them pays."""
    return table.filter((pl.col("list") == "top_defend") & (pl.col("pays") * rescue > cost)).height


def _told_defend(model: dict[str, Any], rows: pl.DataFrame, saving: Mapping[str, float], paying: int) -> None:
    told = model["risk"]["defend"]
    if not told:
        return
    by_short = {name[:6]: cents for name, cents in saving.items()}
    told["rows"] = [
        {**row, "expected_saving": by_short[row["customer"]] / 100}
        for row in told["rows"]
        if row["customer"] in by_short
    ]
    before, left_out = told["customers"], told["left_out"]
    free = before + sum(left_out.get(reason) or 0 for reason in CUT)  # everybody who may be called
    counts = {CUT[0]: max(0, free - paying), CUT[1]: max(0, paying - rows.height)}
    told["left_out"] = {reason: count for reason, count in left_out.items() if reason not in CUT} | {
        reason: None if count < model["suppress_below"] else count for reason, count in counts.items() if count
    }
    if rows.height != before:
        chance = rows["churn"].drop_nulls().to_numpy()
        told["customers"] = rows.height
        told["expected"] = float(chance.sum())
        told["share"] = float(chance.mean()) if len(chance) else None


def _write(folder: Path, name: str, heads: Mapping[str, Any], rows: pl.DataFrame, new: Mapping[str, Any]) -> None:
    keys, head = (list(heads[kind]) for kind in ("key", "head"))
    places = {key: keys.index(key) for key in new if key in keys}
    lines = []
    for number, cells in enumerate(rows["cells"].to_list(), start=1):
        cells[RANK] = str(number)
        for key, place in places.items():
            cells[place] = dutch_cell(new[key][number - 1], 4 if key == "threshold" else 2)
        lines.append(cells)
    (folder / "actions" / f"{name}.csv").write_bytes(dutch_csv(head, lines))


def _scores_again(folder: Path, before: Mapping[str, float], now: Mapping[str, float]) -> None:
    """Recompute top_defend = rescue x chance x stake - contact cost for everybody, from the old value."""
    table = pl.read_parquet(folder / "scores.parquet")
    old, new = ((v["retention.rescue"], v["cost.rate_office"] * v["contact.minutes"] / 60) for v in (before, now))
    if table["top_defend"].null_count() == table.height or old[0] <= 0 or old == new:
        return
    saving = (pl.col("top_defend") + old[1]) * (new[0] / old[0]) - new[1]
    table = table.with_columns(saving.cast(pl.Float32).alias("top_defend"))
    (folder / "scores.parquet").write_bytes(scores.scores_parquet(table))
    (folder / "scores.csv").write_bytes(scores.scores_csv(table))
