"""Exit codes, and user mistakes as one screen of text instead of a traceback."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ExitCode", "UserMistakeError", "guarded"]

MOST_LINES = 40
FAULT_FILE = "gtm-opt-fault.txt"
"""Where the traceback of an unforeseen error goes."""


class ExitCode(IntEnum):
    """What the process ends with."""

    FINE = 0
    VIOLATIONS = 1
    """A plan was made or checked, but does not keep everything that was asked for."""
    MISTAKE = 2
    """The config, a file or an option is wrong; nothing was planned."""
    IMPOSSIBLE = 3
    """Proven: no plan can keep what was asked for."""
    NEAREST = 4
    """A plan was made or checked that keeps everything but what no plan could keep."""
    FAULT = 70
    """Something unforeseen happened in gtm-opt itself: no plan was made, and the text says where to report it."""
    INTERRUPTED = 130


class UserMistakeError(Exception):
    """Something the user can fix; the text says what and how."""


@contextmanager
def guarded() -> Iterator[None]:
    """Turn what a user can fix into a message on stderr and an exit code."""
    try:
        yield
    except KeyboardInterrupt:
        _leave("Interrupted. Nothing was written.", ExitCode.INTERRUPTED)
    except UserMistakeError as error:
        _leave(str(error), ExitCode.MISTAKE)
    except Exception as error:
        code, text = _known(error)
        if code is None:
            code, text = ExitCode.FAULT, _describe_fault(error)
        _leave(text, code)


def _known(error: Exception) -> tuple[ExitCode | None, str]:
    from gtm_opt.errors import DataError, GtmOptError, InfeasibleError

    if isinstance(error, InfeasibleError):
        hint = (
            "\n\nTo get the nearest possible plan instead, with a note of what had to give, write\n"
            '    on_infeasible = "nearest"\nunder [carve], or add --nearest to the command.'
        )
        found = str(error).removesuffix(error.hint).rstrip()
        return ExitCode.IMPOSSIBLE, f"This request is impossible: no plan can keep it.\n{found}{hint}"
    if isinstance(error, GtmOptError | DataError):
        return ExitCode.MISTAKE, str(error)
    if isinstance(error, OSError):
        where = f" '{error.filename}'" if error.filename else ""
        return ExitCode.MISTAKE, f"Cannot read or write{where}: {error.strerror or error}."
    if isinstance(error, ImportError):
        return ExitCode.MISTAKE, str(error)
    return None, ""


def _describe_fault(error: Exception) -> str:
    """Return what to say about an unforeseen error; the traceback goes into a file beside the work."""
    text = (
        f"This is a fault of gtm-opt, not of your files: {type(error).__name__}: {error}\n"
        "    Please report it at the project's issue tracker, with the versions of `gtm-opt show-versions`"
    )
    path = Path(FAULT_FILE)
    try:
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError:
        return text + " and these lines:\n" + "".join(traceback.format_exception(error)[-4:])
    return text + f" and the file {path}."


def _leave(text: str, code: ExitCode) -> None:
    lines = text.splitlines()
    if len(lines) > MOST_LINES:
        more = len(lines) - MOST_LINES
        lines = [*lines[:MOST_LINES], f"... and {more} more lines. Fix these first, and run again."]
    typer.echo("gtm-opt: " + "\n".join(lines), err=True)
    raise typer.Exit(int(code))
