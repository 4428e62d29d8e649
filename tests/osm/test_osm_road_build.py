from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cczsim.errors import OsmError
from cczsim.io.osm_file import read_osm
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.osm.class_table import CN_CJJ37, GENERIC
from cczsim.osm.extract import OsmExtract
from cczsim.osm.road_build import build_roads

Make = Callable[..., OsmExtract]


def arrows(road: RoadNetwork) -> list[tuple[int, int]]:
    return list(
        zip(road.node_id[road.tail].tolist(), road.node_id[road.head].tolist(), strict=True)
    )


def km_by_class_of_file(path: Path) -> dict[str, float]:
    """A plain sum over the ways' geometry, by other means than the reader under test."""
    import osmium
    from pyproj import Geod

    geod, out = Geod(ellps="WGS84"), {}
    for way in osmium.FileProcessor(str(path)).with_locations():
        if way.is_way() and "highway" in way.tags:
            places = [(n.lon, n.lat) for n in way.nodes if n.location.valid()]
            length = geod.line_length(*zip(*places, strict=True)) if len(places) > 1 else 0.0
            name = way.tags["highway"]
            out[name] = out.get(name, 0.0) + length / 1000
    return out


def test_directions_and_mates(make_extract: Make) -> None:
    road = build_roads(
        make_extract(
            ([1, 2], {"highway": "primary"}),
            ([2, 3], {"highway": "primary", "oneway": "yes"}),
            ([3, 4], {"highway": "primary", "oneway": "-1"}),
            ([4, 5], {"highway": "motorway"}),
            ([5, 6], {"highway": "motorway_link"}),
        )
    ).road
    assert arrows(road) == [(1, 2), (2, 1), (2, 3), (4, 3), (4, 5), (5, 6), (6, 5)]
    assert road.reverse_link.tolist() == [1, 0, NO_LINK, NO_LINK, NO_LINK, 6, 5]
    assert road.link_id.tolist() == [10000, 10001, 20000, 30001, 40000, 50000, 50001]
    tagged, derived, default = Source.TAGGED, Source.DERIVED, Source.DEFAULT
    assert road.oneway_source.tolist() == [
        default, default, tagged, tagged, derived, default, default,
    ]  # fmt: skip
    first, lon, lat = road.shapes()
    for link in range(road.n_links):
        for end, point in ((road.tail, first[link]), (road.head, first[link + 1] - 1)):
            assert (lon[point], lat[point]) == (
                road.node_lon[end[link]], road.node_lat[end[link]],
            )  # fmt: skip


def test_values_from_tags_and_table(make_extract: Make) -> None:
    build = build_roads(
        make_extract(
            ([1, 2], {"highway": "primary", "lanes": "5", "maxspeed": "70", "name": "芙蓉路"}),
            ([2, 3], {"highway": "road", "ref": "S20", "bridge": "yes"}),
            ([3, 4], {"highway": "trunk", "lanes": "3", "oneway": "yes", "maxspeed": "CN:urban"}),
        )
    )
    road = build.road
    row = list(map(str, CN_CJJ37.class_name)).index("road")
    assert road.lanes.tolist() == [2.5, 2.5, 1, 1, 3]
    assert road.lanes_source.tolist() == [1, 1, 2, 2, 0]
    default = CN_CJJ37.speed[row] * 3.6
    default = CN_CJJ37.speed[row] * 3.6
    np.testing.assert_allclose(road.speed * 3.6, [70, 70, default, default, 50])
    assert road.speed_source.tolist() == [0, 0, 2, 2, 1]
    np.testing.assert_allclose(road.capacity[0], 2.5 * 1400 * 0.5)
    assert road.capacity_source.tolist() == [1, 1, 2, 2, 1]
    np.testing.assert_allclose(road.free_flow_time, road.length / road.speed)
    assert road.road_class.tolist()[2] == CLASS_CODE["road"]
    assert road.name.tolist() == ["芙蓉路", "芙蓉路", "S20", "S20", ""]
    assert road.structure.tolist() == [0, 0, 1, 1, 0]
    assert road.way_id.tolist() == [1, 1, 2, 2, 3]
    share = build.report["provenance"]["speed"]
    assert sum(share.values()) == pytest.approx(1)
    assert set(share) == {"tagged", "derived", "default"}


