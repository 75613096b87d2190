"""Roles: what a fully ramped rep of a kind produces, how long it takes to get there, what it costs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from gtm_opt.errors import DataError, Findings
from gtm_opt.model.frames import takes_tables
from gtm_opt.model.ramp import Ramp
from gtm_opt.model.renamed import accept_renamed, rename_columns
from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Role", "Roles"]

_NO_RAMP = Ramp.none()
RENAMED = {"productivity_usd_py": "productivity_py", "cost_usd_pm": "cost_pm", "hire_cost_usd": "hire_cost"}
"""Former names of fields, understood for one release."""
COLUMNS = (
    *("role", "productivity_py", "segment", "ramp", "ramp_quota", "fte", "quota_type", "cost_pm", "hire_cost"),
    "owns_accounts",
)
"""What a table of roles may hold."""


@dataclass(frozen=True)
class Role:
    """One kind of seller in one segment.

    Parameters
    ----------
    name : str
        For example ``"AE-ENT"``.
    productivity_py : float
        New bookings of a fully ramped rep per year, in the plan's currency, >= 0. Productivity, not
        quota: where only quota is known, give quota times expected attainment.
    segment : str, optional
    ramp : Ramp
        What new reps book by tenure. Default: fully productive at once.
    ramp_quota : Ramp, optional
        What new reps are asked for by tenure. Default: the same as `ramp`.
    fte : float
        Full-time equivalents of a rep, in (0, 1]. A roster may say otherwise per rep.
    quota_type : {"direct", "overlay"}
        Overlay roles (sales engineers, specialists) share credit for what direct
        roles sell: they are left out of every roll-up.
    cost_pm, hire_cost : float, optional
        Fully loaded cost per rep and month; one-off cost of a hire.
    owns_accounts : bool, optional
        Whether people of this role hold territories. Default: direct roles do, overlay roles do not.

    Raises
    ------
    DataError
        With every finding, if a field breaks its rule.

    Examples
    --------
    >>> Role("AE-ENT", 1_200_000, ramp=Ramp.steps([0, .25, .5, .75])).quota_ramp.loss
    2.5
    """

    name: str
    productivity_py: float
    segment: str | None = None
    ramp: Ramp = _NO_RAMP
    ramp_quota: Ramp | None = None
    fte: float = 1.0
    quota_type: Literal["direct", "overlay"] = "direct"
    cost_pm: float | None = None
    hire_cost: float | None = None
    owns_accounts: bool | None = None

    def __post_init__(self) -> None:
        found = Findings()
        where = f"Role {self.name!r}"
        if not isinstance(self.name, str) or not self.name.strip():
            found.add("Role.name", "must be a non-empty text", got=repr(self.name))
        for field in ("productivity_py", "cost_pm", "hire_cost"):
            value = getattr(self, field)
            if value is None and field != "productivity_py":
                continue
            if not _is_number(value) or value < 0:
                found.add(f"{where}.{field}", "must be a finite number, not negative", got=repr(value))
        if not _is_number(self.fte) or not 0 < self.fte <= 1:
            found.add(f"{where}.fte", "must lie in (0, 1]", got=repr(self.fte))
        if self.owns_accounts not in (None, True, False):
            found.add(f"{where}.owns_accounts", "must be True, False or left out", got=repr(self.owns_accounts))
        if self.quota_type not in ("direct", "overlay"):
            found.add(f"{where}.quota_type", "must be 'direct' or 'overlay'", got=repr(self.quota_type))
        for field in ("ramp", "ramp_quota"):
            value = getattr(self, field)
            if not isinstance(value, Ramp) and not (field == "ramp_quota" and value is None):
                remedy = "Use Ramp.steps, Ramp.linear, Ramp.weibull or Ramp.none."
                found.add(f"{where}.{field}", "must be a Ramp", got=repr(value), remedy=remedy)
        found.raise_if_any()

    @property
    def holds_territories(self) -> bool:
        """Whether people of this role are carved a territory."""
        return self.quota_type == "direct" if self.owns_accounts is None else self.owns_accounts

    @property
    def quota_ramp(self) -> Ramp:
        """The ramp that applies to quota: `ramp_quota`, or `ramp` where none is given."""
        return self.ramp if self.ramp_quota is None else self.ramp_quota


Role.__init__ = accept_renamed(**RENAMED)(Role.__init__)  # type: ignore[method-assign]


@dataclass(frozen=True)
class Roles:
    """The roles of a plan, found by name.

    Parameters
    ----------
    roles : sequence of Role
        At least one; names are unique.
    """

    roles: tuple[Role, ...]

    def __init__(self, roles: Sequence[Role]) -> None:
        object.__setattr__(self, "roles", tuple(roles))
        found = Findings()
        wrong = [r for r in self.roles if not isinstance(r, Role)]
        if wrong or not self.roles:
            found.add("roles", "must be one or more Role objects", got=repr(wrong[:3]) if wrong else "none")
            found.raise_if_any()
        names = [r.name for r in self.roles]
        repeated = sorted({n for n in names if names.count(n) > 1})
        if repeated:
            found.add("roles", "must have unique names", got=f"{len(repeated)} repeated", rows=repeated, kind="role")
        found.raise_if_any()

    @classmethod
    def of(cls, roles: Role | Roles | Sequence[Role]) -> Roles:
        """Return `roles` as a `Roles`, whether it is one, a single role or a sequence."""
        if isinstance(roles, Roles):
            return roles
        return cls((roles,) if isinstance(roles, Role) else tuple(roles))

    @classmethod
    @takes_tables("frame")
    def from_frame(cls, frame: pd.DataFrame) -> Roles:
        """Read roles from a table.

        Parameters
        ----------
        frame : DataFrame
            One row per role. Columns ``role`` and ``productivity_py``; optional
            ``segment``, ``ramp`` and ``ramp_quota`` (`Ramp` objects, or lists of
            monthly fractions), ``fte``, ``quota_type``, ``cost_pm``,
            ``hire_cost``, ``owns_accounts``. Empty cells take the default.

        Raises
        ------
        DataError
            With every finding. A column that is none of these is one: a mistyped ``ramp`` would leave everybody
            fully productive from the first day.
        """
        frame = rename_columns(frame, RENAMED, "roles")
        found = Findings()
        missing = [c for c in ("role", "productivity_py") if c not in frame.columns]
        if missing:
            found.add("roles", f"must have the columns {', '.join(missing)}", got=", ".join(map(str, frame.columns)))
        for column in frame.columns:
            if str(column) not in COLUMNS:
                remedy = did_you_mean(str(column), [c for c in COLUMNS if c not in frame.columns], shown=len(COLUMNS))
                found.add(f"roles[{str(column)!r}]", "is no column of roles", remedy=f"{remedy} Or leave it out.")
        found.raise_if_any()
        roles = []
        for row in frame.to_dict("records"):
            try:
                roles.append(_role_from_row(row))
            except DataError as error:
                found.extend(error)
        found.raise_if_any()
        return cls(roles)

    def __iter__(self) -> Iterator[Role]:
        return iter(self.roles)

    def __len__(self) -> int:
        return len(self.roles)

    def __contains__(self, name: object) -> bool:
        return any(role.name == name for role in self.roles)

    def __getitem__(self, name: str) -> Role:
        for role in self.roles:
            if role.name == name:
                return role
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names in the order given."""
        return tuple(role.name for role in self.roles)


def _role_from_row(row: dict[object, object]) -> Role:
    fields = {str(k): v for k, v in row.items() if isinstance(v, (Ramp, list, tuple)) or not pd.isna(v)}  # type: ignore[call-overload]
    name = str(fields.pop("role", ""))
    for key in ("ramp", "ramp_quota"):
        value = fields.get(key)
        if isinstance(value, (list, tuple)):
            fields[key] = Ramp.steps(value)
    kept = {k: v for k, v in fields.items() if k in COLUMNS}
    kept.setdefault("productivity_py", math.nan)
    return Role(name, **kept)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    try:
        return not isinstance(value, (bool, str)) and math.isfinite(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
