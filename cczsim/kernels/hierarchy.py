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

from cczsim.kernels._jit import kernel, sub_kernel
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
VIA = 2.0**26
"""No hierarchy has as many arcs: see :class:`Metric`."""
NONE = -1


class Hierarchy(NamedTuple):
    """What the hierarchy of a network holds whatever the costs.

    Parameters
    ----------
    first_up : int32 array [node + 1]
        Offset of a core node's first arc to a node of higher rank.
    head : int32 array [arc]
        Its upper node; rises within a node.
    triangle_first : int32 array [node + 1]
        Offset of a core node's first triangle.
    triangle : int32 array [triangle]
        The arc between the upper ends of two arcs of one node, for all pairs of arcs in order.
    cell_first, cell_stop : int32 array [cell]
        Subtrees of the elimination tree as runs of ranks, that of most triangles first. Threads
        customise one each.
    top_node : int32 array [top node]
        The nodes above all cells, rising.
    over_first : int32 array [top node + 1]
        Offset of the first of a top node's ...
    over_arc, over_stop, over_triangle : int32 array [...]
        ... arcs from nodes of cells, rising, where the arcs of that node end, and the first
        triangle of the arc.
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
    triangle_first: Array
    triangle: Array
    cell_first: Array
    cell_stop: Array
    top_node: Array
    over_first: Array
    over_arc: Array
    over_stop: Array
    over_triangle: Array
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
    via : float64 array [arc, 2]
        ``lower * VIA + upper``, the two arcs a cost came by: that at the arc's lower, and that at
        its upper end. From x up to y over v they are v-x DOWN, v-y UP. -1 - the link's row where
        it came by a link. A float, as LLVM chooses between floats without a branch.
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


@sub_kernel
def count_slots(net: Any, metric: Any) -> int:
    """Return how many slots of :func:`~cczsim.kernels.hierarchy_sweep.push` are in use."""
    arcs: int = metric.in_first[-1] + metric.out_first[-1]
    return arcs + len(net.seed_link) + len(net.direct_link)


@kernel
def unpack(net: Any, metric: Any, total: Any, arc_flow: Any, link_flow: Any) -> None:
    """Bring flow from slots down to links (Buchhold et al., section 4.2).

    Parameters
    ----------
    net : Hierarchy
    metric : Metric
    total : float64 array [slot]
        From :func:`~cczsim.kernels.hierarchy_sweep.load`.
    arc_flow : float64 array [arc, 2]
        Scratch space.
    link_flow : float64 array [link], written
    """
    link_flow[:] = 0.0
    arc_flow[:] = 0.0
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
            via = metric.via[arc, way]
            if via < 0.0:
                link_flow[int(-1.0 - via)] += here
            else:
                lower = int(via / VIA)
                arc_flow[lower, 1 - way] += here
                arc_flow[int(via - lower * VIA), way] += here
