"""The words of the portal in one language: what a key is called, days and months, and the reasons
of the models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from akb.core.wording.text import load_toml, texts
from akb.report.reasons import Reasons

if TYPE_CHECKING:
    from datetime import date

    from akb.report.context import Context

MONTH_ZERO = 600
"""The code of the month of X: months before it count down, months after it up."""
_FAR = 11
"""From so many months away on, a month is told with its year."""


class PortalWords:
    """Texts of ``configs/text/<language>/portal.toml``, beside the names of branches and contacts
    of this run.
    """

    def __init__(self, context: Context, language: str) -> None:
        self.language = language
        self.as_of = context.as_of
        self.tree = texts("portal", language)
        shipped = load_toml("branches.toml")
        own = {
            key: branch.name_nl for key, branch in context.taxonomy.items() if key not in shipped
        }
        self.reasons = Reasons(language, own)
        self._branch = {
            key: str(getattr(branch, f"name_{language}"))
            for key, branch in context.taxonomy.items()
        }
        self._contact = {
            key: str(getattr(kind, f"label_{language}", None) or kind.label)
            for key, kind in context.bundle.settings.ladder().items()
        }

    def text(self, key: str, **values: object) -> str:
        """Return a text with its places filled in."""
        table, _, name = key.partition(".")
        return str(self.tree[table][name]).format_map(
            {place: str(value) for place, value in values.items()}
        )

    def name(self, table: str, key: str | None) -> str:
        """Return what a key is called; unknown keys are made readable."""
        return str(self.tree[table].get(key, str(key).replace("_", " ")))

    def branch(self, key: str) -> str:
        """Return the name of a branch."""
        return self._branch.get(key, key)

    def branch_inside(self, key: str) -> str:
        """Return the name of a branch inside a sentence: small, but for abbreviations."""
        name = self.branch(key)
        return name[0].lower() + name[1:] if name[1:2].islower() else name

    def contact(self, key: str) -> str:
        """Return what a type of the ladder is called."""
        return self._contact.get(key, key.replace("_", " "))

    def month(self, code: int) -> str:
        """Return a month of `month_code`, with its year where it is far away."""
        ahead = code - MONTH_ZERO
        place = self.as_of.year * 12 + self.as_of.month - 1 + ahead
        name = str(self.tree["months"]["names"][place % 12])
        return f"{name} {place // 12}" if abs(ahead) >= _FAR else name

    def day(self, day: date) -> str:
        """Return a day as ``5 mrt 2026``."""
        return f"{day.day} {self.tree['months']['short'][day.month - 1]} {day.year}"

    def band(self, kind: str, code: int) -> str:
        """Return the label of a band; code 0 is no band."""
        labels: list[Any] = self.tree["band"][kind]
        return str(labels[code - 1]) if code else ""


def month_code(as_of: date, day: date) -> int:
    """Return the code of a day's month: `MONTH_ZERO` for that of X."""
    return MONTH_ZERO + (day.year - as_of.year) * 12 + day.month - as_of.month
