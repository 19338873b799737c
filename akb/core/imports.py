"""Imports at the right moment: a room's own names when they are asked for, heavy libraries before
they are.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def asked_for(package: str, where: Mapping[str, str], name: str) -> Any:
    """Return a public name of a package from the module that has it, imported now; for a module's
    ``__getattr__``.
    """
    if name not in where:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    return getattr(import_module(f"{package}.{where[name]}"), name)


def import_ahead(libraries: Iterable[str]) -> None:
    """Import libraries, for a thread of its own; one that cannot be imported is told of where it is
    used.
    """
    with suppress(ImportError, OSError):
        for library in libraries:
            import_module(library)
