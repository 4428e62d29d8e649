"""Made-up bus lines follow main streets and say that they are made up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cczsim.errors import NetworkError
from cczsim.network.corridor_bus import CorridorBus, corridor_lines, find_corridors
from cczsim.network.edit import add_streets, empty_road
from cczsim.network.geometry import local_crs
from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork
from cczsim.network.street_line import StreetLine

KM = 1 / 111.32
"""Degrees of latitude."""


def street(
    name: str, *places: tuple[float, float], kind: str = "primary", **more: Any
) -> StreetLine:
    """Return a street over places in km east and north of 113, 28."""
    east, north = np.array(places).T
    return StreetLine(
        113 + east * KM / np.cos(np.radians(28)), 28 + north * KM, kind, 2, 14, 1000, name, **more
    )


def road_of(*streets: StreetLine) -> RoadNetwork:
    return add_streets(empty_road(), streets, snap=5.0).road


def names_and_km(road: RoadNetwork, classes: tuple[str, ...]) -> list[tuple[str, float]]:
    found = find_corridors(road, classes, local_crs(113, 28))
    return [(c.name, round(c.length / 1e3, 1)) for c in found]


def test_a_street_goes_on_through_crossings_and_ends_at_another_name() -> None:
    road = road_of(
        street("A", (0, 0), (6, 0)),
        street("B", (6, 0), (10, 0)),
        street("C", (3, -2), (3, 2)),
    )
    assert names_and_km(road, ("primary",)) == [("A", 6.0), ("B", 4.0), ("C", 4.0)]


def test_one_name_goes_on_over_classes_and_no_name_only_within_its_class() -> None:
    road = road_of(
        street("A", (0, 0), (3, 0)),
        street("A", (3, 0), (5, 0), kind="secondary"),
        street("", (5, 0), (6, 0), kind="secondary"),
        street("", (6, 0), (8, 0), kind="tertiary"),
    )
    classes = ("primary", "secondary", "tertiary")
    assert names_and_km(road, classes) == [("A", 6.0), ("", 2.0)]


def test_a_sharp_turn_ends_a_corridor_and_a_bend_does_not() -> None:
    assert names_and_km(
        road_of(street("A", (0, 0), (2, 0)), street("A", (2, 0), (4, 1))), ("primary",)
    ) == [("A", 4.2)]
    assert names_and_km(
        road_of(street("A", (0, 0), (2, 0)), street("A", (2, 0), (2, 2))), ("primary",)
    ) == [("A", 2.0), ("A", 2.0)]


def test_a_ring_is_one_corridor() -> None:
    angle = np.linspace(0, 2 * np.pi, 25)
    points = list(zip(np.cos(angle), np.sin(angle), strict=True))
    arcs = [street("ring", *points[k : k + 5]) for k in range(0, 24, 4)]
    found = names_and_km(road_of(*arcs), ("primary",))
    assert len(found) == 1
    assert found[0][1] == pytest.approx(6.3, abs=0.1)


def test_lines_run_both_ways_with_even_stops_and_are_marked() -> None:
    road = road_of(street("五一大道", (0, 0), (5, 0)), street("side", (1, -1), (1, 1)))
    params = CorridorBus(("primary",), 600.0, 500.0, 5.0, 60.0, 3000.0)
    made = corridor_lines(road, params)
    transit = made.transit
    assert transit is not None
    assert transit.n_lines == 2
    assert transit.n_stops == 11
    assert transit.line_stop[:11].tolist() == transit.line_stop[11:][::-1].tolist()
    assert transit.run_length[:10] == pytest.approx(np.full(10, 500.0), rel=2e-3)
    assert transit.run_time[:10] == pytest.approx(transit.run_length[:10] / 5.0)
    assert transit.run_length[[10, 21]].tolist() == [0.0, 0.0]
    assert transit.headway.tolist() == [600.0, 600.0]
    assert (transit.headway_source == Source.GENERATED).all()
    assert (transit.run_time_source == Source.GENERATED).all()
    assert "五一大道" in str(transit.route[0])
    assert made.report["lines"] == 1
    assert made.report["generated"] is True
    assert made.report["corridors_too_short"] == 1


def test_the_other_carriageway_gets_no_line_of_its_own() -> None:
    road = road_of(
        street("A", (0, 0), (5, 0), oneway=True),
        street("A", (5, 0.03), (0, 0.03), oneway=True),
        street("far", (0, 0.5), (5, 0.5)),
    )
    made = corridor_lines(road, CorridorBus(("primary",)))
    assert made.report["lines"] == 2
    assert made.report["other_carriageways"] == 1


def test_a_road_of_unknown_class_across_open_country_carries_no_bus() -> None:
    road = road_of(street("", (0, 0), (1, 0), (4, 0), kind="road"), street("", (1, -1), (1, 1)))
    assert names_and_km(road, ("road",)) == [("", 1.0)]


def test_no_corridor_no_lines() -> None:
    road = road_of(street("A", (0, 0), (1, 0)))
    assert corridor_lines(road, CorridorBus(("primary",))).transit is None
    assert corridor_lines(road, CorridorBus(("secondary",))).transit is None


def test_wrong_parameters() -> None:
    with pytest.raises(NetworkError) as caught:
        CorridorBus(classes=("boulevard", "connector"), headway=0.0)
    assert [f.where for f in caught.value.faults] == [
        "corridor_bus.classes",
        "corridor_bus.headway",
    ]
