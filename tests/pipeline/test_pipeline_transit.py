"""``cczsim transit assign`` from its words to its JSON: on feeds alone and on networks."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cczsim.cli import main

KEYS = {
    "network", "lines", "stops", "trips_in_window", "boardings", "passenger_km", "total_demand",
    "intrazonal_demand", "unreachable_demand", "seconds", "gtfs", "skims", "by_line", "version",
}  # fmt: skip
# Two lines of 0.01 degrees a stop on the equator: a-b-c every 10 minutes, c-d every 20.
FEED = {
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
    "a,A,0,10.00,0,\nb,B,0,10.01,0,\nc,C,0,10.02,0,hub\nd,D,0,10.03,0,\nhub,C,0,10.02,1,\n"
    "e,E,0,11,0,\n",
    "routes.txt": "route_id,route_short_name,route_type\nR1,1,3\nR2,2,0\n",
    "trips.txt": "route_id,service_id,trip_id\nR1,S,t1\nR2,S,t2\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "t1,07:00:00,07:00:00,a,1\nt1,07:02:00,07:02:00,b,2\nt1,07:05:00,07:05:00,c,3\n"
    "t2,07:00:00,07:00:00,c,1\nt2,07:04:00,07:04:00,d,2\n",
    "calendar_dates.txt": "service_id,date,exception_type\nS,20240103,1\n",
    "frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt1,06:00:00,10:00:00,600\n"
    "t2,06:00:00,10:00:00,1200\n",
}


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FEED.items():
            archive.writestr(name, text)
    return path


def run(*words: object) -> int:
    return main(["transit", "assign", *(str(word) for word in words)])


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def trips(folder: Path, rows: str) -> Path:
    path = folder / "trips.csv"
    path.write_text("origin,destination,trips\n" + rows, encoding="utf-8")
    return path


def test_stops_of_a_feed_are_zones(feed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    named = trips(tmp_path, "a,d,60\na,hub,30\nb,d,10\nb,b,5\n")
    words = (feed, named, "--date", "2024-01-03", "--json", out)
    assert run(*words) == 0
    found = read(out)
    assert set(found) >= KEYS
    assert (found["lines"], found["stops"], found["n_zones"]) == (2, 4, 4)
    assert found["trips_in_window"] == pytest.approx(12 + 6)
    assert found["total_demand"] == 105.0
    assert found["intrazonal_demand"] == 5.0
    assert found["unreachable_demand"] == 0.0
    # 60 and 10 board twice, 30 once; runs are the crow's way by the mode's detour.
    assert found["boardings"] == pytest.approx(2 * 70 + 30)
    step = 1.113195
    bus, tram = 1.2 * step * (90 + 100), 1.1 * step * 70
    assert found["passenger_km"] == pytest.approx(bus + tram, rel=1e-4)
    by_line = {row["line"]: row for row in found["by_line"]}
    assert by_line["feed:R1:-:1"]["boardings"] == pytest.approx(100.0)
    assert by_line["feed:R2:-:1"]["headway_s"] == pytest.approx(1200.0)
    skims = found["skims"]
    assert skims["pairs_with_a_ride"] == 6  # a to b, hub and d; b to hub and d; hub to d
    assert skims["mean_wait_min"] == pytest.approx((60 * 15 + 30 * 5 + 10 * 15) / 100)


def test_demand_without_a_way_is_listed(feed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    named = trips(tmp_path, "a,d,98\nd,a,1\na,e,1\n")
    assert run(feed, named, "--json", out) == 1
    found = read(out)
    assert found["unreachable_demand"] == 2.0
    assert found["unreachable_pairs"] == [
        {"origin": "a", "destination": "e", "trips": 1.0},
        {"origin": "d", "destination": "a", "trips": 1.0},
    ]
    assert run(feed, named, "--lost-demand", "2 %") == 0


def test_without_trips_times_are_found(
    feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    assert run(feed, "--json", out) == 0
    found = read(out)
    assert found["gtfs"][0]["date"] == "2024-01-03"  # its only date
    assert found["assigned"] is False
    assert found["boardings"] == 0.0
    assert found["skims"]["pairs"] == 12
    assert "nobody was assigned" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,x,1\n", ["trips.csv:2: destination: found 'x'"]),
        ("a,b,-1\nhubb,c,many\n", ["trips.csv:2: trips", "did you mean 'hub'", ":3: trips"]),
        ("a,b,0\n", ["no trips"]),
    ],
)
def test_wrong_trips(
    feed: Path, tmp_path: Path, rows: str, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(feed, trips(tmp_path, rows)) == 2
    lines = [x for x in capsys.readouterr().err.splitlines() if x.startswith("error:")]
    assert len(lines) == len(said)
    assert all(text in line for text, line in zip(said, lines, strict=True))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--date", "2024-02-30"], "--date: found '2024-02-30'"),
        (["--date", "2024-01-04"], "no service on 2024-01-04; expected one of 1 dates"),
        (["--from", "9", "--to", "08:00"], "--from: found '9'"),
        (["--from", "09:00", "--to", "08:00"], "--to: found 08:00 after 09:00"),
        (["--from", "12:00", "--to", "13:00"], "no trip that starts 2024-01-03 12:00–13:00"),
        (["--lost-demand", "200 %"], "--lost-demand"),
        (["--json", "nowhere/x.json"], "no such folder"),
        (["trips.omx"], "trips.omx: found no CSV file"),
    ],
)
def test_wrong_words(
    feed: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(feed, *words) == 2
    assert said in capsys.readouterr().err


def test_a_network_has_its_window(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = repository / "networks/czt"
    assert run(folder, "--date", "2024-01-03", "--to", "09:00") == 2
    assert "--date, --to: found a window for" in capsys.readouterr().err
    assert run(tmp_path / "none") == 2
    assert "found nothing" in capsys.readouterr().err
    (tmp_path / "x.zip").write_bytes(b"no zip")
    assert run(tmp_path / "x.zip") == 2
    assert "no zip that can be read" in capsys.readouterr().err


RECIPE = (
    'cczsim = 1\nkind = "osm"\nname = "grid"\n[source]\nfile = "grid.osm"\n'
    '[zones]\nkind = "csv"\nfile = "z.csv"\n'
    '[[transit.gtfs]]\nfile = "feed.zip"\ndate = "2024-01-03"\nfrom = "07:00"\nto = "08:00"\n'
)


@pytest.fixture
def recipe(feed: Path, tmp_path: Path) -> Path:
    """A ring of streets along the feed's stops, with a zone at each end."""
    places = [(10.0, 0.0), (10.01, 0.0), (10.02, 0.0), (10.03, 0.0), (10.03, 0.01), (10.0, 0.01)]
    places += [(10.0, -0.005), (10.03, -0.005)]
    nodes = "".join(
        f'<node id="{k}" lon="{lon}" lat="{lat}"/>' for k, (lon, lat) in enumerate(places, 1)
    )
    ways = "".join(
        f'<way id="{k}">{"".join(f"<nd ref={chr(34)}{n}{chr(34)}/>" for n in nds)}'
        '<tag k="highway" v="primary"/></way>'
        for k, nds in enumerate([(1, 2, 3, 4, 5, 6, 1), (1, 7), (4, 8)], 1)
    )
    (tmp_path / "grid.osm").write_text(f'<osm version="0.6">{nodes}{ways}</osm>', encoding="utf-8")
    (tmp_path / "z.csv").write_text(
        "id,lon,lat,population,jobs\n1,10.001,-0.001,10,10\n2,10.029,-0.001,10,10\n",
        encoding="utf-8",
    )
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


