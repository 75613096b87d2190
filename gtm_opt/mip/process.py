"""Solving in a child process: killed when it overstays its time, silent here, cancelled at any moment."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import GtmOptError
from gtm_opt.mip.solution import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gtm_opt.mip.model import Program
    from gtm_opt.mip.options import Options

__all__ = ["can_start_processes", "main", "solve_in_process"]

_GRACE = 0.3
"""Seconds beyond the limit after which the child is killed: it needs some to hand over its answer."""
_COMMAND = "from gtm_opt.mip.process import main; main()"


def can_start_processes() -> bool:
    """Whether ``sys.executable`` is a Python that can be started again (not so in frozen programs)."""
    return bool(sys.executable) and not getattr(sys, "frozen", False) and "python" in os.path.basename(sys.executable)


def solve_in_process(
    backend: str,
    program: Program,
    options: Options,
    start: NDArray[np.float64] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Answer:
    """Solve in a child process; see the backends' ``solve_program``.

    Parameters
    ----------
    backend : str
        Name of a module of this package.
    program : Program
    options : Options
    start : ndarray, optional
    should_stop : callable, optional
        Asked ten times a second; True kills the child.

    Returns
    -------
    Answer
        Without values where the child was killed or died; the notes say which.
    """
    deadline = time.time() + options.seconds
    message = pickle.dumps((backend, program, options, start, deadline))
    path = os.pathsep.join(p for p in sys.path if p)
    # A file, not a pipe: what communicate() has not written when its timeout strikes is never written,
    # and a task of more than a pipe's 64 KB would then wait for its own input.
    with tempfile.TemporaryFile() as task:
        task.write(message)
        task.seek(0)
        child = subprocess.Popen(
            [sys.executable, "-P", "-c", _COMMAND],
            stdin=task,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )
    try:
        while True:
            try:
                reply, _ = child.communicate(timeout=0.1)
                break
            except subprocess.TimeoutExpired:
                pass
            if time.time() > deadline + _GRACE:
                return Answer(limit_reached=True, clock=True, notes=(f"{backend} did not stop in time and was ended",))
            if should_stop is not None and should_stop():
                return Answer(limit_reached=True, clock=True, notes=(f"{backend} was cancelled",))
    finally:
        _end(child)
    try:
        answer = pickle.loads(reply)
    except (pickle.UnpicklingError, EOFError):
        answer = None
    if isinstance(answer, GtmOptError):
        raise answer
    if not isinstance(answer, Answer):
        return Answer(notes=(f"{backend} ended without an answer (code {child.returncode})",))
    return answer


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and what it started, and collect it."""
    if child.poll() is None:
        try:
            if hasattr(os, "killpg"):
                os.killpg(child.pid, 9)
            else:
                child.kill()
        except ProcessLookupError:
            pass
    child.wait()
    if child.stdout is not None:
        child.stdout.close()


def main() -> None:
    """Read one task from standard input, solve it, write the answer to what was standard output.

    File descriptor 1 leads nowhere while the backend computes: some releases of HiGHS print lines that no
    option silences.
    """
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    parent = os.getppid()
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    backend, program, options, start, deadline = pickle.loads(sys.stdin.buffer.read())
    left = deadline - time.time()
    if np.isfinite(left):
        options = replace(options, time_limit=max(left, 0.01))
    answer: Any
    try:
        from gtm_opt.mip.solve import backend_module

        answer = backend_module(backend).solve_program(program, options, start)
    except GtmOptError as error:
        answer = error
    answers.write(pickle.dumps(answer))
    answers.flush()
    os._exit(0)


def _end_with(parent: int) -> None:
    """End this process soon after its parent has ended."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
