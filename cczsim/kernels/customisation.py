"""Costs of a contraction hierarchy's arcs at given costs of links.

Source: J. Dibbelt, B. Strasser and D. Wagner (2016), Customizable contraction hierarchies, *ACM
Journal of Experimental Algorithmics* 21, 1.5, sections 4.3 and 5. Deviation: an arc is left out of
sweeps only where another path is less costly by more than rounding.

Threads share the work by *cells*, subtrees of the elimination tree, which have no arc in common.
Arcs of the *top*, the nodes above them, take first what cells give, node by node, then what the top
itself gives, on one thread. Of ways that cost the same the one over the lowest node is kept,
whichever comes first, so that the order changes no bit.

For the words see :mod:`cczsim.kernels.hierarchy`.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cczsim.kernels._jit import inner_kernel, parallel_kernel, sub_kernel
from cczsim.kernels.hierarchy import DOWN, NONE, UP, VIA

TIE = 1e-9
"""Two costs nearer than this share of them may be equal but for rounding."""
N_PLACES = 64
"""Places whose arcs a thread writes at a time."""


@sub_kernel
def put_links(net: Any, link_cost: Any, metric: Any) -> None:
    """Give every arc the cost of the least costly link between its ends."""
    cost, via = metric.cost, metric.via
    cost[:] = np.inf
    for a in range(len(net.core_link)):
        arc, way, link = net.core_arc[a], net.core_way[a], net.core_link[a]
        if link_cost[link] < cost[arc, way]:
            cost[arc, way] = link_cost[link]
            via[arc, way] = -1.0 - link


@inner_kernel
def relax(cost: Any, via: Any, triangle: Any, t: int, i: int, stop: int) -> None:
    """Lower the costs of arcs by ways over arc ``i`` and each arc of its node behind it.

    ``t`` is the first triangle of ``i``, ``stop`` the first arc of the next node.
    """
    up, down = cost[i, UP], cost[i, DOWN]
    for j in range(i + 1, stop):
        arc = triangle[t + j - i - 1]
        over = i * VIA + j
        over_up, over_down = down + cost[j, UP], up + cost[j, DOWN]
        least_up, least_down = cost[arc, UP], cost[arc, DOWN]
        via_up, via_down = via[arc, UP], via[arc, DOWN]
        cost[arc, UP] = over_up if over_up < least_up else least_up
        cost[arc, DOWN] = over_down if over_down < least_down else least_down
        via[arc, UP] = over if over_up < least_up else via_up
        via[arc, DOWN] = over if over_down < least_down else via_down


@sub_kernel
def raise_cell(net: Any, metric: Any, cell: int) -> None:
    """Give the arcs that begin in a cell the least cost over nodes of lower rank."""
    end = net.cell_stop[cell]
    for node in range(net.cell_first[cell], end):
        stop = net.first_up[node + 1]
        t = net.triangle_first[node]
        for i in range(net.first_up[node], stop):
            if net.head[i] >= end:
                break
            relax(metric.cost, metric.via, net.triangle, t, i, stop)
            t += stop - i - 1


@sub_kernel
def raise_over(net: Any, metric: Any, top: int) -> None:
    """Lower the costs of arcs that begin in a top node by ways over nodes of cells."""
    for k in range(net.over_first[top], net.over_first[top + 1]):
        relax(
            metric.cost, metric.via, net.triangle, net.over_triangle[k], net.over_arc[k],
            net.over_stop[k],
        )  # fmt: skip


@sub_kernel
def raise_top(net: Any, metric: Any) -> None:
    """Lower the costs of arcs that begin in a top node by ways over others."""
    cost, via = metric.cost, metric.via
    for node in net.top_node:
        t = net.triangle_first[node]
        for i in range(net.first_up[node], net.first_up[node + 1]):
            for j in range(i + 1, net.first_up[node + 1]):
                arc = net.triangle[t]
                t += 1
                over = i * VIA + j
                for way in range(2):
                    here = cost[i, 1 - way] + cost[j, way]
                    least = cost[arc, way]
                    # A node of a cell may have come first that has a higher rank.
                    if here < least or (here == least and over < via[arc, way]):
                        cost[arc, way] = here
                        via[arc, way] = over


@inner_kernel
def settle(net: Any, metric: Any, node: int, row: Any) -> None:
    """Find the least costs of a node's arcs over nodes of any rank, and count those of sweeps."""
    start, stop = net.first_up[node], net.first_up[node + 1]
    n_arcs = stop - start
    cost, least, triangle = metric.cost, metric.least, net.triangle
    up, down, least_up, least_down = row[0], row[1], row[2], row[3]
    for i in range(n_arcs):
        up[i] = least_up[i] = cost[start + i, UP]
        down[i] = least_down[i] = cost[start + i, DOWN]
    t = net.triangle_first[node]
    n_in, n_out = 0, 0
    for i in range(n_arcs):
        up_i, down_i = up[i], down[i]
        least_up_i, least_down_i = least_up[i], least_down[i]
        for j in range(i + 1, n_arcs):
            arc = triangle[t + j - i - 1]
            rise, fall = least[arc, UP], least[arc, DOWN]
            least_up_i = min(least_up_i, up[j] + fall)
            least_down_i = min(least_down_i, down[j] + rise)
            least_up[j] = min(least_up[j], up_i + rise)
            least_down[j] = min(least_down[j], down_i + fall)
        t += n_arcs - i - 1
        least[start + i, UP], least[start + i, DOWN] = least_up_i, least_down_i
        n_in += is_needed(down_i, least_down_i)
        n_out += is_needed(up_i, least_up_i)
    place = net.node_place[node]
    metric.in_first[place + 1] = n_in
    metric.out_first[place + 1] = n_out


