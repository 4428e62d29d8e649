from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.network.provenance import Source
from cczsim.network.road_class import CLASS_CODE
from cczsim.osm.tag_access import left_out, parse_direction
from cczsim.osm.tag_values import parse_lanes, parse_speed, parse_width
from cczsim.osm.tags import DRIVABLE, MOST_LANES, USED_KEYS, interpret

T, D, F = Source.TAGGED, Source.DERIVED, Source.DEFAULT


@pytest.mark.parametrize(
    ("tags", "forward", "backward", "source"),
    [
        ({"oneway": "yes"}, True, False, T),
        ({"oneway": "true"}, True, False, T),
        ({"oneway": "1"}, True, False, T),
        ({"oneway": "-1"}, False, True, T),
        ({"oneway": "reverse"}, False, True, T),
        ({"oneway": "no"}, True, True, T),
        ({"oneway": "0"}, True, True, T),
        ({"junction": "roundabout"}, True, False, D),
        ({"junction": "circular"}, True, False, D),
        ({"junction": "roundabout", "oneway": "no"}, True, True, T),
        ({"highway": "motorway"}, True, False, D),
        ({"highway": "motorway", "oneway": "no"}, True, True, T),
        ({"highway": "motorway", "oneway": "-1"}, False, True, T),
        ({"highway": "motorway_link"}, True, True, F),
        ({"highway": "trunk_link"}, True, True, F),
        ({"highway": "primary"}, True, True, F),
        ({"oneway": "reversible"}, True, True, F),
        ({"oneway": "alternating"}, True, True, F),
        ({"highway": "motorway", "oneway": "reversible"}, True, True, F),
        ({"oneway": "ja"}, True, True, F),
    ],
)
def test_oneway(tags: dict[str, str], forward: bool, backward: bool, source: Source) -> None:
    assert parse_direction(tags)[:3] == (forward, backward, source)


def test_oneway_not_understood_is_noted() -> None:
    rule = interpret({"highway": "primary", "oneway": "ja"})
    assert rule.odd == (("oneway", "ja"),)


@pytest.mark.parametrize(
    ("text", "kmh", "source"),
    [
        ("50", 50, T),
        ("50 km/h", 50, T),
        ("50kmh", 50, T),
        ("30 mph", 48.28032, T),
        ("30mph", 48.28032, T),
        ("10 knots", 18.52, T),
        ("12.5", 12.5, T),
        ("walk", 5, D),
        ("none", 120, D),
        ("CN:urban", 50, D),
        ("CN:motorway", 120, D),
        ("DE:zone:30", 30, D),
        ("DE:zone30", 30, D),
        ("60;40", 40, D),
        ("60; 30 mph", 48.28032, D),
    ],
)
def test_speed(text: str, kmh: float, source: Source) -> None:
    read = parse_speed(text)
    assert read is not None
    assert read.value * 3.6 == pytest.approx(kmh)
    assert read.source == source


@pytest.mark.parametrize(
    "text",
    ["", "fast", "signals", "variable", "0", "-30", "999", "50 km", "CN:moon", "50;?", "5e1", "٥٠",
     "urban", "50,5", "nan", "inf", ";"],
)  # fmt: skip
def test_speed_not_understood(text: str) -> None:
    assert parse_speed(text) is None


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(max_size=20), st.from_regex(r"[0-9.; kmh/:a-z]{0,12}")))
def test_parsers_return_a_sound_value_or_none(text: str) -> None:
    speed, lanes = parse_speed(text), parse_lanes(text)
    assert speed is None or 1 / 3.6 - 1e-9 <= speed.value <= 160 / 3.6 + 1e-9
    assert lanes is None or 0 < lanes.value <= MOST_LANES


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from(USED_KEYS), st.text(max_size=8)))
def test_interpret_never_raises_and_stays_open(tags: dict[str, str]) -> None:
    rule = interpret(tags)
    assert rule.forward or rule.backward
    assert all(value >= 0 for value in (*rule.lanes, *rule.speed))


