"""The named benchmarks: which cases, which solvers side by side, which time limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks import cases
from benchmarks.cases import Case

__all__ = ["SPECS", "Spec"]

OURS = ["auto", "lagrangian", "local_search", "lns"]
BALANCERS = ["random", "round_robin", "snake_draft", "lpt", "multifit", "karmarkar_karp", "waterfall"]
PEERS = ["k_means_constrained", "pymetis", "prtpy"]
MODELS = ["milp", "cpsat", "pulp"]


@dataclass(frozen=True, slots=True)
class Spec:
    """A named benchmark.

    Attributes
    ----------
    summary : str
    cases : callable
        From sizes (or None) to cases.
    solvers : list of str
        Side by side by default; names that are not registered are left out.
    time_limit : float
        Seconds per solver and case.
    tiny : dict
        Arguments of a smoke run.
    """

    summary: str
    cases: Callable[[list[int] | None], list[Case]]
    solvers: list[str]
    time_limit: float
    tiny: dict[str, Any] = field(default_factory=dict)


SPECS: dict[str, Spec] = {
    "scale": Spec(
        "skewed accounts, 10 territories, band 2 %, distance and retention: gap, deviation, seconds, memory",
        cases.sized("scale", [10_000, 100_000, 1_000_000]),
        [*OURS, "annealing", "transport", "greedy_lookahead", *BALANCERS, "balanced_kmeans", *PEERS, *MODELS],
        60.0,
        {"sizes": [300], "time_limit": 1.0},
    ),
    "owners": Spec(
        "who keeps which account is all that counts (count, value, both, fit, mixed), band 2 %: gap, seconds",
        cases.owner_cases,
        ["auto", "lagrangian", "transport", "greedy_lookahead", *MODELS],
        60.0,
        {"sizes": [300], "cases": "count", "time_limit": 1.0, "solvers": ["greedy_lookahead"]},
    ),
    "lumpy": Spec(
        "1,000 accounts, single ones up to 0.66 of a territory, band 2 %: cost and deviation at 10 s",
        cases.sized("lumpy", [1_000]),
        [*OURS, "annealing", "transport", "greedy_lookahead", "waterfall", "lpt", *MODELS],
        10.0,
        {"sizes": [1_000], "time_limit": 0.5, "solvers": ["greedy_lookahead"]},
    ),
    "small": Spec(
        "10 to 200 accounts for 3 or 5 reps: what is proven, and in which time",
        cases.small_cases,
        ["auto", *MODELS],
        20.0,
        {"sizes": [10], "time_limit": 2.0, "solvers": ["auto"]},
    ),
    "tree": Spec(
        "down a hierarchy of 10 x 10 x 10 to 1,000 reps: deviation of the leaves, seconds",
        cases.tree_cases,
        ["carve"],
        600.0,
        {"sizes": [600], "time_limit": 5.0, "cases": "serial"},
    ),
    "tree_curve": Spec(
        "trees on a pool of two processes as accounts and reps grow: seconds, memory, deviation of the leaves",
        cases.curve_cases,
        ["carve"],
        900.0,
        {"sizes": [600], "time_limit": 5.0, "cases": "-10"},
    ),
    "tree_flat": Spec(
        "10,000 accounts to 60 reps down a tree of 6 x 10, and at once: what dividing step by step costs",
        cases.flat_cases,
        ["carve"],
        300.0,
        {"sizes": [400], "time_limit": 5.0, "cases": "tree"},
    ),
    "tree_rules": Spec(
        "five levels (5 x 5 x 5 x 2 x 2) to 500 reps with families and pins: rules broken, deviation, seconds",
        cases.rule_cases,
        ["carve"],
        900.0,
        {"sizes": [2_000], "time_limit": 10.0},
    ),
    "even": Spec(
        "skewed accounts, 10 territories, no preferences: worst deviation over four criteria",
        cases.sized("even", [1_000, 10_000, 100_000]),
        ["auto", "balancing", "greedy_lookahead", "annealing", "transport", *BALANCERS, *PEERS, *MODELS],
        60.0,
        {"sizes": [200], "time_limit": 1.0},
    ),
    "balance": Spec(
        "multidimensional multi-way number partitioning: value against the mean of ADAPT-CMSA",
        cases.balance_cases,
        ["auto", "balancing", "annealing", "greedy_lookahead", "karmarkar_karp", "lpt", *MODELS],
        60.0,
        {"sizes": [100], "cases": "m2-k5", "time_limit": 1.0},
    ),
    "assignment": Spec(
        "generalized assignment: per cent above the best known cost",
        cases.assignment_cases,
        ["auto", "local_search", "annealing", "greedy_lookahead", "transport", *MODELS],
        60.0,
        {"sizes": [32], "time_limit": 1.0},
    ),
    "classics": Spec(
        "generated assignment (types C, D, E), machines and bins: per cent above the own bound, what is proved",
        cases.classic_cases,
        ["auto", "local_search", "annealing", "greedy_lookahead", "lpt", *MODELS],
        60.0,
        {"sizes": [25], "time_limit": 0.5, "solvers": ["lpt"]},
    ),
    "patterns": Spec(
        "hard patterns at severity 0, 0.5 and 1: sparse, Zipf, correlated, oversized account, pins, families, shares",
        cases.pattern_cases,
        ["auto", "local_search", "lagrangian", "annealing", "greedy_lookahead", "waterfall"],
        10.0,
        {"sizes": [100], "cases": "0.5", "time_limit": 0.5, "solvers": ["greedy_lookahead"]},
    ),
    "frozen": Spec(
        "small frozen files of our own in the four public formats, with checksums",
        cases.frozen_cases,
        ["auto", "balancing", "local_search", "annealing", *BALANCERS[3:6], "greedy_lookahead", *MODELS],
        10.0,
        {"time_limit": 0.5, "solvers": ["greedy_lookahead", "lpt"]},
    ),
}
