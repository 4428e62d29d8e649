"""Car choice and congestion agree: against a root found by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from test_assignment_frank_wolfe import grid

from cczsim.assignment.bush_solution import BushStart
from cczsim.assignment.elastic import (
    ALGORITHMS,
    ElasticAssignment,
    ElasticParams,
    elastic_assignment,
)
from cczsim.assignment.result import Status
from cczsim.assignment.shortest import zone_costs
from cczsim.columns import Array
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_link_agrees_with_a_root(algorithm: str) -> None:
    road = RoadNetwork(
        node_id=np.arange(2), node_lon=np.zeros(2), node_lat=np.zeros(2), link_id=np.array([1]),
        tail=np.array([0]), head=np.array([1]), road_class=np.zeros(1), length=np.array([1000.0]),
        free_flow_time=np.array([600.0]), capacity=np.array([500.0]), alpha=np.array([0.15]),
        beta=np.array([4.0]),
    )  # fmt: skip
    zones = ZoneSystem(zone_id=np.arange(2), centroid=np.arange(2))
    trips = np.array([[0.0, 2000.0], [0.0, 0.0]])
    scale, other, occupancy = 600.0, 900.0, 1.3
    solved = elastic_assignment(
        road, zones, trips, np.full((2, 2), np.exp(-other / scale)), scale=scale,
        occupancy=occupancy, params=ElasticParams(algorithm, 1e-12, 1e-12),
    )  # fmt: skip

    def miss(persons: float) -> float:
        drive = 600.0 * (1.0 + 0.15 * (persons / occupancy / 500.0) ** 4)
        return persons - 2000.0 / (1.0 + np.exp((drive - other) / scale))

    persons = brentq(miss, 0.0, 2000.0, xtol=1e-12)
    assert solved.car_trips[0, 1] == pytest.approx(persons, rel=1e-8)
    assert solved.road.link_flow[0] == pytest.approx(persons / occupancy, rel=1e-8)


def test_bushes_and_frank_wolfe_agree_on_flows_and_cars() -> None:
    """The program is strictly convex in cars, so both must end with the same."""
    road, zone, demand = grid(6, 12)
    trips = 3.0 * demand
    odds = np.full(trips.shape, np.exp(-600.0 / 500.0))
    solved = {
        name: elastic_assignment(
            road, zone, trips, odds, scale=500.0, occupancy=1.3,
            params=ElasticParams(name, gap, residual, 4000),
        )
        for name, gap, residual in (("b", 1e-12, 1e-11), ("bfw", 1e-6, 1e-6))
    }  # fmt: skip
    bushes, wolfe = solved["b"], solved["bfw"]
    assert bushes.road.status is Status.CONVERGED
    np.testing.assert_allclose(bushes.car_trips, wolfe.car_trips, rtol=2e-3)
    # The certificate by hand: least costs at the final flows, and the logit at those costs.
    costs = zone_costs(road, bushes.road.link_cost, zone.centroid)
    apart = ~np.eye(zone.n_zones, dtype=bool)
    wanted = trips / (1.0 + np.exp((costs - 600.0) / 500.0))
    np.testing.assert_allclose(bushes.car_trips[apart], wanted[apart], rtol=1e-7)
    flow, cars = bushes.road.link_flow, bushes.car_trips / 1.3
    total = float((flow * bushes.road.link_cost).sum())
    assert total - float((cars * costs)[apart].sum()) <= 1e-11 * total


def test_where_only_the_car_goes_everybody_drives() -> None:
    road, zone, demand = grid(4, 6)
    nothing = np.zeros(demand.shape)
    solved = elastic_assignment(
        road, zone, demand, nothing, scale=500.0, params=ElasticParams("b", 1e-9, 1e-9)
    )
    apart = ~np.eye(zone.n_zones, dtype=bool)
    np.testing.assert_allclose(solved.car_trips[apart], demand[apart], rtol=1e-12)


def test_a_run_like_another_starts_from_its_bushes_and_ends_where_a_cold_one_does() -> None:
    road, zone, demand = grid(6, 12)
    odds = np.full(demand.shape, np.exp(-600.0 / 500.0))
    wide = road.replace(capacity=1.2 * road.capacity)

    def run(road: RoadNetwork, times: float, near: BushStart | None = None) -> ElasticAssignment:
        return elastic_assignment(
            road, zone, times * demand, odds, scale=500.0, occupancy=1.3, near_bushes=near,
            keep_bushes=True, params=ElasticParams("b", 1e-10, 1e-10),
        )  # fmt: skip

    first = run(road, 3.0)
    assert first.road.bushes is not None
    near = first.road.bushes.start()
    again = run(road, 3.0, near)
    assert again.road.iterations == 1
    assert again.road.link_flow == pytest.approx(first.road.link_flow, rel=1e-6, abs=1e-6)
    # Where links have other rows, more travel, or there is more room, bushes are but a start.
    order = np.random.default_rng(1).permutation(road.n_links)
    for other, times in ((road, 3.3), (wide, 3.0), (reordered(road, order), 2.7)):
        warm, cold = run(other, times, near), run(other, times)
        assert warm.road.status is Status.CONVERGED
        assert warm.road.iterations < cold.road.iterations
        np.testing.assert_allclose(warm.car_trips, cold.car_trips, rtol=1e-6, atol=1e-9)
        assert warm.road.tstt == pytest.approx(cold.road.tstt, rel=1e-7)


def reordered(road: RoadNetwork, order: Array) -> RoadNetwork:
    """Return the network with its links in another order."""
    columns = ("link_id", "tail", "head", "road_class", "length", "free_flow_time", "capacity",
               "alpha", "beta")  # fmt: skip
    return RoadNetwork(
        node_id=road.node_id, node_lon=road.node_lon, node_lat=road.node_lat,
        **{name: getattr(road, name)[order] for name in columns},
    )  # fmt: skip
