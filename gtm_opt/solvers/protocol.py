"""The one protocol behind which every solver stands, ours or somebody else's."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, Instance, IntArray
    from gtm_opt.solvers.cancel import CancelToken

__all__ = [
    "Capabilities",
    "Progress",
    "ProgressCallback",
    "Run",
    "SolveStatus",
    "Solver",
    "SolverResult",
    "Step",
    "Termination",
]


class SolveStatus(StrEnum):
    """How good an answer is."""

    OPTIMAL = "optimal"
    """Feasible and proven best (gap closed up to rounding)."""
    WITHIN_GAP = "within_gap"
    """Feasible, with a proven gap not larger than the one asked for."""
    FEASIBLE = "feasible"
    """All rules and bands hold; how far from the best is not proven, or proven only up to the stated gap."""
    OUT_OF_BAND = "out_of_band"
    """All rules hold, at least one balance band does not; not proven impossible."""
    INFEASIBLE = "infeasible"
    """Proven: no assignment keeps all rules and bands."""
    NO_SOLUTION = "no_solution"
    """Stopped before any assignment that keeps the rules was found."""


class Termination(StrEnum):
    """Why a solver stopped."""

    PROVED = "proved"
    FINISHED = "finished"
    TIME_LIMIT = "time_limit"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a progress callback gets.

    Attributes
    ----------
    step : str
        What is running, for example ``"prices"``.
    seconds : float
        Since the run began.
    value : float
        Objective of the best assignment so far, ``inf`` while there is none.
    bound : float
        Best lower bound so far, ``-inf`` while there is none.
    gap : float
        ``(value - bound) / |value|``, ``inf`` while either is missing.
    """

    step: str
    seconds: float
    value: float
    bound: float
    gap: float


ProgressCallback = Callable[[Progress], object]
"""Called with a `Progress` now and then; returning ``False`` asks the run to stop."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run, for provenance.

    Attributes
    ----------
    name : str
    seconds : float
    note : str
        What it reached, for example ``"bound 1,234.5 after 9 iterations"``.
    """

    name: str
    seconds: float
    note: str = ""


