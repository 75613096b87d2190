"""What may differ from level to level of a tree, and how the tolerance is spent over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import DataError, Findings

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray
    from gtm_opt.model import Hierarchy

__all__ = ["Level", "TreeSettings", "check_levels"]


@dataclass(frozen=True)
class Level:
    """How the nodes of one level of a tree are carved, where it differs from the problem.

    Attributes
    ----------
    tolerance : float or mapping of str to float, optional
        Tolerance of the bands at this level, a fraction; one for all criteria or one per
        criterion. Default: that of the problem, less what is kept for the levels below.
    balance : sequence of str, optional
        Names of the criteria that are balanced at this level. Default: all.
    prefer : sequence of str, optional
        Names of the preferences that count at this level. Default: all.

    Examples
    --------
    >>> levels = {"region": Level(tolerance=0.02, balance=["potential"])}
    """

    tolerance: float | Mapping[str, float] | None = None
    balance: Sequence[str] | None = None
    prefer: Sequence[str] | None = None

    def __post_init__(self) -> None:
        given = self.tolerance.values() if isinstance(self.tolerance, Mapping) else [self.tolerance]
        wrong = [t for t in given if t is not None and not (isinstance(t, Real) and 0.0 <= t <= 1.0)]
        if wrong:
            raise DataError(f"Level tolerance must be a fraction from 0 to 1 (0.05 is 5 %), got {wrong[0]!r}.")
        for name in ("balance", "prefer"):
            names = getattr(self, name)
            if names is not None:
                object.__setattr__(self, name, (names,) if isinstance(names, str) else tuple(names))

    def tolerance_of(self, criterion: str) -> float | None:
        """Return the tolerance of a criterion at this level; None: that of the problem."""
        if isinstance(self.tolerance, Mapping):
            return self.tolerance.get(criterion, self.tolerance.get(criterion.split("=")[0]))
        return self.tolerance

    def balances(self, criterion: str) -> bool:
        """Whether a criterion (or the mix it is a category of) is balanced at this level."""
        return self.balance is None or criterion in self.balance or criterion.split("=")[0] in self.balance

    def bands(
        self, names: Sequence[str], target: FloatArray, lower: FloatArray, upper: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the bands of this level, shape (n_territories, n_criteria)."""
        lower, upper = lower.copy(), upper.copy()
        for j, name in enumerate(names):
            wanted = self.tolerance_of(name)
            two_sided = np.isfinite(lower[:, j]) & np.isfinite(upper[:, j])
            if wanted is not None:
                lower[:, j] = np.where(two_sided, target[:, j] * (1.0 - wanted), lower[:, j])
                upper[:, j] = np.where(two_sided, target[:, j] * (1.0 + wanted), upper[:, j])
            if not self.balances(name):
                lower[two_sided, j], upper[two_sided, j] = -np.inf, np.inf
        return lower, upper


@dataclass(frozen=True)
class TreeSettings:
    """What all nodes of a tree share.

    Attributes
    ----------
    tolerance_budget : float
        Fraction of the tolerance an inner node may use per level below it: with 0.5 a child that
        is divided twice more is held to a quarter of the tolerance.
    levels : mapping of str to Level
        By the name of the level the children are on.
    costs : tuple of str
        What each cost term of the instance stands for.
    """

    tolerance_budget: float = 0.5
    levels: Mapping[str, Level] = field(default_factory=dict)
    costs: tuple[str, ...] = ()


def check_levels(tree: Hierarchy, settings: TreeSettings, criteria: Sequence[str]) -> None:
    """Refuse names of levels, criteria and preferences that do not exist.

    Raises
    ------
    DataError
        With everything that is wrong.
    """
    found = Findings()
    known = {*criteria, *(c.split("=")[0] for c in criteria)}
    for name, level in settings.levels.items():
        if name not in tree.levels[1:]:
            remedy = f"The levels below the root are: {', '.join(tree.levels[1:])}."
            found.add("levels", "must name levels of the hierarchy", got=f"'{name}'", remedy=remedy)
        own = [*level.tolerance] if isinstance(level.tolerance, Mapping) else []
        strange = [c for c in (*(level.balance or ()), *own) if c not in known]
        if strange:
            remedy = f"The problem balances: {', '.join(criteria)}."
            found.add(f"levels['{name}']", "must name criteria of the problem", rows=strange, remedy=remedy)
        lost = [p for p in level.prefer or () if p not in settings.costs]
        if lost:
            remedy = f"The problem prefers: {', '.join(settings.costs) or 'nothing'}."
            found.add(f"levels['{name}']", "must name preferences of the problem", rows=lost, remedy=remedy)
    found.raise_if_any()
