"""Least costs between zones, and demand loaded on least-cost paths, by a contraction hierarchy.

Sources: J. Dibbelt, B. Strasser and D. Wagner (2016), Customizable contraction hierarchies, *ACM
Journal of Experimental Algorithmics* 21, 1.5 (customisation: sections 4 and 5); D. Delling, A.
Goldberg, A. Nowatzyk and R. Werneck (2013), PHAST, *Journal of Parallel and Distributed Computing*
73(7) (one sweep for many sources, section 4); V. Buchhold, P. Sanders and D. Wagner (2019),
Real-time traffic assignment using engineered customizable contraction hierarchies, *ACM JEA* 24
(flow on shortcuts, unpacked once an assignment, section 4). Deviations: the sweep is restricted to
what zones can use; zones that paths may not pass hang on the hierarchy as sources and sinks, so
that they cost no fill; an arc is left out of the sweep only where another path is less costly by
more than rounding.

The nodes of the *core* may be passed by paths. They are numbered by *rank*, the order of their
elimination; an *arc* joins two of them and may have a cost upwards and a cost downwards. *Places*
are what a sweep visits: core nodes above any zone by falling rank, and sinks, each behind the
places that lead to it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from cczsim.kernels._jit import kernel, parallel_kernel
from cczsim.kernels.types import Array

N_LANES = 16
"""Origins in one sweep: their labels are neighbours in memory, so that one instruction serves many.

