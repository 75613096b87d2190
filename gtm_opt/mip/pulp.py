"""Any PuLP solver, CBC unless told otherwise (Forrest, Lougee-Heimer 2005, doi:10.1287/educ.1053.0020)."""

from __future__ import annotations

import re
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import SolverError, SolverNotAvailableError
from gtm_opt.mip import highs
from gtm_opt.mip.files import file_names
from gtm_opt.mip.solution import Answer, Features

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gtm_opt.mip.model import Program
    from gtm_opt.mip.options import Options

__all__ = ["build_problem", "features", "is_available", "solve_program", "version"]

_ABSOLUTE = 1e-5
"""A node of CBC's has to be better than the incumbent by this, in scaled costs."""
_PRINTED = 6e-4
"""CBC prints its bound with three decimals."""
_RELATIVE = 1e-7
_FILES = 3.0
"""Writing, reading and checking the model's files takes about so many times what building it took."""
_BOUND = re.compile(r"^Lower bound:\s+(-?[\d.eE+-]+)", re.MULTILINE)
_COMPLETE = re.compile(r"^Result - Optimal solution found\s*$", re.MULTILINE)
_NODES = re.compile(r"^Enumerated nodes:\s+(\d+)", re.MULTILINE)


def features() -> Features:
    """Return what the backend can do."""
    return Features("pulp", warm_start=True, node_limit=True)


def is_available() -> bool:
    """Whether PuLP and a CBC are installed."""
    return find_spec("pulp") is not None and find_cbc() is not None


def version() -> str:
    """Return the versions of PuLP and CBC's package."""
    from importlib.metadata import version as installed

    return ", ".join(f"{name} {installed(name)}" for name in ("pulp", "cbcbox") if find_spec(name) is not None)


def find_cbc() -> str | None:
    """Return the path of a CBC: of the extra ``cbc`` where that is installed, else the one PuLP brings; None: neither.

    Notes
    -----
    PuLP 3 comes with CBC 2.10.3 for Linux, macOS and Windows; the extra (``pulp[cbc]``, 600 MB) with the present
    one and more platforms.
    """
    if find_spec("cbcbox") is not None:
        import cbcbox

        return str(cbcbox.cbc_bin_path())
    own = getattr(getattr(import_pulp().apis, "PULP_CBC_CMD", None), "pulp_cbc_path", None)
    return str(own) if own is not None and Path(own).is_file() else None


def import_pulp() -> Any:
    """Return the package, or say what to install."""
    try:
        import pulp
    except ImportError as error:
        raise SolverNotAvailableError(
            "the backend 'pulp' needs the package PuLP, which is not installed. Install 'pulp', or use 'highs'."
        ) from error
    return pulp


def build_problem(program: Program, *, named: bool = False) -> tuple[Any, list[Any]]:
    """Return the ``pulp.LpProblem`` and its variables in column order.

    Parameters
    ----------
    program : Program
    named : bool
        Take the program's own names, as far as files allow; otherwise ``x0, x1, ...`` and ``r0, r1, ...``.
    """
    pulp = import_pulp()
    problem = pulp.LpProblem("model", pulp.LpMinimize)
    names = file_names(program.column_names, "x") if named else [f"x{j}" for j in range(program.n_columns)]
    rows = file_names(program.row_names, "r") if named else [f"r{r}" for r in range(program.n_rows)]
    kinds = np.where(program.integer, "Integer", "Continuous").tolist()
    variables = [
        problem.add_variable(name, None if low == -np.inf else low, None if high == np.inf else high, kind)
        for name, low, high, kind in zip(names, program.low.tolist(), program.high.tolist(), kinds, strict=True)
    ]
    costs = program.cost.tolist()
    cost = [(v, c) for v, c in zip(variables, costs, strict=True) if c != 0.0]
    problem.setObjective(pulp.LpAffineExpression(cost))
    matrix = program.matrix
    for row, (low, high) in enumerate(zip(program.row_low.tolist(), program.row_high.tolist(), strict=True)):
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        columns, values = matrix.indices[span].tolist(), matrix.data[span].tolist()
        total = pulp.LpAffineExpression([(variables[c], v) for c, v in zip(columns, values, strict=True)])
        if low == high:
            problem.addConstraint(total == low, rows[row])
            continue
        if high < np.inf:
            problem.addConstraint(total <= high, rows[row] + ("_high" if low > -np.inf else ""))
        if low > -np.inf:
            problem.addConstraint(total >= low, rows[row] + ("_low" if high < np.inf else ""))
    return problem, variables


