"""The embedded sketch: it says of the region what its tables say, and marks what it made up."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import shapely

from cczsim.columns import Array
from cczsim.indicators.conventions import CONVENTIONS
from cczsim.indicators.density import road_density
from cczsim.io.bundle import read_bundle, save_network
from cczsim.io.scenario_file import read_scenario
from cczsim.io.tables import read_polygons
from cczsim.network.connectors import FORBIDDEN
from cczsim.network.edit import carriageway_rows
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.road_class import CLASS_CODE, CONNECTOR
from cczsim.network.zones import TIERS
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.scenario.run import prepare

FOLDER = Path(__file__).resolve().parent.parent.parent / "networks/czt"
CENSUS_2020 = {"Changsha": 10_047_914, "Zhuzhou": 3_902_738, "Xiangtan": 2_726_181}


@lru_cache(maxsize=1)
def czt() -> Network:
    return load_network(FOLDER, Progress(quiet=True))


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


CENTRAL = [row["name"] for row in table("districts") if row["tier"] == "central"]


def test_zones_cover_the_three_tiers_and_hold_the_census() -> None:
    zones = czt().zones
    assert zones is not None
    assert zones.n_zones >= 150
    assert {TIERS[code] for code in zones.tier} == {"central", "circle", "cluster"}
    city = {row["name"]: row["city"] for row in table("districts")}
    for name, people in CENSUS_2020.items():
        own = np.array([city[str(d)] == name for d in zones.district])
        assert zones.population[own].sum() == people
    assert (zones.hub == "airport").sum() == 1


def test_gates_carry_a_share_of_their_trips_and_tie_to_main_roads() -> None:
    network = czt()
    zones, road = network.zones, network.road
    assert zones is not None
    gates = np.flatnonzero(~zones.inside)
    assert {str(zones.zone_name[g]) for g in gates} == {
        "衡阳市", "岳阳市", "常德市", "益阳市", "娄底市",
    }  # fmt: skip
    assert (zones.trip_share[gates] < 0.01).all()
    motorway = np.isin(
        np.arange(road.n_nodes), road.tail[road.road_class == CLASS_CODE["motorway"]]
    )
    tied = []
    for gate in gates:
        out = (road.road_class == CONNECTOR) & (road.tail == zones.centroid[gate])
        assert out.any()
        tied.append(motorway[road.head[out]].any())
    assert sum(tied) >= 4, "Loudi alone has no motorway near"


def test_no_connector_of_a_zone_inside_ends_on_a_motorway() -> None:
    network = czt()
    zones, road = network.zones, network.road
    assert zones is not None
    barred = np.isin(road.road_class, [CLASS_CODE[name] for name in FORBIDDEN])
    on_motorway = np.zeros(road.n_nodes, dtype=bool)
    on_motorway[road.tail[barred]] = on_motorway[road.head[barred]] = True
    connector = np.flatnonzero(road.road_class == CONNECTOR)
    inside = np.isin(road.tail[connector], zones.centroid[zones.inside])
    assert not on_motorway[road.head[connector[inside]]].any()
    served = np.isin(zones.centroid, road.tail[connector])
    assert served.all()


@pytest.mark.parametrize("name", CENTRAL)
def test_base_density_of_a_district_is_what_its_table_says(name: str) -> None:
    wanted = {r["name"]: float(r["base_density_km_per_km2"] or 0) for r in table("districts")}
    found = {
        row.by["district"]: row.value
        for row in road_density(czt(), [CONVENTIONS["cn-urban"]])
        if row.key == "road_density" and "district" in row.by
    }
    assert wanted[name] < 7.0
    assert found[name] == pytest.approx(wanted[name], rel=0.01)


def test_what_was_made_up_is_marked_link_by_link() -> None:
    road = czt().road
    local = np.isin(road.road_class, [CLASS_CODE["tertiary"], CLASS_CODE["unclassified"]])
    assert local.sum() > 10_000
    made_up = (
        local
        | (road.road_class == CONNECTOR)
        | (road.road_class == CLASS_CODE["motorway_link"])
        | (road.road_class == CLASS_CODE["primary_link"])
    )
    np.testing.assert_array_equal(road.class_source == Source.GENERATED, made_up)


def wet(network: Network) -> Array:
    """Whether a street meets the Xiang River, by the row of its carriageway."""
    road = network.road
    river = shapely.union_all(
        [p for about, p in read_polygons(FOLDER / "water.geojson") if about["name"] == "湘江"]
    )
    rows = carriageway_rows(road)
    first, lon, lat = road.shapes()
    xy = np.column_stack([lon, lat])
    lines = np.array(
        [shapely.LineString(xy[first[a] : first[a + 1]]) for a in rows.tolist()], dtype=object
    )
    # Streets end on the bank, drawn to a decimetre.
    river = river.buffer(-1e-5)
    shapely.prepare(river)
    return np.asarray(shapely.intersects(river, lines))


def test_the_river_is_crossed_on_bridges_and_tunnels_only() -> None:
    road, meets = czt().road, wet(czt())
    rows = carriageway_rows(road)
    assert (meets & (road.structure[rows] > 0)).sum() >= 25
    generated = road.class_source[rows] == Source.GENERATED
    assert not (meets & generated & (road.road_class[rows] != CONNECTOR)).any()


def test_streets_that_the_plan_adds_keep_out_of_the_river() -> None:
    spec = read_scenario(FOLDER.parent.parent / "scenarios/czt/density-only.toml")
    changed, (applied,) = prepare(spec, czt())
    assert 7.0 <= applied.counts["density after"] < 7.05
    rows = carriageway_rows(changed.road)
    generated = changed.road.class_source[rows] == Source.GENERATED
    assert not (wet(changed) & generated & (changed.road.road_class[rows] != CONNECTOR)).any()


def test_metro_and_rail_lines_are_all_there() -> None:
    transit = czt().transit
    assert transit is not None
    routes = {str(r) for r in transit.route}
    for number in range(1, 6):
        assert f"长沙地铁{number}号线" in routes
    assert {"长沙磁浮快线", "长株潭城际 长沙—株洲", "长株潭城际 长沙—湘潭", "京广高铁"} <= routes


def test_building_again_gives_the_same_bits_and_a_saved_one_reads_back(tmp_path: Path) -> None:
    again = load_network(FOLDER, Progress(quiet=True))
    for name in ("tail", "head", "length", "capacity", "shape_lon"):
        np.testing.assert_array_equal(getattr(again.road, name), getattr(czt().road, name))
    save_network(again, tmp_path / "built")
    read = read_bundle(tmp_path / "built")
    np.testing.assert_array_equal(read.road.free_flow_time, again.road.free_flow_time)
    assert read.zones is not None
    assert again.zones is not None
    np.testing.assert_array_equal(read.zones.trip_share, again.zones.trip_share)
