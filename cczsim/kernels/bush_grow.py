"""Bushes lose what they do not use, and gain the least-cost ways to what they do.

Source: R. B. Dial (2006), section 5. Deviations: what enters are exact least-cost ways on the whole
network, from the labels of a contraction hierarchy, and only those to nodes that the bush uses; a
bush that uses nothing yet becomes the least-cost tree. For what may enter see
:mod:`cczsim.kernels.bush_enter`.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cczsim.kernels._jit import inner_kernel, parallel_kernel, sub_kernel
from cczsim.kernels.bush_enter import WAITING, break_circle, choose, measure
from cczsim.kernels.bush_ways import UNKNOWN, GrowWork, anchor_of, lay, spread
from cczsim.kernels.hierarchy import NONE
from cczsim.kernels.hierarchy_sweep import climb, close, count_lanes, descend


@sub_kernel
def _regrow(star: Any, into: Any, into_cost: Any, cost: Any, near: Any, origin: int, base: int,
            goes: Any, at: Any, first: Any, arc: Any, tail: Any, flow: Any, size: int, least: float,
            slack: float, strict: bool, work: Any) -> tuple[int, int]:  # fmt: skip
    """Write a bush's successor into the scratch space.

    Used positions keep their order but for those that another needs to come first.

    Returns
    -------
    size : int
        Positions of the successor, or 0 where the bush may stay as it is.
    clean : int
        Up to this position the two are the same; only what follows is written.

    Raises
    ------
    ValueError
        Used arcs alone close a circle.
    """
    stack, node, low, high = work.stack, work.node, work.low, work.high
    moved, enter, end, met = work.moved, work.enter, work.end, work.met
    old, way, seat, anchor = work.old, work.way, work.seat, work.anchor
    into_first, into_arc, into_tail, _, zone_node = into
    new_first, new_arc, new_tail, new_flow = work.first, work.arc, work.tail, work.flow
    clean, n_asked = measure(
        star.head, cost, near, first, arc, tail, flow, size, base, origin, least, slack, node, old,
        low, high, moved, enter, stack,
    )  # fmt: skip
    clean = min(clean, choose(
        into_first, into_arc, into_tail, into_cost, near, first, arc, flow, base, least, slack,
        strict, n_asked, stack, node, low, high, enter, end, old, way, anchor, met,
    ))  # fmt: skip
    stays = clean == size and size > 1
    for zone in range(len(goes)):
        # Bushes of another solution do not know yet where their destinations are.
        if goes[zone] and (old[zone_node[zone]] < 0 or at[zone] == NONE):
            stays = False
    if stays:
        return 0, size
    n_new = clean
    if size <= 1:
        clean = n_new = 1
        new_first[0] = 0
        new_first[1] = 0
    else:
        new_first[clean] = first[clean]
    for p in range(1, clean):
        moved[p] = p
    for root in range(clean, size):
        if moved[root] != NONE or low[root] == np.inf:
            continue
        stack[0] = root
        moved[root] = WAITING
        depth = 1
        while depth > 0:
            p = stack[depth - 1]
            before = NONE
            for k in range(first[p], first[p + 1]):
                if moved[tail[k]] < 0 and flow[k] > least:
                    before = tail[k]
            if before == NONE and enter[p] != NONE and moved[end[p]] < 0:
                before = end[p]
            if before != NONE:
                if moved[before] == WAITING:
                    depth = break_circle(
                        first, tail, flow, least, before, depth, stack, moved, enter, end, low
                    )
                else:
                    stack[depth] = before
                    moved[before] = WAITING
                    depth += 1
                continue
            depth -= 1
            if enter[p] != NONE:
                n_new = lay(
                    into_arc, into_tail, base, into_tail[enter[p]], n_new, old, way, seat, moved,
                    stack, new_first, new_arc, new_tail, new_flow,
                )  # fmt: skip
            k_new = new_first[n_new]
            entering = into_arc[enter[p]] + base if enter[p] != NONE else NONE
            for k in range(first[p], first[p + 1]):
                if flow[k] > least:
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
        begin = anchor_of(into_first, into_tail, into_cost, near, to, old, way, anchor, met)
        if begin != NONE:
            n_new = lay(
                into_arc, into_tail, base, to, n_new, old, way, seat, moved, stack, new_first,
                new_arc, new_tail, new_flow,
            )  # fmt: skip
    return n_new, clean


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
def _keep(
    rows: Any, bush: int, size: int, clean: int, goes: Any, zone_node: Any, work: Any
) -> bool:
    """Copy what is new of a bush from the scratch space; return whether there was room."""
    n_arcs = work.first[size]
    if n_arcs > rows.arc.shape[1] or size + 1 > rows.first.shape[1]:
        return False
    rows.size[bush] = size
    begin = work.first[clean]
    rows.first[bush, 0] = 0
    rows.first[bush, clean : size + 1] = work.first[clean : size + 1]
    rows.arc[bush, begin:n_arcs] = work.arc[begin:n_arcs]
    rows.tail[bush, begin:n_arcs] = work.tail[begin:n_arcs]
    rows.flow[bush, begin:n_arcs] = work.flow[begin:n_arcs]
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
    goes: Any, total: Any, slack: float, strict: bool, rows: Any, bush_0: int, base: int,
    batch: int, done: Any, work: Any, room: Any,
) -> None:  # fmt: skip
    """Regrow the bushes of a batch's origins; see :func:`regrow`."""
    n_lanes = count_lanes(net, batch)
    n_left = 0
    for lane in range(n_lanes):
        bush = bush_0 + net.batch_zone[batch, lane]
        done[bush] = done[bush] or not goes[bush].any()
        n_left += not done[bush]
    if n_left == 0:
        return
    climb(net, metric, link_cost, batch, work.label, work.above)
    descend(net, metric, batch, work.label)
    close(net, link_cost, batch, work.label, work.above[:0])
    spread(into.place, work.label, work.near[:n_lanes])
    for lane in range(n_lanes):
        zone = net.batch_zone[batch, lane]
        bush = bush_0 + zone
        if done[bush]:
            continue
        origin = into.zone_node[zone]
        near = work.near[lane]
        near[origin] = 0.0
        old_size = rows.size[bush]
        size, clean = _regrow(
            star, into, into_cost, cost, near, origin, base, goes[bush],
            rows.at[bush], rows.first[bush], rows.arc[bush], rows.tail[bush], rows.flow[bush],
            rows.size[bush], 1e-14 * total[bush], slack, strict, work,
        )  # fmt: skip
        done[bush] = size == 0 or _keep(rows, bush, size, clean, goes[bush], into.zone_node, work)
        if not done[bush]:
            room[0] = max(room[0], size + 1)
            room[1] = max(room[1], work.first[size])
        _clear(max(old_size, 1), work.node, work.met, work.old, work.way, work.seat, work.anchor)


