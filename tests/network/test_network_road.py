"""Domain objects refuse what does not hold together; geometry measures on the ellipsoid."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.errors import ColumnError
from cczsim.network.geometry import (
    local_crs,
    polyline_lengths,
    project,
    segment_lengths,
    take_ragged,
    unproject,
)
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CHINESE_NAME, CONNECTOR, ROAD_CLASSES
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import TIER_NAME_ZH, TIERS, ZoneSystem


def two_links(**changes: Any) -> RoadNetwork:
    columns: dict[str, Any] = {
        "node_id": [10, 20],
        "node_lon": [112.9, 113.0],
        "node_lat": [28.0, 28.0],
        "link_id": [1, 2],
        "tail": [0, 1],
        "head": [1, 0],
        "road_class": [4, 4],
        "length": [9835.0, 9835.0],
        "free_flow_time": [600.0, 600.0],
        "capacity": [900.0, 900.0],
        "reverse_link": [1, 0],
    }
    return RoadNetwork(**{**columns, **changes})


def test_defaults_fill_to_the_number_of_links() -> None:
    road = two_links()
    assert road.alpha.tolist() == [0.15, 0.15]
    assert road.name.tolist() == ["", ""]
    assert road.node_through.all()
    assert road.is_street.all()


def test_straight_shapes_where_none_are_given() -> None:
    first, lon, lat = two_links().shapes()
    assert first.tolist() == [0, 2, 4]
    assert lon.tolist() == [112.9, 113.0, 113.0, 112.9]
    assert lat.tolist() == [28.0] * 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"node_id": [10, 10]}, "RoadNetwork.node_id: found .10. more than once"),
        ({"link_id": [7, 7]}, "RoadNetwork.link_id"),
        ({"reverse_link": [1, -1]}, "without a mate"),
        ({"reverse_link": [0, 1]}, "without a mate"),
        ({"head": [1, 2]}, "index below the 2 rows"),
        ({"capacity": [0.0, 1.0]}, "above 0"),
        ({"road_class": [99, 0]}, "at most"),
        (
            {"shape_first": [0, 1, 3], "shape_lon": [1, 2, 3.0], "shape_lat": [1, 2, 3.0]},
            "under 2 points",
        ),
        (
            {"shape_first": [0, 2, 9], "shape_lon": [1, 2, 3, 4.0], "shape_lat": [1, 2, 3, 4.0]},
            "found end 9",
        ),
    ],
)
def test_roads_that_do_not_hold_together(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ColumnError, match=said):
        two_links(**change)


def test_shapes_need_coordinates() -> None:
    with pytest.raises(ColumnError, match="coordinates"):
        two_links(node_lon=[np.nan, 113.0]).shapes()


def test_zones_are_unique() -> None:
    with pytest.raises(ColumnError, match=r"ZoneSystem\.centroid"):
        ZoneSystem(zone_id=[1, 2], centroid=[0, 0])
    assert ZoneSystem(zone_id=[1, 2], centroid=[0, 1]).tier.tolist() == [TIERS.index("none")] * 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"line_first": [0, 1]}, "0 … 2"),
        ({"line_first": [0, 2, 2], "line_id": ["a", "b"]}, "values"),
        ({"headway": [0.0]}, "above 0"),
        ({"line_stop": [0, 5]}, "index below"),
        ({"stop_id": [3, 3]}, "unique ids"),
    ],
)
def test_lines_that_do_not_hold_together(change: dict[str, Any], said: str) -> None:
    columns: dict[str, Any] = {
        "stop_id": [1, 2],
        "stop_name": ["五一广场", "芙蓉广场"],
        "stop_lon": [112.97, 112.98],
        "stop_lat": [28.19, 28.19],
        "line_id": ["2 east"],
        "route": ["2"],
        "mode": [0],
        "headway": [240.0],
        "line_first": [0, 2],
        "line_stop": [0, 1],
        "run_time": [120.0, 0.0],
        "run_length": [1000.0, 0.0],
    }
    assert TransitNetwork(**columns).n_stops == 2
    with pytest.raises(ColumnError, match=said):
        TransitNetwork(**{**columns, **change})


def test_every_class_and_tier_has_a_chinese_name() -> None:
    assert set(CHINESE_NAME) == set(ROAD_CLASSES)
    assert set(TIER_NAME_ZH) == set(TIERS)
    assert ROAD_CLASSES[CONNECTOR] == "connector"


def test_a_degree_of_meridian_is_as_long_as_the_ellipsoid_says() -> None:
    # Series of the meridian degree at latitude 28.5° on WGS-84.
    expected = 111_132.954 - 559.822 * np.cos(np.radians(57)) + 1.175 * np.cos(np.radians(114))
    length = segment_lengths(np.array([113.0, 113.0]), np.array([28.0, 29.0]))
    assert length[0] == pytest.approx(expected, abs=0.05)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=6), st.integers(0, 2**32 - 1))
def test_ragged_lengths_are_the_sums_of_their_segments(counts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    lon, lat = rng.uniform(112, 114, first[-1]), rng.uniform(27, 29, first[-1])
    lengths = polyline_lengths(first, lon, lat)
    for row, (a, b) in enumerate(pairwise(first)):
        assert lengths[row] == pytest.approx(segment_lengths(lon[a:b], lat[a:b]).sum(), abs=1e-6)
    rows = rng.permutation(len(counts))
    offsets, index = take_ragged(first, rows)
    for k, row in enumerate(rows):
        taken = index[offsets[k] : offsets[k + 1]].tolist()
        assert taken == list(range(first[row], first[row + 1]))


def test_projection_goes_there_and_back() -> None:
    crs = local_crs(112.97, 28.19)
    lon, lat = np.array([112.5, 113.4]), np.array([27.7, 28.6])
    x, y = project(lon, lat, crs)
    assert np.hypot(*np.diff([x, y], axis=1)) == pytest.approx(segment_lengths(lon, lat), rel=2e-4)
    back = unproject(x, y, crs)
    np.testing.assert_allclose(back, [lon, lat], atol=1e-10)


@given(
    lon=st.floats(-180, 180), lat=st.floats(-89.9, 89.9),
    east=st.floats(-0.02, 0.02), north=st.floats(-0.02, 0.02),
)  # fmt: skip
@settings(deadline=None, max_examples=300)
def test_lengths_are_those_of_the_geodesic(
    lon: float, lat: float, east: float, north: float
) -> None:
    from pyproj import Geod

    other = (min(max(lon + east, -180.0), 180.0), min(max(lat + north, -90.0), 90.0))
    exact = Geod(ellps="WGS84").inv(lon, lat, *other)[2]
    found = segment_lengths(np.array([lon, other[0]]), np.array([lat, other[1]]))
    assert found[0] == pytest.approx(exact, abs=2e-6)


def test_lengths_across_the_antimeridian() -> None:
    length = segment_lengths(np.array([179.999, -179.999]), np.array([-17.0, -17.0]))
    assert length[0] == pytest.approx(212.9, abs=0.1)
