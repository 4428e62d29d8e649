"""Earliest arrivals by a timetable, for every departure of a window.

Source: D. Delling, T. Pajor and R. F. Werneck (2012), Round-based public transit routing, *ALENEX*,
section 4.1 (rRAPTOR): departures are taken from the last to the first, and labels are kept between
them. Between two rides there is one walk at most. Trips of a route do not overtake each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.kernels._jit import block_kernel, sub_kernel


@sub_kernel
def _scan(net: Any, route: int, begin: int, ready: Any, ride: Any, rank: int, touched: Any) -> None:
    """Take the earliest trips along a route from a position on; note what they improve."""
    first_stop = net.route_first[route]
    n_stops = net.route_first[route + 1] - first_stop
    n_trips = net.trip_first[route + 1] - net.trip_first[route]
    base = net.time_first[route]
    trip = n_trips
    for place in range(begin, n_stops):
        stop = net.route_stop[first_stop + place]
        if trip < n_trips:
            arrival = net.arrival[base + trip * n_stops + place]
            better = True
            for earlier in range(rank + 1):
                better = better and arrival < ride[earlier, stop]
            if better:
                ride[rank, stop] = arrival
                touched[stop] = True
        time = ready[rank - 1, stop]
        if time == np.inf or place == n_stops - 1:
            continue
        if trip == n_trips or time <= net.departure[base + trip * n_stops + place]:
            # The earliest trip that can be caught here, by halving.
            low, high = 0, trip
            while low < high:
                middle = (low + high) // 2
                if net.departure[base + middle * n_stops + place] >= time:
                    high = middle
                else:
                    low = middle + 1
            if low < trip:
                trip = low


@sub_kernel
def _depart(net: Any, access_stop: Any, access_time: Any, at: float, ready: Any, ride: Any,
            reach: Any, scan_from: Any, marked: Any, touched: Any) -> None:  # fmt: skip
    """Improve all labels of one origin by a departure before those that made them."""
    n_stops, n_routes = len(marked), len(scan_from)
    marked[:] = False
    for a in range(len(access_stop)):
        time = at + access_time[a]
        if time < ready[0, access_stop[a]]:
            ready[0, access_stop[a]] = time
            reach[access_stop[a]] = min(reach[access_stop[a]], time)
            marked[access_stop[a]] = True
    for rank in range(1, len(ready)):
        scan_from[:] = np.iinfo(np.int32).max
        found = False
        for stop in range(n_stops):
            if marked[stop]:
                for r in range(net.stop_first[stop], net.stop_first[stop + 1]):
                    route = net.stop_route[r]
                    scan_from[route] = min(scan_from[route], net.stop_place[r])
                    found = True
        if not found:
            return
        touched[:] = False
        for route in range(n_routes):
            if scan_from[route] < np.iinfo(np.int32).max:
                _scan(net, route, scan_from[route], ready, ride, rank, touched)
        marked[:] = False
        for stop in range(n_stops):
            if not touched[stop]:
                continue
            time = ride[rank, stop]
            reach[stop] = min(reach[stop], time)
            if time + net.change_time[stop] < ready[rank, stop]:
                ready[rank, stop] = time + net.change_time[stop]
                marked[stop] = True
            for w in range(net.walk_first[stop], net.walk_first[stop + 1]):
                other = net.walk_to[w]
                after = time + net.walk_time[w]
                reach[other] = min(reach[other], after)
                if after < ready[rank, other]:
                    ready[rank, other] = after
                    marked[other] = True


@block_kernel
def travel_times(origin: int, net: Any, origin_first: Any, access_stop: Any, access_time: Any,
                 destination_first: Any, egress_stop: Any, egress_time: Any, departures: Any,
                 max_rides: int, times: Any) -> None:  # fmt: skip
    """Find the times from an origin to all destinations, for all departures.

    Parameters
    ----------
    net : TimetableGraph
    origin_first : int32 array [origin + 1]
        Offsets of the origins' accesses.
    access_stop, access_time : array [access]
        Stop, and s from the origin to it.
    destination_first, egress_stop, egress_time
        Likewise from stops to destinations.
    departures : float64 array [departure], s
        In rising order.
    max_rides : int
    times : float64 array [origin, departure, destination], s, the origin's written
        From departure to arrival; inf where there is no way.
    """
    n_stops, n_routes = len(net.change_time), len(net.trip_first) - 1
    ready = np.full((max_rides + 1, n_stops), np.inf)
    ride = np.full((max_rides + 1, n_stops), np.inf)
    reach = np.full(n_stops, np.inf)
    scan_from = np.empty(n_routes, np.int32)
    marked = np.empty(n_stops, np.bool_)
    touched = np.empty(n_stops, np.bool_)
    begin, end = origin_first[origin], origin_first[origin + 1]
    for place in range(len(departures) - 1, -1, -1):
        _depart(net, access_stop[begin:end], access_time[begin:end], departures[place], ready,
                ride, reach, scan_from, marked, touched)  # fmt: skip
        for destination in range(len(destination_first) - 1):
            best = np.inf
            for e in range(destination_first[destination], destination_first[destination + 1]):
                best = min(best, reach[egress_stop[e]] + egress_time[e])
            times[origin, place, destination] = best - departures[place]
