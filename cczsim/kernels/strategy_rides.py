"""Rides of the most likely way of each strategy."""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.kernels._jit import block_kernel
from cczsim.kernels.hyperpath import N_PARTS, board_from, label_nodes


@block_kernel
def rides_of_block(block: int, n_blocks: int, net: Any, weight: Any, rides: Any) -> None:
    """Follow the strategies to the destinations of a block.

    At a stop the line of the highest frequency among the attractive ones is boarded, of several
    the one of the lowest entry.

    Parameters
    ----------
    n_blocks : int
    net : LineGraph
    weight : float64 array [4]
        See :func:`cczsim.kernels.hyperpath.label_nodes`.
    rides : int32 array [zone to, zone from, ride, 2], written
        Entries where the ride begins and ends, in order; -1 beyond the last. Rides that find no
        room are left out.
    """
    n_zones = len(net.zone_first) - 1
    n_stops = len(net.stop_first) - 1
    n_nodes = n_stops + len(net.entry_stop)
    parts = np.empty((N_PARTS, n_nodes))
    via = np.empty(n_nodes, np.int32)
    rate = np.empty(n_stops)
    heap = np.empty((2, n_nodes), np.int32)
    keys = np.empty(n_nodes)
    order = np.empty(n_nodes, np.int32)
    for zone in range(block * n_zones // n_blocks, (block + 1) * n_zones // n_blocks):
        label_nodes(net, weight, zone, parts, via, rate, heap, keys, order)
        for origin in range(n_zones):
            here = rides[zone, origin]
            here[:] = -1
            chosen = board_from(net, zone, parts, weight, origin)
            if chosen < 0:
                continue
            stop = net.access_stop[chosen]
            ride = 0
            while via[stop] != -2:
                if via[stop] >= 0:
                    stop = net.walk_to[via[stop]]
                    continue
                entry = -1
                for e in range(net.stop_first[stop], net.stop_first[stop + 1]):
                    other = net.stop_entry[e]
                    if via[n_stops + other] == 3 and (
                        entry < 0 or net.frequency[other] > net.frequency[entry]
                    ):
                        entry = other
                last = entry
                while via[n_stops + last] & 1:
                    last += 1
                if ride < len(here):
                    here[ride, 0] = entry
                    here[ride, 1] = last
                ride += 1
                stop = net.entry_stop[last]
