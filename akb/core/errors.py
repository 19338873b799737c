"""Errors that speak to the person who ran the command."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class AkbError(Exception):
    """A problem that the user can solve: one sentence on what is wrong, one on what to do.

    Parameters
    ----------
    message
        What is wrong, with file, line and column where they are known. Never a person's data.
    hint
        What to do about it.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class RefusedError(AkbError):
    """The command is understood and refused: a drifted or incompatible schema, a folder that is not
    akb's.
    """

    exit_code = 3


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known name (case means nothing), or an empty
    string.
    """
    names = {word.lower(): word for word in known}
    near = get_close_matches(name.lower(), list(names), n=1, cutoff=0.6)
    return f"; did you mean '{names[near[0]]}'?" if near else ""
