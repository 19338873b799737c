"""From scores to work: who gets what, by whom, and how to test the list blind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.report.sections.risk import left_out, withheld

if TYPE_CHECKING:
    from akb.report.context import Context, Row


def facts(context: Context) -> dict[str, Any]:
    """Return the actions, lists, hours, service concept and recognition test."""
    value = context.bundle.value
    made: Any = value.figures.get("actions") if value else None
    if value is None or not made:
        return {"available": False, "missing": ["actions"]}
    return {
        "available": True,
        "missing": [],
        **{key: made[key] for key in ("euros", "by_action", "lists", "control_share", "own", "service")},
        "withheld": [{"key": key, "why": reason} for key, reason in withheld(context).items()],
        "alone": left_out(context, {key: count for key, count in made["alone"].items() if key != "nothing_pays"}),
        "workers": _workers(made["work"]["hours"]),
        "short": [
            {"level": row["key"], "hours": row["minutes"] / 60, "customers": round(row["customers"])}
            for row in made["work"]["short"]
            if row["customers"] >= context.limit
        ],
        "recognition": made["recognition"],
    }


def _workers(rows: list[Row]) -> list[Row]:
    """Return one row per person with the hours of both levels; those without a name at the end."""
    found: dict[str | None, Row] = {}
    for row in rows:
        person = found.setdefault(row["name"], {"name": row["name"]})
        person[f"{row['level']}_used"] = row["used"] / 60
        person[f"{row['level']}_available"] = row["available"] / 60
    columns = [f"{level}_{what}" for level in ("inside", "adviser") for what in ("used", "available")]
    people = [{"name": row["name"], **{column: row.get(column) for column in columns}} for row in found.values()]
    # an assumed colleague ("#3") without work is a row that tells nobody anything
    return [row for row in people if not str(row["name"]).startswith("#") or row["inside_used"] or row["adviser_used"]]