@inner_kernel
def is_needed(cost: float, least: float) -> bool:
    """Return whether sweeps need an arc: no other path between its ends is less costly."""
    # inf is not less than inf: arcs that lead nowhere fall out here too.
    return (cost < np.inf) & (cost <= least * (1.0 + TIE))


@sub_kernel
def settle_top(net: Any, metric: Any, row: Any) -> None:
    """Settle the top nodes that sweeps visit."""
    for node in net.top_node[::-1]:
        if net.node_place[node] != NONE:
            settle(net, metric, node, row)


@sub_kernel
def settle_cell(net: Any, metric: Any, cell: int, row: Any) -> None:
    """Settle the nodes of a cell that sweeps visit."""
    for node in range(net.cell_stop[cell] - 1, net.cell_first[cell] - 1, -1):
        if net.node_place[node] != NONE:
            settle(net, metric, node, row)


@sub_kernel
def number(net: Any, link_cost: Any, metric: Any) -> None:
    """Turn the numbers of places' arcs into offsets."""
    metric.in_first[0] = 0
    metric.out_first[0] = 0
    for place in range(len(net.place_node)):
        if net.place_node[place] == NONE:
            n_in = 0
            for s in range(net.sink_first[place], net.sink_first[place + 1]):
                n_in += link_cost[net.sink_link[s]] < np.inf
            metric.in_first[place + 1] = n_in
            metric.out_first[place + 1] = 0
        # Sweeps take arcs in pairs, which makes them three times as fast: a label waits for its
        # last value to be stored half as often.
        metric.in_first[place + 1] += metric.in_first[place] + metric.in_first[place + 1] % 2
        metric.out_first[place + 1] += metric.out_first[place]


