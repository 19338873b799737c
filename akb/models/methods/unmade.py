"""Entries that no export can support yet; the catalogue names them, and their card says what is
lacking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from akb.models.context import MethodResult, why
from akb.models.method import method
from akb.models.methods.verdict import unavailable

if TYPE_CHECKING:
    from akb.catalogue.entries import Entry
    from akb.models.context import FitContext


@method("unmade")
def unmade(context: FitContext, entry: Entry) -> MethodResult:
    """Return that nothing is made of it."""
    return MethodResult((unavailable(entry, why("needs_coverages")),))
