"""One entry for tables: pandas, polars, Arrow and other frames, lists of dicts, dicts of lists."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["as_frame", "as_labelled", "as_series", "is_table", "pass_or_refuse", "takes_tables", "type_text"]

Call = TypeVar("Call", bound="Callable[..., Any]")

_TABLES = "a table (a pandas, polars or Arrow frame, a list of dicts, a dict of lists)"
# what turns a table that is not computed yet into one that is
_COMPUTE = {"polars": "collect", "dask": "compute", "pyspark": "toPandas", "ibis": "to_pandas", "duckdb": "df"}


def as_frame(values: object, name: str) -> pd.DataFrame:
    """Return a table of any common kind as a pandas DataFrame; a pandas one is returned as it is.

    Parameters
    ----------
    values : object
        A DataFrame of pandas, polars, Arrow, Modin, cuDF (whatever narwhals knows as an eager frame), a list of
        mappings (one per row), or a mapping of columns to equally long lists.
    name : str
        The argument, for messages.

    Raises
    ------
    TypeError
        For anything else, by the name of what came in and with what to call. Tables that are not computed yet
        (polars LazyFrame, Dask, Ibis, Spark) are refused: when and where they are computed is the caller's choice.

    Notes
    -----
    Whole numbers with missing cells stay whole (``Int64``): as floating point, ids above 2^53 would change.

    Examples
    --------
    >>> as_frame([{"account_id": "a", "arr": 2.0}, {"account_id": "b", "arr": 1.0}], "accounts")["arr"].tolist()
    [2.0, 1.0]
    """
    frame = _read(values)
    if frame is None:
        raise TypeError(f"`{name}` must be {_TABLES}, got {type_text(values)}.{_remedy(values)}")
    return frame


def as_labelled(values: object, name: str) -> pd.DataFrame:
    """Return a table whose rows have names; frames without row names give them in their first column.

    Raises
    ------
    TypeError
        As `as_frame`.
    """
    frame = as_frame(values, name)
    if isinstance(values, pd.DataFrame) or not frame.shape[1]:
        return frame
    return frame.set_index(frame.columns[0])


def as_series(values: object, name: str) -> pd.Series:
    """Return a column of any common kind as a pandas Series.

    Raises
    ------
    TypeError
        For what is no column, by the name of what came in.
    """
    if isinstance(values, pd.Series):
        return values
    if isinstance(values, pd.Index | np.ndarray) or (isinstance(values, Sequence) and not isinstance(values, str)):
        if getattr(values, "ndim", 1) == 1:
            return pd.Series(values)
    elif _is_foreign(values):
        import narwhals as nw

        column = nw.from_native(values, series_only=True, pass_through=True)
        if isinstance(column, nw.Series):
            return _column(column)
    raise TypeError(f"`{name}` must be a column (a Series, an array, a list), got {type_text(values)}.")


def is_table(values: object) -> bool:
    """Whether `as_frame` takes this; a mapping of names to single values is none."""
    return isinstance(values, pd.DataFrame) or (not _is_plain(values) and _read(values) is not None)


def takes_tables(
    *tables: str, labelled: Sequence[str] = (), either: Sequence[str] = (), columns: Sequence[str] = ()
) -> Callable[[Call], Call]:
    """Return a decorator that turns tables of any kind into pandas ones before the function sees them.

    Parameters
    ----------
    *tables : str
        Arguments that are tables, or None.
    labelled : sequence of str
        Arguments that are tables with named rows, or None (`as_labelled`).
    either : sequence of str
        Arguments that may be tables or something else (a mapping, a plan), which passes as it is.
    columns : sequence of str
        Arguments that are single columns (`as_series`).
    """
    readers: dict[str, Callable[[object, str], object]] = {
        **dict.fromkeys(tables, as_frame),
        **dict.fromkeys(labelled, as_labelled),
        **dict.fromkeys(either, lambda v, n: as_frame(v, n) if is_table(v) else pass_or_refuse(v, n)),
        **dict.fromkeys(columns, as_series),
    }

    def decorate(function: Call) -> Call:
        places = list(inspect.signature(function).parameters)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            given = list(args)
            for at, (name, value) in enumerate(zip(places, args, strict=False)):
                if name in readers and value is not None:
                    given[at] = readers[name](value, name)
            for name in readers.keys() & kwargs.keys():
                if kwargs[name] is not None:
                    kwargs[name] = readers[name](kwargs[name], name)
            return function(*given, **kwargs)

        call.takes = frozenset(readers)  # type: ignore[attr-defined]
        return call  # type: ignore[return-value]

    return decorate


def type_text(values: object) -> str:
    """Return what something is, as its users call it: "polars.LazyFrame"."""
    kind = type(values)
    package = kind.__module__.split(".")[0]
    if isinstance(values, list) and values:
        return f"a list of {type_text(values[0])}"
    return kind.__qualname__ if package == "builtins" else f"{package}.{kind.__qualname__}"


def _read(values: object) -> pd.DataFrame | None:
    if isinstance(values, pd.DataFrame):
        return values
    if isinstance(values, list | tuple):
        return pd.DataFrame(list(values)) if values and all(isinstance(row, Mapping) for row in values) else None
    if isinstance(values, Mapping):
        return _of_columns(values)
    if not _is_foreign(values):
        return None
    import narwhals as nw

    table = nw.from_native(values, pass_through=True)
    if not isinstance(table, nw.DataFrame):
        return None
    columns = [_column(table[name]) for name in table.columns]
    return pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(len(table))).set_axis(table.columns, axis=1)


def _of_columns(values: Mapping[Any, Any]) -> pd.DataFrame | None:
    """Return a mapping of columns as a table; None for a mapping of single values."""
    columns = values.values()
    if not values or not all(_is_column(column) for column in columns):
        return None
    if len({len(column) for column in columns}) > 1:
        return None
    plain = {k: c if isinstance(c, pd.Series) else pd.Series(_items(c)) for k, c in values.items()}
    return pd.DataFrame({k: c.reset_index(drop=True) for k, c in plain.items()})


def _is_column(values: object) -> bool:
    if isinstance(values, str | bytes | Mapping):
        return False
    return isinstance(values, Sequence | pd.Series | pd.Index | np.ndarray) or _is_foreign_column(values)


def _is_foreign_column(values: object) -> bool:
    return _is_foreign(values) and hasattr(values, "__len__") and (hasattr(values, "to_list") or _has_pylist(values))


def _has_pylist(values: object) -> bool:
    return hasattr(values, "to_pylist")


def _items(values: Any) -> Any:
    if _is_foreign_column(values):
        return values.to_pylist() if _has_pylist(values) else values.to_list()
    return values


def _column(column: Any) -> pd.Series:
    """Return a column of narwhals as a pandas Series."""
    dtype = column.dtype
    if not column.is_null().any() and (dtype.is_integer() or dtype.is_float()):
        return pd.Series(column.to_numpy())
    items = column.to_list()
    if dtype.is_integer():
        return pd.Series(pd.array(items, dtype="Int64"))
    if dtype.is_float():
        return pd.Series(items, dtype=float)
    return pd.Series(items) if any(item is not None for item in items) else pd.Series(items, dtype=object)


def _is_plain(values: object) -> bool:
    return values is None or isinstance(values, str | bytes | int | float | pd.Series)


def _is_foreign(values: object) -> bool:
    """Whether this comes from a package other than Python, NumPy, pandas and this one."""
    package = type(values).__module__.split(".")[0]
    return package not in ("builtins", "numpy", "pandas", "gtm_opt", "collections") and package in sys.modules


def _remedy(values: object) -> str:
    package = type(values).__module__.split(".")[0]
    if isinstance(values, pd.Series):
        return " Call .to_frame() and name its column."
    if package in _COMPUTE and hasattr(values, _COMPUTE[package]):
        return f" Call .{_COMPUTE[package]}() first."
    for call in ("to_pandas", "toPandas"):
        if hasattr(values, call):
            return f" Call .{call}() first."
    if isinstance(values, Mapping):
        return " Its values must be lists of the same length, one per column."
    return ""


def pass_or_refuse(values: object, name: str) -> object:
    """Return what is no table as it is, unless it is a table that is not computed yet."""
    package = type(values).__module__.split(".")[0]
    if package in _COMPUTE and hasattr(values, _COMPUTE[package]) and hasattr(type(values), "columns"):
        return as_frame(values, name)
    return values
