"""Least costs between zones, and demand loaded on least-cost paths, by sweeps of a hierarchy.

Sources: D. Delling, A. Goldberg, A. Nowatzyk and R. Werneck (2013), PHAST: hardware-accelerated
shortest path trees, *Journal of Parallel and Distributed Computing* 73(7), section 4; V. Buchhold,
P. Sanders and D. Wagner (2019), Real-time traffic assignment using engineered customizable
contraction hierarchies, *ACM Journal of Experimental Algorithmics* 24, section 4. Deviation: the
sweep visits only what some zone can use, all of it for every origin.

For the words see :mod:`cczsim.kernels.hierarchy`.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cczsim.kernels._jit import parallel_kernel, sub_kernel
from cczsim.kernels.hierarchy import N_LANES, NONE, count_slots


@sub_kernel
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
                least, chosen = label[other, lane], above[other, lane]
                above[other, lane] = k if here < least else chosen
                label[other, lane] = here if here < least else least


@sub_kernel
def descend(net: Any, metric: Any, batch: int, label: Any) -> None:
    """Label all places from those of higher rank; see :func:`climb`."""
    at, stop = net.batch_first[batch], net.batch_first[batch + 1]
    for place in range(len(net.place_node)):
        if at < stop and net.batch_place[at] == place:
            at += 1
        else:
            for lane in range(N_LANES):
                label[place, lane] = np.inf
        for k in range(metric.in_first[place], metric.in_first[place + 1], 2):
            cost, cost_2 = metric.in_cost[k], metric.in_cost[k + 1]
            other, other_2 = metric.in_place[k], metric.in_place[k + 1]
            for lane in range(N_LANES):
                here, here_2 = label[other, lane] + cost, label[other_2, lane] + cost_2
                here = here_2 if here_2 < here else here
                label[place, lane] = here if here < label[place, lane] else label[place, lane]


@sub_kernel
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
        for k in range(metric.in_first[place], metric.in_first[place + 1], 2):
            cost, cost_2 = metric.in_cost[k], metric.in_cost[k + 1]
            other, other_2 = metric.in_place[k], metric.in_place[k + 1]
            for lane in range(N_LANES):
                here, here_2 = label[other, lane] + cost, label[other_2, lane] + cost_2
                least, chosen = label[place, lane], below[place, lane]
                chosen = k if here < least else chosen
                least = here if here < least else least
                below[place, lane] = k + 1 if here_2 < least else chosen
                label[place, lane] = here_2 if here_2 < least else least


@sub_kernel
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


@sub_kernel
def count_lanes(net: Any, batch: int) -> int:
    """Return how many origins a batch holds."""
    n_used = N_LANES
    while net.batch_zone[batch, n_used - 1] == NONE:
        n_used -= 1
    return n_used


@sub_kernel
def skim_batch(
    net: Any, metric: Any, link_cost: Any, batch: int, label: Any, above: Any, od_cost: Any
) -> float:
    """Find the least costs from a batch's origins, and return the largest; see :func:`skim`."""
    climb(net, metric, link_cost, batch, label, above)
    descend(net, metric, batch, label)
    close(net, link_cost, batch, label, above[:0])
    lanes = net.batch_zone[batch]
    n_used = count_lanes(net, batch)
    most = np.zeros(N_LANES)
    for other in range(len(net.zone_place)):
        place = net.zone_place[other]
        for lane in range(n_used):
            od_cost[lanes[lane], other] = label[place, lane]
        for lane in range(N_LANES):
            here = label[place, lane] if label[place, lane] < np.inf else 0.0
            most[lane] = here if here > most[lane] else most[lane]
    largest: float = most.max()
    return largest


@parallel_kernel
def skim(
    net: Any, metric: Any, link_cost: Any, n_workers: int, label: Any, above: Any, od_cost: Any
) -> float:
    """Find the least costs between zones, and return the largest of those that are finite.

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
    n_batches = len(net.batch_zone)
    most = np.zeros(n_workers)
    for worker in numba.prange(n_workers):
        for batch in range(worker, n_batches, n_workers):
            here = skim_batch(net, metric, link_cost, batch, label[worker], above[worker], od_cost)
            most[worker] = max(most[worker], here)
    largest: float = most.max()
    return largest


@sub_kernel
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
    out_slot = metric.in_first[-1]
    seed_slot = out_slot + metric.out_first[-1]
    direct_slot = seed_slot + len(net.seed_link)
    first, at = net.batch_first[batch], net.batch_first[batch + 1] - 1
    for place in range(len(net.place_node) - 1, -1, -1):
        climbed = at >= first and net.batch_place[at] == place
        if climbed:
            at -= 1
        # Neighbours mostly come by the same arc: their sum is kept at hand and stored once.
        same, gathered = NONE, 0.0
        for lane in range(N_LANES):
            here = flow[place, lane]
            if here == 0.0:
                continue
            k = below[place, lane]
            if k >= 0:
                if k != same:
                    if same != NONE:
                        total[same] += gathered
                    same, gathered = k, 0.0
                gathered += here
                flow[metric.in_place[k], lane] += here
            elif k < NONE:
                total[direct_slot - 2 - k] += here
            elif climbed:
                continue
            flow[place, lane] = 0.0
        if same != NONE:
            total[same] += gathered
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


@sub_kernel
def put_demand(net: Any, batch: int, demand: Any, flow: Any) -> None:
    """Put the demand of a batch's origins where it leaves the network."""
    n_zones, zone_place, lanes = len(net.zone_place), net.zone_place, net.batch_zone[batch]
    n_used = count_lanes(net, batch)
    # As many destinations at a time as a line of the cache holds.
    for first in range(0, n_zones, 8):
        stop = min(first + 8, n_zones)
        for lane in range(n_used):
            origin = lanes[lane]
            at = zone_place[origin]
            for other in range(first, stop):
                place = zone_place[other]
                flow[place, lane] += demand[origin, other] if place != at else 0.0


@sub_kernel
def load_batch(
    net: Any, metric: Any, link_cost: Any, batch: int, label: Any, above: Any, below: Any,
    flow: Any, demand: Any, total: Any,
) -> None:  # fmt: skip
    """Load the demand of a batch's origins; see :func:`load`."""
    climb(net, metric, link_cost, batch, label, above)
    descend_tree(net, metric, batch, label, below)
    close(net, link_cost, batch, label, below)
    put_demand(net, batch, demand, flow)
    push(net, metric, batch, above, below, flow, total)


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
        Scratch space but for the first row: flow by slots as in :func:`push`, the sum of fixed
        blocks of batches in order.
    """
    n_batches = len(net.batch_zone)
    n_blocks = len(block_total)
    n_slots = count_slots(net, metric)
    # One parallel loop for both, which is compiled in half the time.
    for phase in range(2):
        for worker in numba.prange(n_workers):
            if phase == 0:
                for block in range(worker, n_blocks, n_workers):
                    total = block_total[block]
                    total[:n_slots] = 0.0
                    stop = (block + 1) * n_batches // n_blocks
                    for batch in range(block * n_batches // n_blocks, stop):
                        load_batch(
                            net,
                            metric,
                            link_cost,
                            batch,
                            label[worker],
                            above[worker],
                            below[worker],
                            flow[worker],
                            demand,
                            total,
                        )
            else:
                begin, end = worker * n_slots // n_workers, (worker + 1) * n_slots // n_workers
                for block in range(1, n_blocks):
                    for slot in range(begin, end):
                        block_total[0, slot] += block_total[block, slot]
