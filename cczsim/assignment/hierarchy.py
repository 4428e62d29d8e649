"""The order in which a road network is contracted, and what follows from it whatever the costs.

Source: J. Dibbelt, B. Strasser and D. Wagner (2016), Customizable contraction hierarchies, *ACM
Journal of Experimental Algorithmics* 21, 1.5, sections 3 and 4.2. The order is nested dissection
by METIS (G. Karypis and V. Kumar, 1998, *SIAM Journal on Scientific Computing* 20(1)). Deviation:
nodes that sweeps need not visit go first where that adds no arcs, so that sweeps meet fewer.
"""

from __future__ import annotations

import heapq
from functools import lru_cache
from typing import Any

import numpy as np
import pymetis

from cczsim.columns import Array
from cczsim.kernels.hierarchy import DOWN, N_LANES, NONE, UP, Hierarchy
from cczsim.network.road import RoadNetwork

_SEED = 1
_FREE_DEGREE, _ANY_DEGREE = 4, 2
"""Nodes with no more neighbours go first: those that no zone touches, and the others."""
_FEW_NODES = 16


def build_hierarchy(road: RoadNetwork, centroids: Array, everywhere: bool = False) -> Hierarchy:
    """Return the hierarchy of a network for paths between zones.

    Parameters
    ----------
    road : RoadNetwork
    centroids : int array [zone]
        Rows of nodes.
    everywhere : bool
        Whether sweeps are to visit all nodes that paths may pass, not only what zones need.
    """
    # Scenarios, skims and assignments of one network ask again and again.
    return _build(
        road.tail.tobytes(),
        road.head.tobytes(),
        road.node_through.tobytes(),
        np.asarray(centroids, dtype=np.int32).tobytes(),
        everywhere,
    )


