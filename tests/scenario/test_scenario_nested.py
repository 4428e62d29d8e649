"""Rail, bus, foot and cycle told apart, at one equilibrium with the roads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cczsim.assignment.elastic import ElasticParams
from cczsim.assignment.equilibrium import mode_equilibrium
from cczsim.assignment.mode_costs import other_alternatives, other_costs, street_distance
from cczsim.assignment.rail_or_bus import bus_network, skim_buses
from cczsim.assignment.transit import skim_transit
from cczsim.assignment.transit_params import TransitParams
from cczsim.demand.mode_choice import car_fixed, choose, composite, gather, within
from cczsim.demand.params import DemandParams
from cczsim.errors import AssignmentError
from cczsim.network.transit import MODE_CODE
from cczsim.scenario.ledger import make_ledger
from tests.scenario.grid_case import grid

TIGHT = ElasticParams("b", 1e-6, 1e-6)
APART = DemandParams(transit_choice="rail or bus", active_choice="walk or cycle")


@pytest.fixture(scope="module")
def network():
    return with_bus()


def with_bus():
    """The grid with a bus beside its metro line, slower and oftener."""
    found = grid()
    line = found.transit
    n, entries = line.n_lines, len(line.line_stop)
    both = line.replace(
        line_id=np.array([*line.line_id, *(f"bus {k}" for k in line.line_id)]),
        route=np.array([*line.route, *(f"bus {k}" for k in line.route)]),
        mode=np.concatenate([line.mode, np.full(n, MODE_CODE["bus"])]),
        headway=np.concatenate([line.headway, 0.6 * line.headway]),
        line_first=np.concatenate([line.line_first, entries + line.line_first[1:]]),
        line_stop=np.tile(line.line_stop, 2),
        run_time=np.concatenate([line.run_time, 1.6 * line.run_time]),
        run_length=np.tile(line.run_length, 2),
        seats_and_standing=np.zeros(2 * n), headway_source=np.zeros(2 * n, int),
        run_time_source=np.zeros(2 * n, int), color=np.array(["#000000"] * (2 * n)),
        fare_system=np.array([""] * (2 * n)), fare_route=np.array([""] * (2 * n)),
        shape_first=None, shape_lon=None, shape_lat=None,
        access_zone=np.arange(9), access_stop=np.array([0, 1, 2, 4, 5, 6, 8, 9, 11]),
        access_time=np.full(9, 120.0),
    )  # fmt: skip
    return found.replace(transit=both)


def everywhere(network, trips=60.0):
    return np.full((network.zones.n_zones,) * 2, trips)


def test_demand_in_is_demand_out(network):
    trips = everywhere(network)
    found = mode_equilibrium(network, trips, APART, params=TIGHT)
    assert found.converged
    assert found.demand_residual <= 1e-6
    # The certificate by hand, at the costs that the flows make.
    zones = network.zones
    skims = skim_transit(network.transit, zones, seconds_per_cny=APART.seconds_per_cny)
    buses = skim_buses(network.transit, zones, None, APART)
    distance = street_distance(network.road, zones)
    costs = other_alternatives(zones, distance, skims, APART, buses)
    top = choose(
        {"car": found.car_time + car_fixed(APART), **gather(costs, APART)}, APART.choice_scale
    )
    apart = ~np.eye(len(trips), dtype=bool)
    for mode in ("transit", "active"):
        for name, share in within(mode, costs, APART).items():
            off = np.abs(found.parts[name] - trips * top[mode] * share)[apart]
            assert off.sum() <= 2e-6 * trips.sum()
            assert found.parts[name].sum() > 0.0
    for mode, names in (("transit", ("rail", "bus")), ("active", ("walk", "cycle"))):
        both = found.parts[names[0]] + found.parts[names[1]]
        np.testing.assert_allclose(both, found.trips[mode], rtol=1e-12, atol=1e-12)
    make_ledger(trips, found)


def test_lines_carry_whom_the_choice_gave_them(network):
    found = mode_equilibrium(network, everywhere(network), APART, params=TIGHT)
    entries = np.repeat(network.transit.mode, np.diff(network.transit.line_first))
    boarded = found.transit.boardings
    served = found.trips["transit"].sum()
    assert found.transit.total_demand == pytest.approx(served)
    assert found.transit.access_flow.sum() == pytest.approx(
        served - found.transit.unreachable_demand
    )
    by_bus = boarded[entries == MODE_CODE["bus"]].sum()
    assert by_bus >= found.parts["bus"].sum() - found.transit.unreachable_demand - 1e-6
    assert boarded[entries != MODE_CODE["bus"]].sum() > 0.0


def test_without_trains_all_who_ride_take_the_bus(network):
    buses = network.replace(transit=bus_network(network.transit))
    found = mode_equilibrium(buses, everywhere(network), APART, params=TIGHT)
    assert found.parts["rail"].sum() == 0.0
    np.testing.assert_allclose(found.parts["bus"], found.trips["transit"])


def test_without_buses_all_who_ride_take_the_train(network):
    lines = grid().transit.replace(
        access_zone=np.arange(9), access_stop=np.array([0, 1, 2, 4, 5, 6, 8, 9, 11]),
        access_time=np.full(9, 120.0),
    )  # fmt: skip
    found = mode_equilibrium(
        network.replace(transit=lines), everywhere(network), APART, params=TIGHT
    )
    assert found.parts["bus"].sum() == 0.0
    assert found.parts["rail"].sum() > 0.0
    together = mode_equilibrium(
        network.replace(transit=lines), everywhere(network),
        replace(APART, transit_choice="together"), params=TIGHT,
    )  # fmt: skip
    np.testing.assert_allclose(found.trips["transit"], together.trips["transit"], rtol=1e-9)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_more_rail_never_makes_travelling_dearer(network, share):
    """Nor does it for the logsum over all, whatever the scale of the nest."""
    demand = replace(APART, transit_nest=share)
    zones, distance = network.zones, street_distance(network.road, network.zones)
    costs = []
    for transit in (bus_network(network.transit), network.transit):
        skims = skim_transit(transit, zones, seconds_per_cny=demand.seconds_per_cny)
        buses = skim_buses(transit, zones, None, demand)
        costs.append(other_costs(zones, distance, skims, demand, buses))
    without, with_rail = (composite(c, demand.choice_scale) for c in costs)
    assert (with_rail <= without * (1.0 + 1e-12)).all()
    assert (with_rail < without - 1.0).any()


def test_crowding_with_rail_and_bus_apart_is_refused(network):
    with pytest.raises(AssignmentError, match="crowding"):
        mode_equilibrium(
            network, everywhere(network), APART, TransitParams(crowding="comfort"), params=TIGHT
        )
