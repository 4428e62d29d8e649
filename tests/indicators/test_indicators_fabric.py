"""Blocks, intersections, reach of rail and sensitivity of hand-made streets."""

from __future__ import annotations

import numpy as np
import pytest

from cczsim.indicators.conventions import CONVENTIONS
from cczsim.indicators.fabric import MERGED, RAIL_REACH, street_fabric
from cczsim.indicators.sensitivity import sensitivity
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.transit import MODES, TransitNetwork
from cczsim.network.zone_build import polygon_areas
from tests.indicators import test_indicators_density_paper as paper

URBAN = CONVENTIONS["cn-urban"]


def grid(n: int = 3) -> Network:
    at = paper.at
    pieces = [[at(i, j), at(i + 1, j)] for i in range(n) for j in range(n + 1)]
    pieces += [[at(i, j), at(i, j + 1)] for i in range(n + 1) for j in range(n)]
    pieces.append([at(1, 1), at(1.4, 1.4)])  # a cul-de-sac inside a block
    road = paper.roads([(p, "tertiary", True, False) for p in pieces])
    return Network(NetworkInfo("grid"), road)


def test_blocks_and_places_of_a_grid() -> None:
    area = paper.box(-0.5, -0.5, 3.5, 3.5)
    found = street_fabric(grid(), area, URBAN)
    assert found.blocks == 9
    one = polygon_areas(np.array([paper.box(1, 1, 2, 2)]))[0]
    assert found.median_block == pytest.approx(one, rel=2e-4)
    assert found.mean_perimeter == pytest.approx(
        2 * paper.long([paper.at(0, 0), paper.at(1, 0)])
        + 2 * paper.long([paper.at(0, 0), paper.at(0, 1)]), rel=1e-3,
    )  # fmt: skip
    # 16 crossings; the four corners of the grid are bends of two streets.
    assert (found.intersections, found.dead_ends) == (12, 1)
    size = polygon_areas(np.array([area]))[0] / 1e6
    assert found.intersections_per_km2 == pytest.approx(12 / size, rel=1e-3)
    assert np.isnan(found.rail_share)


def test_blocks_count_where_their_middle_is() -> None:
    found = street_fabric(grid(), paper.box(-0.5, -0.5, 1.2, 3.5), URBAN)
    assert found.blocks == 3
    empty = street_fabric(grid(), paper.box(10, 10, 11, 11), URBAN)
    assert (empty.blocks, empty.intersections) == (0, 0)
    assert np.isnan(empty.mean_block)


def test_a_crossing_of_two_dual_carriageways_is_one_place() -> None:
    gap = 0.0001  # 10 m
    a, b = 1.0, 1.0 + gap * 100
    at = paper.at
    lines = []
    for j in (a, b):
        lines += [[at(0, j), at(a, j)], [at(a, j), at(b, j)], [at(b, j), at(2, j)]]
        lines += [[at(j, 0), at(j, a)], [at(j, a), at(j, b)], [at(j, b), at(j, 2)]]
    road = paper.roads([(p, "primary", False, True) for p in lines])
    network = Network(NetworkInfo("cross"), road)
    assert MERGED > 11
    found = street_fabric(network, paper.box(-1, -1, 3, 3), URBAN)
    assert (found.intersections, found.blocks) == (1, 0)  # the middle is a piece of a junction


def test_reach_of_rail_is_that_of_a_circle() -> None:
    two, lon, lat = np.arange(2), [paper.at(1, 1)[0], paper.at(9, 9)[0]], [paper.at(1, 1)[1], 28.5]
    transit = TransitNetwork(
        stop_id=two, stop_name=np.array(["a", "b"]), stop_lon=lon, stop_lat=lat,
        line_id=np.array(["1"]), route=np.array(["1"]), mode=[MODES.index("metro")],
        headway=[300.0], line_first=np.array([0, 2]), line_stop=two, run_time=np.zeros(2),
        run_length=np.zeros(2), access_zone=two, access_stop=two, access_time=np.zeros(2),
    )  # fmt: skip
    area = paper.box(0, 0, 2, 2)
    found = street_fabric(grid().replace(transit=transit), area, URBAN)
    size = polygon_areas(np.array([area]))[0]
    assert found.rail_share == pytest.approx(np.pi * RAIL_REACH**2 / size, rel=1e-3)
    bus = transit.replace(mode=[MODES.index("bus")])
    assert street_fabric(grid().replace(transit=bus), area, URBAN).rail_share == 0.0


def test_sensitivity_changes_one_rule_at_a_time() -> None:
    at = paper.at
    rim, inner, home = [at(0, 0), at(3, 0)], [at(0, 1), at(3, 1)], [at(1, 1), at(1, 2)]
    twin = [at(3, 1.01), at(0, 1.01)]
    road = paper.roads(
        [(rim, "tertiary", True, False), (inner, "primary", False, True),
         (twin, "primary", False, True), (home, "residential", True, False)]
    )  # fmt: skip
    found = {v.rule: v.length for v in sensitivity(road, paper.box(0, 0, 3, 3), URBAN)}
    long = paper.long
    base = long(rim) / 2 + (long(inner) + long(twin)) / 2
    assert found.pop("") == pytest.approx(base, rel=1e-9)
    assert found == pytest.approx(
        {
            "with residential and living streets": base + long(home),
            "without local streets": base - long(rim) / 2,
            "carriageways apart": base + (long(inner) + long(twin)) / 2,
            "each direction apart": base + long(rim) / 2,
            "streets on the edge whole": base + long(rim) / 2,
            "streets on the edge not": base - long(rim) / 2,
        }, rel=2e-3,
    )  # fmt: skip
