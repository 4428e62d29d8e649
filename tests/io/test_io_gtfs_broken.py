"""Feeds that are broken or odd: what is said, what is passed by, what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest
from gtfs_case import FILES, Maker, lines_on, pack, row, what

from cczsim.errors import InputError
from cczsim.io import gtfs_tables
from cczsim.io.gtfs_calendar import read_window


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
        (("routes", "R2,2,,1,", "R2,2,,1"), "rows with fewer or more fields", "line 3"),
        (("stops", "d,Dee,0.0,10.03", "d,Dee,0.0,10.03,, "), "rows with fewer or more fields",
         "line 5"),
        (("stops", "a,Ay,0.0,10.00", "a,Ay, north,0.0,10.00\na,Ay,0.0,10.00"),
         "rows with another number of fields", "line 2"),
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


def test_rows_that_end_early_are_not_lost(make: Maker) -> None:
    """As in the sample feed of GTFS's first specification, whose last fields are left away."""
    head, *rows = FILES["stop_times.txt"].splitlines()
    wide = "\n".join([head + ",stop_headsign,pickup_type,drop_off_type,shape_dist_traveled", *rows])
    whole = lines_on(make(), "2024-01-02")
    found = lines_on(make(stop_times=wide + "\n"), "2024-01-02")
    assert found.transit.headway.tolist() == whole.transit.headway.tolist()
    assert found.transit.line_stop.tolist() == whole.transit.line_stop.tolist()
    assert what(found)["rows with fewer or more fields"][0] == len(rows)


def test_a_row_cut_off_before_a_needed_field_is_left_out(make: Maker) -> None:
    found = lines_on(make(("stop_times", "t2,07:38:00,07:38:00,c,3", "t2,07:38")), "2024-01-02")
    assert what(found)["rows with another number of fields"] == (1, ["line 7"])


def test_utf16_is_read(make: Maker, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "feed.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text.replace("Ay", "长沙").encode("utf-16"))
    found = lines_on(tmp_path / "feed.zip", "2024-01-02")
    assert found.transit.stop_name.tolist()[0] == "长沙"
    assert (
        found.reports[0]["trips_in_window"]
        == lines_on(make(), "2024-01-02").reports[0]["trips_in_window"]
    )
