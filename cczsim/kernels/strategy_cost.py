"""What a strategy costs from each of its nodes, and how often it boards, at any frequencies."""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.kernels._jit import sub_kernel


@sub_kernel
def price_strategy(
    net: Any, weight: Any, zone: int, via: Any, order: Any, reached: int, cost: Any, boards: Any
) -> None:
    """Find the expected cost and boardings of a strategy from each of its nodes.

    Parameters
    ----------
    net : LineGraph
    weight : float64 array [4]
        See :func:`~.hyperpath.label_nodes`.
    via, order : int32 array [stop + entry]
        From :func:`~.hyperpath.label_nodes`.
    reached : int
        Length of ``order`` that counts.
    cost : float64 array [stop + entry], s, written where the strategy leads
    boards : float64 array [stop + entry], likewise
    """
    n_stops = len(net.stop_first) - 1
    for place in range(reached):
        node = order[place]
        if node >= n_stops:
            entry = node - n_stops
            if via[node] & 1:
                cost[node] = net.run_time[entry] + net.run_fare[entry] + cost[node + 1]
                boards[node] = boards[node + 1]
            else:
                cost[node] = cost[net.entry_stop[entry]]
                boards[node] = boards[net.entry_stop[entry]]
        elif via[node] >= 0:
            cost[node] = weight[0] * net.walk_time[via[node]] + cost[net.walk_to[via[node]]]
            boards[node] = boards[net.walk_to[via[node]]]
        elif via[node] == -2:
            best = np.inf
            for a in range(net.zone_first[zone], net.zone_first[zone + 1]):
                if net.access_stop[net.zone_access[a]] == node:
                    best = min(best, net.access_time[net.zone_access[a]])
            cost[node] = weight[0] * best
            boards[node] = 0.0
        else:
            rate, ahead, often = 0.0, 0.0, 0.0
            for e in range(net.stop_first[node], net.stop_first[node + 1]):
                entry = net.stop_entry[e]
                if via[n_stops + entry] == 3:
                    rate += net.frequency[entry]
                    ahead += net.frequency[entry] * (weight[2] + cost[n_stops + entry])
                    often += net.frequency[entry] * (1.0 + boards[n_stops + entry])
            cost[node] = (weight[1] * weight[3] + ahead) / rate
            boards[node] = often / rate