@sub_kernel
def _regrow_mine(
    worker: int, star: Any, into: Any, net: Any, metric: Any, link_cost: Any,
    into_cost: Any, cost: Any, goes: Any, total: Any, slack: float, strict: bool, rows: Any,
    bush_0: int, base: int, n_workers: int, done: Any, work: Any, room: Any,
) -> None:  # fmt: skip
    mine = GrowWork(
        work.label[worker], work.above[worker], work.near[worker], work.old[worker],
        work.way[worker], work.seat[worker], work.anchor[worker], work.met[worker],
        work.node[worker], work.low[worker], work.high[worker], work.moved[worker],
        work.enter[worker], work.end[worker], work.stack[worker], work.first[worker],
        work.arc[worker], work.tail[worker], work.flow[worker],
    )  # fmt: skip
    room[worker] = 0
    for batch in range(worker, len(net.batch_zone), n_workers):
        _regrow_batch(
            star, into, net, metric, link_cost, into_cost, cost, goes, total, slack, strict, rows,
            bush_0, base, batch, done, mine, room[worker],
        )  # fmt: skip


@parallel_kernel
def regrow(
    star: Any, into: Any, net: Any, metric: Any, link_cost: Any,
    into_cost: Any, cost: Any, goes: Any, total: Any, slack: float, strict: bool, rows: Any,
    bush_0: int, base: int, n_workers: int, done: Any, work: Any, room: Any,
) -> None:  # fmt: skip
    """Let the bushes of a class drop what it does not use, and gain least-cost ways.

    Parameters
    ----------
    star : ForwardStar
    into : Approach
    net : Hierarchy
        All nodes that paths may pass have places. The bushes of its batches' origins are to grow.
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
    strict : bool
        By which rule ways enter; see :mod:`cczsim.kernels.bush_enter`.
    rows : Rows, written
    bush_0, base : int
        First bush and first arc of the class.
    n_workers : int
        Threads; changes no bit.
    done : bool array [bush], written
        Bushes that need nothing any more.
    work : GrowWork
        Its arrays have one more axis, ``[worker, ...]``.
    room : int32 array [worker, 2], written
        Positions and arcs of the largest bush that found no room; such bushes stay as they were.
    """
    for worker in numba.prange(n_workers):
        _regrow_mine(
            worker, star, into, net, metric, link_cost, into_cost, cost, goes, total,
            slack, strict, rows, bush_0, base, n_workers, done, work, room,
        )  # fmt: skip
