"""Lengths on the ellipsoid, and ragged polylines."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np

from cczsim.columns import Array


@lru_cache(maxsize=1)
def _geod() -> Any:
    from pyproj import Geod

    return Geod(ellps="WGS84")


NEAR: Final = 0.005
"""Degrees up to which the mid-latitude formula is within 1e-6 m of the geodesic."""
_A: Final = 6378137.0
_E2: Final = (2 - 1 / 298.257223563) / 298.257223563


def segment_lengths(lon: Array, lat: Array) -> Array:
    """Return the geodesic length between successive points, ``[point - 1], m`` (WGS-84).

    Between near points, nearly all of a street's, it is the chord over the ellipsoid's radii of
    curvature at the middle latitude (a tenth of the time); else the solution of the inverse
    problem (Karney, 2013) by PROJ.
    """
    if len(lon) < 2:
        return np.zeros(0)
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    east, north = np.diff(lon), np.diff(lat)
    middle = np.radians(0.5 * (lat[:-1] + lat[1:]))
    curve = 1.0 - _E2 * np.sin(middle) ** 2
    across = _A / np.sqrt(curve)  # radius of curvature in the prime vertical
    along = across * (1.0 - _E2) / curve  # in the meridian
    out = np.hypot(across * np.cos(middle) * np.radians(east), along * np.radians(north))
    far = np.flatnonzero(~((np.abs(east) <= NEAR) & (np.abs(north) <= NEAR)))
    if len(far):
        ends = lon[far], lat[far], lon[far + 1], lat[far + 1]
        out[far] = np.asarray(_geod().inv(*ends)[2])
    return np.asarray(out)


def polyline_lengths(first: Array, lon: Array, lat: Array) -> Array:
    """Return the geodesic length of each polyline of a ragged set.

    Parameters
    ----------
    first : array [polyline + 1]
        Offset of each polyline's first point.
    lon, lat : array [point], degrees

    Returns
    -------
    array [polyline], m
    """
    steps = np.append(segment_lengths(lon, lat), 0.0)
    ends = np.asarray(first[1:]) - 1
    steps[ends[ends >= 0]] = 0.0
    total = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(total[first[1:]] - total[first[:-1]])


def take_ragged(first: Array, rows: Array) -> tuple[Array, Array]:
    """Return the offsets and the point indices of some polylines of a ragged set, in order."""
    counts = np.asarray(first)[1:][rows] - np.asarray(first)[:-1][rows]
    out = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    index = np.arange(out[-1]) - np.repeat(out[:-1], counts) + np.repeat(first[:-1][rows], counts)
    return out, index


def local_crs(lon: float, lat: float) -> str:
    """Return a PROJ string of a transverse Mercator projection, metres, centred on a point.

    Within 100 km of the centre lengths are true to 1.3e-4.
    """
    return (
        f"+proj=tmerc +lat_0={lat:.6f} +lon_0={lon:.6f} +k=1 +x_0=0 +y_0=0 "
        "+datum=WGS84 +units=m +no_defs"
    )


@lru_cache(maxsize=32)
def _transformer(source: str, target: str) -> Any:
    """Return a transformer of coordinates; making one takes 5 ms, thousands are asked for."""
    from pyproj import Transformer

    return Transformer.from_crs(source, target, always_xy=True)


def project(lon: Array, lat: Array, crs: str) -> tuple[Array, Array]:
    """Return projected coordinates, m."""
    x, y = _transformer("EPSG:4326", crs).transform(lon, lat)
    return np.asarray(x), np.asarray(y)


def unproject(x: Array, y: Array, crs: str) -> tuple[Array, Array]:
    """Return WGS-84 longitude and latitude of projected coordinates."""
    lon, lat = _transformer(crs, "EPSG:4326").transform(x, y)
    return np.asarray(lon), np.asarray(lat)
