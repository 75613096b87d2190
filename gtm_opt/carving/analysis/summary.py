"""A carving in a screenful of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gtm_opt.errors import number_text, percent_text

if TYPE_CHECKING:
    from collections.abc import Hashable

    from gtm_opt.carving.result import Carving

__all__ = ["summary"]


def summary(carving: Carving) -> str:
    """Return status, certificate, the balance of each criterion, what moves and what was relaxed."""
    problem, verdict = carving.problem, carving.verdict
    seconds = carving.provenance.get("seconds", float("nan"))
    lines = [
        f"Carving of {problem.n_accounts:,} accounts into {problem.territories.count} territories: {verdict.headline}",
        f"{verdict.proof}, {carving.termination.value}, {seconds:.2f} s",
        "",
        f"{'criterion':<28}{'tolerance':>10}{'worst':>9}{'forced':>9}  {'territory'}",
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
    # the band of a count is never narrower than the whole numbers around its target
    whole = row["within"] and abs(row["worst_deviation"]) > row["tolerance"] + 1e-9
    state = "OUT" if not row["within"] else "ok  (nearest whole numbers)" if whole else "ok"
    return (
        f"{name}{percent_text(row['tolerance'], 3):>10}{row['worst_deviation']:>+9.2%}{row['forced_deviation']:>9.2%}  "
        f"{row['worst_territory'][:17]:<18}{'' if state == 'OUT' else ' '}{'   '}{state}"
    )
