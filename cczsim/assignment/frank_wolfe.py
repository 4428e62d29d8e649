"""User equilibrium by all-or-nothing, successive averages, and Frank-Wolfe in three forms.

Sources: M. Frank and P. Wolfe (1956), *Naval Research Logistics Quarterly* 3; L. LeBlanc, E.
Morlok and W. Pierskalla (1975), *Transportation Research* 9; for conjugate and biconjugate
directions see :mod:`cczsim.assignment.direction`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from cczsim.assignment.convergence import stop_faults
from cczsim.assignment.direction import Targets, step_length
from cczsim.assignment.result import IterationRecord, RoadAssignment, Status
from cczsim.assignment.road_demand import check_demand, split_demand
from cczsim.assignment.road_run import RoadRun
from cczsim.columns import Array
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem

Algorithm = Literal["aon", "msa", "fw", "cfw", "bfw"]
ALGORITHMS: tuple[str, ...] = get_args(Algorithm)
_STEPS = 5


@dataclass(frozen=True)
class FrankWolfeParams:
    """How to look for an equilibrium, and when to stop.

    Parameters
    ----------
    algorithm : str
        One of :data:`ALGORITHMS`. ``aon`` loads once at free-flow cost.
    relative_gap : float
        Stop when the relative gap is no larger …
    max_iterations : int
        Stop after so many iterations all the same.
    flow_change : float
        … and the last five steps together moved no larger share of all link flow. The gap alone
        says little about link flows where congestion is mild: on Anaheim, biconjugate
        Frank-Wolfe first falls below 1e-4 with flows that are 0.7 % off and still move by 4 %
        in five steps. A single step may be short by chance, so one is not enough.

    Raises
    ------
    AssignmentError
        An unknown algorithm, or a number out of range.
    """

    algorithm: str = "bfw"
    relative_gap: float = 1e-4
    max_iterations: int = 1000
    flow_change: float = 4e-3

    def __post_init__(self) -> None:
        faults = stop_faults(self.relative_gap, self.max_iterations)
        if self.algorithm not in ALGORITHMS:
            faults.add("algorithm", repr(self.algorithm), "one of " + ", ".join(ALGORITHMS))
        faults.raise_if_any()


def assign(
    road: RoadNetwork,
    zones: ZoneSystem,
    demand: Array,
    *,
    params: FrankWolfeParams | None = None,
    toll_factor: float = 0.0,
    distance_factor: float = 0.0,
    turns: Turns | None = None,
    on_iteration: Callable[[IterationRecord], None] | None = None,
) -> RoadAssignment:
    """Assign a demand to the roads.

    Parameters
    ----------
    road : RoadNetwork
    zones : ZoneSystem
    demand : array [zone, zone], pce/h
    params : FrankWolfeParams, optional
    toll_factor : float
        Seconds for a unit of toll.
    distance_factor : float
        Seconds for a metre.
    turns : Turns, optional
        Rules that paths keep.
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
    params = params or FrankWolfeParams()
    matrix = check_demand(demand, zones.n_zones)
    run = RoadRun(road, zones, toll_factor, distance_factor, on_iteration, turns)
    model, loader = run.model, run.loader
    parts = split_demand(matrix, run.trees.od_cost)
    flow = loader.load(run.trees, parts.assigned)
    targets = Targets(params.algorithm)
    status = Status.ITERATION_LIMIT
    changes = deque([np.inf], maxlen=_STEPS)
    while True:
        trees = run.price(flow)
        record = run.record(parts.assigned)
        gap = run.gap
        settled = sum(changes) <= params.flow_change * float(flow.sum())
        if gap.relative_gap <= params.relative_gap and (settled or gap.tstt == gap.sptt):
            status = Status.CONVERGED
            break
        if record.iteration >= params.max_iterations or params.algorithm == "aon":
            break
        aon = loader.load(trees, parts.assigned)
        point = flow
        if params.algorithm == "msa":
            flow = point + (aon - point) / (record.iteration + 1.0)
            changes.append(float(np.abs(flow - point).sum()))
            continue
        target = targets.next(point, aon, run.cost, lambda point=point: model.derivative(point))  # type: ignore[misc]
        direction = target - point
        step = step_length(
            lambda share, p=point, d=direction: float((model.cost(p + share * d) * d).sum())  # type: ignore[misc]
        )
        if step <= 0.0:
            # Where no step leads down, the flow is settled, and what gap is left is rounding.
            reached = gap.relative_gap <= params.relative_gap
            status = Status.CONVERGED if reached else Status.STALLED
            break
        targets.taken(target, step)
        flow = np.maximum(point + step * direction, 0.0)
        changes.append(float(np.abs(flow - point).sum()))
    return run.result(params.algorithm, status, parts)
