"""Feeds by hand with known answers, random feeds, broken feeds, and two real ones by pandas."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cczsim.errors import InputError
from cczsim.io import gtfs_tables
from cczsim.io.gtfs import GtfsLines, read_feeds, read_gtfs
from cczsim.io.gtfs_calendar import read_window
from cczsim.io.gtfs_routes import mode_of
from cczsim.network.geometry import segment_lengths
from cczsim.network.line_build import MODE_DEFAULTS
from cczsim.network.provenance import Source
from cczsim.network.transit import MODE_CODE

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


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Write the feed by hand as a zip, some files replaced, by (old, new) or whole."""

    def write(*changes: tuple[str, str, str], **files: str | None) -> Path:
        all_files: dict[str, str | None] = dict(FILES)
        for name, old, new in changes:
            text = all_files[f"{name}.txt"]
            assert text is not None
            assert old in text
            all_files[f"{name}.txt"] = text.replace(old, new)
        all_files |= {f"{name}.txt": text for name, text in files.items()}
        return pack(tmp_path / "feed.zip", all_files)

    return write


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


def test_patterns_headways_and_run_times(make: Maker) -> None:
    found = lines_on(make(), "2024-01-02")
    net, report = found.transit, found.reports[0]
    assert net.line_id.tolist() == ["feed:R1:0:1", "feed:R1:0:2", "feed:R2:0:1"]
    headway, names, run, _ = row(found, "feed:R1:0:1")
    assert headway == 3600.0  # t1 and t2 in two hours
    assert names == ["Ay", "Bee", "Cee"]
    # 4 and 6 minutes with the dwell at b; 2 minutes and none at the last.
    assert run == pytest.approx([300.0, 120.0, 0.0])
    assert row(found, "feed:R1:0:2")[:3] == (7200.0, ["Ay", "Dee"], [600.0, 0.0])
    assert net.route.tolist() == ["1 · Main street", "1 · Main street", "2"]
    assert net.color.tolist() == ["#ff8800", "#ff8800", "#3366aa"]
    assert net.mode.tolist() == [MODE_CODE["bus"], MODE_CODE["bus"], MODE_CODE["metro"]]
    assert net.seats_and_standing.tolist() == [80.0, 80.0, MODE_DEFAULTS["metro"][3]]
    assert set(net.headway_source.tolist()) == {Source.DERIVED}
    # 7:00 to 8:00 every 10 minutes and 8:00 to 8:30 every 15: six and two.
    assert row(found, "feed:R2:0:1")[0] == pytest.approx(7200.0 / 8)
    assert report["trips_in_window"] == pytest.approx(11.0)
    assert report["trips_by_frequency"] == pytest.approx(8.0)
    assert report["trips_on_date"] == 5
    assert report["service_dates"] == 27
    assert report["findings"] == []


def test_a_window_within_frequencies_gives_their_headway(make: Maker) -> None:
    found = lines_on(make(), "2024-01-02", "06:20", "07:25")
    assert row(found, "feed:R2:0:1")[0] == pytest.approx(600.0)


def test_exceptions_replace_the_service_of_a_day(make: Maker) -> None:
    found = lines_on(make(), "2024-01-10")
    assert found.transit.n_lines == 1
    assert row(found, "feed:R1:0:1")[:3] == (7200.0, ["Ay", "Cee"], [600.0, 0.0])


def test_trips_of_the_day_before_run_after_midnight(make: Maker) -> None:
    found = lines_on(make(), "2024-01-06", "00:00", "01:00")
    headway, names, run, _ = row(found, "feed:R1:0:1")
    assert headway == 3600.0
    assert names == ["Ay", "Bee", "Cee", "Dee"]  # by stop_sequence, not by row
    assert run == pytest.approx([120.0, 120.0, 120.0, 0.0])
    assert found.reports[0]["times_interpolated"] == 0.5
    same = lines_on(make(), "2024-01-05", "24:00", "25:00")
    assert np.array_equal(same.transit.run_time, found.transit.run_time)


