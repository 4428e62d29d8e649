"""OSMnx and networkx graphs in and out.

A graph comes in as OSMnx makes it, simplified or not, projected or not; or as any directed
networkx graph with coordinates ``x`` and ``y``. It goes out as a ``MultiDiGraph`` that OSMnx
accepts. What cczsim knows beyond OSMnx's attributes travels in edge attributes ``cczsim_*``, so
that a graph that went out comes back the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import FaultCollector, InputError
from cczsim.network.geometry import polyline_lengths, unproject
from cczsim.network.provenance import Source
from cczsim.network.road import ATTRIBUTES, NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE, ROAD_CLASSES
from cczsim.osm.class_table import TABLES, ClassTable
from cczsim.osm.tag_values import parse_lanes, parse_speed

WGS84: Final = "EPSG:4326"
_OWN: Final = {
    "link_id": int, "capacity": float, "free_flow_time": float, "alpha": float, "beta": float,
    "lanes": float, "speed": float, "toll": float, "structure": int, "dual_carriageway": bool,
    "control": int, "way_id": int, "length": float,
}  # fmt: skip
_SOURCES: Final = tuple(f"{name}_source" for name in ("class", *ATTRIBUTES, "control"))
_MOST_FAULTS: Final = 20


def to_graph(road: RoadNetwork) -> Any:
    """Return a road network as an OSMnx graph.

    Returns
    -------
    networkx.MultiDiGraph
        Nodes are ``node_id`` with ``x, y`` (degrees) and ``street_count``; edges carry ``osmid,
        highway, oneway, reversed, lanes, maxspeed, name, length, geometry`` and ``cczsim_*``.

    Raises
    ------
    InputError
        The nodes have no coordinates.
    """
    import networkx as nx
    import shapely

    if not (np.isfinite(road.node_lon).all() and np.isfinite(road.node_lat).all()):
        raise InputError.of(
            "graph", "nodes without coordinates", "longitude and latitude of each node",
            "OSMnx graphs need x and y",
        )  # fmt: skip
    graph = nx.MultiDiGraph(crs=WGS84.lower(), created_with="cczsim", simplified=True)
    through = road.node_through.tolist()
    ids = road.node_id.tolist()
    streets = _street_counts(road)
    for row, (node, lon, lat) in enumerate(
        zip(ids, road.node_lon.tolist(), road.node_lat.tolist(), strict=True)
    ):
        graph.add_node(node, x=lon, y=lat, street_count=streets[row], cczsim_through=through[row])
    first, lon, lat = road.shapes()
    owner = np.repeat(np.arange(road.n_links), np.diff(first))
    lines = shapely.linestrings(lon, lat, indices=owner).tolist()
    own = {name: getattr(road, name).tolist() for name in (*_OWN, *_SOURCES)}
    names, classes = [str(name) for name in road.name], road.road_class.tolist()
    tails, heads, backs = road.tail.tolist(), road.head.tolist(), road.reverse_link.tolist()
    for link in range(road.n_links):
        data: dict[str, Any] = {
            "osmid": own["way_id"][link],
            "highway": ROAD_CLASSES[classes[link]],
            "oneway": backs[link] == NO_LINK,
            "reversed": backs[link] != NO_LINK and backs[link] < link,
            "length": own["length"][link],
            "geometry": lines[link],
        }
        if names[link]:
            data["name"] = names[link]
        lanes = own["lanes"][link]
        if lanes > 0:  # OSM's lanes count both directions
            other = own["lanes"][backs[link]] if backs[link] != NO_LINK else 0.0
            data["lanes"] = f"{lanes + other:g}"
        if own["speed"][link] > 0:
            data["maxspeed"] = f"{own['speed'][link] * 3.6:.10g}"
        data["cczsim_row"] = link
        for name, values in own.items():
            data[f"cczsim_{name}"] = values[link]
        data["cczsim_reverse"] = own["link_id"][backs[link]] if backs[link] != NO_LINK else None
        graph.add_edge(ids[tails[link]], ids[heads[link]], **data)
    return graph


def _street_counts(road: RoadNetwork) -> list[int]:
    back = road.reverse_link
    once = (back == NO_LINK) | (back > np.arange(road.n_links))
    ends = np.concatenate([road.tail[once], road.head[once]])
    return [int(count) for count in np.bincount(ends, minlength=road.n_nodes)]


@dataclass
class _Edge:
    """One edge of the graph, read."""

    tail: int
    head: int
    data: Mapping[str, Any]
    lon: list[float]
    lat: list[float]
    straight: bool


def from_graph(graph: Any, *, table: ClassTable | str = "cn-cjj37") -> RoadNetwork:
    """Return the road network of a graph.

    Lanes and speed are read from ``lanes`` and ``maxspeed`` or ``speed_kph`` with the rules of
    :mod:`cczsim.osm.tags`, the least of a list; what is missing comes from the class table and
    is marked so. The direction of an edge is the graph's (``Source.TAGGED`` where the graph says
    ``oneway``). An edge pairs with one of the other direction that has the same ``osmid`` and
    length; others stand alone. An undirected graph is open both ways.

    Parameters
    ----------
    graph : networkx graph
        Nodes with ``x`` and ``y``: degrees, or metres of the projection that ``graph["crs"]``
        names. Node labels that are whole numbers become ``node_id``; others are numbered.
    table : ClassTable or str
        Defaults by class.

    Raises
    ------
    InputError
        Nodes without finite coordinates, edges with lengths that are no numbers of at least 0,
        or no edges; all faults at once.
    """
    faults = FaultCollector(InputError)
    if not hasattr(graph, "nodes") or not hasattr(graph, "edges"):
        raise InputError.of("graph", type(graph).__name__, "a networkx or OSMnx graph")
    if graph.number_of_edges() == 0:
        raise InputError.of("graph", "no edges", "at least one edge")
    if isinstance(table, str):
        if table not in TABLES:
            raise InputError.of("class table", repr(table), f"one of {', '.join(TABLES)}")
        table = TABLES[table]
    labels = list(graph.nodes)
    place = {label: row for row, label in enumerate(labels)}
    x, y = _coordinates(graph, labels, faults)
    faults.raise_if_any()
    crs = str(graph.graph.get("crs", WGS84))
    edges = _edges(graph, place, x, y, faults)
    faults.raise_if_any()
    if _went_out(edges):
        edges.sort(key=lambda edge: int(edge.data["cczsim_row"]))
    size = np.array([len(edge.lon) for edge in edges])
    first = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    shape_x = np.array([value for edge in edges for value in edge.lon])
    shape_y = np.array([value for edge in edges for value in edge.lat])
    if not _is_degrees(crs):
        x, y = unproject(x, y, crs)
        shape_x, shape_y = unproject(shape_x, shape_y, crs)
    if (np.abs(y) > 90).any() or (np.abs(x) > 180).any():
        raise InputError.of(
            "graph", "coordinates outside ±180, ±90 degrees", "x and y in degrees",
            'set graph.graph["crs"] to the projection of x and y',
        )  # fmt: skip
    columns = _columns(edges, polyline_lengths(first, shape_x, shape_y), table, faults)
    faults.raise_if_any()
    return RoadNetwork(
        node_id=_node_ids(labels),
        node_lon=x,
        node_lat=y,
        node_through=np.array(
            [bool(graph.nodes[label].get("cczsim_through", True)) for label in labels]
        ),
        tail=np.array([edge.tail for edge in edges]),
        head=np.array([edge.head for edge in edges]),
        shape_first=first,
        shape_lon=shape_x,
        shape_lat=shape_y,
        **columns,
    )


def _is_degrees(crs: str) -> bool:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return bool(CRS.from_user_input(crs).is_geographic)
    except CRSError as error:
        raise InputError.of(
            "graph: crs", repr(crs), "a coordinate system that PROJ knows"
        ) from error


def _node_ids(labels: list[Any]) -> Array:
    whole = all(isinstance(label, int | np.integer) and not isinstance(label, bool)
                and abs(int(label)) < 2**63 for label in labels)  # fmt: skip
    return np.array(labels if whole else range(1, len(labels) + 1), dtype=np.int64)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _coordinates(graph: Any, labels: list[Any], faults: FaultCollector) -> tuple[Array, Array]:
    x = np.array([_number(graph.nodes[label].get("x")) for label in labels])
    y = np.array([_number(graph.nodes[label].get("y")) for label in labels])
    bad = np.flatnonzero(~(np.isfinite(x) & np.isfinite(y)))
    for row in bad[:_MOST_FAULTS].tolist():
        data = graph.nodes[labels[row]]
        faults.add(
            f"graph: node {labels[row]}", f"x={data.get('x')!r}, y={data.get('y')!r}",
            "finite coordinates x and y",
        )  # fmt: skip
    if len(bad) > _MOST_FAULTS:
        faults.add("graph", f"{len(bad) - _MOST_FAULTS} more such nodes", "finite x and y")
    return x, y


def _edges(
    graph: Any, place: dict[Any, int], x: Array, y: Array, faults: FaultCollector
) -> list[_Edge]:
    out: list[_Edge] = []
    for u, v, data in graph.edges(data=True):
        tail, head = place[u], place[v]
        lon, lat = [float(x[tail]), float(x[head])], [float(y[tail]), float(y[head])]
        line = data.get("geometry")
        if line is not None:
            points = list(getattr(line, "coords", []))
            if len(points) < 2 or not np.isfinite(np.array(points)[:, :2]).all():
                faults.add(f"graph: edge {u}-{v}", f"geometry {line!s:.60}", "a line of points")
                continue
            lon, lat = [float(p[0]) for p in points], [float(p[1]) for p in points]
        out.append(_Edge(tail, head, data, lon, lat, line is None))
        if not graph.is_directed():
            out.append(_Edge(head, tail, data, lon[::-1], lat[::-1], line is None))
    return out


def _went_out(edges: list[_Edge]) -> bool:
    """Whether every edge is one that :func:`to_graph` made; OSMnx makes lists when it merges."""
    return all(
        isinstance(edge.data.get(key), int)
        for edge in edges
        for key in ("cczsim_link_id", "cczsim_row")
    )


def _first_text(value: Any) -> str:
    if isinstance(value, list | tuple | set):
        return ";".join(sorted(str(item) for item in value))
    return "" if value is None else str(value)


def _class_of(data: Mapping[str, Any]) -> int:
    value = data.get("highway")
    names = list(value) if isinstance(value, list | tuple | set) else [value]
    codes = [CLASS_CODE[str(name)] for name in names if str(name) in CLASS_CODE]
    return min(codes, default=CLASS_CODE["other"])


def _whole(value: Any) -> int:
    items = list(value) if isinstance(value, list | tuple | set) else [value]
    numbers = [int(item) for item in items if isinstance(item, int | np.integer)]
    return min(numbers, default=0)


def _columns(
    edges: list[_Edge], measured: Array, table: ClassTable, faults: FaultCollector
) -> dict[str, Any]:
    table = table.in_class_order()
    count = len(edges)
    length = measured.copy()
    for row, edge in enumerate(edges):
        given = edge.data.get("length")
        if given is None:
            continue
        length[row] = _number(given)
        if not (math.isfinite(length[row]) and length[row] >= 0):
            faults.add(f"graph: edge row {row}", f"length={given!r}", "metres, at least 0")
    faults.raise_if_any()
    road_class = np.array([_class_of(edge.data) for edge in edges])
    reverse = _pairs(edges, length)
    lanes, lanes_source = table.lanes[road_class].astype(float), np.full(count, Source.DEFAULT)
    speed, speed_source = table.speed[road_class].copy(), np.full(count, Source.DEFAULT)
    for row, edge in enumerate(edges):
        read = parse_lanes(_first_text(edge.data.get("lanes")))
        if read is not None:
            both = reverse[row] != NO_LINK
            lanes[row] = read.value / 2 if both else read.value
            lanes_source[row] = Source.DERIVED if both else read.source
        read = parse_speed(_first_text(edge.data.get("maxspeed", edge.data.get("speed_kph"))))
        if read is not None:
            speed[row], speed_source[row] = read.value, read.source
    directed = ["oneway" in edge.data for edge in edges]
    columns: dict[str, Any] = {
        "link_id": np.arange(1, count + 1),
        "road_class": road_class,
        "length": length,
        "lanes": lanes,
        "speed": speed,
        "capacity": lanes * table.lane_capacity[road_class] * table.green_ratio[road_class],
        "alpha": table.alpha[road_class],
        "beta": table.beta[road_class],
        "toll": np.zeros(count),
        "structure": np.array([_structure(edge.data) for edge in edges]),
        "dual_carriageway": np.zeros(count, dtype=bool),
        "control": np.zeros(count, dtype=np.int8),
        "control_source": np.full(count, int(Source.DEFAULT)),
        "way_id": np.array([_whole(edge.data.get("osmid")) for edge in edges]),
        "name": [_first_text(edge.data.get("name")) for edge in edges],
        "reverse_link": reverse,
        "class_source": np.where(
            [edge.data.get("highway") is None for edge in edges], Source.DEFAULT, Source.TAGGED
        ),
        "oneway_source": np.where(directed, Source.TAGGED, Source.DEFAULT),
        "lanes_source": lanes_source,
        "speed_source": speed_source,
        "capacity_source": np.where(
            lanes_source == Source.DEFAULT, Source.DEFAULT, Source.DERIVED
        ),
        "geometry_source": np.where(
            [edge.straight for edge in edges], Source.DERIVED, Source.TAGGED
        ),
    }  # fmt: skip
    columns["free_flow_time"] = length / speed
    if _went_out(edges):
        _take_own(edges, columns, faults)
    return columns


def _structure(data: Mapping[str, Any]) -> int:
    bridge, tunnel = _first_text(data.get("bridge")), _first_text(data.get("tunnel"))
    if bridge not in ("", "no"):
        return 1
    return 2 if tunnel not in ("", "no") else 0


def _pairs(edges: list[_Edge], length: Array) -> Array:
    """Return for each edge the one of the other direction, or NO_LINK."""
    reverse = np.full(len(edges), NO_LINK)
    waiting: dict[tuple[Any, ...], list[int]] = {}
    for row, edge in enumerate(edges):
        if edge.tail == edge.head:
            continue
        same = (_first_text(edge.data.get("osmid")), round(float(length[row]), 2))
        mates = waiting.get((edge.head, edge.tail, *same))
        if mates and edge.data.get("oneway") is not True:
            mate = mates.pop(0)
            reverse[row], reverse[mate] = mate, row
        elif edge.data.get("oneway") is not True:
            waiting.setdefault((edge.tail, edge.head, *same), []).append(row)
    return reverse


def _take_own(edges: list[_Edge], columns: dict[str, Any], faults: FaultCollector) -> None:
    """Take the attributes that :func:`to_graph` wrote."""
    for name in (*_OWN, *_SOURCES):
        kind = _OWN.get(name, int)
        values = [edge.data.get(f"cczsim_{name}") for edge in edges]
        try:
            columns[name] = np.array([kind(value) for value in values])
        except (TypeError, ValueError) as error:
            faults.add(f"graph: cczsim_{name}", str(error), f"a value of type {kind.__name__}")
    faults.raise_if_any()
    row_of = {int(number): row for row, number in enumerate(columns["link_id"])}
    mates = [edge.data.get("cczsim_reverse") for edge in edges]
    columns["reverse_link"] = np.array(
        [NO_LINK if mate is None else row_of.get(int(mate), NO_LINK) for mate in mates]
    )
