"""GTFS feeds as timetables: every run of a window, with changes and walks between stops.

Rules, numbered in the code; those of trips and their times stand in :mod:`cczsim.io.gtfs_trips`
and :mod:`cczsim.io.gtfs_visits`:

1. A run counts if it arrives after the window begins and leaves before it ends, or up to the
   longest journey after that; service days before the date are looked at, as 25:00 is past
   midnight.
2. A trip of ``frequencies.txt`` runs at ``start_time`` and each ``headway_secs`` after it, before
   ``end_time``, whatever ``exact_times`` says.
3. Runs over the same stops are a route; those that overtake are told into routes of their own.
4. Passengers walk between stops within a reach, at the speed, detour and fixed time that walks
   between stops have elsewhere.
5. ``transfers.txt``: type 2 sets the time between two stops, or of a change at one; type 3 forbids;
   types 0 and 1 allow it, where stops are farther off too. A station stands for its stops. Rows
   for single routes or trips, and in-seat transfers (4, 5), are left out.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from cczsim.columns import Array, texts
from cczsim.errors import InputError
from cczsim.io.gtfs_calendar import DAY, Window, numbers_of, read_calendar, seconds_of
from cczsim.io.gtfs_routes import read_routes
from cczsim.io.gtfs_tables import Feed
from cczsim.io.gtfs_trips import read_trips
from cczsim.io.gtfs_visits import Stops, read_stops, read_visits
from cczsim.network.geometry import local_crs, project
from cczsim.network.line_build import TRANSFER_FIXED, WALK_DETOUR, WALK_SPEED
from cczsim.network.timetable import Timetable, routes_without_overtaking

_DAYS_BEFORE: Final = 2
_NEVER: Final = DAY
_FOR_ONE: Final = ("from_route_id", "to_route_id", "from_trip_id", "to_trip_id")


def read_timetable(
    feed: Feed, window: Window, *, longest: float = 3 * 3600.0, max_walk: float = 400.0
) -> Timetable:
    """Return the runs of a window.

    Parameters
    ----------
    feed : Feed
    window : Window
        Of departures.
    longest : float
        Runs are taken up to so long after the window, s.
    max_walk : float
        Reach of walks between stops, m.

    Raises
    ------
    InputError
        Nothing runs.
    """
    calendar = read_calendar(feed)
    stops, routes = read_stops(feed), read_routes(feed)
    trips = read_trips(feed, calendar, pd.Index(routes["route_id"]))
    last = window.end + longest
    days = range(-_DAYS_BEFORE, int((last - 1e-6) // DAY) + 1)
    active = {
        k: trips["service_id"].isin(calendar.services(window.date + dt.timedelta(k))).to_numpy()
        for k in days
    }
    visits = read_visits(feed, trips, stops, np.logical_or.reduce([*active.values()]))
    bounds = np.append(np.flatnonzero(np.diff(visits.trip, prepend=-1)), len(visits.trip))
    shifts = _shifts(feed, trips, visits.trip[bounds[:-1]], visits.departure[bounds[:-1]])
    route_of = trips["route_id"].to_numpy(dtype=object)
    runs: dict[tuple[str, bytes], list[tuple[Array, Array]]] = {}
    for k in range(len(bounds) - 1):
        own = slice(bounds[k], bounds[k + 1])
        trip = int(visits.trip[bounds[k]])
        if bounds[k + 1] - bounds[k] < 2:
            continue
        stop = np.ascontiguousarray(visits.stop[own], dtype=np.int64)
        key = (str(route_of[trip]), stop.tobytes())
        for day, runs_on in active.items():
            if not runs_on[trip]:
                continue
            for shift in shifts[k]:
                move = DAY * day + shift
                if visits.arrival[own][-1] + move >= window.begin and (
                    visits.departure[own][0] + move < last
                ):  # 1
                    run = (visits.arrival[own] + move, visits.departure[own] + move)
                    runs.setdefault(key, []).append(run)
    if not runs:
        raise InputError.of(str(feed.path), f"no run at {window}", "at least one")
    return _timetable(feed, stops, runs, max_walk)


def _shifts(feed: Feed, trips: pd.DataFrame, trip: Array, start: Array) -> list[list[float]]:
    """Return by how much each trip's times are moved, once a run: 0, or by frequency (2)."""
    table = feed.tables["frequencies.txt"]
    ids = pd.Index(trips["trip_id"])
    row = ids.get_indexer(table["trip_id"])
    first, last = seconds_of(table["start_time"]), seconds_of(table["end_time"])
    headway = numbers_of(table["headway_secs"])
    by_trip: dict[int, list[float]] = {}
    for own, begin, end, step in zip(row, first, last, headway, strict=True):
        if own >= 0 and step > 0 and end > begin:
            by_trip.setdefault(int(own), []).extend(np.arange(begin, end, step).tolist())
    return [
        [at - begin for at in by_trip[int(own)]] if int(own) in by_trip else [0.0]
        for own, begin in zip(trip, start, strict=True)
    ]