def test_shapes_give_lengths_and_curves(make: Maker) -> None:
    found = lines_on(make(), "2024-01-02")
    lengths = row(found, "feed:R1:0:1")[3]
    north = float(segment_lengths(np.array([10.0, 10.0]), np.array([0.0, 0.01]))[0])
    assert lengths == pytest.approx([STEP, STEP + 2 * north, 0.0], rel=1e-5)
    assert row(found, "feed:R2:0:1")[3][0] == pytest.approx(3 * STEP * MODE_DEFAULTS["metro"][4])
    net = found.transit
    assert net.shape_first is not None
    assert net.shape_lon is not None
    assert net.shape_lat is not None
    curve = slice(net.shape_first[1], net.shape_first[2])
    assert net.shape_lon[curve].tolist() == pytest.approx([10.01, 10.01, 10.02, 10.02])
    assert net.shape_lat[curve].tolist() == pytest.approx([0.0, 0.01, 0.01, 0.0])
    assert found.reports[0]["runs_along_shape"] == 3


def test_distances_of_the_feed_place_stops_and_times(make: Maker) -> None:
    times = (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,shape_dist_traveled\n"
        "t1,07:00:00,07:00:00,a,1,0\nt1,,,b,2,7.5\nt1,07:10:00,07:10:00,d,3,10\n"
    )
    shape = (
        "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\n"
        "s1,0,10.00,1,0\ns1,0,10.03,2,10\n"
    )
    found = lines_on(make(stop_times=times, shapes=shape), "2024-01-02")
    _, _, run, length = row(found, "feed:R1:0:1")
    assert run == pytest.approx([450.0, 150.0, 0.0])
    # The stop lies at three quarters, which the crow's way contradicts: 2 to 3 is too short.
    assert length[0] == pytest.approx(0.75 * 3 * STEP, rel=1e-5)
    assert length[1] == pytest.approx(2 * STEP * MODE_DEFAULTS["bus"][4], rel=1e-5)


def test_a_loop_run_twice_is_followed_in_order(make: Maker) -> None:
    times = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n" + "".join(
        f"t1,07:0{k}:00,07:0{k}:00,{s},{k}\n" for k, s in enumerate("abab")
    )
    loop = [(10.0, 0.0), (10.01, 0.0), (10.01, 0.005), (10.0, 0.005), (10.0, 0.0), (10.01, 0.0)]
    shape = "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n" + "".join(
        f"s1,{y},{x},{k}\n" for k, (x, y) in enumerate(loop)
    )
    lengths = row(lines_on(make(stop_times=times, shapes=shape), "2024-01-02"), "feed:R1:0:1")[3]
    up = float(segment_lengths(np.array([0.0, 0.0]), np.array([0.0, 0.005]))[0])
    assert lengths == pytest.approx([STEP, STEP + 2 * up, STEP, 0.0], rel=1e-4)


def test_a_date_on_which_only_trips_of_the_day_before_run(tmp_path: Path) -> None:
    files = {
        "stops.txt": FILES["stops.txt"],
        "routes.txt": FILES["routes.txt"],
        "trips.txt": "route_id,service_id,trip_id\nR1,yesterday,t0\n",
        "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "t0,31:00:00,31:00:00,a,0\nt0,31:01:30,31:01:30,b,1\n",
        "calendar_dates.txt": "service_id,date,exception_type\nyesterday,20240102,1\n"
        "today,20240103,1\n",
    }
    found = lines_on(pack(tmp_path / "late.zip", files), "2024-01-03")
    assert found.reports[0]["starts_on_date"] == []
    assert found.reports[0]["trips_in_window"] == 1.0


def test_feeds_are_joined_with_their_names(make: Maker, tmp_path: Path) -> None:
    first = make()
    second = first.rename(tmp_path / "other.zip")
    window = read_window("2024-01-02", "07:00", "09:00")
    found = read_feeds([(second, window), (make(), window), (first, window)])
    assert found.transit.n_lines == 9
    assert found.transit.n_stops == 12
    assert len(set(found.transit.line_id.tolist())) == 9
    assert [r["feed"] for r in found.reports] == ["other", "feed", "feed-2"]
    assert found.stop_ids[:5] == ("other:a", "other:b", "other:c", "other:d", "feed:a")
    assert found.transit.route.tolist()[0] == "other: 1 · Main street"


