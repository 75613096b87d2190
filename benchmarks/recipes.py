"""Recipes: from the plain values of a case to an instance, and the file's problem for the checker."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import classic, generators
from benchmarks.owners import owners_instance
from benchmarks.problems import to_instance
from benchmarks.readers import Gap, Partition, read
from gtm_opt.instance import Instance

__all__ = ["FROZEN", "build_case", "instances_path"]

FROZEN = Path(__file__).resolve().parent / "frozen"


def instances_path() -> Path:
    """Return the folder of public instances: GTM_OPT_INSTANCES, else ``../shared/instances``."""
    given = os.environ.get("GTM_OPT_INSTANCES")
    return Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "instances"


def _scale(seed: int, **given: Any) -> tuple[Instance, None]:
    return generators.scale_instance(seed=seed, **given), None


def _lumpy(seed: int, **given: Any) -> tuple[Instance, None]:
    return generators.lumpy_instance(seed=seed, **given), None


def _owners(seed: int, **given: Any) -> tuple[Instance, None]:
    return owners_instance(seed=seed, **given), None


def _even(seed: int, **given: Any) -> tuple[Instance, None]:
    return generators.balance_only(generators.scale_instance(seed=seed, **given)), None


def _small(seed: int, *, kind: str, **given: Any) -> tuple[Instance, None]:
    return generators.small_instance(kind, seed=seed, **given), None


def _pattern(seed: int, **given: Any) -> tuple[Instance, None]:
    return generators.pattern(seed=seed, **given), None


def _file(seed: int, *, folder: str, name: str, family: str, **given: Any) -> tuple[Instance, Gap | Partition]:
    place = FROZEN if folder == "frozen" else instances_path() / folder
    problem = read(family, place / name, **given)
    return to_instance(problem), problem


def _classic(seed: int, *, kind: str, **given: Any) -> tuple[Instance, Gap | Partition]:
    problem = _CLASSICS[kind](seed=seed, **given)
    return to_instance(problem), problem


def _machines(seed: int, *, n: int, k: int) -> Partition:
    times = np.random.default_rng(seed).integers(1, 1_001, n)
    return Partition("pcmax", times.astype(np.float64)[:, None], k)


def _cut_bars(seed: int, *, k: int) -> Partition:
    return Partition("pcmax", classic.perfect(k, 10_000, seed).astype(np.float64)[:, None], k)


def _triplets(seed: int, *, k: int) -> Partition:
    return Partition("bpp", classic.triplets(k, 1_000, seed).astype(np.float64)[:, None], k, 1_000.0)


_CLASSICS: dict[str, Callable[..., Gap | Partition]] = {
    "gap": classic.gap,
    "machines": _machines,
    "bars": _cut_bars,
    "triplets": _triplets,
    "bins": classic.uniform_bins,
}

_RECIPES: dict[str, Callable[..., tuple[Instance, Gap | Partition | None]]] = {
    "scale": _scale,
    "lumpy": _lumpy,
    "even": _even,
    "owners": _owners,
    "pattern": _pattern,
    "small": _small,
    "file": _file,
    "classic": _classic,
}


def build_case(recipe: str, arguments: dict[str, Any], seed: int) -> tuple[Instance, Gap | Partition | None]:
    """Return the instance of a case, and the problem of its file where it has one."""
    return _RECIPES[recipe](seed, **arguments)
