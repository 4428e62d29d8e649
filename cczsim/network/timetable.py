"""A timetable: every run of every vehicle, by route, with changes and walks between stops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array, Columns, column
from cczsim.errors import ColumnError


@dataclass(frozen=True, eq=False)
class Timetable(Columns):
    """Runs by route: all runs of a route call at the same stops, and none overtakes another.

    Times of run ``t`` of route ``r`` at its place ``p`` stand at ``time_first[r] + t n + p``, ``n``
    being the number of the route's stops.

    Raises
    ------
    ColumnError
        Offsets that do not fit, a route with fewer than two stops, runs that overtake.
    """

    stop_id: Array = column("stop", "text", "", "outside id of the stop, unique")
    stop_lon: Array = column("stop", "float64", "deg", "longitude, WGS-84")
    stop_lat: Array = column("stop", "float64", "deg", "latitude, WGS-84")
    change_time: Array = column("stop", "float64", "s", "time to change at the stop", low=0.0)

    route_id: Array = column("route", "text", "", "line that the route belongs to")
    route_first: Array = column("route+1", "int32", "", "offset of the route's first call")
    trip_first: Array = column("route+1", "int32", "", "offset of the route's first run")
    time_first: Array = column("route+1", "int64", "", "offset of the route's first time")
    route_stop: Array = column("call", "int32", "", "stop of the call", index_of="stop")
    arrival: Array = column("time", "float64", "s", "after midnight of the date")
    departure: Array = column("time", "float64", "s", "after midnight of the date")

    walk_from: Array = column("walk", "int32", "", "stop", index_of="stop", default=0)
    walk_to: Array = column("walk", "int32", "", "stop", index_of="stop", default=0)
    walk_time: Array = column("walk", "float64", "s", "time of the walk", low=0.0, default=0.0)

    def check(self) -> None:
        """Check offsets, sizes, and that no run overtakes another of its route."""
        stops, trips = np.diff(self.route_first), np.diff(self.trip_first)
        if (stops < 2).any() or (trips < 1).any():
            raise ColumnError.of(
                "Timetable.route_first", "a route without a ride", "2 stops, a run"
            )
        if not np.array_equal(np.diff(self.time_first), stops.astype(np.int64) * trips):
            raise ColumnError.of("Timetable.time_first", "offsets that do not fit", "stops x runs")
        for route in range(len(stops)):
            part = slice(self.time_first[route], self.time_first[route + 1])
            for name in ("arrival", "departure"):
                times = getattr(self, name)[part].reshape(-1, stops[route])
                if (np.diff(times, axis=0) < 0.0).any():
                    raise ColumnError.of(
                        f"Timetable.{name}", f"a run of {self.route_id[route]} that overtakes",
                        "runs in order",
                    )  # fmt: skip

    @property
    def n_stops(self) -> int:
        """Number of stops."""
        return len(self.stop_id)

    @property
    def n_trips(self) -> int:
        """Number of runs."""
        return int(self.trip_first[-1])


def routes_without_overtaking(arrival: Array, departure: Array) -> list[Array]:
    """Return rows of runs in groups within which none overtakes, each in order.

    Parameters
    ----------
    arrival, departure : array [run, stop], s
    """
    order = np.lexsort((arrival[:, -1], departure[:, 0]))
    groups: list[list[int]] = []
    for run in order:
        for group in groups:
            last = group[-1]
            if (arrival[run] >= arrival[last]).all() and (departure[run] >= departure[last]).all():
                group.append(int(run))
                break
        else:
            groups.append([int(run)])
    return [np.array(group) for group in groups]
