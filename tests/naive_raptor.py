"""The slow twin of the timetable search: connections relaxed until nothing changes."""

from __future__ import annotations

import numpy as np

from cczsim.columns import Array
from cczsim.network.timetable import Timetable


def arrivals(net: Timetable, start: dict[int, float], max_rides: int) -> Array:
    """Return the earliest arrival at each stop with at most so many rides, walks by the rules."""
    ready = np.full(net.n_stops, np.inf)
    for stop, time in start.items():
        ready[stop] = min(ready[stop], time)
    reach = ready.copy()
    for _ in range(max_rides):
        ride = np.full(net.n_stops, np.inf)
        for route in range(len(net.route_id)):
            stops = net.route_stop[net.route_first[route] : net.route_first[route + 1]]
            part = slice(net.time_first[route], net.time_first[route + 1])
            arrive = net.arrival[part].reshape(-1, len(stops))
            leave = net.departure[part].reshape(-1, len(stops))
            for run in range(len(arrive)):
                for p in range(len(stops)):
                    if ready[stops[p]] <= leave[run, p]:
                        for q in range(p + 1, len(stops)):
                            ride[stops[q]] = min(ride[stops[q]], arrive[run, q])
        after = ride + net.change_time
        np.minimum(reach, ride, out=reach)
        for a, b, time in zip(net.walk_from, net.walk_to, net.walk_time, strict=True):
            after[b] = min(after[b], ride[a] + time)
            reach[b] = min(reach[b], ride[a] + time)
        ready = np.minimum(ready, after)
    return reach
