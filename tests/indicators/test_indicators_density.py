"""Road density under named conventions: on the ellipsoid, by hand, and against real figures."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import indicator_case as case
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from cczsim.columns import Array
from cczsim.errors import IndicatorError
from cczsim.indicators.conventions import CONVENTIONS, Convention, centreline_weight, convention
from cczsim.indicators.density import area_density, road_density, zone_density
from cczsim.indicators.indicator import find
from cczsim.network.geometry import polyline_lengths
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.zone_build import polygon_areas
from cczsim.network.zones import TIERS, ZoneSystem

URBAN, DRIVABLE = CONVENTIONS["cn-urban"], CONVENTIONS["osm-all-drivable"]
EDGE, HOMES = CONVENTIONS["osmnx-edge"], CONVENTIONS["cn-urban-with-residential"]
BOX = shapely.box(113.0, 28.0, 113.1, 28.1)


def streets(
    lines: list[tuple[tuple[float, float], tuple[float, float]]],
    classes: list[str],
    two_way: list[bool],
    dual: list[bool] | None = None,
) -> RoadNetwork:
    """Straight streets, no two of which share a node; lengths on the ellipsoid."""
    n = len(lines)
    ends = np.array(lines, dtype=float).reshape(-1, 2)
    tail, head = 2 * np.arange(n), 2 * np.arange(n) + 1
    back = np.flatnonzero(two_way)
    length = polyline_lengths(np.arange(0, 2 * n + 1, 2), ends[:, 0], ends[:, 1])
    reverse = np.full(n, -1)
    reverse[back] = n + np.arange(len(back))
    code = np.array([CLASS_CODE[name] for name in classes])
    dual_carriageway = np.array(dual or [False] * n)
    return RoadNetwork(
        node_id=np.arange(2 * n), node_lon=ends[:, 0], node_lat=ends[:, 1],
        link_id=np.arange(n + len(back)),
        tail=np.concatenate([tail, head[back]]), head=np.concatenate([head, tail[back]]),
        road_class=np.concatenate([code, code[back]]),
        length=np.concatenate([length, length[back]]),
        free_flow_time=np.ones(n + len(back)), capacity=np.ones(n + len(back)),
        reverse_link=np.concatenate([reverse, back]),
        dual_carriageway=np.concatenate([dual_carriageway, dual_carriageway[back]]),
    )  # fmt: skip


def km(road: RoadNetwork, rules: Convention, polygon: object = BOX) -> float:
    return area_density(road, [("x", polygon)], rules)[0][1] / 1e3


INSIDE = ((113.02, 28.05), (113.08, 28.05))
BESIDE = ((113.08, 28.0502), (113.02, 28.0502))


def test_two_way_street_counts_once_and_in_each_direction_twice() -> None:
    road = streets([INSIDE], ["primary"], [True])
    length = road.length[0] / 1e3
    assert km(road, URBAN) == pytest.approx(length, rel=1e-9)
    assert km(road, DRIVABLE) == pytest.approx(length, rel=1e-9)
    assert km(road, EDGE) == pytest.approx(2 * length, rel=1e-9)


def test_one_way_street_counts_whole() -> None:
    road = streets([INSIDE], ["secondary"], [False])
    for rules in (URBAN, DRIVABLE, EDGE):
        assert km(road, rules) == pytest.approx(road.length[0] / 1e3, rel=1e-9)


def test_dual_carriageway_counts_once_where_merged() -> None:
    road = streets([INSIDE, BESIDE], ["primary"] * 2, [False] * 2, [True] * 2)
    once = float(road.length.sum()) / 2e3
    assert km(road, URBAN) == pytest.approx(once, rel=1e-9)
    assert km(road, DRIVABLE) == pytest.approx(2 * once, rel=1e-9)
    assert km(road, EDGE) == pytest.approx(2 * once, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "counting"),
    [
        ("motorway", {"osm-all-drivable", "osmnx-edge"}),
        ("trunk_link", {"osm-all-drivable", "osmnx-edge"}),
        ("service", {"osm-all-drivable", "osmnx-edge"}),
        ("road", {"osm-all-drivable", "osmnx-edge"}),
        ("residential", {"osm-all-drivable", "osmnx-edge", "cn-urban-with-residential"}),
        ("tertiary", set(CONVENTIONS)),
        ("trunk", set(CONVENTIONS)),
        ("connector", set()),
        ("track", set()),
    ],
)
def test_what_counts(name: str, counting: set[str]) -> None:
    road = streets([INSIDE], [name], [True])
    assert {k for k, rules in CONVENTIONS.items() if centreline_weight(road, rules).any()} == (
        counting
    )


def test_street_out_of_the_area_is_cut_at_its_edge() -> None:
    """A street along a meridian; the edge is the parallel between the corners, as in GeoJSON."""
    road = streets([((113.05, 28.05), (113.05, 28.15))], ["primary"], [True])
    inside = Geod(ellps="WGS84").inv(113.05, 28.05, 113.05, 28.1)[2]
    assert km(road, URBAN) == pytest.approx(inside / 1e3, rel=1e-9)


def test_connectors_and_unknown_conventions() -> None:
    assert km(streets([INSIDE], ["connector"], [True]), DRIVABLE) == 0.0
    with pytest.raises(IndicatorError, match="cn-urban"):
        convention("cn-rural")
    with pytest.raises(IndicatorError, match="boulevard"):
        replace(URBAN, classes=("boulevard",))


def test_area_of_a_degree_box() -> None:
    """0.1 by 0.1 degrees at 28 N: the strip of the authalic sphere, to 1e-6."""
    b = 6_356_752.314245
    e = 0.0818191908426215

    def q(lat: float) -> float:
        s = np.sin(np.radians(lat))
        return float(s / (1 - (e * s) ** 2) + np.log((1 + e * s) / (1 - e * s)) / (2 * e))

    strip = np.radians(0.1) * b**2 / 2 * (q(28.1) - q(28.0))
    # The box's edges are geodesics, which bulge off the parallels: 1.4e-6 of the area.
    assert polygon_areas(np.array([BOX]))[0] == pytest.approx(strip, rel=1e-5)


def test_areas_do_not_hang_on_the_direction_of_rings() -> None:
    outer, inner = (
        list(BOX.exterior.coords),
        list(shapely.box(113.02, 28.02, 113.05, 28.05).exterior.coords),
    )
    shapes = [shapely.Polygon(o, [i]) for o in (outer, outer[::-1]) for i in (inner, inner[::-1])]
    far = list(shapely.box(113.2, 28.0, 113.3, 28.1).exterior.coords)
    pairs = [shapely.MultiPolygon([BOX, shapely.Polygon(f)]) for f in (far, far[::-1])]
    holed, two = polygon_areas(np.array(shapes)), polygon_areas(np.array(pairs))
    box, hole = polygon_areas(np.array([BOX, shapely.Polygon(inner)]))
    np.testing.assert_allclose(holed, box - hole, rtol=1e-9)
    np.testing.assert_allclose(two, 2 * box, rtol=1e-9)


def zoned(built_up: Array | None = None) -> Network:
    """Zone 0 central, zone 1 circle, side by side; a street through both, one in zone 0 only."""
    road = streets(
        [((113.02, 28.05), (113.18, 28.05)), ((113.02, 28.03), (113.08, 28.03))],
        ["primary", "residential"], [True, True],
    )  # fmt: skip
    boxes = shapely.box(np.array([113.0, 113.1]), 28.0, np.array([113.1, 113.2]), 28.1)
    zones = ZoneSystem(
        zone_id=[1, 2], centroid=[0, 1], district=["甲", "乙"],
        tier=[TIERS.index("central"), TIERS.index("circle")],
        polygon=boxes, built_up=built_up,
    )  # fmt: skip
    return Network(NetworkInfo("two"), road, zones)


def test_by_tier_district_and_class() -> None:
    network = zoned()
    found = road_density(network)
    through, home = network.road.length[0] / 1e3, network.road.length[1] / 1e3
    size = polygon_areas(network.zones.polygon) / 1e6  # type: ignore[union-attr, arg-type]

    def of(key: str, name: str, **by: str) -> float:
        item = find(found, key, convention=name, **by)
        assert item is not None
        return item.value

    assert of("road_length", "cn-urban", tier="central") == pytest.approx(through / 2, rel=1e-5)
    assert of("road_length", "cn-urban", district="乙") == pytest.approx(through / 2, rel=1e-5)
    assert of("road_length", "cn-urban", area="all") == pytest.approx(through, rel=1e-9)
    both = through / 2 + home
    assert of("road_density", HOMES.name, tier="central") == pytest.approx(both / size[0], rel=1e-5)
    of_class = {"area": "all", "class": "residential"}
    assert of("road_length", HOMES.name, **of_class) == pytest.approx(home, rel=1e-9)
    assert find(found, "road_length", convention="cn-urban", **of_class) is None
    noted = find(found, "road_density", convention="cn-urban", tier="central")
    assert noted is not None
    assert "no built-up area" in noted.note
    np.testing.assert_allclose(zone_density(network, HOMES), [both, through / 2] / size, rtol=1e-5)


def test_tiers_districts_and_classes_add_up() -> None:
    found = road_density(zoned())
    for rules in CONVENTIONS.values():
        rows = [i for i in found if i.key == "road_length" and i.by["convention"] == rules.name]
        whole = sum(i.value for i in rows if i.by.get("area") == "all" and "class" not in i.by)
        for kind in ("tier", "district", "class"):
            parts = sum(i.value for i in rows if kind in i.by)
            assert parts == pytest.approx(whole, rel=1e-9)


def test_built_up_area_is_the_denominator_of_the_urban_conventions() -> None:
    part = shapely.box(113.0, 28.0, 113.06, 28.1)
    network = zoned(np.array([part, None], dtype=object))
    found = road_density(network)
    urban = find(found, "road_density", convention="cn-urban", area="all")
    whole = find(found, "road_density", convention="osm-all-drivable", area="all")
    assert urban is not None
    assert whole is not None
    share = network.road.length[0] / 4e3  # 0.04 of the street's 0.16 degrees
    size = polygon_areas(np.array([part]))[0] / 1e6
    assert urban.value == pytest.approx(share / size, rel=1e-4)
    assert urban.note == ""
    assert find(found, "road_density", convention="cn-urban", tier="circle") is None
    everything = (network.road.length[:2].sum() / 1e3) / (
        polygon_areas(network.zones.polygon).sum() / 1e6  # type: ignore[union-attr, arg-type]
    )
    assert whole.value == pytest.approx(everything, rel=1e-5)
    assert np.isnan(zone_density(network, URBAN)[1])


def test_density_without_zones_is_refused() -> None:
    network = Network(NetworkInfo("bare"), streets([INSIDE], ["primary"], [True]))
    with pytest.raises(IndicatorError, match="no zones"):
        road_density(network)


def test_shapes_are_followed() -> None:
    """A bent street is cut where its shape leaves the area, not where its chord does."""
    base = streets([((113.02, 28.05), (113.18, 28.05))], ["primary"], [False])
    bent = replace(
        base, shape_first=[0, 3], shape_lon=[113.02, 113.02, 113.18],
        shape_lat=[28.05, 28.09, 28.05],
    )  # fmt: skip
    first, lon, lat = bent.shapes()
    bent = replace(bent, length=polyline_lengths(first, lon, lat))
    up = polyline_lengths(np.array([0, 2]), lon[:2], lat[:2])[0]
    inside = up + (bent.length[0] - up) / 2
    # The second leg nears the equator, so its half by length is a little off its half by longitude.
    assert km(bent, DRIVABLE) == pytest.approx(inside / 1e3, rel=3e-4)
    assert inside > 1.15 * bent.length[0] / 2


@settings(deadline=None, max_examples=25)
@given(st.floats(0.2, 3.0), st.integers(1, 5))
def test_density_falls_with_scale(scale: float, n: int) -> None:
    """A grid blown up about its corner on the equator is as much sparser as it is larger."""

    def density(side: float) -> float:
        at = side * (np.arange(n) + 0.5) / n
        lines = [((a, 0.0), (a, side)) for a in at] + [((0.0, a), (side, a)) for a in at]
        road = streets(lines, ["tertiary"] * len(lines), [True] * len(lines))
        _, length, size = area_density(road, [("x", shapely.box(0, 0, side, side))], URBAN)[0]
        return length / size

    assert density(0.05 * scale) * scale == pytest.approx(density(0.05), rel=2e-5)


def test_indicators_come_in_one_order() -> None:
    network = case.network()
    assert [i.path for i in road_density(network)] == [i.path for i in road_density(network)]
    paths = [i.path for i in road_density(network)]
    assert len(set(zip(paths, [i.key for i in road_density(network)], strict=True))) == len(paths)


@pytest.mark.data
def test_changsha_2019(data_dir: Path) -> None:
    """All mapped streets, each carriageway: a box and the districts, against published sums."""
    from cczsim.io.osm_file import read_osm
    from cczsim.osm.road_build import build_roads

    geopandas = pytest.importorskip("geopandas")
    road = build_roads(read_osm(data_dir / "czt" / "changsha-streets-2019.osm.pbf")).road
    _, length, size = area_density(
        road, [("box", shapely.box(112.90, 28.12, 113.08, 28.28))], DRIVABLE
    )[0]
    assert length / 1e3 == pytest.approx(2604, rel=0.01)
    assert length / size * 1e3 == pytest.approx(8.3, rel=0.01)
    table = geopandas.read_file(data_dir / "czt" / "districts-hunan8.geojson")
    known = {
        "芙蓉区": 422, "天心区": 534, "岳麓区": 1240, "开福区": 914, "雨花区": 918,
        "望城区": 497, "长沙县": 1302,
    }  # fmt: skip
    table = table[table["adcode"].astype(str).str.startswith("4301") & table["name"].isin(known)]
    assert len(table) == len(known)
    for name, metres, _ in area_density(
        road, list(zip(table["name"], table.geometry, strict=True)), DRIVABLE
    ):
        assert metres / 1e3 == pytest.approx(known[name], rel=0.01), name


def test_many_links_and_zones_add_up() -> None:
    """45,000 directed links and 200 zones."""
    n = 150
    at = 113.0 + 0.4 * (np.arange(n) + 0.3) / n
    cut = np.linspace(113.0, 113.4, n // 2 + 1)
    lines = [((x, 28 + a - 113), (x, 28 + b - 113)) for x in at for a, b in pairwise(cut)]
    lines += [((28 + y - 28, x - 85), (28 + z - 28, w - 85)) for (x, y), (w, z) in lines]
    lines = [
        ((a, b), (c, d)) if a > 100 else ((a + 85, b), (c + 85, d)) for (a, b), (c, d) in lines
    ]
    road = streets(lines, ["tertiary"] * len(lines), [True] * len(lines))
    corner = 113.0 + 0.4 * np.arange(14) / 14
    west, south = np.meshgrid(corner, corner - 85)
    boxes = shapely.box(west, south, west + 0.4 / 14, south + 0.4 / 14).ravel()
    found = area_density(road, [(str(k), p) for k, p in enumerate(boxes)], URBAN)
    assert road.n_links == 45_000
    assert sum(row[1] for row in found) == pytest.approx(float(road.length.sum()) / 2, rel=1e-6)


def test_an_outline_with_a_spike_loses_no_street() -> None:
    """Projecting a valid outline may fold a sliver; mending it must leave an area with an edge."""
    spiked = shapely.Polygon(
        [(113.0, 28.0), (113.1, 28.0), (113.1, 28.05), (113.2, 28.05), (113.1, 28.05),
         (113.1, 28.1), (113.0, 28.1)]
    )  # fmt: skip
    assert not spiked.is_valid
    road = streets([((112.98, 28.05), (113.05, 28.05))], ["primary"], [True])
    assert km(road, URBAN) > 4.0
    assert km(road, URBAN, spiked) == pytest.approx(km(road, URBAN), rel=1e-6)
