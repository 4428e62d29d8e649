"""Tie zones to streets: a centroid node a zone, and connectors to nodes around it.

Rules, numbered in the code:

1. A connector ends on a node of the largest strongly connected component that no motorway, trunk
   or link of theirs touches.
2. Of the nodes within the zone's polygon, those nearest to half of the zone's radius from the
   centroid are taken, one in each of ``per_zone`` sectors; without such a node, the nearest ones.
3. A connector takes distance x :data:`DETOUR` / ``speed``; it never delays.
4. A gate stands for a whole city, whose traffic comes in on motorways: it is tied to the nearest
   node of each named motorway, trunk and primary road within ``reach``, at :data:`GATE_SPEED`.
5. A zone without a node within ``reach`` has no connector, and is listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import local_crs, project
from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE, CONNECTOR

DETOUR: Final = 1.3
CAPACITY: Final = 99999.0
GATE_SPEED: Final = 60 / 3.6
GATE_CLASSES: Final = ("motorway", "trunk", "primary")
FORBIDDEN: Final = ("motorway", "motorway_link", "trunk", "trunk_link")


@dataclass(frozen=True, eq=False)
class Attached:
    """A network with centroids and connectors.

    Parameters
    ----------
    road : RoadNetwork
    centroid : array [zone]
        Node of each zone.
    report : dict
        Plain JSON: connectors, zones with fewer than asked for, zones served from outside, zones
        without any (row numbers), the longest connector (m).
    """

    road: RoadNetwork
    centroid: Array
    report: dict[str, Any]


def main_component(road: RoadNetwork) -> Array:
    """Return whether each node lies in the largest strong component of the streets, ``[node]``."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    street = road.road_class != CONNECTOR
    graph = coo_array(
        (np.ones(int(street.sum())), (road.tail[street], road.head[street])),
        shape=(road.n_nodes, road.n_nodes),
    )
    _, label = connected_components(graph.tocsr(), directed=True, connection="strong")
    if not len(label):
        return np.zeros(0, dtype=bool)
    return np.asarray(label == np.argmax(np.bincount(label)))


def attach_zones(
    road: RoadNetwork,
    lon: Array,
    lat: Array,
    polygons: Sequence[Any] | None = None,
    per_zone: int = 4,
    *,
    gate: Array | None = None,
    forbidden: Sequence[str] = FORBIDDEN,
    speed: float = 30 / 3.6,
    reach: float = 20_000.0,
) -> Attached:
    """Add centroids and connectors by the rules of the module.

    Parameters
    ----------
    road : RoadNetwork
    lon, lat : array [zone], deg
    polygons : sequence of shapely polygons or None, optional
    per_zone : int
    gate : bool array [zone], optional
        Zones that stand for a city outside the cordon.
    forbidden : sequence of str
        Classes whose nodes get no connector.
    speed : float
        m/s.
    reach : float
        m.
    """
    import shapely
    from scipy.spatial import cKDTree

    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    n_zones = len(lon)
    usable = main_component(road)  # rule 1
    touched = np.zeros(road.n_nodes, dtype=bool)
    street = road.road_class != CONNECTOR
    for end in (road.tail, road.head):
        touched[end[street]] = True
    usable &= touched & road.node_through & np.isfinite(road.node_lon)
    for_gates = np.flatnonzero(usable)
    barred = np.isin(road.road_class, [CLASS_CODE[name] for name in forbidden])
    for end in (road.tail, road.head):
        usable[end[barred]] = False
    nodes = np.flatnonzero(usable)
    crs = local_crs(float(np.mean(lon)), float(np.mean(lat)))
    zone_xy = np.column_stack(project(lon, lat, crs))
    pairs: list[tuple[int, int, float, float]] = []
    outside, few, none = [], [], []
    if len(nodes):
        place = np.column_stack(project(road.node_lon[nodes], road.node_lat[nodes], crs))
        tree = cKDTree(place)
        points = shapely.points(road.node_lon[nodes], road.node_lat[nodes])
        point_tree = shapely.STRtree(points)
    for zone in range(n_zones):
        if gate is not None and gate[zone]:
            found_there = _gate_nodes(road, for_gates, zone_xy[zone], crs, reach)
            pairs += [(zone, node, distance, GATE_SPEED) for node, distance in found_there]
            if not found_there:
                none.append(zone)
            continue
        if not len(nodes):
            none.append(zone)
            continue
        polygon = None if polygons is None else polygons[zone]
        found = np.zeros(0, dtype=np.int64)
        aim = 0.0
        if polygon is not None:
            found = np.sort(point_tree.query(polygon, predicate="intersects"))
            moved = shapely.transform(
                polygon, lambda p: np.column_stack(project(p[:, 0], p[:, 1], crs))
            )
            aim = 0.5 * float(np.sqrt(moved.area / np.pi))
        if not len(found):
            distance, nearest = tree.query(zone_xy[zone], k=min(per_zone, len(nodes)))
            distance, nearest = np.atleast_1d(distance), np.atleast_1d(nearest)
            found = np.sort(nearest[distance <= reach])
            aim = 0.0
            if polygon is not None:
                outside.append(zone)
        chosen = _spread(place[found] - zone_xy[zone], aim, per_zone)
        if not len(chosen):
            none.append(zone)
        elif len(chosen) < per_zone:
            few.append(zone)
        for k in chosen:
            step = place[found[k]] - zone_xy[zone]
            pairs.append((zone, int(nodes[found[k]]), float(np.hypot(step[0], step[1])), speed))
    joined = _add(road, lon, lat, pairs)
    report = {
        "zones": n_zones,
        "connectors": len(pairs),
        "links": 2 * len(pairs),
        "zones_with_fewer": len(few),
        "zones_served_from_outside": outside,
        "zones_without_link": none,
        "longest_m": round(max((p[2] for p in pairs), default=0.0), 1),
    }
    return Attached(joined, road.n_nodes + np.arange(n_zones), report)


