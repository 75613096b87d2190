"""Several quotas side by side: new business, expansion, renewal, units; each with its own tree, and one attainment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError, Finding, Findings, GtmOptError
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.tables import did_you_mean
from gtm_opt.quota.cascade import cascade

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gtm_opt.quota.layers import TreeLike
    from gtm_opt.quota.result import Quotas

__all__ = ["ComponentQuotas", "QuotaComponent", "cascade_components"]

_OPTIONS = frozenset(
    {
        *("over_assign", "weights", "weights_at", "method", "prior", "fallback", "missing", "metrics", "bounds"),
        *("distance", "unit", "calendar"),
    }
)


@dataclass(frozen=True, eq=False)
class QuotaComponent:
    """One of several quotas that a seller carries.

    Parameters
    ----------
    name : str
        "new business", "renewal", "units of product X".
    target : float
        Of the root of its tree, in its own measure.
    tree : Hierarchy
        The cut of the organization that carries it; components may differ in who carries them.
    weight_frac : float
        What its attainment counts in the attainment of a seller, >= 0; the weights of all components sum to 1.
    measure : str
        What the amounts are: a currency ("EUR"), "units", "points". Amounts of different measures are never added.
    cap_frac : float, optional
        Highest attainment of the component that counts, for example 2.0.
    options : mapping
        Further arguments of `cascade`: weights, metrics, over_assign, bounds, method, unit, calendar ...

    Raises
    ------
    DataError
        With every finding in the fields.
    """

    name: str
    target: float
    tree: TreeLike
    weight_frac: float = 1.0
    measure: str = ""
    cap_frac: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        found = Findings()
        where = f"QuotaComponent {self.name!r}"
        if not isinstance(self.name, str) or not self.name.strip():
            found.add("QuotaComponent.name", "must be a non-empty text", got=repr(self.name))
        for name, value, most in (("weight_frac", self.weight_frac, 1.0), ("cap_frac", self.cap_frac, np.inf)):
            if value is None and name == "cap_frac":
                continue
            number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
            if not number or not 0 <= float(value) <= most:  # type: ignore[arg-type]
                rule = "must lie within 0 and 1" if most == 1.0 else "must be a number, not negative"
                found.add(f"{where}.{name}", rule, got=repr(value))
        unknown = sorted(set(self.options) - _OPTIONS)
        if unknown:
            remedy = did_you_mean(unknown[0], sorted(_OPTIONS))
            found.add(f"{where}.options", "must be arguments of cascade", rows=unknown, kind="option", remedy=remedy)
        found.raise_if_any()


@dataclass(frozen=True, eq=False)
class ComponentQuotas:
    """Quotas of several components.

    Attributes
    ----------
    components : tuple of QuotaComponent
    quotas : mapping of str to Quotas
        The cascade of each component.
    """

    components: tuple[QuotaComponent, ...]
    quotas: Mapping[str, Quotas]

    @property
    def table(self) -> pd.DataFrame:
        """One row per component and node: component, measure, node_id, parent_id, level, quota, is_leaf."""
        parts = []
        for component in self.components:
            part = self.quotas[component.name].table[["node_id", "parent_id", "level", "quota", "is_leaf"]].copy()
            part.insert(0, "component", component.name)
            part.insert(1, "measure", component.measure)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    @property
    def seats(self) -> pd.DataFrame:
        """One row per seat and component: seat_id, component, measure, quota, weight_frac.

        A seat that lacks a component, or has a quota of 0 in it, has the weights of its others rescaled to 1.
        """
        leaves = self.table[self.table["is_leaf"]]
        base = {component.name: component.weight_frac for component in self.components}
        out = pd.DataFrame(
            {
                "seat_id": leaves["node_id"].astype(str).to_numpy(),
                "component": leaves["component"].to_numpy(),
                "measure": leaves["measure"].to_numpy(),
                "quota": leaves["quota"].to_numpy(),
            }
        )
        out["weight_frac"] = np.where(out["quota"] > 0, out["component"].map(base), 0.0)
        sums = out.groupby("seat_id")["weight_frac"].transform("sum")
        out["weight_frac"] = np.where(sums > 0, out["weight_frac"] / sums.where(sums > 0, 1.0), 0.0)
        order = {component.name: n for n, component in enumerate(self.components)}
        return out.sort_values(
            ["seat_id", "component"], key=lambda c: c.map(order) if c.name == "component" else c, ignore_index=True
        )

    def total(self, measure: str = "") -> int:
        """Return the sum of the targets of all components of one measure.

        Raises
        ------
        DataError
            If no component has that measure.
        """
        amounts = [self.quotas[c.name].target for c in self.components if c.measure == measure]
        if not amounts:
            known = [c.measure for c in self.components]
            raise DataError(
                [Finding("measure", "must be that of a component", f"'{measure}'", did_you_mean(measure, known))]
            )
        return sum(amounts)

    @takes_tables("results")
    def attainment(self, results: pd.DataFrame) -> pd.DataFrame:
        """Return the attainment of every seat, weighted over its components.

        Parameters
        ----------
        results : DataFrame
            ``seat_id``, ``component``, ``amount``; several rows of a pair are added, none means 0.

        Returns
        -------
        DataFrame
            One row per seat: ``seat_id``, one column per component with its attainment (NaN where the seat does not
            carry it), and ``attainment``: their sum by weight, each up to the component's cap. NaN where a seat carries
            nothing.

        Raises
        ------
        DataError
            For missing columns, unknown seats and components, and non-numeric amounts.
        """
        seats = self.seats
        amounts = _read_amounts(results, "results", seats, "amount")
        seats["amount"] = amounts
        seats["part"] = np.divide(
            seats["amount"], seats["quota"], out=np.full(len(seats), np.nan), where=(seats["quota"] > 0).to_numpy()
        )
        caps = {c.name: np.inf if c.cap_frac is None else c.cap_frac for c in self.components}
        counted = np.minimum(seats["part"], seats["component"].map(caps).astype(np.float64)) * seats["weight_frac"]
        wide = seats.pivot(index="seat_id", columns="component", values="part")
        wide = wide.reindex(columns=[c.name for c in self.components])
        wide["attainment"] = counted.groupby(seats["seat_id"]).sum(min_count=1)
        wide.columns.name = None
        return wide.reset_index()

    @takes_tables("accounts")
    def check_support(self, accounts: pd.DataFrame) -> pd.DataFrame:
        """Return per seat and component whether its accounts support the quota, or by how much they do not.

        Parameters
        ----------
        accounts : DataFrame
            ``seat_id``, ``component``, ``value``: what an account can support; rows of a pair are added.

        Returns
        -------
        DataFrame
            ``seat_id``, ``component``, ``measure``, ``quota``, ``supported``, ``missing`` (0 where it is supported).
        """
        seats = self.seats
        seats["supported"] = _read_amounts(accounts, "accounts", seats, "value")
        seats["missing"] = (seats["quota"] - seats["supported"]).clip(lower=0.0)
        return seats.drop(columns="weight_frac")

    def __repr__(self) -> str:
        parts = ", ".join(f"{c.name} {c.target:,.0f} {c.measure}".rstrip() for c in self.components)
        return f"ComponentQuotas: {parts}"


def cascade_components(components: Sequence[QuotaComponent]) -> ComponentQuotas:
    """Cascade several quotas side by side.

    Parameters
    ----------
    components : sequence of QuotaComponent
        Names are unique, weights sum to 1.

    Returns
    -------
    ComponentQuotas

    Raises
    ------
    DataError
        With the findings of every component, each with its name.
    InfeasibleError
        If the bounds of a component cannot be kept, with its name.
    """
    asked = tuple(components)
    found = Findings()
    names = [component.name for component in asked]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated or not asked:
        found.add("components", "must be one or more, with unique names", rows=repeated, kind="component")
    total = float(sum(component.weight_frac for component in asked))
    if asked and abs(total - 1.0) > 1e-6:
        found.add("weight_frac of components", "must sum to 1", got=f"{total:g}", remedy="Divide each by their sum.")
    found.raise_if_any()
    quotas: dict[str, Quotas] = {}
    for component in asked:
        try:
            options = {"currency": component.measure, **component.options}
            quotas[component.name] = cascade(component.tree, component.target, **options)
        except DataError as error:
            for finding in error.findings:
                where = f"component '{component.name}': {finding.where}"
                found.add(
                    where, finding.rule, got=finding.got, remedy=finding.remedy, rows=finding.rows, kind=finding.kind
                )
        except GtmOptError as error:
            error.add_note(f"component '{component.name}'")
            raise
    found.raise_if_any()
    return ComponentQuotas(asked, quotas)


def _read_amounts(frame: pd.DataFrame, name: str, seats: pd.DataFrame, column: str) -> np.ndarray:
    """Return the sum of amounts of each row of ``seats``, 0 where there is none."""
    found = Findings()
    missing = [c for c in ("seat_id", "component", column) if c not in frame.columns]
    if missing:
        got = ", ".join(map(str, frame.columns))
        found.add(name, f"must have the columns {', '.join(missing)}", got=got)
    found.raise_if_any()
    pairs = pd.MultiIndex.from_arrays([frame["seat_id"].astype(str), frame["component"].astype(str)])
    known = pd.MultiIndex.from_frame(seats[["seat_id", "component"]])
    strange = pairs[~pairs.isin(known)].unique()
    if len(strange):
        rows = [f"{seat} / {component}" for seat, component in strange]
        found.add(name, "must only name seats with that component", rows=rows, kind="pair")
    numbers = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64)
    if (~np.isfinite(numbers)).any():
        rows = frame["seat_id"].astype(str)[~np.isfinite(numbers)].tolist()
        found.add(f"{name}['{column}']", "must hold finite numbers", rows=rows, kind="seat")
    found.raise_if_any()
    sums = pd.Series(numbers, index=pairs).groupby(level=[0, 1]).sum()
    return np.asarray(sums.reindex(known).fillna(0.0), dtype=np.float64)
