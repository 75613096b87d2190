"""How a model is to be solved: limits, gap, seed, whether in a process of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gtm_opt.errors import Findings

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """Limits and tolerances of `gtm_opt.mip.solve`.

    Parameters
    ----------
    time_limit : float or None
        Wall-clock seconds. A run that it cuts says so (``limit_reached``); None: no limit.
    node_limit : int or None
        Branch-and-bound nodes, for backends that count them (HiGHS; CBC): the limit that keeps a cut
        answer repeatable.
    rel_gap : float
        Stop at this relative gap between objective and bound. 0: prove the optimum.
    seed : int
        For backends that draw random numbers (CP-SAT).
    own_process : bool or None
        Solve in a child process that is killed when it overstays its time, prints nothing here and can be
        cancelled at any moment. None: as soon as a time limit is set and the model is large enough to
        overstay it (more than ``PROCESS_NONZEROS`` entries).

    Raises
    ------
    DataError
        A limit that is not positive, a gap that is not within 0 and 1.
    """

    time_limit: float | None = None
    node_limit: int | None = None
    rel_gap: float = 0.0
    seed: int = 0
    own_process: bool | None = None

    def __post_init__(self) -> None:
        """Check all values."""
        findings = Findings()
        if self.time_limit is not None and not self.time_limit > 0.0:
            findings.add("time_limit", "must be positive", got=repr(self.time_limit))
        if self.node_limit is not None and not self.node_limit >= 1:
            findings.add("node_limit", "must be at least 1", got=repr(self.node_limit))
        if not 0.0 <= self.rel_gap < 1.0:
            findings.add("rel_gap", "must be at least 0 and below 1", got=repr(self.rel_gap))
        findings.raise_if_any()

    @property
    def seconds(self) -> float:
        """The time limit, ``inf`` where there is none."""
        return np.inf if self.time_limit is None else float(self.time_limit)


PROCESS_NONZEROS = 20_000
"""A model with more entries than this can overstay a limit by seconds: HiGHS looks at its clock between
steps (presolve, cuts, one linear program), which a small model leaves quickly."""
