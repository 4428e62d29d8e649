"""Car parks of a scenario: read, found on the network, run, and refused with a clear word."""

from __future__ import annotations

import numpy as np
import pytest

from cczsim.errors import ScenarioError
from cczsim.scenario.park_ride import park_ride_of
from cczsim.scenario.run import run_scenario
from cczsim.scenario.spec import spec_from
from tests.scenario.grid_case import ridden_grid


@pytest.fixture(scope="module")
def network():
    return ridden_grid()


def spec(lots, **more):
    tables = {
        "cczsim": 1, "title": "lots", "network": "grid", "year": 2025,
        "park_and_ride": {"lots": lots, **more.pop("park_and_ride", {})},
    }  # fmt: skip
    return spec_from({**tables, **more})


def stop_names(network):
    return [str(name) for name in network.transit.stop_name]


def faults(network, lots, **more):
    with pytest.raises(ScenarioError) as caught:
        park_ride_of(spec(lots, **more), network)
    return [f"{f.where} {f.found} {f.expected} {f.hint}" for f in caught.value.faults]


def test_lots_are_found_by_name_and_by_id(network):
    name, other = stop_names(network)[1], str(network.transit.stop_id[5])
    lots = {"北 停车场": {"stop": name, "places": 120, "fee": "5 CNY"}, "by id": {"stop": other}}
    found = park_ride_of(spec(lots), network).lots
    assert found.lot_name.tolist() == ["北 停车场", "by id"]
    assert found.lot_stop.tolist() == [1, 5]
    assert found.places.tolist() == [120.0, 300.0]
    assert found.fee.tolist() == [5.0, 0.0]
    assert found.places_source[0] != found.places_source[1]
    assert not np.isin(found.lot_node, network.zones.centroid).any()


def test_without_lots_there_is_no_park_and_ride(network):
    assert park_ride_of(spec({}), network) is None
    assert "park_ride" not in run_scenario(spec({}), network).equilibrium.trips


def test_a_run_tells_of_lots_in_figures_ledger_and_assumptions(network):
    lots = {"北": {"stop": stop_names(network)[1], "places": 40}}
    keys = {"constant": "-30 min"}
    result = run_scenario(spec(lots, park_and_ride=keys, demand={"car_constant": "0 s"}), network)
    figures = {(i.key, *i.by.values()): i.value for i in result.indicators}
    assert figures["lot_cars", "北"] == pytest.approx(20.0, rel=1e-3)
    assert figures["lot_full", "北"] == pytest.approx(100.0, rel=1e-3)
    assert figures["lot_price", "北"] > 0.0
    assert figures["mode_share", "all", "park_ride"] > 0.0
    rows = {(row.stage, row.item): row.trips for row in result.ledger}
    assert rows["to car parks", "北"] == pytest.approx(rows["mode choice", "park_ride"])
    assert rows["from car parks", "北"] == pytest.approx(rows["mode choice", "park_ride"])
    said = {row.key: row.source for row in result.assumptions}
    assert said["park_and_ride.lots.北.fee"].startswith("default; assumed")
    assert said["park_and_ride.lots.北.places"] == "scenario"
    assert said["park_and_ride.constant"] == "scenario"
    assert said["park_and_ride.room_share"].startswith("default; assumed")


def test_all_that_is_wrong_with_lots_is_said_at_once(network):
    found = faults(
        network, {"a": {"stop": "Nowhere"}, "b": {"stop": stop_names(network)[0][:-1] + "x"}},
        transit={"crowding": "comfort"},
    )  # fmt: skip
    assert len(found) == 3
    assert "transit.crowding" in found[0]
    assert "park_and_ride.lots.a.stop" in found[1]
    assert "did you mean" in found[2]


def test_lots_need_lines(network):
    (found,) = faults(network.replace(transit=None), {"a": {"stop": "x"}})
    assert "a network with lines" in found


@pytest.mark.parametrize(
    ("lot", "key"),
    [
        ({}, "stop"), ({"stop": "x", "places": 0}, "places"),
        ({"stop": "x", "places": -3}, "places"),
        ({"stop": "x", "places": float("nan")}, "places"), ({"stop": "x", "fee": "-1 CNY"}, "fee"),
        ({"stop": "x", "fee": "1 h"}, "fee"), ({"stop": "x", "plces": 3}, "plces"),
        ({"stop": "x", "places": True}, "places"), ({"stop": 4}, "stop"),
    ],
)  # fmt: skip
def test_bad_keys_of_a_lot_are_faults_at_their_place(lot, key):
    with pytest.raises(ScenarioError) as caught:
        spec({"东": lot})
    (fault,) = caught.value.faults
    assert f"park_and_ride.lots.东.{key}" in fault.where


def test_two_stations_of_one_name_are_told_apart_by_id(network):
    lines = network.transit
    names = lines.stop_name.copy()
    names[5] = names[1]
    twice = network.replace(transit=lines.replace(stop_name=names))
    (found,) = faults(twice, {"a": {"stop": str(names[1])}})
    assert "write the id" in found


def test_a_stop_may_have_two_car_parks(network):
    name = stop_names(network)[1]
    one = {"stop": name, "places": 40}
    keys = {"constant": "-30 min"}
    plain = {"demand": {"car_constant": "0 s"}}
    lots = {"north": one, "south": {**one, "places": 60}}
    result = run_scenario(spec(lots, park_and_ride=keys, **plain), network)
    figures = {(i.key, *i.by.values()): i.value for i in result.indicators}
    assert figures["lot_cars", "north"] == pytest.approx(20.0, rel=1e-3)
    assert figures["lot_cars", "south"] == pytest.approx(30.0, rel=1e-3)


def test_base_without_lots_compares_with_a_scenario_that_has_them(network):
    lots = {"北": {"stop": stop_names(network)[1], "places": 400}}
    plain = {"demand": {"car_constant": "0 s"}}
    base = run_scenario(spec({}, **plain), network)
    keys = {"constant": "-30 min"}
    found = run_scenario(spec(lots, park_and_ride=keys, **plain), network, base=base)
    figures = {(i.key, *sorted(i.by.values())): i.value for i in found.indicators}
    assert figures["surplus", "all", "logsum"] > 0.0
    back = run_scenario(spec({}, **plain), network, base=found)
    again = {(i.key, *sorted(i.by.values())): i.value for i in back.indicators}
    assert again["surplus", "all", "logsum"] == pytest.approx(
        -figures["surplus", "all", "logsum"], rel=1e-9
    )
