"""Visits of trips to stops, with a time each.

Rules, numbered in the code:

1. A time more than 12 h before the one before it, that one by 24:00, has passed midnight: a day is
   added.
2. A time before an earlier one of its trip is taken as missing.
3. Missing times are interpolated by ``shape_dist_traveled`` where a trip has it throughout, else by
   the distance from stop to stop as the crow flies. A trip without a time at its first or its last
   stop is left out.
4. A stop without a place takes that of its parent station, else trips pass it by. So they do where
   nobody may board or alight. A stop twice in a row is one visit.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from cczsim.columns import Array
from cczsim.io.gtfs_calendar import DAY, numbers_of, seconds_of
from cczsim.io.gtfs_tables import Feed, Findings, plain, rows_once
from cczsim.network.geometry import segment_lengths

_APART: Final = 1e7
"""Seconds or metres between two trips on one axis, more than any trip takes."""


class Stops(NamedTuple):
    """Stops that have a place, ``[stop]``; ``parent`` is an id or empty, ``zone`` that of fares."""

    id: Array
    name: Array
    lon: Array
    lat: Array
    parent: Array
    zone: Array


class Visits(NamedTuple):
    """Visits of trips to stops, ``[visit]``, by trip and in order.

    ``trip`` is a row of trips.txt, ``stop`` one of :class:`Stops`; times in s of the service day.
    ``along`` is ``shape_dist_traveled`` in the feed's own unit, NaN where not given; ``given`` says
    that the feed has a time here.
    """

    trip: Array
    stop: Array
    arrival: Array
    departure: Array
    along: Array
    given: Array

    def take(self, rows: Array) -> Visits:
        """Return some visits."""
        return Visits(*(column[rows] for column in self))


def read_stops(feed: Feed) -> Stops:
    """Return the stops that have a place; a child without one takes its parent's (4)."""
    table = feed.tables["stops.txt"]
    table = rows_once(table, "stop_id", "stops.txt", feed.findings)
    lon, lat = numbers_of(table["stop_lon"]), numbers_of(table["stop_lat"])
    placed = (np.abs(lon) <= 180) & (np.abs(lat) <= 90) & ((lon != 0) | (lat != 0))
    row = pd.Index(table["stop_id"]).get_indexer(table["parent_station"])
    lent = ~placed & (row >= 0) & placed[row]
    lon, lat = np.where(lent, lon[row], lon), np.where(lent, lat[row], lat)
    kept = placed | lent
    kind = table["location_type"].isin(["", "0", "1"]).to_numpy()
    feed.findings.add(
        "stops.txt", "stops without coordinates", table["stop_id"][~kept & kind], "passed by"
    )
    names = [plain(text) or str(own) for text, own in zip(table["stop_name"], table["stop_id"],
                                                          strict=True)]  # fmt: skip
    name = np.array(names, dtype=object)
    own = table["stop_id"].to_numpy(dtype=object)
    parent = table["parent_station"].to_numpy(dtype=object)
    zone = table["zone_id"].to_numpy(dtype=object)
    return Stops(own[kept], name[kept], lon[kept], lat[kept], parent[kept], zone[kept])


def read_visits(feed: Feed, trips: pd.DataFrame, stops: Stops, active: Array) -> Visits:
    """Return all visits of active trips with their times."""
    table, findings, file = feed.tables["stop_times.txt"], feed.findings, "stop_times.txt"
    ids = trips["trip_id"].to_numpy(dtype=object)
    trip = pd.Index(trips["trip_id"]).get_indexer(table["trip_id"])
    alien = (trip < 0) & ~table["trip_id"].isin(feed.tables["trips.txt"]["trip_id"]).to_numpy()
    findings.add(file, "times of an unknown trip", table["trip_id"][alien], "left out")
    timed = np.zeros(len(trips), dtype=bool)
    timed[trip[trip >= 0]] = True
    findings.add("trips.txt", "trips without any stop", ids[~timed], "left out")
    rows = np.flatnonzero((trip >= 0) & active[trip])
    table, trip = table.iloc[rows], trip[rows]

    known = pd.Index(feed.tables["stops.txt"]["stop_id"].unique())
    stop = pd.Index(stops.id).get_indexer(table["stop_id"])
    nowhere = known.get_indexer(table["stop_id"]) < 0
    blank = (table["stop_id"] == "").to_numpy()
    findings.add(
        file, "visits without a stop, to areas on demand or to none", ids[trip[blank]], "passed by"
    )
    findings.add(file, "visits to an unknown stop", table["stop_id"][nowhere & ~blank], "passed by")
    seq = numbers_of(table["stop_sequence"])
    findings.add(
        file, "stop_sequence that is no number", ids[trip[np.isnan(seq)]], "visit left out"
    )
    rows = np.flatnonzero((stop >= 0) & ~np.isnan(seq))
    rows = rows[np.lexsort((seq[rows], trip[rows]))]
    same = (np.diff(trip[rows], prepend=-1) == 0) & (np.diff(seq[rows], prepend=-1.0) == 0)
    findings.add(file, "stop_sequence twice in a trip", ids[trip[rows[same]]], "first taken")
    rows = rows[~same]
    table, trip, stop = table.iloc[rows], trip[rows], stop[rows]

    arrival, departure = seconds_of(table["arrival_time"]), seconds_of(table["departure_time"])
    for name, column in (("arrival_time", arrival), ("departure_time", departure)):
        strange = np.isnan(column) & (table[name] != "").to_numpy()
        findings.add(file, f"{name} that is no time", ids[trip[strange]], "taken as missing")
    arrival, departure = _in_order(trip, arrival, departure, ids, findings)
    missing = np.isnan(arrival)
    begins = np.diff(trip, prepend=-1) != 0
    ends = np.diff(trip, append=-1) != 0
    bad = np.zeros(len(trips), dtype=bool)
    bad[trip[(begins | ends) & missing]] = True
    findings.add(file, "trips without a time at an end", ids[bad], "left out")
    kept = ~bad[trip]
    along = numbers_of(table["shape_dist_traveled"])
    nobody_on = (table["pickup_type"] == "1").to_numpy()
    nobody_off = (table["drop_off_type"] == "1").to_numpy()
    served = ~(nobody_on & nobody_off)
    findings.add(
        file, "visits for boarding only or alighting only",
        ids[trip[served & (nobody_on | nobody_off) & ~begins & ~ends]], "taken as both",
    )  # fmt: skip
    visits = Visits(trip, stop, arrival, departure, along, ~missing).take(kept)
    visits = _interpolated(visits, stops, len(trips)).take(served[kept])
    visits = _merged(visits, ids, findings)
    short = np.bincount(visits.trip, minlength=len(trips)) == 1
    findings.add(file, "trips with one stop", ids[short], "left out")
    return visits.take(~short[visits.trip])


