"""A carving in a screenful of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import number_text, percent_text

if TYPE_CHECKING:
    from collections.abc import Hashable

    from gtm_opt.carving.result import Carving

__all__ = ["summary"]

MEANING = {
    "optimal": "proven best",
    "within_gap": "within the gap asked for",
    "feasible": "all rules and bands hold",
    "out_of_band": "all rules hold, but not all bands",
    "infeasible": "proven: not all bands can hold",
    "no_solution": "no plan that keeps the rules was found",
}


def summary(carving: Carving) -> str:
    """Return status, certificate, the balance of each criterion, what moves and what gave way."""
    problem = carving.problem
    lines = [
        f"Carving of {problem.n_accounts:,} accounts into {problem.territories.count} territories: "
        f"{carving.status.value} ({MEANING[carving.status.value]}{_bent(carving)})",
        _certificate_line(carving),
        "",
        f"{'criterion':<28}{'tolerance':>10}{'worst':>9}{'forced':>9}  {'territory':<18}{'':>6}",
    ]
    lines += [_criterion_line(row) for row in carving.criteria.to_dict("records")]
    for row in carving.preferences.to_dict("records"):
        natural = f"{number_text(row['natural'])} {row['unit']}"
        lines.append(f"{row['preference'][:27]:<28}score {row['score']:.4f}  ({natural})")
    if len(carving.moved):
        moved = zip(carving.moved["share_moved"], carving.moved["measure"], strict=True)
        lines.append("moved: " + ", ".join(f"{percent_text(share)} of {measure}" for share, measure in moved))
    broken = carving.check.violations
    rules = broken[~broken["rule"].str.startswith("band of ")] if len(broken) else broken
    first = zip(rules["rule"].head(5), rules["detail"].head(5), strict=True)
    lines += [f"BROKEN {rule}: {detail}" for rule, detail in first]
    lines += [f"note: {note}" for note in carving.notes]
    return "\n".join(lines)


def _criterion_line(row: dict[Hashable, Any]) -> str:
    name = f"{row['criterion'][:27]:<28}"
    if not np.isfinite(row["tolerance"]):
        return f"{name}{'limit':>10}{'':>18}  {'':<18}{'kept' if row['within'] else 'BROKEN':>6}"
    return (
        f"{name}{percent_text(row['tolerance'], 3):>10}{row['worst_deviation']:>+9.2%}{row['forced_deviation']:>9.2%}  "
        f"{row['worst_territory'][:17]:<18}{'ok' if row['within'] else 'OUT':>6}"
    )


def _certificate_line(carving: Carving) -> str:
    c, seconds = carving.certificate, carving.provenance.get("seconds", float("nan"))
    if not np.isfinite(c.value):
        return f"no value; {seconds:.2f} s"
    even = carving.compiled.instance.evenness is not None
    per_account = 1 if even else carving.problem.n_accounts
    bound = "no bound"
    if np.isfinite(c.gap):
        bound = f"bound {c.bound / per_account:.6g} (from {c.source}), gap {_gap_text(c.gap)}"
    what = "worst deviation in tolerances" if even else "preference score"
    return f"{what} {c.value / per_account:.6g}, {bound}, {carving.termination.value}, {seconds:.2f} s"


def _bent(carving: Carving) -> str:
    """Return a remark where a band with a penalty is left, which no status speaks of."""
    held = carving.status.value in ("optimal", "within_gap", "feasible")
    return "; bands with a penalty bend" if held and not bool(carving.criteria["within"].all()) else ""


def _gap_text(gap: float) -> str:
    """Return a gap in percent; what is not nothing does not read as nothing."""
    return f"{gap:.3%}" if gap == 0.0 or gap >= 5e-6 else "below 0.001%"
