"""The made-up sales team: reps in cities, grouped under managers, regions and areas by place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.datasets.places import CITIES, FIRST_NAMES, INDUSTRIES, LAST_NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["make_reps"]

_TEAM = 5
_FAN_OUT = 8
_ROLE = ("enterprise", "commercial", "smb")


def make_reps(n: int, today: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    """Return ``n`` seats with a manager each; see `gtm_opt.datasets.make_saas` for the columns."""
    weight = np.array([city[5] for city in CITIES])
    at = rng.choice(len(CITIES), size=n, p=weight / weight.sum())
    lat = np.array([c[3] for c in CITIES])[at] + rng.normal(0.0, 0.05, n)
    lon = np.array([c[4] for c in CITIES])[at] + rng.normal(0.0, 0.05, n)
    manager = _grouped(lon, lat, max(1, -(-n // _TEAM)))
    n_managers = int(manager.max()) + 1
    region = _parents(n_managers)
    n_regions = int(region.max()) + 1
    area = _parents(n_regions)
    order = np.argsort(manager, kind="stable")
    status = _status(n, rng)
    reps = pd.DataFrame(
        {
            "rep_id": [f"R-{i:04d}" for i in range(1, n + 1)],
            "name": _names(n, rng),
            "manager_id": [f"M-{m + 1:03d}" for m in manager[order]],
            "manager": np.array(_names(n_managers, rng), dtype=object)[manager[order]],
            "region": np.array(_labels("Region", n_regions), dtype=object)[region[manager[order]]],
            "area": [f"Area {a + 1}" for a in area[region[manager[order]]]],
            "segment": np.array(_ROLE, dtype=object)[rng.choice(3, size=n, p=[0.3, 0.4, 0.3])],
            "start_date": today - pd.to_timedelta(rng.integers(30, 2_500, n), unit="D"),
            "end_date": pd.Series([pd.NaT] * n, dtype="datetime64[ns]"),
            "status": status,
            "capacity": np.round(np.where(rng.random(n) < 0.2, rng.uniform(0.7, 0.95, n), 1.0), 1),
            "city": np.array([c[0] for c in CITIES], dtype=object)[at[order]],
            "lat": np.round(lat[order], 4),
            "lon": np.round(lon[order], 4),
        }
    )
    open_seat = (reps["status"] == "to be hired").to_numpy()
    reps.loc[open_seat, "name"] = [f"Open seat {i}" for i in range(1, int(open_seat.sum()) + 1)]
    ahead = pd.Series(today + pd.to_timedelta(rng.integers(60, 240, n), unit="D"))
    reps["start_date"] = reps["start_date"].where(~open_seat, ahead)
    reps["end_date"] = reps["end_date"].where(reps["status"] != "to be replaced", ahead)
    skills = np.round(rng.beta(1.2, 1.8, (n, len(INDUSTRIES))), 2)
    skills[np.arange(n), rng.integers(0, len(INDUSTRIES), n)] = 1.0  # everybody is at home somewhere
    return pd.concat([reps, pd.DataFrame(skills, columns=[f"skill_{name}" for name in INDUSTRIES])], axis=1)


def _parents(n: int) -> NDArray[np.int64]:
    """Return the group of each of ``n`` in a row: groups of at most eight, two from three on."""
    groups = max(-(-n // _FAN_OUT), 2 if n > 2 else 1)
    return -(-(np.arange(1, n + 1) * groups) // n) - 1


def _labels(word: str, n: int) -> list[str]:
    """Return names for ``n`` groups that are numbered from west to east."""
    few = {1: ["All"], 2: ["West", "East"], 3: ["West", "Central", "East"]}
    return few.get(n, [f"{word} {i}" for i in range(1, n + 1)])


def _grouped(lon: NDArray[np.float64], lat: NDArray[np.float64], n_groups: int) -> NDArray[np.int64]:
    """Split points into groups of about equal size: stripes by longitude, cut by latitude; numbered west to east."""
    stripes = max(1, round(np.sqrt(n_groups)))
    per_stripe = np.diff(np.arange(stripes + 1) * n_groups // stripes)
    edges = np.concatenate([[0], np.cumsum(per_stripe)]) * len(lon) // n_groups
    out = np.empty(len(lon), dtype=np.int64)
    by_lon, done = np.argsort(lon, kind="stable"), 0
    for stripe, groups in enumerate(per_stripe.tolist()):
        members = by_lon[edges[stripe] : edges[stripe + 1]]
        members = members[np.argsort(-lat[members], kind="stable")]
        out[members] = done + np.arange(len(members)) * groups // max(1, len(members))
        done += groups
    return out


def _status(n: int, rng: np.random.Generator) -> list[str]:
    """About one seat in ten is to be hired, one in twenty to be replaced; at least one is filled."""
    draw = rng.random(n)
    status = np.select([draw < 0.1, draw < 0.15], ["to be hired", "to be replaced"], "filled").astype(object)
    status[int(rng.integers(0, n))] = "filled"
    return [str(s) for s in status]


def _names(n: int, rng: np.random.Generator) -> list[str]:
    """Return ``n`` different names."""
    pairs = len(FIRST_NAMES) * len(LAST_NAMES)
    drawn = [int(p) for _ in range(-(-n // pairs)) for p in rng.permutation(pairs)][:n]
    middle = [f" {chr(65 + i // pairs % 26)}." if i >= pairs else "" for i in range(n)]
    return [
        f"{FIRST_NAMES[p // len(LAST_NAMES)]}{m} {LAST_NAMES[p % len(LAST_NAMES)]}"
        for p, m in zip(drawn, middle, strict=True)
    ]
