"""Small instances with a known solution, each asking for some of the capabilities of a solver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gtm_opt.instance import Dense, Evenness, EvennessKind, ForbiddenTerm, Instance, MoveCost, PinTerm, SideRow

if TYPE_CHECKING:
    from gtm_opt.instance import FloatArray, IntArray
    from gtm_opt.solvers import Capabilities

__all__ = ["Case", "all_cases", "big_case", "cases_for"]

_BANDS = 0.30


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """An instance, an assignment that keeps everything, and what a solver must understand.

    Attributes
    ----------
    name : str
    instance : Instance
        Its arrays are writable on purpose, so that a solver that changes its input is caught.
    known : ndarray of int, shape (n_units,)
        Keeps all rules and bands.
    needs : tuple of str
        Names of fields of `Capabilities`.
    """

    name: str
    instance: Instance
    known: IntArray
    needs: tuple[str, ...] = ()


def _dealt(sizes: FloatArray, shares: FloatArray) -> IntArray:
    """Deal by decreasing size to the territory that is least filled afterwards."""
    loads, out = np.zeros(len(shares)), np.zeros(len(sizes), dtype=np.int64)
    for unit in np.argsort(-sizes, kind="stable"):
        best = int(((loads + sizes[unit]) / shares).argmin())
        loads[best] += sizes[unit]
        out[unit] = best
    return out


def _plain(n: int, k: int, m: int, seed: int, *, unequal: bool = False) -> tuple[Instance, IntArray]:
    """Return an instance without bands, costs and rules, and an assignment that is about even."""
    rng = np.random.default_rng(seed)
    shares = np.arange(2.0, k + 2.0) if unequal else np.ones(k)
    shares /= shares.sum()
    activities = 1.0 + rng.random((n, m)) * 9.0
    target = shares[:, None] * activities.sum(axis=0)[None, :]
    free = np.full_like(target, np.inf)
    instance = Instance(
        activities=activities,
        target=target,
        lower=-free,
        upper=free,
        shares=shares,
        tier=np.ones(m, dtype=np.int64),
        penalty=np.full(m, np.inf),
        names=tuple(f"criterion_{j}" for j in range(m)),
    )
    return instance, _dealt(activities.sum(axis=1), shares)


def _banded(instance: Instance, known: IntArray, *, elastic: bool = False) -> Instance:
    """Add bands that hold for ``known``: 30 % around the targets, more where it needs more."""
    totals = np.zeros_like(instance.target)
    own = instance.activities3()
    np.add.at(totals, known, own[np.arange(len(known)), known if instance.by_territory else 0])
    slack = 1.02
    lower = np.minimum(instance.target * (1 - _BANDS), totals / slack)
    upper = np.maximum(instance.target * (1 + _BANDS), totals * slack)
    penalty = np.full(instance.n_criteria, 50.0 if elastic else np.inf)
    return replace(instance, lower=lower, upper=upper, penalty=penalty)


def _wishes(instance: Instance, known: IntArray, seed: int) -> tuple[Dense, MoveCost]:
    """Costs that favor ``known`` for most units, and a loss for leaving it."""
    rng = np.random.default_rng(seed)
    cost = rng.random((instance.n_units, instance.n_territories)) * 10.0
    home = np.where(rng.random(instance.n_units) < 0.8, known, -1)
    return Dense(cost), MoveCost(home, 1.0 + rng.random(instance.n_units), instance.n_territories)


def _ruled(instance: Instance, known: IntArray, seed: int) -> Instance:
    """Pin a fifth of the units, bar a tenth of the other pairs, keep two groups apart; ``known`` keeps all of it."""
    rng = np.random.default_rng(seed)
    n, k = instance.n_units, instance.n_territories
    pins = np.where(rng.random(n) < 0.2, known, -1)
    forbidden = rng.random((n, k)) < 0.1
    forbidden[np.arange(n), known] = False
    forbidden[pins >= 0] = False
    unit, territory = np.nonzero(forbidden)
    free = np.flatnonzero(pins < 0)
    groups = []
    for offset in (0, 1):
        members = [free[known[free] == t] for t in range(k)]
        groups.append(np.array([g[offset] for g in members if len(g) > offset][: k - 1], dtype=np.int64))
    rules = (PinTerm(pins, k), ForbiddenTerm(unit.astype(np.int64), territory.astype(np.int64), n, k))
    return replace(instance, cost=(*instance.cost, *rules), apart=tuple(groups))


def all_cases(seed: int = 0) -> list[Case]:
    """Return one case per capability, and some with several; 60 units and 4 territories or so each."""
    out = []
    plain, known = _plain(60, 4, 1, seed)
    out.append(Case("plain", plain, known))
    out.append(Case("one territory", *_plain(12, 1, 1, seed + 1)))
    out.append(Case("fewer units than territories", *_plain(3, 5, 1, seed + 2)))
    several, known3 = _plain(60, 4, 3, seed + 3)
    out.append(Case("several criteria", several, known3, ("several_criteria",)))
    out.append(Case("unequal shares", *_plain(60, 4, 1, seed + 4, unequal=True), ("unequal_shares",)))
    bands = _banded(several, known3)
    out.append(Case("hard bands", bands, known3, ("several_criteria", "bands")))
    preferred = replace(bands, cost=_wishes(bands, known3, seed + 5), previous=known3)
    needs = ("several_criteria", "bands", "preferences")
    out.append(Case("preferences", preferred, known3, needs))
    soft = replace(_banded(several, known3, elastic=True), cost=preferred.cost, previous=known3)
    out.append(Case("elastic bands", soft, known3, needs))
    tiers = replace(_banded(several, known3), tier=np.array([1, 2, 2], dtype=np.int64))
    out.append(Case("two priorities", tiers, known3, ("several_criteria", "bands")))
    out.append(Case("rules", _ruled(plain, known, seed + 6), known, ("rules",)))
    out.append(Case("rules and preferences", _ruled(preferred, known3, seed + 7), known3, (*needs, "rules")))
    moved = MoveCost(known3, np.ones(60), 4)
    limited = replace(preferred, side=(SideRow("moved accounts", moved, 12.0),))
    out.append(Case("side row", limited, known3, (*needs, "side_rows")))
    out.append(_by_territory(seed + 8))
    out.extend(_even_cases(several, known3))
    return out


def _by_territory(seed: int) -> Case:
    """Activities that depend on the territory, with capacities: generalized assignment."""
    rng = np.random.default_rng(seed)
    n, k = 40, 4
    activities = 5.0 + rng.random((n, k, 1)) * 20.0
    known = _dealt(activities.mean(axis=(1, 2)), np.full(k, 0.25))
    target = np.full((k, 1), activities[:, :, 0].min(axis=1).sum() / k)
    free = np.full((k, 1), np.inf)
    instance = Instance(
        activities=activities,
        target=target,
        lower=-free,
        upper=free,
        shares=np.full(k, 0.25),
        tier=np.ones(1, dtype=np.int64),
        penalty=np.full(1, np.inf),
        names=("load",),
    )
    instance = replace(_banded(instance, known), lower=-free, cost=(Dense(rng.random((n, k)) * 30.0),))
    return Case("activity by territory", instance, known, ("by_territory", "bands", "preferences"))


def _even_cases(several: Instance, known: IntArray) -> list[Case]:
    """Return one case per kind of evenness."""
    out = []
    for kind in EvennessKind:
        unit = several.target if kind is EvennessKind.DEVIATION else np.ones_like(several.target)
        instance = replace(several, evenness=Evenness(kind, unit.copy()))
        out.append(Case(f"evenness {kind.value}", instance, known, ("several_criteria", "evenness")))
    return out


def cases_for(capabilities: Capabilities, seed: int = 0) -> list[Case]:
    """Return the cases a solver with these capabilities must handle.

    Parameters
    ----------
    capabilities : Capabilities
        A solver that understands evenness but neither bands nor preferences gets evenness cases only.
    seed : int
    """
    only_even = capabilities.evenness and not capabilities.bands and not capabilities.preferences
    fitting = [case for case in all_cases(seed) if all(getattr(capabilities, need) for need in case.needs)]
    return [case for case in fitting if case.instance.evenness is not None or not only_even]


def big_case(capabilities: Capabilities, n: int, seed: int = 0) -> Case:
    """Return one larger case with as much in it as the capabilities allow, for the time limit."""
    m = 3 if capabilities.several_criteria else 1
    instance, known = _plain(n, 8, m, seed)
    if capabilities.evenness and not capabilities.preferences:
        return Case("big", replace(instance, evenness=Evenness(EvennessKind.DEVIATION, instance.target.copy())), known)
    if capabilities.bands:
        instance = _banded(instance, known)
    if capabilities.preferences:
        instance = replace(instance, cost=_wishes(instance, known, seed + 1), previous=known)
    return Case("big", instance, known)
