"""The verdict on a plan: was the request met, how good is the plan, and what of it is proven. All texts start here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import number_text
from gtm_opt.solvers import SolveStatus

if TYPE_CHECKING:
    from gtm_opt.carving.result import Carving

__all__ = ["Request", "Verdict", "give_verdict"]


ALL = "all plans"
PROVEN = 1e-6
"""A relative gap below this is rounding."""


class Request(StrEnum):
    """What became of the request: its rules and hard bands."""

    MET = "met"
    NOT_MET = "not met"
    """Not all bands hold, and it is not proven that they cannot."""
    IMPOSSIBLE = "impossible"
    """Proven: no plan keeps all rules and hard bands."""


_REQUEST = {
    Request.MET: "all rules and bands hold",
    Request.NOT_MET: "not all bands hold; not proven impossible",
    Request.IMPOSSIBLE: "proven: bands and rules cannot all hold",
}


@dataclass(frozen=True)
class Verdict:
    """Three questions about a plan, each with its own answer.

    Attributes
    ----------
    request : Request
        Are all rules and hard bands kept, and if not, is that proven impossible?
    status : SolveStatus
        The same and the quality in one word, for programs.
    even : bool
        The objective is the worst deviation, in tolerances; otherwise the preference score per account.
    value : float
        Objective of the plan (lower is better), recomputed.
    bound : float
        Proven: no plan that counts has less. Those count that keep everything, or, where the request is impossible and
        the plan is proven the nearest, those that are as near. ``-inf``: nothing is proven.
    gap : float
        ``(value - bound) / |value|``, a fraction; ``inf`` without a bound.
    nearest : bool
        Proven: no plan that keeps what can be kept has less excess outside the bands, priority by priority.
    source : str
        Where the bound comes from.
    scope : str
        What the bound holds for: ``"all plans"``, or a part of them where a heuristic chose part of the question.
    bent : bool
        Bands with a penalty are left.
    """

    request: Request
    status: SolveStatus
    even: bool
    value: float
    bound: float
    gap: float
    nearest: bool
    source: str
    scope: str = "all plans"
    bent: bool = False

    @property
    def quality(self) -> str:
        """How good the plan is, in words."""
        if self.request is Request.IMPOSSIBLE:
            if not self.nearest:
                return "the nearest plan found"
            return "the nearest plan there is" if self.gap <= PROVEN else "proven: no plan is nearer to the bands"
        if self.request is Request.NOT_MET:
            return "the best plan found"
        if self.status is SolveStatus.OPTIMAL:
            return f"proven best{self._for_scope}"
        if self.status is SolveStatus.WITHIN_GAP:
            return "within the gap asked for"
        if self.scope == ALL or not np.isfinite(self.gap):
            return _REQUEST[Request.MET]
        proven = "proven best" if self.gap <= PROVEN else "gap proven"
        return f"{_REQUEST[Request.MET]}; {proven}{self._for_scope}"

    @property
    def _for_scope(self) -> str:
        return "" if self.scope == ALL else f" for {self.scope}"

    @property
    def headline(self) -> str:
        """Status, request and quality as a part of one line."""
        if self.status is SolveStatus.NO_SOLUTION:
            return "no solution (no plan that keeps the rules was found)"
        bent = "; bands with a penalty are exceeded" if self.bent else ""
        if self.request is Request.MET:
            return f"{self.status.value} ({self.quality}{bent})"
        return f"{self.status.value} ({_REQUEST[self.request]}; {self.quality}{bent})"

    @property
    def proof(self) -> str:
        """Value, bound and gap as a part of one line."""
        what = "worst deviation in tolerances" if self.even else "preference score"
        if not np.isfinite(self.value):
            return "no value"
        if not np.isfinite(self.bound) or (self.bound <= 0.0 < self.value):
            # no score and no deviation is below zero: such a bound proves nothing
            why = "" if self.request is Request.MET else ": bounds are about plans that keep everything"
            return f"{what} {self.value:.6g}, no bound{why}"
        bound = f"bound {self.bound:.6g}{self._for_scope} (from {self.source})"
        return f"{what} {self.value:.6g}, {bound}, gap {_gap_text(self.gap)}"

    @property
    def sentence(self) -> str:
        """The verdict on the request as a sentence for planners."""
        if self.status is SolveStatus.NO_SOLUTION:
            return "No plan that keeps the rules was found."
        bent = " Bands that have a penalty instead of being hard are exceeded where that is worth it." * self.bent
        if self.request is Request.IMPOSSIBLE:
            text = "Not all bands and rules can hold: that is proven. "
            return text + ("This is the nearest plan there is." if self.nearest else "This is the nearest plan found.")
        if self.request is Request.NOT_MET:
            return "All rules hold, but not every band does. It is not proven that they cannot."
        if self.status is SolveStatus.OPTIMAL:
            text = f"This is the best plan there is{self._for_scope}: it is proven that no other plan within the "
            return text + "bands and rules is better." + bent
        if self.status is SolveStatus.WITHIN_GAP:
            near = "and the plan is proven to be as near to the best as was asked for."
            return f"All rules and bands hold, {near}" + bent
        return "All rules and bands hold." + bent

    @property
    def proof_sentence(self) -> str:
        """How far the plan can be from the best one, as a sentence for planners."""
        if not np.isfinite(self.value):
            return "There is no value to compare with a bound."
        text = (
            f"The worst deviation is {number_text(self.value)} times its tolerance"
            if self.even
            else f"Preferences are missed by a score of {self.value:.4f} (0: all preferences met)"
        )
        if not np.isfinite(self.bound) or (self.bound <= 0.0 < self.value):
            return f"{text}; how low it could be is not known."
        those = "that keeps the bands and rules" if self.request is Request.MET else "that is as near to the bands"
        those += "" if self.scope == ALL else f" (of those with {self.scope})"
        if self.even:
            if self.gap == 0:
                return f"{text}, and no plan has a smaller one."
            return f"{text}; no plan can get below {number_text(self.bound)} (proven by {self.source})."
        if self.gap == 0:
            return f"{text}, and no plan {those} misses them by less."
        return (
            f"{text}. It is proven that no plan {those} gets below {self.bound:.4f}: "
            f"at most {self.value - self.bound:.4f} is left to gain."
        )


def give_verdict(carving: Carving) -> Verdict:
    """Return the verdict on a carving."""
    certificate, status = carving.certificate, carving.status
    even = carving.compiled.instance.evenness is not None
    per = 1 if even else carving.problem.n_accounts
    held = status in (SolveStatus.OPTIMAL, SolveStatus.WITHIN_GAP, SolveStatus.FEASIBLE)
    missed = Request.IMPOSSIBLE if status is SolveStatus.INFEASIBLE else Request.NOT_MET
    return Verdict(
        request=Request.MET if held else missed,
        status=status,
        even=even,
        value=certificate.value / per,
        bound=certificate.bound / per,
        gap=certificate.gap,
        nearest=certificate.nearest,
        source=certificate.source,
        scope=getattr(certificate, "bound_scope", ALL),
        bent=held and not bool(carving.criteria["within"].all()),
    )


def _gap_text(gap: float) -> str:
    """Return a gap in percent; what is not nothing does not read as nothing."""
    return f"{gap:.3%}" if gap == 0.0 or gap >= 5e-6 else "below 0.001%"
