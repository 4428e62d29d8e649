"""Places in a network that are likely mapped wrong: each with its way, its place and what is odd.

Rules, numbered in the code:

1. One-way streets that lead into nothing or come out of nothing: they can be entered and never
   left, or the other way round. At the edge of an extract this is no fault.
2. Motorways that touch no other road.
3. Speeds that double or halve where one street runs on without a junction, both tagged.
4. Lanes of one direction that change by :data:`LANES` or more there, both tagged.
5. Two links between the same two nodes with the same shape.
6. Links of no length.
7. Stations of rail farther than :data:`OFF_TRACK` from any track.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import local_crs, project, take_ragged
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.transit import MODE_CODE

LANES: Final = 2.0
JUMP: Final = 2.0
OFF_TRACK: Final = 150.0
_MOTORWAYS: Final = (CLASS_CODE["motorway"], CLASS_CODE["motorway_link"])


@dataclass(frozen=True)
class Suspect:
    """One place: OSM object (``way`` or ``node`` and its id), degrees, and what is odd there."""

    rule: str
    kind: str
    osm_id: int
    lon: float
    lat: float
    text: str


def find_suspects(network: Network) -> list[Suspect]:
    """Return the places that the rules find, by rule."""
    road = network.road
    found: list[Suspect] = []
    if np.isfinite(road.node_lon).all() and road.n_links:
        for rule in (_dead_ends, _motorways, _jumps, _twins, _no_length):
            found += rule(road)
    return found + list(_stations(network))


def _at(road: RoadNetwork, rule: str, link: int, node: int, text: str) -> Suspect:
    return Suspect(
        rule, "way", int(road.way_id[link]), float(road.node_lon[node]),
        float(road.node_lat[node]), text,
    )  # fmt: skip


def _name(road: RoadNetwork, link: int) -> str:
    return str(road.name[link]) or "a street without a name"


def _dead_ends(road: RoadNetwork) -> Iterator[Suspect]:
    out = np.bincount(road.tail, minlength=road.n_nodes)
    into = np.bincount(road.head, minlength=road.n_nodes)
    for ends, other, what in (
        (road.head, out, "leads into nothing"), (road.tail, into, "comes out of nothing"),
    ):  # fmt: skip
        rows = np.flatnonzero(road.is_street & (other[ends] == 0))  # 1
        for a in rows.tolist():
            yield _at(road, "one_way_dead_end", a, ends[a], f"one-way {_name(road, a)} {what}")


def _motorways(road: RoadNetwork) -> Iterator[Suspect]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    own = np.isin(road.road_class, _MOTORWAYS)
    if not own.any():
        return
    graph = coo_array(
        (np.ones(int(own.sum()), dtype=np.int8), (road.tail[own], road.head[own])),
        shape=(road.n_nodes, road.n_nodes),
    )
    label = connected_components(graph.tocsr(), directed=False)[1]
    open_ = np.zeros(label.max() + 1, dtype=bool)
    for end in (road.tail, road.head):
        open_[label[end[~own]]] = True
    rows = np.flatnonzero(own & ~open_[label[road.tail]])  # 2
    first = np.unique(label[road.tail[rows]], return_index=True)[1]
    for a in rows[np.sort(first)].tolist():
        yield _at(road, "motorway_alone", a, road.tail[a],
                  f"motorway {_name(road, a)} touches no other road")  # fmt: skip


def _jumps(road: RoadNetwork) -> Iterator[Suspect]:
    """Yield jumps of speed and lanes where a street runs on without a junction (3, 4)."""
    street = np.flatnonzero(road.is_street)
    out = np.bincount(road.tail[street], minlength=road.n_nodes)
    into = np.bincount(road.head[street], minlength=road.n_nodes)
    back_out = np.bincount(road.tail[street], road.reverse_link[street] != NO_LINK, road.n_nodes)
    # A bend: one link in and one out, or both directions of two streets.
    bend = ((out == 1) & (into == 1)) | ((out == 2) & (into == 2) & (back_out == 2))
    by_tail = street[np.argsort(road.tail[street], kind="stable")]
    begin = np.searchsorted(road.tail[by_tail], np.arange(road.n_nodes + 1))
    for a in street[bend[road.head[street]]].tolist():
        node = int(road.head[a])
        onward = [
            b for b in by_tail[begin[node] : begin[node + 1]].tolist() if road.reverse_link[a] != b
        ]
        if len(onward) != 1:
            continue
        b = onward[0]
        known = [
            s in (Source.TAGGED, Source.DERIVED)
            for s in (road.speed_source[a], road.speed_source[b])
        ]
        first, second = float(road.speed[a]), float(road.speed[b])
        if all(known) and max(first, second) >= JUMP * min(first, second) > 0.0:
            yield _at(road, "speed_jump", b, node, f"{_name(road, b)}: {3.6 * first:.0f} to "
                      f"{3.6 * second:.0f} km/h without a junction")  # fmt: skip
        tagged = road.lanes_source[[a, b]] == Source.TAGGED
        if tagged.all() and abs(float(road.lanes[a]) - float(road.lanes[b])) >= LANES:
            yield _at(road, "lanes_vanish", b, node, f"{_name(road, b)}: {road.lanes[a]:g} to "
                      f"{road.lanes[b]:g} lanes without a junction")  # fmt: skip


def _twins(road: RoadNetwork) -> Iterator[Suspect]:
    pair = road.tail.astype(np.int64) * road.n_nodes + road.head
    order = np.lexsort((np.arange(len(pair)), pair))
    again = np.flatnonzero(pair[order[1:]] == pair[order[:-1]])
    first, lon, lat = road.shapes()
    for a, b in zip(order[again].tolist(), order[again + 1].tolist(), strict=True):
        points = [take_ragged(first, np.array([k]))[1] for k in (a, b)]
        if len(points[0]) == len(points[1]) and (
            np.array_equal(lon[points[0]], lon[points[1]])
            and np.array_equal(lat[points[0]], lat[points[1]])
        ):  # 5
            yield _at(road, "duplicate", b, road.tail[b],
                      f"{_name(road, b)} lies on way {road.way_id[a]}")  # fmt: skip


def _no_length(road: RoadNetwork) -> Iterator[Suspect]:
    for a in np.flatnonzero(road.is_street & (road.length == 0.0)).tolist():  # 6
        yield _at(road, "no_length", a, road.tail[a], f"{_name(road, a)} has a link of 0 m")


def _stations(network: Network) -> Iterator[Suspect]:
    from scipy.spatial import cKDTree

    t = network.transit
    if t is None or t.track_lon is None or t.track_lat is None or not len(t.track_lon):
        return
    on_rails = np.ones(t.n_stops, dtype=bool)
    of_entry = np.repeat(t.mode, np.diff(t.line_first))
    by_street = np.isin(of_entry, [MODE_CODE["bus"], MODE_CODE["ferry"]])
    on_rails[t.line_stop[by_street]] = False
    on_rails[t.line_stop[~by_street]] = True
    stops = np.flatnonzero(on_rails)
    if not len(stops):
        return
    crs = local_crs(float(t.track_lon.mean()), float(t.track_lat.mean()))
    tree = cKDTree(np.column_stack(_dense(*project(t.track_lon, t.track_lat, crs), t.track_first)))
    x, y = project(t.stop_lon[stops], t.stop_lat[stops], crs)
    far = tree.query(np.column_stack([x, y]))[0]
    for stop, gap in zip(stops.tolist(), far.tolist(), strict=True):
        if gap > OFF_TRACK:  # 7
            ident = int(t.stop_id[stop])
            yield Suspect(
                "station_off_tracks", "node" if ident > 0 else "way", abs(ident),
                float(t.stop_lon[stop]), float(t.stop_lat[stop]),
                f"{t.stop_name[stop] or 'a station without a name'} is {gap:.0f} m from any track",
            )  # fmt: skip


def _dense(x: Array, y: Array, first: Array | None, step: float = 25.0) -> tuple[Array, Array]:
    """Return points along tracks, none farther than a step from the next."""
    long = np.hypot(np.diff(x), np.diff(y))
    if first is not None:
        long[first[1:-1] - 1] = 0.0
    parts = np.maximum(np.ceil(long / step), 1).astype(np.int64)
    at = np.repeat(np.arange(len(long)), parts)
    share = (np.arange(len(at)) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[at]
    share[long[at] == 0.0] = 0.0
    return (
        np.append(x[at] + share * (x[at + 1] - x[at]), x[-1]),
        np.append(y[at] + share * (y[at + 1] - y[at]), y[-1]),
    )
