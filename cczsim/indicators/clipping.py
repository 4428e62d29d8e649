"""Lengths of lines inside polygons, exactly, with boundaries shared out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.columns import Array

_EQUATOR: Final = 6_378_137.0
_ECCENTRICITY_2: Final = 0.006694379990141317
"""Of the ellipsoid WGS-84: equatorial radius (m) and first eccentricity squared."""


@dataclass(frozen=True)
class Clipped:
    """How much of which line lies in which area.

    Parameters
    ----------
    area, line : int array [pair]
    share : array [pair]
        Part of the line's length inside the area; a stretch on the area's boundary counts half.
    """

    area: Array
    line: Array
    share: Array


def clip_shares(
    lines: Array, areas: Array, measure: Callable[[Array], Array] | None = None
) -> Clipped:
    """Measure planar lines against planar polygons.

    A stretch that runs along a polygon's boundary counts half: the street serves both sides.

    Parameters
    ----------
    lines : array [line] of shapely lines
    areas : array [area] of shapely polygons
    measure : callable, optional
        Length of each of an array of lines, or collections of them; that on the plane where None.
    """
    import shapely

    length_of = measure or shapely.length

    shapely.prepare(areas)
    line, area = shapely.STRtree(areas).query(lines, predicate="intersects")
    order = np.lexsort((line, area))
    line, area = line[order], area[order]
    inside = shapely.contains_properly(areas[area], lines[line])
    share = inside.astype(np.float64)
    rest = np.flatnonzero(~inside)
    if len(rest):
        polygons, pieces = areas[area[rest]], lines[line[rest]]
        within = length_of(shapely.intersection(pieces, polygons))
        along = length_of(shapely.intersection(pieces, shapely.boundary(polygons)))
        whole = length_of(pieces)
        length = np.where(whole > 0.0, whole, 1.0)
        share[rest] = (within - 0.5 * along) / length
    kept = share > 0.0
    return Clipped(area[kept], line[kept], share[kept])


def ground_length(shapes: Array) -> Array:
    """Return the length on the ellipsoid of each line or collection of lines in degrees, m.

    It is that of the lines as drawn, straight in degrees, so that parts add up to the whole: the
    geodesic between the ends of 16 km along a parallel is shorter by 5e-8. The integral of the
    arc is taken by Gauss's rule of five points a segment.
    """
    import shapely

    parts, owner = shapely.get_parts(shapes, return_index=True)
    line = shapely.get_type_id(parts) == 1
    points, part = shapely.get_coordinates(parts[line], return_index=True)
    if not len(points):
        return np.zeros(len(shapes))
    same = part[1:] == part[:-1]
    start, step = np.radians(points[:-1][same]), np.radians(np.diff(points, axis=0)[same])
    length = np.zeros(len(step))
    for place, weight in zip(*np.polynomial.legendre.leggauss(5), strict=True):
        lat = start[:, 1] + (place + 1.0) / 2.0 * step[:, 1]
        flat = 1.0 - _ECCENTRICITY_2 * np.sin(lat) ** 2
        east = np.cos(lat) / np.sqrt(flat) * step[:, 0]
        north = (1.0 - _ECCENTRICITY_2) / flat**1.5 * step[:, 1]
        length += weight / 2.0 * _EQUATOR * np.hypot(east, north)
    return np.bincount(owner[line][part[1:][same]], weights=length, minlength=len(shapes))
