"""A console that says nothing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Quiet:
    """A console that says nothing."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def stage(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()

    def detail(self, message: str) -> None:
        pass