def test_a_folder_and_a_zip_with_a_folder_are_read_alike(make: Maker, tmp_path: Path) -> None:
    plain = lines_on(make(), "2024-01-02")
    folder = tmp_path / "feed"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text("\ufeff" + text.replace("\n", "\r\n"), encoding="utf-8")
    inside = pack(tmp_path / "in.zip", {f"gtfs/{n}": t for n, t in FILES.items()})
    for path in (folder, inside):
        other = lines_on(path, "2024-01-02")
        assert np.array_equal(other.transit.run_time, plain.transit.run_time)
        assert other.reports[0]["trips_in_window"] == plain.reports[0]["trips_in_window"]


@pytest.mark.parametrize(
    ("change", "finding", "first"),
    [
        (("stops", "b,Bee,0.0,10.01", "b,Bee,,"), "stops without coordinates", "b"),
        (("stops", "b,Bee,0.0,10.01", "x,Bee,0.0,10.01"), "visits to an unknown stop", "b"),
        (("stops", "d,Dee", "c,Dee,0,10.02\nd,Dee"), "stop_id that stands twice", "c"),
        (("trips", "R1,WD,back", "R9,WD,back"), "trips of an unknown route", "back"),
        (("trips", "R1,NIGHT,late", "R1,NONE,late"), "services without a calendar", "NONE"),
        (("trips", "R2,WD,f1", "R1,WD,none,0,\nR2,WD,f1"), "trips without any stop", "none"),
        (("stop_times", "t1,07:06:00,07:06:00", "t1,,"), "trips without a time at an end", "t1"),
        (
            ("stop_times", "07:03:00,07:04:00,b", "06:03:00,06:04:00,b"),
            "times before an earlier one of their trip", "t1",
        ),
        (("stop_times", "07:03:00", "seven"), "arrival_time that is no time", "t1"),
        (
            ("stop_times", "9:09:59,9:09:59", "9:00:01,9:00:01"),
            "lines faster than 360 km/h from end to end", "feed:R1:0:2",
        ),
        (("frequencies", FILES["frequencies.txt"], ""), "an empty file", "frequencies.txt"),
        (
            ("stop_times", "t1,07:06:00,07:06:00,c,3", "t1,07:06:00,07:06:00,c,2"),
            "stop_sequence twice in a trip", "t1",
        ),
        (("stop_times", "t2,07:35:00,07:36:00,b", "t2,07:35:00,07:36:00,a"),
         "a stop twice in a row", "t2"),
        (("stop_times", "t1,07:03", "ghost,07:03"), "times of an unknown trip", "ghost"),
        (("stop_times", "t3,9:09:59", "t1,9:09:59"), "trips with one stop", "t3"),
        (("trips", "R1,WD,back,1,", "R1,WD,back,1,s9"), "", ""),
        (("trips", "R1,WD,t3,0,s1", "R1,WD,t3,0,s9"),
         "shapes that trips name and that have no points", "s9"),
        (("shapes", "s1,0.0,10.03,9", "s1,0.5,10.03,9"),
         "shapes that pass a stop of their trips by", "s1"),
        (("routes", "R2,2,,1,", "R2,2,,99,"), "an unknown route_type", "R2"),
        (("routes", "R2,2,,1,", "R2,2,,1100,"), "routes by air, by taxi or on demand", "R2"),
        (("calendar", "20240131\nSAT", "20249931\nWD,1,1,1,1,1,0,0,20240101,20240131\nSAT"),
         "rows with a date or a day that cannot be read", "WD"),
        (("frequencies", "f1,08:00:00,08:30:00,900", "f1,08:00:00,08:30:00,0"),
         "rows with an unknown trip, no headway or no time", "f1"),
        (("stop_times", "t3,8:59:59", "t3,x\nt3,8:59:59"),
         "rows with another number of fields", "line 8"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(
    make: Maker, change: tuple[str, str, str], finding: str, first: str
) -> None:
    found = what(lines_on(make(change), "2024-01-02"))
    assert set(found) == ({finding} if finding else set())
    if finding:
        assert found[finding][1][0] == first


def test_times_that_wrap_at_midnight_go_on(make: Maker) -> None:
    wrapped = make(
        ("stop_times", "late,24:30:00,24:30:00,a", "late,23:50:00,23:50:00,a"),
        ("stop_times", "late,24:36:00,24:36:00,d", "late,00:20:00,00:20:00,d"),
    )
    found = lines_on(wrapped, "2024-01-05", "23:00", "24:00")
    assert sum(row(found, "feed:R1:0:1")[2]) == pytest.approx(1800.0)
    assert what(found)["trips whose times start again at midnight"] == (1, ["late"])


def test_a_platform_takes_the_place_of_its_station(make: Maker) -> None:
    stops = FILES["stops.txt"].replace("stop_lon\n", "stop_lon,location_type,parent_station\n")
    stops = stops.replace("b,Bee,0.0,10.01", "b,Bee,,,0,hub\nhub,Hub,0.0,10.01,1,")
    stops = stops.replace("10.00\n", "10.00,,\n").replace("10.02\n", "10.02,,\n")
    found = lines_on(make(stops=stops.replace("10.03\n", "10.03,,\n")), "2024-01-02")
    assert found.stations == ("", "hub", "", "")
    assert found.transit.stop_lon.tolist()[1] == 10.01
    assert what(found) == {}


def test_names_are_only_text(make: Maker) -> None:
    nasty = "<script>alert(1)</script>"
    path = make(
        ("stops", "Ay", nasty), ("stops", "Bee", '"=HYPERLINK(""x"")\n\x1b[31m two"'),
        ("routes", "Main street", "=1+1"),
    )  # fmt: skip
    net = lines_on(path, "2024-01-02").transit
    assert net.stop_name.tolist()[:2] == [nasty, '=HYPERLINK("x") [31m two']
    assert net.route.tolist()[0] == "1 · =1+1"


NO_SERVICE = (
    "no service on 2024-03-02; expected one of 27 dates from 2024-01-01 to 2024-01-31; "
    "the nearest are .*2024-01-31"
)
NO_TRIP = (
    "no trip that starts 2024-01-02 03:00–04:00; expected a window in which trips start; "
    "on that date they start from 06:00 to 09:00"
)


@pytest.mark.parametrize(
    ("date", "begin", "end", "said"),
    [("2024-03-02", "07:00", "09:00", NO_SERVICE), ("2024-01-02", "03:00", "04:00", NO_TRIP)],
)
def test_nothing_runs(make: Maker, date: str, begin: str, end: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        lines_on(make(), date, begin, end)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("2024-13-02", "07:00", "09:00"), "date: found '2024-13-02'"),
        (("tomorrow", "7", "09:00"), "date: found.*\nfrom: found '7'"),
        (("2024-01-02", "09:00", "07:00"), "to: found 07:00 after 09:00"),
        (("2024-01-02", "07:00", "07:00"), "to: found"),
        (("2024-01-02", "07:00", "49:00"), "to: found '49:00'"),
    ],
)
def test_wrong_windows(words: tuple[str, str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_window(*words)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"trips": None}, [r"feed\.zip!trips\.txt: found no such file"]),
        ({"calendar": None, "calendar_dates": None}, ["calendar.txt or calendar_dates.txt"]),
        (
            {"stops": None, "routes": "route_id\nR1\n"},
            [r"stops\.txt: found no such file", r"routes\.txt:1: found no column route_type"],
        ),
        ({"stops": "stop_id,stop_lat,stop_lon\n"}, [r"stops\.txt: found no row"]),
        ({"stops": ""}, [r"stops\.txt:1: found no column .*the file is empty"]),
        ({"stops": "stop_id,stop_lat,stop_lon\na,x,y\n"}, ["no stop with coordinates"]),
        ({"trips": "route_id,service_id,trip_id\nR9,WD,t1\n"}, ["no trip of a known route"]),
        (
            {"calendar": FILES["calendar.txt"].replace("2024", "24"), "calendar_dates": None},
            ["no date with service"],
        ),
    ],
)
def test_broken_feeds(make: Maker, files: dict[str, str | None], said: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        lines_on(make(**files), "2024-01-02")
    assert len(caught.value.faults) == len(said)
    for fault, text in zip(caught.value.faults, said, strict=True):
        assert pd.Series([str(fault)]).str.contains(text).all(), str(fault)


def test_a_bad_zip(tmp_path: Path, make: Maker) -> None:
    path = tmp_path / "x.zip"
    for content in (b"", b"PK\x03\x04 and then nothing", b"hello"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="no zip that can be read"):
            lines_on(path, "2024-01-02")
    whole = make().read_bytes()
    at = whole.index(b"stop_times.txt") + 40
    path.write_bytes(whole[:at] + bytes(60) + whole[at + 60 :])
    with pytest.raises(InputError, match=r"stop_times\.txt: found a damaged member"):
        lines_on(path, "2024-01-02")
    with pytest.raises(InputError, match="nothing"):
        lines_on(tmp_path / "none.zip", "2024-01-02")


def test_a_file_that_swells_is_refused(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gtfs_tables, "_SMALL", 1000)
    path = make(stops=FILES["stops.txt"] + " " * 10**6)
    with pytest.raises(InputError, match=r"stops\.txt: found 1 MiB packed into . KiB"):
        lines_on(path, "2024-01-02")
    monkeypatch.setattr(gtfs_tables, "MAX_BYTES", 10**5)
    with pytest.raises(InputError, match=r"stops\.txt: found 0\.0 GiB; expected at most"):
        lines_on(path, "2024-01-02")


def test_members_that_lead_outside_are_never_opened(tmp_path: Path) -> None:
    outside = {"../stops.txt": "evil", "/trips.txt": "evil", "a\\..\\..\\routes.txt": "evil"}
    path = pack(tmp_path / "feed.zip", {**outside, **FILES})
    before = sorted(tmp_path.rglob("*"))
    found = lines_on(path, "2024-01-02")
    assert what(found)["members whose path leads outside"][0] == 3
    assert sorted(tmp_path.rglob("*")) == before
    assert not (tmp_path.parent / "stops.txt").exists()


def test_stops_without_boarding_and_alighting_are_passed_by(make: Maker) -> None:
    times = (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
        "t1,07:00:00,07:00:00,a,1,0,1\nt1,07:03:00,07:05:00,b,2,1,1\n"
        "t1,07:09:00,07:10:00,c,3,0,1\nt1,07:20:00,07:20:00,d,4,1,0\n"
    )
    found = lines_on(make(stop_times=times), "2024-01-02")
    assert row(found, "feed:R1:0:1")[1:3] == (["Ay", "Cee", "Dee"], [600.0, 600.0, 0.0])
    assert what(found)["visits for boarding only or alighting only"] == (1, ["t1"])


def test_tables_with_a_header_alone_and_old_line_ends(make: Maker) -> None:
    head = FILES["frequencies.txt"].split("\n")[0]
    found = lines_on(make(frequencies=head), "2024-01-02", "06:00", "08:00")
    assert what(found) == {}
    assert found.reports[0]["trips_by_frequency"] == 0.0
    old = make(stops=FILES["stops.txt"].replace("\n", "\r"))
    assert lines_on(old, "2024-01-02").transit.stop_name.tolist() == ["Ay", "Bee", "Cee", "Dee"]


def test_one_wrong_time_past_midnight_does_not_move_the_others(make: Maker) -> None:
    found = lines_on(make(("stop_times", "07:03:00,07:04:00,b", "27:03:00,27:04:00,b")),
                     "2024-01-02")  # fmt: skip
    assert what(found)["trips without a time at an end"] == (1, ["t1"])
    assert row(found, "feed:R1:0:1")[2] == pytest.approx([360.0, 120.0, 0.0])


def test_old_encodings_are_read(make: Maker, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "feed.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text.replace("Ay", "São").encode("cp1252"))
    found = lines_on(tmp_path / "feed.zip", "2024-01-02")
    assert found.transit.stop_name.tolist()[0] == "São"
    assert what(found)["text that is not UTF-8"][0] == 1


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("0", "tram"), ("2", "rail"), ("109", "rail"), ("401", "metro"), ("405", "monorail"),
     ("704", "bus"), ("900", "tram"), ("1000", "ferry"), ("1501", None), ("x", "bus"),
     ("11", "bus"), ("7", "tram"), ("1400", "tram"), ("-1", "bus"), ("200", "bus")],
)  # fmt: skip
def test_modes(kind: str, mode: str | None) -> None:
    assert mode_of(kind)[0] == mode