def test_another_table(make_extract: Make) -> None:
    extract = make_extract(([1, 2], {"highway": "secondary"}))
    here = build_roads(extract, table=GENERIC).road
    there = build_roads(extract, table="cn-cjj37").road
    assert here.capacity[0] != there.capacity[0]
    with pytest.raises(OsmError, match="cn-cjj37"):
        build_roads(extract, table="none")


def test_length_on_the_ellipsoid(make_extract: Make) -> None:
    road = build_roads(
        make_extract(([1, 2], {"highway": "road"}), nodes={1: (112.0, 28.0), 2: (113.0, 28.0)})
    ).road
    # One degree of longitude at latitude 28: a cos(f) / sqrt(1 - e2 sin2 f) pi/180 = 98,363.5 m
    # along the parallel; the geodesic is 3 m shorter.
    assert road.length[0] == pytest.approx(98_363.5, abs=6)


def test_roundabout_with_three_arms(make_extract: Make) -> None:
    road = build_roads(
        make_extract(
            ([1, 2, 3, 4, 5, 6, 1], {"highway": "tertiary", "junction": "roundabout"}),
            ([11, 1], {"highway": "tertiary"}),
            ([3, 13], {"highway": "tertiary"}),
            ([15, 5], {"highway": "tertiary"}),
        )
    ).road
    ring = [pair for pair, way in zip(arrows(road), road.way_id, strict=True) if way == 1]
    assert ring == [(1, 3), (3, 5), (5, 1)]


def test_closed_ring_alone_has_no_loop_link(make_extract: Make) -> None:
    road = build_roads(make_extract(([1, 2, 13, 12, 1], {"highway": "residential"}))).road
    assert (road.tail != road.head).all()
    assert road.n_links == 4


def test_missing_nodes_are_counted_and_the_rest_kept(make_extract: Make) -> None:
    build = build_roads(
        make_extract(
            ([1, 2, 3, 4, 5], {"highway": "primary"}),
            ([3, 6], {"highway": "secondary"}),
            lacking=[3],
        )
    )
    assert arrows(build.road) == [(1, 2), (2, 1), (4, 5), (5, 4)]
    assert build.report["references_to_missing_nodes"] == 2
    row = build.report["highway"]["secondary"]
    assert row["left_out"] == {"fewer than two of its nodes in the extract": {"ways": 1, "km": 0.0}}


def test_islands_are_reported_and_dropped_only_on_demand(make_extract: Make) -> None:
    extract = make_extract(
        ([1, 2, 3], {"highway": "primary"}),
        ([2, 12], {"highway": "residential"}),
        ([3, 13], {"highway": "residential", "oneway": "yes"}),
        ([55, 56], {"highway": "primary"}),
    )
    build = build_roads(extract)
    assert build.report["components"]["weak"]["count"] == 2
    assert build.report["components"]["strong"]["count"] == 3
    assert build.road.n_nodes == 7
    small = build_roads(extract, keep="largest")
    assert arrows(small.road) == [(1, 2), (2, 1), (2, 3), (3, 2), (2, 12), (12, 2)]
    assert small.road.reverse_link.tolist() == [1, 0, 3, 2, 5, 4]
    lost = small.report["highway"]["primary"]["left_out"]
    assert lost["outside the largest strong component"]["ways"] == 1
    total = small.report["highway_total"]
    assert total["km"] == pytest.approx(total["kept_km"] + total["left_out_km"])
    assert total["ways"] == total["kept_ways"] + total["left_out_ways"]


