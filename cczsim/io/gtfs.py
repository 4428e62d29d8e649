"""GTFS feeds: the timetable of a date and a window becomes lines with headways and run times.

Rules, numbered in the code; those of trips and their times stand in :mod:`cczsim.io.gtfs_trips`
and :mod:`cczsim.io.gtfs_visits`:

1. A line is a pattern: trips of one route and direction with the same stops in the same order.
2. Headway = length of the window / starts within it.
3. Run time = mean over the trips that start in the window, each by its starts, of the time from
   departure to departure; at the last stop to the arrival.
4. Run length = along the shape that most trips name, where that is at least 0.95 of the way as the
   crow flies; else the way as the crow flies x the mode's detour.
5. A vehicle holds what is assumed for its mode: feeds do not say.
6. Only stops that lines serve are taken. Ids are prefixed by the feed's name.

Source: General Transit Feed Specification, Schedule reference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from cczsim.columns import Array, texts
from cczsim.errors import InputError
from cczsim.io.gtfs_calendar import FeedSource, Window, read_calendar
from cczsim.io.gtfs_fares import read_fares
from cczsim.io.gtfs_report import feed_report, nothing_runs
from cczsim.io.gtfs_routes import read_routes
from cczsim.io.gtfs_shapes import read_shapes, run_along
from cczsim.io.gtfs_tables import Feed, read_feed
from cczsim.io.gtfs_trips import Service, read_trips, service_in
from cczsim.io.gtfs_visits import Stops, read_stops
from cczsim.network.geometry import segment_lengths
from cczsim.network.line_build import MODE_DEFAULTS, merge_transit
from cczsim.network.provenance import Source
from cczsim.network.transit import MODE_CODE, TransitNetwork

_STRAIGHTEST: Final = 0.95
_FASTEST: Final = 100.0
"""Metres in a second that no line runs at from end to end."""


@dataclass(frozen=True)
class GtfsLines:
    """Lines of feeds.

    Parameters
    ----------
    transit : TransitNetwork
        Without walks and access.
    stop_ids : tuple of str
        The feed's id of each stop, prefixed by the feed's name where there are several feeds.
    stations : tuple of str
        The id of each stop's parent station, or empty; prefixed likewise.
    reports : tuple of dict
        What each feed held and what was wrong with it, plain JSON.
    """

    transit: TransitNetwork
    stop_ids: tuple[str, ...]
    stations: tuple[str, ...]
    reports: tuple[dict[str, Any], ...]


class _Pattern(NamedTuple):
    """Trips of one line: rows of trips.txt, their first visits, the number of stops of each."""

    route: int
    direction: str
    trips: list[int]
    visits: list[int]
    size: int
    starts: float


def read_gtfs(
    path: Path, window: Window, name: str = "", feed: Feed | None = None,
    fare_rate: float | None = None,
) -> GtfsLines:  # fmt: skip
    """Read the lines that run in a window.

    Parameters
    ----------
    path : Path
        A zip or a folder.
    window : Window
    name : str, optional
        What ids are prefixed with; the file's name if empty.
    feed : Feed, optional
        The feed of this path if it has been read already.
    fare_rate : float, optional
        Scenario's money for one of the feed's; without it only fares in CNY are taken.

    Raises
    ------
    InputError
        The feed cannot be read; there is no service on the date, or no trip starts in the window.
    """
    feed = feed or read_feed(path)
    calendar = read_calendar(feed)
    stops, routes = read_stops(feed), read_routes(feed)
    trips = read_trips(feed, calendar, pd.Index(routes["route_id"]))
    if not len(trips) or not len(stops.id):
        what = "trip of a known route" if len(stops.id) else "stop with coordinates"
        raise InputError.of(str(path), f"no {what}", "at least one")
    service = service_in(feed, trips, stops, calendar, window)
    if not len(service.visits.trip):
        raise nothing_runs(feed, calendar, trips, service, window)
    prefix = name or path.name.removesuffix(".zip")
    patterns = _patterns(service, trips, routes)
    transit, used, by_shape = _lines(feed, patterns, service, trips, routes, stops, window, prefix)
    fares = read_fares(feed, routes, stops.zone[used], prefix, fare_rate)
    if fares:
        route = [str(routes["route_id"][p.route]) for p in patterns]
        transit = transit.replace(
            **fares, fare_zone=texts(stops.zone[used]), fare_route=texts(route),
            fare_system=texts([prefix] * transit.n_lines),
        )  # fmt: skip
    report = feed_report(feed, calendar, service, trips, routes, transit, by_shape, window)
    return GtfsLines(
        transit,
        tuple(str(s) for s in stops.id[used]),
        tuple(str(s) for s in stops.parent[used]),
        ({"feed": prefix, **report},),
    )


def join_feeds(parts: Sequence[GtfsLines]) -> GtfsLines:
    """Return the lines of several feeds as one; stops and stations get their feed's name.

    A line that passengers would know by the same name in two feeds gets it too.
    """
    if len(parts) == 1:
        return parts[0]
    names = [part.reports[0]["feed"] for part in parts]
    of_route = Counter(route for part in parts for route in {str(r) for r in part.transit.route})
    transit: TransitNetwork | None = None
    for name, part in zip(names, parts, strict=True):
        routes = [f"{name}: {r}" if of_route[str(r)] > 1 else str(r) for r in part.transit.route]
        own = part.transit.replace(route=texts(routes))
        transit = own if transit is None else merge_transit(transit, own)
    assert transit is not None
    return GtfsLines(
        transit,
        tuple(f"{n}:{s}" for n, part in zip(names, parts, strict=True) for s in part.stop_ids),
        tuple(
            f"{n}:{s}" if s else ""
            for n, part in zip(names, parts, strict=True)
            for s in part.stations
        ),
        tuple(report for part in parts for report in part.reports),
    )


def read_feeds(wanted: Sequence[FeedSource | tuple[Path, Window]]) -> GtfsLines:
    """Read and join the lines of several feeds; equal file names are told apart by a number."""
    seen: Counter[str] = Counter()
    parts = []
    for path, window, rate in (FeedSource(*own) for own in wanted):
        name = path.name.removesuffix(".zip")
        seen[name] += 1
        own = name if seen[name] == 1 else f"{name}-{seen[name]}"
        parts.append(read_gtfs(path, window, own, fare_rate=rate))
    return join_feeds(parts)


def _patterns(service: Service, trips: pd.DataFrame, routes: pd.DataFrame) -> list[_Pattern]:
    """Return the patterns (1), by route, direction and falling number of starts."""
    trip, stop = service.visits.trip, np.ascontiguousarray(service.visits.stop, dtype=np.int64)
    cuts = np.flatnonzero(np.diff(trip, prepend=-1))
    bounds = np.append(cuts, len(trip))
    route = pd.Index(routes["route_id"]).get_indexer(trips["route_id"])
    direction = trips["direction_id"].to_numpy(dtype=object)
    found: dict[tuple[int, str, bytes], list[int]] = {}
    for k in range(len(cuts)):
        own = int(trip[cuts[k]])
        key = (int(route[own]), str(direction[own]), stop[bounds[k] : bounds[k + 1]].tobytes())
        found.setdefault(key, []).append(k)
    out = []
    for (number, way, _), members in found.items():
        own_trips = [int(trip[cuts[k]]) for k in members]
        size = int(bounds[members[0] + 1] - bounds[members[0]])
        total = float(service.starts[own_trips].sum())
        out.append(_Pattern(number, way, own_trips, [int(cuts[k]) for k in members], size, total))
    return sorted(out, key=lambda p: (p.route, p.direction, -p.starts, p.visits[0]))


def _lines(
    feed: Feed, patterns: list[_Pattern], service: Service, trips: pd.DataFrame,
    routes: pd.DataFrame, stops: Stops, window: Window, prefix: str,
) -> tuple[TransitNetwork, Array, int]:  # fmt: skip
    """Return the lines, the rows of the stops they serve, and how many run along a shape."""
    shape_of = trips["shape_id"].to_numpy(dtype=object)
    shapes = read_shapes(feed, {str(s) for p in patterns for s in shape_of[p.trips] if s})
    visits = service.visits
    used = np.unique(visits.stop)
    row_of = np.full(len(stops.id), -1)
    row_of[used] = np.arange(len(used))
    line_stop, times, lengths, shape_lon, shape_lat, off = [], [], [], [], [], []
    flown: list[str] = []
    points: list[int] = []
    ids, number = [], Counter[tuple[int, str]]()
    for pattern in patterns:
        number[pattern.route, pattern.direction] += 1
        mode = str(routes["mode"][pattern.route])
        own = visits.stop[pattern.visits[0] : pattern.visits[0] + pattern.size]
        table = np.add.outer(np.array(pattern.visits), np.arange(pattern.size))
        run = np.diff(visits.departure[table], axis=1)  # 3
        run[:, -1] = visits.arrival[table[:, -1]] - visits.departure[table[:, -2]]
        weights = service.starts[pattern.trips]
        times.append(np.append(np.average(run, axis=0, weights=weights), 0.0))
        lon, lat = stops.lon[own], stops.lat[own]
        crow = segment_lengths(lon, lat)
        length = crow * MODE_DEFAULTS[mode][4]
        name = Counter(str(s) for s in shape_of[pattern.trips]).most_common(1)[0][0]
        along = None
        if name in shapes:
            first = pattern.visits[0]
            told = visits.along[first : first + pattern.size]
            along = run_along(shapes[name], lon, lat, told)
            off += [name] if along is None else []
        for k in range(pattern.size - 1):  # 4
            fits = along is not None and along.length[k] >= max(_STRAIGHTEST * crow[k], 1.0)
            points.append(len(along.lon[k]) if fits and along is not None else 0)
            if fits and along is not None:
                length[k] = along.length[k]
                shape_lon.append(along.lon[k])
                shape_lat.append(along.lat[k])
        points.append(0)
        lengths.append(np.append(length, 0.0))
        line_stop.append(row_of[own])
        ids.append(
            f"{prefix}:{routes['route_id'][pattern.route]}:{pattern.direction or '-'}:"
            f"{number[pattern.route, pattern.direction]}"
        )
        flown += [ids[-1]] if crow.sum() > _FASTEST * times[-1].sum() else []
    feed.findings.add(
        "stop_times.txt", f"lines faster than {3.6 * _FASTEST:g} km/h from end to end", flown,
        "taken as they stand",
    )  # fmt: skip
    feed.findings.add(
        "shapes.txt", "shapes that pass a stop of their trips by", off, "lengths as the crow flies"
    )
    route = [p.route for p in patterns]
    modes = [str(routes["mode"][r]) for r in route]
    transit = TransitNetwork(
        stop_id=np.arange(len(used)) + 1,
        stop_name=texts(stops.name[used]),
        stop_lon=stops.lon[used],
        stop_lat=stops.lat[used],
        line_id=texts(ids),
        route=texts([str(routes["label"][r]) for r in route]),
        mode=np.array([MODE_CODE[m] for m in modes]),
        headway=np.array([window.length / p.starts for p in patterns]),  # 2
        line_first=np.cumsum([0, *(p.size for p in patterns)]),
        line_stop=np.concatenate(line_stop),
        run_time=np.concatenate(times),
        run_length=np.concatenate(lengths),
        seats_and_standing=np.array([MODE_DEFAULTS[m][3] for m in modes]),  # 5
        headway_source=np.full(len(ids), int(Source.DERIVED)),
        run_time_source=np.full(len(ids), int(Source.DERIVED)),
        color=texts([_color(str(routes["route_color"][r])) for r in route]),
        shape_first=np.cumsum([0, *points]),
        shape_lon=np.concatenate(shape_lon) if shape_lon else np.zeros(0),
        shape_lat=np.concatenate(shape_lat) if shape_lat else np.zeros(0),
    )
    return transit, used, int(np.count_nonzero(points))


def _color(text: str) -> str:
    good = len(text) == 6 and all(c in "0123456789abcdefABCDEF" for c in text)
    return f"#{text.lower()}" if good else "#3366aa"