@pytest.mark.parametrize(
    ("tags", "lanes", "sources"),
    [
        ({"lanes": "4"}, (2, 2), (D, D)),
        ({"lanes": "3"}, (1.5, 1.5), (D, D)),
        ({"lanes": "1"}, (0.5, 0.5), (D, D)),
        ({"lanes": "5", "lanes:both_ways": "1"}, (2, 2), (D, D)),
        ({"lanes": "3", "lanes:forward": "2"}, (2, 1), (T, D)),
        ({"lanes": "3", "lanes:backward": "2"}, (1, 2), (D, T)),
        ({"lanes": "3", "lanes:forward": "2", "lanes:backward": "1"}, (2, 1), (T, T)),
        ({"lanes:forward": "2", "lanes:backward": "1"}, (2, 1), (T, T)),
        ({"lanes:forward": "2"}, (2, 0), (T, F)),
        ({"lanes": "1", "lanes:forward": "2"}, (2, 0), (T, F)),
        ({"lanes": "3", "oneway": "yes"}, (3, 0), (T, F)),
        ({"lanes": "3", "oneway": "-1"}, (0, 3), (F, T)),
        ({"lanes:forward": "3", "oneway": "yes"}, (3, 0), (T, F)),
        ({"lanes": "2;3", "oneway": "yes"}, (2, 0), (D, F)),
        ({"lanes": "2", "oneway": "reversible"}, (1, 1), (D, D)),
        ({}, (0, 0), (F, F)),
    ],
)
def test_lanes(
    tags: dict[str, str], lanes: tuple[float, float], sources: tuple[Source, Source]
) -> None:
    rule = interpret({"highway": "primary", **tags})
    assert rule.lanes == lanes
    assert rule.lanes_source == sources
    assert rule.odd == ()


@pytest.mark.parametrize("text", ["zwei", "0", "-2", "99", "2,5", "", "2;x"])
def test_lanes_not_understood(text: str) -> None:
    rule = interpret({"highway": "primary", "lanes": text})
    assert rule.lanes == (0, 0)
    assert rule.odd == (("lanes", text),)


def test_speeds_by_direction() -> None:
    rule = interpret({"highway": "primary", "maxspeed": "60", "maxspeed:backward": "40"})
    assert rule.speed == (60 / 3.6, 40 / 3.6)
    odd = interpret({"highway": "primary", "maxspeed": "signals"})
    assert odd.speed == (0, 0)
    assert odd.speed_source == (F, F)
    assert odd.odd == (("maxspeed", "signals"),)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"highway": "primary"}, ""),
        ({"highway": "road"}, ""),
        ({"highway": "footway"}, "not among the classes taken"),
        ({"highway": "construction", "construction": "primary"}, "construction of primary"),
        ({"highway": "proposed"}, "proposed of a road of unknown class"),
        ({"highway": "razed"}, "razed road"),
        ({"highway": "service", "area": "yes"}, "area=yes, a surface"),
        ({"highway": "service", "access": "private"}, "access=private"),
        ({"highway": "service", "access": "customers"}, ""),
        ({"highway": "primary", "access": "no", "motor_vehicle": "yes"}, ""),
        ({"highway": "primary", "access": "yes", "motor_vehicle": "no"}, "motor_vehicle=no"),
        ({"highway": "primary", "motor_vehicle": "no", "motorcar": "destination"}, ""),
    ],
)
def test_left_out(tags: dict[str, str], reason: str) -> None:
    assert left_out(tags) == reason


def test_every_class_keeps_its_name() -> None:
    for name in DRIVABLE:
        assert interpret({"highway": name}).road_class == CLASS_CODE[name]
    assert CLASS_CODE["road"] != CLASS_CODE["unclassified"]


def test_structure() -> None:
    values = [{"bridge": "viaduct"}, {"tunnel": "yes"}, {"bridge": "no"}, {}]
    assert [interpret({"highway": "road", **tags}).structure for tags in values] == [1, 2, 0, 0]


@pytest.mark.parametrize(
    ("text", "metres"),
    [("7", 7.0), ("7.5 m", 7.5), ("10 ft", 3.048), ("12'", 3.6576), ("12' 6\"", 3.81),
     ("wide", None), ("", None), ("-3", None), ("7,5", None)],
)  # fmt: skip
def test_widths(text: str, metres: float | None) -> None:
    assert parse_width(text) == (None if metres is None else pytest.approx(metres))


def test_reserved_lanes_never_take_the_last() -> None:
    rule = interpret({"highway": "primary", "lanes": "1", "oneway": "yes", "lanes:bus": "1"})
    assert rule.lanes == (1, 0)
    assert rule.lanes_source[0] == T
