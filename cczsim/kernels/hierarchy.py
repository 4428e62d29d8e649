"""Costs of a contraction hierarchy's arcs, and the way of flow from its arcs down to links.

Sources: J. Dibbelt, B. Strasser and D. Wagner (2016), Customizable contraction hierarchies, *ACM
Journal of Experimental Algorithmics* 21, 1.5, sections 4 and 5; V. Buchhold, P. Sanders and D.
Wagner (2019), Real-time traffic assignment using engineered customizable contraction hierarchies,
*ACM Journal of Experimental Algorithmics* 24, section 4. Deviations: zones that paths may not pass
hang on the hierarchy as sources and sinks, so that they cost no fill; an arc is left out of sweeps
only where another path is less costly by more than rounding.

The nodes of the *core* may be passed by paths. They are numbered by *rank*, the order of their
elimination; an *arc* joins two of them and may have a cost upwards and a cost downwards. *Places*
are what a sweep visits: core nodes above any zone by falling rank, and sinks, each behind the
places that lead to it. *Slots* are what sweeps count flow on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cczsim.kernels._jit import kernel
from cczsim.kernels.types import Array

N_LANES = 32
"""Origins in one sweep: their labels are neighbours in memory, so that one instruction serves many.

A sweep of all origins of ChicagoRegional takes 33, 27 and 12 ms with 8, 16 and 32.
"""
N_SUMS = 8
"""Flow is summed in this many fixed blocks of batches, so that threads never change a bit.

Of 32 blocks each has memory of its own to fill: two threads were 1.4 times as fast as one, not 1.6.
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
    rank : int32 array [node]
        Rank of each node that paths may pass, in the order of the network.
    node_place : int32 array [node]
        Place of a core node, by rank, or NONE where no zone needs it.
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
    place_above : int32 array [place]
        Place of a node's parent in the elimination tree: the last to come before it; or NONE.
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
    rank: Array
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
    place_above: Array
    batch_zone: Array
    batch_first: Array
    batch_place: Array


