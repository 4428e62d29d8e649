"""Stochastic user equilibrium: drivers choose ways by logit at the costs that they make.

Sources: C. Fisk (1980), Some developments in equilibrium traffic assignment, *Transportation
Research B* 14(3), for the equilibrium; R. B. Dial (1971) for loading, see
:mod:`cczsim.kernels.stochastic`; H. Liu, X. He and B. He (2009), Method of successive weighted
averages and self-regulated averaging schemes for solving stochastic user equilibrium problem,
*Networks and Spatial Economics* 9(4), section 3.3, for steps. The ways in question are efficient at
free flow and stay so: the fixed point is one of a fixed set of ways.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from cczsim.assignment.bush_arrays import approach
from cczsim.assignment.convergence import stop_faults
from cczsim.assignment.hierarchy import build_hierarchy
from cczsim.assignment.result import IterationRecord, RoadAssignment, Status
from cczsim.assignment.road_demand import check_demand, split_demand
from cczsim.assignment.road_run import RoadRun
from cczsim.columns import Array
from cczsim.kernels.shortest_path import grow_tree
from cczsim.kernels.stochastic import load_logit
from cczsim.kernels.types import N_BLOCKS
from cczsim.network.forward_star import forward_star
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem

_WIDEN, _NARROW = 1.9, 0.01
"""What the step's denominator grows by where the residual grew, and where it fell (Liu et al.)."""


@dataclass(frozen=True)
class StochasticParams:
    """How drivers choose, and when to stop.

    Parameters
    ----------
    theta : float, 1/s
        Dispersion: the odds of two ways move by e where their costs differ by 1 / theta.
    residual : float
        Share of all flow that loading at the present costs would still move.
    max_iterations : int

    Raises
    ------
    AssignmentError
        A number out of range.
    """

    theta: float
    residual: float = 1e-6
    max_iterations: int = 1000

    def __post_init__(self) -> None:
        faults = stop_faults(self.residual, self.max_iterations)
        if not (np.isfinite(self.theta) and self.theta > 0.0):
            faults.add("theta", f"{self.theta:g}", "above 0")
        faults.raise_if_any()


class _Loader:
    """Logit loading on the ways that are efficient at the costs of free flow."""

    def __init__(self, run: RoadRun, zones: ZoneSystem, demand: Array, theta: float) -> None:
        self._star = star = forward_star(run.road)
        net = build_hierarchy(run.road, zones.centroid, everywhere=True)
        self._into = approach(run.road, star, net, zones)
        self._theta, self._demand = theta, demand
        n_nodes = run.road.n_nodes
        self._orders = np.zeros((len(demand), n_nodes), dtype=np.int32)
        self._reached = np.zeros(len(demand), dtype=np.int32)
        self._block_flow = np.empty((N_BLOCKS, run.road.n_links))
        pred, low = np.empty(n_nodes, np.int32), np.empty(n_nodes)
        heap, keys = np.empty((2, n_nodes), np.int32), np.empty(n_nodes)
        cost = run.cost[star.link]
        for zone in np.flatnonzero(demand.any(axis=1)):
            origin = self._into.zone_node[zone]
            self._reached[zone] = grow_tree(
                star, cost, origin, pred, self._orders[zone], low, heap, keys
            )

    def load(self, cost: Array) -> Array:
        """Return the flow ``[row], pce/h`` at costs ``[row], s``."""
        load_logit(
            self._star, self._into, cost[self._star.link], self._theta, self._orders,
            self._reached, self._demand, self._block_flow,
        )  # fmt: skip
        flow = np.empty(len(cost))
        flow[self._star.link] = self._block_flow.sum(axis=0)
        return flow


def compile_stochastic() -> None:
    """Compile the kernels of logit loading, or take them from the cache, on two nodes."""
    two = np.arange(2)
    road = RoadNetwork(
        node_id=two, node_lon=np.zeros(2), node_lat=np.zeros(2), link_id=two, tail=two,
        head=two[::-1], road_class=np.zeros(2), length=np.ones(2), free_flow_time=np.ones(2),
        capacity=np.ones(2),
    )  # fmt: skip
    demand = np.array([[0.0, 1.0], [1.0, 0.0]])
    assign_stochastic(
        road, ZoneSystem(zone_id=two, centroid=two), demand, StochasticParams(1.0, 0.0, 1)
    )


def assign_stochastic(
    road: RoadNetwork,
    zones: ZoneSystem,
    demand: Array,
    params: StochasticParams,
    *,
    toll_factor: float = 0.0,
    distance_factor: float = 0.0,
    turns: Turns | None = None,
    on_iteration: Callable[[IterationRecord], None] | None = None,
) -> RoadAssignment:
    """Find the flow that logit loading at its own costs gives back.

    Arguments are those of :func:`~cczsim.assignment.algorithms.solve`.

    Returns
    -------
    RoadAssignment
        Its status is of the residual, which stands in the history as ``demand_residual``;
        ``relative_gap`` is that of the deterministic equilibrium and does not vanish.

    Raises
    ------
    AssignmentError
        The demand does not fit the zones, or holds negative or non-finite cells.
    """
    matrix = check_demand(demand, zones.n_zones)
    run = RoadRun(road, zones, toll_factor, distance_factor, turns=turns)
    began = time.perf_counter()
    parts = split_demand(matrix, run.trees.od_cost)
    loader = _Loader(run, zones, parts.assigned, params.theta)
    flow = loader.load(run.cost)
    status = Status.ITERATION_LIMIT
    slowness, before = 1.0, np.inf
    while True:
        run.price(flow)
        loaded = loader.load(run.cost)
        off = float(np.abs(loaded - flow).sum())
        residual = off / max(float(flow.sum()), 1e-300)
        record = replace(run.record(parts.assigned, residual), seconds=time.perf_counter() - began)
        if on_iteration is not None:
            on_iteration(record)
        if residual <= params.residual:
            status = Status.CONVERGED
            break
        if record.iteration >= params.max_iterations:
            break
        slowness += _WIDEN if residual >= before else _NARROW
        before = residual
        flow = flow + (loaded - flow) / slowness
    return run.result("sue", status, parts)
