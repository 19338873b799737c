"""Which heading means what, and what role a file plays: ``configs/columns.toml`` read against a row
of headings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any

from akb.core.errors import AkbError, did_you_mean
from akb.core.privacy.identifiers import identifier_in
from akb.core.wording.text import load_toml
from akb.ingest.cells.texts import plain, shape
from akb.ingest.columns import consent_headings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROLES = ("policies", "customers", "claims", "contacts", "payments", "premiums")
_VALUE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}|-?\d+[.,]\d{2}")  # a date, an amount
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CUT_AT = 30  # headings this long may have been cut off (35 in the export that is known)
_CUT_KNOWN = 12
_HEADINGS_KNOWN = 3  # with so many known ones a row is one of headings, whatever else stands in it
_FAR_MORE = (
    4  # so many more columns of policies make a file of policies, even if a needed one is missing
)


class NoRoleError(AkbError):
    """A table that fits no role, with the role that it comes nearest to and how many of its columns
    it has.
    """

    def __init__(self, message: str, hint: str, role: str, columns: int) -> None:
        super().__init__(message, hint)
        self.role = role
        self.columns = columns


Holds = Callable[[str, str], bool]
"""Whether what stands under a heading can be a canonical column: (column, heading) -> yes or no."""


def _anything(_column: str, _heading: str) -> bool:
    return True


@dataclass(frozen=True)
class Headings:
    """What the headings of one file mean in one role.

    Parameters
    ----------
    role
        The role.
    at
        Canonical column -> position in the file.
    named
        Heading -> canonical column, None where unused.
    dropped
        Headings of direct identifiers: never read.
    leaking
        Headings whose values are of the day of the export on every row: never read.
    """

    role: str
    at: dict[str, int]
    named: dict[str, str | None]
    dropped: tuple[str, ...]
    leaking: tuple[str, ...] = ()

    def heading(self, canonical: str) -> str | None:
        """Return the heading of a canonical column, None where the file has none."""
        return next((heading for heading, name in self.named.items() if name == canonical), None)


def key_of(heading: str) -> str:
    """Return a heading without case, accents, punctuation and spaces."""
    return plain(heading).replace(" ", "")


@cache
def _table() -> dict[str, Any]:
    return load_toml("columns.toml")


@cache
def _synonyms(role: str) -> dict[str, tuple[str, int]]:
    """Return key -> (canonical, rank); the canonical name itself is a synonym too, ranked last."""
    found: dict[str, tuple[str, int]] = {}
    for canonical, words in _table()[role].items():
        for rank, word in enumerate([*words, canonical]):
            found.setdefault(key_of(word), (canonical, rank))
    return found


@cache
def _identifiers() -> dict[str, str]:
    return {key_of(word): kind for kind, words in _table()["identifiers"].items() for word in words}


@cache
def _entities() -> tuple[str, ...]:
    return tuple(
        sorted((key_of(word) for word in _table()["entities"]), key=lambda word: (-len(word), word))
    )


_UNITS = (
    (re.compile(r"(?i)[(\[]?\b(?:in\s+)?(?:eur|euro'?s?)\b[)\]]?|[(\[]?\bj\s*/\s*n\b[)\]]?"), " "),
    (
        re.compile(r"(?i)(?:\bp\s*[./]\s*|(?<!\bt)\s*/\s*|\bper\s+)(?:m|mnd|maand)\b\.?"),
        " per maand ",
    ),
    (re.compile(r"(?i)(?:\bp\s*[./]\s*|\s*/\s*|\bper\s+)(?:j|jr|jaar)\b\.?"), " per jaar "),
    (re.compile(r"(?i)(?:\bp\s*[./]\s*|\s*/\s*|\bper\s+)(?:t|term|termijn)\b\.?"), " per termijn "),
)


@cache
def spelled_out(heading: str) -> str:
    """Return a heading without its currency and "J/N", with "p/m", "/jr" and "per mnd." in full."""
    for short, full in _UNITS:
        heading = short.sub(full, heading)
    return heading


@cache
def _keys(heading: str) -> tuple[str, ...]:
    """Return the keys under which a heading may be known, the fullest first."""
    full = key_of(heading)
    field = key_of(heading.rsplit("->", 1)[-1])
    if "->" not in heading and " " not in heading:
        field = key_of(heading.rsplit(".", 1)[-1]) or full  # policy.contractNumber
    keys = [full, field]
    for entity in _entities():
        if field.startswith(entity) and len(field) > len(entity) + 2:
            keys.append(field[len(entity) :])
        if field.endswith(entity) and len(field) > len(entity) + 2:
            keys.append(field[: -len(entity)])
    spelled = key_of(spelled_out(heading.rsplit("->", 1)[-1]))
    return tuple(dict.fromkeys([*keys, spelled] if spelled else keys))


_STATES = ("is_ended", "is_running")
_BOX = re.compile(
    r"^(?:(?:polis|policy|contract|is|ind|indicatie|indicator|vlag|flag|nog)\s+)+"
    r"|(?:\s+(?:nog|ind|indicatie|indicator|vlag|flag|ja\s+nee|yes\s+no|j\s+n|y\s+n))+$"
)


def _state(heading: str) -> str:
    """Return what a box is about: ``vervallen`` of "Is vervallen", ``loopt`` of "Loopt nog"."""
    return key_of(_BOX.sub("", plain(_CAMEL.sub(" ", heading))))


@cache
def _match(heading: str, role: str) -> tuple[str, int] | None:
    """Return (canonical, rank) of a heading in a role; None if it is unknown there."""
    synonyms = _synonyms(role)
    for depth, key in enumerate(_keys(heading)):
        if key in synonyms and not (depth and _keys(heading)[0] in _identifiers()):
            canonical, rank = synonyms[key]
            return canonical, rank + 100 * depth
    canonical, rank = synonyms.get(_state(heading), ("", 0))
    if canonical in _STATES:
        return canonical, rank + 900
    if len(heading) >= _CUT_AT:
        for key in _keys(heading)[:2]:
            cut = [
                value
                for word, value in synonyms.items()
                if len(key) >= _CUT_KNOWN and word.startswith(key)
            ]
            if cut:
                return cut[0][0], cut[0][1] + 1000
    return None


def _is_identifier(heading: str) -> bool:
    keys, known = _keys(heading), _identifiers()
    if any(key in known for key in keys):
        return True
    return len(heading) >= _CUT_AT and any(
        len(key) >= _CUT_KNOWN and word.startswith(key) for key in keys[:2] for word in known
    )


@cache
def _leaking_words() -> tuple[str, ...]:
    return tuple(key_of(word) for word in _table()["leaks"]["words"])


def _leaks(heading: str) -> bool:
    keys = _keys(heading)[:2]
    cut = len(heading) >= _CUT_AT
    return any(
        key == word or (cut and len(key) >= _CUT_KNOWN and word.startswith(key))
        for key in keys
        for word in _leaking_words()
    )


def map_headings(headings: Sequence[str], role: str, given: Mapping[str, str]) -> Headings:
    """Return what `headings` mean in `role`.

    Parameters
    ----------
    headings
        Unique headings, in the order of the file.
    role
        The role.
    given
        Canonical column -> heading from the client's settings; these win.

    Raises
    ------
    AkbError
        If a setting names an unknown canonical column.
    """
    table = _table()[role]
    for canonical in given:
        if canonical not in table:
            raise AkbError(
                f"[ingest.columns.{role}]: unknown column "
                f"'{canonical}'{did_you_mean(canonical, table)}",
                f"akb knows {', '.join(table)}.",
            )
    at: dict[str, int] = {}
    by_key = {
        key_of(heading): position for position, heading in reversed(list(enumerate(headings)))
    }
    for canonical, heading in given.items():
        if heading in headings:
            at[canonical] = headings.index(heading)
        elif key_of(heading) in by_key:
            at[canonical] = by_key[key_of(heading)]
    taken = set(at.values())
    best: dict[str, tuple[int, bool, int]] = {}
    for position, heading in enumerate(headings):
        match = None if position in taken else _match(heading, role)
        if match and match[0] not in at:
            candidate = (match[1], "oms->" not in heading.lower(), position)
            best[match[0]] = min(best.get(match[0], candidate), candidate)
    at |= {canonical: position for canonical, (_, _, position) in best.items()}
    meaning = {position: canonical for canonical, position in at.items()}
    if role in consent_headings.ROLES:
        meaning |= _about_marketing(headings, at, given)
    named = {heading: meaning.get(position) for position, heading in enumerate(headings)}
    dropped = tuple(
        heading
        for heading, canonical in named.items()
        if canonical is None and _is_identifier(heading)
    )
    leaking = tuple(
        heading for heading, canonical in named.items() if canonical is None and _leaks(heading)
    )
    return Headings(role, at, named, dropped, leaking)


def _about_marketing(
    headings: Sequence[str], at: dict[str, int], given: Mapping[str, str]
) -> dict[int, str]:
    """Add every other column about marketing, the second of a kind as "no_marketing (2)"; return
    what they mean.
    """
    found: dict[int, str] = {}
    for position, heading in enumerate(headings):
        column = None if position in at.values() else consent_headings.consent_column(heading)
        if column and column not in given and not _leaks(heading):
            number = sum(consent_headings.is_consent(name, column) for name in at) + 1
            at[column if number == 1 else f"{column} ({number})"] = position
            found[position] = column
    return found


def recognised(headings: Sequence[str], given: Mapping[str, Mapping[str, str]]) -> int:
    """Return how many headings are known in the role that knows most of them."""
    own = {key_of(heading) for columns in given.values() for heading in columns.values()}
    named = sum(key_of(heading) in own for heading in headings) if own else 0
    words = [heading for heading in headings if any(sign.isalpha() for sign in heading)]
    matches = ({_match(word, role) for word in words} - {None} for role in ROLES)
    return named + max(len({match[0] for match in found if match}) for found in matches)


def needed(mapping: Headings) -> list[list[str]]:
    """Return the columns that a role needs; of each list one that is there will do, so only those
    remain.
    """
    groups: list[list[str]] = _table()["roles"][mapping.role]["needed"]
    return [[name for name in group if name in mapping.at] or group for group in groups]


def missing(mapping: Headings) -> list[str]:
    """Return the needed columns that a mapping lacks (one of several as ``a or b``)."""
    return [
        " or ".join(group)
        for group in needed(mapping)
        if not any(name in mapping.at for name in group)
    ]


def fits(mapping: Headings, *, given: bool = False) -> bool:
    """Say whether a file can play the mapping's role; one whose role is `given` need not look like
    it.
    """
    role = _table()["roles"][mapping.role]
    return (
        not missing(mapping)
        and (given or any(name in mapping.at for name in role["signature"]))
        and not any(name in mapping.at for name in role.get("never", []))
    )


def find_role(
    headings: Sequence[str],
    given: Mapping[str, Mapping[str, str]],
    where: str,
    role: str | None = None,
    holds: Holds = _anything,
) -> Headings:
    """Return the role of a file and what its headings mean.

    Raises
    ------
    NoRoleError
        If no role fits: with the headings found, the needed columns and the nearest headings that
        can be them.
    """
    mappings = [
        map_headings(headings, name, given.get(name, {})) for name in ([role] if role else ROLES)
    ]
    fitting = [mapping for mapping in mappings if fits(mapping, given=role is not None)]
    if fitting:
        found = max(fitting, key=lambda mapping: (len(mapping.at), -ROLES.index(mapping.role)))
        if role is None and len(mappings[0].at) >= len(found.at) + _FAR_MORE:
            raise _unfit(
                headings, mappings[0], where, holds
            )  # policies without their start, not customers
        present = {key_of(heading) for heading in headings}
        lost = [
            heading
            for heading in given.get(found.role, {}).values()
            if key_of(heading) not in present
        ]
        if lost:
            raise AkbError(
                f"{where}: [ingest.columns.{found.role}] names '{lost[0]}', which is not among "
                f"the headings"
                f"{did_you_mean(lost[0], headings)}",
                f"Headings found: {listed(headings)}",
            )
        return found
    guess = max(mappings, key=lambda mapping: (len(mapping.at), -ROLES.index(mapping.role)))
    if len(mappings[0].at) >= len(guess.at) - 1:
        guess = mappings[0]  # a file that could hold policies is meant to hold policies
    raise _unfit(headings, guess, where, holds)


def nearly_policies(
    headings: Sequence[str], given: Mapping[str, Mapping[str, str]], found: Headings, where: str
) -> NoRoleError | None:
    """Return what a file lacks to hold policies, if it knows more columns of them than of the role
    it was given.
    """
    mapping = map_headings(headings, "policies", given.get("policies", {}))
    enough = len(mapping.at) >= max(_HEADINGS_KNOWN, len(found.at) + 1)
    return _unfit(headings, mapping, where) if enough and missing(mapping) else None


def _unfit(
    headings: Sequence[str], guess: Headings, where: str, holds: Holds = _anything
) -> NoRoleError:
    lacking = missing(guess) or [" or ".join(_table()["roles"][guess.role]["signature"])]
    if len(guess.at) < _HEADINGS_KNOWN and _looks_like_data(headings):
        return NoRoleError(
            f"{where}: no headings recognised; the first row looks like data "
            f"({listed([shape(heading, 12) for heading in headings], 12)})",
            "akb needs a row of headings, with at least a customer, a policy and a start date.",
            guess.role,
            len(guess.at),
        )
    taken = set(guess.at.values())
    lines: list[str] = []
    for names in lacking:
        near = _nearest(headings, guess.role, names, taken, holds)
        lines.append(f'  {names.split(" or ")[0]} = "{near or "heading in your file"}"')
        taken |= {headings.index(near)} if near else set()
    return NoRoleError(
        f"{where}: {'no headings recognised' if not guess.at else 'needed column not found'}: "
        f"{', '.join(lacking)} "
        f"(for {guess.role})",
        f"Headings found: {listed(headings)}. Name the right one in akb.toml and give it with "
        f"--config:\n"
        f"  [ingest.columns.{guess.role}]\n" + "\n".join(lines),
        guess.role,
        len(guess.at),
    )


def _nearest(
    headings: Sequence[str], role: str, lacking: str, taken: set[int], holds: Holds
) -> str | None:
    """Return the unused heading that looks most like a lacking column, if what stands there can be
    it.
    """
    wanted = lacking.split(" or ")
    free = {
        key_of(heading): heading
        for position, heading in enumerate(headings)
        if position not in taken and heading
    }
    for name in wanted:
        for word in [*_table()[role][name], name]:
            for near in get_close_matches(key_of(word), list(free), n=3, cutoff=0.75):
                if holds(name, free[near]):
                    return free[near]
    others = [name for name in _table()[role] if name not in wanted]
    found = proposals(list(free.values()), role, others)
    return next((heading for name, heading in found.items() if holds(name, heading)), None)


def proposals(unused: Sequence[str], role: str, there: Sequence[str]) -> dict[str, str]:
    """Return canonical column -> unused heading that may well be it, for columns that a role's
    files lack.

    A heading may abbreviate a known one word by word ("Prem. p/jr"), as a whole ("Roydat"), or
    nearly be one."""
    found: dict[str, str] = {}
    for heading in unused:
        short = plain(_CAMEL.sub(" ", heading.rsplit("->", 1)[-1]))
        words = {
            name: known for name, known in _table()[role].items() if name not in (*there, *found)
        }
        abbreviated = (
            name
            for name, known in words.items()
            if any(_abbreviates(short, plain(word)) for word in known)
        )
        near = get_close_matches(
            key_of(short), [key_of(word) for known in words.values() for word in known], 1, 0.85
        )
        column = next(abbreviated, None) or (_synonyms(role)[near[0]][0] if near else None)
        if column and column not in (*there, *found):
            found[column] = heading
    return found


def _abbreviates(short: str, word: str) -> bool:
    if len(short) < 4:
        return False
    parts, whole = short.split(), word.split()
    if len(parts) == len(whole) and all(
        _begins(part, full) for part, full in zip(parts, whole, strict=True)
    ):
        return True
    joined, full = short.replace(" ", ""), word.replace(" ", "")
    return len(joined) >= 5 and joined[:3] == full[:3] and _spread(joined, full)


def _begins(part: str, word: str) -> bool:
    """Whether a word is cut off ("verz", "p") or drawn together ("jr")."""
    return word.startswith(part) or (
        part[0] + part[-1] == word[0] + word[-1] and _spread(part, word)
    )


def _spread(part: str, word: str) -> bool:
    """Whether the letters of `part` stand in `word` in the same order."""
    letters = iter(word)
    return all(letter in letters for letter in part)


def _looks_like_data(headings: Sequence[str]) -> bool:
    filled = [heading for heading in headings if heading.strip()]
    if any(
        _VALUE.fullmatch(heading.strip()) or identifier_in(heading) or "…" in heading
        for heading in filled
    ):
        return True
    return bool(filled) and sum(any(c.isdigit() for c in heading) for heading in filled) * 2 >= len(
        filled
    )


def listed(headings: Sequence[str], most: int = 40) -> str:
    """Return headings as a list for a person; long numbers in them are masked, they may be data."""
    more = len(headings) - most
    return "; ".join(map(safe_heading, headings[:most])) + (
        f"; and {more} more" if more > 0 else ""
    )


def safe_heading(heading: str) -> str:
    """Return a heading as it may be told: what looks like data is masked."""
    masked = sum(sign.isdigit() for sign in heading) >= 6 or identifier_in(heading)
    return (shape(heading) if masked else heading)[:60]
