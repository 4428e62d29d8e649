"""Pure edits of a road network: rows that survive keep their place, new rows are appended.

Rules of :func:`add_streets`, numbered in the code:

1. An end of a new street within ``snap`` of a street becomes a junction with it: at the end of
   that street if the point is within ``snap`` of it, else at the nearest point, where the street
   is split.
2. With ``cross="join"`` new streets and streets at grade are split where they cross. Motorways,
   bridges and tunnels are crossed without a junction; only motorways and ``_link`` classes end
   on motorways.
3. Junctions nearer than ``MERGE`` along one street are one; no two nodes that were there before
   are merged.
4. A split link keeps its row as its first piece; the others are appended. Length, time and toll
   are shared out by length; capacity, class, name and provenance go to all pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import numpy as np

from cczsim.columns import Array
from cczsim.errors import NetworkError
from cczsim.network.edit_links import assemble
from cczsim.network.edit_nodes import find_junctions
from cczsim.network.geometry import local_crs, project, take_ragged
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE, CONNECTOR
from cczsim.network.street_line import STRUCTURES, EditReport, StreetLine

MOTORWAYS: Final = (CLASS_CODE["motorway"], CLASS_CODE["motorway_link"])
_ENDS_ANYWHERE: Final = frozenset(
    code for name, code in CLASS_CODE.items() if name == "motorway" or name.endswith("_link")
)


def set_attributes(road: RoadNetwork, rows: Array, **columns: Any) -> RoadNetwork:
    """Return the network with new values in some rows of some link columns.

    Raises
    ------
    NetworkError
        A column is not one of the links.
    """
    changed: dict[str, Array] = {}
    for name, values in columns.items():
        if name not in RoadNetwork.dims()["link"]:
            raise NetworkError.of("set_attributes", name, "a column of the links")
        column = getattr(road, name).copy()
        column[rows] = values
        changed[name] = column
    return road.replace(**changed)


def drop_links(road: RoadNetwork, rows: Array) -> tuple[RoadNetwork, Array]:
    """Return the network without some links, and the rows that were kept; all nodes stay."""
    kept = np.setdiff1d(np.arange(road.n_links), rows)
    place = np.full(road.n_links + 1, NO_LINK, dtype=np.int32)
    place[kept] = np.arange(len(kept))
    links = road.take("link", kept)
    links["reverse_link"] = place[links["reverse_link"]]
    shapes: dict[str, Array] = {}
    if road.shape_first is not None and road.shape_lon is not None:
        assert road.shape_lat is not None
        first, points = take_ragged(road.shape_first, kept)
        shapes = {
            "shape_first": first,
            "shape_lon": road.shape_lon[points],
            "shape_lat": road.shape_lat[points],
        }
    return road.replace(**links, **shapes), kept


def empty_road() -> RoadNetwork:
    """Return a network without nodes and links, to add streets to."""
    none = np.zeros(0)
    return RoadNetwork(
        node_id=none, node_lon=none, node_lat=none, link_id=none, tail=none, head=none,
        road_class=none, length=none, free_flow_time=none, capacity=none,
        shape_first=np.zeros(1, dtype=np.int64), shape_lon=none, shape_lat=none,
    )  # fmt: skip


def carriageway_rows(road: RoadNetwork) -> Array:
    """Return one link row a street: two-way streets by the lower of their rows, no connectors."""
    rows = np.arange(road.n_links)
    once = (road.reverse_link == NO_LINK) | (rows < road.reverse_link)
    return np.flatnonzero(once & (road.road_class != CONNECTOR))


def lines_of(first: Array, x: Array, y: Array) -> Array:
    """Return ragged points as an array of shapely lines."""
    import shapely

    counts = np.diff(first)
    index = np.repeat(np.arange(len(counts)), counts)
    out = shapely.linestrings(np.column_stack([x, y]), indices=index)
    return np.asarray(out, dtype=object)


def add_streets(
    road: RoadNetwork,
    lines: Sequence[StreetLine],
    snap: float = 15.0,
    cross: Literal["join", "over"] = "join",
) -> EditReport:
    """Add streets, splitting what they meet; the rules are those of the module.

    Parameters
    ----------
    road : RoadNetwork
    lines : sequence of StreetLine
    snap : float
        How far an end may lie from the street that it joins, m.
    cross : {"join", "over"}
        Whether crossings at grade become junctions, or only ends do.

    Raises
    ------
    NetworkError
        A line has under two points, no length, or an unknown class or structure.
    """
    if not lines:
        none = np.zeros(0, dtype=np.int64)
        return EditReport(road, none, none, 0.0)
    _check(lines)
    first, shape_lon, shape_lat = road.shapes()
    rows = carriageway_rows(road)
    own_first, points = take_ragged(first, rows)
    sizes = [len(line.lon) for line in lines]
    all_first = np.concatenate([own_first, own_first[-1] + np.cumsum(sizes)]).astype(np.int64)
    lon = np.concatenate([shape_lon[points], *(np.asarray(s.lon, float) for s in lines)])
    lat = np.concatenate([shape_lat[points], *(np.asarray(s.lat, float) for s in lines)])
    new_lon, new_lat = lon[own_first[-1] :], lat[own_first[-1] :]
    crs = local_crs(
        float(new_lon.min() + new_lon.max()) / 2, float(new_lat.min() + new_lat.max()) / 2
    )
    x, y = project(lon, lat, crs)
    codes = np.array([CLASS_CODE[line.road_class] for line in lines])
    structure = np.array([STRUCTURES[line.structure] for line in lines])
    curve_class = np.concatenate([road.road_class[rows], codes]).astype(np.int64)
    at_grade = np.concatenate([road.structure[rows], structure]) == 0
    joined = find_junctions(
        curves=lines_of(all_first, x, y),
        n_old=len(rows),
        tail=road.tail[rows],
        head=road.head[rows],
        n_nodes=road.n_nodes,
        node_xy=np.column_stack(_project_known(road, crs)),
        joinable=at_grade | np.isin(curve_class, list(_ENDS_ANYWHERE)),
        motorway=np.isin(curve_class, MOTORWAYS),
        ends_anywhere=np.isin(curve_class, list(_ENDS_ANYWHERE)),
        crossable=at_grade & ~np.isin(curve_class, MOTORWAYS),
        snap=snap,
        cross=cross == "join",
    )
    return assemble(road, rows, lines, joined, crs, (all_first, lon, lat, x, y))


def _project_known(road: RoadNetwork, crs: str) -> tuple[Array, Array]:
    known = np.isfinite(road.node_lon) & np.isfinite(road.node_lat)
    x, y = np.full(road.n_nodes, np.nan), np.full(road.n_nodes, np.nan)
    if known.any():
        x[known], y[known] = project(road.node_lon[known], road.node_lat[known], crs)
    return x, y


def _check(lines: Sequence[StreetLine]) -> None:
    for number, line in enumerate(lines):
        where = f"street {number} {line.name!r}"
        if len(line.lon) < 2 or len(line.lon) != len(line.lat):
            raise NetworkError.of(where, f"{len(line.lon)} points", "two or more")
        if not (np.isfinite(line.lon).all() and np.isfinite(line.lat).all()):
            raise NetworkError.of(where, "a coordinate that is no number", "numbers")
        if np.ptp(line.lon) == 0.0 and np.ptp(line.lat) == 0.0:
            raise NetworkError.of(where, "all points equal", "a street with a length")
        if line.road_class not in CLASS_CODE:
            raise NetworkError.of(where, line.road_class, f"one of {', '.join(CLASS_CODE)}")
        if line.structure not in STRUCTURES:
            raise NetworkError.of(where, line.structure, f"one of {', '.join(STRUCTURES)}")
        if not (line.speed > 0.0 and line.capacity > 0.0 and line.lanes >= 0.0):
            raise NetworkError.of(
                where, f"speed {line.speed}, capacity {line.capacity}, lanes {line.lanes}",
                "speed and capacity above 0",
            )  # fmt: skip
