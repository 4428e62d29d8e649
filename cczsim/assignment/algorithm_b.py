"""User equilibrium by bushes: Algorithm B.

Source: R. B. Dial (2006), *Transportation Research B* 40(10), and Y. Nie (2010), *Transportation
Research B* 44(1); see :mod:`cczsim.kernels.bush`. The gap is measured on the whole network by
exact least costs, never on the bushes alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from cczsim.assignment.bush_solution import BushStart
from cczsim.assignment.bushes import Bushes
from cczsim.assignment.convergence import stop_faults
from cczsim.assignment.result import IterationRecord, RoadAssignment, Status
from cczsim.assignment.road_demand import check_demand, split_demand
from cczsim.assignment.road_run import RoadRun
from cczsim.columns import Array
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem


@dataclass(frozen=True)
class BushParams:
    """When to stop.

    Parameters
    ----------
    relative_gap : float
    max_iterations : int

    Raises
    ------
    AssignmentError
        A number out of range.
    """

    relative_gap: float = 1e-6
    max_iterations: int = 1000

    def __post_init__(self) -> None:
        stop_faults(self.relative_gap, self.max_iterations).raise_if_any()


def assign_bushes(
    road: RoadNetwork,
    zones: ZoneSystem,
    demand: Array,
    *,
    params: BushParams | None = None,
    toll_factor: float = 0.0,
    distance_factor: float = 0.0,
    turns: Turns | None = None,
    start: BushStart | None = None,
    keep_bushes: bool = False,
    on_iteration: Callable[[IterationRecord], None] | None = None,
) -> RoadAssignment:
    """Assign a demand to the roads by Algorithm B.

    Parameters
    ----------
    road : RoadNetwork
    zones : ZoneSystem
    demand : array [zone, zone], pce/h
    params : BushParams, optional
    toll_factor : float
        Seconds for a unit of toll.
    distance_factor : float
        Seconds for a metre.
    turns : Turns, optional
        Rules that paths keep.
    start : BushStart, optional
        Bushes to start from: those of another demand, or of a network that was changed.
    keep_bushes : bool
        Whether the result is to hold its bushes; they take much memory.
    on_iteration : callable, optional
        Called with each record.

    Returns
    -------
    RoadAssignment
        Its gap is measured at the flow and the costs that it holds.

    Raises
    ------
    AssignmentError
        The demand does not fit the zones, or holds negative or non-finite cells.
    """
    params = params or BushParams()
    matrix = check_demand(demand, zones.n_zones)
    run = RoadRun(road, zones, toll_factor, distance_factor, on_iteration, turns, True)
    parts = split_demand(matrix, run.trees.od_cost)
    bushes = Bushes(run.graph, zones, [run.model], parts.assigned, run.loader, start=start)
    status = Status.ITERATION_LIMIT
    while True:
        run.price(bushes.link_flow())
        record = run.record(parts.assigned)
        if record.relative_gap <= params.relative_gap:
            status = Status.CONVERGED
            break
        if record.iteration >= params.max_iterations:
            break
        bushes.improve(run.trees.od_cost, record.relative_gap, params.relative_gap)
    solution = bushes.solution() if keep_bushes else None
    return replace(run.result("b", status, parts), bushes=solution)


def compile_bushes() -> None:
    """Compile the bush kernels, or take them from the cache, on two ways between two nodes."""
    ends, ways = np.arange(2), np.arange(3)
    road = RoadNetwork(
        node_id=ends, node_lon=np.zeros(2), node_lat=np.zeros(2), link_id=ways, tail=ways // 2,
        head=1 - ways // 2, road_class=np.zeros(3), length=np.ones(3), free_flow_time=np.ones(3),
        capacity=np.ones(3),
    )  # fmt: skip
    demand = np.array([[0.0, 1.0], [1.0, 0.0]])
    # All on one of two like ways is no equilibrium: so flow is shifted too.
    assign_bushes(road, ZoneSystem(zone_id=ends, centroid=ends), demand, params=BushParams(0.0, 2))
