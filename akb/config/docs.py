"""The tables of ``docs/settings.md``: ``python -m akb.config.docs`` writes the ladder and the
register into it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from akb.config.register import LIMITS
from akb.config.settings import Settings
from akb.core.wording.text import configs_dir

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from akb.config.contacts import ContactType, Effect
    from akb.config.register import Assumption

_BLOCK = r"(<!-- {name}: written by python -m akb\.config\.docs -->\n).*?(<!-- end of {name} -->)"


def ladder_table() -> str:
    """Return the shipped ladder: what a contact takes, and what it changes, as low / base /
    high.
    """
    rows = [_contact(key, contact) for key, contact in Settings().ladder().items()]
    return _table(
        (
            "type",
            "whose minutes",
            "takes",
            "for",
            "consent",
            "relation",
            "policy",
            "purchase, points",
        ),
        rows,
    )


def _contact(key: str, contact: ContactType) -> tuple[str, ...]:
    takes = [f"{contact.minutes:g} min"] if contact.minutes else []
    takes += [f"€ {contact.cost:.2f}"] if contact.cost else []
    if contact.follow_up:
        takes.append(f"{contact.follow_up:.0%} × {contact.follow_up_minutes:g} min of an adviser")
    takes += [f"{contact.sale_minutes:g} min a sale"] if contact.sale_minutes else []
    aims = ", ".join(contact.purposes) + (
        f"; {contact.branches} branches" if contact.branches > 1 else ""
    )
    return (
        f"`{key}`: {contact.label_en}",
        contact.pool,
        ", ".join(takes),
        aims,
        contact.consent,
        _effect(contact.relation),
        _effect(contact.policy),
        _effect(contact.purchase, 100),
    )


def _effect(effect: Effect, times: float = 1) -> str:
    return " / ".join(
        f"{round(times * end, 6):g}" for end in (effect.low, effect.base, effect.high)
    )


def register_table() -> str:
    """Return every entry of the register, in the order of what it touches."""
    order = ("models", "value", "plan", "case")
    entries = sorted(
        Settings().assumed().items(), key=lambda each: (order.index(each[1].affects), each[0])
    )
    head = ("name", "affects", "kind", "value", "low to high", "unit", "source", "owner", "label")
    return _table(head, [_assumption(name, entry) for name, entry in entries])


def _assumption(name: str, entry: Assumption) -> tuple[str, ...]:
    value, span = (
        (f"{entry.value:g}", f"{entry.low:g} to {entry.high:g}") if entry.supplied else ("–", "–")
    )
    return (
        f"`{name}`",
        entry.affects,
        entry.kind,
        value,
        span,
        entry.unit,
        entry.source,
        entry.owner,
        entry.label,
    )


def kinds_table() -> str:
    """Return what values each kind of number may have."""
    kinds = sorted({entry.kind for entry in Settings().assumed().values()})
    rows = []
    for kind in kinds:
        least, most, _ = LIMITS.get(kind, (0, float("inf"), ""))
        rows.append((kind, f"{least:g}", "–" if most == float("inf") else f"{most:g}"))
    return _table(("kind", "at least", "at most"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def written(text: str) -> str:
    """Return ``docs/settings.md`` with its tables as they should be.

    Raises
    ------
    ValueError
        If the place of a table is gone.
    """
    for name, table in {
        "ladder": ladder_table(),
        "kinds": kinds_table(),
        "register": register_table(),
    }.items():
        block = re.compile(_BLOCK.format(name=name), re.DOTALL)
        if len(block.findall(text)) != 1:
            raise ValueError(f"docs/settings.md has no place for the table '{name}'")
        text = block.sub(lambda found, table=table: f"{found[1]}\n{table}\n{found[2]}", text)  # type: ignore[misc]
    return text


def path() -> Path:
    """Return where the page stands in the repository."""
    return configs_dir().parent / "docs" / "settings.md"


if __name__ == "__main__":
    path().write_text(written(path().read_text("utf-8")), encoding="utf-8")
