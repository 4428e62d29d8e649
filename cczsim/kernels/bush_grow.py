"""Bushes lose what they do not use, and gain the least-cost ways to what they do.

Source: R. B. Dial (2006), section 5, for the rule by which an arc may enter a bush: its head lies
farther from the origin than its tail by the greatest cost of used ways. Deviations: what enters are
exact least-cost ways on the whole network, from the labels of a contraction hierarchy, and only
those to nodes that the bush uses; a bush that uses nothing yet becomes the least-cost tree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cczsim.kernels._jit import block_kernel, inner_kernel, sub_kernel
from cczsim.kernels.hierarchy import NONE
from cczsim.kernels.hierarchy_sweep import climb, close, count_lanes, descend
from cczsim.kernels.types import Array

UNKNOWN = -2
"""What nobody has asked for yet."""


class Approach(NamedTuple):
    """The links into each node of a star, and where a hierarchy labels the node.

    Parameters
    ----------
    first : int32 array [node + 1]
    arc, tail : int32 array [link]
        By head.
    tail_place : int32 array [link]
        Place of the tail.
    place : int32 array [node]
        Place of a node that paths may pass, or NONE.
    zone_node : int32 array [zone]
    """

    first: Array
    arc: Array
    tail: Array
    tail_place: Array
    place: Array
    zone_node: Array


class GrowWork(NamedTuple):
    """Scratch space of one worker.

    ``label`` and ``above`` are the hierarchy's. By node: ``old`` the position in the bush, ``way``
    the place in the approach of the least-cost way, ``seat`` the new position of what the bush did
    not use, ``anchor`` the old position of the last used node on the way there; ``met`` lists the
    nodes whose way was asked for, their number last, so that only what was written is cleared. By
    old position: ``node``, ``low`` and ``high`` the least and the greatest cost of used ways,
    ``moved`` the new position, ``enter`` what enters there, ``end`` the anchor of that. ``stack``
    is of searches; ``first`` to ``flow`` hold the new bush.
    """

    label: Array
    above: Array
    old: Array
    way: Array
    seat: Array
    anchor: Array
    met: Array
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


@sub_kernel
def _measure(star: Any, cost: Any, first: Any, arc: Any, tail: Any, flow: Any, size: int,
             base: int, origin: int, least: float, work: Any) -> bool:  # fmt: skip
    """Label what a bush uses with the least and the greatest costs of used ways, by position.

    Returns
    -------
    bool
        Whether all of the bush is used.
    """
    low, high, node, old = work.low, work.high, work.node, work.old
    moved, enter, head = work.moved, work.enter, star.head
    low[0] = 0.0
    high[0] = 0.0
    node[0] = origin
    old[origin] = 0
    moved[0] = 0
    n_used = 0
    for p in range(1, size):
        best, worst = np.inf, -np.inf
        node[p] = origin
        for k in range(first[p], first[p + 1]):
            # A tail that nothing uses has an infinite label, which no link gets past.
            if flow[k] > least and high[tail[k]] > -np.inf:
                here = cost[arc[k]]
                best = min(best, low[tail[k]] + here)
                worst = max(worst, high[tail[k]] + here)
                # Links without flow may be none of this network; see carried_over.
                node[p] = head[arc[k] - base]
                n_used += 1
        low[p] = best
        high[p] = worst
        moved[p] = NONE
        enter[p] = NONE
        if worst > -np.inf:
            old[node[p]] = p
    return size > 1 and n_used == first[size]


# Below, arrays are handed over one by one: to hand over a tuple counts references to all its
# arrays, which takes longer than what is asked.


@inner_kernel
def _least_way(
    first: Any, tail: Any, tail_place: Any, into_cost: Any, far: Any, origin: int, node: int
) -> tuple[int, float]:
    """Return where an approach holds the last link of a node's least-cost way, and its cost."""
    best, best_at = np.inf, NONE
    for k in range(first[node], first[node + 1]):
        place = tail_place[k]
        if place == NONE and tail[k] != origin:
            continue
        here = into_cost[k] if place == NONE else far[place] + into_cost[k]
        if here < best:
            best, best_at = here, k
    return best_at, best