def test_recipes_take_feeds(recipe: Path, tmp_path: Path) -> None:
    out, built = tmp_path / "out.json", tmp_path / "built"
    assert main(["network", "build", str(recipe), "--out", str(built)]) == 0
    assert run(built, trips(tmp_path, "1,2,40\n"), "--json", out) == 0
    found = read(out)
    assert (found["lines"], found["n_zones"]) == (2, 2)
    assert found["trips_in_window"] == pytest.approx(9.0)
    assert found["boardings"] >= 40.0
    account = json.loads((built / "network.json").read_text(encoding="utf-8"))
    assert "2 directed lines are the timetable feed of 2024-01-03, 07:00 to 08:00: 9 trips" in str(
        account
    )
    assert run(recipe) == 0


def test_a_feed_of_another_place_is_said_to_be_one(
    recipe: Path, feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(feed, "w") as archive:
        for name, text in FEED.items():
            archive.writestr(name, text.replace(",10.0", ",40.0"))
    built = tmp_path / "built"
    assert main(["network", "build", str(recipe), "--out", str(built)]) == 0
    said = capsys.readouterr()
    assert "2 of 2 zones reach no stop" in said.out + said.err
    assert "No zone reaches a stop" in (built / "network.json").read_text(encoding="utf-8")
    assert run(built) == 0
    said = capsys.readouterr()
    assert "none of 2 pairs of zones has a ride" in said.out + said.err


def test_fares_of_a_feed_reach_what_an_assignment_says(
    feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two rides at 3 each, or one ticket for both at 5."""
    out = tmp_path / "out.json"
    with zipfile.ZipFile(feed, "a") as archive:
        archive.writestr(
            "fare_attributes.txt",
            "fare_id,price,currency_type,transfers\none,3,CHF,0\nboth,5,CHF,1\n",
        )
    assert run(feed, trips(tmp_path, "a,d,10\na,b,30\n"), "--json", out) == 0
    assert read(out)["skims"]["mean_tickets"] == pytest.approx((10 * 5.0 + 30 * 3.0) / 40)
    said = capsys.readouterr()
    assert "tickets cost 3.50 on average, 0.00 rides have none" in said.out + said.err
    words = ["--crowding", "capacity", "--json", out]
    assert run(feed, trips(tmp_path, "a,d,10\na,b,30\n"), *words) == 0
    assert read(out)["skims"]["mean_tickets"] == pytest.approx(3.5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"2024-01-03"', '"3 Jan"'), "recipe.toml:11: transit.gtfs[1].date: found '3 Jan'"),
        (('"07:00"', "07:00"), "broken TOML"),
        (('"08:00"', '"06:00"'), "recipe.toml:13: transit.gtfs[1].to"),
        (('"feed.zip"', '"fed.zip"'), "recipe.toml:10: transit.gtfs[1].file"),
        (("date =", "day ="), "the unknown key 'day'"),
        (("[[transit.gtfs]]", "[[transit.gtf]]"), "the unknown key 'gtf'"),
        (('"2024-01-03"', '"2024-01-04"'), "no service on 2024-01-04"),
    ],
)
def test_wrong_recipes(
    recipe: Path, change: tuple[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert change[0] in RECIPE
    recipe.write_text(RECIPE.replace(*change), encoding="utf-8")
    assert main(["network", "build", str(recipe)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.data
def test_porto_alegre(
    data_dir: Path, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCZSIM_DATA", str(data_dir))
    out = tmp_path / "out.json"
    assert run(repository / "networks/porto-alegre", "--json", out) == 0
    found = read(out)
    assert (found["lines"], found["stops"], found["trips_in_window"]) == (207, 3966, 1201.0)
    assert found["skims"]["pairs_with_a_ride"] > 0.99 * found["skims"]["pairs"]
    rail = data_dir / "gtfs/porto-alegre-rail.zip"
    named = trips(tmp_path, "MR,NH,100\nNH,MR,50\n")
    assert run(rail, named, "--date", "2019-05-14", "--json", out) == 0
    found = read(out)
    assert found["boardings"] == pytest.approx(150.0)
    assert found["passenger_km"] == pytest.approx(150.0 * 44, rel=0.02)


def test_crowding_of_a_feed(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Line 1 holds 80 places every ten minutes: of 960 half find room, the rest are listed."""
    out = tmp_path / "out.json"
    named = trips(tmp_path, "a,c,960\n")
    words = (feed, named, "--from", "07:00", "--to", "08:00", "--json", out)
    assert run(*words) == 0
    assert "--crowding capacity" in capsys.readouterr().err
    assert read(out)["segments_over_places"] > 0
    assert run(*words, "--crowding", "capacity", "--gap", "1e-6") == 1
    found = read(out)
    assert found["converged"]
    assert found["relative_gap"] <= 1e-6
    assert found["history"][-1]["relative_gap"] == found["relative_gap"]
    assert found["segments_over_places"] == 0
    assert 0.9 < found["fullest_load"] < 1.0
    lost = found["given_up_demand"]
    assert found["given_up_pairs"] == [{"origin": "a", "destination": "c", "trips": lost}]
    assert found["boardings"] + lost == pytest.approx(960.0)
    assert run(*words, "--crowding", "comfort", "--lost-demand", "100 %") == 0
    assert read(out)["given_up_demand"] == 0.0
    assert run(*words, "--crowding", "capacity", "--max-iterations", "1", "--lost-demand", "1") == 1
    assert "not converged" in capsys.readouterr().err
