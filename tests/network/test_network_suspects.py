"""Places that look wrong are found, and sound ones are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from cczsim.network.network import Network, NetworkInfo
from cczsim.network.suspects import Suspect, find_suspects
from cczsim.osm.extract import ExtractMaker
from cczsim.osm.rail_build import build_rail
from cczsim.osm.road_build import build_roads

STREET = {"highway": "residential", "name": "A"}
ONE_WAY = STREET | {"oneway": "yes"}


def suspects(
    *ways: tuple[Sequence[int], Mapping[str, str]],
    nodes: Mapping[int, tuple[float, float]] | None = None,
    node_tags: Mapping[int, Mapping[str, str]] | None = None,
) -> list[Suspect]:
    maker = ExtractMaker()
    places = dict(nodes or {})
    for number, (refs, tags) in enumerate(ways, start=1):
        maker.add_way(number, refs, tags)
        for ref in refs:
            places.setdefault(ref, (112.9 + ref // 10 / 1000, 28.2 + ref % 10 / 1000))
    for ref, place in places.items():
        maker.add_node(ref, *place, (node_tags or {}).get(ref, {}).items())
    extract = maker.extract()
    transit = build_rail(extract).transit
    return find_suspects(Network(NetworkInfo("x"), build_roads(extract).road, transit=transit))


def rules(*ways: tuple[Sequence[int], Mapping[str, str]], **more: object) -> list[tuple[str, int]]:
    return [(s.rule, s.osm_id) for s in suspects(*ways, **more)]  # type: ignore[arg-type]


def test_nothing_is_wrong_with_a_sound_network() -> None:
    tags = STREET | {"maxspeed": "50", "lanes": "2"}
    assert rules(([11, 21], tags), ([21, 31], tags), ([21, 22], tags | {"maxspeed": "20"})) == []


def test_one_way_streets_into_nothing() -> None:
    assert rules(([11, 21], STREET), ([21, 31], ONE_WAY)) == [("one_way_dead_end", 2)]
    assert rules(([11, 21], STREET), ([31, 21], ONE_WAY)) == [("one_way_dead_end", 2)]
    assert rules(([11, 21], STREET), ([21, 31, 32, 22, 21], ONE_WAY)) == []


def test_motorways_alone() -> None:
    fast = {"highway": "motorway", "oneway": "no"}
    alone = rules(([11, 21], fast), ([21, 31], fast), ([13, 23], STREET))
    assert alone == [("motorway_alone", 1)]
    assert rules(([11, 21], fast), ([21, 31], STREET)) == []


def test_jumps_without_a_junction() -> None:
    slow, fast = STREET | {"maxspeed": "30"}, STREET | {"maxspeed": "60"}
    found = rules(([11, 21], slow), ([21, 31], fast))
    assert found == [("speed_jump", 1), ("speed_jump", 2)] or sorted(found) == sorted(
        [("speed_jump", 2), ("speed_jump", 1)]
    )
    assert rules(([11, 21], slow), ([21, 31], fast), ([21, 22], STREET)) == []
    assert rules(([11, 21], slow), ([21, 31], STREET)) == [], "a default is no tagged jump"
    lanes = [ONE_WAY | {"lanes": n} for n in ("1", "3", "1")]
    way = ([11, 21], lanes[0]), ([21, 31], lanes[1]), ([31, 32, 11], lanes[2])
    assert rules(*way) == [("lanes_vanish", 2), ("lanes_vanish", 3)]


def test_twins_and_links_of_no_length() -> None:
    assert rules(([11, 21], STREET), ([11, 21], STREET)) == [("duplicate", 2)] * 2
    same = {11: (112.9, 28.2), 21: (112.9, 28.2)}
    assert rules(([11, 21], STREET), nodes=same) == [("no_length", 1)] * 2


@pytest.mark.parametrize(("lat", "found"), [(28.2013, []), (28.203, [("station_off_tracks", 90)])])
def test_stations_off_tracks(lat: float, found: list[tuple[str, int]]) -> None:
    ways = ([11, 21], STREET), ([11, 91], {"railway": "rail"})
    station = {90: {"railway": "station", "name": "B"}}
    assert rules(*ways, nodes={90: (112.9045, lat)}, node_tags=station) == found


def test_places_are_those_of_the_network() -> None:
    (one,) = suspects(([11, 21], STREET), ([21, 31], ONE_WAY))
    assert (one.lon, one.lat) == pytest.approx((112.903, 28.201))
    assert one.text == "one-way A leads into nothing"
    assert np.isfinite(one.lon)
