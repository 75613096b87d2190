"""Accounts held to the territories of their team, as a cost term: infinite everywhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.model.resolve_teams import combined_teams, family_teams

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray, Rows
    from gtm_opt.model import CarvingProblem

__all__ = ["EligibilityTerm", "eligibility_term"]


@dataclass(frozen=True, slots=True, eq=False)
class EligibilityTerm:
    """Infinity outside the territories that are open to a unit's class.

    Attributes
    ----------
    code : ndarray of int, shape (n_units,)
        Class of each unit, -1: free.
    closed : ndarray of shape (n_classes + 1, n_territories)
        Infinite where a class may not go; the last row, of free units, is zero.
    """

    code: IntArray
    closed: FloatArray

    def block(self, rows: Rows) -> FloatArray:
        """Return the values of ``rows``."""
        out: FloatArray = self.closed[self.code[rows]]
        return out

    def take(self, units: IntArray) -> EligibilityTerm:
        """Return the term of a subset of the units."""
        return EligibilityTerm(self.code[units], self.closed)

    def take_territories(self, territories: IntArray) -> EligibilityTerm:
        """Return the term of a subset of the territories."""
        return EligibilityTerm(self.code, self.closed[:, territories])

    def merge(self, group: IntArray, shares: FloatArray) -> EligibilityTerm:
        """Return the term for groups of territories: open where any of a group is."""
        n_groups = int(group.max()) + 1
        return EligibilityTerm(
            self.code, np.stack([self.closed[:, group == g].min(axis=1) for g in range(n_groups)], axis=1)
        )


def eligibility_term(problem: CarvingProblem, order: IntArray) -> EligibilityTerm | None:
    """Return the term of all `Within` rules over units; None where there are none.

    Parameters
    ----------
    problem : CarvingProblem
    order : ndarray of int, shape (n_territories,)
        Position in the problem of each territory of the instance.
    """
    resolved = problem.resolved
    if not resolved.teams:
        return None
    held, open_to = combined_teams(resolved.teams, len(resolved.ids), problem.territories.count)
    code, open_to = family_teams(held, open_to, resolved.family)
    closed = np.where(open_to[:, order], 0.0, np.inf)
    return EligibilityTerm(code, np.concatenate([closed, np.zeros((1, len(order)))]))
