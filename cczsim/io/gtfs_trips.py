"""Trips of a feed that start within a window.

A trip counts as often as it starts within the window: at its first departure, on the service day of
the window's date or one beside it (25:00:00 of the day before is 01:00). A trip of
``frequencies.txt`` starts ``overlap / headway_secs`` times, a fraction included, rows that end
within a minute before the next of their trip, or a full minute, lasting up to it; where
``exact_times`` is 1, at ``start_time`` and every ``headway_secs`` after it, before ``end_time``.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from cczsim.columns import Array
from cczsim.io.gtfs_calendar import DAY, Calendar, Window, numbers_of, seconds_of
from cczsim.io.gtfs_tables import Feed, rows_once
from cczsim.io.gtfs_visits import Stops, Visits, read_visits

_DAYS_BEFORE: Final = 2
"""Trips that start up to so many days before the window's date are looked for."""
_MINUTE: Final = 60


class Service(NamedTuple):
    """What runs in a window.

    ``starts [trip]`` counts starts by row of trips.txt; ``by_frequency [trip]`` says whose were
    counted from headways. ``on_date`` is the number of trips on the window's date, ``first`` and
    ``last`` their first and last start (s), ``interpolated`` the share of visits without a time.
    """

    visits: Visits
    starts: Array
    by_frequency: Array
    on_date: int
    first: float
    last: float
    interpolated: float


def read_trips(feed: Feed, calendar: Calendar, routes: pd.Index) -> pd.DataFrame:
    """Return the trips of known routes, one row an id."""
    table = rows_once(feed.tables["trips.txt"], "trip_id", "trips.txt", feed.findings)
    lost = routes.get_indexer(table["route_id"]) < 0
    unknown = ~table["route_id"].isin(feed.tables["routes.txt"]["route_id"])
    feed.findings.add(
        "trips.txt", "trips of an unknown route", table["trip_id"][unknown], "left out"
    )
    orphan = ~table["service_id"].isin(calendar.known())
    feed.findings.add(
        "trips.txt", "services without a calendar", sorted(set(table["service_id"][orphan])),
        "their trips never run",
    )  # fmt: skip
    return table[~lost].reset_index(drop=True)


def service_in(
    feed: Feed, trips: pd.DataFrame, stops: Stops, calendar: Calendar, window: Window
) -> Service:
    """Return the trips that start within a window, with their visits."""
    back = range(-_DAYS_BEFORE, int((window.end - 1e-6) // DAY) + 1)
    active = {
        k: trips["service_id"].isin(calendar.services(window.date + dt.timedelta(k))).to_numpy()
        for k in back
    }
    visits = read_visits(feed, trips, stops, np.logical_or.reduce([*active.values()]))
    begins = np.flatnonzero(np.diff(visits.trip, prepend=-1))
    start = np.full(len(trips), np.nan)
    start[visits.trip[begins]] = visits.departure[begins]
    starts, by_frequency = _starts(feed, trips, start, active, window)
    today = start[active[0] & np.isfinite(start)]
    running = visits.take(np.flatnonzero(starts[visits.trip] > 0.0))
    return Service(
        running,
        starts,
        by_frequency,
        len(today),
        float(today.min()) if len(today) else np.nan,
        float(today.max()) if len(today) else np.nan,
        1.0 - float(running.given.mean()) if len(running.trip) else 0.0,
    )


def _starts(
    feed: Feed, trips: pd.DataFrame, start: Array, active: dict[int, Array], window: Window
) -> tuple[Array, Array]:
    table = feed.tables["frequencies.txt"]
    row = pd.Index(trips["trip_id"]).get_indexer(table["trip_id"])
    first, last = seconds_of(table["start_time"]), seconds_of(table["end_time"])
    headway = numbers_of(table["headway_secs"])
    alien = ~table["trip_id"].isin(feed.tables["trips.txt"]["trip_id"]).to_numpy()
    usable = (headway > 0) & (last > first)
    sound = usable & (row >= 0)
    feed.findings.add(
        "frequencies.txt", "rows with an unknown trip, no headway or no time",
        table["trip_id"][alien | ~usable], "left out",
    )  # fmt: skip
    exact = np.zeros(len(table), dtype=bool)
    if "exact_times" in table:
        exact = numbers_of(table["exact_times"]) == 1
    last = np.where(exact, last, _lasting(table["trip_id"].to_numpy(), first, last))
    by_frequency = np.zeros(len(trips), dtype=bool)
    by_frequency[row[sound]] = True
    starts = np.zeros(len(trips))
    for k, runs in active.items():
        shift = DAY * k
        inside = (start + shift >= window.begin) & (start + shift < window.end)
        starts += runs & inside & ~by_frequency
        begin = np.maximum(first + shift, window.begin)
        end = np.minimum(last + shift, window.end)
        own = sound & (end > begin) & runs[row] & np.isfinite(start[row])
        since = np.array([begin, end])[:, own] - (first + shift)[own]
        gone = since / headway[own]
        gone = np.where(exact[own], np.ceil(gone), gone)
        np.add.at(starts, row[own], gone[1] - gone[0])
    return starts, by_frequency


def _lasting(trip: Array, first: Array, last: Array) -> Array:
    """Return the ends of headways: 07:59 and 07:59:59 are 08:00 where it goes on then."""
    out = np.where(last % _MINUTE == _MINUTE - 1, last + 1, last)
    order = np.lexsort((first, trip))
    one, after = order[:-1], order[1:]
    gap = first[after] - out[one]
    closed = (trip[one] == trip[after]) & (gap > 0) & (gap <= _MINUTE)
    out[one[closed]] = first[after[closed]]
    return np.asarray(out)
