"""The slow twin of crowding: conditions by scalar formulas, least costs by relaxation."""

from __future__ import annotations

import numpy as np

from cczsim.assignment.transit_conditions import LEAST_FREQUENCY, ROOM
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.network.transit import MODES, TransitNetwork


def ride_and_frequency(
    net: TransitNetwork, params: TransitParams, aboard: Array
) -> tuple[Array, Array]:
    """Return the cost of each run and the effective frequency at each entry, one by one."""
    cost, frequency = np.zeros(len(aboard)), np.zeros(len(aboard))
    for line in range(net.n_lines):
        places = net.seats_and_standing[line] * 3600.0 / net.headway[line]
        seats, density = ROOM[MODES[net.mode[line]]]
        for e in range(net.line_first[line], net.line_first[line + 1]):
            load = aboard[e] / places
            weight = 1.0
            if load > seats:
                weight += params.standing_penalty * (1.0 - seats / load)
                weight += params.crowding_penalty * density * (load - seats) / (1.0 - seats)
            cost[e] = net.run_time[e] * weight
            left = 1.0
            if params.crowding == "capacity":
                left = 1.0 - load**params.full_power
                assert left > LEAST_FREQUENCY
            frequency[e] = left / net.headway[line]
    return cost, frequency


def least_costs(
    net: TransitNetwork, n_zones: int, params: TransitParams, cost: Array, frequency: Array,
    serves: Array | None = None,
) -> tuple[Array, Array]:  # fmt: skip
    """Return the least expected cost between zones at given costs, ``[zone, zone]``.

    Second, whether lines are boarded from each stop to each zone; ``serves`` is that of the empty
    network, from whose other stops nobody leaves.
    """
    boards = np.zeros((n_zones, net.n_stops), dtype=bool)
    n, m = net.n_stops, len(net.line_stop)
    last = np.zeros(m, dtype=bool)
    last[net.line_first[1:] - 1] = True
    skim = np.full((n_zones, n_zones), np.inf)
    for zone in range(n_zones):
        stop, entry = np.full(n, np.inf), np.full(m, np.inf)
        rides = np.zeros(n, dtype=bool)
        for _ in range(4 * (n + m)):
            before = np.concatenate([stop, entry])
            for e in range(m - 1, -1, -1):
                ride = np.inf if last[e] else cost[e] + entry[e + 1]
                entry[e] = min(ride, stop[net.line_stop[e]])
            for i in range(n):
                own = (net.access_zone == zone) & (net.access_stop == i)
                best = params.walk_weight * min(net.access_time[own], default=np.inf)
                rides[i] = False
                for w in np.flatnonzero(net.walk_from == i):
                    value = params.walk_weight * net.walk_time[w] + stop[net.walk_to[w]]
                    if value < best:
                        best, rides[i] = value, rides[net.walk_to[w]]
                total, rate = params.wait_weight * params.wait_factor, 0.0
                ahead = [
                    (params.boarding_penalty + cost[e] + entry[e + 1], e)
                    for e in np.flatnonzero(net.line_stop == i)
                    if not last[e]
                ]
                for value, e in sorted(ahead):
                    if np.isfinite(value) and (rate == 0.0 or value < total / rate):
                        total, rate = total + frequency[e] * value, rate + frequency[e]
                if rate > 0.0 and total / rate < best:
                    best, rides[i] = total / rate, True
                stop[i] = best
            if np.array_equal(before, np.concatenate([stop, entry])):
                break
        boards[zone] = rides
        leads = rides if serves is None else serves[zone]
        for origin in range(n_zones):
            own = [
                params.walk_weight * net.access_time[a] + stop[net.access_stop[a]]
                for a in np.flatnonzero(net.access_zone == origin)
                if leads[net.access_stop[a]]
            ]
            skim[origin, zone] = 0.0 if origin == zone else min(own, default=np.inf)
    return skim, boards
