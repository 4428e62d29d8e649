"""Which streets the runs of bus lines lie on.

Rules, numbered in the code:

1. Only buses are looked at. A run is followed along its shape, or straight where it has none, in
   steps of :data:`STEP` or less.
2. A step lies on the nearest street within :data:`REACH` whose direction differs from its own by at
   most :data:`TURN`.
3. A run at least half of which lies on streets is taken to run on them over its whole length, in
   the same proportions. Other runs lie on no street.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import local_crs, project
from cczsim.network.road import RoadNetwork
from cczsim.network.transit import MODE_CODE, TransitNetwork

STEP: Final = 50.0
REACH: Final = 50.0
"""Metres."""
TURN: Final = 60.0
"""Degrees."""
_EDGE: Final = 5e-4
"""Degrees of latitude, about 50 m, around the streets that still are among them."""


class StreetRuns(NamedTuple):
    """Parts of runs on streets, in the order of the runs.

    Parameters
    ----------
    run : int array [part]
        Row of ``line_stop`` that the run leaves from.
    link : int array [part]
        Row of the road network.
    metres : array [part], m
        Of the run on the link; over all links the length of the run, or nothing.
    """

    run: Array
    link: Array
    metres: Array


class BusLengths(NamedTuple):
    """Metres that bus lines run: all, those on streets, those to or from beyond the streets."""

    whole: float
    on_streets: float
    beyond: float


def bus_lengths(road: RoadNetwork, transit: TransitNetwork) -> BusLengths:
    """Return how far buses run on the streets of a network, and how far beyond its edge.

    A run is beyond where it begins or ends outside the convex hull of the streets' nodes.
    """
    import shapely

    runs = street_runs(road, transit)
    of_entry = np.repeat(transit.mode, np.diff(transit.line_first))
    rows = np.flatnonzero((of_entry == MODE_CODE["bus"]) & (transit.run_length > 0.0))
    ends = np.unique(np.concatenate([road.tail[road.is_street], road.head[road.is_street]]))
    nodes = shapely.multipoints(np.column_stack([road.node_lon[ends], road.node_lat[ends]]))
    hull = shapely.buffer(shapely.convex_hull(nodes), _EDGE)
    shapely.prepare(hull)
    inside = shapely.contains_xy(hull, transit.stop_lon, transit.stop_lat)[transit.line_stop]
    beyond = rows[~(inside[rows] & inside[rows + 1])]
    length = transit.run_length
    on_streets = runs.metres[~np.isin(runs.run, beyond)].sum()
    return BusLengths(float(length[rows].sum()), float(on_streets), float(length[beyond].sum()))


def street_runs(road: RoadNetwork, transit: TransitNetwork) -> StreetRuns:
    """Find the streets that buses run on, by the rules of the module.

    Parameters
    ----------
    road : RoadNetwork
        With coordinates.
    transit : TransitNetwork
    """
    nothing = StreetRuns(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    streets = np.flatnonzero(road.is_street & (road.length > 0.0))
    of_entry = np.repeat(transit.mode, np.diff(transit.line_first))
    runs = np.flatnonzero((of_entry == MODE_CODE["bus"]) & (transit.run_length > 0.0))
    if not len(runs) or not len(streets):
        return nothing
    crs = local_crs(float(np.mean(transit.stop_lon)), float(np.mean(transit.stop_lat)))
    run, begin, end = _steps(transit, runs, crs)
    step, link = _nearest(road, streets, 0.5 * (begin + end), end - begin, crs)
    steps = np.bincount(run, minlength=len(of_entry))
    found = np.bincount(run[step], minlength=len(of_entry))
    kept = 2 * found[run[step]] >= steps[run[step]]  # 3
    key = run[step[kept]] * np.int64(road.n_links) + link[kept]
    parts, count = np.unique(key, return_counts=True)
    own = parts // road.n_links
    return StreetRuns(own, parts % road.n_links, transit.run_length[own] * count / found[own])


def _steps(transit: TransitNetwork, runs: Array, crs: str) -> tuple[Array, Array, Array]:
    """Return run, begin and end of each step, ``[step]`` and ``[step, 2], m`` (1)."""
    stop = np.column_stack(project(transit.stop_lon, transit.stop_lat, crs))[transit.line_stop]
    first = transit.shape_first
    shape = np.zeros((0, 2))
    if first is not None and transit.shape_lon is not None and transit.shape_lat is not None:
        shape = np.column_stack(project(transit.shape_lon, transit.shape_lat, crs))
    owner: list[Array] = []
    ends: list[tuple[Array, Array]] = []
    for run in runs.tolist():
        way = stop[run : run + 2]
        if first is not None and first[run + 1] - first[run] > 1:
            way = shape[first[run] : first[run + 1]]
        at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(way, axis=0).T))])
        places = np.linspace(0.0, at[-1], max(int(np.ceil(at[-1] / STEP)), 1) + 1)
        points = np.column_stack([np.interp(places, at, way[:, k]) for k in (0, 1)])
        owner.append(np.full(len(points) - 1, run))
        ends.append((points[:-1], points[1:]))
    return (
        np.concatenate(owner),
        np.concatenate([begin for begin, _ in ends]),
        np.concatenate([end for _, end in ends]),
    )


def _nearest(
    road: RoadNetwork, streets: Array, middle: Array, course: Array, crs: str
) -> tuple[Array, Array]:
    """Return the steps that lie on a street, and their links (2)."""
    import shapely

    first, lon, lat = road.shapes()
    x, y = project(lon, lat, crs)
    size = np.diff(first)[streets]
    point = np.repeat(first[streets] - np.cumsum(size) + size, size) + np.arange(size.sum())
    lines = shapely.linestrings(
        np.column_stack([x[point], y[point]]), indices=np.repeat(np.arange(len(streets)), size)
    )
    spots = shapely.points(middle)
    step, row = shapely.STRtree(lines).query(spots, predicate="dwithin", distance=REACH)
    away = shapely.distance(spots[step], lines[row])
    place = shapely.line_locate_point(lines[row], spots[step])
    length = shapely.length(lines[row])
    ahead = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[row], np.minimum(place + 1.0, length))
    ) - shapely.get_coordinates(
        shapely.line_interpolate_point(lines[row], np.maximum(place - 1.0, 0.0))
    )
    turned = np.einsum("ij,ij->i", ahead, course[step])
    turned /= np.maximum(np.hypot(*ahead.T) * np.hypot(*course[step].T), 1e-9)
    fits = turned >= np.cos(np.radians(TURN))
    step, link, away = step[fits], streets[row[fits]], away[fits]
    order = np.lexsort((link, away, step))
    _, best = np.unique(step[order], return_index=True)
    return step[order][best], link[order][best]
