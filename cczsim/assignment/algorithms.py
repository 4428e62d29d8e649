"""Road assignment by the name of an algorithm, as users write it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from cczsim.assignment import algorithm_b, frank_wolfe
from cczsim.assignment.algorithm_b import BushParams
from cczsim.assignment.convergence import stop_faults
from cczsim.assignment.frank_wolfe import FrankWolfeParams
from cczsim.assignment.result import IterationRecord, RoadAssignment
from cczsim.assignment.stochastic import StochasticParams, assign_stochastic
from cczsim.columns import Array
from cczsim.errors import AssignmentError, FaultCollector
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem

ALGORITHMS: Final = ("b", *reversed(frank_wolfe.ALGORITHMS), "sue")
Params = BushParams | FrankWolfeParams | StochasticParams


def params_of(
    algorithm: str, relative_gap: float, max_iterations: int, theta: float | None = None
) -> Params:
    """Return the params of an algorithm; ``sue`` alone takes a dispersion, ``theta`` (1/s).

    Raises
    ------
    AssignmentError
        With every fault: an unknown algorithm, a number out of range.
    """
    faults = FaultCollector(AssignmentError)
    if algorithm not in ALGORITHMS:
        faults.add("algorithm", repr(algorithm), "one of " + ", ".join(ALGORITHMS))
    faults.extend(stop_faults(relative_gap, max_iterations).faults)
    if (theta is None) == (algorithm == "sue"):
        found = "nothing" if theta is None else f"{theta:g}"
        faults.add("theta", found, "a dispersion for sue, and for sue only")
    elif theta is not None and not (math.isfinite(theta) and theta > 0.0):
        faults.add("theta", f"{theta:g}", "above 0")
    faults.raise_if_any()
    if theta is not None:
        return StochasticParams(theta, relative_gap, max_iterations)
    if algorithm == "b":
        return BushParams(relative_gap, max_iterations)
    return FrankWolfeParams(algorithm, relative_gap, max_iterations)


def solve(
    road: RoadNetwork,
    zones: ZoneSystem,
    demand: Array,
    params: Params,
    *,
    toll_factor: float = 0.0,
    distance_factor: float = 0.0,
    turns: Turns | None = None,
    on_iteration: Callable[[IterationRecord], None] | None = None,
) -> RoadAssignment:
    """Assign a demand by the algorithm that the params belong to.

    See :func:`~cczsim.assignment.algorithm_b.assign_bushes` and
    :func:`~cczsim.assignment.frank_wolfe.assign`, which take the same arguments.
    """
    if isinstance(params, BushParams):
        return algorithm_b.assign_bushes(
            road, zones, demand, params=params, toll_factor=toll_factor,
            distance_factor=distance_factor, turns=turns, on_iteration=on_iteration,
        )  # fmt: skip
    if isinstance(params, StochasticParams):
        return assign_stochastic(
            road, zones, demand, params, toll_factor=toll_factor,
            distance_factor=distance_factor, turns=turns, on_iteration=on_iteration,
        )  # fmt: skip
    return frank_wolfe.assign(
        road, zones, demand, params=params, toll_factor=toll_factor,
        distance_factor=distance_factor, turns=turns, on_iteration=on_iteration,
    )  # fmt: skip
