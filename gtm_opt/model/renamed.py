"""Names of the last release, understood for one release more with a `gtm_opt.errors.RenamedWarning`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from gtm_opt.errors import warn_renamed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

__all__ = ["accept_renamed", "rename_columns", "renamed_attribute"]

Made = TypeVar("Made")


def accept_renamed(**renames: str) -> Callable[[Callable[..., Made]], Callable[..., Made]]:
    """Return a decorator that takes old keywords for new ones and warns.

    Parameters
    ----------
    **renames : str
        Old keyword = new keyword.
    """

    def decorate(function: Callable[..., Made]) -> Callable[..., Made]:
        owner = function.__qualname__.removesuffix(".__init__")

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Made:
            for old, new in renames.items():
                if old not in kwargs:
                    continue
                if new in kwargs:
                    raise TypeError(f"{owner}() got both '{new}' and '{old}', its name of the last release.")
                warn_renamed(f"{owner}({old}=...)", f"{owner}({new}=...)")
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


def rename_columns(frame: pd.DataFrame, renames: Mapping[str, str], where: str) -> pd.DataFrame:
    """Return ``frame`` with the columns of the last release under their present names, with a warning."""
    old = [name for name in renames if name in frame.columns and renames[name] not in frame.columns]
    for name in old:
        warn_renamed(f"{where}[{name!r}]", f"{where}[{renames[name]!r}]")
    return frame.rename(columns={name: renames[name] for name in old}) if old else frame


def renamed_attribute(old: str, new: str) -> property:
    """Return a property that reads the attribute ``new`` and warns that ``old`` is its former name."""

    def read(self: object) -> Any:
        owner = type(self).__name__
        warn_renamed(f"{owner}.{old}", f"{owner}.{new}")
        return getattr(self, new)

    read.__doc__ = f"Former name of ``{new}``, understood for one release."
    return property(read)
