"""Route relations become lines with their stops in order, or are left out with a reason."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cczsim.errors import InputError
from cczsim.io.osm_file import read_osm
from cczsim.io.recipe import read_recipe
from cczsim.io.route_settings import read_route_settings
from cczsim.network.line_build import MODE_DEFAULTS
from cczsim.network.provenance import Source
from cczsim.network.transit import MODES
from cczsim.osm.extract import ExtractMaker, OsmExtract
from cczsim.osm.rail_build import build_rail
from cczsim.osm.route_lines import RouteBuild, RouteSettings, build_routes
from cczsim.osm.route_tags import group_labels, parse_interval, read_headway, route_mode
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.recipes import build_recipe

Make = Callable[..., OsmExtract]
TRACK = {"railway": "tram"}
# Tracks along y 1 from x 1 to 9, a node a 100 m or so: nodes 11, 21 … 91.
WAYS = (([11, 21, 31], TRACK), ([31, 41, 51], TRACK), ([51, 61, 71], TRACK), ([71, 81, 91], TRACK))
STOPS = {n: {"railway": "tram_stop", "name": f"S{n // 10}"} for n in (11, 31, 51, 71, 91)}
V2 = {"type": "route", "route": "tram", "ref": "1", "public_transport:version": "2"}
CALLS = tuple(f"n{n} stop" for n in STOPS)
ON_WAYS = ("w1 ", "w2 ", "w3 ", "w4 ")


def built(extract: OsmExtract, **settings: Any) -> RouteBuild:
    return build_routes(extract, build_rail(extract), RouteSettings(**settings))


def names(build: RouteBuild) -> dict[str, str]:
    """The names of the stops of each line, in order."""
    t = build.transit
    return {
        str(t.line_id[k]): " ".join(
            str(t.stop_name[s]) for s in t.line_stop[t.line_first[k] : t.line_first[k + 1]]
        )
        for k in range(t.n_lines)
    }


def tram(
    make: Make, members: Sequence[str], tags: Mapping[str, str] = V2, **more: Any
) -> RouteBuild:
    ways = more.pop("ways", WAYS)
    node_tags = more.pop("node_tags", STOPS)
    return built(make(*ways, relations=[(members, tags), *more.pop("also", [])],
                      node_tags=node_tags, **more))  # fmt: skip


def test_a_line_of_the_new_schema(make_extract: Make) -> None:
    build = tram(make_extract, [*CALLS, *ON_WAYS])
    assert names(build) == {"r1": "S1 S3 S5 S7 S9"}
    t = build.transit
    _, speed, dwell, *_ = MODE_DEFAULTS["tram"]
    length = t.run_length[0]
    assert length == pytest.approx(196.4, abs=1.0)
    assert t.run_time[0] == pytest.approx(length / speed + dwell)
    assert t.run_time[4] == 0.0
    assert (t.run_time_source[0], t.headway_source[0]) == (Source.DEFAULT, Source.DEFAULT)
    assert t.shape_first is not None
    assert np.diff(t.shape_first).tolist() == [3, 3, 3, 3, 0]
    (about,) = build.report["each"]
    assert (about["runs"], about["runs_off_ways"], about["stops_missing"]) == (4, 0, 0)


@pytest.mark.parametrize(
    "ways",
    [("w4 ", "w2 ", "w1 ", "w3 "), ("w4 ", "w3 ", "w2 ", "w1 "), ("w1 ", "w3 ", "w2 ", "w4 ")],
)
def test_ways_may_stand_in_any_order(make_extract: Make, ways: Sequence[str]) -> None:
    straight, build = tram(make_extract, [*CALLS, *ON_WAYS]), tram(make_extract, [*CALLS, *ways])
    assert names(build) == names(straight)
    assert build.transit.run_length.tolist() == straight.transit.run_length.tolist()


def test_stops_out_of_order_are_sorted_along_the_ways(make_extract: Make) -> None:
    mixed = [CALLS[k] for k in (0, 3, 1, 4, 2)]
    build = tram(make_extract, [*mixed, *ON_WAYS])
    assert names(build) == {"r1": "S1 S3 S5 S7 S9"}
    assert "out of order" in build.report["each"][0]["notes"][0]


def test_a_missing_way_and_a_missing_stop(make_extract: Make) -> None:
    ways = [WAYS[k] for k in (0, 1, 3)]
    build = tram(make_extract, [*CALLS, "n99 stop", "w1 ", "w2 ", "w9 ", "w3 "], ways=ways,
                 nodes={n: (112.9 + n // 10 / 1000, 28.201) for n in STOPS})  # fmt: skip
    assert names(build) == {"r1": "S1 S3 S5 S7 S9"}
    (about,) = build.report["each"]
    assert (about["ways_missing"], about["stops_missing"], about["runs_off_ways"]) == (1, 1, 1)
    detour = MODE_DEFAULTS["tram"][4]
    lengths = build.transit.run_length
    assert lengths[2] == pytest.approx(lengths[1] * detour, rel=1e-6)


PLATFORMS = {n + 1: {"public_transport": "platform", "name": f"S{n // 10}"} for n in STOPS}


@pytest.mark.parametrize("alternate", [True, False])
def test_platforms_and_stop_positions_are_one_call(make_extract: Make, alternate: bool) -> None:
    nameless = {n: {"public_transport": "stop_position", "tram": "yes"} for n in STOPS}
    platforms = [f"n{n} platform" for n in PLATFORMS]
    order = (
        [item for pair in zip(CALLS, platforms, strict=True) for item in pair]
        if alternate else [*CALLS, *platforms]
    )  # fmt: skip
    build = tram(make_extract, [*order, *ON_WAYS], node_tags=nameless | PLATFORMS,
                 nodes={n: (112.9 + n // 10 / 1000, 28.2012) for n in PLATFORMS})  # fmt: skip
    t = build.transit
    assert names(build) == {"r1": "S1 S3 S5 S7 S9"}
    assert (t.stop_lat[t.line_stop] == 28.201).all(), "the vehicle stops on its track"


def test_an_old_relation_is_run_both_ways(make_extract: Make) -> None:
    old = {"type": "route", "route": "tram", "ref": "1"}
    build = tram(make_extract, [*CALLS, *ON_WAYS], old)
    assert names(build) == {"r1 →": "S1 S3 S5 S7 S9", "r1 ←": "S9 S7 S5 S3 S1"}
    two = tram(make_extract, [*CALLS, *ON_WAYS], old, also=[([*CALLS[::-1], *ON_WAYS], old)])
    assert names(two) == {"r1": "S1 S3 S5 S7 S9", "r2": "S9 S7 S5 S3 S1"}
    sided = [f"n{n} forward_stop" for n in (11, 31, 91)] + [f"n{n} backward_stop" for n in (51, 11)]
    build = tram(make_extract, [*sided, *ON_WAYS], old)
    assert names(build) == {"r1 →": "S1 S3 S9", "r1 ←": "S5 S1"}


def test_a_loop_is_run_one_way_round(make_extract: Make) -> None:
    ways = (([11, 21, 22, 12, 11], TRACK),)
    stops = {n: {"railway": "tram_stop", "name": f"S{n}"} for n in (11, 21, 22, 12)}
    members = ["n11 stop", "n21 stop", "n22 stop", "n12 stop", "n11 stop", "w1 "]
    build = tram(make_extract, members, {"type": "route", "route": "tram"}, ways=ways,
                 node_tags=stops)  # fmt: skip
    assert names(build) == {"r1": "S11 S21 S22 S12 S11"}
    assert build.transit.run_length[:4].max() < 130


def test_buses_keep_to_one_way_streets(make_extract: Make) -> None:
    # Out along y 1, back along y 3; a short cut against the one-way is longer in their eyes.
    ways = (
        ([11, 21, 31], {"highway": "primary", "oneway": "yes"}),
        ([31, 33], {"highway": "primary"}),
        ([33, 23, 13], {"highway": "primary", "oneway": "yes"}),
        ([13, 11], {"highway": "primary"}),
    )
    stops = {n: {"highway": "bus_stop", "name": f"S{n}"} for n in (11, 31, 13)}
    tags = {**V2, "route": "bus"}
    build = tram(make_extract, ["n11 platform", "n31 platform", "n11 platform", *ON_WAYS], tags,
                 ways=ways, node_tags=stops)  # fmt: skip
    out, back, _ = build.transit.run_length
    assert back > 2.5 * out


def test_a_platform_beside_the_street_is_put_on_it(make_extract: Make) -> None:
    stops = {12: {"highway": "bus_stop", "name": "A"}, 92: {"highway": "bus_stop", "name": "B"}}
    ways = (([11, 91], {"highway": "primary"}),)
    build = tram(make_extract, ["n12 platform", "n92 platform", "w1 "], {**V2, "route": "bus"},
                 ways=ways, node_tags=stops,
                 nodes={12: (112.9023, 28.2011), 92: (112.9078, 28.2011)})  # fmt: skip
    assert build.report["each"][0]["runs_off_ways"] == 0
    assert build.transit.run_length[0] == pytest.approx(540, abs=3)


def test_stops_on_the_ways_serve_where_none_are_members(make_extract: Make) -> None:
    build = tram(make_extract, ON_WAYS)
    assert names(build) == {"r1": "S1 S3 S5 S7 S9"}
    assert build.report["each"][0]["notes"] == ["stops are those that lie on its ways"]


def test_variants_of_a_master_are_one_line(make_extract: Make) -> None:
    members = [*CALLS, *ON_WAYS]
    tags = [V2, V2 | {"ref": "1"}, V2 | {"ref": "1", "network": "N"}]
    master = (["r1 ", "r2 "], {"type": "route_master", "route_master": "tram", "ref": "1"})
    extract = make_extract(*WAYS, node_tags=STOPS, relations=[
        (members, tags[0]), (members[:3], tags[1]), (members, tags[2]), master])  # fmt: skip
    build = built(extract)
    assert build.transit.route.tolist() == [
        "1 (tram, master 3)",
        "1 (tram, master 3)",
        "1 (tram, N)",
    ]
    assert build.report["in_route_masters"] == 2


def test_headways_by_table_tags_and_mode(make_extract: Make) -> None:
    members = [*CALLS, *ON_WAYS]
    tagged = V2 | {"interval": "20", "interval:peak": "00:10", "ref": "7"}
    extract = make_extract(*WAYS, node_tags=STOPS, relations=[
        (members, V2), (members, tagged), (members, V2 | {"ref": "8"})])  # fmt: skip
    build = built(extract, headways={"8": 90.0}, default_headways={"tram": 600.0})
    assert build.transit.headway.tolist() == [600.0, 600.0, 90.0]
    assert build.transit.headway_source.tolist() == [Source.DEFAULT, Source.TAGGED, Source.USER]
    assert built(extract, period="evening").transit.headway[1] == 1200.0
    several = make_extract(*WAYS, node_tags=STOPS, relations=[(members, V2)] * 4)
    assert set(built(several).transit.headway) == {2 * MODE_DEFAULTS["tram"][0]}


def test_speed_limits_of_tracks(make_extract: Make) -> None:
    ways = [(refs, TRACK | {"maxspeed": "36"}) for refs, _ in WAYS]
    t = tram(make_extract, [*CALLS, *ON_WAYS], ways=ways).transit
    dwell = MODE_DEFAULTS["tram"][2]
    assert t.run_time[0] == pytest.approx(t.run_length[0] / 10.0 + 10.0 + dwell)
    assert t.run_time_source[0] == Source.DERIVED


def test_routes_within_routes(make_extract: Make) -> None:
    members = [*CALLS, *ON_WAYS]
    nested = [(["r2 "], V2), (["r3 ", "r1 "], V2 | {"ref": "2"}), (members, V2 | {"ref": "3"})]
    build = built(make_extract(*WAYS, node_tags=STOPS, relations=nested))
    assert set(names(build).values()) == {"S1 S3 S5 S7 S9"}
    assert "a route within itself" in build.report["each"][0]["notes"]
    deep = [([f"r{k + 2} "], V2 | {"ref": str(k)}) for k in range(100)]
    build = built(make_extract(*WAYS, node_tags=STOPS, relations=[*deep, (members, V2)]))
    assert build.report["relations"] == 101
    assert build.transit.n_lines == 8


LEFT_OUT = [
    ({"route": "bicycle"}, CALLS, "no public transport"),
    ({"route": "tram", "state": "proposed"}, CALLS, "proposed"),
    ({"route": "funicular"}, CALLS, "not modelled"),
    ({"route": "tram", "interval:peak": "off"}, CALLS, "does not run in the period"),
    ({"route": "tram", "by_night": "only"}, CALLS, "does not run in the period"),
    ({"route": "tram"}, ("n98 stop", "n99 stop"), "fewer than two of its stops"),
    ({"route": "tram"}, ("n11 stop",), "only one stop"),
    ({"route": "tram"}, (), "no members"),
    ({"route": "tram"}, ("w99 ",), "none of its members is in the extract"),
    ({"route": "tram"}, ("w5 ",), "no stops among its members"),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "members", "reason"), LEFT_OUT, ids=[r for *_, r in LEFT_OUT])
def test_left_out_with_a_reason(
    make_extract: Make, tags: Mapping[str, str], members: Sequence[str], reason: str
) -> None:
    ways = (*WAYS, ([12, 22], TRACK))
    build = tram(make_extract, members, {"type": "route", **tags}, ways=ways)
    assert build.transit.n_lines == 0
    assert reason in build.report["each"][0]["left_out"]
    (row,) = build.report["by_route"].values()
    assert sum(row["left_out"].values()) == 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10", 600), ("00:10", 600), ("00:10:30", 630), ("1:00", 3600), ("10 min", 600),
        ("7.5", 450), ("PT15M", 900), ("PT1H", 3600), ("10-20", 900), ("90 s", 90),
        ("2 hours", 7200),
        ("soon", None), ("0", None), ("10;20", None), ("99:00", None), ("", None), ("-", None),
    ],
)  # fmt: skip
def test_intervals(text: str, seconds: float | None) -> None:
    assert parse_interval(text) == seconds


def test_tags_of_routes() -> None:
    assert route_mode({"route": "train", "maglev": "yes"}) == ("maglev", "")
    assert route_mode({"route": "trolleybus"})[0] == "bus"
    assert read_headway({"headway:morning_peak": "00:09"}).seconds == 540
    assert read_headway({"interval": "often"}).odd == ("interval=often",)
    groups = [("bus", "A", "1"), ("bus", "B", "1"), ("tram", "A", "1"), ("bus", "A", "2")]
    assert group_labels(groups) == {
        ("bus", "A", "1"): "1 (bus, A)", ("bus", "B", "1"): "1 (bus, B)",
        ("tram", "A", "1"): "1 (tram)", ("bus", "A", "2"): "2",
    }  # fmt: skip


def test_nonsense_breaks_nothing() -> None:
    maker = ExtractMaker()
    maker.add_node(1, 112.9, 28.2)
    maker.add_way(1, [1, 1, 7], {"railway": "tram"})
    members = [("node", 1, "stop"), ("way", 1, ""), ("relation", 5, "platform"), ("node", 9, ""),
               ("relation", 1, "")]  # fmt: skip
    for ident in (1, 2):
        maker.add_relation(ident, members, {"type": "route", "route": "tram"})
    build = built(maker.extract())
    assert build.transit.n_lines == 0
    assert all(about["left_out"] for about in build.report["each"])


@pytest.mark.data
def test_every_route_of_helsinki_is_accounted_for(data_dir: Path) -> None:
    build = built(read_osm(data_dir / "osm/helsinki-centre.osm.pbf"))
    found = build.report["by_route"]
    for kind, many in (("bus", 161), ("train", 31), ("tram", 20), ("subway", 4)):
        row = found[kind]
        assert row["relations"] == many
        assert row["built"] + sum(row["left_out"].values()) == many
    assert found["tram"]["built"] == 20
    assert found["subway"]["built"] == 4
    lines = names(build)
    # Read off a map by eye.
    assert lines["r2390282"] == "Rautatientori Helsingin yliopisto"
    assert lines["r52945"] == (
        "Fredrikinkatu Erottaja Ylioppilastalo Rautatieasema (M) Kaisaniemenkatu Kaisaniemenpuisto"
    )
    assert lines["r6334310"] == "Rautatieasema (M) Mikonkatu Aleksanterinkatu Senaatintori"
    t = build.transit
    metro = t.headway[t.mode == MODES.index("metro")]
    assert set(metro.tolist()) == {300.0}


@pytest.mark.data
def test_a_recipe_takes_routes(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "headways.csv").write_text("line,headway_min\n2,4\nM1,3\n", encoding="utf-8")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"""kind = "osm"
[source]
file = "{data_dir / "osm/helsinki-centre.osm.pbf"}"
u_turns = "dead-ends"
[transit.osm_routes]
modes = ["tram", "metro"]
headways = "headways.csv"
default_headway_min = {{ tram = 12 }}
""",
        encoding="utf-8",
    )
    read = read_recipe(recipe)
    assert (tmp_path / "headways.csv") in read.inputs()
    network = build_recipe(read, Progress(stream=io.StringIO()))
    t = network.transit
    assert t is not None
    assert {MODES[code] for code in t.mode} == {"tram", "metro"}
    of = dict(zip(t.line_id.tolist(), t.headway.tolist(), strict=True))
    assert (of["r2390282"], of["r2390349"], of["r52932"], of["r52945"]) == (180, 300, 240, 720)
    assert len(t.walk_time), "lines are tied to each other"
    assert any("route relations" in note for note in network.info.notes)
    assert network.turns is not None
    assert network.info.build["roads"]["turn_restrictions"]["u_turns"] == "dead-ends"


def test_faults_of_a_recipe_with_routes(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    (tmp_path / "none.osm").write_text("<osm/>", encoding="utf-8")
    recipe.write_text(
        """kind = "osm"
[source]
file = "none.osm"
u_turns = "never"
[transit.osm_routes]
modes = ["tram", "zeppelin"]
period = "noon"
default_headway_min = { tram = 0 }
""",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as error:
        read_recipe(recipe)
    text = str(error.value)
    for part in ("recipe.toml:4: source.u_turns", "zeppelin", "'noon'", "0.5 to 1440 minutes"):
        assert part in text
    (tmp_path / "twice.csv").write_text("line,headway_min\n2,4\n2,x\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"twice.csv:3: line: found 2 a second time"):
        read_route_settings({"headways": tmp_path / "twice.csv"})
