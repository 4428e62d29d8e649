"""Bushes lose what they do not use, and gain the least-cost ways to what they do.

Source: R. B. Dial (2006), section 5, for the rule by which an arc may enter a bush: its head lies
farther from the origin than its tail by the greatest cost of used ways. Deviations: what enters are
exact least-cost ways on the whole network, from the labels of a contraction hierarchy, and only
those to nodes that the bush uses; a bush that uses nothing yet becomes the least-cost tree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from cczsim.kernels._jit import inner_kernel, kernel, parallel_kernel
from cczsim.kernels.hierarchy import NONE
from cczsim.kernels.hierarchy_sweep import climb, close, count_lanes, descend
from cczsim.kernels.types import Array

_UNKNOWN = -2


class Approach(NamedTuple):
    """The links into each node of a star, and where a hierarchy labels the node.

    Parameters
    ----------
    first : int32 array [node + 1]
    arc, tail : int32 array [link]
        By head.
    place : int32 array [node]
        Place of a node that paths may pass, or NONE.
    zone_node : int32 array [zone]
    """

    first: Array
    arc: Array
    tail: Array
    place: Array
    zone_node: Array


class GrowWork(NamedTuple):
    """Scratch space of one worker.

    ``label`` and ``above`` are the hierarchy's; ``dist`` [lane, node] the least costs. By node:
    ``old`` the position in the bush, ``way`` the place in the approach of the least-cost way,
    ``seat`` the new position of what the bush did not use, ``anchor`` the old position of the last
    used node on the way there. By old position: ``node``, ``low`` and ``high`` the least and the
    greatest cost of used ways, ``moved`` the new position, ``enter`` what enters there, ``end`` the
    anchor of that. ``stack`` is of searches; ``first`` to ``flow`` hold the new bush.
    """

    label: Array
    above: Array
    dist: Array
    old: Array
    way: Array
    seat: Array
    anchor: Array
    node: Array
    low: Array
    high: Array
    moved: Array
    enter: Array
    end: Array
    stack: Array
    first: Array
    arc: Array
    tail: Array
    flow: Array


@kernel
def _measure(star: Any, cost: Any, first: Any, arc: Any, tail: Any, flow: Any, size: int,
             base: int, origin: int, least: float, work: Any) -> None:  # fmt: skip
    """Label what a bush uses with the least and the greatest costs of used ways, by position."""
    low, high, node, old = work.low, work.high, work.node, work.old
    low[0] = 0.0
    high[0] = 0.0
    node[0] = origin
    old[origin] = 0
    work.moved[0] = 0
    for p in range(1, size):
        best, worst = np.inf, -np.inf
        for k in range(first[p], first[p + 1]):
            # A tail that nothing uses has an infinite label, which no link gets past.
            if flow[k] > least and high[tail[k]] > -np.inf:
                here = cost[arc[k]]
                best = min(best, low[tail[k]] + here)
                worst = max(worst, high[tail[k]] + here)
        low[p] = best
        high[p] = worst
        node[p] = star.head[arc[first[p]] - base]
        work.moved[p] = NONE
        work.enter[p] = _UNKNOWN
        if worst > -np.inf:
            old[node[p]] = p


@inner_kernel
def _least_way(first: Any, tail: Any, into_cost: Any, dist: Any, node: int) -> tuple[int, float]:
    """Return where an approach holds the last link of a node's least-cost way, and its cost."""
    best, best_at = np.inf, NONE
    for k in range(first[node], first[node + 1]):
        here = dist[tail[k]] + into_cost[k]
        if here < best:
            best, best_at = here, k
    return best_at, best


@kernel
def _anchor_of(into: Any, into_cost: Any, dist: Any, node: int, work: Any) -> int:
    """Return the old position of the last used node on the least-cost way to a node and beyond."""
    begin, anchor = node, NONE
    while anchor == NONE:
        if work.old[node] >= 0:
            anchor = work.old[node]
        elif work.anchor[node] != NONE:
            anchor = work.anchor[node]
        else:
            if work.way[node] == _UNKNOWN:
                work.way[node], _ = _least_way(into.first, into.tail, into_cost, dist, node)
            if work.way[node] == NONE:
                return NONE
            node = into.tail[work.way[node]]
    while work.old[begin] < 0 and work.anchor[begin] == NONE:
        work.anchor[begin] = anchor
        begin = into.tail[work.way[begin]]
    return int(anchor)


@kernel
def _admit(
    into: Any, into_cost: Any, dist: Any, p: int, way: int, reached: float, work: Any
) -> None:
    """Let the least-cost way to a used position enter there, if it closes no circle.

    It enters where it leaves what is used at a position that lies nearer by the greatest cost of
    used ways.
    """
    end = _anchor_of(into, into_cost, dist, into.tail[way], work)
    if end == NONE:
        return
    rest = max(reached - dist[work.node[end]], 0.0)
    if work.high[end] + rest < work.high[p]:
        work.enter[p] = way
        work.end[p] = end