Of 8, 16 and 32, 16 was fastest on ChicagoRegional.
"""
UP, DOWN = 0, 1
TIE = 1e-9
"""Two costs nearer than this share of them may be equal but for rounding."""
NONE = -1


class Hierarchy(NamedTuple):
    """What the hierarchy of a network holds whatever the costs.

    Parameters
    ----------
    first_up : int32 array [node + 1]
        Offset of a core node's first arc to a node of higher rank.
    head : int32 array [arc]
        Its upper node; rises within a node.
    triangle : int32 array [triangle]
        The arc between the upper ends of two arcs of one node, for all pairs of arcs in order.
    core_link, core_arc, core_way : int32 array [core link]
        Links between core nodes: row in the road network, arc, and UP or DOWN.
    place_node : int32 array [place]
        Core node, or NONE where the place is a sink.
    node_place : int32 array [node]
        Place of a core node, or NONE where no zone needs it.
    sink_first : int32 array [place + 1]
        Offset of a sink's first link.
    sink_place, sink_link : int32 array [sink link]
        Place the link leaves, and its row.
    zone_place : int32 array [zone]
        Place where a zone is reached.
    seed_first : int32 array [zone + 1]
        Offset of a zone's first seed.
    seed_place, seed_link : int32 array [seed]
        Place where paths from the zone enter the core, and the row of the link that leads there;
        NONE where the place is the zone itself.
    direct_first : int32 array [zone + 1]
        Offset of a zone's first link to a sink.
    direct_place, direct_link : int32 array [direct link]
    batch_zone : int32 array [batch, N_LANES]
        Origins of one sweep, near each other; NONE fills up.
    batch_first : int32 array [batch + 1]
        Offset of the first of ...
    batch_place : int32 array [...]
        ... the places above a batch's seeds, rising.
    """

    first_up: Array
    head: Array
    triangle: Array
    core_link: Array
    core_arc: Array
    core_way: Array
    place_node: Array
    node_place: Array
    sink_first: Array
    sink_place: Array
    sink_link: Array
    zone_place: Array
    seed_first: Array
    seed_place: Array
    seed_link: Array
    direct_first: Array
    direct_place: Array
    direct_link: Array
    batch_zone: Array
    batch_first: Array
    batch_place: Array


class Metric(NamedTuple):
    """What customisation writes: costs of arcs, and the arcs that sweeps follow.

    Parameters
    ----------
    cost : float64 array [2, arc]
        UP and DOWN; inf where no path leads.
    via : int32 array [2, 2, arc]
        The two arcs of a shortcut: the one at the arc's lower, then at its upper end. A shortcut
        from x up to y over v is x-v DOWN, v-y UP. NONE and the link's row where the arc is one.
    least : float64 array [2, arc]
        Scratch space: cost of the least path over nodes of any rank.
    in_first : int32 array [place + 1]
    in_place, in_arc : int32 array [arc + sink link]
        Place and arc a label comes from; -2 - row where the arc is a sink's link.
    in_cost : float64 array [arc + sink link]
    out_first : int32 array [place + 1]
        Places have arcs upwards in reverse order: offset of their first ...
    out_place, out_tail, out_arc : int32 array [arc]
        ... place to which, place from which, and arc.
    out_cost : float64 array [arc]
    """

    cost: Array
    via: Array
    least: Array
    in_first: Array
    in_place: Array
    in_arc: Array
    in_cost: Array
    out_first: Array
    out_place: Array
    out_tail: Array
    out_arc: Array
    out_cost: Array


@kernel
def customise(net: Any, link_cost: Any, metric: Any) -> None:
    """Give every arc the least cost over nodes of lower rank, and choose the arcs of sweeps.

    Basic customisation (Dibbelt et al., section 4.3), then, at the nodes that sweeps visit,
    perfect customisation (section 5.3), whose costs only tell which arcs no sweep needs.

    Parameters
    ----------
    net : Hierarchy
    link_cost : float64 array [link]
        At least 0; inf closes a link.
    metric : Metric, written
    """
    n_nodes = len(net.first_up) - 1
    n_arcs = len(net.head)
    n_places = len(net.place_node)
    up, down = metric.cost[UP], metric.cost[DOWN]
    for arc in range(n_arcs):
        up[arc] = np.inf
        down[arc] = np.inf
        for way in range(2):
            metric.via[way, 0, arc] = NONE
            metric.via[way, 1, arc] = NONE
    for a in range(len(net.core_link)):
        way, arc, link = net.core_way[a], net.core_arc[a], net.core_link[a]
        if link_cost[link] < metric.cost[way, arc]:
            metric.cost[way, arc] = link_cost[link]
            metric.via[way, 1, arc] = link
    t = 0
    for node in range(n_nodes):
        stop = net.first_up[node + 1]
        for i in range(net.first_up[node], stop):
            for j in range(i + 1, stop):
                arc = net.triangle[t]
                t += 1
                over = down[i] + up[j]
                if over < up[arc]:
                    up[arc] = over
                    metric.via[UP, 0, arc] = i
                    metric.via[UP, 1, arc] = j
                over = down[j] + up[i]
                if over < down[arc]:
                    down[arc] = over
                    metric.via[DOWN, 0, arc] = i
                    metric.via[DOWN, 1, arc] = j
    least_up, least_down = metric.least[UP], metric.least[DOWN]
    n_in = 0
    n_out = 0
    metric.in_first[0] = 0
    metric.out_first[0] = 0
    # Triangles lie by rising rank of their lowest node; from here on they are read from the end.
    ranked = n_nodes
    for place in range(n_places):
        node = net.place_node[place]
        if node == NONE:
            for s in range(net.sink_first[place], net.sink_first[place + 1]):
                if link_cost[net.sink_link[s]] < np.inf:
                    metric.in_place[n_in] = net.sink_place[s]
                    metric.in_cost[n_in] = link_cost[net.sink_link[s]]
                    metric.in_arc[n_in] = -2 - net.sink_link[s]
                    n_in += 1
        else:
            while ranked > node:
                ranked -= 1
                degree = net.first_up[ranked + 1] - net.first_up[ranked]
                t -= degree * (degree - 1) // 2
            at = t
            start, stop = net.first_up[node], net.first_up[node + 1]
            for i in range(start, stop):
                least_up[i] = up[i]
                least_down[i] = down[i]
            for i in range(start, stop):
                for j in range(i + 1, stop):
                    arc = net.triangle[at]
                    at += 1
                    least_up[i] = min(least_up[i], up[j] + least_down[arc])
                    least_up[j] = min(least_up[j], up[i] + least_up[arc])
                    least_down[i] = min(least_down[i], least_up[arc] + down[j])
                    least_down[j] = min(least_down[j], least_down[arc] + down[i])
            for i in range(start, stop):
                other = net.node_place[net.head[i]]
                # inf is not less than inf: arcs that lead nowhere fall out here too.
                if down[i] < np.inf and down[i] <= least_down[i] * (1.0 + TIE):
                    metric.in_place[n_in] = other
                    metric.in_cost[n_in] = down[i]
                    metric.in_arc[n_in] = i
                    n_in += 1
                if up[i] < np.inf and up[i] <= least_up[i] * (1.0 + TIE):
                    metric.out_place[n_out] = other
                    metric.out_tail[n_out] = place
                    metric.out_cost[n_out] = up[i]
                    metric.out_arc[n_out] = i
                    n_out += 1
        metric.in_first[place + 1] = n_in
        metric.out_first[place + 1] = n_out


@kernel
def climb(net: Any, metric: Any, link_cost: Any, batch: int, label: Any, above: Any) -> None:
    """Label the places above a batch's origins by paths that only rise.

    Parameters
    ----------
    net : Hierarchy
    metric : Metric
    link_cost : float64 array [link]
    batch : int
    label : float64 array [place, N_LANES], written at the batch's places
    above : int32 array [place, N_LANES], written at the batch's places
        What a label came by: an ``out`` arc, or -2 - seed.
    """
    first, stop = net.batch_first[batch], net.batch_first[batch + 1]
    for b in range(first, stop):
        for lane in range(N_LANES):
            label[net.batch_place[b], lane] = np.inf
            above[net.batch_place[b], lane] = NONE
    for lane in range(N_LANES):
        zone = net.batch_zone[batch, lane]
        if zone == NONE:
            continue
        for seed in range(net.seed_first[zone], net.seed_first[zone + 1]):
            cost = 0.0 if net.seed_link[seed] == NONE else link_cost[net.seed_link[seed]]
            if cost < label[net.seed_place[seed], lane]:
                label[net.seed_place[seed], lane] = cost
                above[net.seed_place[seed], lane] = -2 - seed
    for b in range(stop - 1, first - 1, -1):
        place = net.batch_place[b]
        for k in range(metric.out_first[place], metric.out_first[place + 1]):
            cost = metric.out_cost[k]
            other = metric.out_place[k]
            for lane in range(N_LANES):
                here = label[place, lane] + cost
                better = here < label[other, lane]
                label[other, lane] = here if better else label[other, lane]
                above[other, lane] = k if better else above[other, lane]


@kernel
def descend(net: Any, metric: Any, batch: int, label: Any) -> None:
    """Label all places from those of higher rank; see :func:`climb`."""
    at, stop = net.batch_first[batch], net.batch_first[batch + 1]
    for place in range(len(net.place_node)):
        if at < stop and net.batch_place[at] == place:
            at += 1
        else:
            for lane in range(N_LANES):
                label[place, lane] = np.inf
        for k in range(metric.in_first[place], metric.in_first[place + 1]):
            cost = metric.in_cost[k]
            other = metric.in_place[k]
            for lane in range(N_LANES):
                here = label[other, lane] + cost
                label[place, lane] = here if here < label[place, lane] else label[place, lane]


@kernel
def descend_tree(net: Any, metric: Any, batch: int, label: Any, below: Any) -> None:
    """Label as :func:`descend` does, to the bit, and write the ``in`` arc each label came by.

    ``below`` [place, N_LANES] is NONE where a label came from below, by :func:`climb`.
    """
    at, stop = net.batch_first[batch], net.batch_first[batch + 1]
    for place in range(len(net.place_node)):
        if at < stop and net.batch_place[at] == place:
            at += 1
        else:
            for lane in range(N_LANES):
                label[place, lane] = np.inf
        for lane in range(N_LANES):
            below[place, lane] = NONE
        for k in range(metric.in_first[place], metric.in_first[place + 1]):
            cost = metric.in_cost[k]
            other = metric.in_place[k]
            for lane in range(N_LANES):
                here = label[other, lane] + cost
                better = here < label[place, lane]
                label[place, lane] = here if better else label[place, lane]
                below[place, lane] = k if better else below[place, lane]


@kernel
def close(net: Any, link_cost: Any, batch: int, label: Any, below: Any) -> None:
    """Put in what the hierarchy does not know: links from zone to zone, and a zone to itself.

    ``below`` is -2 - direct link where a label came by one; it may be empty if nobody asks.
    """
    for lane in range(N_LANES):
        zone = net.batch_zone[batch, lane]
        if zone == NONE:
            continue
        for d in range(net.direct_first[zone], net.direct_first[zone + 1]):
            place = net.direct_place[d]
            if link_cost[net.direct_link[d]] < label[place, lane]:
                label[place, lane] = link_cost[net.direct_link[d]]
                if len(below) > 0:
                    below[place, lane] = -2 - d
        label[net.zone_place[zone], lane] = 0.0


@parallel_kernel
def skim(
    net: Any, metric: Any, link_cost: Any, n_workers: int, label: Any, above: Any, od_cost: Any
) -> None:
    """Find the least costs between zones.

    Parameters
    ----------
    net : Hierarchy
    metric : Metric
        From :func:`customise` at ``link_cost``.
    link_cost : float64 array [link]
    n_workers : int
        Threads; changes no bit.
    label, above : float64 and int32 array [worker, place, N_LANES]
        Scratch space.
    od_cost : float64 array [zone, zone], written
        inf where no path leads.
    """
    n_zones = len(net.zone_place)
    n_batches = len(net.batch_zone)
    for worker in numba.prange(n_workers):
        own = label[worker]
        nothing = np.empty((0, N_LANES), np.int32)
        for batch in range(worker, n_batches, n_workers):
            climb(net, metric, link_cost, batch, own, above[worker])
            descend(net, metric, batch, own)
            close(net, link_cost, batch, own, nothing)
            lanes = net.batch_zone[batch]
            n_used = N_LANES
            while lanes[n_used - 1] == NONE:
                n_used -= 1
            for other in range(n_zones):
                place = net.zone_place[other]
                for lane in range(n_used):
                    od_cost[lanes[lane], other] = own[place, lane]


@kernel
def push(net: Any, metric: Any, batch: int, above: Any, below: Any, flow: Any, total: Any) -> None:
    """Send the flow at places back to the batch's origins, and count it on arcs.

    Parameters
    ----------
    net : Hierarchy
    metric : Metric
    batch : int
    above, below : int32 array [place, N_LANES]
        From :func:`climb`, :func:`descend_tree` and :func:`close`.
    flow : float64 array [place, N_LANES]
        Left at 0.
    total : float64 array [slot], added to
        ``in`` arcs, ``out`` arcs, seeds, direct links.
    """
    out_slot = len(metric.in_place)
    seed_slot = out_slot + len(metric.out_place)
    direct_slot = seed_slot + len(net.seed_link)
    first, at = net.batch_first[batch], net.batch_first[batch + 1] - 1
    for place in range(len(net.place_node) - 1, -1, -1):
        climbed = at >= first and net.batch_place[at] == place
        if climbed:
            at -= 1
        for lane in range(N_LANES):
            here = flow[place, lane]
            if here == 0.0:
                continue
            k = below[place, lane]
            if k >= 0:
                total[k] += here
                flow[metric.in_place[k], lane] += here
            elif k < NONE:
                total[direct_slot - 2 - k] += here
            elif climbed:
                continue
            flow[place, lane] = 0.0
    # From here on only the labels of the climb count: they alone are a chain of arcs to the origin.
    for b in range(first, net.batch_first[batch + 1]):
        place = net.batch_place[b]
        for lane in range(N_LANES):
            here = flow[place, lane]
            if here == 0.0:
                continue
            flow[place, lane] = 0.0
            k = above[place, lane]
            if k >= 0:
                total[out_slot + k] += here
                flow[metric.out_tail[k], lane] += here
            elif k < NONE:
                total[seed_slot - 2 - k] += here


@parallel_kernel
def load(
    net: Any, metric: Any, link_cost: Any, n_workers: int, label: Any, above: Any, below: Any,
    flow: Any, demand: Any, block_total: Any,
) -> None:  # fmt: skip
    """Load demand on least-cost paths, down to arcs of the hierarchy.

    Parameters
    ----------
    net, metric, link_cost, n_workers, label, above
        As in :func:`skim`.
    below : int32 array [worker, place, N_LANES]
        Scratch space.
    flow : float64 array [worker, place, N_LANES]
        Scratch space, 0.
    demand : float64 array [zone, zone]
        Not loaded between zones of one node, and where no path leads.
    block_total : float64 array [block, slot], written
        Flow of fixed blocks of batches, by slots as in :func:`push`.
    """
    n_zones = len(net.zone_place)
    n_batches = len(net.batch_zone)
    n_blocks = len(block_total)
    for worker in numba.prange(n_workers):
        own, way_up, way_down, at = label[worker], above[worker], below[worker], flow[worker]
        for block in range(worker, n_blocks, n_workers):
            total = block_total[block]
            total[:] = 0.0
            for batch in range(block * n_batches // n_blocks, (block + 1) * n_batches // n_blocks):
                climb(net, metric, link_cost, batch, own, way_up)
                descend_tree(net, metric, batch, own, way_down)
                close(net, link_cost, batch, own, way_down)
                lanes = net.batch_zone[batch]
                n_used = N_LANES
                while lanes[n_used - 1] == NONE:
                    n_used -= 1
                for other in range(n_zones):
                    place = net.zone_place[other]
                    for lane in range(n_used):
                        if net.zone_place[lanes[lane]] != place:
                            at[place, lane] += demand[lanes[lane], other]
                push(net, metric, batch, way_up, way_down, at, total)


@kernel
def unpack(net: Any, metric: Any, total: Any, arc_flow: Any, link_flow: Any) -> None:
    """Bring flow from slots down to links (Buchhold et al., section 4.2).

    Parameters
    ----------
    net : Hierarchy
    metric : Metric
    total : float64 array [slot]
    arc_flow : float64 array [2, arc]
        Scratch space.
    link_flow : float64 array [link], written
    """
    link_flow[:] = 0.0
    arc_flow[:] = 0.0
    for k in range(metric.in_first[-1]):
        if metric.in_arc[k] >= 0:
            arc_flow[DOWN, metric.in_arc[k]] = total[k]
        else:
            link_flow[-2 - metric.in_arc[k]] += total[k]
    slot = len(metric.in_place)
    for k in range(metric.out_first[-1]):
        arc_flow[UP, metric.out_arc[k]] = total[slot + k]
    slot += len(metric.out_place)
    for seed in range(len(net.seed_link)):
        if net.seed_link[seed] != NONE:
            link_flow[net.seed_link[seed]] += total[slot + seed]
    slot += len(net.seed_link)
    for d in range(len(net.direct_link)):
        link_flow[net.direct_link[d]] += total[slot + d]
    # Both arcs of a shortcut begin at a node of lower rank, so lie before it.
    for arc in range(len(net.head) - 1, -1, -1):
        for way in range(2):
            here = arc_flow[way, arc]
            if here == 0.0:
                continue
            lower, upper = metric.via[way, 0, arc], metric.via[way, 1, arc]
            if lower == NONE:
                link_flow[upper] += here
            elif way == UP:
                arc_flow[DOWN, lower] += here
                arc_flow[UP, upper] += here
            else:
                arc_flow[UP, lower] += here
                arc_flow[DOWN, upper] += here
