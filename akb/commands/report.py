"""``akb report`` and ``akb pdf``: a finished run told again, and on paper."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from akb.commands import options
from akb.core.errors import AkbError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PATIENCE = 120  # seconds

Run = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")]


def report(
    folder: Run,
    *,
    client: options.Client = None,
    title: options.Title = None,
    author: options.Author = None,
    logo: options.Logo = None,
    advisers: options.Advisers = None,
    lang: Annotated[
        options.Language | None,
        typer.Option("--lang", help="Language of the report; the other files stay as they are."),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Write the report of a finished run again, from what the run kept: another cover, colleagues
    shown or not.

    Example: akb report out/eda --client "Kantoor Voorbeeld" --author "J. Jansen" --logo logo.png
    """
    from akb.commands.case import read_summary
    from akb.commands.console import Stages
    from akb.rerun import rerun_report

    read_summary(folder)
    stages = Stages(quiet=quiet)
    cover = partial(
        options.covered,
        client=client,
        title=title,
        author=author,
        logo=logo,
        advisers=advisers,
        lang=lang,
    )
    rerun_report(folder, cover, stages)
    stages.say(f"report: {folder / 'report.html'}")


def pdf(
    folder: Run,
    out: Annotated[
        Path | None, typer.Option("--out", help="The PDF to write (default: DIR.pdf beside it).")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Print the report of a finished run to PDF, with Chromium where there is one.

    Example: akb pdf out/eda --out rapport.pdf
    """
    from akb.commands.case import read_summary
    from akb.commands.console import Stages

    read_summary(folder)
    target = out or folder.resolve().with_name(f"{folder.resolve().name}.pdf")
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise AkbError(
            "there is no Chromium on this machine",
            "Open report.html in a browser and print it there.",
        )
    page = (folder / "report.html").resolve().as_uri()
    with tempfile.TemporaryDirectory() as profile:
        flags = (
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--virtual-time-budget=10000",
        )
        made = Path(profile) / "report.pdf"
        try:
            subprocess.run(
                [browser, *flags, f"--user-data-dir={profile}", f"--print-to-pdf={made}", page],
                capture_output=True,
                timeout=_PATIENCE,
                check=True,
            )
            shutil.copyfile(made, target)
        except (OSError, subprocess.SubprocessError):
            raise AkbError(
                f"{Path(browser).name} could not print {folder / 'report.html'} to {target}"
            ) from None
    Stages(quiet=quiet).say(f"pdf: {target}")