def solve_program(
    program: Program, options: Options, start: NDArray[np.float64] | None = None, backend: Any = None
) -> Answer:
    """Solve a scaled program; ``backend`` is a PuLP solver object of the user's own, with its own limits.

    Notes
    -----
    PuLP calls an incumbent at CBC's time limit "Optimal". Only the bound counts here: CBC's from its log, that of
    Gurobi, CPLEX and HiGHS from their model objects; of a solver that tells none, the linear relaxation's.
    """
    empty = np.diff(program.matrix.indptr) == 0
    if (empty & ((program.row_low > 0.0) | (program.row_high < 0.0))).any():
        return Answer(bound=np.inf, exhausted=True)  # an empty row; CBC's files cannot say so
    pulp, since = import_pulp(), time.perf_counter()
    problem, variables = build_problem(program)
    built = time.perf_counter() - since
    seconds = options.seconds - (1.0 + _FILES) * built
    if seconds <= 0.0:
        return Answer(limit_reached=True, clock=True, notes=("the time limit is too short to write the model's files",))
    options = replace(options, time_limit=None if np.isinf(seconds) else seconds)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "cbc.log"
        own = backend if backend is not None else _cbc(pulp, options, log, start is not None)
        if not own.available():
            raise SolverNotAvailableError(
                f"the PuLP solver {own.name} is not available here. Install it, or 'gtm-opt[cbc]' for a CBC."
            )
        if start is not None:
            for variable, value in zip(variables, start.tolist(), strict=True):
                variable.setInitialValue(value, check=False)
        try:
            problem.solve(own)
        except pulp.PulpSolverError as error:
            raise SolverError(f"PuLP's {own.name} failed: {error}. Try the backend 'highs'.") from error
        text = log.read_text(errors="replace") if log.exists() else ""
    return _read(pulp, problem, variables, program, options, text, own_backend=backend is not None)


def _cbc(pulp: Any, options: Options, log: Path, warm: bool) -> Any:
    """Return CBC, one thread."""
    path = find_cbc()
    if path is None:
        raise SolverNotAvailableError(
            "the backend 'pulp' needs a CBC binary, and PuLP brings none for this platform. Install 'gtm-opt[cbc]', "
            "hand over a PuLP solver of your own, or use the backend 'highs'."
        )
    return pulp.COIN_CMD(
        path=path,
        msg=False,
        timeLimit=max(options.seconds, 0.1) if np.isfinite(options.seconds) else None,
        maxNodes=options.node_limit,
        gapRel=options.rel_gap,
        gapAbs=0.0,
        threads=1,
        warmStart=warm,
        logPath=str(log),
    )


def _read(
    pulp: Any, problem: Any, variables: list[Any], program: Program, options: Options, text: str, *, own_backend: bool
) -> Answer:
    """Turn PuLP's answer and the solver's bound into ours."""
    if problem.status == pulp.LpStatusInfeasible:
        open_end = ((program.cost > 0) & np.isinf(program.low)) | ((program.cost < 0) & np.isinf(program.high))
        if open_end.any():  # CBC's presolve does not tell infeasible from unbounded; HiGHS does
            return highs.solve_program(program, options)
        return Answer(bound=np.inf, exhausted=True)
    if problem.status == pulp.LpStatusUnbounded:
        return Answer(unbounded=True, exhausted=True)
    values = None
    if problem.sol_status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        values = np.array([0.0 if v.varValue is None else float(v.varValue) for v in variables])
    objective = np.inf if values is None else float(np.sum(program.cost * values))
    notes: tuple[str, ...] = ()
    found, nodes = _BOUND.search(text), _NODES.search(text)
    complete = _COMPLETE.search(text) is not None and found is None
    if own_backend:
        bound = _told_bound(problem)
        complete = bound > -np.inf and problem.sol_status == pulp.LpSolutionOptimal
        notes = () if bound > -np.inf else ("the PuLP solver tells no bound: it is that of the linear relaxation",)
    else:
        bound = objective if complete else (float(found.group(1)) if found else -np.inf)
    bound = min(bound, objective)
    return Answer(
        values=values,
        bound=bound,
        error=(_ABSOLUTE if complete else _PRINTED) + _RELATIVE * abs(bound) if np.isfinite(bound) else 0.0,
        exhausted=complete,
        limit_reached=not complete and not own_backend,
        clock=not complete and not own_backend and (np.isfinite(options.seconds) and "node limit" not in text),
        nodes=int(nodes.group(1)) if nodes else 0,
        notes=notes,
    )


def _told_bound(problem: Any) -> float:
    """Return the bound that a solver's own model object tells, ``-inf`` where it tells none."""
    native: Any = getattr(problem, "solverModel", None)
    readers: tuple[Callable[[], Any], ...] = (
        lambda: native.ObjBound,  # Gurobi
        lambda: native.getInfo().mip_dual_bound,  # HiGHS
        lambda: native.solution.MIP.get_best_objective(),  # CPLEX
    )
    for read in readers:
        try:
            bound = float(read())
        except (AttributeError, TypeError, ValueError):
            continue
        if np.isfinite(bound):
            return bound
    return -np.inf