@sub_kernel
def write_arcs(net: Any, link_cost: Any, metric: Any, first: int, stop: int) -> None:
    """Write the arcs that sweeps follow to and from the places from ``first`` to ``stop``."""
    cost, least = metric.cost, metric.least
    in_place, in_cost, in_arc = metric.in_place, metric.in_cost, metric.in_arc
    out_place, out_tail = metric.out_place, metric.out_tail
    out_cost, out_arc = metric.out_cost, metric.out_arc
    n_in, n_out = metric.in_first[first], metric.out_first[first]
    for place in range(first, stop):
        node = net.place_node[place]
        in_stop, out_stop = metric.in_first[place + 1], metric.out_first[place + 1]
        if node == NONE:
            for s in range(net.sink_first[place], net.sink_first[place + 1]):
                if link_cost[net.sink_link[s]] < np.inf:
                    in_place[n_in] = net.sink_place[s]
                    in_cost[n_in] = link_cost[net.sink_link[s]]
                    in_arc[n_in] = -2 - net.sink_link[s]
                    n_in += 1
        else:
            for i in range(net.first_up[node], net.first_up[node + 1]):
                other = net.node_place[net.head[i]]
                # What is not needed is written too, and then over: no branch has to be guessed.
                if n_in < in_stop:
                    in_place[n_in] = other
                    in_cost[n_in] = cost[i, DOWN]
                    in_arc[n_in] = i
                    n_in += is_needed(cost[i, DOWN], least[i, DOWN])
                if n_out < out_stop:
                    out_place[n_out] = other
                    out_tail[n_out] = place
                    out_cost[n_out] = cost[i, UP]
                    out_arc[n_out] = i
                    n_out += is_needed(cost[i, UP], least[i, UP])
        if n_in < in_stop:
            # Place 0 has no arcs, so may fill up any pair.
            in_place[n_in] = 0
            in_cost[n_in] = np.inf
            in_arc[n_in] = NONE
            n_in += 1


@sub_kernel
def worker_of(cell: int, n_workers: int) -> int:
    """Deal the cells, which fall in size, out to and fro."""
    turn, at = divmod(cell, n_workers)
    return at if turn % 2 == 0 else n_workers - 1 - at


@sub_kernel
def take_share(
    net: Any, link_cost: Any, metric: Any, phase: int, worker: int, n_workers: int, row: Any
) -> None:
    """Do a worker's share of one of the four phases of :func:`customise`."""
    n_cells, n_places = len(net.cell_first), len(net.place_node)
    if phase == 0:
        for cell in range(n_cells):
            if worker_of(cell, n_workers) == worker:
                raise_cell(net, metric, cell)
    elif phase == 1:
        for top in range(worker, len(net.top_node), n_workers):
            raise_over(net, metric, top)
    elif phase == 2:
        for cell in range(n_cells):
            if worker_of(cell, n_workers) == worker:
                settle_cell(net, metric, cell, row[worker])
    else:
        for first in range(worker * N_PLACES, n_places, n_workers * N_PLACES):
            write_arcs(net, link_cost, metric, first, min(first + N_PLACES, n_places))


@parallel_kernel
def customise(net: Any, link_cost: Any, metric: Any, n_workers: int, row: Any) -> None:
    """Give every arc the least cost over nodes of lower rank, and choose the arcs of sweeps.

    Basic customisation (Dibbelt et al., section 4.3), then, at the nodes that sweeps visit,
    perfect customisation (section 5.3), whose costs only tell which arcs no sweep needs.

    Parameters
    ----------
    net : Hierarchy
    link_cost : float64 array [link]
        At least 0; inf closes a link.
    metric : Metric, written
    n_workers : int
        Threads; changes no bit.
    row : float64 array [worker, 4, most arcs of a node]
        Scratch space.
    """
    put_links(net, link_cost, metric)
    # One parallel loop for all phases is compiled in a fourth of the time.
    for phase in range(4):
        if phase == 2:
            raise_top(net, metric)
            settle_top(net, metric, row[0])
        elif phase == 3:
            number(net, link_cost, metric)
        if n_workers == 1:
            take_share(net, link_cost, metric, phase, 0, 1, row)
        else:
            for worker in numba.prange(n_workers):
                take_share(net, link_cost, metric, phase, worker, n_workers, row)