@inner_kernel
def _anchor_of(
    first: Any, tail: Any, tail_place: Any, into_cost: Any, far: Any, origin: int, node: int,
    old: Any, way: Any, anchor: Any, met: Any,
) -> int:  # fmt: skip
    """Return the old position of the last used node on the least-cost way to a node and beyond."""
    begin, found = node, NONE
    while found == NONE:
        if old[node] >= 0:
            found = old[node]
        elif anchor[node] != NONE:
            found = anchor[node]
        else:
            if way[node] == UNKNOWN:
                way[node], _ = _least_way(first, tail, tail_place, into_cost, far, origin, node)
                met[met[-1]] = node
                met[-1] += 1
            if way[node] == NONE:
                break
            node = tail[way[node]]
    if found != NONE:
        while old[begin] < 0 and anchor[begin] == NONE:
            anchor[begin] = found
            begin = tail[way[begin]]
    return int(found)


@inner_kernel
def _lay(
    into_arc: Any, into_tail: Any, base: int, node: int, n_new: int, old: Any, way: Any, seat: Any,
    moved: Any, stack: Any, first: Any, arc: Any, tail: Any, flow: Any,
) -> int:  # fmt: skip
    """Append the unused nodes of the least-cost way to a node; return the number of positions."""
    # The search for an order uses the stack from its other end.
    top = len(stack) - 1
    depth = 0
    while old[node] < 0 and seat[node] == NONE:
        stack[top - depth] = node
        depth += 1
        node = into_tail[way[node]]
    before = moved[old[node]] if old[node] >= 0 else seat[node]
    for i in range(depth - 1, -1, -1):
        node = stack[top - i]
        k = first[n_new]
        arc[k] = into_arc[way[node]] + base
        tail[k] = before
        flow[k] = 0.0
        seat[node] = n_new
        before = n_new
        n_new += 1
        first[n_new] = k + 1
    return n_new


@sub_kernel
def _regrow(star: Any, into: Any, into_cost: Any, cost: Any, far: Any, origin: int, base: int,
            goes: Any, at: Any, first: Any, arc: Any, tail: Any, flow: Any, size: int, least: float,
            slack: float, work: Any) -> int:  # fmt: skip
    """Write a bush's successor into the scratch space; return its number of positions, or 0.

    It is 0 where the bush may stay as it is. Used positions keep their order but for those that
    another needs to come first. The least-cost way to a position enters where it leaves what is
    used at a position that lies nearer by the greatest cost of used ways, so that it closes no
    circle.

    Raises
    ------
    ValueError
        The arcs close a circle, which costs above 0 do not allow.
    """
    stays = _measure(star, cost, first, arc, tail, flow, size, base, origin, least, work)
    stack, node, low, high = work.stack, work.node, work.low, work.high
    moved, enter, end, met = work.moved, work.enter, work.end, work.met
    old, way, seat, anchor = work.old, work.way, work.seat, work.anchor
    into_first, into_arc, into_tail, tail_place, place_of, zone_node = into
    new_first, new_arc, new_tail, new_flow = work.first, work.arc, work.tail, work.flow
    for p in range(1, size):
        if high[p] == -np.inf:
            continue
        # Zones that paths may not pass have no label of their own.
        place = place_of[node[p]]
        if place != NONE and low[p] <= far[place] * (1.0 + slack):
            continue
        last, reached = _least_way(
            into_first, into_tail, tail_place, into_cost, far, origin, node[p]
        )
        if last == NONE or low[p] <= reached * (1.0 + slack):
            continue
        begin = _anchor_of(
            into_first, into_tail, tail_place, into_cost, far, origin, into_tail[last], old, way,
            anchor, met,
        )  # fmt: skip
        if begin != NONE:
            gone = 0.0 if begin == 0 else far[place_of[node[begin]]]
            if high[begin] + max(reached - gone, 0.0) < high[p]:
                enter[p] = last
                end[p] = begin
                stays = False
    for zone in range(len(goes)):
        # Bushes of another solution do not know yet where their destinations are.
        if goes[zone] and (old[zone_node[zone]] < 0 or at[zone] == NONE):
            stays = False
    if stays:
        return 0
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
                n_new = _lay(
                    into_arc, into_tail, base, into_tail[enter[p]], n_new, old, way, seat, moved,
                    stack, new_first, new_arc, new_tail, new_flow,
                )  # fmt: skip
            k_new = new_first[n_new]
            entering = into_arc[enter[p]] + base if enter[p] != NONE else NONE
            for k in range(first[p], first[p + 1]):
                if flow[k] > least and moved[tail[k]] >= 0:
                    new_arc[k_new] = arc[k]
                    new_tail[k_new] = moved[tail[k]]
                    new_flow[k_new] = flow[k]
                    k_new += 1
                    if arc[k] == entering:
                        entering = NONE
            if entering != NONE:
                t = into_tail[enter[p]]
                new_arc[k_new] = entering
                new_tail[k_new] = moved[old[t]] if old[t] >= 0 else seat[t]
                new_flow[k_new] = 0.0
                k_new += 1
            moved[p] = n_new
            n_new += 1
            new_first[n_new] = k_new
    for zone in range(len(goes)):
        to = zone_node[zone]
        if not goes[zone] or old[to] >= 0 or seat[to] != NONE:
            continue
        begin = _anchor_of(
            into_first, into_tail, tail_place, into_cost, far, origin, to, old, way, anchor, met
        )
        if begin != NONE:
            n_new = _lay(
                into_arc, into_tail, base, to, n_new, old, way, seat, moved, stack, new_first,
                new_arc, new_tail, new_flow,
            )  # fmt: skip
    return n_new


