"""Times between places by a timetable, for every departure of a window.

Source: D. Delling, T. Pajor and R. F. Werneck (2012), Round-based public transit routing, *ALENEX*.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cczsim.assignment.threads import by_block
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.kernels.raptor import travel_times
from cczsim.network.timetable import Timetable


class TimetableGraph(NamedTuple):
    """The arrays that the kernel takes; calls and walks are grouped by stop."""

    route_first: Array
    trip_first: Array
    time_first: Array
    route_stop: Array
    arrival: Array
    departure: Array
    change_time: Array
    stop_first: Array
    stop_route: Array
    stop_place: Array
    walk_first: Array
    walk_to: Array
    walk_time: Array


def timetable_graph(timetable: Timetable) -> TimetableGraph:
    """Return the view of a timetable that is searched."""
    calls = np.argsort(timetable.route_stop, kind="stable")
    route = np.repeat(np.arange(len(timetable.route_id)), np.diff(timetable.route_first))
    place = np.arange(len(route)) - timetable.route_first[route]
    walks = np.argsort(timetable.walk_from, kind="stable")
    return TimetableGraph(
        timetable.route_first,
        timetable.trip_first,
        timetable.time_first,
        timetable.route_stop,
        timetable.arrival,
        timetable.departure,
        timetable.change_time,
        _offsets(timetable.route_stop, timetable.n_stops),
        route[calls].astype(np.int32),
        place[calls].astype(np.int32),
        _offsets(timetable.walk_from, timetable.n_stops),
        timetable.walk_to[walks],
        timetable.walk_time[walks],
    )


def _offsets(keys: Array, size: int) -> Array:
    first = np.zeros(size + 1, dtype=np.int32)
    np.cumsum(np.bincount(keys, minlength=size), out=first[1:])
    return first


class Ways(NamedTuple):
    """Ways on foot between places and stops: ``place, stop [way]``, ``time [way], s``."""

    place: Array
    stop: Array
    time: Array

    def grouped(self, n_places: int) -> tuple[Array, Array, Array]:
        """Return offsets by place, stops and times."""
        order = np.argsort(self.place, kind="stable")
        first = _offsets(self.place, n_places)
        return first, self.stop[order].astype(np.int32), self.time[order].astype(np.float64)


def timetable_times(
    timetable: Timetable, n_places: int, ways: Ways, departures: Array, *, max_rides: int = 5,
    origins: Array | None = None,
) -> Array:  # fmt: skip
    """Return the times from places to places, ``[origin, departure, place], s``.

    Parameters
    ----------
    timetable : Timetable
    n_places : int
    ways : Ways
        From places to stops and, as long, back.
    departures : array [departure], s
        Rising.
    max_rides : int
        Vehicles boarded at most.
    origins : array [origin], optional
        Places to start from; all if None.

    Returns
    -------
    array
        inf where no way leads; a place and itself have 0. Walks all the way are not looked for.

    Raises
    ------
    AssignmentError
        Departures that do not rise, or no ride allowed.
    """
    departures = np.ascontiguousarray(departures, dtype=np.float64)
    if (np.diff(departures) <= 0.0).any() or max_rides < 1:
        raise AssignmentError.of("departures", "times that do not rise", "rising, and a ride")
    origins = np.arange(n_places) if origins is None else np.asarray(origins)
    if not len(origins):
        return np.empty((0, len(departures), n_places))
    first, stop, time = ways.grouped(n_places)
    sizes = np.diff(first)[origins]
    rows = np.concatenate([np.arange(first[o], first[o + 1]) for o in origins]).astype(int)
    own_first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    times = np.empty((len(origins), len(departures), n_places))
    by_block(
        travel_times, len(origins), timetable_graph(timetable), own_first, stop[rows], time[rows],
        first, stop, time, departures, max_rides, times,
    )  # fmt: skip
    times[np.arange(len(origins)), :, origins] = 0.0
    return times


def compile_search() -> None:
    """Compile the search, or take it from the cache, on a run between two stops."""
    two = np.arange(2)
    timetable = Timetable(
        stop_id=np.array(["a", "b"]), stop_lon=np.zeros(2), stop_lat=np.zeros(2),
        change_time=np.zeros(2), route_id=np.array(["1"]), route_first=np.array([0, 2]),
        trip_first=np.array([0, 1]), time_first=np.array([0, 2]), route_stop=two,
        arrival=np.zeros(2), departure=np.zeros(2),
    )  # fmt: skip
    timetable_times(timetable, 2, Ways(two, two, np.zeros(2)), np.zeros(1))
