"""Who may come in: a person, his role and offices, and a token that is stored hashed and shown
once.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from akb.core.errors import AkbError, did_you_mean
from akb.live.registry import now
from akb.live.serving.tables import audit, prepare
from akb.store.feedback import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from akb.live.book import ClientBook

Role = Literal["adviser", "manager"]
_COLUMNS = "person, name, role, offices, relations, added, revoked"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


@dataclass(frozen=True)
class Person:
    """Somebody who has, or had, a token.

    Parameters
    ----------
    number
        What stands in the audit log in place of the name.
    offices
        Whose customers he sees: names as the run has them, None for customers whose office no page
        names; None altogether: everybody's.
    relations
        Whether he may see relation numbers.
    """

    number: int
    name: str
    role: Role
    offices: tuple[str | None, ...] | None
    relations: bool
    added: str
    revoked: str | None

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "person": self.number,
            "name": self.name,
            "role": self.role,
            "offices": None if self.offices is None else list(self.offices),
            "relations": self.relations,
            "added": self.added,
            "revoked": self.revoked,
        }


@dataclass(frozen=True)
class Invitation:
    """What somebody may see who is to have a token."""

    name: str
    role: Role
    offices: tuple[str | None, ...] | None
    relations: bool = False


def token_hash(token: str) -> str:
    """Return what of a token is stored. It holds 256 bits of chance, so nothing slower is needed
    than for a password.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def invitation(
    name: str, role: Role, offices: Sequence[str], *, relations: bool, known: Sequence[str]
) -> Invitation:
    """Return what is asked for, checked.

    Parameters
    ----------
    offices
        Without one an adviser sees the customers whose office no page names, a manager everybody.
    known
        The offices that the run names.

    Raises
    ------
    AkbError
        If the name cannot be one, or the run knows no such office.
    """
    name = name.strip()
    if not name or len(name) > NAME or _CONTROL.search(name):
        raise AkbError(
            f"a name has 1 to {NAME} characters on one line", "It stands beside what he records."
        )
    for office in offices:
        if office not in known:
            listed = ", ".join(known) or "none"
            raise AkbError(
                f"the newest run has no office '{office}'{did_you_mean(office, known)}",
                f"Offices that it names: {listed}.",
            )
    seen: tuple[str | None, ...] | None = tuple(dict.fromkeys(offices))
    if not seen:
        seen = None if role == "manager" else (None,)
    return Invitation(name, role, seen, relations)


def add_person(book: ClientBook, invited: Invitation) -> str:
    """Add somebody and return his token, which nothing can show again.

    Raises
    ------
    AkbError
        If somebody of that name has a token.
    """
    token = f"akb-{secrets.token_urlsafe(32)}"
    prepare(book)
    with book.transaction() as state:
        try:
            made = state.execute(
                "INSERT INTO people (name, role, offices, relations, token, added) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    invited.name,
                    invited.role,
                    json.dumps(invited.offices),
                    int(invited.relations),
                    token_hash(token),
                    now(),
                ),
            )
        except sqlite3.IntegrityError:
            raise AkbError(
                "somebody of that name has a token already",
                "Take it back first, with --revoke, or add another name.",
            ) from None
        audit(state, "added", made.lastrowid)
    return token


def revoke(book: ClientBook, name: str) -> bool:
    """Take somebody's token back and return whether there was one.

    Raises
    ------
    AkbError
        If nobody of that name was ever added.
    """
    prepare(book)
    with book.transaction() as state:
        known = [row[0] for row in state.execute("SELECT name FROM people")]
        if name not in known:
            raise AkbError(
                f"nobody of that name has a token{did_you_mean(name, known)}",
                "akb serve --list shows who has.",
            )
        found = state.execute(
            "UPDATE people SET revoked = ? WHERE name = ? AND revoked IS NULL RETURNING person",
            (now(), name),
        ).fetchone()
        if found is not None:
            audit(state, "revoked", found[0])
    return found is not None


def people_of(book: ClientBook) -> list[Person]:
    """Return everybody who has or had a token."""
    prepare(book)
    with book.read() as state:
        return [
            _person(row) for row in state.execute(f"SELECT {_COLUMNS} FROM people ORDER BY person")
        ]


def people_by_token(state: sqlite3.Connection) -> dict[str, Person]:
    """Return hash of the token -> person, of those who may come in."""
    rows = state.execute(f"SELECT token, {_COLUMNS} FROM people WHERE revoked IS NULL")
    return {row[0]: _person(row[1:]) for row in rows}


def _person(row: Sequence[Any]) -> Person:
    number, name, role, offices, relations, added, revoked = row
    seen = json.loads(offices)
    return Person(
        number=number,
        name=name,
        role=role,
        offices=None if seen is None else tuple(seen),
        relations=bool(relations),
        added=added,
        revoked=revoked,
    )