def _timetable(
    feed: Feed, stops: Stops, runs: dict[tuple[str, bytes], list[tuple[Array, Array]]],
    max_walk: float,
) -> Timetable:  # fmt: skip
    used = np.unique(np.concatenate([np.frombuffer(key[1], np.int64) for key in runs]))
    row_of = np.full(len(stops.id), -1)
    row_of[used] = np.arange(len(used))
    columns: dict[str, list[Any]] = {
        name: [] for name in ("route_id", "size", "trips", "stop", "arrival", "departure")
    }
    for (name, key), every in runs.items():
        stop = row_of[np.frombuffer(key, np.int64)]
        arrival = np.array([run[0] for run in every])
        departure = np.array([run[1] for run in every])
        for rows in routes_without_overtaking(arrival, departure):  # 3
            columns["route_id"].append(name)
            columns["size"].append(len(stop))
            columns["trips"].append(len(rows))
            columns["stop"].append(stop)
            columns["arrival"].append(arrival[rows].ravel())
            columns["departure"].append(departure[rows].ravel())
    sizes, trips = np.array(columns["size"]), np.array(columns["trips"])
    lon, lat = stops.lon[used], stops.lat[used]
    walks, change = _walks(feed, stops, used, lon, lat, max_walk)
    pairs = sorted(walks)
    return Timetable(
        stop_id=texts([str(s) for s in stops.id[used]]),
        stop_lon=lon,
        stop_lat=lat,
        change_time=change,
        route_id=texts(columns["route_id"]),
        route_first=np.concatenate([[0], np.cumsum(sizes)]),
        trip_first=np.concatenate([[0], np.cumsum(trips)]),
        time_first=np.concatenate([[0], np.cumsum(sizes * trips)]),
        route_stop=np.concatenate(columns["stop"]),
        arrival=np.concatenate(columns["arrival"]),
        departure=np.concatenate(columns["departure"]),
        walk_from=np.array([a for a, _ in pairs]),
        walk_to=np.array([b for _, b in pairs]),
        walk_time=np.array([walks[pair] for pair in pairs]),
    )


def _walks(
    feed: Feed, stops: Stops, used: Array, lon: Array, lat: Array, max_walk: float
) -> tuple[dict[tuple[int, int], float], Array]:
    """Return the time of each walk between stops, and of changes at stops (4, 5)."""
    crs = local_crs(float(np.mean(lon)), float(np.mean(lat)))
    points = np.column_stack(project(lon, lat, crs))
    walks: dict[tuple[int, int], float] = {}

    def on_foot(a: int, b: int) -> float:
        metres = float(np.hypot(*(points[a] - points[b])))
        return metres * WALK_DETOUR / WALK_SPEED + TRANSFER_FIXED

    for a, b in cKDTree(points).query_pairs(max_walk):
        walks[a, b] = walks[b, a] = on_foot(a, b)
    change = np.zeros(len(used))
    members: dict[str, list[int]] = {}
    for row, (own, parent) in enumerate(zip(stops.id[used], stops.parent[used], strict=True)):
        for name in {str(own), str(parent)} - {""}:
            members.setdefault(name, []).append(row)
    table = feed.tables["transfers.txt"]
    known = set(feed.tables["stops.txt"]["stop_id"])
    given = numbers_of(table["min_transfer_time"])
    single = (table[["from_route_id", "to_route_id", "from_trip_id", "to_trip_id"]] != "").any(
        axis=1
    )
    alien, odd = [], []
    for source, target, kind, seconds, for_one in zip(
        table["from_stop_id"], table["to_stop_id"], table["transfer_type"], given, single,
        strict=True,
    ):  # fmt: skip
        if for_one or kind in ("4", "5"):
            continue
        if source not in known or target not in known:
            alien.append(f"{source} → {target}")
            continue
        if kind not in ("", "0", "1", "2", "3") or (kind == "2" and not seconds >= 0.0):
            odd.append(f"{source} → {target}")
            continue
        for a in members.get(str(source), []):
            for b in members.get(str(target), []):
                if kind == "3":
                    walks.pop((a, b), None)
                    change[a] = _NEVER if a == b and source == target else change[a]
                elif a == b:
                    change[a] = seconds if kind == "2" and source == target else change[a]
                else:
                    walks[a, b] = seconds if kind == "2" else walks.get((a, b), on_foot(a, b))
    findings = feed.findings
    findings.add("transfers.txt", "transfers of unknown stops", alien, "left out")
    findings.add(
        "transfers.txt", "transfers of a kind or time that cannot be read", odd, "left out"
    )
    findings.add(
        "transfers.txt", "transfers for single routes or trips", table["from_stop_id"][single],
        "left out",
    )  # fmt: skip
    return walks, change
