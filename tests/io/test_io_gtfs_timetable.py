"""Timetables of feeds: runs by day and by frequency, walks and transfers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from cczsim.errors import InputError
from cczsim.io.gtfs_calendar import read_window
from cczsim.io.gtfs_tables import read_feed
from cczsim.io.gtfs_timetable import read_timetable
from cczsim.network.timetable import Timetable

# Stops a, b, c, d lie 1.1 km apart on the equator; c and c2 are platforms of one station.
FILES = {
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
    "a,A,0,10.00,0,\nb,B,0,10.01,0,\nc,C,0,10.02,0,hub\nc2,C,0.0001,10.02,0,hub\nd,D,0,10.03,0,\n"
    "hub,C,0,10.02,1,\n",
    "routes.txt": "route_id,route_short_name,route_type\nR1,1,3\nR2,2,0\n",
    "trips.txt": "route_id,service_id,trip_id\nR1,S,t1\nR1,S,slow\nR2,S,f\nR1,EVE,night\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "t1,07:10:00,07:10:00,a,1\nt1,,,b,2\nt1,07:20:00,07:20:00,c,3\n"
    "slow,07:05:00,07:05:00,a,1\nslow,07:30:00,07:31:00,b,2\nslow,07:50:00,07:50:00,c,3\n"
    "f,00:00:00,00:00:00,c2,1\nf,00:04:00,00:04:00,d,2\n"
    "night,25:00:00,25:00:00,a,1\nnight,25:10:00,25:10:00,c,2\n",
    "calendar_dates.txt": "service_id,date,exception_type\nS,20240103,1\nEVE,20240102,1\n",
    "frequencies.txt": "trip_id,start_time,end_time,headway_secs,exact_times\n"
    "f,07:00:00,08:00:00,900,1\n",
}


def timetable(folder: Path, begin: str = "07:00", end: str = "08:00", **files: str) -> Timetable:
    path = folder / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (FILES | {f"{k}.txt": v for k, v in files.items()}).items():
            archive.writestr(name, text)
    timetable.feed = read_feed(path)  # type: ignore[attr-defined]
    window = read_window("2024-01-03", begin, end)
    return read_timetable(timetable.feed, window, max_walk=50.0)  # type: ignore[attr-defined]


def starts(net: Timetable, route: str) -> list[float]:
    return sorted(
        float(net.departure[net.time_first[r] + t * (net.route_first[r + 1] - net.route_first[r])])
        for r in np.flatnonzero(net.route_id == route)
        for t in range(net.trip_first[r + 1] - net.trip_first[r])
    )


def walks(net: Timetable) -> dict[tuple[str, str], float]:
    return {
        (str(net.stop_id[a]), str(net.stop_id[b])): float(t)
        for a, b, t in zip(net.walk_from, net.walk_to, net.walk_time, strict=True)
    }


def test_runs_by_trip_and_by_frequency(tmp_path: Path) -> None:
    net = timetable(tmp_path)
    assert starts(net, "R1") == [7 * 3600 + 300, 7 * 3600 + 600]
    assert starts(net, "R2") == [7 * 3600 + 900 * k for k in range(4)]
    # The slow run is overtaken: a route of its own; b's missing time lies halfway.
    assert (net.route_id == "R1").sum() == 2
    assert 7 * 3600 + 900.0 in net.arrival


def test_runs_of_the_day_before_pass_midnight(tmp_path: Path) -> None:
    net = timetable(tmp_path, "00:30", "01:30")
    assert starts(net, "R1") == [3600.0]
    with pytest.raises(InputError, match="no run"):
        timetable(tmp_path, "12:00", "13:00")


def test_walks_and_transfers(tmp_path: Path) -> None:
    near = walks(timetable(tmp_path))
    assert set(near) == {("c", "c2"), ("c2", "c")}
    assert near["c", "c2"] == pytest.approx(11.06 * 1.3 / 1.2 + 60.0, abs=0.2)
    head = "from_stop_id,to_stop_id,transfer_type,min_transfer_time\n"
    told = timetable(
        tmp_path,
        transfers=head
        + "c,c2,2,240\nc2,c,3,\na,d,2,600\nb,b,2,90\nx,a,2,1\nb,c,2,\nb,d,9,5\nhub,d,0,\n",
    )
    found = walks(told)
    assert found["c", "c2"] == 240.0
    assert ("c2", "c") not in found
    assert found["a", "d"] == 600.0
    assert {("c", "d"), ("c2", "d")} <= set(found)
    assert told.change_time[told.stop_id == "b"][0] == 90.0
    said = {row["what"]: row["count"] for row in timetable.feed.findings.rows}  # type: ignore[attr-defined]
    assert said["transfers of unknown stops"] == 1
    assert said["transfers of a kind or time that cannot be read"] == 2


def test_transfers_for_single_routes_are_left_out_and_said(tmp_path: Path) -> None:
    head = "from_stop_id,to_stop_id,from_route_id,transfer_type,min_transfer_time\n"
    net = timetable(tmp_path, transfers=head + "c,c2,R1,2,999\n")
    assert walks(net)["c", "c2"] < 100.0
    said = {row["what"] for row in timetable.feed.findings.rows}  # type: ignore[attr-defined]
    assert "transfers for single routes or trips" in said