@lru_cache(maxsize=4)
def _build(
    tail_bytes: bytes, head_bytes: bytes, through_bytes: bytes, zones: bytes, everywhere: bool
) -> Hierarchy:
    tail, head = np.frombuffer(tail_bytes, np.int32), np.frombuffer(head_bytes, np.int32)
    through = np.frombuffer(through_bytes, np.bool_)
    zone_node = np.frombuffer(zones, np.int32)
    n_zones = len(zone_node)
    core = np.where(through, np.cumsum(through) - 1, NONE)
    n_core = int(through.sum())
    is_zone = np.zeros(len(through), dtype=bool)
    is_zone[zone_node] = True
    tail_in, head_in = through[tail], through[head]
    between = np.flatnonzero(tail_in & head_in & (tail != head))
    entering = np.flatnonzero(is_zone[tail] & ~tail_in & head_in)
    leaving = np.flatnonzero(tail_in & is_zone[head] & ~head_in)
    direct = np.flatnonzero(is_zone[tail] & ~tail_in & is_zone[head] & ~head_in & (tail != head))
    touched = np.zeros(n_core, dtype=bool)
    touched[core[np.concatenate([head[entering], tail[leaving]])]] = True
    touched[core[zone_node[through[zone_node]]]] = True
    a, b = core[tail[between]], core[head[between]]
    first_up, arc_head, rank = _contract(n_core, a, b, touched)
    arcs = np.diff(first_up)
    low, high = np.minimum(rank[a], rank[b]), np.maximum(rank[a], rank[b])
    arc_key = np.repeat(np.arange(n_core), arcs) * n_core + arc_head

    parent = np.full(n_core, NONE)
    has = arcs > 0
    parent[has] = arc_head[first_up[:-1][has]]
    needed = np.full(n_core, everywhere)
    needed[rank[touched]] = True
    for node in np.flatnonzero(has):
        needed[parent[node]] |= needed[node]
    needed_nodes = np.flatnonzero(needed)[::-1]
    # A sink stands right behind the last place that leads to it, whose labels are at hand.
    sinks = np.unique(zone_node[~through[zone_node]])
    sink_row = np.full(len(through), NONE)
    sink_row[sinks] = np.arange(len(sinks))
    core_place = np.full(n_core, NONE)
    core_place[needed_nodes] = np.arange(len(needed_nodes))
    behind = np.full(len(sinks), -0.5)
    np.maximum.at(behind, sink_row[head[leaving]], core_place[rank[core[tail[leaving]]]] + 0.5)
    order = np.argsort(np.concatenate([np.arange(len(needed_nodes)), behind]), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    place_node = np.concatenate([needed_nodes, np.full(len(sinks), NONE)])[order]
    node_place = np.full(n_core, NONE)
    node_place[needed_nodes] = place[: len(needed_nodes)]
    of_node = np.full(len(through), NONE)
    of_node[through] = node_place[rank]
    of_node[sinks] = place[len(needed_nodes) :]

    leaving = leaving[np.argsort(of_node[head[leaving]], kind="stable")]
    seed_zone, seed_link = _by_zone(zone_node, tail, entering)
    itself = np.flatnonzero(through[zone_node])
    seed_place = np.concatenate([of_node[head[seed_link]], of_node[zone_node[itself]]])
    seed_zone = np.concatenate([seed_zone, itself])
    seed_link = np.concatenate([seed_link, np.full(len(itself), NONE)])
    by_zone = np.argsort(seed_zone, kind="stable")
    seed_place, seed_link = seed_place[by_zone], seed_link[by_zone]
    seed_first = _offsets(np.bincount(seed_zone, minlength=n_zones))
    direct_zone, direct_link = _by_zone(zone_node, tail, direct)
    batch_zone, batch_places = _batches(seed_first, seed_place, parent, place_node, node_place)
    net = Hierarchy(
        first_up=first_up,
        head=arc_head,
        triangle=_triangles(first_up, arc_head, arc_key),
        core_link=between,
        core_arc=np.searchsorted(arc_key, low * n_core + high),
        core_way=np.where(rank[a] < rank[b], UP, DOWN),
        place_node=place_node,
        rank=rank,
        node_place=node_place,
        sink_first=_offsets(np.bincount(of_node[head[leaving]], minlength=len(order))),
        sink_place=of_node[tail[leaving]],
        sink_link=leaving,
        zone_place=of_node[zone_node],
        seed_first=seed_first,
        seed_place=seed_place,
        seed_link=seed_link,
        direct_first=_offsets(np.bincount(direct_zone, minlength=n_zones)),
        direct_place=of_node[head[direct_link]],
        direct_link=direct_link,
        batch_zone=batch_zone,
        batch_first=_offsets(np.array([len(places) for places in batch_places], dtype=np.int64)),
        batch_place=np.concatenate([*batch_places, np.empty(0, dtype=np.int64)]),
    )
    net = Hierarchy(*(np.ascontiguousarray(array, dtype=np.int32) for array in net))
    for array in net:
        array.flags.writeable = False
    return net


def _offsets(counts: Array) -> Array:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _by_zone(zone_node: Array, tail: Array, links: Array) -> tuple[Array, Array]:
    """Return zone and link of each pair of a zone and a link that leaves its node, by zone."""
    links = links[np.argsort(tail[links], kind="stable")]
    low = np.searchsorted(tail[links], zone_node, side="left")
    counts = np.searchsorted(tail[links], zone_node, side="right") - low
    zone = np.repeat(np.arange(len(zone_node)), counts)
    return zone, links[np.arange(len(zone)) + np.repeat(low - _offsets(counts)[:-1], counts)]


def _contract(n_core: int, a: Array, b: Array, touched: Array) -> tuple[Array, Array, Array]:
    """Contract all nodes in turn.

    Parameters
    ----------
    n_core : int
    a, b : int array [link]
        Nodes that a link joins.
    touched : bool array [node]
        Whether sweeps begin or end at the node.

    Returns
    -------
    first : int64 array [rank + 1]
    upper : int64 array
        Each rank's neighbours of higher rank, rising.
    rank : int64 array [node]
    """
    near: list[set[int]] = [set() for _ in range(n_core)]
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        near[i].add(j)
        near[j].add(i)
    order = _peel(near, ~touched, _FREE_DEGREE)
    left = np.ones(n_core, dtype=bool)
    left[order] = False
    order += _peel(near, left, _ANY_DEGREE)
    left[order] = False
    order += _dissect(near, np.flatnonzero(left).tolist())
    rank = np.empty(n_core, dtype=np.int64)
    rank[order] = np.arange(n_core)
    upper = _fill(n_core, rank[a], rank[b])
    # Postorder of the elimination tree adds no arc, and puts what sweeps read together.
    again = _postorder(upper)
    counts = np.array([len(above) for above in upper], dtype=np.int64)
    high = np.fromiter((node for above in upper for node in above), np.int64, counts.sum())
    low, high = np.repeat(again, counts), again[high]
    by_low = np.lexsort((high, low))
    return _offsets(np.bincount(low, minlength=n_core)), high[by_low], again[rank]


def _peel(near: list[set[int]], may: Array, most: int) -> list[int]:
    """Eliminate nodes of up to ``most`` neighbours, fewest first; ``near`` is changed."""
    waiting = [(len(near[i]), i) for i in np.flatnonzero(may).tolist() if len(near[i]) <= most]
    heapq.heapify(waiting)
    order: list[int] = []
    gone: set[int] = set()
    while waiting:
        degree, node = heapq.heappop(waiting)
        if node in gone or degree != len(near[node]):
            continue
        gone.add(node)
        order.append(node)
        for other in near[node]:
            near[other] |= near[node]
            near[other] -= {other, node}
            if may[other] and len(near[other]) <= most:
                heapq.heappush(waiting, (len(near[other]), other))
    return order


def _dissect(near: list[set[int]], nodes: list[int]) -> list[int]:
    """Order nodes by nested dissection."""
    if len(nodes) <= _FEW_NODES:
        return nodes
    row = {node: i for i, node in enumerate(nodes)}
    ends = [row[other] for node in nodes for other in sorted(near[node])]
    starts = _offsets(np.array([len(near[node]) for node in nodes]))
    graph = pymetis.CSRAdjacency(starts.tolist(), ends)
    options = pymetis.Options(seed=_SEED)
    order: Any = pymetis.nested_dissection(graph, options=options)[0]
    return [nodes[i] for i in order]


def _fill(n_core: int, low: Array, high: Array) -> list[list[int]]:
    """Return the neighbours of higher rank after all eliminations."""
    upper: list[set[int]] = [set() for _ in range(n_core)]
    pairs = zip(np.minimum(low, high).tolist(), np.maximum(low, high).tolist(), strict=True)
    for i, j in pairs:
        upper[i].add(j)
    filled = []
    for above in upper:
        rising = sorted(above)
        filled.append(rising)
        if rising:
            upper[rising[0]].update(rising[1:])
    return filled


def _postorder(upper: list[list[int]]) -> Array:
    """Return the place of each node in a postorder of the elimination tree."""
    size = np.ones(len(upper), dtype=np.int64)
    for node, above in enumerate(upper):
        if above:
            size[above[0]] += size[node]
    # Subtrees fill the room before their root from the right, the last child first.
    end = np.zeros(len(upper), dtype=np.int64)
    free = len(upper)
    place = np.empty(len(upper), dtype=np.int64)
    for node in range(len(upper) - 1, -1, -1):
        above = upper[node]
        if above:
            place[node] = end[above[0]] - 1
            end[above[0]] -= size[node]
        else:
            place[node] = free - 1
            free -= size[node]
        end[node] = place[node]
    return place


def _triangles(first_up: Array, upper: Array, arc_key: Array) -> Array:
    """Return the arc between the upper ends of all pairs of arcs of a node, in order."""
    n_core = len(first_up) - 1
    degree = np.diff(first_up)
    first = _offsets(degree * (degree - 1) // 2)
    key = np.empty(first[-1], dtype=np.int64)
    for width in np.unique(degree[degree > 1]):
        nodes = np.flatnonzero(degree == width)
        i, j = np.triu_indices(int(width), 1)
        above = first_up[nodes][:, None]
        at = first[nodes][:, None] + np.arange(len(i))
        key[at] = upper[above + i] * n_core + upper[above + j]
    return np.searchsorted(arc_key, key)


def _batches(
    seed_first: Array, seed_place: Array, parent: Array, place_node: Array, node_place: Array
) -> tuple[Array, list[Array]]:
    """Divide origins into sweeps of neighbours, and list the places above each sweep's seeds."""
    n_zones = len(seed_first) - 1
    where = [seed_place[seed_first[z]] if seed_first[z] < seed_first[z + 1] else -1
             for z in range(n_zones)]  # fmt: skip
    zones = np.argsort(where, kind="stable")
    batch_zone = np.full((-(-n_zones // N_LANES), N_LANES), NONE)
    batch_zone.ravel()[:n_zones] = zones
    places = []
    for batch in batch_zone:
        above: set[int] = set()
        for zone in batch[batch != NONE]:
            for place in seed_place[seed_first[zone] : seed_first[zone + 1]]:
                node = int(place_node[place])
                while node != NONE and node not in above:
                    above.add(node)
                    node = int(parent[node])
        places.append(np.sort(node_place[sorted(above)]))
    return batch_zone, places