@st.composite
def random_feed(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, int]]:
    """A feed of random trips with the number of times each starts on 2024-01-03, 07:00 to 09:00."""
    trips = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["R1", "R2"]),
                st.sampled_from(["today", "yesterday", "both", "never"]),
                st.sampled_from(["", "0", "1"]),
                st.integers(0, 3000).map(lambda k: 60 * k),  # up to 50:00
                st.lists(st.sampled_from("abcd"), min_size=2, max_size=6, unique=True),
            ),
            min_size=1,
            max_size=25,
        )
    )
    rows, times, starts = [], [], {}
    for k, (route, service, way, begin, stops) in enumerate(trips):
        rows.append(f"{route},{service},t{k},{way}")
        for n, stop in enumerate(stops):
            second = begin + 90 * n
            clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            clock = clock if n in (0, len(stops) - 1) or k % 2 else ""
            times.append(f"t{k},{clock},{clock},{stop},{n}")
        days = {"today": [0], "yesterday": [-1], "both": [0, -1], "never": []}[service]
        starts[f"t{k}"] = sum(25200 <= begin + 86400 * day < 32400 for day in days)
    dates = "today,20240103,1\nyesterday,20240102,1\nboth,20240102,1\nboth,20240103,1\n"
    files = {
        "stops.txt": FILES["stops.txt"],
        "routes.txt": FILES["routes.txt"],
        "trips.txt": "route_id,service_id,trip_id,direction_id\n" + "\n".join(rows),
        "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        + "\n".join(draw(st.permutations(times))),
        "calendar_dates.txt": f"service_id,date,exception_type\n{dates}",
    }
    return files, starts


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(random_feed())
def test_every_trip_is_counted_once(
    tmp_path: Path, feed: tuple[dict[str, str], dict[str, int]]
) -> None:
    files, starts = feed
    path = pack(tmp_path / "random.zip", dict(files))
    total = sum(starts.values())
    if not total:
        with pytest.raises(InputError):
            lines_on(path, "2024-01-03")
        return
    found = lines_on(path, "2024-01-03")
    net = found.transit
    assert (7200.0 / net.headway).sum() == pytest.approx(total)
    assert found.reports[0]["trips_in_window"] == total
    last = np.zeros(len(net.line_stop), dtype=bool)
    last[net.line_first[1:] - 1] = True
    # However they were interpolated, times add up to 90 s a run.
    sizes = np.diff(net.line_first) - 1
    assert np.add.reduceat(net.run_time, net.line_first[:-1]) == pytest.approx(90.0 * sizes)
    assert (net.run_time[~last] > 0.0).all()


