"""Solve a model with a named backend and recompute the answer in the user's numbers."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import DataError, Finding
from gtm_opt.mip.model import Model, Program
from gtm_opt.mip.options import PROCESS_NONZEROS, Options
from gtm_opt.mip.process import can_start_processes, solve_in_process
from gtm_opt.mip.recompute import recompute
from gtm_opt.mip.scaling import scale_program
from gtm_opt.mip.solution import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from gtm_opt.mip.scaling import Scaling
    from gtm_opt.mip.solution import Solution

__all__ = ["backend_module", "backend_table", "solve"]

BACKENDS = ("highs", "cpsat", "pulp")


def backend_module(name: str) -> Any:
    """Return the module of a backend; all have ``features``, ``is_available``, ``solve_program``, ``version``."""
    if name not in BACKENDS:
        raise DataError([Finding("backend", f"must be one of {', '.join(BACKENDS)}", f"'{name}'")])
    return import_module(f"gtm_opt.mip.{name}")


def backend_table() -> pd.DataFrame:
    """Return what each backend can do, and whether it can be used here."""
    import pandas as pd

    rows = []
    for name in BACKENDS:
        module = backend_module(name)
        can, here = module.features(), module.is_available()
        rows.append(
            {
                "backend": name,
                "available": here,
                "version": module.version() if here else "",
                "warm_start": can.warm_start,
                "duals": can.duals,
                "node_limit": can.node_limit,
                "exact_integers": can.exact_integers,
            }
        )
    return pd.DataFrame(rows)


def solve(
    model: Model | Program,
    options: Options | None = None,
    *,
    backend: str = "highs",
    start: ArrayLike | None = None,
    should_stop: Callable[[], bool] | None = None,
    pulp_solver: Any = None,
) -> Solution:
    """Solve ``model`` and recompute everything that is reported.

    Parameters
    ----------
    model : Model or Program
    options : Options, optional
        Default: no limits, prove the optimum.
    backend : {"highs", "cpsat", "pulp"}
    start : array of shape (n_columns,), optional
        Values to begin from, where the backend takes some. If they keep all rows the answer is never worse.
    should_stop : callable, optional
        Returns True to cancel; solves in a process of its own.
    pulp_solver : pulp.LpSolver, optional
        For ``backend="pulp"``: another solver than CBC, with limits of its own.

    Returns
    -------
    Solution

    Raises
    ------
    DataError
        A wrong model, backend or start.
    SolverNotAvailableError
        The backend is not installed.

    Notes
    -----
    HiGHS and PuLP's solvers get the program scaled by powers of two (`gtm_opt.mip.scaling`), CP-SAT in whole
    numbers (`gtm_opt.mip.integers`). Integer columns are rounded, continuous columns found again by a
    linear program with the integers fixed where the rounding breaks a row. The bound is lowered by the
    tolerance of the backend, raised to the next possible value where all costs are on integer columns, and
    dropped if values that keep all rows contradict it.
    """
    since = time.perf_counter()
    options = options or Options()
    program = model.program() if isinstance(model, Model) else model
    module = backend_module(backend)
    scaling = scale_program(program) if backend != "cpsat" else None
    first = None if start is None else _checked_start(program, start)
    answer = _run(module, program, scaling, options, first, should_stop, pulp_solver)
    left = options.seconds - (time.perf_counter() - since)
    solution = recompute(program, scaling, options, answer, first, left)
    return replace(solution, backend=backend, seconds=time.perf_counter() - since)


def _checked_start(program: Program, start: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(start, dtype=np.float64)
    if values.shape != (program.n_columns,) or not np.isfinite(values).all():
        rule = f"must hold {program.n_columns} finite numbers, one per column"
        raise DataError([Finding("start", rule, f"shape {values.shape}")])
    return np.where(program.integer, np.rint(values), values)


def _run(
    module: Any,
    program: Program,
    scaling: Scaling | None,
    options: Options,
    start: NDArray[np.float64] | None,
    should_stop: Callable[[], bool] | None,
    pulp_solver: Any,
) -> Answer:
    """Hand the program to the backend, here or in a child process."""
    handed = program if scaling is None else scaling.program
    if program.matrix.nnz == 0:
        return _without_rows(handed)
    if start is not None and scaling is not None:
        start = scaling.to_scaled(start)
    if pulp_solver is not None:
        if module.features().name != "pulp":
            raise DataError([Finding("pulp_solver", "needs backend='pulp'", f"backend='{module.features().name}'")])
        answer: Answer = module.solve_program(handed, options, start, pulp_solver)
        return answer
    apart = options.own_process
    if apart is None:
        large = handed.matrix.nnz > PROCESS_NONZEROS and np.isfinite(options.seconds)
        apart = large or should_stop is not None
    name = module.features().name
    if apart and can_start_processes():
        return solve_in_process(name, handed, options, start, should_stop)
    answer = module.solve_program(handed, options, start)
    if apart:
        answer = replace(answer, notes=(*answer.notes, "no process of its own: Python cannot be started again here"))
    return answer


def _without_rows(program: Program) -> Answer:
    """Solve a program whose rows are all empty: every column goes to its cheaper end."""
    if ((program.row_low > 0.0) | (program.row_high < 0.0)).any():
        return Answer(bound=np.inf, exhausted=True)
    values = np.where(program.cost > 0.0, program.low, np.where(program.cost < 0.0, program.high, 0.0))
    if np.isinf(values).any():
        return Answer(unbounded=True, exhausted=True)
    values = np.clip(values, program.low, program.high)
    return Answer(values, float(np.sum(program.cost * values)), exhausted=True)
