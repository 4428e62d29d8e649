"""Park-and-ride: by which lot, at what price, and at one equilibrium with roads and lines."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.assignment.elastic import ElasticParams
from cczsim.assignment.equilibrium import ModeState, mode_equilibrium
from cczsim.assignment.park_ride import ParkRide
from cczsim.assignment.transit_params import TransitParams
from cczsim.demand.mode_choice import composite
from cczsim.demand.params import DemandParams
from cczsim.demand.park_ride import (
    ParkRideParams,
    by_lot,
    over_lots,
    prices_of_full_lots,
)
from cczsim.errors import AssignmentError, DemandError
from cczsim.network.lots import Lots, nearest_nodes
from cczsim.scenario.ledger import make_ledger
from tests.scenario.grid_case import ridden_grid

TIGHT = ElasticParams("b", 1e-7, 1e-6)
KEEN = DemandParams(car_constant=0.0, transit_constant=1500.0, choice_scale=300.0)
WALKS = ParkRideParams(constant=-900.0)


def legs(seed: int, n: int = 4, lots: int = 3):
    rng = np.random.default_rng(seed)
    first, last = rng.uniform(100.0, 4000.0, (n, lots)), rng.uniform(100.0, 4000.0, (lots, n))
    first[rng.random(first.shape) < 0.15] = np.inf
    last[rng.random(last.shape) < 0.15] = np.inf
    return first, last, rng.uniform(0.0, 50.0, (n, n))


def lots_of(network, stops, places=400.0, fee=0.0):
    lines = network.transit
    node, _ = nearest_nodes(
        network.road, network.zones.centroid, lines.stop_lon[stops], lines.stop_lat[stops], 5000.0
    )
    assert (node >= 0).all()
    assert len(set(node)) == len(stops)
    return Lots(
        lot_name=np.array([f"停车场 {stop}" for stop in stops]), lot_node=node,
        places=np.full(len(stops), places), fee=np.full(len(stops), fee),
        access_lot=np.arange(len(stops)), lot_stop=np.array(stops),
    )  # fmt: skip


@pytest.fixture(scope="module")
def network():
    return ridden_grid()


def solve(network, park_ride, demand=KEEN, trips=400.0, **words):
    every = np.full((network.zones.n_zones,) * 2, trips)
    return every, mode_equilibrium(
        network, every, demand, TransitParams(), params=TIGHT, park_ride=park_ride, **words
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_logsum_and_legs_are_those_of_every_pair_written_out(seed):
    first, last, trips = legs(seed)
    cost, scale = over_lots(first, last, 250.0), 250.0
    trips = np.where(np.isfinite(cost), trips, 0.0)
    into, out_of = by_lot(trips, first, last, scale)
    slow_into, slow_out = np.zeros_like(first), np.zeros_like(last)
    for o in range(len(first)):
        for d in range(len(first)):
            each = np.exp(-(first[o] + last[:, d]) / scale)
            if o == d or not each.sum():
                assert np.isinf(cost[o, d])
                continue
            assert cost[o, d] == pytest.approx(-scale * np.log(each.sum()), rel=1e-9)
            slow_into[o] += trips[o, d] * each / each.sum()
            slow_out[:, d] += trips[o, d] * each / each.sum()
    np.testing.assert_allclose(into, slow_into, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(out_of, slow_out, rtol=1e-9, atol=1e-12)
    assert into.sum() == pytest.approx(trips.sum(), rel=1e-12)
    np.testing.assert_allclose(into.sum(axis=0), out_of.sum(axis=1), rtol=1e-9, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2), st.floats(0.0, 3000.0))
def test_a_cheaper_lot_never_raises_the_expected_cost(seed, lot, less):
    first, last, _ = legs(seed)
    cheaper = first.copy()
    cheaper[:, lot] -= less
    before, after = over_lots(first, last, 300.0), over_lots(cheaper, last, 300.0)
    known = np.isfinite(before)
    assert (np.isfinite(after) == known).all()
    assert (after[known] <= before[known] + 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 3.0))
def test_prices_keep_lots_within_their_room_and_are_paid_in_full_ones_only(seed, share):
    first, last, trips = legs(seed)
    scale = 300.0

    def arrivals(price):
        cost = over_lots(first + price, last, scale)
        # Elsewhere at 3000 s: some go by no lot.
        held = trips * np.where(np.isfinite(cost), 1 / (1 + np.exp((cost - 3000.0) / 600.0)), 0.0)
        return by_lot(held, first + price, last, scale)[0].sum(axis=0)

    free = arrivals(np.zeros(3))
    room = np.maximum(share * free.mean(), 1e-3) * np.ones(3)
    price = prices_of_full_lots(arrivals, room, np.zeros(3), scale)
    found = arrivals(price)
    assert (price >= 0.0).all()
    assert (found <= room * (1 + 2e-6)).all()
    paid = price > 0.0
    assert (found[paid] >= room[paid] * (1 - 2e-6)).all()


def test_legs_load_roads_and_lines_and_the_ledger_closes(network):
    lots = lots_of(network, [1, 5], places=1e9)
    trips, found = solve(network, ParkRide(lots, WALKS))
    parked = found.trips["park_ride"]
    assert parked.sum() > 0.02 * trips.sum()
    np.testing.assert_allclose(np.add.reduce(list(found.trips.values())), trips, rtol=1e-9)
    assert found.demand_residual <= 1e-6
    assert found.lots.into.sum() == pytest.approx(parked.sum(), rel=1e-9)
    assert not found.lots.price.any()
    rows = {(row.stage, row.item): row.trips for row in make_ledger(trips, found)}
    assert rows["to car parks", "停车场 1"] == pytest.approx(found.lots.into[:, 0].sum())
    # Cars on the roads are those of car trips and of the legs to lots.
    apart = ~np.eye(len(trips), dtype=bool)
    drivers = found.trips["car"][apart].sum() + parked.sum()
    assert found.road.total_demand == pytest.approx(drivers / KEEN.car_occupancy, rel=1e-9)
    # Whoever rides from a lot boards there.
    assert found.transit.total_demand == pytest.approx(
        found.trips["transit"].sum() + parked.sum(), rel=1e-9
    )
    assert found.transit.skims.weighted.shape == trips.shape
    assert len(found.transit.access_flow) == len(network.transit.access_zone)


def test_without_lots_nothing_is_otherwise(network):
    none = lots_of(network, [1])
    none = ParkRide(replace_lots(none), ParkRideParams())
    _, without = solve(network, None)
    _, found = solve(network, none)
    assert found.lots is None
    for mode, own in without.trips.items():
        assert np.array_equal(found.trips[mode], own)
    assert np.array_equal(found.road.link_flow, without.road.link_flow)


def replace_lots(lots):
    return Lots(
        lot_name=lots.lot_name[:0], lot_node=lots.lot_node[:0], places=lots.places[:0],
        access_lot=lots.access_lot[:0], lot_stop=lots.lot_stop[:0],
    )  # fmt: skip


def test_switched_off_its_trips_go_elsewhere(network):
    lots = lots_of(network, [1, 5], places=1e9)
    trips, on = solve(network, ParkRide(lots, WALKS))
    _, off = solve(network, None)
    assert "park_ride" not in off.trips
    assert sum(own.sum() for own in off.trips.values()) == pytest.approx(trips.sum(), rel=1e-9)
    more = {mode: off.trips[mode].sum() - on.trips[mode].sum() for mode in off.trips}
    assert sum(more.values()) == pytest.approx(on.trips["park_ride"].sum(), rel=1e-6)
    assert more["car"] > 0.0
    assert more["transit"] > 0.0


def test_a_full_lot_takes_what_it_has_room_for_and_its_price_tells(network):
    rule = replace(WALKS, room_share=0.5)
    trips, wide = solve(network, ParkRide(lots_of(network, [1, 5], places=1e9), rule))
    half = float(wide.lots.cars.min())
    places = np.full(2, half)  # room for half of the fewer ones
    lots = lots_of(network, [1, 5], places=float(places[0]))
    _, found = solve(network, ParkRide(lots, rule))
    assert (found.lots.price > 0.0).all()
    np.testing.assert_allclose(found.lots.cars, 0.5 * half, rtol=1e-3)
    assert found.trips["park_ride"].sum() < wide.trips["park_ride"].sum()
    total = np.add.reduce(list(found.trips.values()))
    np.testing.assert_allclose(total, trips, rtol=1e-9)


def test_a_fee_keeps_people_away_and_raises_the_cost(network):
    free = solve(network, ParkRide(lots_of(network, [1, 5], places=1e9), WALKS))[1]
    lots = lots_of(network, [1, 5], places=1e9, fee=10.0)
    paid = solve(network, ParkRide(lots, WALKS))[1]
    assert paid.trips["park_ride"].sum() < free.trips["park_ride"].sum()
    known = np.isfinite(free.lots.cost)
    assert (paid.lots.cost[known] > free.lots.cost[known]).all()
    np.testing.assert_allclose(paid.lots.paid, 10.0)


def test_on_the_way_back_people_ride_to_the_lot_and_drive_home(network):
    rule = replace(WALKS, way="back")
    lots = lots_of(network, [1, 5], places=1.0, fee=10.0)
    trips, back = solve(network, ParkRide(lots, rule))
    parked = back.trips["park_ride"]
    assert parked.sum() > 0.01 * trips.sum()
    assert not back.lots.price.any()
    assert not back.lots.paid.any()
    apart = ~np.eye(len(trips), dtype=bool)
    drivers = back.trips["car"][apart].sum() + parked.sum()
    assert back.road.total_demand == pytest.approx(drivers / KEEN.car_occupancy, rel=1e-9)
    make_ledger(trips, back)


def test_destinations_answer_to_lots_too(network):
    lots = lots_of(network, [1, 5], places=300.0)
    size = (network.zones.n_zones,) * 2

    def destinations(cost):
        pull = np.exp(-cost / 2000.0)
        return 500.0 * pull / pull.sum(axis=1, keepdims=True)

    found = mode_equilibrium(
        network, destinations(np.zeros(size)), KEEN, TransitParams(),
        params=ElasticParams("b", 1e-6, 1e-5), park_ride=ParkRide(lots, WALKS),
        destinations=destinations, destination_residual=1e-4, max_rounds=40,
    )  # fmt: skip
    assert found.destination_residual <= 1e-4
    assert found.demand_residual <= 1e-4
    np.testing.assert_allclose(
        np.add.reduce(list(found.trips.values())), found.asked, rtol=1e-9, atol=1e-9
    )


def test_an_interrupted_run_ends_with_the_same_bits(network):
    rule = ParkRide(lots_of(network, [1, 5], places=300.0), WALKS)
    kept: list[ModeState] = []
    every = np.full((network.zones.n_zones,) * 2, 1500.0)
    words = {"params": TIGHT, "park_ride": rule}

    def keep(state):
        kept.append(pickle.loads(pickle.dumps(state())))

    whole = mode_equilibrium(network, every, KEEN, TransitParams(), **words, on_state=keep)
    assert len(kept) > 2
    for start in (kept[0], kept[len(kept) // 2], kept[-1]):
        again = mode_equilibrium(network, every, KEEN, TransitParams(), **words, start=start)
        assert np.array_equal(again.road.link_flow, whole.road.link_flow)
        for mode, own in whole.trips.items():
            assert np.array_equal(again.trips[mode], own)
        assert np.array_equal(again.lots.into, whole.lots.into)


def test_by_frank_wolfe_it_is_the_same_equilibrium(network):
    rule = ParkRide(lots_of(network, [1, 5], places=300.0), WALKS)
    _, bushes = solve(network, rule)
    every = np.full((network.zones.n_zones,) * 2, 400.0)
    other = mode_equilibrium(
        network, every, KEEN, TransitParams(), params=ElasticParams("bfw", 1e-6, 1e-5),
        park_ride=rule,
    )  # fmt: skip
    for mode, own in bushes.trips.items():
        assert other.trips[mode].sum() == pytest.approx(own.sum(), rel=1e-3)


def test_rail_and_bus_apart_go_with_lots(network):
    demand = replace(KEEN, transit_choice="rail or bus")
    lots = lots_of(network, [1, 5], places=1e9)
    trips, found = solve(network, ParkRide(lots, WALKS), demand=demand)
    assert found.trips["park_ride"].sum() > 0.0
    assert found.buses.weighted.shape == trips.shape
    make_ledger(trips, found)


def test_crowding_beside_lots_is_refused(network):
    rule = ParkRide(lots_of(network, [1]), ParkRideParams())
    with pytest.raises(AssignmentError, match="crowding off"):
        mode_equilibrium(
            network, np.full((9, 9), 1.0), KEEN, TransitParams(crowding="comfort"), park_ride=rule
        )


@pytest.mark.parametrize(
    "words", [{"way": "up"}, {"nest": 0.0}, {"nest": 1.5}, {"room_share": float("nan")},
              {"transfer": -1.0}, {"constant": float("inf")}],
)  # fmt: skip
def test_bad_parameters_are_faults(words):
    with pytest.raises(DemandError, match=f"park_and_ride.{next(iter(words))}"):
        ParkRideParams(**words)


def test_cost_of_the_choice_falls_with_lots(network):
    rule = ParkRide(lots_of(network, [1, 5], places=1e9), WALKS)
    _, found = solve(network, rule, trips=0.001)  # empty roads: nothing else moves
    costs = {"car": found.car_time, "park_ride": found.lots.cost}
    with_lots = composite(costs, 300.0)
    apart = ~np.eye(9, dtype=bool)
    assert (with_lots[apart] <= found.car_time[apart] + 1e-9).all()
