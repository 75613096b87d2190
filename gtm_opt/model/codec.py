"""Our frozen objects as JSON, with their tables put aside; and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from gtm_opt.errors import DataError

__all__ = ["decode", "encode"]

Json = Any

# Only these are ever made out of a file; anything else in it is refused.
_KNOWN = {
    **dict.fromkeys(("Balance", "Count", "Limit", "Mix"), "gtm_opt.model.balance"),
    **dict.fromkeys(("Fit", "KeepOwner", "Near"), "gtm_opt.model.preferences"),
    **dict.fromkeys(("Forbid", "KeepApart", "KeepTogether", "MaxMoved", "Pin", "Within"), "gtm_opt.model.rules"),
    **dict.fromkeys(("SeatStatus", "Territories"), "gtm_opt.model.territories"),
    **dict.fromkeys(("Role", "Roles"), "gtm_opt.model.roles"),
    "CarvingProblem": "gtm_opt.model.problem",
    "Carving": "gtm_opt.carving.result",
    "Plan": "gtm_opt.plan.plan",
    "PeopleOptions": "gtm_opt.plan.people",
    "Hierarchy": "gtm_opt.model.hierarchy",
    "Ramp": "gtm_opt.model.ramp",
    "Attainment": "gtm_opt.model.attainment",
    "Attrition": "gtm_opt.model.attrition",
    "Backfill": "gtm_opt.model.backfill",
    "Calendar": "gtm_opt.model.calendar",
    "Level": "gtm_opt.carving.tree.settings",
    **dict.fromkeys(("CarveOptions", "TreeOptions"), "gtm_opt.carving.options"),
    "Staffing": "gtm_opt.assignment",
    **dict.fromkeys(("Capacity", "ExpectedCapacity"), "gtm_opt.sales_capacity"),
    "Quotas": "gtm_opt.quota",
}

# fields that plans of schema 1 hold under a former name
_RENAMED = {
    "Quotas": {"plan_usd": "target"},
    "Role": {"productivity_usd_py": "productivity_py", "cost_usd_pm": "cost_pm", "hire_cost_usd": "hire_cost"},
}


def encode(value: object, put: Callable[[pd.DataFrame, str], str], hint: str = "table") -> Json:
    """Return ``value`` as JSON.

    Parameters
    ----------
    value : object
        One of our dataclasses, or plain values, arrays, tables, dates inside of one.
    put : callable
        Called with each DataFrame and a name that says where it stands; returns the name
        under which it was put aside.
    hint : str
        Where ``value`` stands.

    Raises
    ------
    TypeError
        For what cannot be written down (a function, say).
    """
    if value is None or (isinstance(value, str | bool) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return {"type": type(value).__name__, "value": value.value}
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else {"type": "float", "value": repr(float(value))}
    if isinstance(value, pd.DataFrame):
        return {"type": "table", "name": put(value, hint)}
    if isinstance(value, pd.Series):
        return {"type": "series", "name": put(value.to_frame("value"), hint), "of": value.name}
    if isinstance(value, np.ndarray):
        return {"type": "array", "dtype": str(value.dtype), "value": encode(tuple(value.tolist()), put, hint)}
    if isinstance(value, pd.Timestamp):
        return {"type": "timestamp", "value": value.isoformat()}
    if isinstance(value, Mapping):
        return _encode_mapping(value, put, hint)
    if isinstance(value, list):
        return {"type": "list", "items": [encode(item, put, hint) for item in value]}
    if isinstance(value, tuple):
        return [encode(item, put, hint) for item in value]
    if hasattr(value, "encode_state"):
        return {"type": type(value).__name__, "state": value.encode_state(put)}
    if is_dataclass(value) and type(value).__name__ in _KNOWN:
        kept = [f.name for f in fields(value) if f.init and f.metadata.get("stored", True)]
        own = {name: encode(getattr(value, name), put, f"{hint}_{name}") for name in kept}
        return {"type": type(value).__name__, **own}
    raise TypeError(f"a {type(value).__name__} at {hint} cannot be saved")


def _encode_mapping(value: Mapping[Any, Any], put: Callable[[pd.DataFrame, str], str], hint: str) -> Json:
    if all(isinstance(key, str) for key in value) and "type" not in value:
        return {key: encode(item, put, f"{hint}_{key}") for key, item in value.items()}
    items = [[encode(key, put, hint), encode(item, put, hint)] for key, item in value.items()]
    return {"type": "mapping", "items": items}


def decode(value: Json, get: Callable[[str], pd.DataFrame]) -> Any:
    """Return what `encode` was given; a JSON list is a tuple.

    Parameters
    ----------
    value : JSON
    get : callable
        Returns the table of a name.
    """
    if isinstance(value, list):
        return tuple(decode(item, get) for item in value)
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    if kind is None:
        return {key: decode(item, get) for key, item in value.items()}
    if kind in _PLAIN:
        return _PLAIN[kind](value, get)
    if kind not in _KNOWN:
        raise DataError(
            f"the saved plan holds a '{kind}', which this version of gtm_opt does not know. Upgrade gtm_opt."
        )
    own = getattr(import_module(_KNOWN[kind]), kind)
    if issubclass(own, Enum):
        return own(value["value"])
    if "state" in value and hasattr(own, "decode_state"):
        return own.decode_state(decode(value["state"], get), get)
    renamed = _RENAMED.get(kind, {})
    value = {renamed.get(key, key): item for key, item in value.items()}
    known = {f.name for f in fields(own) if f.init}
    return own(**{key: decode(item, get) for key, item in value.items() if key != "type" and key in known})


_PLAIN: dict[str, Callable[[Any, Callable[[str], pd.DataFrame]], Any]] = {
    "float": lambda v, _: float(v["value"]),
    "table": lambda v, get: get(v["name"]),
    "series": lambda v, get: get(v["name"])["value"].rename(v["of"]),
    "array": lambda v, get: np.array(decode(v["value"], get), dtype=v["dtype"]),
    "timestamp": lambda v, _: pd.Timestamp(v["value"]),
    "list": lambda v, get: [decode(item, get) for item in v["items"]],
    "mapping": lambda v, get: {decode(key, get): decode(item, get) for key, item in v["items"]},
}
