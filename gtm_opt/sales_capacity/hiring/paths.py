"""Random paths: who leaves when, who starts late, who books more or less."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.sales_capacity.hiring.flow import survival

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gtm_opt.sales_capacity.hiring.confidence import Confidence
    from gtm_opt.sales_capacity.hiring.problem import HiringProblem

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

__all__ = ["Paths"]

_COMMON, _PRESENT, _HIRED = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Paths:
    """Paths of a problem, drawn when they are asked for.

    Every person, there or possible, has a stream of random numbers of their own, so two plans differ only by the people
    in whom they differ (common random numbers), and the order of rows changes nothing.

    Parameters
    ----------
    problem : HiringProblem
    confidence : Confidence
    n : int
        Number of paths.
    stream : int
        Paths of different streams are independent.
    """

    problem: HiringProblem
    confidence: Confidence
    n: int
    stream: int = 0

    def present(self) -> FloatArray:
        """Return what the people who are there book towards each target, shape (n, n_targets)."""
        out = np.zeros((self.n, len(self.problem.targets)))
        for at, group in enumerate(self.problem.groups):
            worth = self.worth(group.role, group.tenure_m, 0)
            alive = survival(self.problem.hazard[group.role], group.tenure_m, self.problem.n_months)
            whole = int(np.ceil(group.heads - 1e-9))
            for person in range(whole):
                weight = min(1.0, group.heads - person)
                rng = self._generator(group.role, _PRESENT, self._group_key(at), person)
                length = self._lengths(rng, alive)
                out += weight * worth[length] * self._attainment(rng)[:, None]
        return out

    def hire(self, role: int, month: int, slot: int) -> FloatArray:
        """Return what the n-th hire of a role in a month books towards each target, shape (n, n_targets)."""
        rng = self._generator(role, _HIRED, month, slot)
        alive = survival(self.problem.hazard[role], 1, self.problem.n_months)
        u, late = rng.random(self.n), rng.random(self.n)
        attainment = self._attainment(rng)
        slip = np.searchsorted(np.cumsum(self.confidence.slip), late * (1.0 - 1e-12), side="right")
        out = np.zeros((self.n, len(self.problem.targets)))
        for wait in range(len(self.confidence.slip)):
            start, rows = month + wait, slip == wait
            if start >= self.problem.n_months or not rows.any():
                continue
            months = self.problem.n_months - start
            length = (u[rows, None] < alive[None, :months]).sum(axis=1)
            out[rows] = self.worth(role, 1, start)[length] * attainment[rows, None]
        return out

    def of_plan(self, hires: IntArray) -> FloatArray:
        """Return the bookings towards each target under a plan, shape (n, n_targets)."""
        out = self.present()
        for role, month, slot in _people(hires):
            if role in self.problem.sellers():
                out += self.hire(role, month, slot)
        return out

    def worth(self, role: int, tenure_m: int | None, start: int) -> FloatArray:
        """Return bookings towards each target by the number of months somebody stays, shape (T + 1, n_targets)."""
        problem = self.problem
        kind = problem.roles.roles[role]
        months = problem.n_months - start
        level = np.ones(months)
        if tenure_m is not None:
            tenure, length = tenure_m + np.arange(months), 12.0 / problem.calendar.periods_py
            level = kind.ramp.at(tenure)
            if length != 1.0:
                level = kind.ramp.over((tenure - 1) * length, tenure * length)
        monthly = np.zeros(problem.n_months)
        monthly[start:] = kind.productivity_py * kind.fte * problem.shares[start:] * level
        out = np.zeros((problem.n_months + 1, len(problem.targets)))
        for at, target in enumerate(problem.targets):
            if role in problem.sellers(target.segment):
                counted = np.zeros(problem.n_months)
                counted[list(target.months)] = monthly[list(target.months)]
                out[1 : months + 1, at] = np.cumsum(counted[start:])
        return out

    def _lengths(self, rng: np.random.Generator, alive: FloatArray) -> IntArray:
        """Return in how many months somebody is there: in month a with probability ``alive[a]``."""
        out: IntArray = (rng.random(self.n)[:, None] < alive[None, :]).sum(axis=1)
        return out

    def _attainment(self, rng: np.random.Generator) -> FloatArray:
        """Return what somebody books as a multiple of the mean: lognormal with a factor common to all."""
        sigma, rho = self.confidence.sigma, self.confidence.correlation
        if sigma == 0.0:
            return np.ones(self.n)
        common = np.random.default_rng([self.confidence.seed, self.stream, _COMMON]).standard_normal(self.n)
        own = rng.standard_normal(self.n)
        return np.asarray(np.exp(sigma * (np.sqrt(rho) * common + np.sqrt(1.0 - rho) * own) - 0.5 * sigma**2))

    def _group_key(self, at: int) -> int:
        """Return a number for a group of heads that does not depend on the order of the rows."""
        group = self.problem.groups[at]
        same = sum(1 for g in self.problem.groups[:at] if (g.role, g.tenure_m) == (group.role, group.tenure_m))
        return 1000 * same + (999 if group.tenure_m is None else group.tenure_m)

    def _generator(self, role: int, *key: int) -> np.random.Generator:
        name = zlib.crc32(self.problem.roles.names[role].encode())
        return np.random.default_rng([self.confidence.seed, self.stream, name, *key])


def _people(hires: IntArray) -> Iterator[tuple[int, int, int]]:
    for role, month in zip(*np.nonzero(hires), strict=True):
        for slot in range(int(hires[role, month])):
            yield int(role), int(month), slot
