"""A figure: a finding as title, the measure below it, the plot, its numbers, and what to do with
it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from akb.report.page.plots import Axis
from akb.report.typed import Facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from akb.report.model import ReportModel
    from akb.report.words import Words

T = TypeVar("T", bound=Facts)


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
    """What every figure is made of: the facts of the chapters, whose numbers know their keys, and
    the words.
    """

    model: ReportModel
    words: Words

    @property
    def as_of(self) -> date:
        """The day from which we look."""
        return self.model.as_of

    def of(self, kind: type[T]) -> T:
        """Return the facts of a kind."""
        return self.model.of(kind)

    def axis(self, kind: str, key: str, **values: object) -> Axis:
        """Return an axis with its title from the texts."""
        return Axis(kind, self.words.plain(f"axis.{key}", **values))

    def figure(
        self,
        key: str,
        plot: dict[str, Any],
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        variant: str = "title",
        action: str = "action",
        **values: object,
    ) -> Figure:
        """Return a figure whose words stand under ``[figure.<key>]``; `variant` and `action` name
        what fits.
        """
        say = self.words.html
        return Figure(
            id=key,
            title=say(f"figure.{key}.{variant}", **values),
            subtitle=say(f"figure.{key}.subtitle", **values),
            action=say(f"figure.{key}.{action}", **values),
            alt=self.words.plain(f"figure.{key}.alt", **values),
            plot=plot,
            head=tuple(say(f"head.{name}") for name in head),
            rows=tuple(tuple(row) for row in rows),
        )
