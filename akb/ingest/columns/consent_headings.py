"""Headings about marketing: who objected, or who may be written to, in whatever words an office has
for it.

A heading that akb does not know loses every objection under it, so these are known by what they
speak of: "Niet mailen", "HasOptedOutOfEmail", "Marketing geblokkeerd", "Mag gebeld worden". A file
may have several, for telephone and post; an objection in one of them is one
(`akb.ingest.customers.consent`).
"""

from __future__ import annotations

import re
from functools import cache

from akb.ingest.cells.texts import plain

ROLES = frozenset({"policies", "customers"})
OBJECTION, PERMISSION = "no_marketing", "mailing"
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WAYS = (
    r"(?:e ?mail\w*|mail\w*|bel|bellen|gebeld|call\w*|contact\w*|benader\w*|marketing|"
    r"nieuwsbrief\w*|newsletter\w*|"
    r"reclame|commerci\w*|acties|promo\w*|adverti\w*|post|aanschrijven|aangeschreven|phone|"
    r"telefo\w*|sms|whatsapp)"
)
_OBJECTION = re.compile(
    r"\b(?:bezwaar|bezwaren|(?:recht van )?verzet|opt(?:ed)? ?out|optout|dnc|unsubscrib\w*|"
    r"uitgeschreven|afgemeld|"
    rf"suppress\w*|objection|objects?|objected|geen {_WAYS}|niet {_WAYS}|no {_WAYS}|"
    rf"not (?:to )?{_WAYS}|"
    rf"bel me niet|wil geen|do not|{_WAYS} (?:uitsluiten|geweigerd|geblokkeerd|blokkade)|"
    rf"{_WAYS}blokk\w*|blokk\w* {_WAYS})\b"
)
_PERMISSION = re.compile(
    r"\b(?:toestemming|consent|permission|opt(?:ed)? ?in|optin|subscribed|gemaild worden|"
    r"gebeld worden|benaderbaar|"
    rf"mag (?:\w+ )?{_WAYS}|may (?:be )?{_WAYS}|akkoord (?:met )?{_WAYS}|"
    rf"{_WAYS} (?:toegestaan|allowed|ok|oke|akkoord|mag|permitted))\b|^(?:marketing|nieuwsbrief|"
    rf"newsletter)$"
)
# a consent to something else, or a fact about a message or a claim
_ELSEWHERE = re.compile(
    r"\b(?:\w*incasso\w*|\w*betaal\w*|betaling\w*|sepa|\w*machtiging\w*|medisch\w*|gezondheid\w*|"
    r"bkr|digita\w*|"
    r"document\w*|portaal|portal|payment|debit|health|schade\w*|claim\w*|cookie\w*|aantal|number)\b"
)


@cache
def consent_column(heading: str) -> str | None:
    """Return the canonical column of a heading about marketing, None where it speaks of something
    else.
    """
    words = plain(_CAMEL.sub(" ", heading.rsplit("->", 1)[-1]))
    if _ELSEWHERE.search(words):
        return None
    if _OBJECTION.search(words):
        return OBJECTION
    return PERMISSION if _PERMISSION.search(words) else None


def is_consent(name: str, column: str) -> bool:
    """Whether the name of a column of cells is `column`, or one more of it ("no_marketing (2)")."""
    return name == column or name.startswith(f"{column} (")
