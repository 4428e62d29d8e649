"""The bushes of an equilibrium: what a changed scenario starts from, and what analysts ask of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.assignment.search_graph import SearchGraph
from cczsim.columns import Array
from cczsim.kernels.bush import Rows as Rows
from cczsim.kernels.hierarchy import NONE
from cczsim.network.road import RoadNetwork


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
    tail = np.concatenate([start.tail_id, road.node_id[road.tail]])
    head = np.concatenate([start.head_id, road.node_id[road.head]])
    ids, ends = np.unique(np.concatenate([tail, head]), return_inverse=True)
    pair = ends[: len(tail)] * len(ids) + ends[len(tail) :]
    n_old = len(start.tail_id)
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


def carried_over(start: BushStart, graph: SearchGraph, zone_id: Array) -> Rows:
    """Return bushes as rows of another network; links that are not there have no flow.

    Links are found by the ids of their ends, zones by their id. New zones have empty bushes.
    """
    road = graph.road
    old_links, new_links = len(start.tail_id), road.n_links
    found = _found_links(start, road)
    place = {int(zone): i for i, zone in enumerate(start.zone_id)}
    old_zones, n_zones = len(start.zone_id), len(zone_id)
    source = np.array([place.get(int(zone), NONE) for zone in zone_id], dtype=np.int64)
    bush = np.concatenate(
        [np.where(source < 0, NONE, c * old_zones + source) for c in range(start.n_classes)]
    )
    take = np.maximum(bush, 0)
    arc = start.rows.arc[take]
    gone = found[arc % old_links] < 0
    moved = (arc // old_links) * new_links + np.maximum(found[arc % old_links], 0)
    return Rows(
        size=np.where(bush < 0, 0, start.rows.size[take]).astype(np.int32),
        first=start.rows.first[take],
        arc=moved.astype(np.int32),
        tail=start.rows.tail[take],
        flow=np.where(gone, 0.0, start.rows.flow[take]),
        at=np.full((len(bush), n_zones), NONE, dtype=np.int32),
    )