class Counted:
    """What a few lines of pandas count in a feed."""

    def __init__(self, path: Path, weekday: str, date: str, begin: str, end: str) -> None:
        with zipfile.ZipFile(path) as archive:
            table = {n: pd.read_csv(archive.open(n), dtype=str) for n in archive.namelist()}
        week = table["calendar.txt"]
        runs = (week[weekday] == "1") & (week.start_date <= date) & (week.end_date >= date)
        services = set(week.service_id[runs])
        if "calendar_dates.txt" in table:
            days = table["calendar_dates.txt"].query("date == @date")
            services |= set(days.service_id[days.exception_type == "1"])
            services -= set(days.service_id[days.exception_type == "2"])
        trips = table["trips.txt"]
        trips = trips[trips.service_id.isin(services)]
        times = table["stop_times.txt"].astype({"stop_sequence": int})
        times = times[times.trip_id.isin(trips.trip_id)].sort_values(["trip_id", "stop_sequence"])
        first = times.groupby("trip_id").departure_time.first().str.zfill(8)
        self.trips = first[(first >= begin) & (first < end)].index
        own = times[times.trip_id.isin(self.trips)]
        self.stops = own.stop_id.nunique()
        self.routes = trips[trips.trip_id.isin(self.trips)].route_id.nunique()
        self.times, self.table = own, trips.set_index("trip_id").loc[self.trips]
        stops = own.groupby("trip_id").stop_id.agg(
            lambda s: ">".join(s[s != s.shift()])
        )  # fmt: skip
        way = self.table.get("direction_id", pd.Series("", self.table.index)).fillna("")
        self.pattern = self.table.route_id + "|" + way + "|" + stops


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "begin", "end", "known"),
    [
        ("bus", "12:00", "14:00", (3942, 114, 1129, 199)),
        ("rail", "07:00", "09:00", (24, 2, 72, 8)),
        ("rail", "17:00", "19:00", None),
    ],
)
def test_porto_alegre_is_counted_as_pandas_counts_it(
    data_dir: Path, name: str, begin: str, end: str, known: tuple[int, ...] | None
) -> None:
    path = data_dir / f"gtfs/porto-alegre-{name}.zip"
    found = lines_on(path, "2019-05-14", begin, end)
    own = Counted(path, "tuesday", "20190514", f"{begin}:00", f"{end}:00")
    report = found.reports[0]
    ours = tuple(
        report[key] for key in ("stops_in_window", "routes_in_window", "trips_in_window", "lines")
    )
    assert ours == (own.stops, own.routes, len(own.trips), own.pattern.nunique())
    assert known is None or ours == known
    net = found.transit
    counts = Counter((7200.0 / net.headway).round(6).tolist())
    assert counts == Counter(own.pattern.value_counts().astype(float).tolist())