class Metric(NamedTuple):
    """What customisation writes: costs of arcs, and the arcs that sweeps follow.

    Parameters
    ----------
    cost : float64 array [arc, 2]
        UP and DOWN; inf where no path leads.
    via : int32 array [arc, 2, 2]
        The two arcs a cost came by: that at the arc's lower, then that at its upper end. From x up
        to y over v they are v-x DOWN, v-y UP. NONE and the link's row where it came by a link.
    least : float64 array [arc, 2]
        Scratch space: cost of the least path over nodes of any rank.
    in_first : int32 array [place + 1]
    in_place, in_arc : int32 array [arc + sink link + place]
        Place and arc a label comes from; -2 - row where the arc is a sink's link, NONE where it
        only fills up a pair.
    in_cost : float64 array [arc + sink link + place]
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
    n_places = len(net.place_node)
    cost, via, least = metric.cost, metric.via, metric.least
    cost[:] = np.inf
    for a in range(len(net.core_link)):
        arc, way, link = net.core_arc[a], net.core_way[a], net.core_link[a]
        if link_cost[link] < cost[arc, way]:
            cost[arc, way] = link_cost[link]
            via[arc, way, 0] = NONE
            via[arc, way, 1] = link
    t = 0
    for node in range(n_nodes):
        stop = net.first_up[node + 1]
        for i in range(net.first_up[node], stop):
            up, down = cost[i, UP], cost[i, DOWN]
            for j in range(i + 1, stop):
                arc = net.triangle[t]
                t += 1
                over = down + cost[j, UP]
                if over < cost[arc, UP]:
                    cost[arc, UP] = over
                    via[arc, UP, 0] = i
                    via[arc, UP, 1] = j
                over = up + cost[j, DOWN]
                if over < cost[arc, DOWN]:
                    cost[arc, DOWN] = over
                    via[arc, DOWN, 0] = i
                    via[arc, DOWN, 1] = j
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
            least[start:stop] = cost[start:stop]
            for i in range(start, stop):
                up, down = cost[i, UP], cost[i, DOWN]
                least_up, least_down = least[i, UP], least[i, DOWN]
                for j in range(i + 1, stop):
                    rise, fall = least[net.triangle[at], UP], least[net.triangle[at], DOWN]
                    at += 1
                    least_up = min(least_up, cost[j, UP] + fall)
                    least_down = min(least_down, rise + cost[j, DOWN])
                    least[j, UP] = min(least[j, UP], up + rise)
                    least[j, DOWN] = min(least[j, DOWN], fall + down)
                least[i, UP], least[i, DOWN] = least_up, least_down
                other = net.node_place[net.head[i]]
                # inf is not less than inf: arcs that lead nowhere fall out here too.
                if down < np.inf and down <= least_down * (1.0 + TIE):
                    metric.in_place[n_in] = other
                    metric.in_cost[n_in] = down
                    metric.in_arc[n_in] = i
                    n_in += 1
                if up < np.inf and up <= least_up * (1.0 + TIE):
                    metric.out_place[n_out] = other
                    metric.out_tail[n_out] = place
                    metric.out_cost[n_out] = up
                    metric.out_arc[n_out] = i
                    n_out += 1
        # Sweeps take arcs in pairs, which makes them three times as fast: a label waits for its
        # last value to be stored half as often. Place 0 has no arcs, so may end any.
        if (n_in - metric.in_first[place]) % 2 == 1:
            metric.in_place[n_in] = 0
            metric.in_cost[n_in] = np.inf
            metric.in_arc[n_in] = NONE
            n_in += 1
        metric.in_first[place + 1] = n_in
        metric.out_first[place + 1] = n_out


@kernel
def count_slots(net: Any, metric: Any) -> int:
    """Return how many slots of :func:`~cczsim.kernels.hierarchy_sweep.push` are in use."""
    arcs: int = metric.in_first[-1] + metric.out_first[-1]
    return arcs + len(net.seed_link) + len(net.direct_link)


@kernel
def unpack(net: Any, metric: Any, block_total: Any, arc_flow: Any, link_flow: Any) -> None:
    """Bring flow from slots down to links (Buchhold et al., section 4.2).

    Parameters
    ----------
    net : Hierarchy
    metric : Metric
    block_total : float64 array [block, slot]
        From :func:`~cczsim.kernels.hierarchy_sweep.load`; changed.
    arc_flow : float64 array [arc, 2]
        Scratch space.
    link_flow : float64 array [link], written
    """
    link_flow[:] = 0.0
    arc_flow[:] = 0.0
    n_slots = count_slots(net, metric)
    total = block_total[0, :n_slots]
    for block in range(1, len(block_total)):
        total += block_total[block, :n_slots]
    for k in range(metric.in_first[-1]):
        if metric.in_arc[k] >= 0:
            arc_flow[metric.in_arc[k], DOWN] = total[k]
        elif metric.in_arc[k] < NONE:
            link_flow[-2 - metric.in_arc[k]] += total[k]
    slot = metric.in_first[-1]
    for k in range(metric.out_first[-1]):
        arc_flow[metric.out_arc[k], UP] = total[slot + k]
    slot += metric.out_first[-1]
    for seed in range(len(net.seed_link)):
        if net.seed_link[seed] != NONE:
            link_flow[net.seed_link[seed]] += total[slot + seed]
    slot += len(net.seed_link)
    for d in range(len(net.direct_link)):
        link_flow[net.direct_link[d]] += total[slot + d]
    # The arcs that a cost came by begin at a node of lower rank, so lie before.
    for arc in range(len(net.head) - 1, -1, -1):
        for way in range(2):
            here = arc_flow[arc, way]
            if here == 0.0:
                continue
            lower, upper = metric.via[arc, way, 0], metric.via[arc, way, 1]
            if lower == NONE:
                link_flow[upper] += here
            else:
                arc_flow[lower, 1 - way] += here
                arc_flow[upper, way] += here
