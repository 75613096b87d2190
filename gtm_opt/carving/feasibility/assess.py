"""Whether a request can be met: asked once, before any solver runs, and settled by proof where a problem is small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.carving.feasibility.impossible import find_reasons
from gtm_opt.carving.feasibility.nearest import make_possible
from gtm_opt.errors import InfeasibleError
from gtm_opt.measures import evaluate

if TYPE_CHECKING:
    from gtm_opt.carving.compile.compiled import Compiled
    from gtm_opt.carving.feasibility.impossible import Reasons
    from gtm_opt.instance import Instance, IntArray
    from gtm_opt.solvers import Run
    from gtm_opt.solvers.exact.lexicographic import Nearest

__all__ = ["NEAREST_HINT", "Feasibility", "assess", "find_small_nearest", "is_small"]

SMALL_CELLS = 600
"""Units x territories up to which the nearest plan is looked for by exact models."""
NODE_CELLS = 500_000
"""Branch-and-bound nodes times cells of one stage of these models, at effort 1."""
EVEN_CELLS, EVEN_NODE_CELLS = 300, 100_000
"""The same where the objective is to be as even as possible."""
MOST_NODES, LEAST_NODES = 20_000, 50
NEAREST_HINT = "Or ask for on_infeasible='nearest', the nearest possible plan."


@dataclass(frozen=True, eq=False)
class Feasibility:
    """What is known about a request before it is carved.

    Attributes
    ----------
    compiled : Compiled
        The request as it was asked for: every value that is reported is measured by it.
    reasons : Reasons
        Why it cannot be met, in planner's words; each is a proof.
    """

    compiled: Compiled
    reasons: Reasons

    @property
    def impossible(self) -> bool:
        """Proven: no plan keeps all rules and hard bands."""
        return bool(self.reasons.rules or self.reasons.bands)

    @property
    def texts(self) -> tuple[str, ...]:
        """All reasons, those of bands first."""
        return (*self.reasons.bands, *self.reasons.rules)

    def refuse(self) -> None:
        """Raise where the request is impossible.

        "As even as possible" takes bands as a measure: that they cannot hold is a note, not an error.

        Raises
        ------
        InfeasibleError
        """
        if self.reasons.rules or (self.reasons.bands and self.compiled.instance.evenness is None):
            raise InfeasibleError(self.texts, NEAREST_HINT)

    def relax(self) -> tuple[Compiled, tuple[str, ...]]:
        """Return the request with bands moved by what cannot be kept, and notes on what was moved."""
        if not self.impossible:
            return self.compiled, ()
        carved, notes = make_possible(self.compiled)
        return carved, (*self.texts, *notes)


def assess(compiled: Compiled) -> Feasibility:
    """Return what cheap proofs tell about a request; see `gtm_opt.carving.feasibility.impossible.find_reasons`."""
    return Feasibility(compiled, find_reasons(compiled))


def is_small(instance: Instance) -> bool:
    """Whether the nearest plan can be found, and proven, by exact models."""
    return instance.n_units * instance.n_territories <= SMALL_CELLS


def _most_even(instance: Instance, start: IntArray | None, effort: float) -> Nearest | None:
    """Return the most even plan of a few units that keeps the rules and limits, by enumeration; None: not settled."""
    from gtm_opt.solvers.exact.enumerate import PLACEMENTS, can_enumerate, enumerate_even
    from gtm_opt.solvers.exact.lexicographic import Nearest, Stage, hard_criteria, stage_values

    if start is None or not can_enumerate(instance):
        return None
    found = evaluate(instance, start)
    limits = hard_criteria(instance)
    if found.in_band or not found.rules_kept or bool((found.excess[:, limits] > 0).any()):
        return None
    seen = enumerate_even(instance, start, int(PLACEMENTS * min(effort, 10.0)), bands=False)
    if not seen.complete:
        return None
    best = start if seen.assignment is None else seen.assignment
    values = stage_values(instance, evaluate(instance, best))
    return Nearest(best, tuple(Stage(name, value, value) for name, value in values), proven=True)


def find_small_nearest(
    instance: Instance, run: Run, start: IntArray | None = None, effort: float = 1.0
) -> Nearest | None:
    """Return the nearest plan of a small problem; None where it is not small, or everything holds already."""
    if not is_small(instance) or run.stop():
        return None
    from gtm_opt.solvers.exact.lexicographic import find_nearest, stage_values

    cells = instance.n_units * instance.n_territories
    budget = NODE_CELLS
    most_even = _most_even(instance, start, effort)
    if most_even is not None:
        return most_even
    if start is not None:
        found = evaluate(instance, start)
        if all(value <= 0.0 for _, value in stage_values(instance, found)[:-1]):
            # "as even as possible" out of its bands: is that proven? Partitioning by a model is slow, so not for long
            if instance.evenness is None or found.in_band or cells > EVEN_CELLS:
                return None
            budget = EVEN_NODE_CELLS
    nodes = int(np.clip(budget * min(effort, 10.0) / cells, LEAST_NODES, MOST_NODES))
    since = run.seconds
    nearest = find_nearest(instance, run, start, nodes=nodes)
    run.note("nearest", since, "proved" if nearest.proven else "not proved")
    return nearest