@inner_kernel
def _clear(size: int, node: Any, met: Any, old: Any, way: Any, seat: Any, anchor: Any) -> None:
    """Clear what a bush of so many positions wrote by node."""
    for p in range(size):
        old[node[p]] = NONE
    for i in range(met[-1]):
        way[met[i]] = UNKNOWN
        seat[met[i]] = NONE
        anchor[met[i]] = NONE
    met[-1] = 0


@sub_kernel
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


@sub_kernel
def _regrow_batch(
    star: Any, into: Any, net: Any, metric: Any, link_cost: Any, into_cost: Any, cost: Any,
    goes: Any, total: Any, slack: float, rows: Any, bush_0: int, base: int, batch: int, work: Any,
    room: Any,
) -> None:  # fmt: skip
    """Regrow the bushes of a batch's origins; see :func:`regrow`."""
    climb(net, metric, link_cost, batch, work.label, work.above)
    descend(net, metric, batch, work.label)
    close(net, link_cost, batch, work.label, work.above[:0])
    n_lanes = count_lanes(net, batch)
    for lane in range(n_lanes):
        zone = net.batch_zone[batch, lane]
        bush = bush_0 + zone
        if not goes[bush].any():
            continue
        origin = into.zone_node[zone]
        old_size = rows.size[bush]
        size = _regrow(
            star, into, into_cost, cost, work.label[:, lane], origin, base, goes[bush],
            rows.at[bush], rows.first[bush], rows.arc[bush], rows.tail[bush], rows.flow[bush],
            rows.size[bush], 1e-14 * total[bush], slack, work,
        )  # fmt: skip
        if size > 0 and not _keep(rows, bush, size, goes[bush], into.zone_node, work):
            room[0] = max(room[0], size + 1)
            room[1] = max(room[1], work.first[size])
        _clear(max(old_size, 1), work.node, work.met, work.old, work.way, work.seat, work.anchor)


@block_kernel
def regrow(
    worker: int, star: Any, into: Any, net: Any, metric: Any, batches: Any, link_cost: Any,
    into_cost: Any, cost: Any, goes: Any, total: Any, slack: float, rows: Any, bush_0: int,
    base: int, n_workers: int, work: Any, room: Any,
) -> None:  # fmt: skip
    """Let the bushes of a class drop what it does not use, and gain least-cost ways.

    Parameters
    ----------
    worker : int
        Which share of the batches it is.
    star : ForwardStar
    into : Approach
    net : Hierarchy
        All nodes that paths may pass have places.
    metric : Metric
        From :func:`~cczsim.kernels.hierarchy.customise` at ``link_cost``.
    batches : int array
        The batches of the hierarchy whose bushes are to grow.
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
    mine = GrowWork(
        work.label[worker], work.above[worker], work.old[worker], work.way[worker],
        work.seat[worker], work.anchor[worker], work.met[worker], work.node[worker],
        work.low[worker], work.high[worker], work.moved[worker], work.enter[worker],
        work.end[worker], work.stack[worker], work.first[worker], work.arc[worker],
        work.tail[worker], work.flow[worker],
    )  # fmt: skip
    room[worker] = 0
    for b in range(worker, len(batches), n_workers):
        _regrow_batch(
            star, into, net, metric, link_cost, into_cost, cost, goes, total, slack, rows,
            bush_0, base, batches[b], mine, room[worker],
        )  # fmt: skip
