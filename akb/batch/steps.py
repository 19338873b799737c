"""What is done for one office, in a process of its own: look at its lapses, and run it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from akb.config import Sisters
    from akb.pipeline import Request
    from akb.value.actuarial.sisters import OfficeExperience


@dataclass(frozen=True)
class OfficePreview:
    """What an office lets others use, and how many customers it has in force; or why it cannot be
    read.
    """

    experience: OfficeExperience | None = None
    customers: int = 0
    error: str = ""


@dataclass(frozen=True)
class OfficeRun:
    """The summary of an office's run, or why there is none."""

    summary: dict[str, Any] = field(default_factory=dict)
    error: str = ""


class _Quiet:
    """A progress that says nothing."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        yield

    def detail(self, message: str) -> None:
        pass


def previewed(request: Request) -> OfficePreview:
    """Read an office and count its lapses; nothing is fitted."""
    from akb.pipeline import read
    from akb.value.actuarial.sisters import experience_of
    from akb.value.in_force import InForce

    try:
        portfolio = read(request)
    except AkbError as error:
        return OfficePreview(error=error.message)
    settings = request.settings.with_branches(portfolio.own_branches)
    base = InForce(portfolio, None, settings)  # type: ignore[arg-type]  # no model is asked
    return OfficePreview(experience_of(base), base.n)


def run_office(request: Request, sisters: Sisters | None) -> OfficeRun:
    """Run an office into its folder, with what its sisters lend it."""
    from akb.pipeline import eda

    if sisters is not None:
        settings = request.settings.model_copy(update={"sisters": sisters})
        request = replace(request, settings=settings)
    try:
        return OfficeRun(eda(request, _Quiet()).summary)
    except AkbError as error:
        return OfficeRun(error=error.message)
