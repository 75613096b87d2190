"""Rules about places and sizes that contradict each other, judged by the other records of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gtm_opt.records.prepare import hits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gtm_opt.records.prepare import Records

__all__ = [
    "impossible_place",
    "lost_zeros",
    "postal_contradicts",
    "segment_contradicts",
    "state_contradicts",
    "swapped",
]


def _minority(
    inner: NDArray[np.object_], outer: NDArray[np.object_], limits: Mapping[str, float]
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return rows whose ``outer`` label is not the usual one of their ``inner`` label, and the usual one.

    A label is usual with at least ``share`` of at least ``at_least`` rows.
    """
    table = pd.DataFrame({"inner": inner, "outer": outer})
    table = table[(table["inner"] != "") & (table["outer"] != "")]
    count = table.groupby(["inner", "outer"], sort=True).size()
    if count.empty:
        return np.array([], dtype=np.int64), np.array([], dtype=object)
    total = count.groupby(level="inner").sum()
    top = count.groupby(level="inner").idxmax().map(lambda pair: pair[1])
    share = count.groupby(level="inner").max() / total
    usual = top[(share >= limits["share"]) & (total >= limits["at_least"])]
    expected = table["inner"].map(usual)
    wrong = expected.notna() & (expected != table["outer"])
    return wrong[wrong].index.to_numpy(dtype=np.int64), expected[wrong].to_numpy(dtype=object)


def state_contradicts(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find states that lie in another country in nearly all other records; the repair changes the country."""
    if not records.has("state", "country"):
        return hits(np.array([]), "country", "", "")
    state, country = records.text("state"), records.text("country")
    rows, usual = _minority(state, country, limits)
    text = np.array([f"{country[r]} with state {state[r]}, elsewhere in {u}" for r, u in zip(rows, usual, strict=True)])
    changes: list[tuple[tuple[str, object], ...]] = [(("country", value),) for value in usual]
    return hits(rows, "country", text, "Correct the country, or the state.", changes=changes)


def postal_contradicts(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find postal codes whose first three characters belong to another state in nearly all other records."""
    if not records.has("postal_code", "state"):
        return hits(np.array([]), "postal_code", "", "")
    code, state = records.text("postal_code"), records.text("state")
    area = np.array([f"{c[:3]}/{len(c)}" if c else "" for c in code], dtype=object)
    rows, usual = _minority(area, state, limits)
    text = np.array([f"{code[r]} in {state[r]}, elsewhere in {u}" for r, u in zip(rows, usual, strict=True)])
    return hits(rows, "postal_code", text, "Correct the postal code, or the state.")


def segment_contradicts(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find segments that contradict the number of employees.

    Notes
    -----
    On the logarithm, outside the quartiles of the segment by more than ``widths`` times the distance between them.
    """
    if not records.has("segment", "employees"):
        return hits(np.array([]), "segment", "", "")
    segment, staff = records.text("segment"), records.numbers("employees")
    size = pd.Series(np.log(np.where(staff > 0, staff, np.nan)))
    grouped = size.groupby(segment)
    low, high = (size.groupby(segment).transform("quantile", q) for q in (0.25, 0.75))
    margin = limits["widths"] * np.maximum(high - low, 0.1)
    enough = grouped.transform("count") >= limits["at_least"]
    wrong = ((size < low - margin) | (size > high + margin)) & enough & (segment != "")
    rows = np.flatnonzero(wrong.to_numpy())
    text = np.array([f"{segment[r]} with {staff[r]:,.0f} employees" for r in rows], dtype=object)
    return hits(rows, "segment", text, "Correct the segment, or the number of employees.")


def impossible_place(records: Records, _: Mapping[str, float]) -> pd.DataFrame:
    """Find coordinates that are nowhere, or 0, 0; the repair empties both."""
    if not records.has("lat", "lon"):
        return hits(np.array([]), "lat", "", "")
    lat, lon = records.numbers("lat"), records.numbers("lon")
    wrong = (np.abs(lat) > 90.0) | (np.abs(lon) > 180.0) | ((lat == 0.0) & (lon == 0.0))
    swap = (np.abs(lat) > 90.0) & (np.abs(lat) <= 180.0) & (np.abs(lon) <= 90.0)
    rows = np.flatnonzero(wrong & ~(swap & _fits(records, lon, lat, 500.0)))
    text = np.array([f"{lat[r]:g}, {lon[r]:g}" for r in rows], dtype=object)
    changes: list[tuple[tuple[str, object], ...]] = [(("lat", np.nan), ("lon", np.nan))] * len(rows)
    return hits(rows, "lat", text, "Correct the coordinates, or empty them.", changes=changes)


def swapped(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find latitude and longitude in each other's place: exchanged, they lie within ``km`` of their state."""
    if not records.has("lat", "lon"):
        return hits(np.array([]), "lat", "", "")
    lat, lon = records.numbers("lat"), records.numbers("lon")
    fits = _fits(records, lon, lat, limits["km"]) & ~_fits(records, lat, lon, limits["km"])
    rows = np.flatnonzero(fits)
    text = np.array([f"{lat[r]:g}, {lon[r]:g}" for r in rows], dtype=object)
    changes: list[tuple[tuple[str, object], ...]] = [
        (("lat", float(lon[r])), ("lon", float(lat[r]))) for r in rows.tolist()
    ]
    return hits(rows, "lat", text, "Exchange latitude and longitude.", changes=changes)


def _fits(records: Records, lat: NDArray[np.float64], lon: NDArray[np.float64], km: float) -> NDArray[np.bool_]:
    """Return which places lie within ``km`` of the median place of their state (else country)."""
    region = records.text("state") if records.has("state") else records.text("country")
    region = np.where(region == "", records.text("country"), region)
    middle = (
        pd.DataFrame({"lat": records.numbers("lat"), "lon": records.numbers("lon")}).groupby(region).transform("median")
    )
    north = (lat - middle["lat"].to_numpy()) * 111.2
    east = (lon - middle["lon"].to_numpy()) * 111.2 * np.cos(np.radians(middle["lat"].to_numpy()))
    out: NDArray[np.bool_] = (np.hypot(north, east) <= km) & (region != "") & (np.abs(lat) <= 90.0)
    return out


def lost_zeros(records: Records, limits: Mapping[str, float]) -> pd.DataFrame:
    """Find postal codes that are shorter than nearly all others of their country; the repair puts zeros in front."""
    if not records.has("postal_code"):
        return hits(np.array([]), "postal_code", "", "")
    code = records.text("postal_code")
    digits = np.array([c.isdigit() for c in code], dtype=bool)
    length = np.array([len(c) for c in code], dtype=np.int64)
    country = np.where(records.text("country") == "", "?", records.text("country"))
    usual = pd.Series(np.where(digits, length, np.nan)).groupby(country).transform(lambda v: v.mode().max())
    wanted = usual.fillna(0).to_numpy(dtype=np.int64)
    share = pd.Series(np.where(digits, length == wanted, np.nan)).groupby(country).transform("mean").to_numpy()
    rows = np.flatnonzero(digits & (length < wanted) & (length >= wanted - 2) & (share >= limits["share"]))
    changes: list[tuple[tuple[str, object], ...]] = [
        (("postal_code", str(code[r]).zfill(int(wanted[r]))),) for r in rows.tolist()
    ]
    return hits(rows, "postal_code", code[rows], "Put the zeros back; read the column as text.", changes=changes)
