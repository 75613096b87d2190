"""The named benchmarks: which cases, which solvers side by side, which time limit, which reference values."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import generators
from benchmarks.problems import to_instance
from benchmarks.readers import Gap, Partition, read
from gtm_opt.errors import DataError, Finding
from gtm_opt.instance import Instance

__all__ = ["SPECS", "Case", "Spec", "build_case", "instances_path"]

FROZEN = Path(__file__).resolve().parent / "frozen"

OURS = ["auto", "prices", "search", "resplit"]
BALANCERS = ["random", "round_robin", "snake_draft", "lpt", "multifit", "karmarkar_karp", "waterfall"]
PEERS = ["k_means_constrained", "pymetis", "prtpy"]
MODELS = ["milp", "cpsat", "pulp"]


@dataclass(frozen=True, slots=True)
class Case:
    """One problem of a benchmark, as a recipe that a worker process can follow.

    Attributes
    ----------
    name : str
    recipe : str
        Key of `_RECIPES`.
    arguments : dict
        Plain values.
    n, k, m : int
    seeded : bool
        The seed makes the problem, too (generated cases); otherwise only the solver gets it.
    reference : float or None
        Best known or published value.
    reference_from : str
    """

    name: str
    recipe: str
    arguments: dict[str, Any]
    n: int
    k: int
    m: int
    seeded: bool = True
    reference: float | None = None
    reference_from: str = ""


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


def instances_path() -> Path:
    """Return the folder of public instances: GTM_OPT_INSTANCES, else ``../shared/instances``."""
    given = os.environ.get("GTM_OPT_INSTANCES")
    return Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "instances"


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise DataError(
            [
                Finding(
                    f"public instances ({path.parent.name})",
                    "must be present for this benchmark",
                    remedy="Set GTM_OPT_INSTANCES to their folder.",
                )
            ]
        )
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


# --- recipes: from plain values to an instance (and the file's problem, for the checker) ---------------


def _scale(seed: int, **given: Any) -> tuple[Instance, None]:
    return generators.scale_instance(seed=seed, **given), None


def _lumpy(seed: int, **given: Any) -> tuple[Instance, None]:
    return generators.lumpy_instance(seed=seed, **given), None


def _even(seed: int, **given: Any) -> tuple[Instance, None]:
    return generators.balance_only(generators.scale_instance(seed=seed, **given)), None


def _pattern(seed: int, **given: Any) -> tuple[Instance, None]:
    return generators.pattern(seed=seed, **given), None


def _file(seed: int, *, folder: str, name: str, family: str, **given: Any) -> tuple[Instance, Gap | Partition]:
    place = FROZEN if folder == "frozen" else instances_path() / folder
    problem = read(family, place / name, **given)
    return to_instance(problem), problem


_RECIPES: dict[str, Callable[..., tuple[Instance, Gap | Partition | None]]] = {
    "scale": _scale,
    "lumpy": _lumpy,
    "even": _even,
    "pattern": _pattern,
    "file": _file,
}


def build_case(recipe: str, arguments: dict[str, Any], seed: int) -> tuple[Instance, Gap | Partition | None]:
    """Return the instance of a case, and the problem of its file where it has one."""
    return _RECIPES[recipe](seed, **arguments)


# --- cases ---------------------------------------------------------------------------------------------


def _sized(recipe: str, default: list[int]) -> Callable[[list[int] | None], list[Case]]:
    def cases(sizes: list[int] | None) -> list[Case]:
        return [Case(f"{recipe}-{n}", recipe, {"n": n}, n, 10, 4) for n in sizes or default]

    return cases


def _pattern_cases(sizes: list[int] | None) -> list[Case]:
    return [
        Case(f"{name}-{n}-{severity}", "pattern", {"name": name, "n": n, "severity": severity}, n, 10, 4)
        for n in sizes or [1_000]
        for name in sorted(generators.PATTERNS)
        for severity in (0.0, 0.5, 1.0)
    ]


def _assignment_cases(sizes: list[int] | None) -> list[Case]:
    out = []
    for row in _rows(instances_path() / "gap" / "best_known.csv"):
        n, k = int(row["jobs"]), int(row["agents"])
        if sizes and n not in sizes:
            continue
        where = {"folder": "gap", "name": row["file"], "family": "gap"}
        out.append(Case(row["file"], "file", where, n, k, 1, False, float(row["best_known"]), row["status"]))
    return out


def _balance_cases(sizes: list[int] | None) -> list[Case]:
    """Cells of the matrix; the reference is the mean of the published runs where there is one."""
    out = []
    for row in _rows(instances_path() / "mdmwnpp" / "best_known.csv"):
        n, m, k = int(row["n"]), int(row["m"]), int(row["k"])
        if n not in (sizes or [100, 500]):
            continue
        name = "mdtwnpp_500_20a.txt"
        where = {"folder": "mdmwnpp", "name": name, "family": "mdmwnpp", "n": n, "m": m, "k": k}
        mean = row["mean_adapt_cmsa"]
        reference, source = (mean, "mean_adapt_cmsa") if mean else (row["best_known"], row["best_known_from"])
        out.append(Case(f"n{n}-m{m}-k{k}", "file", where, n, k, m, False, float(reference), source))
    return out


def _frozen_cases(sizes: list[int] | None) -> list[Case]:
    out = []
    for row in _rows(FROZEN / "index.csv"):
        n, k, m = int(row["n"]), int(row["k"]), int(row["m"])
        if sizes and n not in sizes:
            continue
        where: dict[str, Any] = {"folder": "frozen", "name": row["file"], "family": row["family"]}
        if row["family"] != "gap":
            where["k"] = k
        known = float(row["best_known"]) if row["best_known"] else None
        out.append(Case(row["file"], "file", where, n, k, m, False, known, row["status"]))
    return out


def _tree_case(name: str, n: int, fanout: str, **given: Any) -> Case:
    leaves = math.prod(int(part) for part in fanout.split("x"))
    return Case(name, "tree", {"n": n, "fanout": fanout, **given}, n, leaves, 4)


def _tree_cases(sizes: list[int] | None) -> list[Case]:
    """One case per executor: the plan (see its fingerprint in ``problems``) must be the same."""
    return [
        _tree_case(f"tree-{n}-{executor}", n, "10x10x10" if n >= 10_000 else "3x3x3", executor=executor)
        for n in sizes or [100_000]
        for executor in ("serial", "process", "dask")
    ]


def _curve_cases(sizes: list[int] | None) -> list[Case]:
    return [
        _tree_case(f"{n}-accounts-{fanout.replace('x', '-')}", n, fanout, executor="process")
        for n in sizes or [10_000, 100_000, 1_000_000]
        for fanout in ("10", "10x10", "10x10x10")
        if n >= 50 * 10 ** len(fanout.split("x"))
    ]


def _rule_cases(sizes: list[int] | None) -> list[Case]:
    return [_tree_case(f"rules-{n}", n, "5x5x5x2x2", executor="process", rules=True) for n in sizes or [300_000]]


def _flat_cases(sizes: list[int] | None) -> list[Case]:
    return [
        _tree_case(f"{'flat' if flat else 'tree'}-{n}", n, "6x10", flat=flat)
        for n in sizes or [10_000]
        for flat in (False, True)
    ]


SPECS: dict[str, Spec] = {
    "scale": Spec(
        "skewed accounts, 10 territories, band 2 %, distance and retention: gap, deviation, seconds, memory",
        _sized("scale", [10_000, 100_000, 1_000_000]),
        [*OURS, "annealing", "transport", "greedy_lookahead", *BALANCERS, "balanced_kmeans", *PEERS, *MODELS],
        60.0,
        {"sizes": [300], "time_limit": 1.0},
    ),
    "lumpy": Spec(
        "1,000 accounts, single ones up to 0.66 of a territory, band 2 %: cost and deviation at 10 s",
        _sized("lumpy", [1_000]),
        [*OURS, "annealing", "transport", "greedy_lookahead", "waterfall", "lpt", *MODELS],
        10.0,
        {"sizes": [1_000], "time_limit": 0.5, "solvers": ["greedy_lookahead"]},
    ),
    "tree": Spec(
        "down a hierarchy of 10 x 10 x 10 to 1,000 reps: deviation of the leaves, seconds",
        _tree_cases,
        ["carve"],
        600.0,
        {"sizes": [600], "time_limit": 5.0, "cases": "serial"},
    ),
    "tree_curve": Spec(
        "trees on a pool of two processes as accounts and reps grow: seconds, memory, deviation of the leaves",
        _curve_cases,
        ["carve"],
        900.0,
        {"sizes": [600], "time_limit": 5.0, "cases": "-10"},
    ),
    "tree_flat": Spec(
        "10,000 accounts to 60 reps down a tree of 6 x 10, and at once: what dividing step by step costs",
        _flat_cases,
        ["carve"],
        300.0,
        {"sizes": [400], "time_limit": 5.0, "cases": "tree"},
    ),
    "tree_rules": Spec(
        "five levels (5 x 5 x 5 x 2 x 2) to 500 reps with families and pins: rules broken, deviation, seconds",
        _rule_cases,
        ["carve"],
        900.0,
        {"sizes": [2_000], "time_limit": 10.0},
    ),
    "even": Spec(
        "skewed accounts, 10 territories, no preferences: worst deviation over four criteria",
        _sized("even", [1_000, 10_000, 100_000]),
        ["auto", "even", "greedy_lookahead", "annealing", "transport", *BALANCERS, *PEERS, *MODELS],
        60.0,
        {"sizes": [200], "time_limit": 1.0},
    ),
    "balance": Spec(
        "multidimensional multi-way number partitioning: value against the mean of ADAPT-CMSA",
        _balance_cases,
        ["auto", "even", "annealing", "greedy_lookahead", "karmarkar_karp", "lpt", *MODELS],
        60.0,
        {"sizes": [100], "cases": "m2-k5", "time_limit": 1.0},
    ),
    "assignment": Spec(
        "generalized assignment: per cent above the best known cost",
        _assignment_cases,
        ["auto", "search", "annealing", "greedy_lookahead", "transport", *MODELS],
        60.0,
        {"sizes": [32], "time_limit": 1.0},
    ),
    "patterns": Spec(
        "hard patterns at severity 0, 0.5 and 1: sparse, Zipf, correlated, giant account, pins, families, shares",
        _pattern_cases,
        ["auto", "search", "prices", "annealing", "greedy_lookahead", "waterfall"],
        10.0,
        {"sizes": [100], "cases": "0.5", "time_limit": 0.5, "solvers": ["greedy_lookahead"]},
    ),
    "frozen": Spec(
        "small frozen files of our own in the four public formats, with checksums",
        _frozen_cases,
        ["auto", "even", "search", "annealing", *BALANCERS[3:6], "greedy_lookahead", *MODELS],
        10.0,
        {"time_limit": 0.5, "solvers": ["greedy_lookahead", "lpt"]},
    ),
}
