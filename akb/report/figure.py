"""A figure: a finding as title, the measure below it, the plot, its numbers, and what to do with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from akb.report.plots import Axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.report.words import Words

Row = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A figure ready for the page; `rows` are its exact numbers, formatted, under `head`."""

    id: str
    title: str
    subtitle: str
    action: str
    alt: str
    plot: dict[str, Any]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class Maker:
    """What every figure is made of: the report model and its words."""

    model: Row
    words: Words

    def axis(self, kind: str, key: str, **values: object) -> Axis:
        """Return an axis with its title from the texts."""
        return Axis(kind, self.words.plain(f"axis.{key}", **values))

    def figure(
        self,
        key: str,
        plot: dict[str, Any],
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        variant: str = "title",
        action: str = "action",
        **values: object,
    ) -> Figure:
        """Return a figure whose words stand under ``[figure.<key>]``; `variant` and `action` name what fits."""
        say = self.words.plain
        return Figure(
            id=key,
            title=say(f"figure.{key}.{variant}", **values),
            subtitle=say(f"figure.{key}.subtitle", **values),
            action=say(f"figure.{key}.{action}", **values),
            alt=say(f"figure.{key}.alt", **values),
            plot=plot,
            head=tuple(say(f"head.{name}") for name in head),
            rows=tuple(tuple(row) for row in rows),
        )
