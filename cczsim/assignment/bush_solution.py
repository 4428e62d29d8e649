"""The bushes of an equilibrium: what a changed scenario starts from, and what analysts ask of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.assignment.search_graph import SearchGraph
from cczsim.columns import Array
from cczsim.kernels.bush import Rows as Rows
from cczsim.kernels.bush import bar, copy_rows
from cczsim.kernels.hierarchy import NONE
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem


@dataclass(frozen=True, eq=False)
class BushStart:
    """Bushes with their flows, free of the network that they were found on.

    Parameters
    ----------
    tail_id, head_id : int64 array [row]
        Outside ids of the ends of each link.
    zone_id : int64 array [zone]
    n_classes : int
        User classes; bushes are those of the first class by zone, then those of the next.
    rows : Rows
        Its arcs are ``class x number of rows + row``.
    """

    tail_id: Array
    head_id: Array
    zone_id: Array
    n_classes: int
    rows: Rows


@dataclass(frozen=True, eq=False)
class BushSolution:
    """Bushes with their flows, by the rows of the network they were found on.

    Parameters
    ----------
    graph : SearchGraph
    zone_id : int array [zone]
    n_classes : int
    rows : Rows
        As in :class:`BushStart`.
    demand : array [bush, zone], pce/h
    """

    graph: SearchGraph
    zone_id: Array
    n_classes: int
    rows: Rows
    demand: Array

    def start(self) -> BushStart:
        """Return what another scenario can start from."""
        road = self.graph.road
        return BushStart(
            road.node_id[road.tail], road.node_id[road.head], self.zone_id, self.n_classes,
            self.rows,
        )  # fmt: skip


def _found_links(start: BushStart, road: RoadNetwork) -> Array:
    """Return the row of each old link in a road network, NONE where it is gone.

    Links are known by the ids of their ends and, where several join the same, by their order.
    """
    new_tail, new_head = road.node_id[road.tail], road.node_id[road.head]
    n_old = len(start.tail_id)
    if np.array_equal(start.tail_id, new_tail[:n_old]) and np.array_equal(
        start.head_id, new_head[:n_old]
    ):
        return np.arange(n_old)
    tail = np.concatenate([start.tail_id, new_tail])
    head = np.concatenate([start.head_id, new_head])
    ids, ends = np.unique(np.concatenate([tail, head]), return_inverse=True)
    pair = ends[: len(tail)] * len(ids) + ends[len(tail) :]
    before = np.concatenate([_seen_before(pair[:n_old]), _seen_before(pair[n_old:])])
    _, key = np.unique(pair * (before.max(initial=0) + 1) + before, return_inverse=True)
    row = np.full(int(key.max(initial=-1)) + 1, NONE, dtype=np.int64)
    row[key[n_old:]] = np.arange(road.n_links)
    return np.asarray(row[key[:n_old]])


def _seen_before(pair: Array) -> Array:
    """Return how many like each stand before it."""
    order = np.argsort(pair, kind="stable")
    rising = pair[order]
    at = np.arange(len(pair))
    begins = np.ones(len(pair), dtype=bool)
    begins[1:] = rising[1:] != rising[:-1]
    count = np.empty(len(pair), dtype=np.int64)
    count[order] = at - np.maximum.accumulate(np.where(begins, at, 0))
    return count


def arc_flow(rows: Rows, n_arcs: int) -> Array:
    """Return what bushes carry together on each arc, ``[arc], pce/h``."""
    in_use = np.arange(rows.arc.shape[1]) < rows.first[np.arange(len(rows.size)), rows.size, None]
    return np.bincount(rows.arc[in_use], rows.flow[in_use], n_arcs)


def flow_of(start: BushStart, graph: SearchGraph) -> Array:
    """Return what bushes carry on the links of another network, ``[link], pce/h``."""
    road, n_old = graph.road, len(start.tail_id)
    old = arc_flow(start.rows, start.n_classes * n_old).reshape(start.n_classes, n_old).sum(axis=0)
    flow = np.zeros(road.n_links)
    found = _found_links(start, road)
    flow[found[found != NONE]] = old[found != NONE]
    return flow


def copied(rows: Rows, source: Array, arc_now: Array, spare: float = 1.0) -> Rows:
    """Return copies of some bushes that are no wider than they need be.

    Parameters
    ----------
    rows : Rows
    source : int array [bush]
        Which bush to copy; NONE for an empty one.
    arc_now : int array [arc]
        What to call an arc; NONE where it is gone, and has no flow any more.
    spare : float
        How many times that width to make room for.

    Returns
    -------
    Rows
        Positions of destinations are not known.
    """
    n_bushes = len(source)
    n_arcs = int(spare * rows.first[np.arange(len(rows.size)), rows.size].max(initial=1))
    n_positions = int(spare * rows.size.max(initial=1))
    copy = Rows(
        size=np.empty(n_bushes, dtype=np.int32),
        first=np.empty((n_bushes, n_positions + 1), dtype=np.int32),
        arc=np.empty((n_bushes, n_arcs), dtype=np.int32),
        tail=np.empty((n_bushes, n_arcs), dtype=np.int32),
        flow=np.empty((n_bushes, n_arcs)),
        at=np.full((n_bushes, rows.at.shape[1]), NONE, dtype=np.int32),
    )
    copy_rows(rows, source.astype(np.int32), arc_now.astype(np.int32), copy)
    return copy


def carried_over(
    start: BushStart, graph: SearchGraph, zones: ZoneSystem, place: Array, spare: float
) -> Rows:
    """Return bushes as those of another network; links that are not there have no flow.

    Links are found by the ids of their ends, zones by their id. New zones have empty bushes. Nor do
    links have flow that begin at a node that may not be passed any more, or where the zone was
    before it moved. Arcs are ``class x number of links + place``, of which ``place [link]`` tells.
    There is room for ``spare`` times as much.
    """
    zone_id = zones.zone_id
    n_links, n_classes = graph.road.n_links, start.n_classes
    found = _found_links(start, graph.road)
    now = np.where(found == NONE, NONE, place[found])
    arc_now = np.concatenate([np.where(now < 0, NONE, c * n_links + now) for c in range(n_classes)])
    zone = {int(zone): i for i, zone in enumerate(start.zone_id)}
    source = np.array([zone.get(int(one), NONE) for one in zone_id], dtype=np.int64)
    bush = np.concatenate(
        [np.where(source < 0, NONE, c * len(start.zone_id) + source) for c in range(n_classes)]
    )
    rows = copied(start.rows, bush, arc_now, spare)
    tail = np.empty(n_links, dtype=np.int32)
    tail[place] = graph.road.tail
    origin = np.tile(np.asarray(zones.centroid, dtype=np.int32), n_classes)
    bar(rows, np.tile(tail, n_classes), graph.road.node_through, origin)
    return rows._replace(at=np.full((len(bush), len(zone_id)), NONE, dtype=np.int32))
