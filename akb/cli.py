"""The Typer app: names, options, help; imports nothing heavy.

Exit codes: 0 fine, 1 findings at ``--fail-on``, 2 usage or input, 3 refused, 70 a fault of akb
itself, 130 interrupted."""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from akb.commands.batch import batch
from akb.commands.case import case
from akb.commands.check import check
from akb.commands.eda import eda
from akb.commands.evaluate import evaluate
from akb.commands.experiment import experiment
from akb.commands.forget import forget
from akb.commands.init import init
from akb.commands.inspect.diff import diff
from akb.commands.inspect.explain import explain
from akb.commands.inspect.migrate import migrate
from akb.commands.inspect.rerun import rerun
from akb.commands.inspect.schema import schema
from akb.commands.live.duty import duty
from akb.commands.live.export import export
from akb.commands.live.feedback import feedback
from akb.commands.live.retrain import retrain
from akb.commands.live.score import score
from akb.commands.live.serve import serve
from akb.commands.pack import pack
from akb.commands.predictions import predictions
from akb.commands.report import pdf, report
from akb.commands.reveal import reveal
from akb.commands.sample import sample
from akb.commands.streams import let_go, prepare_streams, say
from akb.core import __version__
from akb.core.errors import AkbError

FAULT = 70
INTERRUPTED = 130
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
_REFUSED = (
    *(
        errno.EACCES,
        errno.EPERM,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.EIO,
        errno.EMFILE,
    ),
    *(errno.ENFILE, errno.EBUSY, errno.ETXTBSY, errno.ENXIO, errno.ENODEV),
)

app = typer.Typer(
    name="akb",
    help="Predictions and a business case for active customer management, from one policy export.",
    epilog="Exit codes: 0 fine, 1 findings at --fail-on, 2 usage or input, 3 refused, 70 akb's "
    "fault, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (
    eda,
    batch,
    score,
    retrain,
    case,
    report,
    pdf,
    init,
    check,
    predictions,
    sample,
    export,
    reveal,
    pack,
    forget,
    *(explain, diff, rerun, migrate, schema),
):
    app.command()(command)
app.command()(evaluate)
app.command()(serve)
app.add_typer(experiment, name="experiment")

app.add_typer(feedback)
app.add_typer(duty)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"akb {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    pass


LIBRARIES = {
    # Read when LightGBM's thread library is loaded: its threads sleep while they wait, instead of
    # keeping a core busy that another program could use (three times the wall time beside one other
    # job).
    "OMP_WAIT_POLICY": "PASSIVE",
    # Read when Polars is loaded: memory that is no longer used goes back within a second (a quarter
    # less at the peak).
    "_RJEM_MALLOC_CONF": "narenas:2,dirty_decay_ms:500,muzzy_decay_ms:0",
}
"""What is set for libraries that read it as they are loaded, unless the user says otherwise."""


def main() -> None:
    """Run the command line; every problem becomes one sentence on stderr and a documented exit
    code.
    """
    code = run(sys.argv[1:])
    # The process ends, and its memory with it: without this the interpreter looks for cycles three
    # times among all that the libraries made (.4 s).
    gc.freeze()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit code."""
    for name, value in LIBRARIES.items():
        os.environ.setdefault(name, value)
    prepare_streams()
    return _flushed(_exit_code(arguments))


@cache
def _command() -> Callable[..., int | None]:
    """Return the commands as they are called. Typer makes them anew for each call, of thirty
    milliseconds: who calls akb many times from one process waits for it once.
    """
    return get_command(app)


def _exit_code(arguments: list[str]) -> int:
    try:
        return int(_command()(arguments, standalone_mode=False) or 0)
    except typer.Exit as stop:
        code = stop.exit_code
        if code == INTERRUPTED:
            say("akb: interrupted; what was there before is as it was")
    except (AkbError, TyperException) as error:
        code = _explain(error)
    except (KeyboardInterrupt, typer.Abort):
        say("akb: interrupted; what was there before is as it was")
        code = INTERRUPTED
    except (
        BrokenPipeError,
        SystemExit,
    ):  # SystemExit: what Typer and Rich make of a reader that has gone
        let_go()
        code = 0
    except Exception as error:
        if os.environ.get("AKB_DEBUG"):
            raise
        explained = _of_the_machine(error)
        code = _explain(explained) if explained else _confess(error)
    return code


def _flushed(code: int) -> int:
    """Return the exit code, now that what was printed is out; a reader that has gone changes
    nothing.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        let_go()
    except OSError as error:
        let_go()
        return code or _explain(_of_the_machine(error) or AkbError("cannot write on stdout"))
    return code


def _of_the_machine(error: Exception) -> AkbError | None:
    """Return what to say of an error that is the machine's and not akb's; None for others."""
    if isinstance(error, MemoryError) or "can't start new thread" in str(error):
        return AkbError(
            "there is not enough memory on this machine for that; nothing was changed",
            "Close other programs, or export fewer columns or years.",
        )
    if not isinstance(error, OSError):
        return None
    if error.errno in _FULL or "No space left on device" in str(error):
        words = error.strerror or "No space left on device"
        return AkbError(
            f"cannot write: {words}; nothing was changed",
            "Make room, or choose another place with --out.",
        )
    if error.errno in _REFUSED and error.filename is not None:
        return AkbError(
            f"cannot use {os.fsdecode(error.filename)}: {error.strerror}", "Nothing was changed."
        )
    return None


def _explain(error: AkbError | TyperException) -> int:
    if isinstance(error, AkbError):
        say(f"akb: {error.message}", error.hint)
        return error.exit_code
    if not error.format_message():  # no arguments at all: the help has been printed
        return 2
    context = getattr(error, "ctx", None)
    say(
        f"akb: {error.format_message()}",
        f"Try '{context.command_path} --help'." if context else None,
    )
    return 2


def _confess(error: Exception) -> int:
    # The message of an unknown error may hold data of the client; its kind and place do not.
    last = traceback.extract_tb(error.__traceback__)[-1]
    say(
        f"akb: a fault in akb itself ({type(error).__name__} at "
        f"{Path(last.filename).name}:{last.lineno}); "
        "nothing was changed",
        "Please report this line. AKB_DEBUG=1 shows the whole trace, which may hold client data.",
    )
    return FAULT
