"""Cars and trucks at one equilibrium: each class uses only ways of least cost to it."""

from __future__ import annotations

import numpy as np
import pytest

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.bush_analysis import select_links, skim_used
from cczsim.assignment.user_classes import UserClass, assign_classes
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem
from tests.assignment.test_assignment_frank_wolfe import grid
from tests.naive_roads import load

TIGHT = BushParams(1e-10, 500)


def example() -> tuple[RoadNetwork, ZoneSystem, Array]:
    road, zones, demand = grid(5, 8)
    np.fill_diagonal(demand, 0.0)
    rng = np.random.default_rng(3)
    return road.replace(toll=np.where(rng.random(road.n_links) < 0.3, 5.0, 0.0)), zones, demand


def test_each_class_drives_at_least_cost() -> None:
    road, zones, demand = example()
    trucks = 0.3 * demand.T
    closed = np.arange(0, road.n_links, 9)
    solved = assign_classes(
        road, zones,
        [UserClass("car", demand, toll_factor=10.0),
         UserClass("truck", trucks, pce=2.5, toll_factor=2.0, distance_factor=0.01, closed=closed)],
        params=TIGHT, keep_bushes=True,
    )  # fmt: skip
    assert solved.road.converged
    assert (solved.link_flow[1, closed] == 0.0).all()
    assert np.isinf(solved.link_cost[1, closed]).all()
    np.testing.assert_allclose(
        solved.road.link_flow, solved.link_flow[0] + 2.5 * solved.link_flow[1], atol=1e-9
    )
    for flow, cost, trips in zip(solved.link_flow, solved.link_cost, (demand, trucks), strict=True):
        _, least = load(road, cost.tolist(), zones.centroid, trips)
        served = (trips > 0.0) & np.isfinite(np.array(least))
        spent = float((flow[flow > 0.0] * cost[flow > 0.0]).sum())
        assert spent == pytest.approx(float((trips[served] * np.array(least)[served]).sum()), 1e-7)
        carried = np.where(served, trips, 0.0)
        net = np.bincount(road.tail, flow, road.n_nodes) - np.bincount(
            road.head, flow, road.n_nodes
        )
        supply = np.bincount(
            zones.centroid, carried.sum(axis=1) - carried.sum(axis=0), road.n_nodes
        )
        np.testing.assert_allclose(net, supply, atol=1e-7)
    bushes = solved.road.bushes
    assert bushes is not None
    cost = skim_used(bushes, road.length)
    assert cost.shape == (2, zones.n_zones, zones.n_zones)
    chosen = select_links(bushes, closed)
    assert chosen.trips[1].sum() == 0.0
    np.testing.assert_allclose(chosen.link_flow[0, closed], solved.link_flow[0, closed], atol=1e-9)


def test_alike_classes_are_one() -> None:
    road, zones, demand = example()
    one = assign_bushes(road, zones, demand, params=TIGHT, toll_factor=3.0)
    parts = [UserClass(str(k), demand / 3.0, toll_factor=3.0) for k in range(3)]
    three = assign_classes(road, zones, parts, params=TIGHT)
    assert three.road.objective == pytest.approx(one.objective, rel=1e-9)
    np.testing.assert_allclose(three.road.link_flow, one.link_flow, rtol=2e-3, atol=0.5)


def test_a_class_that_may_not_leave_home_is_reported() -> None:
    road, zones, demand = example()
    origin = int(np.flatnonzero(demand.sum(axis=1))[0])
    closed = np.flatnonzero(road.tail == zones.centroid[origin])
    solved = assign_classes(road, zones, [UserClass("truck", demand, pce=2.0, closed=closed)])
    assert solved.unreachable[0] == pytest.approx(demand[origin].sum())
    assert solved.road.unreachable_demand == pytest.approx(2.0 * demand[origin].sum())


def test_what_makes_no_sense_is_refused() -> None:
    road, zones, demand = example()
    with pytest.raises(AssignmentError, match="at least one user class"):
        assign_classes(road, zones, [])
    with pytest.raises(AssignmentError, match="pce"):
        assign_classes(road, zones, [UserClass("x", demand, pce=0.0)])


def test_a_start_whose_links_a_class_may_no_longer_use() -> None:
    road, zones, demand = example()
    trucks = 0.3 * demand.T

    def both(closed: Array) -> list[UserClass]:
        truck = UserClass("truck", trucks, pce=2.5, distance_factor=0.01, closed=closed)
        return [UserClass("car", demand, toll_factor=10.0), truck]

    before = assign_classes(
        road, zones, both(np.zeros(0, dtype=np.int64)), params=TIGHT, keep_bushes=True
    )
    assert before.road.bushes is not None
    # All ways out of zone 0 are closed as well: nothing is left of its trucks.
    closed = np.union1d(
        np.arange(0, road.n_links, 9), np.flatnonzero(road.tail == zones.centroid[0])
    )
    assert (before.link_flow[1, closed] > 0.0).any()
    cold = assign_classes(road, zones, both(closed), params=TIGHT)
    warm = assign_classes(road, zones, both(closed), params=TIGHT, start=before.road.bushes.start())
    assert warm.road.converged
    assert warm.unreachable[1] > 0.0
    np.testing.assert_allclose(warm.unreachable, cold.unreachable)
    assert (warm.link_flow[1, closed] == 0.0).all()
    np.testing.assert_allclose(warm.road.link_flow, cold.road.link_flow, rtol=1e-5, atol=1e-5)
