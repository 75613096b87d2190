"""Carving again as a plan was carved: the same tree, options and settings, another problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from typing import Literal

    from gtm_opt.carving.result import Carving
    from gtm_opt.model import CarvingProblem

__all__ = ["carve_as_before", "finite_effort"]

MOST_EFFORT = 10.0
"""Effort of a second carve where the first had no end but its clock."""


def finite_effort(effort: float) -> float:
    """Return an effort that ends by itself: a question about a plan has no time limit of its own."""
    return MOST_EFFORT if np.isinf(effort) else effort


def carve_as_before(
    carving: Carving, problem: CarvingProblem, *, on_infeasible: Literal["raise", "nearest"] = "nearest"
) -> Carving:
    """Carve another problem over the same territories with everything that ``carving`` was made with.

    Parameters
    ----------
    carving : Carving
    problem : CarvingProblem
    on_infeasible : {"raise", "nearest"}

    Raises
    ------
    InfeasibleError
        See `gtm_opt.carve`.
    """
    from gtm_opt.carving.carve import carve

    # an answer to "what would it cost" must not depend on a clock: the budget of iterations ends it
    options = carving.options.replace(
        effort=finite_effort(carving.options.effort), time_limit=None, on_infeasible=on_infeasible
    )
    return carve(problem, hierarchy=carving.hierarchy, options=options)
