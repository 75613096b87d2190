"""The cases of the named benchmarks: problems as recipes, with sizes and reference values."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import generators
from benchmarks.owners import KINDS
from benchmarks.recipes import FROZEN, instances_path
from gtm_opt.errors import DataError, Finding

__all__ = [
    "Case",
    "assignment_cases",
    "balance_cases",
    "classic_cases",
    "curve_cases",
    "flat_cases",
    "frozen_cases",
    "owner_cases",
    "pattern_cases",
    "rule_cases",
    "sized",
    "small_cases",
    "tree_cases",
]


@dataclass(frozen=True, slots=True)
class Case:
    """One problem of a benchmark, as a recipe that a worker process can follow.

    Attributes
    ----------
    name : str
    recipe : str
        One that `benchmarks.recipes.build_case` knows.
    arguments : dict
        Plain values.
    n, k, m : int
        Numbers of units, territories and criteria (of leaves, where a tree is carved); in generated cases that
        leave them to the seed, about so many.
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


def sized(recipe: str, default: list[int]) -> Callable[[list[int] | None], list[Case]]:
    """Return one case per number of units, for a recipe that is sized by it."""

    def cases(sizes: list[int] | None) -> list[Case]:
        return [Case(f"{recipe}-{n}", recipe, {"n": n}, n, 10, 4) for n in sizes or default]

    return cases


SMALL = ((10, 3), (50, 5), (200, 5))
"""Accounts and territories of a small team."""


def small_cases(sizes: list[int] | None) -> list[Case]:
    """Return small teams by what is asked: owners, owners and fit with two columns to balance, as even as possible."""
    return [
        Case(f"{kind}-{n}x{k}", "small", {"n": n, "k": k, "kind": kind}, n, k, 1 + (kind == "fit"))
        for n, k in SMALL
        if not sizes or n in sizes
        for kind in generators.SMALL_KINDS
    ]


def owner_cases(sizes: list[int] | None) -> list[Case]:
    """Return owners that tie, by kind of preference, and many territories in one node."""
    made = [(n, 10, kind) for n in sizes or [10_000, 100_000, 1_000_000] for kind in KINDS]
    made += [(n, 60, "count") for n in sizes or [100_000] if n >= 6_000]
    return [Case(f"owners-{kind}-{n}x{k}", "owners", {"n": n, "k": k, "kind": kind}, n, k, 4) for n, k, kind in made]


def pattern_cases(sizes: list[int] | None) -> list[Case]:
    """Return the hard patterns at three severities."""
    return [
        Case(f"{name}-{n}-{severity}", "pattern", {"name": name, "n": n, "severity": severity}, n, 10, 4)
        for n in sizes or [1_000]
        for name in sorted(generators.PATTERNS)
        for severity in (0.0, 0.5, 1.0)
    ]


def assignment_cases(sizes: list[int] | None) -> list[Case]:
    """Return the public files of generalized assignment; the reference is the best known cost."""
    out = []
    for row in _rows(instances_path() / "gap" / "best_known.csv"):
        n, k = int(row["jobs"]), int(row["agents"])
        if sizes and n not in sizes:
            continue
        where = {"folder": "gap", "name": row["file"], "family": "gap"}
        out.append(Case(row["file"], "file", where, n, k, 1, False, float(row["best_known"]), row["status"]))
    return out


def balance_cases(sizes: list[int] | None) -> list[Case]:
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


def frozen_cases(sizes: list[int] | None) -> list[Case]:
    """Return the small frozen files; the reference is known where the construction gives it."""
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


def classic_cases(sizes: list[int] | None) -> list[Case]:
    """Seeded instances of the classics: no best known values, so answers are held against bounds."""
    made = [
        (f"gap-{letter}-{k}x{n}", n, k, {"kind": "gap", "letter": letter, "agents": k, "jobs": n})
        for k, n in ((10, 200), (40, 400), (80, 1_600))
        for letter in "cde"
    ]
    made += [
        (f"machines-{k}x{n}", n, k, {"kind": "machines", "n": n, "k": k}) for k, n in ((10, 25), (25, 100), (50, 500))
    ]
    made += [(f"bars-{k}", 4 * k, k, {"kind": "bars", "k": k}) for k in (10, 40)]
    made += [(f"triplets-{k}", 3 * k, k, {"kind": "triplets", "k": k}) for k in (20, 80)]
    made += [
        (f"bins-{name}-{n}", n, k, {"kind": "bins", "n": n, "low": low, "high": high, "capacity": capacity})
        for name, n, k, low, high, capacity in (
            ("falkenauer", 250, 100, 20, 100, 150),
            ("hard", 180, 72, 1, 800, 1_000),
        )
    ]
    return [Case(name, "classic", given, n, k, 1) for name, n, k, given in made if not sizes or n in sizes]


def _tree_case(name: str, n: int, fanout: str, **given: Any) -> Case:
    leaves = math.prod(int(part) for part in fanout.split("x"))
    return Case(name, "tree", {"n": n, "fanout": fanout, **given}, n, leaves, 4)


def tree_cases(sizes: list[int] | None) -> list[Case]:
    """One case per executor: the plan (see its fingerprint in ``problems``) must be the same."""
    return [
        _tree_case(f"tree-{n}-{executor}", n, "10x10x10" if n >= 10_000 else "3x3x3", executor=executor)
        for n in sizes or [100_000]
        for executor in ("serial", "process", "dask")
    ]


def curve_cases(sizes: list[int] | None) -> list[Case]:
    """Return trees of growing numbers of accounts and leaves, on a pool of two processes."""
    return [
        _tree_case(f"{n}-accounts-{fanout.replace('x', '-')}", n, fanout, executor="process")
        for n in sizes or [10_000, 100_000, 1_000_000]
        for fanout in ("10", "10x10", "10x10x10")
        if n >= 50 * 10 ** len(fanout.split("x"))
    ]


def rule_cases(sizes: list[int] | None) -> list[Case]:
    """Return trees of five levels with families and pins."""
    return [_tree_case(f"rules-{n}", n, "5x5x5x2x2", executor="process", rules=True) for n in sizes or [300_000]]


def flat_cases(sizes: list[int] | None) -> list[Case]:
    """Return the same accounts carved down a tree, and at once."""
    return [
        _tree_case(f"{'flat' if flat else 'tree'}-{n}", n, "6x10", flat=flat)
        for n in sizes or [10_000]
        for flat in (False, True)
    ]
