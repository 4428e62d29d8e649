"""Where people travel: totals kept, pattern the network's, growth by area."""

from __future__ import annotations

import numpy as np
import pytest
from grid_case import grid

from cczsim.assignment.transit_params import TransitParams
from cczsim.demand.params import DemandParams
from cczsim.errors import DemandError
from cczsim.scenario.trips import make_trips, pull_costs


def test_productions_are_kept_and_near_zones_draw_more() -> None:
    network = grid()
    zones = network.zones
    assert zones is not None
    params = DemandParams()
    cost = pull_costs(network, params, TransitParams())
    assert cost.shape == (9, 9)
    assert np.isfinite(cost).all()
    trips = make_trips(zones, cost, params).trips
    made = zones.population * zones.trip_share * params.trip_rate * params.peak_share
    np.testing.assert_allclose(trips.sum(axis=1), made, rtol=1e-6)
    even = np.outer(trips.sum(axis=1), trips.sum(axis=0)) / trips.sum()
    assert np.corrcoef((trips / even).ravel(), cost.ravel())[0, 1] < -0.5


def test_more_people_make_more_trips_of_the_same_pattern() -> None:
    network = grid()
    zones = network.zones
    assert zones is not None
    params = DemandParams()
    cost = pull_costs(network, params, TransitParams())
    before = make_trips(zones, cost, params).trips
    grown = zones.replace(population=1.1 * zones.population, jobs=1.1 * zones.jobs)
    np.testing.assert_allclose(make_trips(grown, cost, params).trips, 1.1 * before, rtol=1e-6)


def test_a_network_without_zones_is_refused() -> None:
    with pytest.raises(DemandError, match="no zones"):
        pull_costs(grid().replace(zones=None), DemandParams(), TransitParams())
