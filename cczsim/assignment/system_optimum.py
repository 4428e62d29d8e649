"""System optimum: the flows of least total cost, and the tolls that make people choose them.

Source: A. C. Pigou (1920), *The Economics of Welfare*; M. Beckmann, C. McGuire and C. Winsten
(1956), *Studies in the Economics of Transportation*, ch. 4; Y. Sheffi (1985), *Urban Transportation
Networks*, section 3.3. It is user equilibrium at marginal costs, ``c(x) + x c'(x)``; for BPR costs
these are BPR costs again, with ``alpha (1 + beta)`` in place of ``alpha``. ``x`` counts background
flow as well: what a car costs it is a cost to others too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cczsim.assignment.algorithms import Params, solve
from cczsim.assignment.cost import LinkCost
from cczsim.assignment.result import IterationRecord, RoadAssignment
from cczsim.columns import Array
from cczsim.kernels.vdf import BPR, MARGINAL
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem


@dataclass(frozen=True)
class SystemOptimum:
    """The optimum with its certificate.

    Parameters
    ----------
    marginal : RoadAssignment
        User equilibrium at marginal costs; its gap is that of the optimum, and its objective is the
        least total cost, pce s/h, beside what background flow costs alone.
    link_time, link_cost : array [link], s
        Time, and what people pay beside the toll.
    toll : array [link], s
        Marginal cost toll, ``x c'(x)``: what a car costs the others.
    total_cost : float
        Flow x cost without tolls, pce s/h.
    """

    marginal: RoadAssignment
    link_time: Array
    link_cost: Array
    toll: Array
    total_cost: float


def system_optimum(
    road: RoadNetwork,
    zones: ZoneSystem,
    demand: Array,
    params: Params,
    *,
    toll_factor: float = 0.0,
    distance_factor: float = 0.0,
    turns: Turns | None = None,
    on_iteration: Callable[[IterationRecord], None] | None = None,
) -> SystemOptimum:
    """Find the flows of least total cost.

    Arguments are those of :func:`~cczsim.assignment.algorithms.solve`.

    Raises
    ------
    AssignmentError
        The demand does not fit the zones, or holds negative or non-finite cells.
    """
    bpr = road.delay_function == BPR
    marginal = solve(
        road.replace(
            alpha=np.where(bpr, road.alpha * (1.0 + road.beta), road.alpha),
            delay_function=np.where(bpr, BPR, road.delay_function + MARGINAL),
        ),
        zones, demand, params,
        toll_factor=toll_factor, distance_factor=distance_factor, turns=turns,
        on_iteration=on_iteration,
    )  # fmt: skip
    model = LinkCost(road, toll_factor, distance_factor)
    flow = marginal.link_flow
    cost = model.cost(flow)
    return SystemOptimum(
        marginal=marginal,
        link_time=model.time(flow),
        link_cost=cost,
        toll=np.asarray(marginal.link_cost - cost),
        total_cost=float((flow * cost).sum()),
    )