def test_construction_and_private_are_left_out_with_kilometres(make_extract: Make) -> None:
    report = build_roads(
        make_extract(
            ([1, 2], {"highway": "primary"}),
            ([2, 3], {"highway": "construction", "construction": "trunk"}),
            ([3, 4], {"highway": "service", "access": "private"}),
            ([4, 5], {"highway": "footway"}),
        )
    ).report
    assert set(report["highway"]["construction"]["left_out"]) == {"construction of trunk"}
    assert set(report["highway"]["service"]["left_out"]) == {"access=private"}
    total = report["highway_total"]
    assert (total["kept_ways"], total["left_out_ways"]) == (1, 3)
    assert total["left_out_km"] == pytest.approx(3 * total["kept_km"], rel=1e-3)


def test_no_road_at_all(make_extract: Make) -> None:
    with pytest.raises(OsmError, match="no road for cars among 1 ways"):
        build_roads(make_extract(([1, 2], {"highway": "footway"})))
    with pytest.raises(OsmError, match="fast_road"):
        build_roads(make_extract(([1, 2], {"highway": "road"})), classes=("fast_road",))


def test_values_not_understood_are_counted(make_extract: Make) -> None:
    report = build_roads(
        make_extract(
            ([1, 2], {"highway": "primary", "maxspeed": "fast"}),
            ([2, 3], {"highway": "primary", "maxspeed": "fast", "lanes": "many"}),
            ([3, 4], {"highway": "footway", "maxspeed": "slow"}),
        )
    ).report
    assert report["not_understood"] == {"lanes": {"many": 1}, "maxspeed": {"fast": 2}}


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    ways=st.lists(
        st.tuples(
            st.lists(st.integers(10, 29), min_size=2, max_size=8),
            st.sampled_from([{}, {"oneway": "yes"}, {"oneway": "-1"}]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_splitting_keeps_all_kilometres(
    make_extract: Make, ways: list[tuple[list[int], dict[str, str]]]
) -> None:
    extract = make_extract(*[(refs, {"highway": "road", **tags}) for refs, tags in ways])
    if all(len(set(refs)) == 1 for refs, _ in ways):
        return
    build = build_roads(extract)
    total = build.report["highway_total"]
    assert total["kept_km"] == pytest.approx(total["km"], abs=1e-9)
    assert build.report["network"]["km"] == pytest.approx(total["km"], abs=1e-9)
    assert (build.road.tail != build.road.head).all()


@pytest.mark.data
@pytest.mark.parametrize(
    "name",
    ["osm/changsha-northeast", "osm/porto-alegre", "czt/changsha-streets-2019"],
)
def test_kilometres_by_class_of_real_extracts(data_dir: Path, name: str) -> None:
    path = data_dir / f"{name}.osm.pbf"
    plain = km_by_class_of_file(path)
    build = build_roads(read_osm(path))
    account = build.report["highway"]
    assert set(account) == set(plain)
    for value, km in plain.items():
        row = account[value]
        assert row["km"] == pytest.approx(km, rel=1e-6), value
        left = sum(part["km"] for part in row["left_out"].values())
        assert row["kept_km"] + left == pytest.approx(km, rel=1e-6), value
        ways = sum(part["ways"] for part in row["left_out"].values())
        assert row["kept_ways"] + ways == row["ways"], value
    for value, row in build.report["network"]["classes"].items():
        assert row["km"] == pytest.approx(account[value]["kept_km"], rel=1e-6), value
    if name != "osm/porto-alegre":  # nothing private there, so nothing of these classes is lost
        assert build.report["network"]["classes"].keys() <= plain.keys()
        for value, row in build.report["network"]["classes"].items():
            assert row["km"] == pytest.approx(plain[value], rel=5e-3), value


@pytest.mark.data
def test_changsha_streets_components(data_dir: Path) -> None:
    build = build_roads(read_osm(data_dir / "czt/changsha-streets-2019.osm.pbf"))
    weak = build.report["components"]["weak"]
    assert weak["count"] == 125
    assert (build.road.oneway_source == Source.DEFAULT).all()
    assert (build.road.road_class == CLASS_CODE["road"]).all()
    first, lon, _ = build.road.shapes()
    assert (np.diff(first) >= 2).all()
    assert len(lon) > build.road.n_links * 2