@kernel
def _position(node: int, work: Any) -> int:
    """Return the new position of a node."""
    if work.old[node] >= 0:
        return int(work.moved[work.old[node]])
    return int(work.seat[node])


@kernel
def _lay(into: Any, base: int, node: int, n_new: int, work: Any) -> int:
    """Append the unused nodes of the least-cost way to a node; return the number of positions."""
    depth = 0
    while work.old[node] < 0 and work.seat[node] == NONE:
        work.stack[len(work.stack) - 1 - depth] = node
        depth += 1
        node = into.tail[work.way[node]]
    for i in range(depth - 1, -1, -1):
        node = work.stack[len(work.stack) - 1 - i]
        way = work.way[node]
        k = work.first[n_new]
        work.arc[k] = into.arc[way] + base
        work.tail[k] = _position(into.tail[way], work)
        work.flow[k] = 0.0
        work.seat[node] = n_new
        n_new += 1
        work.first[n_new] = k + 1
    return n_new


@kernel
def _put_in(into: Any, base: int, p: int, n_new: int, k_new: int, work: Any) -> int:
    """Append the arc that enters at a position, unless it is there; return the number of arcs."""
    way = work.enter[p]
    entering = into.arc[way] + base
    for k in range(work.first[n_new], k_new):
        if work.arc[k] == entering:
            return k_new
    work.arc[k_new] = entering
    work.tail[k_new] = _position(into.tail[way], work)
    work.flow[k_new] = 0.0
    return k_new + 1


@kernel
def _regrow(star: Any, into: Any, into_cost: Any, cost: Any, dist: Any, origin: int, base: int,
            goes: Any, first: Any, arc: Any, tail: Any, flow: Any, size: int, least: float,
            slack: float, work: Any) -> int:  # fmt: skip
    """Write a bush's successor into the scratch space; return its number of positions.

    Used positions keep their order but for those that another needs to come first.

    Raises
    ------
    ValueError
        The arcs close a circle, which costs above 0 do not allow.
    """
    work.old[:] = NONE
    work.way[:] = _UNKNOWN
    work.seat[:] = NONE
    work.anchor[:] = NONE
    _measure(star, cost, first, arc, tail, flow, size, base, origin, least, work)
    stack, node, low, high = work.stack, work.node, work.low, work.high
    moved, enter, end, old, seat = work.moved, work.enter, work.end, work.old, work.seat
    into_first, into_tail, zone_node = into.first, into.tail, into.zone_node
    new_first, new_arc, new_tail, new_flow = work.first, work.arc, work.tail, work.flow
    new_first[0] = 0
    new_first[1] = 0
    n_new = 1
    for root in range(1, size):
        if moved[root] != NONE or high[root] == -np.inf:
            continue
        stack[0] = root
        depth = 1
        while depth > 0:
            p = stack[depth - 1]
            if enter[p] == _UNKNOWN:
                enter[p] = NONE
                # Zones that paths may not pass have no label of their own.
                far = dist[node[p]]
                if far == np.inf or low[p] > far * (1.0 + slack):
                    way, reached = _least_way(into_first, into_tail, into_cost, dist, node[p])
                    if way != NONE and low[p] > reached * (1.0 + slack):
                        _admit(into, into_cost, dist, p, way, reached, work)
            before = NONE
            for k in range(first[p], first[p + 1]):
                if moved[tail[k]] == NONE and flow[k] > least and high[tail[k]] > -np.inf:
                    before = tail[k]
            if enter[p] != NONE and moved[end[p]] == NONE:
                before = end[p]
            if before != NONE:
                if depth >= size:
                    raise ValueError("a bush closed a circle")
                stack[depth] = before
                depth += 1
                continue
            depth -= 1
            if enter[p] != NONE:
                n_new = _lay(into, base, into.tail[enter[p]], n_new, work)
            k_new = new_first[n_new]
            for k in range(first[p], first[p + 1]):
                if flow[k] > least and moved[tail[k]] >= 0:
                    new_arc[k_new] = arc[k]
                    new_tail[k_new] = moved[tail[k]]
                    new_flow[k_new] = flow[k]
                    k_new += 1
            if enter[p] != NONE:
                k_new = _put_in(into, base, p, n_new, k_new, work)
            moved[p] = n_new
            n_new += 1
            new_first[n_new] = k_new
    for zone in range(len(goes)):
        far_node = zone_node[zone]
        unseated = goes[zone] and old[far_node] < 0 and seat[far_node] == NONE
        if unseated and _anchor_of(into, into_cost, dist, far_node, work) != NONE:
            n_new = _lay(into, base, far_node, n_new, work)
    return n_new


