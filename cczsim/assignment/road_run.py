"""What every road solver shares: costs and exact least costs, the record, the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from cczsim.assignment.convergence import Gap, check_flow, measure_gap, node_imbalance
from cczsim.assignment.cost import LinkCost
from cczsim.assignment.result import IterationRecord, RoadAssignment, Status
from cczsim.assignment.road_demand import SplitDemand
from cczsim.assignment.search_graph import SearchGraph
from cczsim.assignment.shortest import TreeLoader, Trees
from cczsim.columns import Array
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem


class RoadRun:
    """One run of a solver, from free flow to its result.

    Parameters
    ----------
    road : RoadNetwork
    zones : ZoneSystem
    toll_factor : float
        Seconds for a unit of toll.
    distance_factor : float
        Seconds for a metre.
    on_iteration : callable, optional
        Called with each record.
    turns : Turns, optional
        Rules that paths keep; flows are then of the rows of ``road``, and the result is of links.
    everywhere : bool
        Whether least costs to all nodes are to be known, as bushes ask.
    """

    def __init__(
        self,
        road: RoadNetwork,
        zones: ZoneSystem,
        toll_factor: float,
        distance_factor: float,
        on_iteration: Callable[[IterationRecord], None] | None = None,
        turns: Turns | None = None,
        everywhere: bool = False,
    ) -> None:
        self._began = time.perf_counter()
        self.graph = SearchGraph.of(road, zones.centroid, turns)
        self.road = self.graph.road
        self.model = LinkCost(self.road, toll_factor, distance_factor, self.graph.owner)
        self.loader = TreeLoader(self.road, zones.centroid, everywhere)
        self.history: list[IterationRecord] = []
        self._centroids = zones.centroid
        self._on_iteration = on_iteration
        self.price(np.zeros(self.road.n_links))

    def go_on(self, history: Sequence[IterationRecord]) -> None:
        """Take up the record of a run that was interrupted after so many iterations."""
        self.history = list(history)
        self._began -= history[-1].seconds if history else 0.0

    def price(self, flow: Array) -> Trees:
        """Take a flow ``[link], pce/h``; return the least-cost trees at its costs."""
        self.flow = flow
        self.cost = self.model.cost(flow)
        self.trees = self.loader.grow(self.cost)
        return self.trees

    def record(self, demand: Array, demand_residual: float = 0.0) -> IterationRecord:
        """Measure the flow that was priced last, which carries ``demand [zone, zone], pce/h``.

        Raises
        ------
        AssignmentError
            It does not: what it costs is less than the least that the demand can cost.
        """
        self.gap: Gap = measure_gap(self.flow, self.cost, demand, self.trees.od_cost)
        check_flow(self.gap.relative_gap)
        record = IterationRecord(
            len(self.history) + 1,
            time.perf_counter() - self._began,
            self.gap.relative_gap,
            self.gap.average_excess_cost,
            self.model.objective(self.flow),
            demand_residual,
        )
        self.history.append(record)
        if self._on_iteration is not None:
            self._on_iteration(record)
        return record

    def result(self, algorithm: str, status: Status, parts: SplitDemand) -> RoadAssignment:
        """Return the flow that was measured last, with its certificate.

        Raises
        ------
        AssignmentError
            Demand is missing at some node.
        """
        imbalance = node_imbalance(self.road, self._centroids, self.flow, parts.assigned)
        check_flow(self.gap.relative_gap, imbalance)
        return RoadAssignment(
            algorithm=algorithm,
            status=status,
            link_flow=self.graph.on_links(self.flow),
            link_time=self.model.time(self.flow)[: self.graph.n_links],
            link_cost=self.cost[: self.graph.n_links],
            relative_gap=self.gap.relative_gap,
            average_excess_cost=self.gap.average_excess_cost,
            tstt=self.gap.tstt,
            sptt=self.gap.sptt,
            objective=self.history[-1].objective,
            iterations=len(self.history),
            history=tuple(self.history),
            total_demand=parts.total,
            intrazonal_demand=parts.intrazonal,
            unreachable_demand=parts.lost,
            unreachable=parts.unreachable,
            node_imbalance=imbalance,
        )