class Run:
    """The clock, the progress callback and the incumbent's numbers of one solver call.

    Parameters
    ----------
    time_limit : float or None
        Wall-clock seconds from now.
    progress : callable or None
    cancel : CancelToken or None
        Looked at whenever `stop` is asked.

    Notes
    -----
    Solvers ask `stop` between slices of work of at most 0.2 s and pass the same `Run`
    to the parts they are made of (`within`). A part that its own share of the time stopped does not
    stop the whole, but the whole says at its end that a clock cut some of its work. Ctrl-C
    (``KeyboardInterrupt``) is caught by the outermost solver, which calls `interrupt` and returns its incumbent.
    """

    def __init__(
        self,
        time_limit: float | None = None,
        progress: ProgressCallback | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        self._begin = time.perf_counter()
        self._limit = np.inf if time_limit is None else float(time_limit)
        self._progress = progress
        self._cancel = cancel
        self._last = -np.inf
        self._outer: Run | None = None
        self.value = np.inf
        self.bound = -np.inf
        self.struck: Termination | None = None
        self._cut = False
        self.steps: list[Step] = []

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.perf_counter() - self._begin

    @property
    def remaining(self) -> float:
        """Seconds left, ``inf`` without a limit, never negative."""
        return max(0.0, self._limit - self.seconds)

    def stop(self) -> bool:
        """Whether to stop now; remembers why in ``struck``."""
        if self.struck is None and self._cancel is not None and self._cancel.is_set():
            self.struck = Termination.CANCELLED
        if self.struck is None and self.seconds >= self._limit:
            self.struck = Termination.TIME_LIMIT
            self.cut()
        if self.struck is None and self._outer is not None and self._outer.stop():
            self.struck = self._outer.struck
        return self.struck is not None

    @property
    def is_called_off(self) -> bool:
        """Whether somebody, not a clock, wants the run to end now."""
        return self.struck in (Termination.INTERRUPTED, Termination.CANCELLED)

    @property
    def can_be_cancelled(self) -> bool:
        """Whether somebody holds a switch for this run, or for one it is a part of."""
        return self._cancel is not None or (self._outer is not None and self._outer.can_be_cancelled)

    def cut(self) -> None:
        """Remember, here and in the runs this is a part of, that a clock cut some of the work.

        Solvers call it where a package stopped by its clock: the result is then not called finished.
        """
        self._cut = True
        if self._outer is not None:
            self._outer.cut()

    def interrupt(self) -> None:
        """Stop because the user asked for it, and with it the runs this is a part of."""
        self.struck = Termination.INTERRUPTED
        if self._outer is not None:
            self._outer.interrupt()

    def report(self, step: str, value: float | None = None, bound: float | None = None) -> None:
        """Record better numbers and call the progress callback (at most ten times a second)."""
        better = False
        if value is not None and value < self.value:
            self.value, better = value, True
        if bound is not None and bound > self.bound:
            self.bound, better = bound, True
        now = self.seconds
        if self._progress is None or (not better and now - self._last < 0.1):
            return
        self._last = now
        known = np.isfinite(self.value) and np.isfinite(self.bound)
        gap = (self.value - self.bound) / max(abs(self.value), 1e-12) if known else np.inf
        if self._progress(Progress(step, now, self.value, self.bound, gap)) is False:
            self.interrupt()

    def within(self, seconds: float, *, report: bool = False) -> Run:
        """Return a run for a part of the work: stops after ``seconds``, or when this one does.

        What the part reports reaches the progress callback with ``report`` only: its numbers may be
        those of another question.
        """
        part = Run(min(seconds, self.remaining))
        part._outer = self
        if report and self._progress is not None:
            part._progress = self._pass_on
        return part

    def _pass_on(self, progress: Progress) -> object:
        """Hand what a part reports to the callback, on this run's clock."""
        if self._progress is None:
            return True
        return self._progress(replace(progress, seconds=self.seconds))

    def note(self, name: str, since: float, text: str = "") -> None:
        """Append a step that began at ``since`` (a reading of `seconds`)."""
        self.steps.append(Step(name, self.seconds - since, text))

    def termination(self, *, proved: bool = False) -> Termination:
        """Return why the run ends now."""
        if proved:
            return Termination.PROVED
        if self.struck is not None:
            return self.struck
        return Termination.TIME_LIMIT if self._cut else Termination.FINISHED


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a solver understands; carving refuses to hand it anything else.

    Attributes
    ----------
    several_criteria, unequal_shares, preferences, bands, rules, side_rows, by_territory, evenness : bool
        More than one criterion; shares that differ; preference costs; balance bands as limits
        (False: it balances as well as it can, blindly); pins, forbids and apart groups; side rows;
        activities that depend on the territory; the "as even as possible" objective.
    proof : bool
        Can prove optimality or infeasibility.
    lower_bound : bool
        Returns a lower bound.
    """

    several_criteria: bool = True
    unequal_shares: bool = True
    preferences: bool = True
    bands: bool = True
    rules: bool = True
    side_rows: bool = True
    by_territory: bool = True
    evenness: bool = False
    proof: bool = False
    lower_bound: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SolverResult:
    """What a solver gives back.

    Attributes
    ----------
    assignment : ndarray of int, shape (n_units,), or None
        Territory position of each unit; None when nothing that keeps the rules was found.
    bound : float
        Proven lower bound on the objective (``-inf``: none). For hard bands: on the cost of
        assignments that keep all bands.
    prices : ndarray of shape (n_territories, n_criteria) or None
        Multipliers of the balance rows, >= 0 presses the total down.
    side_prices : ndarray of shape (n_side_rows,) or None
    termination : Termination
    proved_infeasible : bool
        The solver proved that no assignment keeps the hard bands and rules.
    steps : tuple of Step
    """

    assignment: IntArray | None
    bound: float = -np.inf
    prices: FloatArray | None = None
    side_prices: FloatArray | None = None
    termination: Termination = Termination.FINISHED
    proved_infeasible: bool = False
    steps: tuple[Step, ...] = field(default=())


@runtime_checkable
class Solver(Protocol):
    """A named method for one node.

    Attributes
    ----------
    name : str
    capabilities : Capabilities
    source : str
        Where the method is described.
    """

    name: str
    capabilities: Capabilities
    source: str

    def __call__(
        self, instance: Instance, *, run: Run, seed: int = 0, effort: float = 1.0, start: IntArray | None = None
    ) -> SolverResult:
        """Solve ``instance``.

        Parameters
        ----------
        instance : Instance
        run : Run
            Clock, progress and interruption. Check ``run.stop()`` every 0.2 s or less.
        seed : int
            Same seed and effort: same answer, unless the time limit is reached.
        effort : float
            Multiplies the iteration budget; ``inf``: go on until the time limit.
        start : ndarray of int, shape (n_units,), optional
            An assignment to begin from; the answer is never worse.
        """
        ...
