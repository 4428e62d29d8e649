"""Trucks: as many as their ends tell, between zones, on the road before the cars."""

from __future__ import annotations

import numpy as np
import pytest

from cczsim.demand.params import DemandParams
from cczsim.demand.trucks import truck_ends, truck_trips
from cczsim.errors import DemandError
from cczsim.indicators.indicator import find
from cczsim.scenario.run import run_scenario
from cczsim.scenario.spec import spec_from
from cczsim.scenario.trucks import truck_traffic
from tests.scenario.test_scenario_nested import with_bus

PLAIN = {"cczsim": 1, "title": "trucks", "network": "grid", "year": 2020}


@pytest.fixture(scope="module")
def network():
    """The grid; its second zone is a logistics hub."""
    found = with_bus()
    hub = np.where(np.arange(found.zones.n_zones) == 1, "logistics", "")
    return found.replace(zones=found.zones.replace(hub=hub))


def test_ends_are_jobs_by_their_weight(network):
    zones = network.zones
    ends = truck_ends(zones, DemandParams(truck_rate=0.01))
    assert ends[0] == pytest.approx(0.01 * zones.jobs[0])
    assert ends[1] == pytest.approx(0.01 * zones.jobs[1] * 20.0)
    gate = int(np.flatnonzero(~zones.inside)[0])
    assert ends[gate] == pytest.approx(0.01 * zones.jobs[gate] * 10.0 * zones.trip_share[gate])


def test_trucks_meet_their_ends_and_none_stays(network):
    params = DemandParams(truck_rate=0.01, truck_hub_weight=2.0)
    rng = np.random.default_rng(1)
    n = network.zones.n_zones
    found = truck_trips(network.zones, rng.uniform(300.0, 3000.0, (n, n)), params)
    ends = truck_ends(network.zones, params)
    assert found.converged
    np.testing.assert_allclose(found.trips.sum(axis=0), ends, rtol=1e-6)
    np.testing.assert_allclose(found.trips.sum(axis=1), ends, rtol=1e-6)
    assert np.trace(found.trips) == 0.0


def test_a_zone_of_more_than_half_the_trucks_is_refused(network):
    n = network.zones.n_zones
    with pytest.raises(DemandError, match="at most half"):
        truck_trips(network.zones, np.ones((n, n)), DemandParams(truck_rate=1.0))


def test_flow_on_the_road_is_that_of_the_trips(network):
    trucks = truck_traffic(
        network, network.zones, DemandParams(truck_rate=0.01, truck_hub_weight=2.0)
    )
    out = np.bincount(network.road.tail, trucks.link_flow, network.road.n_nodes)
    np.testing.assert_allclose(
        out[network.zones.centroid], trucks.distribution.trips.sum(axis=1), rtol=1e-9
    )
    assert truck_traffic(network, network.zones, DemandParams()) is None


def test_trucks_delay_cars_and_are_accounted_for(network):
    without = run_scenario(spec_from(PLAIN), network)
    demand = {"truck_rate": 0.002, "truck_hub_weight": 2.0}
    result = run_scenario(spec_from(PLAIN | {"demand": demand}), network)
    assert not any(row.stage == "trucks" for row in without.ledger)
    whole = truck_ends(network.zones, DemandParams(**demand)).sum()
    rows = {row.item: row.trips for row in result.ledger if row.stage == "trucks"}
    assert rows["assigned"] == pytest.approx(whole, rel=1e-6)
    assert rows["unreachable"] == 0.0
    # At flows of the trucks alone nobody is faster than on empty roads.
    speed = [find(r.indicators, "mean_speed", area="all").value for r in (without, result)]
    assert speed[1] < speed[0]
    km = find(result.indicators, "truck_km", area="all").value
    tiers = [i.value for i in result.indicators if i.key == "truck_km" and "tier" in i.by]
    assert km > 0.0
    assert sum(tiers) == pytest.approx(km)
    co2 = find(result.indicators, "co2", area="all", by="truck").value
    assert co2 == pytest.approx(km * 0.28 * 2.67 / 1e3)
