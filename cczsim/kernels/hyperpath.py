"""Optimal strategies on a transit network.

Source: H. Spiess and M. Florian (1989), Optimal strategies: a new assignment model for transit
networks, *Transportation Research B* 23(2), section 3. Deviations: labels are set node by node on
a heap instead of link by link, which the constant boarding penalty allows; a stop holds the label
of its best walk beside that of its attractive lines and takes the lesser.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.kernels._jit import block_kernel, sub_kernel
from cczsim.kernels.heap import remove_least, sift_up

# Rows of the parts of a label.
WEIGHTED, IN_VEHICLE, WAIT, WALK, BOARDINGS = 0, 1, 2, 3, 4
N_PARTS = 5


@sub_kernel
def _lower(node: int, key: float, label: Any, heap: Any, keys: Any, size: int) -> int:
    """Give a node a lower label and return the heap's size."""
    nodes, position = heap[0], heap[1]
    place = position[node]
    if place < 0:
        place = size
        nodes[place] = node
        size += 1
    label[node] = key
    keys[place] = key
    sift_up(nodes, keys, position, place)
    return size


@sub_kernel
def label_nodes(
    net: Any, weight: Any, zone: int, parts: Any, via: Any, rate: Any, heap: Any, keys: Any,
    order: Any,
) -> int:  # fmt: skip
    """Find the optimal strategy from every stop and line entry to one destination zone.

    Parameters
    ----------
    net : LineGraph
    weight : float64 array [4]
        Weights of walking and waiting, boarding penalty in s, and the factor of the headway that
        is waited for a single line.
    zone : int
    parts : float64 array [N_PARTS, stop + entry], written
        Expected weighted time, in-vehicle time, wait, walk (s) and boardings to the zone.
    via : int32 array [stop + entry], written
        Stop: walk it takes, -1 if it waits for lines, -2 if it walks to the zone. Entry: 1 if
        passengers stay aboard, 0 if they alight, -1 if the line is not attractive at its stop
        and was not boarded (bit 1, value + 2, marks attractive lines).
    rate : float64 array [stop], written
        Frequency of the attractive lines together, 1/s.
    heap : int32 array [2, stop + entry]
    keys : float64 array [stop + entry]
    order : int32 array [stop + entry], written
        Reached nodes by rising label.

    Returns
    -------
    int
        Number of reached nodes.
    """
    n_stops = len(net.stop_first) - 1
    n_nodes = n_stops + len(net.entry_stop)
    label = parts[WEIGHTED]
    done = np.zeros(n_nodes, np.bool_)
    gathered = np.zeros((N_PARTS, n_stops))
    for node in range(n_nodes):
        label[node] = np.inf
        heap[1, node] = -1
        via[node] = -1
    for stop in range(n_stops):
        rate[stop] = 0.0
    size = 0
    for a in range(net.zone_first[zone], net.zone_first[zone + 1]):
        stop = net.access_stop[net.zone_access[a]]
        time = net.access_time[net.zone_access[a]]
        if weight[0] * time < label[stop]:
            size = _lower(stop, weight[0] * time, label, heap, keys, size)
            via[stop] = -2
            parts[IN_VEHICLE, stop] = 0.0
            parts[WAIT, stop] = 0.0
            parts[WALK, stop] = time
            parts[BOARDINGS, stop] = 0.0
    reached = 0
    while size > 0:
        node = heap[0, 0]
        size = remove_least(heap[0], keys, heap[1], size)
        done[node] = True
        order[reached] = node
        reached += 1
        if node < n_stops:
            if via[node] == -1:
                for part in range(1, N_PARTS):
                    parts[part, node] = gathered[part, node] / rate[node]
                parts[WAIT, node] += weight[3] / rate[node]
            for e in range(net.stop_first[node], net.stop_first[node + 1]):
                other = n_stops + net.stop_entry[e]
                if not done[other] and label[node] < label[other]:
                    size = _lower(other, label[node], label, heap, keys, size)
                    via[other] = 0
                    for part in range(1, N_PARTS):
                        parts[part, other] = parts[part, node]
            for w in range(net.walk_first[node], net.walk_first[node + 1]):
                walk = net.walk_in[w]
                other = net.walk_from[walk]
                key = label[node] + weight[0] * net.walk_time[walk]
                if not done[other] and key < label[other]:
                    size = _lower(other, key, label, heap, keys, size)
                    via[other] = walk
                    for part in range(1, N_PARTS):
                        parts[part, other] = parts[part, node]
                    parts[WALK, other] += net.walk_time[walk]
            continue
        entry = node - n_stops
        if not net.entry_begins[entry]:
            other = node - 1
            key = label[node] + net.run_time[entry - 1] + net.run_fare[entry - 1]
            if not done[other] and key < label[other]:
                size = _lower(other, key, label, heap, keys, size)
                via[other] = 1
                for part in range(1, N_PARTS):
                    parts[part, other] = parts[part, node]
                parts[IN_VEHICLE, other] += net.run_time[entry - 1]
        stop = net.entry_stop[entry]
        key = label[node] + weight[2]
        if done[stop] or via[node] != 1:
            continue
        frequency = net.frequency[entry]
        waiting = np.inf
        if rate[stop] > 0.0:
            waiting = (weight[1] * weight[3] + gathered[WEIGHTED, stop]) / rate[stop]
        if key >= waiting:
            continue
        rate[stop] += frequency
        gathered[WEIGHTED, stop] += frequency * key
        for part in range(1, N_PARTS):
            gathered[part, stop] += frequency * parts[part, node]
        gathered[BOARDINGS, stop] += frequency
        via[node] = 3
        waiting = (weight[1] * weight[3] + gathered[WEIGHTED, stop]) / rate[stop]
        if waiting < label[stop]:
            size = _lower(stop, waiting, label, heap, keys, size)
            via[stop] = -1
    return reached


