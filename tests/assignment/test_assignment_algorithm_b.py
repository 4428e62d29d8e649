"""Algorithm B: the equilibrium that Frank-Wolfe finds, to gaps that it does not reach."""

from __future__ import annotations

import sys
from pathlib import Path

import numba
import numpy as np
import pytest
import test_assignment_frank_wolfe as case
from hypothesis import given
from test_assignment_frank_wolfe import (
    RANDOM,
    balance,
    braess,
    carried,
    grid,
    produced,
    roads,
    zones,
)

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.algorithms import ALGORITHMS, params_of, solve
from cczsim.assignment.cost import LinkCost
from cczsim.assignment.frank_wolfe import FrankWolfeParams, assign
from cczsim.assignment.threads import set_threads
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.io import matrices, tntp
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import naive_roads

Case = tuple[RoadNetwork, ZoneSystem, Array]


@RANDOM
@given(case.cases())
def test_bushes_reach_equilibrium_on_any_network(drawn: Case) -> None:
    road, zone, demand = drawn
    result = assign_bushes(road, zone, demand, params=BushParams(1e-9, 200))
    between = carried(demand, result)
    scale = max(float(demand.sum()), 1.0)
    np.testing.assert_allclose(
        balance(road, result.link_flow), produced(zone, between, road.n_nodes), atol=1e-9 * scale
    )
    assert (result.link_flow >= 0.0).all()
    np.testing.assert_array_equal(result.link_cost, LinkCost(road).cost(result.link_flow))
    _, costs = naive_roads.load(road, result.link_cost.tolist(), zone.centroid, demand)
    reached = between > 0
    least = float((between[reached] * np.array(costs)[reached]).sum())
    total = float((result.link_flow * result.link_cost).sum())
    assert total - least <= 1e-7 * max(total, 1e-9)
    twin = assign(road, zone, demand, params=FrankWolfeParams("bfw", 1e-6, 300))
    # By convexity neither objective lies further above the least one than TSTT - SPTT.
    slack = max(twin.tstt - twin.sptt, total - least) + 1e-9 * abs(twin.objective)
    assert abs(result.objective - twin.objective) <= slack


def test_a_grid_to_1e_12() -> None:
    road, zone, demand = grid(6, 12)
    result = assign_bushes(road, zone, demand, params=BushParams(1e-12, 500))
    assert result.converged
    best = assign(road, zone, demand, params=FrankWolfeParams("bfw", 1e-8, 3000))
    assert result.objective <= best.objective * (1 + 1e-13)
    np.testing.assert_allclose(result.link_flow, best.link_flow, rtol=0.02, atol=1.0)


@pytest.mark.parametrize(("power", "times"), [(15.0, 1.0), (4.0, 10.0), (15.0, 3.0), (0.5, 1.0)])
def test_hard_networks(power: float, times: float) -> None:
    """Steep costs ask for shifts that do not go too far, and for trickles to be cleared away."""
    road, zone, demand = grid(6, 12)
    road = road.replace(beta=np.full(road.n_links, power))
    result = assign_bushes(road, zone, times * demand, params=BushParams(1e-9, 300))
    assert result.converged


@pytest.mark.parametrize(("n", "seed"), [(4, 92), (5, 0), (6, 203)])
def test_a_dear_way_that_hardly_anybody_uses_keeps_no_other_out(n: int, seed: int) -> None:
    """Its excess was below what rounds heed, and Dial's rule let nothing enter behind it."""
    draw = np.random.default_rng(seed)
    links = [(i, j, 60, 100) for i in range(n) for j in range(n) if i != j]
    road = roads(n, links).replace(
        alpha=np.full(len(links), 1e3), beta=draw.uniform(0.0, 8.0, len(links)),
        capacity=draw.uniform(10.0, 1000.0, len(links)),
    )  # fmt: skip
    result = assign_bushes(
        road, zones(n), draw.uniform(0.0, 300.0, (n, n)), params=BushParams(1e-9, 30)
    )
    assert result.converged