@pytest.mark.data
def test_three_lines_of_porto_alegre_by_hand(data_dir: Path) -> None:
    bus = lines_on(data_dir / "gtfs/porto-alegre-bus.zip", "2019-05-14", "12:00", "14:00")
    rail = lines_on(data_dir / "gtfs/porto-alegre-rail.zip", "2019-05-14")
    for found, part, begin, line, route, way in (
        (bus, "bus", "12:00", "porto-alegre-bus:T1:0:1", "T1", "0"),
        (bus, "bus", "12:00", "porto-alegre-bus:T12:0:1", "T12", "0"),
        (rail, "rail", "07:00", "porto-alegre-rail:LINHA1:-:1", "LINHA1", ""),
    ):
        end = "14:00:00" if part == "bus" else "09:00:00"
        path = data_dir / f"gtfs/porto-alegre-{part}.zip"
        own = Counted(path, "tuesday", "20190514", f"{begin}:00", end)
        of_way = own.pattern[own.pattern.str.startswith(f"{route}|{way}|")]
        trips = of_way[of_way == of_way.value_counts().idxmax()].index
        headway, names, run, length = row(found, line)
        assert headway == pytest.approx(7200.0 / len(trips))
        ends = own.times.dropna(subset="arrival_time").groupby("trip_id")
        span = (pd.to_timedelta(ends.arrival_time.last()[trips].str.zfill(8))
                - pd.to_timedelta(ends.departure_time.first()[trips].str.zfill(8)))  # fmt: skip
        assert sum(run) == pytest.approx(span.dt.total_seconds().mean())
        assert len(names) == len(of_way[trips[0]].split(">"))
        assert 10.0 < 3.6 * sum(length) / sum(run) < 60.0
    # Mercado to Novo Hamburgo: 43.8 km of track.
    assert sum(row(rail, "porto-alegre-rail:LINHA1:-:1")[3]) == pytest.approx(43_000, rel=0.05)


@pytest.mark.data
def test_the_buses_of_porto_alegre_do_not_run_in_the_morning(data_dir: Path) -> None:
    with pytest.raises(InputError, match="they start from 11:20 to 16:00"):
        lines_on(data_dir / "gtfs/porto-alegre-bus.zip", "2019-05-14")
