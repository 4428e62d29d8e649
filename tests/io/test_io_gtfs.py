"""Feeds by hand with known answers, and random feeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gtfs_case import FILES, STEP, Maker, lines_on, pack, row
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cczsim.errors import InputError
from cczsim.io.gtfs import read_feeds
from cczsim.io.gtfs_calendar import FeedSource, read_window
from cczsim.io.gtfs_routes import mode_of
from cczsim.network.geometry import segment_lengths
from cczsim.network.line_build import MODE_DEFAULTS
from cczsim.network.provenance import Source
from cczsim.network.transit import MODE_CODE


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


@pytest.mark.parametrize(
    ("rows", "starts"),
    [
        ("f1,07:00:00,07:59:00,600\nf1,08:00:00,08:59:00,1200\n", 5.9 + 0.1 + 59 / 20),
        ("f1,07:00:00,07:59:59,600\nf1,08:00:00,08:59:59,1200\n", 9.0),
        ("f1,07:00:00,07:50:00,600\nf1,08:00:00,09:00:00,1200\n", 8.0),
    ],
)
def test_headways_last_until_the_next_minute(make: Maker, rows: str, starts: float) -> None:
    """07:59 before a row that begins at 08:00 is no minute without service; 07:50 is a gap."""
    head = "trip_id,start_time,end_time,headway_secs\n"
    found = lines_on(make(frequencies=head + rows), "2024-01-02")
    assert found.reports[0]["trips_by_frequency"] == pytest.approx(starts)


def test_exact_times_count_whole_starts(make: Maker) -> None:
    """Every 7 min from 06:00 to 08:10: 06:00, …, 08:06; 9 of 19 start from 07:10 on."""
    head = "trip_id,start_time,end_time,headway_secs,exact_times\n"
    exact = make(frequencies=head + "f1,06:00:00,08:10:00,420,1\n")
    for begin, end, starts in (
        ("07:10", "09:00", 9),
        ("05:00", "08:06", 18),
        ("06:00", "07:00", 9),
    ):
        found = lines_on(exact, "2024-01-02", begin, end)
        assert found.reports[0]["trips_by_frequency"] == starts
    about = make(frequencies=head + "f1,06:00:00,08:10:00,420,0\n")
    found = lines_on(about, "2024-01-02", "06:00", "07:00")
    assert found.reports[0]["trips_by_frequency"] == pytest.approx(60.0 / 7.0, abs=1e-3)


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


FARES = {
    "stops.txt": FILES["stops.txt"].replace("stop_lon\n", "stop_lon,zone_id\n")
    .replace("10.00\n", "10.00,1\n").replace("10.01\n", "10.01,1\n")
    .replace("10.02\n", "10.02,2\n").replace("10.03\n", "10.03,\n"),
    "fare_attributes.txt": "fare_id,price,currency_type,payment_method,transfers,"
    "transfer_duration\n"
    "one,2.5,CNY,0,0,\nall,4,CNY,0,,5400\nbad,free,CNY,0,0,\nmetro,3,CNY,0,1,\ngone,9,CNY,0,0,\n",
    "fare_rules.txt": "fare_id,route_id,origin_id,destination_id,contains_id\n"
    "one,,1,1,\none,,2,2,\nmetro,R2,,,\nnone,R1,,,\nall,,1,7,\nall,,,,\ngone,R9,,,\n",
}  # fmt: skip


def test_fares_become_tickets_with_rules(make: Maker) -> None:
    found = lines_on(make(**{k.removesuffix(".txt"): v for k, v in FARES.items()}), "2024-01-02")
    net = found.transit
    assert dict(zip(net.stop_name.tolist(), net.fare_zone.tolist(), strict=True)) == {
        "Ay": "1", "Bee": "1", "Cee": "2", "Dee": "",
    }  # fmt: skip
    assert set(net.fare_system.tolist()) == {"feed"}
    assert net.fare_route.tolist() == ["R1", "R1", "R2"]
    # A fare that holds on no route that is known is none.
    assert net.ticket_price.tolist() == [2.5, 4.0, 3.0]
    assert net.ticket_transfers.tolist() == [0, -1, 1]
    rules = list(zip(net.rule_ticket.tolist(), net.rule_route.tolist(), net.rule_from.tolist(),
                     net.rule_to.tolist(), strict=True))  # fmt: skip
    assert rules == [(0, "", "1", "1"), (0, "", "2", "2"), (2, "R2", "", ""), (1, "", "1", "7"),
                     (1, "", "", "")]  # fmt: skip
    said = {r["what"]: r["first"] for r in found.reports[0]["findings"]}
    assert said == {
        "fares without a price": ["bad"], "fares with a transfer_duration": ["all"],
        "rules of an unknown fare": ["none"], "zones that no stop has": ["7"],
    }  # fmt: skip
    assert found.reports[0]["fares"] == 3


def test_fares_of_another_currency_need_a_rate(make: Maker) -> None:
    prices = "fare_id,price,currency_type,payment_method,transfers\nflat,5,BRL,0,0\n"
    path = make(fare_attributes=prices)
    without = lines_on(path, "2024-01-02")
    assert without.transit.size("ticket") == 0
    assert set(without.transit.fare_system.tolist()) == {""}
    assert [r["what"] for r in without.reports[0]["findings"]] == ["prices in BRL"]
    window = read_window("2024-01-02", "07:00", "09:00")
    rated = read_feeds([FeedSource(path, window, 1.4), FeedSource(path, window, 2.0)]).transit
    assert rated.ticket_price.tolist() == pytest.approx([7.0, 10.0])
    assert rated.ticket_system.tolist() == ["feed", "feed-2"]
    assert rated.rule_ticket.tolist() == [0, 1]


def test_fares_of_an_agency_hold_on_its_routes(make: Maker) -> None:
    routes = FILES["routes.txt"].replace("route_color\n", "route_color,agency_id\n")
    path = make(
        routes=routes.replace("FF8800\n", "FF8800,X\n").replace("1,\n", "1,,Y\n"),
        fare_attributes="fare_id,price,currency_type,agency_id\nx,5,CNY,X\nany,7,CNY,\nz,8,CNY,Z\n",
    )
    net = lines_on(path, "2024-01-02").transit
    assert net.ticket_price.tolist() == [5.0, 7.0]
    assert (net.rule_ticket.tolist(), net.rule_route.tolist()) == ([0, 1], ["R1", ""])


def test_a_fare_without_rules_is_the_base_fare_beside_those_of_special_routes(make: Maker) -> None:
    prices = "fare_id,price,currency_type\nbase,2,CNY\nfast,6,CNY\n"
    path = make(fare_attributes=prices, fare_rules="fare_id,route_id\nfast,R2\n")
    net = lines_on(path, "2024-01-02").transit
    assert sorted(zip(net.rule_ticket.tolist(), net.rule_route.tolist(), strict=True)) == [
        (0, "R1"), (1, "R2"),
    ]  # fmt: skip
    path = make(fare_attributes=prices, fare_rules="fare_id,route_id\nfast,R2\nfast,R1\n")
    assert lines_on(path, "2024-01-02").transit.ticket_price.tolist() == [6.0]


def test_fares_of_version_2_are_named(make: Maker) -> None:
    path = make(fare_products="fare_product_id,amount,currency\np,2,CNY\n")
    assert [r["what"] for r in lines_on(path, "2024-01-02").reports[0]["findings"]] == [
        "fares of version 2 (Fares V2)"
    ]
