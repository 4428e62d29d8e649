"""A feed by hand that tests change, and what they ask of its lines."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from cczsim.io.gtfs import GtfsLines, read_gtfs
from cczsim.io.gtfs_calendar import read_window

# Stops lie 0.01 degrees of longitude apart on the equator: 1,113.2 m.
STEP = 1113.195
FILES = {
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n"
    "a,Ay,0.0,10.00\nb,Bee,0.0,10.01\nc,Cee,0.0,10.02\nd,Dee,0.0,10.03\n",
    "routes.txt": "route_id,route_short_name,route_long_name,route_type,route_color\n"
    "R1,1,Main street,3,FF8800\nR2,2,,1,\n",
    "trips.txt": "route_id,service_id,trip_id,direction_id,shape_id\n"
    "R1,WD,t1,0,s1\nR1,WD,t2,0,s1\nR1,WD,t3,0,s1\nR1,WD,back,1,\nR1,SAT,t4,0,s1\n"
    "R1,NIGHT,late,0,s1\nR2,WD,f1,0,\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "t1,07:00:00,07:00:00,a,1\nt1,07:03:00,07:04:00,b,2\nt1,07:06:00,07:06:00,c,3\n"
    "t2,07:30:00,07:30:00,a,1\nt2,07:35:00,07:36:00,b,2\nt2,07:38:00,07:38:00,c,3\n"
    "t3,8:59:59,8:59:59,a,10\nt3,9:09:59,9:09:59,d,40\n"
    "back,09:00:00,09:00:00,c,1\nback,09:06:00,09:06:00,a,3\n"
    "t4,07:10:00,07:10:00,a,1\nt4,07:20:00,07:20:00,c,2\n"
    "late,24:30:00,24:30:00,a,1\nlate,,,b,2\nlate,24:36:00,24:36:00,d,4\nlate,,,c,3\n"
    "f1,06:00:00,06:00:00,a,1\nf1,06:02:00,06:02:00,d,2\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,"
    "start_date,end_date\nWD,1,1,1,1,1,0,0,20240101,20240131\nSAT,0,0,0,0,0,1,0,20240101,20240131\n",
    "calendar_dates.txt": "service_id,date,exception_type\nWD,20240110,2\nSAT,20240110,1\n"
    "NIGHT,20240105,1\n",
    "frequencies.txt": "trip_id,start_time,end_time,headway_secs\n"
    "f1,06:00:00,08:00:00,600\nf1,08:00:00,08:30:00,900\n",
    "shapes.txt": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n"
    "s1,0.0,10.00,1\ns1,0.0,10.01,2\ns1,0.01,10.01,3\ns1,0.01,10.02,4\ns1,0.0,10.02,5\n"
    "s1,0.0,10.03,9\n",
}
Maker = Callable[..., Path]


def pack(path: Path, files: dict[str, str | None]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            if text is not None:
                archive.writestr(name, text)
    return path


def lines_on(path: Path, date: str, begin: str = "07:00", end: str = "09:00") -> GtfsLines:
    return read_gtfs(path, read_window(date, begin, end))


def row(lines: GtfsLines, line_id: str) -> tuple[float, list[str], list[float], list[float]]:
    """Return headway, stop names, run times and run lengths of a line."""
    net = lines.transit
    k = net.line_id.tolist().index(line_id)
    own = slice(net.line_first[k], net.line_first[k + 1])
    names = net.stop_name[net.line_stop[own]].tolist()
    return float(net.headway[k]), names, net.run_time[own].tolist(), net.run_length[own].tolist()


def what(lines: GtfsLines) -> dict[str, tuple[int, list[str]]]:
    return {r["what"]: (r["count"], r["first"]) for r in lines.reports[0]["findings"]}
