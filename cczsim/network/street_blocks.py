"""Blocks: the faces that streets enclose, on the plane of a local projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.edit import carriageway_rows, lines_of
from cczsim.network.geometry import project, take_ragged
from cczsim.network.road import RoadNetwork

GRID: Final = 0.1
"""Nothing finer than this is kept of streets, m: lines that nearly overlap give no slivers."""
NARROW: Final = 20.0
"""A face whose area is under this times a quarter of its perimeter is a median or a piece of a
junction, no block, m (of a square it is the side, of a strip twice the width)."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """Faces of a street network.

    Parameters
    ----------
    polygon : array [block] of shapely polygons, m
        In the projection that was asked for, from west to east.
    area, perimeter : array [block], m2, m
        Perimeter of the outer ring.
    """

    polygon: Array
    area: Array
    perimeter: Array


def street_lines(road: RoadNetwork, rows: Array, crs: str) -> Array:
    """Return some links as shapely lines in a projection, ``[row]``."""
    first, lon, lat = road.shapes()
    first, points = take_ragged(first, rows)
    if not len(rows):
        return np.zeros(0, dtype=object)
    return lines_of(first, *project(lon[points], lat[points], crs))


def to_plane(polygon: Any, crs: str) -> Any:
    """Return a WGS-84 polygon in a projection, mended where projecting folds it."""
    import shapely

    moved = shapely.transform(
        shapely.force_2d(polygon), lambda p: np.column_stack(project(p[:, 0], p[:, 1], crs))
    )
    return moved if shapely.is_valid(moved) else shapely.make_valid(moved, method="structure")


def find_blocks(road: RoadNetwork, area: Any, crs: str, counted: Array | None = None) -> Blocks:
    """Return the blocks whose middle lies in an area.

    Parameters
    ----------
    road : RoadNetwork
    area : shapely polygon
        In the projection.
    crs : str
    counted : array [link] of bool, optional
        Which links are streets; all but connectors where None.
    """
    import shapely

    rows = carriageway_rows(road)
    if counted is not None:
        rows = rows[counted[rows]]
    lines = street_lines(road, rows, crs)
    near = lines[shapely.intersects(lines, area.envelope)] if len(lines) else lines
    faces = np.zeros(0, dtype=object)
    if len(near):
        net = shapely.union_all(near, grid_size=GRID)
        faces = shapely.get_parts(shapely.polygonize([net]))
    if len(faces):
        shapely.prepare(area)
        faces = faces[shapely.contains(area, shapely.point_on_surface(faces))]
    size = shapely.area(faces)
    around = shapely.length(shapely.get_exterior_ring(faces)) if len(faces) else np.zeros(0)
    wide = 4 * size >= NARROW * around
    faces, size, around = faces[wide], size[wide], around[wide]
    west, south = shapely.bounds(faces).T[:2] if len(faces) else (size, size)
    order = np.lexsort((south, west))
    return Blocks(faces[order], size[order], around[order])
