"""Changes: operations with a precondition, in order, with all faults at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from grid_case import grid

from cczsim.errors import ScenarioError
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.road_class import CLASS_CODE, CONNECTOR
from cczsim.scenario.changes import apply_changes
from cczsim.scenario.result import AppliedChange
from cczsim.scenario.spec import spec_from


@pytest.fixture(scope="module")
def network() -> Network:
    return grid()


def apply(network: Network, *changes: dict[str, Any]) -> tuple[Network, tuple[AppliedChange, ...]]:
    spec = spec_from(
        {"cczsim": 1, "title": "t", "network": "n", "year": 2020, "changes": list(changes)}
    )
    return apply_changes(network, spec.changes, spec.origins)


PRIMARY = {"name": "芙蓉大道", "class": ["primary"]}


def test_lanes_carry_capacity_and_provenance(network: Network) -> None:
    change = {
        "kind": "links", "select": PRIMARY, "set": {"lanes": 3}, "note": "wider",
        "expect": {"links": ">= 40", "lanes": 2, "class": "primary"}, "cost": "1.2e9 CNY",
    }  # fmt: skip
    changed, (applied,) = apply(network, change)
    road, before = changed.road, network.road
    hit = before.road_class == CLASS_CODE["primary"]
    assert applied.counts["links matched"] == hit.sum() == 44
    assert applied.counts["km matched"] == 44.0
    assert applied.cost == 1.2e9
    assert "wider" in applied.summary
    np.testing.assert_array_equal(road.lanes[hit], 3.0)
    np.testing.assert_allclose(road.capacity[hit], 1.5 * before.capacity[hit])
    assert (road.lanes_source[hit] == Source.USER).all()
    assert (road.capacity_source[hit] == Source.DERIVED).all()
    for name in ("lanes", "capacity", "lanes_source", "free_flow_time", "speed"):
        np.testing.assert_array_equal(getattr(road, name)[~hit], getattr(before, name)[~hit])
    np.testing.assert_array_equal(road.link_id, before.link_id)


def test_a_guessed_capacity_stays_a_guess(network: Network) -> None:
    guessed = network.road.replace(
        capacity_source=np.full(network.road.n_links, int(Source.DEFAULT))
    )
    changed, _ = apply(
        network.replace(road=guessed), {"kind": "links", "select": PRIMARY, "set": {"lanes": 3}}
    )
    assert (changed.road.capacity_source == Source.DEFAULT).all()


def test_speed_carries_the_time_along(network: Network) -> None:
    slow = network.road.replace(free_flow_time=network.road.free_flow_time * 1.25)
    start = network.replace(road=slow)
    changed, _ = apply(
        start,
        {"kind": "links", "select": {"class": "primary"}, "set": {"speed": "100 km/h"}},
    )
    hit = slow.road_class == CLASS_CODE["primary"]
    np.testing.assert_allclose(changed.road.free_flow_time[hit], slow.free_flow_time[hit] / 2)
    assert (changed.road.speed_source[hit] == Source.USER).all()


@pytest.mark.parametrize(
    ("select", "count"),
    [
        ({"class": ["primary", "residential"]}, 528),
        ({"name": "芙蓉*"}, 44),
        ({"name": ["芙蓉大道", "nowhere"]}, 44),
        ({"source": "generated"}, 484),
        ({"bbox": [112.899, 28.099, 112.911, 28.111]}, 8),
        ({"within": "112.899 28.099; 112.911 28.099; 112.911 28.111"}, 4),
        ({"link_id": [1, 2, 999_999_999]}, 2),
        ({"tier": "central", "class": "primary"}, None),
        ({"district": "岳麓区", "class": "primary"}, None),
        ({"structure": "ground"}, 528),
    ],
)
def test_selectors(network: Network, select: dict[str, Any], count: int | None) -> None:
    _, (applied,) = apply(network, {"kind": "links", "select": select, "set": {"toll": "2 CNY"}})
    if count is None:  # rows of the lowest third of the grid: the upright primary alone
        assert 0 < applied.counts["links matched"] < 44
    else:
        assert applied.counts["links matched"] == count


def test_each_change_sees_what_the_ones_before_it_left(network: Network) -> None:
    changed, _ = apply(
        network,
        {"kind": "links", "select": PRIMARY, "set": {"lanes": 4}},
        {"kind": "links", "select": PRIMARY, "expect": {"lanes": 4}, "set": {"lanes": 6}},
    )
    assert changed.road.lanes.max() == 6
    with pytest.raises(ScenarioError, match=r"changes\[1\].expect.lanes.*2 on 44"):
        apply(
            network,
            {"kind": "links", "select": PRIMARY, "expect": {"lanes": 4}, "set": {"lanes": 6}},
        )


def test_closing_takes_links_out_and_keeps_every_zone_served(network: Network) -> None:
    changed, (applied,) = apply(network, {"kind": "links", "select": PRIMARY, "close": True})
    assert changed.road.n_links == network.road.n_links - 44
    assert (changed.road.road_class != CLASS_CODE["primary"]).all()
    assert "closed" in applied.summary
    back = changed.road.reverse_link
    assert (back[back[back >= 0]] == np.flatnonzero(back >= 0)).all()
    with pytest.raises(ScenarioError, match="9 zones without a way out"):
        apply(
            network,
            {"kind": "links", "select": {"class": ["primary", "residential"]}, "close": True},
        )


def test_connectors_are_never_selected(network: Network) -> None:
    changed, _ = apply(
        network,
        {"kind": "links", "select": {"bbox": [112, 28, 113.5, 29]}, "set": {"speed": "10 km/h"}},
    )
    hit = network.road.road_class == CONNECTOR
    np.testing.assert_array_equal(changed.road.speed[hit], network.road.speed[hit])


def test_new_streets_are_joined(network: Network) -> None:
    street = {
        "line": "112.9005 28.1005; 112.9395 28.1395", "class": "secondary", "name": "新路",
        "lanes": 2, "speed": "50 km/h",
    }  # fmt: skip
    changed, (applied,) = apply(network, {"kind": "links", "add": [street]})
    road = changed.road
    new = road.name == "新路"
    assert new.sum() >= 2
    assert (road.class_source[new] == Source.USER).all()
    assert applied.counts["km added"] == pytest.approx(5.9, abs=0.2)
    ends = set(road.tail[new].tolist()) | set(road.head[new].tolist())
    old = np.isin(road.tail, list(ends)) & ~new
    assert old.any()


def test_growth_of_the_most_specific_area_holds(network: Network) -> None:
    zones = network.zones
    assert zones is not None
    rates = {"all": "1 %", "central": "10 %", "天心区": "50 %"}
    changed, (applied,) = apply(network, {"kind": "growth", "population": rates})
    assert changed.zones is not None
    factor = changed.zones.population / zones.population
    np.testing.assert_allclose(factor, [1.1] * 3 + [1.5] * 3 + [1.01] * 3)
    np.testing.assert_array_equal(changed.zones.jobs, zones.jobs)
    assert applied.counts["population added"] == pytest.approx(
        changed.zones.population.sum() - zones.population.sum()
    )


def test_lines_are_taken_out_and_run_more_often(network: Network) -> None:
    assert network.transit is not None
    changed, applied = apply(
        network,
        {
            "kind": "transit_line", "line": "M1", "set": {"headway": "2.5 min", "capacity": 1800},
            "expect": {"headway": "5 min", "lines": 2, "stops": ">= 2"},
        },
        {"kind": "transit_line", "line": "M1>", "set": {"run_time_factor": 0.5}},
    )  # fmt: skip
    assert [a.counts["lines matched"] for a in applied] == [2, 1]
    transit = changed.transit
    assert transit is not None
    assert transit.headway.tolist() == [150.0, 150.0]
    assert (transit.headway_source == Source.USER).all()
    assert transit.run_time[:12].sum() == network.transit.run_time[:12].sum() / 2
    assert transit.run_time[12:].sum() == network.transit.run_time[12:].sum()
    gone, _ = apply(network, {"kind": "transit_line", "remove": "M1<"})
    assert gone.transit is not None
    assert gone.transit.line_id.tolist() == ["M1>"]
    assert gone.transit.line_first.tolist() == [0, 12]


def test_a_line_is_added_in_both_directions_and_can_be_reached(network: Network) -> None:
    assert network.transit is not None
    stops = [
        {"stop": "站 0", "lon": 112.9, "lat": 28.1631},
        {"stop": "新站", "lon": 112.95, "lat": 28.2},
        {"stop": "终点", "lon": 112.99, "lat": 28.2},
    ]
    add = {"line": "R9", "mode": "rail", "headway": "6 min", "speed": "60 km/h", "stops": stops}
    changed, (applied,) = apply(network, {"kind": "transit_line", "add": add})
    transit = changed.transit
    assert transit is not None
    new = transit.route == "R9"
    assert new.sum() == 2
    assert (transit.headway[new] == 360.0).all()
    assert transit.n_lines == network.transit.n_lines + 2
    assert applied.counts["lines added"] == 2
    walks = set(zip(transit.walk_from.tolist(), transit.walk_to.tolist(), strict=True))
    old, added = 0, int(transit.line_stop[transit.line_first[np.flatnonzero(new)[0]]])
    assert old == added or (old, added) in walks
    assert applied.counts["km added"] == pytest.approx(10.83, abs=0.05)


def test_streets_are_added_up_to_a_density(network: Network) -> None:
    change = {
        "kind": "road_density", "area": "central", "target": "3 km/km2",
        "convention": "cn-urban", "cost_per_km": "2e7 CNY/km",
    }  # fmt: skip
    changed, (applied,) = apply(network, change)
    assert applied.counts["density after"] == pytest.approx(3.0, rel=0.005)
    assert applied.counts["density before"] < 2.9
    assert applied.counts["density after"] >= 3.0
    added = changed.road.n_links - network.road.n_links
    assert added > 0
    assert applied.cost == pytest.approx(2e7 * applied.counts["km added"])


def test_faults_of_all_changes_are_told_at_once(network: Network) -> None:
    with pytest.raises(ScenarioError) as caught:
        apply(
            network,
            {"kind": "links", "select": {"name": "芙蓉大街"}, "set": {"lanes": 6}},
            {"kind": "growth", "population": {"Atlantis": "3 %"}},
            {"kind": "transit_line", "remove": "M9"},
            {"kind": "growth", "jobs": "1 %", "requires": "tunnel"},
        )
    said = str(caught.value)
    assert len(caught.value.faults) == 4
    assert "did you mean '芙蓉大道'" in said
    for part in ("changes[1].select.name", "'Atlantis'", "'M9'", "'tunnel'"):
        assert part in said


def test_changes_that_belong_together(network: Network) -> None:
    one = {"kind": "growth", "jobs": "1 %", "id": "one"}
    two = {"kind": "growth", "jobs": "1 %", "requires": "one"}
    three = {"kind": "growth", "jobs": "1 %", "conflicts": "one"}
    assert len(apply(network, one, two)[1]) == 2
    for wrong, said in (
        ((two, one), "after this"),
        ((one, three), "conflicts"),
        ((one, one), "twice"),
    ):
        with pytest.raises(ScenarioError, match=said):
            apply(network, *wrong)
