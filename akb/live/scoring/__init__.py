"""``akb score``: a new export scored with stored models, and one customer in a call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.imports import asked_for

if TYPE_CHECKING:
    from akb.live.scoring.story import Scored, ScoreRequest, score

__all__ = ["ScoreRequest", "Scored", "score"]

_WHERE = {"ScoreRequest": "story", "Scored": "story", "score": "story"}


def __getattr__(name: str) -> Any:
    return asked_for(__name__, _WHERE, name)
