"""Values that hold for everybody, or by role and segment with a default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from gtm_opt.model.tables import did_you_mean

if TYPE_CHECKING:
    from gtm_opt.errors import Findings
    from gtm_opt.model.roles import Role

__all__ = ["DEFAULT", "as_pairs", "check_names", "value_for"]

Value = TypeVar("Value")
DEFAULT = "default"


def as_pairs(values: Value | Mapping[str, Value] | tuple[tuple[str, Value], ...]) -> tuple[tuple[str, Value], ...]:
    """Return a value, or values by name, as hashable pairs of name and value; a single value is the default."""
    if isinstance(values, Mapping):
        return tuple((str(name), value) for name, value in values.items())
    if isinstance(values, tuple):
        return tuple((str(name), value) for name, value in values)
    return ((DEFAULT, values),)


def value_for(pairs: tuple[tuple[str, Value], ...], role: Role) -> Value | None:
    """Return the value of a role: by its name, else by its segment, else the default, else None."""
    known = dict(pairs)
    for name in (role.name, role.segment, DEFAULT):
        if name is not None and name in known:
            return known[name]
    return None


def check_names(
    pairs: tuple[tuple[str, Value], ...], roles: Iterable[Role], where: str, found: Findings, *, complete: bool
) -> None:
    """Record names that are neither a role nor a segment, and (if ``complete``) roles without a value."""
    roles = list(roles)
    known = {DEFAULT, *(r.name for r in roles), *(r.segment for r in roles if r.segment is not None)}
    unknown = [name for name, _ in pairs if name not in known]
    if unknown:
        remedy = did_you_mean(unknown[0], sorted(known))
        found.add(where, "must name roles, segments or 'default'", rows=unknown, kind="name", remedy=remedy)
    without = [role.name for role in roles if value_for(pairs, role) is None]
    if complete and without:
        remedy = "Add the role, its segment, or 'default'; 0 says that nobody leaves."
        found.add(where, "must have a value for every role", rows=without, kind="role", remedy=remedy)
