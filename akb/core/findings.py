"""What akb noticed: a stable code, a severity, a count, and the words from ``configs/text``.

One list serves the terminal, the HTML report, the JSON summary and ``--fail-on``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from akb.core.wording.phrases import ShownValues
from akb.core.wording.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Severity = Literal["issue", "tip"]


@dataclass(frozen=True)
class Finding:
    """One thing that akb noticed.

    Parameters
    ----------
    code
        Stable code, for example ``AKB-D007``. D data, T time and leakage, M models, V value, P
        privacy.
    severity
        ``issue`` (mend it) or ``tip`` (know it).
    count
        How many rows, customers or columns it concerns; None where counting makes no sense.
    share
        The same as a fraction of what was looked at, in [0, 1].
    params
        Values that the sentence names, and phrases (`akb.core.wording.phrases`). Never a person's
        data.
    """

    code: str
    severity: Severity
    count: int | None = None
    share: float | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    def sentence(self, language: str = "nl") -> str:
        """Return the finding as one sentence in `language`."""
        return self._words("sentence", language)

    def remedy(self, language: str = "nl") -> str:
        """Return what to do about it, in `language`."""
        return self._words("remedy", language)

    def _words(self, part: str, language: str) -> str:
        values = {"count": self.count, "share": self.share, **self.params}
        return text("findings", language, self.code, part).format_map(ShownValues(values, language))

    def as_json(self, language: str = "nl") -> dict[str, Any]:
        """Return the finding as it stands in ``summary.json``."""
        return {
            "code": self.code,
            "severity": self.severity,
            "sentence": self.sentence(language),
            "count": self.count,
            "share": self.share,
            "remedy": self.remedy(language),
        }


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings sorted by severity (issues first), then code, then size."""
    return sorted(
        findings,
        key=lambda f: (f.severity != "issue", f.code, -(f.count or 0), str(sorted(f.params))),
    )
