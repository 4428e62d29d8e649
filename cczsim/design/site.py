"""The ground that streets are proposed on: streets that are there, and where none may go.

Everything lies on the plane of a projection centred on the area. What a new street may not end on
is a wall: the edges of water, green and other no-go areas, tracks, motorways, bridges, tunnels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.edit import MOTORWAYS, carriageway_rows
from cczsim.network.geometry import local_crs, project
from cczsim.network.network import Network
from cczsim.network.street_blocks import street_lines, to_plane

_REACH: Final = 400.0
"""Streets this far outside of the area are looked at, m."""


@dataclass(frozen=True, eq=False)
class Site:
    """An area with its streets.

    Parameters
    ----------
    crs : str
    area : shapely polygon, m
    lines : array [street] of shapely lines
        Streets in and near the area, a carriageway each.
    open_ : array [street] of bool
        Whether a new street may end on it.
    tail, head : array [street]
        Nodes.
    legs : array [node]
        Streets that meet at each node, of the whole network.
    node_xy : array [node, 2], m
    barred : shapely geometry
        Where no street may go; empty where nothing is barred.
    """

    crs: str
    area: Any
    lines: Array
    open_: Array
    tail: Array
    head: Array
    legs: Array
    node_xy: Array
    barred: Any

    def walls(self) -> Array:
        """Return what no new street may end on, as lines."""
        import shapely

        edges = shapely.get_parts(shapely.boundary(self.barred))
        return np.concatenate([edges, self.lines[~self.open_]])


def make_site(
    network: Network, area: Any, keep_out: Sequence[Any], width: float, bridged: bool = False
) -> Site:
    """Lay out an area.

    Parameters
    ----------
    network : Network
        Its backdrop is kept out of, too.
    area : shapely polygon, WGS-84
    keep_out : sequence of shapely geometries, WGS-84
        Areas, and lines such as tracks, that no street at grade goes through.
    width : float
        Width of the new streets, m: half of it is kept clear.
    bridged : bool
        Whether there are streets over what is kept out of; they are walls where it is.
    """
    import shapely

    west, south, east, north = shapely.bounds(area)
    crs = local_crs((west + east) / 2, (south + north) / 2)
    plane = to_plane(area, crs)
    road = network.road
    rows = carriageway_rows(road)
    lines = street_lines(road, rows, crs)
    near = shapely.intersects(lines, shapely.box(*plane.bounds).buffer(_REACH))
    rows, lines = rows[near], lines[near]
    backdrop = [] if network.backdrop is None else list(network.backdrop.polygon)
    frame = shapely.box(*plane.bounds).buffer(_REACH)
    shapes = [_barred(shape, crs, width) for shape in (*backdrop, *keep_out)]
    shapes = [shape for shape in shapes if shape.intersects(frame)]
    barred = shapely.union_all(shapes) if shapes else shapely.GeometryCollection()
    open_ = (road.structure[rows] == 0) & ~np.isin(road.road_class[rows], MOTORWAYS)
    if shapes and not bridged:
        shapely.prepare(barred)
        open_ &= ~shapely.contains_properly(barred, lines)
    every = carriageway_rows(road)
    legs = np.bincount(np.concatenate([road.tail[every], road.head[every]]), minlength=road.n_nodes)
    known = np.isfinite(road.node_lon) & np.isfinite(road.node_lat)
    xy = np.full((road.n_nodes, 2), np.inf)
    xy[known] = np.column_stack(project(road.node_lon[known], road.node_lat[known], crs))
    return Site(crs, plane, lines, open_, road.tail[rows], road.head[rows], legs, xy, barred)


def _barred(shape: Any, crs: str, width: float) -> Any:
    """Return a no-go shape on the plane with half a street's width around it."""
    import shapely

    if shapely.get_dimensions(shape) == 2:
        return shapely.buffer(to_plane(shape, crs), width / 2)
    moved = shapely.transform(
        shapely.force_2d(shape), lambda p: np.column_stack(project(p[:, 0], p[:, 1], crs))
    )
    return shapely.buffer(moved, width / 2 + 5.0)
