"""Find the one-way links that are one of two carriageways of one road.

Rules, with the numbers that the code carries:

1. Candidates are one-way links of the classes motorway to tertiary and ``road``; link roads
   (ramps), residential streets and service roads are none.
2. Points are taken along each candidate every :data:`STEP` metres, at least one.
3. A point has a partner where a point of another candidate of the same class lies within
   :data:`REACH` metres and runs the other way, to :data:`TOLERANCE` degrees, and the two have the
   same name or one has none.
4. A link is a carriageway where at least half of its points have a partner.

Two one-way streets of a couplet closer than ``REACH`` are taken for one road; carriageways that
part farther, as around a tunnel mouth or a wide park, are not.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import local_crs, project
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE

STEP: Final = 50.0
REACH: Final = 60.0
TOLERANCE: Final = 25.0
CLASSES: Final = ("motorway", "trunk", "primary", "secondary", "tertiary", "road")
_NEIGHBOURS: Final = 24


def dual_carriageways(road: RoadNetwork) -> Array:
    """Return whether each link is one of two carriageways, ``[link], bool``."""
    from scipy.spatial import cKDTree

    out = np.zeros(road.n_links, dtype=bool)
    codes = [CLASS_CODE[name] for name in CLASSES]
    rows = np.flatnonzero((road.reverse_link == NO_LINK) & np.isin(road.road_class, codes))  # 1
    if not len(rows):
        return out
    link, x, y, heading = _points(road, rows)
    place = np.stack([x, y], axis=1)
    distance, near = cKDTree(place).query(
        place, k=min(_NEIGHBOURS, len(place)), distance_upper_bound=REACH
    )
    distance, near = distance.reshape(len(place), -1), near.reshape(len(place), -1)
    names = np.unique(road.name[rows], return_inverse=True)[1].ravel()
    name_of = np.full(road.n_links, -1)
    name_of[rows] = np.where(np.asarray(road.name[rows] == ""), -1, names)
    here, rank = np.nonzero(np.isfinite(distance))  # 3, on fewer pairs with each test
    there = near[here, rank]
    for test in (
        lambda a, b: link[a] != link[b],
        lambda a, b: road.road_class[link[a]] == road.road_class[link[b]],
        lambda a, b: np.abs((heading[b] - heading[a] + 180.0) % 360.0 - 180.0) >= 180.0 - TOLERANCE,
        lambda a, b: (
            (name_of[link[a]] == name_of[link[b]])
            | (name_of[link[a]] == -1)
            | (name_of[link[b]] == -1)
        ),
    ):
        good = test(here, there)
        here, there = here[good], there[good]
    partner = np.zeros(len(place), dtype=bool)
    partner[here] = True
    points = np.bincount(link, minlength=road.n_links)
    paired = np.bincount(link, partner, minlength=road.n_links)
    out[rows] = paired[rows] >= 0.5 * points[rows]  # 4
    return out


def _points(road: RoadNetwork, rows: Array) -> tuple[Array, Array, Array, Array]:
    """Return link, place in metres and heading in degrees of points along some links (2)."""
    first, lon, lat = road.shapes()
    crs = local_crs(float(road.node_lon.mean()), float(road.node_lat.mean()))
    x, y = project(lon, lat, crs)
    owner = np.repeat(np.arange(road.n_links), np.diff(first))
    dx, dy = np.diff(x), np.diff(y)
    chosen = np.zeros(road.n_links, dtype=bool)
    chosen[rows] = True
    inside = (owner[1:] == owner[:-1]) & chosen[owner[1:]]
    length = np.where(inside, np.hypot(dx, dy), 0.0)
    along = np.concatenate([[0.0], np.cumsum(length)])  # of all candidates, end to end
    begin, end = along[first[rows]], along[first[rows + 1] - 1]
    count = np.maximum(np.ceil((end - begin) / STEP), 1).astype(np.int64)
    link = np.repeat(rows, count)
    number = np.arange(len(link)) - np.repeat(np.cumsum(count) - count, count)
    at = np.repeat(begin, count) + (number + 0.5) * np.repeat((end - begin) / count, count)
    segment = np.clip(np.searchsorted(along, at, side="right") - 1, 0, len(dx) - 1)
    share = np.where(
        length[segment] > 0,
        (at - along[segment]) / np.where(length[segment] > 0, length[segment], 1.0),
        0.0,
    )
    heading = np.degrees(np.arctan2(dx[segment], dy[segment])) % 360.0
    return link, x[segment] + share * dx[segment], y[segment] + share * dy[segment], heading