def test_a_link_that_nobody_can_afford_hides_no_other() -> None:
    """Costs are raised so that no circle is free: by what trips cost, not by the dearest link."""
    road, zone, demand = grid(6, 12)
    time = road.free_flow_time.copy()
    time[10] = 1e20
    result = assign_bushes(
        road.replace(free_flow_time=time), zone, demand, params=BushParams(1e-9, 30)
    )
    assert result.converged


def test_braess() -> None:
    """D. Braess (1968): with the bridge each of three ways costs 92."""
    road, zone, demand = braess()
    result = assign_bushes(road, zone, demand, params=BushParams(1e-13))
    np.testing.assert_allclose(result.link_flow, [4, 2, 2, 2, 4], rtol=1e-9)


def test_zones_that_may_not_be_passed_are_not() -> None:
    links = [(0, 1, 1, 100), (1, 2, 1, 100), (0, 3, 9, 100), (3, 2, 9, 100)]
    demand = np.array([[0.0, 0, 10], [0, 0, 0], [0, 0, 0]])
    result = assign_bushes(roads(4, links, blocked=3), zones(3), demand)
    np.testing.assert_array_equal(result.link_flow, [0, 0, 10, 10])


def test_a_free_link_from_a_node_to_itself_is_not_taken() -> None:
    """The way back over it would never end; see ``approach``."""
    links = [(0, 1, 0, 100), (1, 1, 0, 100), (1, 2, 1, 100)]
    result = assign_bushes(roads(3, links), zones(3), np.diag([10.0, 10.0], 1))
    np.testing.assert_array_equal(result.link_flow, [10, 0, 10])


def test_threads_change_no_bit() -> None:
    road, zone, demand = grid(9, 40)
    used = numba.get_num_threads()
    try:
        flows = []
        for count in (1, 2):
            set_threads(count)
            result = assign_bushes(road, zone, demand, params=BushParams(0.0, 6))
            flows.append(result.link_flow.tobytes())
    finally:
        set_threads(used)
    assert flows[0] == flows[1]


def test_algorithms_by_name() -> None:
    road, zone, demand = grid(3, 4)
    for name in ALGORITHMS:
        params = params_of(name, 1e-2, 50, theta=0.01 if name == "sue" else None)
        assert solve(road, zone, demand, params).algorithm == name
    with pytest.raises(AssignmentError) as error:
        params_of("dial", 2.0, 0)
    assert [fault.where for fault in error.value.faults] == [
        "algorithm", "relative_gap", "max_iterations",
    ]  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "file", "toll", "distance", "gap"),
    [("SiouxFalls", "SiouxFalls", 0.0, 0.0, 1e-6), ("Anaheim", "Anaheim", 0.0, 0.0, 1e-10),
     ("Chicago-Sketch", "ChicagoSketch", 0.02, 0.04, 1e-8)],
)  # fmt: skip
def test_best_known_flows(
    data_dir: Path, name: str, file: str, toll: float, distance: float, gap: float
) -> None:
    folder = data_dir / "tntp" / name
    net = tntp.read_network(folder / f"{file}_net.tntp")
    assert net.zones is not None
    demand = matrices.read_matrix(folder / f"{file}_trips.tntp", net.zones.zone_id)
    unit = float(net.info.build["time_unit_s"])
    metres = float(net.info.build["length_unit_m"])
    result = assign_bushes(
        net.road, net.zones, demand, params=BushParams(gap), toll_factor=toll * unit,
        distance_factor=distance * unit / metres,
    )  # fmt: skip
    assert result.converged
    rows = np.genfromtxt(folder / f"{file}_flow.tntp", skip_header=1)
    best = {(int(r[0]), int(r[1])): r[2] for r in rows}
    known = np.array(
        [best[int(net.road.node_id[t]), int(net.road.node_id[h])]
         for t, h in zip(net.road.tail, net.road.head, strict=True)]
    )  # fmt: skip
    assert np.abs(result.link_flow - known).sum() / known.sum() < 1e-3
