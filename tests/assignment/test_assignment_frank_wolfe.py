"""Road assignment: the slow twin, Braess, islands, conservation, and no bit moved by threads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cczsim.assignment.frank_wolfe import ALGORITHMS, FrankWolfeParams, assign
from cczsim.assignment.result import RoadAssignment, Status
from cczsim.assignment.shortest import all_or_nothing
from cczsim.assignment.threads import set_threads
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import naive_roads

SLOW = bool(numba.config.DISABLE_JIT)


def roads(n_nodes: int, links: list[tuple[float, ...]], blocked: int = 0) -> RoadNetwork:
    """Return roads from rows of tail, head, free-flow time, capacity and, if given, toll."""
    table = [np.array(column, dtype=float) for column in zip(*links, strict=True)]
    toll = table[4] if len(table) > 4 else np.zeros(len(links))
    return RoadNetwork(
        node_id=np.arange(n_nodes) + 1, node_lon=np.full(n_nodes, np.nan),
        node_lat=np.full(n_nodes, np.nan), node_through=np.arange(n_nodes) >= blocked,
        link_id=np.arange(len(links)) + 1, tail=table[0], head=table[1],
        road_class=np.zeros(len(links)), length=table[2] * 10.0, free_flow_time=table[2],
        capacity=table[3], toll=toll,
    )  # fmt: skip


def zones(n: int) -> ZoneSystem:
    return ZoneSystem(zone_id=np.arange(n) + 1, centroid=np.arange(n))


@st.composite
def cases(draw: st.DrawFn) -> tuple[RoadNetwork, ZoneSystem, Array]:
    """Random networks: parallel links, loops, islands, zones that may or may not be passed."""
    n_nodes = draw(st.integers(2, 9))
    n_zones = draw(st.integers(2, n_nodes))
    n_links = draw(st.integers(1, 30))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    ends = random.integers(0, n_nodes, (2, n_links))
    # Costs on a coarse grid would tie, and twins may break ties apart.
    links = [
        (float(a), float(b), float(t), float(c), float(toll))
        for a, b, t, c, toll in zip(
            *ends, random.uniform(1, 100, n_links), random.uniform(50, 500, n_links),
            random.uniform(0, 20, n_links), strict=True,
        )
    ]  # fmt: skip
    demand = random.uniform(0, 200, (n_zones, n_zones)) * (
        random.random((n_zones, n_zones)) < draw(st.sampled_from([0.2, 0.7, 1.0]))
    )
    blocked = n_zones if draw(st.booleans()) else 0
    return roads(n_nodes, links, blocked), zones(n_zones), demand


RANDOM = settings(
    max_examples=15 if SLOW else 60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


@RANDOM
@given(cases())
def test_all_or_nothing_equals_the_slow_twin(case: tuple[RoadNetwork, ZoneSystem, Array]) -> None:
    road, zone, demand = case
    cost = road.free_flow_time + road.toll
    flow, od_cost = all_or_nothing(road, cost, zone.centroid, demand)
    slow_flow, slow_cost = naive_roads.load(road, cost.tolist(), zone.centroid, demand)
    np.testing.assert_allclose(od_cost, slow_cost, rtol=1e-12)
    np.testing.assert_allclose(flow, slow_flow, rtol=1e-9, atol=1e-9)


@RANDOM
@given(cases())
def test_frank_wolfe_equals_the_slow_twin(case: tuple[RoadNetwork, ZoneSystem, Array]) -> None:
    road, zone, demand = case
    count = 4
    slow_flow, slow_gaps = naive_roads.frank_wolfe(
        road, zone.centroid, demand, (0.5 * road.toll).tolist(), count
    )
    fast = assign(road, zone, demand, params=FrankWolfeParams("fw", 0.0, count), toll_factor=0.5)
    # Where rounding alone makes a gap, a step may or may not be taken; it then moves nothing.
    np.testing.assert_allclose(fast.link_flow, slow_flow, rtol=1e-5, atol=1e-5 * demand.sum())
    both = min(len(slow_gaps), fast.iterations)
    np.testing.assert_allclose(
        [r.relative_gap for r in fast.history[:both]], slow_gaps[:both], rtol=1e-5, atol=1e-9
    )


def braess() -> tuple[RoadNetwork, ZoneSystem, Array]:
    """Return the network of D. Braess (1968), with the bridge, and its six trips."""
    road = RoadNetwork(
        node_id=np.arange(4), node_lon=np.zeros(4), node_lat=np.zeros(4), link_id=np.arange(5),
        tail=np.array([0, 0, 2, 2, 3]), head=np.array([2, 3, 1, 3, 1]), road_class=np.zeros(5),
        length=np.zeros(5), free_flow_time=np.array([1e-8, 50.0, 50.0, 10.0, 1e-8]),
        capacity=np.ones(5), alpha=np.array([1e9, 0.02, 0.02, 0.1, 1e9]), beta=np.ones(5),
    )  # fmt: skip
    demand = np.array([[0.0, 6.0], [0.0, 0.0]])
    return road, zones(2), demand


def produced(zone: ZoneSystem, between: Array, n_nodes: int) -> Array:
    """Return what zones send less what they draw, ``[node]``; centroids are the first nodes."""
    out = np.zeros(n_nodes)
    out[: zone.n_zones] = between.sum(axis=1) - between.sum(axis=0)
    return out


def carried(demand: Array, result: RoadAssignment) -> Array:
    """Return the demand between zones that has a path, ``[zone, zone]``."""
    lost = np.zeros_like(demand)
    lost[result.unreachable.origin, result.unreachable.destination] = result.unreachable.trips
    return np.asarray(demand - np.diag(np.diag(demand)) - lost)


def balance(road: RoadNetwork, flow: Array) -> Array:
    """Return what leaves each node less what enters it, ``[node]``."""
    return np.bincount(road.tail, flow, road.n_nodes) - np.bincount(road.head, flow, road.n_nodes)


@RANDOM
@given(cases(), st.sampled_from(ALGORITHMS))
def test_every_trip_is_accounted_for(
    case: tuple[RoadNetwork, ZoneSystem, Array], algorithm: str
) -> None:
    road, zone, demand = case
    result = assign(road, zone, demand, params=FrankWolfeParams(algorithm, 1e-6, 8))
    between = carried(demand, result)
    scale = max(float(demand.sum()), 1.0)
    np.testing.assert_allclose(
        balance(road, result.link_flow), produced(zone, between, road.n_nodes), atol=1e-9 * scale
    )
    assert result.total_demand == pytest.approx(demand.sum())
    assert result.intrazonal_demand == pytest.approx(np.trace(demand))
    lost = float(demand.sum() - np.trace(demand) - between.sum())
    assert result.unreachable_demand == pytest.approx(lost, abs=1e-9 * scale)
    assert result.tstt >= result.sptt * (1 - 1e-12)
    _, costs = naive_roads.load(road, result.link_cost.tolist(), zone.centroid, demand)
    reached = between > 0
    assert result.sptt == pytest.approx((between[reached] * np.array(costs)[reached]).sum())


def test_beckmann_never_rises_under_a_line_search() -> None:
    road, zone, demand = grid(4, 6)
    for algorithm in ("fw", "cfw", "bfw"):
        result = assign(road, zone, demand, params=FrankWolfeParams(algorithm, 0.0, 25))
        fall = np.diff([r.objective for r in result.history])
        assert (fall <= 1e-12 * result.objective).all(), algorithm


def grid(side: int, n_zones: int) -> tuple[RoadNetwork, ZoneSystem, Array]:
    """Return a two-way grid; the zones are its first nodes, with trips between all of them."""
    random = np.random.default_rng(side)
    links = []
    for row in range(side):
        for column in range(side):
            node = row * side + column
            for other in ([node + 1] if column < side - 1 else []) + (
                [node + side] if row < side - 1 else []
            ):
                for a, b in ((node, other), (other, node)):
                    links.append((a, b, random.uniform(30, 90), random.uniform(300, 900)))
    demand = random.uniform(0, 5000 / n_zones**1.5, (n_zones, n_zones))
    return roads(side * side, links), zones(n_zones), demand


def test_algorithms_agree() -> None:
    road, zone, demand = grid(4, 6)
    best = assign(road, zone, demand, params=FrankWolfeParams("bfw", 1e-10, 2000))
    assert best.converged
    for algorithm, gap in (("msa", 1e-3), ("fw", 1e-4), ("cfw", 1e-8)):
        other = assign(road, zone, demand, params=FrankWolfeParams(algorithm, gap, 5000))
        assert other.converged, algorithm
        # By convexity no objective lies further above the least one than TSTT - SPTT.
        above = other.objective - best.objective
        assert -1e-9 * best.objective <= above <= other.tstt - other.sptt, algorithm


@pytest.mark.parametrize("algorithm", ["fw", "cfw", "bfw"])
def test_braess_all_three_ways_cost_92(algorithm: str) -> None:
    """D. Braess (1968): with the bridge each of three ways costs 92, and six cars share them."""
    road, zone, demand = braess()
    result = assign(road, zone, demand, params=FrankWolfeParams(algorithm, 1e-8, 500))
    np.testing.assert_allclose(result.link_flow, [4, 2, 2, 2, 4], rtol=1e-3)
    assert result.tstt == pytest.approx(6 * 92, rel=1e-6)
    assert result.sptt == pytest.approx(6 * 92, rel=1e-6)


def test_an_island_is_counted_and_named() -> None:
    road = roads(4, [(0, 1, 10, 100), (1, 0, 10, 100), (2, 3, 10, 100)])
    demand = np.array([[5.0, 30, 2, 0], [20, 0, 0, 1], [0, 4, 0, 7], [0, 0, 3, 0]])
    result = assign(road, zones(4), demand)
    assert result.unreachable_demand == 2 + 1 + 4 + 3
    lost = list(zip(result.unreachable.origin.tolist(), result.unreachable.destination.tolist(),
                    result.unreachable.trips.tolist(), strict=True))  # fmt: skip
    assert lost == [(0, 2, 2.0), (1, 3, 1.0), (2, 1, 4.0), (3, 2, 3.0)]
    assert result.intrazonal_demand == 5.0
    np.testing.assert_array_equal(result.link_flow, [30, 20, 7])


def test_zones_may_be_forbidden_to_pass() -> None:
    links = [(0, 1, 1, 100), (1, 2, 1, 100), (0, 3, 9, 100), (3, 2, 9, 100)]
    demand = np.array([[0.0, 0, 10], [0, 0, 0], [0, 0, 0]])
    one = FrankWolfeParams("aon")
    np.testing.assert_array_equal(
        assign(roads(4, links), zones(3), demand, params=one).link_flow, [10, 10, 0, 0]
    )
    np.testing.assert_array_equal(
        assign(roads(4, links, blocked=3), zones(3), demand, params=one).link_flow, [0, 0, 10, 10]
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_threads_change_no_bit(algorithm: str) -> None:
    road, zone, demand = grid(9, 40)
    results: list[RoadAssignment] = []
    used = numba.get_num_threads()
    try:
        for count in (1, 2):
            set_threads(count)
            results.append(assign(road, zone, demand, params=FrankWolfeParams(algorithm, 0.0, 6)))
    finally:
        set_threads(used)
    one, two = results
    for name in ("link_flow", "link_cost", "link_time"):
        assert getattr(one, name).tobytes() == getattr(two, name).tobytes()
    assert [r.relative_gap for r in one.history] == [r.relative_gap for r in two.history]


def test_one_way_for_everybody_is_an_equilibrium() -> None:
    """Without a choice the gap is rounding alone, and no step leads down: that is converged."""
    road = roads(3, [(0, 1, 7.3, 90.1), (1, 2, 11.9, 80.7), (2, 0, 3.1, 70.3)])
    demand = np.array([[0, 71.7, 33.3], [51.1, 0, 21.9], [91.3, 17.7, 0]])
    for algorithm in ("fw", "cfw", "bfw"):
        result = assign(road, zones(3), demand, params=FrankWolfeParams(algorithm, 1e-6))
        assert result.status is Status.CONVERGED
        assert result.iterations == 1
        assert result.relative_gap == pytest.approx(0.0, abs=1e-14)


def test_no_trips_are_an_equilibrium() -> None:
    road, zone, _ = grid(3, 3)
    result = assign(road, zone, np.zeros((3, 3)))
    assert result.status is Status.CONVERGED
    assert result.relative_gap == 0.0
    assert not result.link_flow.any()


def test_beta_below_one_and_zero_are_solved() -> None:
    road, zone, demand = grid(4, 6)
    for beta in (0.0, 0.5, 1.0, 2.5):
        other = road.replace(beta=np.full(road.n_links, beta))
        result = assign(other, zone, demand, params=FrankWolfeParams("bfw", 1e-5, 2000))
        assert result.converged, beta
        assert np.isfinite(result.link_cost).all()


@pytest.mark.parametrize(
    "words",
    [("nonsense",), ("bfw", -1e-3), ("bfw", 1.0), ("bfw", float("nan")), ("bfw", 1e-4, 0)],
)
def test_parameters_out_of_range_are_refused(words: tuple[object, ...]) -> None:
    with pytest.raises(AssignmentError):
        FrankWolfeParams(*words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "said"),
    [(np.nan, "finite"), (-1.0, "at least 0"), (np.inf, "finite")],
)
def test_demand_that_is_none_is_refused(cell: float, said: str) -> None:
    road, zone, demand = grid(3, 3)
    demand[0, 1] = cell
    with pytest.raises(AssignmentError, match=said):
        assign(road, zone, demand)
    with pytest.raises(AssignmentError, match="as the zones"):
        assign(road, zone, demand[:2])


@pytest.mark.skipif(SLOW, reason="runs already without machine code")
def test_kernels_stay_in_bounds_when_python_checks_them() -> None:
    """Machine code reads past an array's end without a word; plain Python raises."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__,
         "-k", "twin or accounted or forbidden or island"],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    assert "skipped" not in done.stdout
