"""Streets on the edge of an area: shared vertices, so that the two have the same segments.

A street along a slanted edge whose corners lie elsewhere is off it by rounding, and what two lines
have in common is then nothing; so vertices of one that lie on the other are put into it first.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cczsim.columns import Array

_ON: Final = 1e-7
"""Degrees, about a centimetre: vertices this near to a segment lie on it. Streets that were split
where others meet them are off by millimetres: their new vertices went through a projection."""


def share_vertices(lines: Array, areas: Array) -> tuple[Array, Array]:
    """Return lines and areas that hold each other's vertices where these lie on them.

    Parameters
    ----------
    lines : array [line] of shapely lines, degrees
    areas : array [area] of shapely polygons, degrees
    """
    return _insert(lines, areas), _insert(areas, lines)


def _insert(shapes: Array, others: Array) -> Array:
    """Return shapes with the vertices of others that lie on their segments put into them."""
    import shapely

    points = np.unique(shapely.get_coordinates(others), axis=0)
    starts, ends, owner = _segments(shapes)
    if not len(points) or not len(starts):
        return shapes
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    boxes = shapely.box(low[:, 0] - _ON, low[:, 1] - _ON, high[:, 0] + _ON, high[:, 1] + _ON)
    point, segment = shapely.STRtree(boxes).query(shapely.points(points), predicate="intersects")
    along = ends[segment] - starts[segment]
    away = points[point] - starts[segment]
    size = np.hypot(along[:, 0], along[:, 1])
    far = np.abs(along[:, 0] * away[:, 1] - along[:, 1] * away[:, 0])
    new = far <= _ON * np.maximum(size, 1e-300)
    new &= (np.abs(away) > 0).any(axis=1) & (points[point] != ends[segment]).any(axis=1)
    point, segment = point[new], segment[new]
    out = np.array(shapes, dtype=object)
    touched = owner[segment]
    for row in np.unique(touched):
        own = shapely.multipoints(points[np.unique(point[touched == row])])
        out[row] = shapely.snap(out[row], own, 2 * _ON)
    return out


def _segments(shapes: Array) -> tuple[Array, Array, Array]:
    """Return starts and ends of all segments, and the shape that each belongs to."""
    import shapely

    rings, owner = shapely.get_parts(shapes, return_index=True)
    if len(rings) and shapely.get_type_id(rings[0]) == 3:  # polygons: their rings
        rings, ring_owner = shapely.get_rings(rings, return_index=True)
        owner = owner[ring_owner]
    points, line = shapely.get_coordinates(rings, return_index=True)
    same = line[1:] == line[:-1]
    none: Any = np.zeros((0, 2))
    if not len(points):
        return none, none, np.zeros(0, dtype=np.int64)
    return points[:-1][same], points[1:][same], owner[line[1:][same]]
