"""Where the two carriageways of a road lie opposite each other.

Rules, with the numbers that the code carries:

1. Candidates are one-way links of the classes motorway to tertiary and ``road``; link roads
   (ramps), residential streets and service roads are none.
2. Each candidate is looked at every :data:`STEP` metres and at both ends. A place faces the nearest
   point of another candidate of the same class within :data:`REACH` metres that runs the other way,
   to :data:`TOLERANCE` degrees, and has the same name unless one has none.
3. The line to that point stands across the road: it leads on along it by :data:`ASKEW` at most.
4. Gaps shorter than :data:`GAP` between places that face another carriageway are closed, and
   stretches shorter than that which stand alone on a longer link are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import local_crs, project
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE

STEP: Final = 15.0
REACH: Final = 60.0
TOLERANCE: Final = 30.0
ASKEW: Final = 15.0
GAP: Final = 60.0
CLASSES: Final = ("motorway", "trunk", "primary", "secondary", "tertiary", "road")
_TURN: Final = 100.0
_NEIGHBOURS: Final = 12


@dataclass(frozen=True, eq=False)
class Plane:
    """Shapes of all links in metres, end to end along one axis.

    Parameters
    ----------
    crs : str
    first : array [link + 1]
    x, y : array [point], m
    along : array [point], m
        Length up to the point over all links before it.
    """

    crs: str
    first: Array
    x: Array
    y: Array
    along: Array

    @property
    def begin(self) -> Array:
        """Where each link begins, ``[link], m`` along."""
        return np.asarray(self.along[self.first[:-1]])

    @property
    def length(self) -> Array:
        """Length of each link in the plane, ``[link], m``."""
        return np.asarray(self.along[self.first[1:] - 1] - self.begin)

    def at(self, link: Array, offset: Array) -> tuple[Array, Array, Array, Array]:
        """Return places on links and the unit vectors in which they run there: x, y, ux, uy."""
        at = self.begin[link] + offset
        low, high = self.first[link], self.first[link + 1] - 2
        row = np.clip(np.searchsorted(self.along, at, side="right") - 1, low, high)
        dx, dy = self.x[row + 1] - self.x[row], self.y[row + 1] - self.y[row]
        size = np.hypot(dx, dy)
        safe = np.where(size > 0.0, size, 1.0)
        share = np.clip((at - self.along[row]) / safe, 0.0, 1.0)
        return self.x[row] + share * dx, self.y[row] + share * dy, dx / safe, dy / safe


def plane_of(road: RoadNetwork) -> Plane:
    """Return the shapes of a network in a projection about its middle."""
    first, lon, lat = road.shapes()
    crs = local_crs(
        float(lon.min() + lon.max()) / 2 if len(lon) else 0.0,
        float(lat.min() + lat.max()) / 2 if len(lat) else 0.0,
    )
    x, y = project(lon, lat, crs)
    along = np.zeros(len(x))
    if len(x):
        step = np.hypot(np.diff(x), np.diff(y))
        step[first[1:-1] - 1] = 0.0
        along[1:] = np.cumsum(step)
    return Plane(crs, first, x, y, along)


@dataclass(frozen=True, eq=False)
class Facing:
    """Places on candidates, in the order of travel, and what they face.

    Parameters
    ----------
    link : array [place]
    offset : array [place], m
        From the beginning of the link.
    other : array [place]
        The link that the place faces, or -1.
    other_offset : array [place], m
    faces : array [place], bool
        With gaps closed and short stretches left out (4).
    """

    link: Array
    offset: Array
    other: Array
    other_offset: Array
    faces: Array


def candidate_links(road: RoadNetwork) -> Array:
    """Return the links that may be a carriageway (1)."""
    codes = [CLASS_CODE[name] for name in CLASSES]
    return np.flatnonzero((road.reverse_link == NO_LINK) & np.isin(road.road_class, codes))


def find_facing(road: RoadNetwork, plane: Plane, rows: Array) -> Facing:
    """Return what each place on the candidates faces."""
    from scipy.spatial import cKDTree

    length = plane.length
    rows = rows[length[rows] > 0.0]
    count = np.ceil(length[rows] / STEP).astype(np.int64) + 1  # 2
    link = np.repeat(rows, count)
    number = np.arange(len(link)) - np.repeat(np.cumsum(count) - count, count)
    offset = number * np.repeat(length[rows] / np.maximum(count - 1, 1), count)
    other = np.full(len(link), NO_LINK)
    other_offset = np.zeros(len(link))
    if not len(link):
        return Facing(link, offset, other, other_offset, np.zeros(0, dtype=bool))
    x, y, ux, uy = plane.at(link, offset)
    # Headings are two more coordinates: the nearest that run the other way come first.
    tree = cKDTree(np.column_stack([x, y, _TURN * ux, _TURN * uy]))
    far = np.hypot(REACH, 2 * _TURN * np.sin(np.radians(TOLERANCE) / 2))
    k = min(_NEIGHBOURS, len(link))
    distance, near = tree.query(
        np.column_stack([x, y, -_TURN * ux, -_TURN * uy]), k=k, distance_upper_bound=far
    )
    distance, near = distance.reshape(len(link), k), near.reshape(len(link), k)
    names = np.unique(road.name[rows], return_inverse=True)[1].ravel()
    name = np.full(road.n_links, -1)
    name[rows] = np.where(np.asarray(road.name[rows] == ""), -1, names)
    here, rank = np.nonzero(np.isfinite(distance))
    there = near[here, rank]
    a, b = link[here], link[there]
    good = (a != b) & (road.road_class[a] == road.road_class[b])
    good &= (name[a] == name[b]) | (name[a] == -1) | (name[b] == -1)
    good &= ux[here] * ux[there] + uy[here] * uy[there] <= -np.cos(np.radians(TOLERANCE))
    here, there = here[good], there[good]
    # The foot of the place on the line through the sample there, then on along that link.
    on = (x[here] - x[there]) * ux[there] + (y[here] - y[there]) * uy[there]
    b = link[there]
    foot = np.clip(offset[there] + on, 0.0, length[b])
    fx, fy, _, _ = plane.at(b, foot)
    dx, dy = fx - x[here], fy - y[here]
    apart = np.hypot(dx, dy)
    askew = np.abs(dx * ux[here] + dy * uy[here])
    good = (apart <= REACH) & (askew <= ASKEW)  # 3
    here, b, foot, apart = here[good], b[good], foot[good], apart[good]
    order = np.lexsort((b, apart, here))
    here, at = np.unique(here[order], return_index=True)
    other[here], other_offset[here] = b[order][at], foot[order][at]
    faces = _smooth(link, offset, other != NO_LINK, length)
    return Facing(link, offset, other, other_offset, faces)


def _smooth(link: Array, offset: Array, faces: Array, length: Array) -> Array:
    """Close short gaps, then leave out short stretches (4)."""
    out = faces.copy()
    for value in (False, True):
        start = np.flatnonzero(
            np.concatenate([[True], (link[1:] != link[:-1]) | (out[1:] != out[:-1])])
        )
        end = np.append(start[1:], len(link)) - 1
        at_begin = offset[start] <= 0.0
        at_end = offset[end] >= length[link[end]] - 1e-6
        short = offset[end] - offset[start] + STEP < GAP
        inside = ~(at_begin & at_end) if value else ~(at_begin | at_end)
        flip = (out[start] == value) & short & inside
        flip &= length[link[start]] >= GAP
        for s, e in zip(start[flip].tolist(), end[flip].tolist(), strict=True):
            out[s : e + 1] = not value
    return out
