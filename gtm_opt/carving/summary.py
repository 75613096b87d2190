"""A carving in a screenful of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
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
        f"{carving.status.value} ({MEANING[carving.status.value]})",
        _certificate_line(carving),
        "",
        f"{'criterion':<28}{'tolerance':>10}{'worst':>9}{'forced':>9}  {'territory':<18}{'':>6}",
    ]
    for row in carving.criteria.itertuples():
        if not np.isfinite(row.tolerance):
            lines.append(
                f"{row.criterion[:27]:<28}{'limit':>10}{'':>18}  {'':<18}{'kept' if row.within else 'BROKEN':>6}"
            )
            continue
        lines.append(
            f"{row.criterion[:27]:<28}{row.tolerance:>10.1%}{row.worst_deviation:>+9.2%}{row.forced_deviation:>9.2%}  "
            f"{row.worst_territory[:17]:<18}{'ok' if row.within else 'OUT':>6}"
        )
    for row in carving.preferences.itertuples():
        lines.append(f"{row.preference[:27]:<28}score {row.score:.4f}  ({row.natural:,.6g} {row.unit})")
    if len(carving.moved):
        moves = ", ".join(f"{row.share_moved:.1%} of {row.measure}" for row in carving.moved.itertuples())
        lines.append(f"moved: {moves}")
    broken = carving.check.violations
    rules = broken[~broken["rule"].str.startswith("band of ")] if len(broken) else broken
    lines += [f"BROKEN {row.rule}: {row.detail}" for row in rules.head(5).itertuples()]
    lines += [f"note: {note}" for note in carving.notes]
    return "\n".join(lines)


def _certificate_line(carving: Carving) -> str:
    c, seconds = carving.certificate, carving.provenance.get("seconds", float("nan"))
    if not np.isfinite(c.value):
        return f"no value; {seconds:.2f} s"
    per_account = carving.problem.n_accounts if carving.compiled.instance.evenness is None else 1
    bound = (
        f"bound {c.bound / per_account:.6g} (from {c.source}), gap {c.gap:.3%}" if np.isfinite(c.gap) else "no bound"
    )
    what = "worst deviation in tolerances" if per_account == 1 else "preference score"
    return f"{what} {c.value / per_account:.6g}, {bound}, {carving.termination.value}, {seconds:.2f} s"