@sub_kernel
def board_from(net: Any, zone: int, parts: Any, weight: Any, origin: int) -> int:
    """Return the access that an origin leaves by, -1 if no strategy from it boards a line."""
    best = np.inf
    chosen = -1
    for a in range(net.zone_first[origin], net.zone_first[origin + 1]):
        access = net.zone_access[a]
        stop = net.access_stop[access]
        key = parts[WEIGHTED, stop] + weight[0] * net.access_time[access]
        # A strategy that boards nothing is a walk, not a transit trip.
        if origin != zone and key < best and parts[BOARDINGS, stop] > 0.0:
            best = key
            chosen = access
    return chosen


@sub_kernel
def load_strategy(
    net: Any, zone: int, via: Any, order: Any, reached: int, flow: Any, entry_flow: Any,
    walk_flow: Any, egress_flow: Any,
) -> None:  # fmt: skip
    """Send flow at stops along one strategy to its zone.

    Parameters
    ----------
    net : LineGraph
    zone : int
    via, order : int32 array [stop + entry]
        From :func:`label_nodes`.
    reached : int
        Length of ``order`` that counts.
    flow : float64 array [stop + entry], trips/h
        At stops on entry; all 0 afterwards.
    entry_flow : float64 array [3, entry], added to
        Aboard on the run that leaves the entry, boardings, alightings.
    walk_flow : float64 array [walk], added to
    egress_flow : float64 array [access], added to
    """
    n_stops = len(net.stop_first) - 1
    for place in range(reached - 1, -1, -1):
        node = order[place]
        here = flow[node]
        flow[node] = 0.0
        if here == 0.0:
            continue
        if node >= n_stops:
            entry = node - n_stops
            if via[node] & 1:
                entry_flow[0, entry] += here
                flow[node + 1] += here
            else:
                entry_flow[2, entry] += here
                flow[net.entry_stop[entry]] += here
        elif via[node] >= 0:
            walk_flow[via[node]] += here
            flow[net.walk_to[via[node]]] += here
        elif via[node] == -1:
            rate = 0.0
            for e in range(net.stop_first[node], net.stop_first[node + 1]):
                if via[n_stops + net.stop_entry[e]] == 3:
                    rate += net.frequency[net.stop_entry[e]]
            for e in range(net.stop_first[node], net.stop_first[node + 1]):
                entry = net.stop_entry[e]
                if via[n_stops + entry] == 3:
                    share = here * net.frequency[entry] / rate
                    entry_flow[1, entry] += share
                    flow[n_stops + entry] += share
        else:
            best = np.inf
            chosen = -1
            for a in range(net.zone_first[zone], net.zone_first[zone + 1]):
                access = net.zone_access[a]
                if net.access_stop[access] == node and net.access_time[access] < best:
                    best = net.access_time[access]
                    chosen = access
            egress_flow[chosen] += here


