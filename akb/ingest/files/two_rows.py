"""Headings in two rows, the upper one over several columns: "Polis" over "Nummer" and "Ingang"."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LEAST = 2
_WIDEST = 500
_HEADINGS = (
    3  # with so many known ones a row is one of headings, and worth a look at what stands above it
)


def merged(
    upper: Sequence[str | None], lower: Sequence[str | None], known: Callable[[Sequence[str]], int]
) -> list[str]:
    """Return the headings of a row with what stands above them, where more of them are known so;
    else as they are.

    An upper cell holds until the next one that is filled. A heading that occurs twice always gets
    what stands above it; another one only if it is not known by itself.

    Parameters
    ----------
    upper, lower
        The row above the headings, and the headings.
    known
        How many headings of a row are recognised.
    """
    plain = [_words(cell) for cell in lower]
    groups = _spread([_words(cell) for cell in upper], len(plain))
    if len({group for group in groups if group}) < _LEAST or len(plain) > _WIDEST:
        return plain
    twins = {heading for heading in plain if heading and plain.count(heading) > 1}
    best = [
        f"{group} {heading}" if group and heading in twins else heading
        for group, heading in zip(groups, plain, strict=True)
    ]
    for place, (group, heading) in enumerate(zip(groups, plain, strict=True)):
        if group and heading:
            ways = ([] if heading in twins else [heading]) + [
                f"{group} {heading}",
                f"{heading} {group}",
            ]
            ways = [way for way in ways if known([way])]
            counts = (
                [known([*best[:place], way, *best[place + 1 :]]) for way in ways]
                if len(ways) > 1
                else [1]
            )
            best[place] = ways[counts.index(max(counts))] if ways else best[place]
    return best if known(best) > known(list(dict.fromkeys(plain))) else plain


def known_together(
    upper: Sequence[str | None], lower: Sequence[str | None], known: Callable[[Sequence[str]], int]
) -> int:
    """Return how many headings of a row are recognised, with what stands above them where that says
    more.
    """
    plain = [_words(cell) for cell in lower]
    hits = known(plain)
    return max(hits, known(merged(upper, plain, known))) if hits >= _HEADINGS else hits


def _words(cell: str | None) -> str:
    return " ".join((cell or "").split())


def _spread(upper: list[str], width: int) -> list[str]:
    held, result = "", []
    for cell in [*upper, *[""] * width][:width]:
        held = cell or held
        result.append(held)
    return result
