"""What bushes shift together: where ways part and meet, pairs of ways, and the plan for all."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.optimize
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_assignment_frank_wolfe import grid, roads, zones

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.bush_arrays import (
    label_work,
    merge_work,
    pair_work,
    star_vdf,
    with_members,
)
from cczsim.assignment.bushes import FEW, Bushes
from cczsim.assignment.convergence import least_spent
from cczsim.assignment.cost import LinkCost
from cczsim.assignment.road_run import RoadRun
from cczsim.kernels.bush import Rows
from cczsim.kernels.bush_label import Labels, find_cores, label_all
from cczsim.kernels.bush_pairs import lay_out, pair_up, sign_merges
from cczsim.kernels.bush_plan import plan
from cczsim.kernels.vdf import LinkState
from cczsim.network.forward_star import forward_star

SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Arcs = list[tuple[int, int]]


@st.composite
def dags(draw: st.DrawFn) -> Arcs:
    """Arcs by head, of positions of which each has a way from 0."""
    size = draw(st.integers(2, 14))
    arcs = []
    for head in range(1, size):
        tails = draw(st.sets(st.integers(0, head - 1), min_size=1, max_size=min(3, head)))
        arcs += [(tail, head) for tail in sorted(tails)]
    return arcs


def one_bush(arcs: Arcs, flow: list[float]) -> Rows:
    size = max(head for _, head in arcs) + 1
    counts = np.bincount([head for _, head in arcs], minlength=size)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return Rows(
        size=np.array([size], dtype=np.int32),
        first=first[None],
        arc=np.arange(len(arcs), dtype=np.int32)[None],
        tail=np.array([[tail for tail, _ in arcs]], dtype=np.int32),
        flow=np.array([flow]),
        at=np.zeros((1, 0), dtype=np.int32),
    )


def labelled(rows: Rows, cost: np.ndarray, everything: bool, least: float = 0.0) -> Labels:
    labels = with_members(label_work(1, len(rows.size), rows.first.shape[1], (0, 0)), rows)
    find_cores(rows, everything, 1, labels)
    label_all(rows, cost, least, False, 1, labels)
    return labels


@SOME
@given(dags(), st.integers(0, 2**32 - 1))
def test_merges_are_listed_where_flow_costs_too_much(arcs: Arcs, seed: int) -> None:
    rng = np.random.default_rng(seed)
    flow = rng.exponential(size=len(arcs)) * (rng.random(len(arcs)) < 0.8)
    cost = rng.integers(1, 5, len(arcs)).astype(float)
    rows = one_bush(arcs, flow.tolist())
    low = {0: 0.0}
    for head in range(1, int(rows.size[0])):
        low[head] = min(low[t] + cost[k] for k, (t, h) in enumerate(arcs) if h == head)
    over = [flow[k] * (low[t] + cost[k] - low[h]) for k, (t, h) in enumerate(arcs)]
    for least in (0.0, 1.0, 3.0):
        labels = labelled(rows, cost, True, least)
        listed = set(labels.dear[0, : labels.n_merges[0]].tolist())
        assert {k for k, excess in enumerate(over) if excess >= max(least, 1e-9)} <= listed
        assert all(over[k] >= least - 1e-9 and flow[k] > 0.0 for k in listed)
        assert labels.excess[0] == pytest.approx(sum(over), abs=1e-9)


def test_origins_that_hold_little_of_the_excess_do_not_grow() -> None:
    road, zone_system, demand = grid(9, 70)
    run = RoadRun(road, zone_system, 0.0, 0.0, everywhere=True)
    bushes = Bushes(run.graph, zone_system, [run.model], demand, run.loader)
    for _ in range(3):
        run.price(bushes.link_flow())
        gap = run.record(demand).relative_gap
        rows, cost = bushes.state.rows, run.model.cost(run.flow)[forward_star(road).link]
        spent = np.array([
            (rows.flow[b, :n] * cost[rows.arc[b, :n]]).sum()
            for b, n in enumerate(rows.first[np.arange(len(rows.size)), rows.size])
        ])  # fmt: skip
        least = least_spent(demand, run.trees.od_cost)
        assert (spent - least).sum() == pytest.approx(gap * spent.sum(), rel=1e-6)
        needy = bushes._needy(least)
        assert needy.any()
        assert (spent - least)[~needy].sum() <= FEW * (spent - least).sum() * (1.0 + 1e-6)
        assert (spent - least)[~needy].max(initial=0.0) <= (spent - least)[needy].min() + 1e-6
        bushes.improve(run.trees.od_cost, gap, 1e-12)


@SOME
@given(dags())
def test_the_core_is_what_lies_between_merges_and_their_dominators(arcs: Arcs) -> None:
    graph = nx.DiGraph(arcs)
    above = nx.immediate_dominators(graph, 0)
    inside = set()
    for merge in graph:
        if graph.in_degree(merge) > 1:
            reaches = nx.ancestors(graph, merge) | {merge}
            beyond = nx.descendants(graph, above[merge])
            inside |= reaches & beyond
    begins = {tail for tail, head in arcs if head in inside} - inside
    labels = labelled(one_bush(arcs, [1.0] * len(arcs)), np.ones(len(arcs)), False)
    found = labels.core[0, : labels.n_core[0]].tolist()
    assert [p for p in found if p >= 0] == sorted(inside)
    assert [~p for p in found if p < 0] == sorted(begins)
    order = [p if p >= 0 else ~p for p in found]
    assert order == sorted(order)


@SOME
@given(dags(), st.integers(0, 2**32 - 1))
def test_labels_of_the_core_tell_what_labels_of_all_tell(arcs: Arcs, seed: int) -> None:
    rng = np.random.default_rng(seed)
    flow = np.where(rng.random(len(arcs)) < 0.3, 0.0, rng.random(len(arcs)))
    cost = rng.random(len(arcs))
    rows = one_bush(arcs, flow.tolist())
    core, whole = labelled(rows, cost, False), labelled(rows, cost, True)
    assert core.excess[0] == pytest.approx(whole.excess[0], rel=1e-9, abs=1e-12)
    n = core.n_merges[0]
    assert n == whole.n_merges[0]
    np.testing.assert_array_equal(core.merge[0, :n], whole.merge[0, :n])
    np.testing.assert_array_equal(core.dear[0, :n], whole.dear[0, :n])
    # Excess is what flow into each position costs beyond the least; a slow sweep tells it.
    least, excess = {0: 0.0}, 0.0
    for head in range(1, int(rows.size[0])):
        into = [(least[tail] + cost[k], flow[k]) for k, (tail, to) in enumerate(arcs) if to == head]
        least[head] = min(here for here, _ in into)
        excess += sum(amount * (here - least[head]) for here, amount in into)
    assert core.excess[0] == pytest.approx(excess, rel=1e-9, abs=1e-12)


@SOME
@given(dags(), st.integers(0, 2**32 - 1))
def test_a_plan_is_the_solution_of_its_quadratic_programme(arcs: Arcs, seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = max(head for _, head in arcs) + 1
    links: list[tuple[float, ...]] = [(t, h, 1.0 + rng.random(), 1.0) for t, h in arcs]
    road = roads(size, links)
    star = forward_star(road)
    model = LinkCost(road)
    flow = 0.5 + rng.random(len(arcs))
    flow *= rng.random(len(arcs)) < 0.8
    rows = one_bush(arcs, flow.tolist())
    place = np.empty(len(arcs), dtype=np.int32)
    place[star.link] = np.arange(len(arcs), dtype=np.int32)
    rows = rows._replace(arc=place[None])
    state = LinkState(
        flow[star.link].copy(), model.cost(flow)[star.link], model.derivative(flow)[star.link]
    )
    labels = labelled(rows, state.cost, False)
    n = int(labels.n_merges.sum())
    if n == 0:
        return
    merges = merge_work(1, n)
    np.cumsum(labels.n_merges, out=merges.first[1:])
    sign_merges(rows, 1, labels, merges)
    pairs = pair_work(n, int(merges.n_cheap.sum() + merges.n_dear.sum()))
    n_pairs = pair_up(merges, pairs)
    vdf = star_vdf(star, [model])
    lay_out(rows, 1, labels, merges, pairs, n_pairs, vdf.physical, state)
    change = np.empty(len(arcs))
    gained = plan(pairs, n_pairs, change)
    takes = np.zeros((n_pairs, len(arcs)))
    for q in range(n_pairs):
        takes[q, pairs.link[pairs.first_arc[q] : pairs.split[q]]] += 1.0
        takes[q, pairs.link[pairs.split[q] : pairs.first_arc[q + 1]]] -= 1.0
    shift = pairs.shift[:n_pairs]
    np.testing.assert_allclose(change, shift @ takes, atol=1e-12)
    assert gained == pytest.approx(-float(shift @ takes @ state.cost), rel=1e-9, abs=1e-12)
    assert (shift <= pairs.on_dear[:n_pairs]).all()
    assert (shift >= -pairs.on_cheap[:n_pairs]).all()

    def value(y: np.ndarray) -> float:
        moved = y @ takes
        return float(moved @ state.cost + 0.5 * (state.slope * moved) @ moved)

    bounds = list(zip(-pairs.on_cheap[:n_pairs], pairs.on_dear[:n_pairs], strict=True))
    best = scipy.optimize.minimize(value, np.zeros(n_pairs), bounds=bounds, tol=1e-12)
    assert value(shift) <= best.fun + 0.05 * abs(best.fun) + 1e-9


@pytest.mark.parametrize("bound", [1e9, 20.0])
def test_a_plan_reaches_far_where_pairs_hang_together(bound: float) -> None:
    """A chain of pairs, each from one link to the next: sweeps alone carry news pair by pair."""
    n = 200
    pairs = pair_work(n, 2 * n)
    pairs.first_arc[:] = 2 * np.arange(n + 1)
    pairs.split[:] = pairs.first_arc[:-1] + 1
    pairs.link[:] = np.stack([np.arange(n) + 1, np.arange(n)], axis=1).ravel()
    pairs.slope[:], pairs.stiff[:], pairs.gain[:] = 1.0, 2.0, 0.01
    pairs.on_cheap[:], pairs.on_dear[:] = bound, bound
    change = np.empty(n + 1)
    plan(pairs, n, change)
    takes = np.zeros((n, n + 1))
    takes[np.arange(n), np.arange(n) + 1], takes[np.arange(n), np.arange(n)] = 1.0, -1.0
    np.testing.assert_allclose(change, pairs.shift @ takes, atol=1e-9)
    bent = takes @ takes.T

    def value(shift: np.ndarray) -> float:
        return float(pairs.gain @ shift - 0.5 * shift @ bent @ shift)

    best = scipy.optimize.lsq_linear(takes.T, np.linalg.lstsq(takes, pairs.gain)[0],
                                     (-bound, bound), tol=1e-12).x  # fmt: skip
    assert (np.abs(pairs.shift) <= bound).all()
    assert value(pairs.shift) > 0.95 * value(best)


def test_what_origins_share_they_use_in_the_same_proportion() -> None:
    """Both come to node 2, go on by either of two ways, and part at node 3 (Bar-Gera 2010)."""
    ways: list[tuple[float, ...]] = [
        (0, 2, 1.0, 1e6), (1, 2, 1.0, 1e6), (2, 4, 5.0, 10.0), (4, 3, 5.0, 10.0),
        (2, 5, 6.0, 20.0), (5, 3, 6.0, 20.0), (3, 6, 1.0, 1e6), (3, 7, 1.0, 1e6),
    ]  # fmt: skip
    road = roads(8, ways)
    demand = np.zeros((8, 8))
    demand[0, 6], demand[0, 7], demand[1, 6], demand[1, 7] = 10.0, 5.0, 20.0, 7.0
    result = assign_bushes(road, zones(8), demand, params=BushParams(1e-13), keep_bushes=True)
    assert result.converged
    assert result.bushes is not None
    rows = result.bushes.rows
    shares = []
    for origin in (0, 1):
        used = slice(0, rows.first[origin, rows.size[origin]])
        on = dict(zip(rows.arc[origin, used].tolist(), rows.flow[origin, used], strict=True))
        shares.append(on[2] / (on[2] + on[4]))
    assert 0.0 < shares[0] < 1.0
    assert shares[0] == pytest.approx(shares[1], rel=1e-9)
