"""Every file that a client reads, and the only place with wording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from akb.report.bundle import RunBundle


def write_report(folder: Path, bundle: RunBundle) -> dict[str, Any]:
    """Write the report of a run into an existing folder and return its summary; see
    `akb.report.write`.
    """
    from akb.report.write import write_report as write

    return write(folder, bundle)


def report_page(bundle: RunBundle) -> bytes:
    """Return ``report.html`` of a run."""
    from akb.report import assemble
    from akb.report.context import Context
    from akb.report.formats import speaking
    from akb.report.page.html import render

    context = Context(bundle)
    with speaking(context.language):
        return render(assemble.build(bundle, context), context.words).encode()


def prepare() -> None:
    """Import what the report leans on and compile its templates, so that nobody has to wait for it
    later.

    What cannot be had ready is told of where it is used.
    """
    from contextlib import suppress

    with suppress(ImportError, OSError):
        import xlsxwriter  # noqa: F401

        from akb.report import write  # noqa: F401
        from akb.report.page.html import compile_templates

        compile_templates()