@block_kernel
def assign_block(block: int, net: Any, weight: Any, trips: Any, skims: Any, block_entry_flow: Any,
                 block_walk_flow: Any, block_access_flow: Any, rides: Any) -> None:  # fmt: skip
    """Skim and load the destinations of a block.

    Parameters
    ----------
    net : LineGraph
    weight : float64 array [4]
        See :func:`label_nodes`.
    trips : float64 array [zone, zone], trips/h
    skims : float64 array [N_PARTS, zone, zone], written
        inf (boardings too) where no way leads; 0 on the diagonal.
    block_entry_flow : float64 array [block, 3, entry], the block's written
        Flow that stays aboard on the run that leaves the entry, boardings, alightings.
    block_walk_flow : float64 array [block, walk], the block's written
    block_access_flow : float64 array [block, 2, access], the block's written
        To and from stops.
    rides : bool array [zone, access], written
        Whether the best strategy from the access to the zone boards a line; no rows if not wanted.
    """
    n_blocks = len(block_entry_flow)
    entry_flow = block_entry_flow[block]
    walk_flow = block_walk_flow[block]
    access_flow = block_access_flow[block]
    n_zones = len(net.zone_first) - 1
    n_stops = len(net.stop_first) - 1
    n_nodes = n_stops + len(net.entry_stop)
    entry_flow[:] = 0.0
    walk_flow[:] = 0.0
    access_flow[:] = 0.0
    parts = np.empty((N_PARTS, n_nodes))
    via = np.empty(n_nodes, np.int32)
    rate = np.empty(n_stops)
    heap = np.empty((2, n_nodes), np.int32)
    keys = np.empty(n_nodes)
    order = np.empty(n_nodes, np.int32)
    flow = np.zeros(n_nodes)
    for zone in range(block * n_zones // n_blocks, (block + 1) * n_zones // n_blocks):
        reached = label_nodes(net, weight, zone, parts, via, rate, heap, keys, order)
        for origin in range(n_zones):
            chosen = board_from(net, zone, parts, weight, origin)
            skim_origin(net, zone, parts, weight, origin, chosen, skims)
            if chosen >= 0:
                flow[net.access_stop[chosen]] += trips[origin, zone]
                access_flow[0, chosen] += trips[origin, zone]
        load_strategy(net, zone, via, order, reached, flow, entry_flow, walk_flow,
                      access_flow[1])  # fmt: skip
        if len(rides) > 0:
            for access in range(len(net.access_stop)):
                stop = net.access_stop[access]
                rides[zone, access] = (
                    parts[WEIGHTED, stop] < np.inf and parts[BOARDINGS, stop] > 0.0
                )


@sub_kernel
def skim_origin(
    net: Any, zone: int, parts: Any, weight: Any, origin: int, chosen: int, skims: Any
) -> None:
    """Write the skims of one pair of zones; ``chosen`` is what :func:`board_from` returned."""
    for part in range(N_PARTS):
        skims[part, origin, zone] = 0.0 if origin == zone else np.inf
    if chosen >= 0:
        stop = net.access_stop[chosen]
        for part in range(1, N_PARTS):
            skims[part, origin, zone] = parts[part, stop]
        skims[WEIGHTED, origin, zone] = parts[WEIGHTED, stop] + weight[0] * net.access_time[chosen]
        skims[WALK, origin, zone] += net.access_time[chosen]