def _in_order(
    trip: Array, arrival: Array, departure: Array, ids: Array, findings: Findings
) -> tuple[Array, Array]:
    """Return times that never go back within a trip (1, 2)."""
    time = np.stack([arrival, departure], axis=1).ravel()
    owner = np.repeat(trip, 2)
    given = np.flatnonzero(np.isfinite(time))
    value, own = time[given], owner[given]
    back = np.diff(value, prepend=0.0) < -0.5 * DAY
    back &= (np.diff(own, prepend=-1) == 0) & (np.append(np.inf, value[:-1]) <= DAY)
    findings.add(
        "stop_times.txt", "trips whose times start again at midnight", sorted(set(ids[own[back]])),
        "a day added",
    )  # fmt: skip
    days = np.cumsum(back)
    fresh = np.flatnonzero(np.diff(own, prepend=-1))
    before: Array = days[fresh] - back[fresh]
    value = value + DAY * (days - np.repeat(before, np.diff(np.append(fresh, len(own)))))
    axis = value + _APART * own
    late = axis < np.maximum.accumulate(axis)
    findings.add(
        "stop_times.txt", "times before an earlier one of their trip", ids[own[late]],
        "taken as missing",
    )  # fmt: skip
    time[given] = np.where(late, np.nan, value)
    arrival, departure = time.reshape(-1, 2).T
    return (
        np.where(np.isnan(arrival), departure, arrival),
        np.where(np.isnan(departure), arrival, departure),
    )


def _interpolated(visits: Visits, stops: Stops, n_trips: int) -> Visits:
    """Return the visits with a time each (3)."""
    gaps = np.zeros(n_trips, dtype=bool)
    gaps[visits.trip[~visits.given]] = True
    rows = np.flatnonzero(gaps[visits.trip])
    if not len(rows):
        return visits
    part = visits.take(rows)
    inner = np.diff(part.trip) == 0
    steps = segment_lengths(stops.lon[part.stop], stops.lat[part.stop])
    crow = np.cumsum(np.append(0.0, np.where(inner, steps, 0.0)))
    falls = np.append(False, inner & ~(np.diff(part.along) >= 0.0)) | np.isnan(part.along)
    unsure = np.zeros(n_trips, dtype=bool)
    unsure[part.trip[falls]] = True
    place = np.where(unsure[part.trip], crow, part.along)
    visit = np.arange(len(rows))
    known = np.flatnonzero(part.given)
    before = known[np.searchsorted(known, visit, side="right") - 1]
    after = known[np.searchsorted(known, visit, side="left")]
    whole = place[after] - place[before]
    # Between two timed stops at one place the visits themselves are the measure.
    share = np.where(
        whole > 0.0,
        (place - place[before]) / np.where(whole > 0.0, whole, 1.0),
        (visit - before) / np.maximum(after - before, 1),
    )
    left, right = part.departure[before], part.arrival[after]
    time = left + share * (right - left)
    arrival, departure = visits.arrival.copy(), visits.departure.copy()
    arrival[rows] = np.where(part.given, part.arrival, time)
    departure[rows] = np.where(part.given, part.departure, time)
    return visits._replace(arrival=arrival, departure=departure)


def _merged(visits: Visits, ids: Array, findings: Findings) -> Visits:
    """Return the visits, those to one stop in a row as one (4)."""
    again = (np.diff(visits.trip, prepend=-1) == 0) & (np.diff(visits.stop, prepend=-1) == 0)
    findings.add("stop_times.txt", "a stop twice in a row", ids[visits.trip[again]], "one visit")
    first = np.flatnonzero(~again)
    last = np.append(first, len(again))[1:] - 1
    return visits.take(first)._replace(departure=visits.departure[last])
