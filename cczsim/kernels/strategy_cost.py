"""What strategies cost, how steeply that rises with their flow, and frequencies that agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.kernels._jit import kernel, sub_kernel


@sub_kernel
def price_strategy(
    net: Any, weight: Any, zone: int, via: Any, order: Any, reached: int, bend_run: Any,
    bend_wait: Any, cost: Any, bend: Any,
) -> None:  # fmt: skip
    """Find the expected cost of a strategy from each of its nodes, and how steep it is.

    Parameters
    ----------
    bend_run : float64 array [entry], s
        Flow on the run that leaves the entry times the derivative of its cost by that flow.
    bend_wait : float64 array [entry]
        Minus the elasticity of the entry's frequency to boardings.
    cost, bend : float64 array [stop + entry], s, written where the strategy leads
    """
    n_stops = len(net.stop_first) - 1
    for place in range(reached):
        node = order[place]
        if node >= n_stops:
            entry = node - n_stops
            if via[node] & 1:
                cost[node] = net.run_time[entry] + net.run_fare[entry] + cost[node + 1]
                bend[node] = bend_run[entry] + bend[node + 1]
            else:
                cost[node] = cost[net.entry_stop[entry]]
                bend[node] = bend[net.entry_stop[entry]]
        elif via[node] >= 0:
            ahead = net.walk_to[via[node]]
            cost[node] = weight[0] * net.walk_time[via[node]] + cost[ahead]
            bend[node] = bend[ahead]
        elif via[node] == -2:
            best = np.inf
            for a in range(net.zone_first[zone], net.zone_first[zone + 1]):
                if net.access_stop[net.zone_access[a]] == node:
                    best = min(best, net.access_time[net.zone_access[a]])
            cost[node] = weight[0] * best
            bend[node] = 0.0
        else:
            rate, ahead_cost, ahead_bend, slack = 0.0, 0.0, 0.0, 0.0
            for e in range(net.stop_first[node], net.stop_first[node + 1]):
                entry = net.stop_entry[e]
                if via[n_stops + entry] == 3:
                    frequency = net.frequency[entry]
                    rate += frequency
                    ahead_cost += frequency * (weight[2] + cost[n_stops + entry])
                    ahead_bend += frequency * bend[n_stops + entry]
                    slack += frequency / (1.0 + bend_wait[entry])
            wait = weight[1] * weight[3] / rate
            cost[node] = wait + ahead_cost / rate
            # More passengers turn to the lines with room: the elasticities add up harmonically.
            bend[node] = wait * (rate / slack - 1.0) + ahead_bend / rate


@kernel
def newton_step(
    net: Any, pair_first: Any, pairs: Any, boardings: Any, miss: Any, bend_wait: Any, step: Any
) -> None:
    """Find the change of frequencies by which they agree with the boardings they bring about.

    To first order, stop by stop: with ``P`` the pairs over the boardings of the first,
    ``(1 + b) step - b P step = miss``, a matrix with a dominant diagonal.

    Parameters
    ----------
    pair_first, pairs
        As in :func:`~.hyperpath.load_strategy`, summed over blocks.
    boardings : float64 array [entry], trips/h
    miss : float64 array [entry]
        Logarithm of the frequency that the boardings give less that of the present one.
    bend_wait : float64 array [entry]
        See :func:`price_strategy`.
    step : float64 array [entry], written
        Change of the logarithm; ``miss`` where pairs are not known.
    """
    for stop in range(len(net.stop_first) - 1):
        begin = net.stop_first[stop]
        size = net.stop_first[stop + 1] - begin
        if pair_first[stop] < 0:
            for e in range(size):
                step[net.stop_entry[begin + e]] = miss[net.stop_entry[begin + e]]
            continue
        matrix = np.zeros((size, size + 1))
        for e in range(size):
            entry = net.stop_entry[begin + e]
            matrix[e, size] = miss[entry]
            matrix[e, e] = 1.0
            if boardings[entry] > 0.0:
                matrix[e, e] += bend_wait[entry]
                for j in range(size):
                    share = pairs[pair_first[stop] + e * size + j] / boardings[entry]
                    matrix[e, j] -= bend_wait[entry] * share
        for e in range(size):
            for below in range(e + 1, size):
                factor = matrix[below, e] / matrix[e, e]
                if factor != 0.0:
                    for j in range(e, size + 1):
                        matrix[below, j] -= factor * matrix[e, j]
        for e in range(size - 1, -1, -1):
            value = matrix[e, size]
            for j in range(e + 1, size):
                value -= matrix[e, j] * step[net.stop_entry[begin + j]]
            step[net.stop_entry[begin + e]] = value / matrix[e, e]
