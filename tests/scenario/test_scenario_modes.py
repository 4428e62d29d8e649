"""All modes together: nobody travels, a mode is gone, trains are full; the ledger closes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from grid_case import ridden_grid

from cczsim.assignment.elastic import ElasticParams
from cczsim.assignment.equilibrium import mode_equilibrium
from cczsim.assignment.transit_params import TransitParams
from cczsim.demand.mode_choice import car_fixed, choose
from cczsim.demand.params import DemandParams
from cczsim.scenario.ledger import make_ledger

TIGHT = ElasticParams("b", 1e-5, 1e-5)
CROWDED = TransitParams(crowding="capacity", crowded_lines="all")


@pytest.fixture(scope="module")
def network():
    return ridden_grid()


def everywhere(network, trips=60.0):
    return np.full((network.zones.n_zones,) * 2, trips)


@pytest.mark.parametrize("transit", [TransitParams(), CROWDED])
def test_nobody_travels_at_free_flow(network, transit):
    found = mode_equilibrium(network, everywhere(network, 0.0), None, transit, params=TIGHT)
    np.testing.assert_array_equal(found.road.link_flow, 0.0)
    np.testing.assert_array_equal(found.road.link_time, network.road.free_flow_time)
    assert found.transit.segment_flow.sum() == 0.0
    assert found.converged
    make_ledger(everywhere(network, 0.0), found)


@pytest.mark.parametrize("gone", ["car", "transit", "active"])
@pytest.mark.parametrize("transit", [TransitParams(), CROWDED])
def test_without_a_mode_its_trips_go_elsewhere(network, gone, transit):
    trips = everywhere(network)
    demand = DemandParams()
    whole = mode_equilibrium(network, trips, demand, transit, params=TIGHT)
    without = network
    if gone == "transit":
        without = network.replace(transit=None)
    elif gone == "car":
        demand = replace(demand, car_constant=1e6)
    else:
        demand = replace(demand, active_reach=1.0)
    found = mode_equilibrium(without, trips, demand, transit, params=TIGHT)
    assert found.trips[gone].sum() < 1e-6 * trips.sum()
    others = [mode for mode in found.trips if mode != gone]
    assert sum(found.trips[m].sum() for m in others) == pytest.approx(trips.sum(), rel=1e-9)
    assert all(found.trips[m].sum() >= whole.trips[m].sum() * 0.999 for m in others)
    ledger = make_ledger(trips, found)
    parts = [row.trips for row in ledger if row.stage == "mode choice"]
    assert sum(parts) == pytest.approx(trips.sum(), rel=1e-9)


def test_full_trains_agree_with_roads_and_modes(network):
    """Costs in are costs out: the logit at the final costs gives the trips that made them."""
    trips = everywhere(network, 25.0)
    small = network.transit.replace(seats_and_standing=np.full(network.transit.n_lines, 40.0))
    crowded = network.replace(transit=small)
    demand = DemandParams()
    free = mode_equilibrium(crowded, trips, demand, TransitParams(), params=TIGHT)
    found = mode_equilibrium(crowded, trips, demand, CROWDED, params=TIGHT, transit_gap=1e-5)
    assert found.converged
    assert found.demand_residual <= 1e-5
    places = np.repeat(40.0 * 3600.0 / small.headway, np.diff(small.line_first))
    assert (free.transit.segment_flow > places).any()
    assert (found.transit.segment_flow <= places).all()
    assert found.trips["transit"].sum() < free.trips["transit"].sum()
    assert [r.demand_residual for r in found.rounds][-1] <= 1e-5
    # The certificate by hand, between zones.
    skims = found.transit.skims
    ride = skims.weighted + demand.transit_fare * demand.seconds_per_cny * skims.boardings
    at_end = choose(
        {"car": found.car_time + car_fixed(demand), "transit": ride + demand.transit_constant},
        demand.choice_scale,
    )
    both = found.trips["car"] + found.trips["transit"]
    apart = ~np.eye(len(trips), dtype=bool)
    off = np.abs(found.trips["transit"] - both * at_end["transit"])[apart & np.isfinite(ride)]
    assert off.sum() <= 2e-5 * trips.sum()
    make_ledger(trips, found)
