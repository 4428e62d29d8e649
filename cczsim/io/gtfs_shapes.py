"""Where the stops of a line lie on its shape, and how long its runs are along it.

Stops are put on the shape in their order so that the sum of their squared distances from it is
least (dynamic programming over the segments of the shape), which holds on loops and on streets that
are run through twice. Where both files give ``shape_dist_traveled``, that decides instead.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from cczsim.columns import Array
from cczsim.io.gtfs_calendar import numbers_of
from cczsim.io.gtfs_tables import Feed
from cczsim.network.geometry import local_crs, project, segment_lengths

FARTHEST: Final = 500.0
"""Metres that a stop may lie off the shape of its line."""
_ROOM: Final = 20_000_000
"""Cells of a table of stops by segments, at most."""


class Shape(NamedTuple):
    """Points in order: ``lon, lat [point]``; ``dist [point]`` in the feed's own unit, or NaN."""

    lon: Array
    lat: Array
    dist: Array


class Run(NamedTuple):
    """A line on its shape: ``length [stop - 1], m``, and the points of each run, ends included."""

    length: Array
    lon: list[Array]
    lat: list[Array]


def read_shapes(feed: Feed, wanted: set[str]) -> dict[str, Shape]:
    """Return the shapes of some ids; those that are not there or have one point are findings."""
    table = feed.tables["shapes.txt"]
    table = table[table["shape_id"].isin(wanted)]
    lon, lat, seq, dist = (
        numbers_of(table[c])
        for c in ("shape_pt_lon", "shape_pt_lat", "shape_pt_sequence", "shape_dist_traveled")
    )
    sound = (np.abs(lon) <= 180) & (np.abs(lat) <= 90) & np.isfinite(seq)
    feed.findings.add(
        "shapes.txt", "points without a place or an order", table["shape_id"][~sound], "left out"
    )
    codes, ids = pd.factorize(table["shape_id"])
    rows = np.flatnonzero(sound)
    rows = rows[np.lexsort((seq[rows], codes[rows]))]
    cuts = np.searchsorted(codes[rows], np.arange(len(ids) + 1))
    out = {}
    for k, name in enumerate(ids):
        own = rows[cuts[k] : cuts[k + 1]]
        if len(own) > 1:
            out[str(name)] = Shape(lon[own], lat[own], dist[own])
    if len(feed.tables["shapes.txt"]):
        feed.findings.add(
            "shapes.txt", "shapes that trips name and that have no points",
            sorted(wanted - set(out)), "lengths as the crow flies",
        )  # fmt: skip
    return out


def run_along(shape: Shape, lon: Array, lat: Array, along: Array) -> Run | None:
    """Return the runs of a line along its shape; None where a stop lies too far off.

    Parameters
    ----------
    lon, lat : array [stop], deg
    along : array [stop]
        ``shape_dist_traveled`` of the stops, or NaN.
    """
    measure = np.append(0.0, np.cumsum(segment_lengths(shape.lon, shape.lat)))
    told = np.append(shape.dist, along)
    if np.isfinite(told).all() and (np.diff(shape.dist) >= 0).all() and (np.diff(along) > 0).all():
        place = np.interp(along, shape.dist, measure)
    else:
        found = _places(shape, lon, lat, measure)
        if found is None:
            return None
        place = found
    lons, lats = [], []
    ends = np.interp(place, measure, shape.lon), np.interp(place, measure, shape.lat)
    for k in range(len(place) - 1):
        inside = slice(
            np.searchsorted(measure, place[k], "right"), np.searchsorted(measure, place[k + 1])
        )
        lons.append(np.concatenate([ends[0][k : k + 1], shape.lon[inside], ends[0][k + 1 : k + 2]]))
        lats.append(np.concatenate([ends[1][k : k + 1], shape.lat[inside], ends[1][k + 1 : k + 2]]))
    return Run(np.diff(place), lons, lats)


def _places(shape: Shape, lon: Array, lat: Array, measure: Array) -> Array | None:
    """Return how far along the shape the stops lie, rising, ``[stop], m``."""
    # To whole degrees: making a projection takes 4 ms, and lines can share it.
    crs = local_crs(round(float(shape.lon.mean())), round(float(shape.lat.mean())))
    x, y = project(shape.lon, shape.lat, crs)
    px, py = project(lon, lat, crs)
    moves = np.append(True, np.hypot(np.diff(x), np.diff(y)) > 0.0)
    x, y, measure = x[moves], y[moves], measure[moves]
    n, m = len(px), len(x) - 1
    if m < 1 or n * m > _ROOM:
        return None
    dx, dy = np.diff(x), np.diff(y)
    share = ((px[:, None] - x[:-1]) * dx + (py[:, None] - y[:-1]) * dy) / (dx**2 + dy**2)
    share = np.clip(share, 0.0, 1.0)
    off = (px[:, None] - x[:-1] - share * dx) ** 2 + (py[:, None] - y[:-1] - share * dy) ** 2
    origin = np.empty((n, m), dtype=np.int32)
    best = off[0]
    for stop in range(1, n):
        # From the best segment before, or on the same one if the stop does not lie further back.
        least = np.append(np.inf, np.minimum.accumulate(best)[:-1])
        falls = best < least
        place = np.append(0, np.maximum.accumulate(np.where(falls, np.arange(m), 0))[:-1])
        stays = np.where(share[stop] >= share[stop - 1], best, np.inf)
        origin[stop] = np.where(least <= stays, place, np.arange(m))
        best = np.minimum(least, stays) + off[stop]
    if not np.isfinite(best).any():
        return None
    segment = np.empty(n, dtype=np.int64)
    segment[-1] = int(np.argmin(best))
    for stop in range(n - 1, 0, -1):
        segment[stop - 1] = origin[stop, segment[stop]]
    rows = np.arange(n)
    if off[rows, segment].max() > FARTHEST**2:
        return None
    at = measure[segment] + share[rows, segment] * np.diff(measure)[segment]
    return np.asarray(np.maximum.accumulate(at))
