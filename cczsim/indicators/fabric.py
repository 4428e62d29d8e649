"""The grain of streets in an area: blocks, intersections, dead ends, reach of rail stops.

Rules, with the numbers that the code carries:

1. A block is a face of the counted streets whose middle lies in the area; medians and pieces of
   junctions are none (:mod:`cczsim.network.street_blocks`).
2. An intersection is a place where three streets or more meet; nodes within ``MERGED`` of each
   other are one, so that the crossing of two dual carriageways is one place and not four.
3. A dead end is a node with one street.
4. The reach of rail is the part of the area within ``RAIL_REACH`` of a stop of metro, light rail,
   maglev or railway, in a straight line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.indicators.conventions import Convention, centreline_weight
from cczsim.network.edit import carriageway_rows
from cczsim.network.geometry import local_crs, project
from cczsim.network.network import Network
from cczsim.network.street_blocks import find_blocks, to_plane
from cczsim.network.transit import MODES, TransitNetwork

RAIL_REACH: Final = 300.0
MERGED: Final = 20.0
RAIL: Final = ("metro", "light_rail", "maglev", "rail")


@dataclass(frozen=True)
class Fabric:
    """The grain of the streets of an area.

    Parameters
    ----------
    blocks : int
    mean_block, median_block, largest_block : float
        Areas of blocks, m2; NaN without one.
    mean_perimeter : float
        m.
    intersections, dead_ends : int
    intersections_per_km2 : float
    rail_share : float
        Part of the area within RAIL_REACH of a rail stop; NaN without lines.
    """

    blocks: int
    mean_block: float
    median_block: float
    largest_block: float
    mean_perimeter: float
    intersections: int
    dead_ends: int
    intersections_per_km2: float
    rail_share: float


def street_fabric(network: Network, area: Any, rules: Convention) -> Fabric:
    """Measure the streets of an area.

    Parameters
    ----------
    network : Network
    area : shapely polygon, WGS-84
    rules : Convention
        Its classes are the streets that count; carriageways and directions do not matter.
    """
    import shapely

    west, south, east, north = shapely.bounds(area)
    crs = local_crs((west + east) / 2, (south + north) / 2)
    plane = to_plane(area, crs)
    counted = centreline_weight(network.road, rules) > 0.0
    found = find_blocks(network.road, plane, crs, counted)
    crossings, ends = _places(network, plane, crs, counted)
    nothing = float("nan")
    some = len(found.area) > 0
    return Fabric(
        blocks=len(found.area),
        mean_block=float(found.area.mean()) if some else nothing,
        median_block=float(np.median(found.area)) if some else nothing,
        largest_block=float(found.area.max()) if some else nothing,
        mean_perimeter=float(found.perimeter.mean()) if some else nothing,
        intersections=crossings,
        dead_ends=ends,
        intersections_per_km2=crossings / (plane.area / 1e6) if plane.area > 0.0 else nothing,
        rail_share=_rail_share(network.transit, plane, crs),
    )


def _places(network: Network, area: Any, crs: str, counted: Array) -> tuple[int, int]:
    """Return the numbers of intersections (2) and dead ends (3) in an area."""
    import shapely
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    road = network.road
    rows = carriageway_rows(road)
    rows = rows[counted[rows]]
    legs = np.bincount(np.concatenate([road.tail[rows], road.head[rows]]), minlength=road.n_nodes)
    nodes = np.flatnonzero(((legs == 1) | (legs >= 3)) & np.isfinite(road.node_lon))
    x, y = project(road.node_lon[nodes], road.node_lat[nodes], crs)
    shapely.prepare(area)
    inside = shapely.contains_xy(area, x, y)
    nodes, at = nodes[inside], np.column_stack([x, y])[inside]
    crossing = legs[nodes] >= 3
    ends = int((~crossing).sum())
    if not crossing.any():
        return 0, ends
    pairs = cKDTree(at[crossing]).query_pairs(MERGED, output_type="ndarray")
    n = int(crossing.sum())
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return int(connected_components(graph, directed=False)[0]), ends


def rail_stops(transit: TransitNetwork) -> Array:
    """Return the stops of lines on rails."""
    modes = [MODES.index(mode) for mode in RAIL if mode in MODES]
    entries = np.isin(np.repeat(transit.mode, np.diff(transit.line_first)), modes)
    return np.unique(transit.line_stop[entries])


def _rail_share(transit: TransitNetwork | None, area: Any, crs: str) -> float:
    import shapely

    if transit is None or transit.n_lines == 0 or not area.area > 0.0:
        return float("nan")
    stops = rail_stops(transit)
    x, y = project(transit.stop_lon[stops], transit.stop_lat[stops], crs)
    reach = shapely.union_all(shapely.buffer(shapely.points(x, y), RAIL_REACH, quad_segs=32))
    return float(shapely.area(shapely.intersection(reach, area)) / area.area)