def _spread(steps: Array, aim: float, wanted: int) -> list[int]:
    """Return which points to take: the best of each sector, then the best of the rest (2)."""
    if not len(steps):
        return []
    miss = np.abs(np.hypot(steps[:, 0], steps[:, 1]) - aim)
    sector = np.floor((np.arctan2(steps[:, 1], steps[:, 0]) / (2 * np.pi) % 1.0) * wanted)
    order = np.lexsort((np.arange(len(miss)), miss))
    best = order[np.unique(sector[order], return_index=True)[1]]
    return sorted(best.tolist())


def _gate_nodes(
    road: RoadNetwork, usable: Array, place: Array, crs: str, reach: float
) -> list[tuple[int, float]]:
    """Return the nearest usable node of each named main road, and its distance in m (4)."""
    far = np.full(road.n_nodes, np.inf)
    steps = np.column_stack(project(road.node_lon[usable], road.node_lat[usable], crs)) - place
    far[usable] = np.hypot(steps[:, 0], steps[:, 1])
    main = np.isin(road.road_class, [CLASS_CODE[name] for name in GATE_CLASSES])
    links = np.flatnonzero(main & (far[road.tail] <= reach))
    links = links[np.argsort(far[road.tail[links]], kind="stable")]
    nearest: dict[tuple[int, str], int] = {}
    for link in links.tolist():
        nearest.setdefault((int(road.road_class[link]), str(road.name[link])), link)
    ends = dict.fromkeys(int(road.tail[link]) for link in nearest.values())
    return [(node, float(far[node])) for node in ends]


def _add(
    road: RoadNetwork, lon: Array, lat: Array, pairs: list[tuple[int, int, float, float]]
) -> RoadNetwork:
    n_zones, n = len(lon), len(pairs)
    zone = np.array([p[0] for p in pairs], dtype=np.int64)
    node = np.array([p[1] for p in pairs], dtype=np.int64)
    length = np.repeat(np.array([p[2] for p in pairs], dtype=float), 2)
    speed = np.repeat(np.array([p[3] for p in pairs], dtype=float), 2)
    centroid = road.n_nodes + zone
    tail = np.column_stack([centroid, node]).ravel()
    head = np.column_stack([node, centroid]).ravel()
    own = road.n_links + np.arange(2 * n)
    made: dict[str, Any] = {
        "link_id": int(road.link_id.max(initial=0)) + 1 + np.arange(2 * n),
        "tail": tail,
        "head": head,
        "road_class": np.full(2 * n, CONNECTOR),
        "length": length,
        "free_flow_time": length * DETOUR / speed,  # rule 3
        "capacity": np.full(2 * n, CAPACITY),
        "alpha": np.zeros(2 * n),
        "beta": np.ones(2 * n),
        "delay_function": np.zeros(2 * n, dtype=np.int8),
        "background": np.zeros(2 * n),
        "lanes": np.zeros(2 * n, dtype=np.float32),
        "speed": speed / DETOUR,
        "toll": np.zeros(2 * n),
        "reverse_link": np.where(np.arange(2 * n) % 2 == 0, own + 1, own - 1),
        "dual_carriageway": np.zeros(2 * n, dtype=bool),
        "structure": np.zeros(2 * n, dtype=np.int8),
        "way_id": np.zeros(2 * n, dtype=np.int64),
        "name": np.full(2 * n, "", dtype=np.dtypes.StringDType()),
    }
    columns = {
        name: np.concatenate(
            [getattr(road, name), made.get(name, np.full(2 * n, int(Source.GENERATED), np.int8))]
        )
        for name in RoadNetwork.dims()["link"]
    }
    nodes = {
        "node_id": np.concatenate(
            [road.node_id, int(road.node_id.max(initial=0)) + 1 + np.arange(n_zones)]
        ),
        "node_lon": np.concatenate([road.node_lon, lon]),
        "node_lat": np.concatenate([road.node_lat, lat]),
        "node_through": np.concatenate([road.node_through, np.zeros(n_zones, dtype=bool)]),
    }
    shapes: dict[str, Array] = {}
    if road.shape_first is not None and road.shape_lon is not None:
        assert road.shape_lat is not None
        ends = np.column_stack([tail, head]).ravel()
        shapes = {
            "shape_first": np.concatenate(
                [road.shape_first, road.shape_first[-1] + 2 * (1 + np.arange(2 * n))]
            ),
            "shape_lon": np.concatenate([road.shape_lon, nodes["node_lon"][ends]]),
            "shape_lat": np.concatenate([road.shape_lat, nodes["node_lat"][ends]]),
        }
    return RoadNetwork(**nodes, **columns, **shapes)
