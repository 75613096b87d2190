"""Problems, plans and results as JSON, with a version of the schema."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from gtm_opt.errors import DataError
from gtm_opt.model.codec import decode, encode
from gtm_opt.model.table_io import frame_from_json, frame_to_json

if TYPE_CHECKING:
    from typing import Self

    import pandas as pd

__all__ = ["SCHEMA", "JsonForm", "from_dict", "to_dict"]

FORMAT = "gtm_opt"
SCHEMA = 1
"""Version of the layout below. A reader takes this one and older ones."""


def to_dict(value: object) -> dict[str, Any]:
    """Return one of our objects as plain JSON values; see `JsonForm.to_dict`."""
    tables: dict[str, pd.DataFrame] = {}
    names: dict[int, str] = {}

    def put(frame: pd.DataFrame, hint: str) -> str:
        if id(frame) not in names:
            name = hint if hint not in tables else f"{hint}_{len(tables)}"
            tables[name], names[id(frame)] = frame, name
        return names[id(frame)]

    kind = type(value).__name__
    content = encode(value, put, kind.lower())
    out: dict[str, Any] = {"format": FORMAT, "schema": SCHEMA, "kind": kind, "gtm_opt": _version(), "value": content}
    out["tables"] = {name: frame_to_json(frame) for name, frame in tables.items()}
    out["seal"] = _seal(out)
    return out


def from_dict(data: dict[str, Any]) -> Any:
    """Return the object that `to_dict` was given.

    Raises
    ------
    DataError
        For what is no such form, or one of a newer schema.
    """
    if not isinstance(data, dict) or data.get("format") != FORMAT or "value" not in data:
        raise DataError("`data` must be what to_dict returned: a dict with format 'gtm_opt', schema, kind and value.")
    schema = data.get("schema")
    if not isinstance(schema, int) or schema > SCHEMA:
        raise DataError(
            f"`data` has schema {schema!r} (gtm_opt {data.get('gtm_opt', '?')}), this version reads up to {SCHEMA}. "
            "Upgrade gtm_opt to read it; nothing was read."
        )
    cache: dict[str, pd.DataFrame] = {}

    def get(name: str) -> pd.DataFrame:
        if name not in cache:
            if name not in data.get("tables", {}):
                raise DataError(f"`data` lacks the table '{name}'. Write it again with to_dict.")
            cache[name] = frame_from_json(data["tables"][name])
        return cache[name]

    value = decode(data["value"], get)
    changed = data.get("seal") != _seal(data)
    # what was proven of other numbers is not proven of these
    return value.as_changed() if changed and hasattr(value, "as_changed") else value


def _seal(data: dict[str, Any]) -> str:
    """Return a hash over content and tables: edited by hand, it no longer fits."""
    text = json.dumps({key: data.get(key) for key in ("value", "tables")}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _version() -> str:
    try:
        return version("gtm-opt")
    except PackageNotFoundError:
        return "unknown"


class JsonForm:
    """Gives a class `to_dict` and `from_dict`."""

    def to_dict(self) -> dict[str, Any]:
        """Return this as plain JSON values, for a database, a queue or another process.

        Returns
        -------
        dict
            ``format``, ``schema`` (version of the layout), ``kind``, ``gtm_opt`` (the release that wrote it),
            ``value``, ``tables`` by name, and ``seal``, a hash over the two. ``json.dumps`` takes it as it is.

        Notes
        -----
        What cannot be written down is left out: executors, callbacks, switches; a solver that was passed as an object
        is kept by its name.
        """
        return to_dict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the object that `to_dict` was called on; measures are computed anew.

        Raises
        ------
        DataError
            For what is no such form, one of another kind, or one of a newer schema.
        TypeError
            For what is no dict.

        Notes
        -----
        Where content or tables were edited the seal does not fit: the numbers are taken and measured, and nothing
        is shown as proven.
        """
        if not isinstance(data, dict):
            raise TypeError(f"`data` must be a dict, got {type(data).__name__}. Read text with json.loads first.")
        if data.get("kind") != cls.__name__:
            raise DataError(f"`data` must describe a {cls.__name__}, got {data.get('kind')!r}.")
        value = from_dict(data)
        assert isinstance(value, cls)
        return value
