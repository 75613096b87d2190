"""A carving in the words of a planner: status, proof, what was relaxed, exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.errors import SolverError, percent_text

if TYPE_CHECKING:
    import pandas as pd

    from gtm_opt.carving import Carving
    from gtm_opt.model import Rule

__all__ = ["exception_costs", "moved_text", "proof", "rule_text", "stopped", "verdict"]

_STOPPED = {
    "proved": "Nothing was left to search.",
    "finished": "The iteration budget is exhausted. Another run with the same seed gives the same plan.",
    "time_limit": "The time limit was reached. Another run may give another plan.",
    "interrupted": "The run was interrupted. This is the best plan it had.",
}


def verdict(carving: Carving) -> str:
    """Return what became of the request."""
    return carving.verdict.sentence


def stopped(carving: Carving) -> str:
    """Return why the search stopped."""
    return _STOPPED.get(carving.termination.value, carving.termination.value)


def proof(carving: Carving) -> str:
    """Return how far the plan can be from the best one, as a sentence."""
    return carving.verdict.proof_sentence


def rule_text(rule: Rule) -> str:
    """Return one of the problem's rules in words, with its size."""
    for attribute, word in (("accounts", "accounts"), ("pairs", "pairs"), ("groups", "groups")):
        held = getattr(rule, attribute, None)
        if held is not None:
            return f"{rule.name} ({len(held):,} {word})"
    return rule.name


def exception_costs(carving: Carving) -> tuple[list[tuple[str, str]], pd.DataFrame | None, str]:
    """Return each rule with what it costs, the most expensive pins, and a remark.

    Costs are preference scores per account: the same scale as the plan's own score.
    """
    rules = carving.problem.rules
    if not rules:
        return [], None, "There are none."
    n = carving.problem.n_accounts
    try:
        prices = [carving.price_of(rule).by_prices / n for rule in rules]
        costs = [(rule_text(rule), f"{p:.4f}" if np.isfinite(p) else "") for rule, p in zip(rules, prices, strict=True)]
        pins = carving.exceptions()
    except SolverError:
        why = 'What a rule costs can be told by prices. This carve is "as even as possible" and has none.'
        return [(rule_text(rule), "") for rule in rules], None, why
    pins["cost"] /= n
    remark = f"Estimated by prices, in units of the plan's score of {carving.certificate.value / n:.4f}."
    return costs, pins if len(pins) else None, remark


def moved_text(carving: Carving) -> str:
    """Return what moves, in one sentence."""
    table = carving.moved
    if table.empty:
        return ""
    parts = [
        f"{percent_text(share)} of {measure}"
        for share, measure in zip(table["share_moved"], table["measure"], strict=True)
    ]
    return "Of what has an owner today, " + ", ".join(parts) + " would change hands."
