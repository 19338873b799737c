"""The table of all features: ``python -m akb.features.docs`` writes ``docs/features.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.catalogue.directions import check_features, directions
from akb.config import Settings
from akb.core.wording.text import configs_dir
from akb.features.branch_rows.eligible import ELIGIBLE
from akb.features.branch_rows.held import HELD
from akb.features.events import CHANNELS
from akb.features.groups import groups
from akb.features.registry import World
from akb.features.themes import every_theme, every_topic

if TYPE_CHECKING:
    from pathlib import Path

    from akb.features.types import Feature

_HEAD = """# The features

Written by `python -m akb.features.docs`; a test keeps it up to date. Every feature sees the
portfolio as it was known on the as-of date T, and is null where it would look further back than the
history was recorded. `{branch}` stands for one feature per branch of the portfolio. *Now* marks
attributes of which the source keeps today's value only. Look-back is in months; claims, contacts,
payments, premiums and ended policies each have a recorded history of their own.

The premium, commission, status and change date that the back office shows today are never features,
nor are sex and claims about health, disability, absence or death (or of an unknown branch). Premium
features exist only where the export has dated premiums, and say something only at a T at which the
premiums of 95 % of the policies in force were known.

Columns of the export without a role add features of their own, named `col_` and the heading: the
mean of a number, the share of each answer and the lapse rate of a category (docs/settings.md).
Columns of today's values that show who has ended are no features.

*Sure* says for which kinds of outcome the field is sure that they rise (+) or fall (-) with the
feature, other things equal; the trees may not learn the opposite. Why stands in
`configs/directions.toml`.
"""
_BRANCH = "\nBranch rows (per T, customer and branch) add:\n"


def every_feature() -> list[tuple[Feature, int]]:
    """Return each feature of a portfolio that has everything, with its look-back in months."""
    taxonomy = Settings().taxonomy()
    records = {"ends": 0, "claims": 0, "contacts": 0, "payments": 0, "premiums": 0}
    world = World(
        {"{branch}": taxonomy["overig"]},
        31,
        records,  # type: ignore[arg-type]
        themes=dict.fromkeys(every_theme(), (0,)),
        topics=every_topic(),
        channels=CHANNELS,
        claimed=every_theme(),
    )
    return [(column.feature, column.back) for group in groups(world) for column in group.columns]


def every_row() -> tuple[Feature, ...]:
    """Return every feature, of customers and of branch rows."""
    return (*(feature for feature, _ in every_feature()), *HELD, *ELIGIBLE)


def table() -> str:
    """Return ``docs/features.md``.

    Raises
    ------
    AkbError
        If ``configs/directions.toml`` names a feature that does not exist.
    """
    check_features(directions(), {feature.name for feature in every_row()})
    matrix = [_row(feature, str(back or "")) for feature, back in every_feature()]
    branch = [_row(feature, "") for feature in (*HELD, *ELIGIBLE)]
    head = [
        "| feature | group | meaning | unit | look-back | now | sure |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join(
        [_HEAD, f"{len(matrix)} per customer:\n", *head, *matrix, _BRANCH, *head, *branch, ""]
    )


def _row(feature: Feature, back: str) -> str:
    now = "now" if feature.current else ""
    signs = directions().get(feature.name, {}).items()
    sure = ", ".join(f"{outcome} {'+' if sign > 0 else '-'}" for outcome, sign in signs)
    cells = (f"`{feature.name}`", feature.group, feature.meaning, feature.unit, back, now, sure)
    return "| " + " | ".join(map(str, cells)) + " |"


def path() -> Path:
    """Return where the table stands in the repository."""
    return configs_dir().parent / "docs" / "features.md"


if __name__ == "__main__":
    path().write_text(table(), encoding="utf-8")
