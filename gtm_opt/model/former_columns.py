"""Result tables that still answer to the column names of the last release, which carried a currency."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
from pandas.core.groupby import DataFrameGroupBy

from gtm_opt.errors import warn_renamed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AmountTable", "with_former_names"]

Method = TypeVar("Method", bound="Callable[..., pd.DataFrame]")


class AmountTable(pd.DataFrame):
    """A DataFrame of amounts; ``table["quota_usd"]`` warns and gives ``table["quota"]``. Goes with the next release."""

    @property
    def _constructor(self) -> type[AmountTable]:
        return AmountTable

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(_present_names(key, self.columns))

    def __getattr__(self, name: str) -> Any:  # type: ignore[misc]  # final for the stubs only
        if name.startswith("_") or "_usd" not in name:
            return super().__getattr__(name)
        return super().__getattr__(_present_names(name, self.columns))

    def __contains__(self, key: Any) -> bool:  # type: ignore[misc]
        return super().__contains__(key) or (isinstance(key, str) and _former(key, self.columns) is not None)

    def groupby(self, *args: Any, **kwargs: Any) -> Any:
        """As of a DataFrame; the groups answer to former names too."""
        grouped = super().groupby(*args, **kwargs)
        if type(grouped) is DataFrameGroupBy:
            grouped.__class__ = _AmountGroups
        return grouped


class _AmountGroups(DataFrameGroupBy):  # type: ignore[type-arg]
    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(_present_names(key, self.obj.columns))


def _former(name: str, columns: pd.Index) -> str | None:
    """Return the present name of a column that was called ``name``; None where there is none."""
    if "_usd" not in name or name in columns:
        return None
    present = name.replace("_usd", "")
    return present if present in columns else None


def _present_names(key: Any, columns: pd.Index) -> Any:
    if isinstance(key, list):
        return [_present_names(name, columns) for name in key]
    present = _former(key, columns) if isinstance(key, str) else None
    if present is None:
        return key
    warn_renamed(f"column '{key}'", f"'{present}'")
    return present


def with_former_names(method: Method) -> Method:
    """Return a method whose table answers to the names of the last release."""

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> pd.DataFrame:
        return AmountTable(method(*args, **kwargs))

    return call  # type: ignore[return-value]
