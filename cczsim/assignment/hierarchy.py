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
from cczsim.kernels.contraction import fill, peel, places_above
from cczsim.kernels.hierarchy import DOWN, N_LANES, NONE, UP, Hierarchy
from cczsim.network.road import RoadNetwork

_SEED = 1
_FREE_DEGREE, _ANY_DEGREE = 4, 2
"""Nodes with no more neighbours go first: those that no zone touches, and the others."""
_FEW_NODES = 16
_CELL_SHARE = 0.25
"""Most of all triangles in one cell. Of smaller cells the top, on one thread, is larger: that of
ChicagoRegional has 5, 17 and 29 % of the triangles at shares of 1/2, 1/4 and 1/8.
"""


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
    core = np.where(through, np.cumsum(through, dtype=np.int32) - 1, np.int32(NONE))
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
    number = np.empty(n_core, dtype=np.int32)
    number[_order(n_core, a, b, touched)] = np.arange(n_core, dtype=np.int32)
    low, high = np.minimum(number[a], number[b]), np.maximum(number[a], number[b])
    asked = np.full(n_core, everywhere)
    asked[number[touched]] = True
    again, needed, parent, size, first_up, arc_head, core_arc, triangle_first, triangle = fill(
        n_core, low, high, asked
    )
    rank = again[number]
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
    place_above = np.full(len(order), NONE, dtype=np.int32)
    has = parent[needed_nodes] != NONE
    place_above[node_place[needed_nodes[has]]] = node_place[parent[needed_nodes[has]]]
    zone_first = np.full(n_zones, NONE)
    has = np.diff(seed_first) > 0
    zone_first[has] = seed_place[seed_first[:-1][has]]
    net = Hierarchy(
        first_up=first_up,
        head=arc_head,
        triangle_first=triangle_first,
        triangle=triangle,
        **_cells(parent, size, first_up, arc_head, triangle_first),
        core_link=between,
        core_arc=core_arc,
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
        place_above=place_above,
        batch_zone=np.empty((0, N_LANES)),
        batch_first=np.zeros(1),
        batch_place=np.empty(0),
    )
    net = _protected(Hierarchy(*(np.ascontiguousarray(array, dtype=np.int32) for array in net)))
    return _with_batches(net, np.argsort(zone_first, kind="stable"))


def _cells(
    parent: Array, size: Array, first_up: Array, head: Array, triangle_first: Array
) -> dict[str, Array]:
    """Return what lets threads share customisation; see :class:`Hierarchy`."""
    n_core = len(parent)
    most = _CELL_SHARE * triangle_first[-1]
    is_top = np.zeros(n_core, dtype=bool)

    def subtree(root: int) -> tuple[int, int]:
        """Return it with the number of its triangles, the most first."""
        return int(triangle_first[root + 1 - size[root]] - triangle_first[root + 1]), root

    cells = [subtree(root) for root in np.flatnonzero(parent == NONE).tolist()]
    heapq.heapify(cells)
    while cells and -cells[0][0] > most:
        root = heapq.heappop(cells)[1]
        is_top[root] = True
        # Its children's subtrees stand one before the other, the last right before it.
        child = root - 1
        while child > root - size[root]:
            heapq.heappush(cells, subtree(child))
            child -= int(size[child])
    cells.sort()
    roots = np.array([root for _, root in cells], dtype=np.int64)
    top_node = np.flatnonzero(is_top)
    degree = np.diff(first_up)
    tail = np.repeat(np.arange(n_core), degree)
    behind = first_up[tail + 1] - 1 - np.arange(len(head))
    over = np.flatnonzero(is_top[head] & ~is_top[tail] & (behind > 0))
    over = over[np.argsort(head[over], kind="stable")]
    return {
        "cell_first": roots + 1 - size[roots],
        "cell_stop": roots + 1,
        "top_node": top_node,
        "over_first": _offsets(np.bincount(head[over], minlength=n_core)[top_node]),
        "over_arc": over,
        "over_stop": first_up[tail[over] + 1],
        # The triangles of an arc and of those behind it are the last ones of their node.
        "over_triangle": triangle_first[tail[over] + 1] - behind[over] * (behind[over] + 1) // 2,
    }


def for_origins(net: Hierarchy, asked: Array) -> Hierarchy:
    """Return a hierarchy whose sweeps begin at some zones only, ``asked`` bool ``[zone]``."""
    if asked.all():
        return net
    zones = net.batch_zone[net.batch_zone != NONE]
    return _with_batches(net, zones[asked[zones]])


def _with_batches(net: Hierarchy, zones: Array) -> Hierarchy:
    """Divide origins, neighbours side by side, into sweeps."""
    batch_zone = np.full((-(-len(zones) // N_LANES), N_LANES), NONE, dtype=np.int32)
    batch_zone.ravel()[: len(zones)] = zones
    first, places = places_above(batch_zone, net.seed_first, net.seed_place, net.place_above)
    return _protected(net._replace(batch_zone=batch_zone, batch_first=first, batch_place=places))


def _protected(net: Hierarchy) -> Hierarchy:
    """Write-protect all arrays: kernels are compiled for such alone."""
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


def _order(n_core: int, a: Array, b: Array, touched: Array) -> Array:
    """Return the core's nodes in the order of their elimination.

    Parameters
    ----------
    n_core : int
    a, b : int32 array [link]
        Nodes that a link joins.
    touched : bool array [node]
        Whether sweeps begin or end at the node.
    """
    one, other = np.concatenate([a, b]), np.concatenate([b, a])
    order, first, near = peel(n_core, one, other, touched, _FREE_DEGREE, _ANY_DEGREE)
    left = np.ones(n_core, dtype=bool)
    left[order] = False
    nodes = np.flatnonzero(left)
    if len(nodes) <= _FEW_NODES:
        return np.concatenate([order, nodes])
    row = np.cumsum(left) - 1
    degree = np.diff(first)[nodes]
    graph = pymetis.CSRAdjacency(_offsets(degree), row[near])
    options = pymetis.Options(seed=_SEED)
    again: Any = pymetis.nested_dissection(graph, options=options)[0]
    return np.concatenate([order, nodes[again]])
