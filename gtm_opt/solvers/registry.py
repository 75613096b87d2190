"""The registry: solvers by name, ours lazily, others by call or entry point."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pandas as pd

from gtm_opt.errors import SolverError, warn_renamed
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from gtm_opt.solvers.protocol import Solver

__all__ = ["ENTRY_POINT_GROUP", "get_solver", "register_solver", "solver_names", "solver_table"]

ENTRY_POINT_GROUP = "gtm_opt.solvers"

# name -> "module:attribute"; imported on first use so that heavy packages stay unloaded
_OWN: dict[str, str] = {
    "annealing": "gtm_opt.solvers.baselines.annealing:ANNEALING",
    "auto": "gtm_opt.solvers.portfolio:auto",
    "balanced_kmeans": "gtm_opt.solvers.baselines.min_cost_flow:BALANCED_KMEANS",
    "balancing": "gtm_opt.solvers.balancing:balancing",
    "cpsat": "gtm_opt.solvers.exact:cpsat",
    "generalized_assignment": "gtm_opt.solvers.generalized_assignment:generalized_assignment",
    "greedy_lookahead": "gtm_opt.solvers.baselines.lookahead:GREEDY_LOOKAHEAD",
    "k_means_constrained": "gtm_opt.solvers.baselines.peers:KMEANS_CONSTRAINED",
    "karmarkar_karp": "gtm_opt.solvers.baselines.partitioning:KARMARKAR_KARP",
    "lagrangian": "gtm_opt.solvers.lagrangian:lagrangian",
    "lns": "gtm_opt.solvers.lns:lns",
    "local_search": "gtm_opt.solvers.local_search:local_search",
    "lpt": "gtm_opt.solvers.baselines.partitioning:LPT",
    "milp": "gtm_opt.solvers.exact:milp",
    "multifit": "gtm_opt.solvers.baselines.partitioning:MULTIFIT",
    "prtpy": "gtm_opt.solvers.baselines.peers:PRTPY",
    "pulp": "gtm_opt.solvers.exact:pulp_solver",
    "pymetis": "gtm_opt.solvers.baselines.peers:METIS",
    "random": "gtm_opt.solvers.baselines.deals:RANDOM",
    "round_robin": "gtm_opt.solvers.baselines.deals:ROUND_ROBIN",
    "snake_draft": "gtm_opt.solvers.baselines.deals:SNAKE_DRAFT",
    "transport": "gtm_opt.solvers.baselines.transport:TRANSPORT",
    "waterfall": "gtm_opt.solvers.baselines.deals:WATERFALL",
}
# old name -> name; the old ones keep working for one release, with a warning
RENAMED = {
    "even": "balancing",
    "packing": "generalized_assignment",
    "prices": "lagrangian",
    "resplit": "lns",
    "search": "local_search",
}
_REGISTERED: dict[str, Solver] = {}


def register_solver(solver: Solver, *, replace: bool = False) -> Solver:
    """Make ``solver`` available by its name.

    Parameters
    ----------
    solver : Solver
        Anything with ``name``, ``capabilities``, ``source`` and the call of the protocol.
    replace : bool
        Allow a name that is taken.

    Returns
    -------
    Solver
        The same object, so that this can be used as a decorator on an instance.

    Raises
    ------
    SolverError
        When the name is taken, or the object does not follow the protocol.
    """
    missing = [a for a in ("name", "capabilities", "source") if not hasattr(solver, a)]
    if missing or not callable(solver):
        lacking = ", ".join(missing) or "__call__"
        raise SolverError(f"`solver` must follow gtm_opt.solvers.Solver, lacks: {lacking}. See the page on plug-ins.")
    if not replace and (solver.name in _REGISTERED or solver.name in _OWN):
        raise SolverError(f"A solver named '{solver.name}' exists already. Pick another name, or pass replace=True.")
    _REGISTERED[solver.name] = solver
    return solver


def solver_names() -> list[str]:
    """Return the names of all solvers, sorted: built-in, registered, and from entry points."""
    found = {entry.name for entry in entry_points(group=ENTRY_POINT_GROUP)}
    return sorted(found | set(_OWN) | set(_REGISTERED))


def get_solver(name: str | Solver) -> Solver:
    """Return a solver by name (an object that is one already is returned as it is).

    Raises
    ------
    SolverError
        When there is none of that name; the message lists the names.

    Notes
    -----
    The names of earlier releases (``even``, ``packing``, ``prices``, ``resplit``, ``search``) are still
    understood, with a `gtm_opt.errors.RenamedWarning` that gives the present one.
    """
    if not isinstance(name, str):
        return name
    if name in _REGISTERED:
        return _REGISTERED[name]
    if name in RENAMED:
        warn_renamed(f"solver '{name}'", f"'{RENAMED[name]}'")
        name = RENAMED[name]
    if name in _OWN:
        module, attribute = _OWN[name].split(":")
        own: Solver = getattr(import_module(module), attribute)
        return own
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        if entry.name == name:
            loaded = entry.load()
            return register_solver(loaded() if isinstance(loaded, type) else loaded)
    names = solver_names()
    raise SolverError(f"There is no solver named '{name}'. {did_you_mean(name, names, shown=len(names))}")


def solver_table() -> pd.DataFrame:
    """Return a table of all solvers: name, what each can do, its source."""
    rows = []
    for name in solver_names():
        solver = get_solver(name)
        capabilities = {f: getattr(solver.capabilities, f) for f in solver.capabilities.__dataclass_fields__}
        rows.append({"solver": name, **capabilities, "source": solver.source})
    return pd.DataFrame(rows)
