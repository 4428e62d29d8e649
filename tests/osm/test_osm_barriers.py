"""Streets end on both sides of a barrier that stops cars."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from cczsim.osm.barriers import stops_cars
from cczsim.osm.components import component_of
from cczsim.osm.extract import OsmExtract
from cczsim.osm.road_build import RoadBuild, build_roads

Make = Callable[..., OsmExtract]
STREET = {"highway": "residential"}
BOLLARD = {"barrier": "bollard"}


def parts(build: RoadBuild) -> int:
    return len(np.unique(component_of(build.road, "weak")))


def test_within_a_way(make_extract: Make) -> None:
    build = build_roads(make_extract(([11, 21, 31, 41], STREET), node_tags={21: BOLLARD}))
    road = build.road
    assert parts(build) == 2
    assert sorted(road.node_id.tolist()) == [-21, 11, 21, 41]
    row = {int(i): k for k, i in enumerate(road.node_id)}
    assert road.node_lon[row[-21]] == road.node_lon[row[21]]
    whole = build_roads(make_extract(([11, 21, 31, 41], STREET)))
    assert road.length.sum() == pytest.approx(whole.road.length.sum())
    assert build.report["barriers"] == {"splitting": 1, "at_junctions": 0, "at_ends": 0}
    (row_,) = build.report["highway"].values()
    assert row_["kept_km"] == pytest.approx(row_["km"])


def test_where_two_ways_meet(make_extract: Make) -> None:
    ways = (([11, 21], STREET), ([21, 31], STREET))
    assert parts(build_roads(make_extract(*ways, node_tags={21: BOLLARD}))) == 2
    ring = build_roads(make_extract(([11, 21, 22, 12, 11], STREET), node_tags={11: BOLLARD}))
    assert parts(ring) == 1
    assert sorted(ring.road.node_id.tolist()) == [-11, 11]


def test_ends_and_junctions_are_left_alone(make_extract: Make) -> None:
    ways = (([11, 21, 31], STREET), ([21, 22], STREET))
    build = build_roads(make_extract(*ways, node_tags={21: BOLLARD, 31: BOLLARD}))
    assert parts(build) == 1
    assert build.report["barriers"] == {"splitting": 0, "at_junctions": 1, "at_ends": 1}
    footway = (([11, 21, 31], STREET), ([21, 22], {"highway": "footway"}))
    assert parts(build_roads(make_extract(*footway, node_tags={21: BOLLARD}))) == 2


@pytest.mark.parametrize(
    ("tags", "stops"),
    [
        ({"barrier": "bollard"}, True),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, False),
        ({"barrier": "gate"}, False),
        ({"barrier": "gate", "access": "private"}, True),
        ({"barrier": "gate", "access": "private", "motorcar": "destination"}, False),
        ({"barrier": "toll_booth"}, False),
        ({"barrier": "lift_gate", "vehicle": "no"}, True),
        ({"barrier": "who_knows"}, False),
        ({"access": "no"}, False),
    ],
)
def test_what_stops_cars(tags: Mapping[str, str], stops: bool) -> None:
    assert stops_cars(tags) == stops