@kernel
def _keep(rows: Any, bush: int, size: int, goes: Any, zone_node: Any, work: Any) -> bool:
    """Copy a bush from the scratch space; return whether there was room."""
    n_arcs = work.first[size]
    if n_arcs > rows.arc.shape[1] or size + 1 > rows.first.shape[1]:
        return False
    rows.size[bush] = size
    rows.first[bush, : size + 1] = work.first[: size + 1]
    rows.arc[bush, :n_arcs] = work.arc[:n_arcs]
    rows.tail[bush, :n_arcs] = work.tail[:n_arcs]
    rows.flow[bush, :n_arcs] = work.flow[:n_arcs]
    at, old, moved, seat = rows.at[bush], work.old, work.moved, work.seat
    for zone in range(len(goes)):
        node = zone_node[zone]
        if not goes[zone]:
            at[zone] = NONE
        else:
            at[zone] = moved[old[node]] if old[node] >= 0 else seat[node]
    return True


@kernel
def _regrow_batch(
    star: Any, into: Any, net: Any, metric: Any, link_cost: Any, into_cost: Any, cost: Any,
    goes: Any, total: Any, slack: float, rows: Any, bush_0: int, base: int, batch: int, work: Any,
    room: Any,
) -> None:  # fmt: skip
    """Regrow the bushes of a batch's origins; see :func:`regrow_all`."""
    climb(net, metric, link_cost, batch, work.label, work.above)
    descend(net, metric, batch, work.label)
    close(net, link_cost, batch, work.label, work.above[:0])
    n_lanes = count_lanes(net, batch)
    for node in range(len(into.place)):
        place = into.place[node]
        for lane in range(n_lanes):
            work.dist[lane, node] = np.inf if place == NONE else work.label[place, lane]
    for lane in range(n_lanes):
        zone = net.batch_zone[batch, lane]
        bush = bush_0 + zone
        if not goes[bush].any():
            continue
        origin = into.zone_node[zone]
        work.dist[lane, origin] = 0.0
        size = _regrow(
            star, into, into_cost, cost, work.dist[lane], origin, base, goes[bush],
            rows.first[bush], rows.arc[bush], rows.tail[bush], rows.flow[bush], rows.size[bush],
            1e-14 * total[bush], slack, work,
        )  # fmt: skip
        if not _keep(rows, bush, size, goes[bush], into.zone_node, work):
            room[0] = max(room[0], size + 1)
            room[1] = max(room[1], work.first[size])


@parallel_kernel
def regrow_all(
    star: Any, into: Any, net: Any, metric: Any, link_cost: Any, into_cost: Any, cost: Any,
    goes: Any, total: Any, slack: float, rows: Any, bush_0: int, base: int, n_workers: int,
    work: Any, room: Any,
) -> None:  # fmt: skip
    """Let every bush of a class drop what it does not use, and gain least-cost ways.

    Parameters
    ----------
    star : ForwardStar
    into : Approach
    net : Hierarchy
        All nodes that paths may pass have places.
    metric : Metric
        From :func:`~cczsim.kernels.hierarchy.customise` at ``link_cost``.
    link_cost : float64 array [link], s
        By row of the network; above 0 between nodes that paths may pass.
    into_cost : float64 array [link], s
        The same in the order of ``into``.
    cost : float64 array [arc], s
    goes : bool array [bush, zone]
        Whether anybody may travel.
    total : float64 array [bush], pce/h
        Trips from each origin; flows of 1e-14 of it count as none.
    slack : float
        Share of its cost by which a used way may miss the least cost and be left alone.
    rows : Rows, written
    bush_0, base : int
        First bush and first arc of the class.
    n_workers : int
        Threads; changes no bit.
    work : GrowWork
        Its arrays have one more axis, ``[worker, ...]``.
    room : int32 array [worker, 2], written
        Positions and arcs of the largest bush that found no room; such bushes stay as they were.
    """
    n_batches = len(net.batch_zone)
    for worker in numba.prange(n_workers):
        mine = GrowWork(
            work.label[worker], work.above[worker], work.dist[worker], work.old[worker],
            work.way[worker], work.seat[worker], work.anchor[worker], work.node[worker],
            work.low[worker], work.high[worker], work.moved[worker], work.enter[worker],
            work.end[worker], work.stack[worker], work.first[worker], work.arc[worker],
            work.tail[worker], work.flow[worker],
        )  # fmt: skip
        room[worker] = 0
        for batch in range(worker, n_batches, n_workers):
            _regrow_batch(
                star, into, net, metric, link_cost, into_cost, cost, goes, total, slack, rows,
                bush_0, base, batch, mine, room[worker],
            )  # fmt: skip
