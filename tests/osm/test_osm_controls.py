from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cczsim.network.provenance import Source
from cczsim.network.road import CONTROLS, RoadNetwork
from cczsim.osm.class_table import CN_CJJ37
from cczsim.osm.controls import MOST_GREEN, SHARE, STOP
from cczsim.osm.extract import OsmExtract
from cczsim.osm.road_build import build_roads

Make = Callable[..., OsmExtract]
MAIN, SIDE = {"highway": "primary"}, {"highway": "residential"}
FAR = {"highway": "stop"}
"""A stop sign elsewhere: it says that the extract maps controls."""


def control_of(road: RoadNetwork) -> dict[tuple[int, int], str]:
    """Return the control of each link by the nodes at its ends."""
    node = road.node_id
    return {
        (int(node[i]), int(node[j])): CONTROLS[c]
        for i, j, c in zip(road.tail, road.head, road.control, strict=True)
    }


def crossing(make_extract: Make, tags: Mapping[int, Mapping[str, str]], **main: Any) -> RoadNetwork:
    """A main road 15 – 35 – 55 – 75 with a side street 31 – 35 – 39, and another street far off."""
    return build_roads(
        make_extract(
            ([15, 25, 35, 45, 55], {**MAIN, **main}), ([55, 75], MAIN), ([31, 35, 39], SIDE),
            ([91, 92, 93], SIDE), ([92, 82], SIDE), node_tags={92: FAR, **tags},
        )
    ).road  # fmt: skip


def test_signals_at_the_junction_hold_for_all_that_end_there(make_extract: Make) -> None:
    road = crossing(make_extract, {35: {"highway": "traffic_signals"}})
    found = control_of(road)
    assert {found[ends] for ends in ((15, 35), (55, 35), (31, 35), (39, 35))} == {"signals"}
    assert found[35, 31] == "not known", "a dead end, or the edge of the extract"
    green = CN_CJJ37.green_ratio[list(CN_CJJ37.class_name).index("primary")]
    row = list(found).index((15, 35))
    assert road.capacity[row] == pytest.approx(3 * 1400 * green)
    assert road.control_source[row] == Source.TAGGED


def test_a_street_that_goes_on_passes_the_control_back(make_extract: Make) -> None:
    # From 75 the street goes on over 55, where nothing joins it, to the signals at 35.
    road = crossing(make_extract, {35: {"highway": "traffic_signals"}})
    assert control_of(road)[75, 55] == "signals"


@pytest.mark.parametrize(
    ("tags", "toward_junction", "away"),
    [
        ({"highway": "stop"}, "stop", "not known"),
        ({"highway": "stop", "direction": "backward"}, "priority", "stop"),
        ({"highway": "give_way", "direction": "forward"}, "give way", "not known"),
        ({"highway": "traffic_signals", "traffic_signals:direction": "forward"}, "signals",
         "not known"),
        ({"highway": "crossing", "crossing": "traffic_signals"}, "priority", "not known"),
    ],
)  # fmt: skip
def test_a_stop_line_within_a_link(
    make_extract: Make, tags: dict[str, str], toward_junction: str, away: str
) -> None:
    # Node 25 is nearer to 35 than to 15 once 15 lies far off.
    extract = make_extract(
        ([15, 25, 35], MAIN), ([35, 55], MAIN), ([31, 35, 39], SIDE), ([91, 92, 93], SIDE),
        ([92, 82], SIDE), node_tags={92: FAR, 25: tags}, nodes={15: (112.89, 28.205)},
    )  # fmt: skip
    found = control_of(build_roads(extract).road)
    assert found[15, 35] == toward_junction
    assert found[35, 15] == away


def test_what_has_priority_and_what_has_not(make_extract: Make) -> None:
    road = crossing(make_extract, {})
    found = control_of(road)
    assert found[15, 35] == found[55, 35] == "priority"
    assert found[31, 35] == found[39, 35] == "nothing mapped"
    assert found[91, 92] == "stop"
    row = list(found).index((15, 35))
    assert road.capacity[row] == pytest.approx(3 * 1400)
    assert road.control_source[row] == Source.DERIVED
    row = list(found).index((91, 92))
    assert road.capacity[row] == pytest.approx(1300 * SHARE[STOP])


def test_who_enters_a_roundabout_gives_way(make_extract: Make) -> None:
    ring = {"highway": "primary", "junction": "roundabout"}
    extract = make_extract(
        ([33, 53, 55, 35, 33], ring), ([13, 33], MAIN), ([55, 75], MAIN), ([91, 92, 93], SIDE),
        ([92, 82], SIDE), node_tags={92: FAR},
    )  # fmt: skip
    found = control_of(build_roads(extract).road)
    assert found[13, 33] == found[75, 55] == "roundabout"
    assert "roundabout" not in {v for (i, j), v in found.items() if i in (33, 53, 55, 35)}


def test_an_extract_without_controls_keeps_the_class_table(make_extract: Make) -> None:
    build = build_roads(make_extract(([15, 35, 55], MAIN), ([31, 35, 39], SIDE)))
    assert set(control_of(build.road).values()) == {"not known"}
    assert not build.report["controls"]["mapped"]
    assert build.road.capacity[0] == pytest.approx(3 * 1400 * 0.5)


def test_signals_on_an_expressway_take_green_as_well(make_extract: Make) -> None:
    extract = make_extract(
        ([15, 35], {"highway": "trunk"}), ([35, 55], {"highway": "trunk"}), ([31, 35], SIDE),
        node_tags={35: {"highway": "traffic_signals"}},
    )  # fmt: skip
    road = build_roads(extract).road
    row = list(control_of(road)).index((15, 35))
    assert road.capacity[row] == pytest.approx(3 * 1750 * MOST_GREEN)
