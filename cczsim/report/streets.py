"""Links made ready to draw: both directions in one line, thinned, beside the base's flows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from cczsim.columns import Array
from cczsim.network.geometry import project
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.scenario.result import RunResult

TOLERANCE: Final = 12.0
_MATCH_DISTANCE: Final = 5.0
_ALONG: Final = 0.5


@dataclass(frozen=True)
class Streets:
    """Street lines of a network; all arrays ``[street]`` unless said otherwise.

    Parameters
    ----------
    forward : array of int
        The link that the line follows.
    backward : array of int
        The link of the other direction, or -1.
    lines : array of shapely LineString, m
        In the map's projection, thinned.
    old_forward, old_backward : array of int
        The base's link that the link runs along, or -1; all -1 without a base.
    """

    forward: Array
    backward: Array
    lines: Array
    old_forward: Array
    old_backward: Array

    @property
    def is_new(self) -> Array:
        """Whether no link of the base runs where this street does, ``[street]``."""
        return np.asarray((self.old_forward == NO_LINK) & (self.old_backward == NO_LINK))


def link_lines(road: RoadNetwork, crs: str) -> Array:
    """Return the links as shapely lines in a projection, ``[link], m``."""
    first, lon, lat = road.shapes()
    x, y = project(lon, lat, crs)
    index = np.repeat(np.arange(road.n_links), np.diff(first))
    return np.asarray(shapely.linestrings(x, y, indices=index))


def line_ends(lines: Array) -> tuple[Array, Array]:
    """Return the first and the last points of lines, ``[line, 2], m``.

    Coordinates rather than shapely points: matching the plan's links took 0.6 s of making these.
    """
    points, index = shapely.get_coordinates(lines, return_index=True)
    rows = np.arange(len(lines))
    last = np.searchsorted(index, rows, side="right") - 1
    return points[np.searchsorted(index, rows)], points[last]


def match_links(road: RoadNetwork, lines: Array, old_road: RoadNetwork, old_lines: Array) -> Array:
    """Return for every link the base's link that it runs along, or -1, ``[link]``.

    1. A link of the same id and length, whose ends lie within 5 m, is itself.
    2. Otherwise: of the base's links of the same class within 5 m of the link's middle and
       running the same way for at least half of the link's length, the nearest; so the pieces of
       a link that was split at a new junction find the whole. Ties go to the lower row.

    Parameters
    ----------
    lines, old_lines : array of shapely LineString, m
        Of ``road`` and ``old_road``, in one projection.
    """
    match = np.full(road.n_links, NO_LINK, dtype=np.int64)
    order = np.argsort(old_road.link_id, kind="stable")
    place = np.searchsorted(old_road.link_id[order], road.link_id)
    place = order[np.minimum(place, len(order) - 1)] if len(order) else np.zeros(0, np.int64)
    if len(place):
        alike = (old_road.link_id[place] == road.link_id) & (
            np.abs(old_road.length[place] - road.length) < 1.0
        )
        for here, there in zip(line_ends(lines), line_ends(old_lines), strict=True):
            alike &= np.hypot(*(here - there[place]).T) < _MATCH_DISTANCE
        match[alike] = place[alike]
    rest = np.flatnonzero((match == NO_LINK) & road.is_street)
    if not len(rest):
        return match
    streets = np.flatnonzero(old_road.is_street)
    middle = shapely.line_interpolate_point(lines[rest], 0.5, normalized=True)
    tree = shapely.STRtree(old_lines[streets])
    a, b = tree.query(middle, predicate="dwithin", distance=_MATCH_DISTANCE)
    new, old = rest[a], streets[b]
    start, end = (
        shapely.line_locate_point(old_lines[old], shapely.points(points))
        for points in line_ends(lines[new])
    )
    along = end - start
    good = (road.road_class[new] == old_road.road_class[old]) & (
        along >= _ALONG * shapely.length(lines[new])
    )
    a, new, old = a[good], new[good], old[good]
    distance = shapely.distance(middle[a], old_lines[old])
    order = np.lexsort((old, distance.round(2), new))
    new, old = new[order], old[order]
    lead = np.ones(len(new), dtype=bool)
    lead[1:] = new[1:] != new[:-1]
    match[new[lead]] = old[lead]
    return match


def make_streets(result: RunResult, base: RunResult | None, crs: str) -> Streets:
    """Return the streets of a result: connectors left out, directions merged, lines thinned."""
    road = result.network.road
    rows = np.arange(road.n_links)
    keep = road.is_street & ((road.reverse_link == NO_LINK) | (rows < road.reverse_link))
    forward = rows[keep]
    backward = road.reverse_link[keep].astype(np.int64)
    lines = link_lines(road, crs)
    none = np.full(len(forward), NO_LINK, dtype=np.int64)
    old_forward, old_backward = none, none
    if base is not None:
        match = match_links(road, lines, base.network.road, link_lines(base.network.road, crs))
        old_forward = match[forward]
        old_backward = np.where(backward == NO_LINK, NO_LINK, match[backward])
    thin = shapely.simplify(lines[forward], TOLERANCE, preserve_topology=False)
    return Streets(forward, backward, np.asarray(thin), old_forward, old_backward)


def ragged_xy(lines: Array) -> tuple[list[list[int]], list[list[int]]]:
    """Return the coordinates of lines as lists of whole metres, a list a line."""
    if not len(lines):
        return [], []
    points, index = shapely.get_coordinates(lines, return_index=True)
    whole = np.rint(points).astype(np.int64)
    cuts = np.searchsorted(index, np.arange(1, len(lines)))
    return (
        [part.tolist() for part in np.split(whole[:, 0], cuts)],
        [part.tolist() for part in np.split(whole[:, 1], cuts)],
    )


def broken_line(lines: Array) -> tuple[Array, Array]:
    """Return lines as one polyline with NaN between them, ``[point], m``, float32."""
    if not len(lines):
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    points, index = shapely.get_coordinates(lines, return_index=True)
    cuts = np.flatnonzero(np.diff(index)) + 1
    parted = np.insert(np.rint(points), cuts, np.nan, axis=0).astype(np.float32)
    return parted[:, 0], parted[:, 1]
