"""How to carve: one validated object that every function that carves passes on whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from gtm_opt.carving.tree.settings import Level
from gtm_opt.errors import Findings, warn_renamed
from gtm_opt.model import MAX_BUCKETS
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from gtm_opt.solvers import CancelToken, ProgressCallback, Solver

__all__ = ["CarveKeywords", "CarveOptions", "TreeOptions"]


_NOT_STORED = {"stored": False}


@dataclass(frozen=True)
class TreeOptions:
    """How to carve a tree, where one node would be too large.

    Attributes
    ----------
    max_buckets : int
        Most territories of one node when no hierarchy is passed, at least 2.
    tolerance_budget : float
        Fraction of the tolerance an inner node may use for each level below it, above 0 to 1: the
        rest is kept for those levels. With 0.5 a node two levels above the territories is held to
        half of the tolerance.
    levels : mapping of str to Level
        Other tolerances, criteria or preferences for a level of the hierarchy, by its name.
    flat_bound : bool, optional
        Bound a tree by prices over all leaves at once, so that the gap shows what tree
        decomposition costs at most. Work in proportion to accounts x leaves; default: where that is
        at most 200,000.

    Raises
    ------
    DataError
        With everything that is out of range.

    Examples
    --------
    >>> TreeOptions(max_buckets=4, levels={"region": Level(tolerance=0.02)}).tolerance_budget
    0.5
    """

    max_buckets: int = MAX_BUCKETS
    tolerance_budget: float = 0.5
    levels: Mapping[str, Level] = field(default_factory=dict)
    flat_bound: bool | None = None

    def __post_init__(self) -> None:
        findings = Findings()
        if not (isinstance(self.max_buckets, Integral) and self.max_buckets >= 2):
            findings.add("`max_buckets`", "must be a whole number, at least 2", got=repr(self.max_buckets))
        if not (isinstance(self.tolerance_budget, Real) and 0.0 < self.tolerance_budget <= 1.0):
            rule = "must be a fraction above 0 and at most 1"
            findings.add("`tolerance_budget`", rule, got=repr(self.tolerance_budget))
        if not isinstance(self.levels, Mapping):
            raise TypeError(f"`levels` takes a mapping of level names to Level, got {type(self.levels).__name__}.")
        for name, level in self.levels.items():
            if not isinstance(level, Level):
                raise TypeError(f"`levels` takes Level objects, got {type(level).__name__} for '{name}'.")
        object.__setattr__(self, "levels", dict(self.levels))
        findings.raise_if_any()


class CarveKeywords(TypedDict, total=False):
    """The fields of `CarveOptions`, as keywords of the functions that carve."""

    solver: str | Solver
    time_limit: float | None
    effort: float
    seed: int
    max_gap: float
    on_infeasible: Literal["raise", "nearest"]
    executor: Executor | None
    progress: ProgressCallback | bool | None
    cancel: CancelToken | None
    tree: TreeOptions


@dataclass(frozen=True)
class CarveOptions:
    """How to carve. Every function that carves takes one as ``options``, or its fields as keywords.

    Attributes
    ----------
    solver : str or Solver
        A name from `gtm_opt.solver_table`, or your own. ``"auto"`` mixes methods by size.
    time_limit : float, optional
        Wall-clock seconds; kept within 10 % + 1 s. Default: stop when the iteration budget is
        exhausted. Only a limit that is reached can make two runs differ, and ``termination`` says so.
    effort : float
        Multiplies the iteration budgets; ``inf`` uses all of ``time_limit``. Up to 100,000 pairs of accounts and
        territories a carve begins with what 0.1, 1, 10 and 100 below its own effort find: more is never worse.
    seed : int
        0 or more.
    max_gap : float
        A fraction: good enough, the status is then ``within_gap``.
    on_infeasible : {"raise", "nearest"}
        What to do when the request is provably impossible: raise `gtm_opt.InfeasibleError` with the
        reasons, or carve the nearest possible plan and note what had to give.
    executor : concurrent.futures.Executor, optional
        Carves subtrees in parallel: a thread or process pool, Dask's ``client.get_executor()``,
        or any other. The plan does not depend on it.
    progress : callable or bool, optional
        Called with `gtm_opt.solvers.Progress`; returning False stops. ``True`` shows a bar, ``False`` none. By
        default a bar appears after two seconds where somebody watches: in a terminal or a notebook.
    cancel : CancelToken, optional
        A `gtm_opt.Cancel`, or anything with ``is_set()`` such as ``threading.Event``: once it is set, from any
        thread, the best plan so far is returned and ``termination`` is ``cancelled``.
    tree : TreeOptions
        What only trees need.

    Raises
    ------
    DataError
        With everything that is out of range.

    Examples
    --------
    >>> options = CarveOptions(effort=0.5, seed=7)
    >>> options.replace(time_limit=20).time_limit
    20
    """

    solver: str | Solver = "auto"
    time_limit: float | None = None
    effort: float = 1.0
    seed: int = 0
    max_gap: float = 0.0
    on_infeasible: Literal["raise", "nearest"] = "raise"
    executor: Executor | None = field(default=None, compare=False, repr=False, metadata=_NOT_STORED)
    progress: ProgressCallback | bool | None = field(default=None, compare=False, repr=False, metadata=_NOT_STORED)
    cancel: CancelToken | None = field(default=None, compare=False, repr=False, metadata=_NOT_STORED)
    tree: TreeOptions = field(default_factory=TreeOptions)

    def __post_init__(self) -> None:
        findings = Findings()
        if self.cancel is not None and not callable(getattr(self.cancel, "is_set", None)):
            kind = type(self.cancel).__name__
            raise TypeError(f"`cancel` takes a gtm_opt.Cancel or an Event (something with is_set()), got {kind}.")
        if not (isinstance(self.seed, Integral) and self.seed >= 0):
            findings.add("`seed`", "must be a whole number >= 0", got=repr(self.seed))
        if self.time_limit is not None and not self.time_limit > 0:
            findings.add("`time_limit`", "must be positive seconds or None", got=repr(self.time_limit))
        if not self.effort > 0:
            findings.add("`effort`", "must be positive (1 is the default)", got=repr(self.effort))
        elif np.isinf(self.effort) and self.time_limit is None:
            findings.add("`effort=inf`", "never ends by itself", remedy="Pass a `time_limit` as well.")
        if not self.max_gap >= 0:
            findings.add("`max_gap`", "must be a fraction >= 0", got=repr(self.max_gap))
        if self.on_infeasible not in ("raise", "nearest"):
            findings.add("`on_infeasible`", "must be 'raise' or 'nearest'", got=repr(self.on_infeasible))
        if not isinstance(self.tree, TreeOptions):
            raise TypeError(f"`tree` takes TreeOptions, got {type(self.tree).__name__}.")
        findings.raise_if_any()

    @classmethod
    def of(cls, options: CarveOptions | None, keywords: Mapping[str, Any]) -> CarveOptions:
        """Return ``options`` (default: the standard ones) with ``keywords`` in place of its fields.

        Raises
        ------
        TypeError
            For keywords that are no fields.
        """
        if not isinstance(options, cls | None):
            raise TypeError(f"`options` takes CarveOptions, got {type(options).__name__}.")
        base = cls() if options is None else options
        return base.replace(**keywords) if keywords else base

    def replace(self, **changes: Any) -> CarveOptions:
        """Return the same options but for these fields; fields of `TreeOptions` are understood for one release."""
        moved = {name: changes.pop(name) for name in _TREE_FIELDS if name in changes}
        strange = [name for name in changes if name not in _FIELDS]
        if strange:
            raise TypeError(f"'{strange[0]}' is no option of a carve. {did_you_mean(strange[0], _FIELDS)}")
        for name in moved:
            warn_renamed(f"{name}=...", f"tree=TreeOptions({name}=...)")
        if moved:
            moved = {name: value for name, value in moved.items() if name != "levels" or value is not None}
            changes["tree"] = replace(changes.get("tree", self.tree), **moved)
        return replace(self, **changes)

    @property
    def solver_name(self) -> str:
        """Name of the solver."""
        return self.solver if isinstance(self.solver, str) else self.solver.name

    def without_resources(self) -> CarveOptions:
        """Return what a result keeps: not the executor, the callback, the switch."""
        return replace(self, executor=None, progress=None, cancel=None)


_FIELDS = tuple(f.name for f in fields(CarveOptions))
_TREE_FIELDS = tuple(f.name for f in fields(TreeOptions))
