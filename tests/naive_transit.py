"""The slow twin of optimal strategies: labels by repeated relaxation, flows by a linear system."""

from __future__ import annotations

import numpy as np

from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.network.transit import TransitNetwork


def strategies(
    net: TransitNetwork, n_zones: int, trips: Array, params: TransitParams
) -> tuple[Array, Array]:
    """Return the weighted skim ``[zone, zone]`` and boardings ``[entry]``."""
    n, m = net.n_stops, len(net.line_stop)
    last = np.zeros(m, dtype=bool)
    last[net.line_first[1:] - 1] = True
    frequency = np.repeat(1.0 / net.headway, np.diff(net.line_first))
    skim = np.full((n_zones, n_zones), np.inf)
    boardings = np.zeros(m)
    for zone in range(n_zones):
        stop, entry = np.full(n, np.inf), np.full(m, np.inf)
        while True:
            before = np.concatenate([stop, entry])
            move = np.zeros((n + m, n + m))
            taken = np.zeros((n, m))
            for e in range(m - 1, -1, -1):
                ride = np.inf if last[e] else net.run_time[e] + entry[e + 1]
                leave = stop[net.line_stop[e]]
                entry[e] = min(ride, leave)
                if np.isfinite(entry[e]):
                    move[n + e, n + e + 1 if ride < leave else net.line_stop[e]] = 1.0
            for i in range(n):
                own = np.flatnonzero((net.access_zone == zone) & (net.access_stop == i))
                best = params.walk_weight * min(net.access_time[own], default=np.inf)
                row = np.zeros(n + m)
                for w in np.flatnonzero(net.walk_from == i):
                    cost = params.walk_weight * net.walk_time[w] + stop[net.walk_to[w]]
                    if cost < best:
                        best, row = cost, np.zeros(n + m)
                        row[net.walk_to[w]] = 1.0
                total, rate, used = params.wait_weight * params.wait_factor, 0.0, []
                ahead = [
                    (params.boarding_penalty + net.run_time[e] + entry[e + 1], e)
                    for e in np.flatnonzero(net.line_stop == i)
                    if not last[e]
                ]
                for cost, e in sorted(ahead):
                    if np.isfinite(cost) and (rate == 0.0 or cost < total / rate):
                        total, rate = total + frequency[e] * cost, rate + frequency[e]
                        used.append(e)
                if used and total / rate < best:
                    best, row = total / rate, np.zeros(n + m)
                    row[[n + e + 1 for e in used]] = frequency[used] / rate
                    taken[i, used] = frequency[used] / rate
                stop[i], move[i] = best, row
            if np.array_equal(before, np.concatenate([stop, entry])):
                break
        rides = taken.sum(axis=1) > 0.0
        for _ in range(n + 1):
            walked = [net.walk_to[np.flatnonzero(net.walk_from == i)] for i in range(n)]
            rides |= np.array([any(move[i, j] and rides[j] for j in walked[i]) for i in range(n)])
        put = np.zeros(n + m)
        for origin in range(n_zones):
            rows = [a for a in np.flatnonzero(net.access_zone == origin)
                    if rides[net.access_stop[a]]]  # fmt: skip
            costs = [params.walk_weight * net.access_time[a] + stop[net.access_stop[a]]
                     for a in rows]  # fmt: skip
            if origin == zone:
                skim[origin, zone] = 0.0
            elif rows and np.isfinite(min(costs)):
                skim[origin, zone] = min(costs)
                put[net.access_stop[rows[int(np.argmin(costs))]]] += trips[origin, zone]
        flow = np.linalg.solve(np.eye(n + m) - move.T, put)
        boardings += flow[:n] @ taken
    return skim, boardings
