"""Several user classes on one road network, at one joint equilibrium.

Classes share the roads and are delayed together; each has its own demand, weight on the road
(passenger-car equivalents), value of tolls and distance, and links it may not use. Costs are
``delay at the flow of all + fixed cost of the class``, so this is one convex program with one
solution in link flows (S. Dafermos, 1972, The traffic assignment problem for multiclass-user
transportation networks, *Transportation Science* 6(1)). It is solved by Algorithm B on the bushes
of all classes, which are those of so many layers of the network with common flows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from cczsim.assignment.algorithm_b import BushParams
from cczsim.assignment.bush_solution import BushStart
from cczsim.assignment.bushes import Bushes
from cczsim.assignment.convergence import check_flow, measure_gap, node_imbalance
from cczsim.assignment.cost import LinkCost
from cczsim.assignment.result import IterationRecord, RoadAssignment, Status, Unreachable
from cczsim.assignment.road_demand import SplitDemand, check_demand, split_demand
from cczsim.assignment.search_graph import SearchGraph
from cczsim.assignment.shortest import TreeLoader
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem


@dataclass(frozen=True, eq=False)
class UserClass:
    """Vehicles that see the roads alike.

    Parameters
    ----------
    name : str
    demand : array [zone, zone], vehicles/h
    pce : float
        Passenger cars that one vehicle stands for on the road.
    toll_factor, distance_factor : float
        Seconds for a unit of toll, and for a metre.
    closed : array of link rows
        Links that the class may not use.
    """

    name: str
    demand: Array
    pce: float = 1.0
    toll_factor: float = 0.0
    distance_factor: float = 0.0
    closed: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class ClassAssignment:
    """The joint equilibrium.

    Parameters
    ----------
    classes : tuple of UserClass
    road : RoadAssignment
        All classes together, in pce/h; costs are times, since fixed costs differ by class.
    link_flow : array [class, link], vehicles/h
    link_cost : array [class, link], s
        inf where the class may not drive.
    od_cost : array [class, zone, zone], s
    unreachable : array [class], vehicles/h
    """

    classes: tuple[UserClass, ...]
    road: RoadAssignment
    link_flow: Array
    link_cost: Array
    od_cost: Array
    unreachable: Array


class _Layers:
    """Costs and least costs of all classes at a common flow."""

    def __init__(self, graph: SearchGraph, zones: ZoneSystem, classes: Sequence[UserClass]) -> None:
        self.models = []
        for one in classes:
            model = LinkCost(graph.road, one.toll_factor, one.distance_factor, graph.owner)
            barred = np.zeros(graph.n_links, dtype=bool)
            barred[one.closed] = True
            model.fixed = np.where(graph.mark(barred), np.inf, model.fixed)
            self.models.append(model)
        self.plain = LinkCost(graph.road, owner=graph.owner)
        self.loader = TreeLoader(graph.road, zones.centroid, everywhere=True)

    def price(self, flow: Array) -> None:
        """Take a flow ``[class, row], pce/h``."""
        self.flow = flow
        total = flow.sum(axis=0)
        self.cost = np.stack([model.cost(total) for model in self.models])
        self.od_cost = np.concatenate([self.loader.grow(cost).od_cost.copy() for cost in self.cost])

    def objective(self) -> float:
        """Return Beckmann's objective, pce s/h."""
        fixed = np.stack([model.fixed for model in self.models])
        paid = np.where(self.flow > 0.0, self.flow * np.where(self.flow > 0.0, fixed, 0.0), 0.0)
        return self.plain.objective(self.flow.sum(axis=0)) + float(paid.sum())


def assign_classes(
    road: RoadNetwork,
    zones: ZoneSystem,
    classes: Sequence[UserClass],
    *,
    params: BushParams | None = None,
    turns: Turns | None = None,
    start: BushStart | None = None,
    keep_bushes: bool = False,
    on_iteration: Callable[[IterationRecord], None] | None = None,
) -> ClassAssignment:
    """Assign the demand of all classes.

    Parameters
    ----------
    road : RoadNetwork
    zones : ZoneSystem
    classes : sequence of UserClass
    params : BushParams, optional
    turns : Turns, optional
        Rules that all classes keep.
    start : BushStart, optional
        Of the same classes, to start from.
    keep_bushes : bool
        Whether the result is to hold its bushes.
    on_iteration : callable, optional

    Raises
    ------
    AssignmentError
        No classes, demand that does not fit, a weight that is not above 0, a start of other
        classes.
    """
    params = params or BushParams()
    _check(classes, start)
    began = time.perf_counter()
    graph = SearchGraph.of(road, zones.centroid, turns)
    layers = _Layers(graph, zones, classes)
    layers.price(np.zeros((len(classes), graph.road.n_links)))
    n = zones.n_zones
    parts = [
        split_demand(
            check_demand(one.demand, n, f"demand of {one.name}") * one.pce,
            layers.od_cost[c * n : (c + 1) * n],
        )
        for c, one in enumerate(classes)
    ]
    demand = np.concatenate([part.assigned for part in parts])
    bushes = Bushes(graph, zones, layers.models, demand, layers.loader, start=start)
    history: list[IterationRecord] = []
    status = Status.ITERATION_LIMIT
    while True:
        layers.price(bushes.class_flow())
        # No flow drives where its class may not; 0 x inf is no number.
        finite = np.where(layers.flow > 0.0, layers.cost, 0.0)
        gap = measure_gap(layers.flow, finite, demand, layers.od_cost)
        seconds = time.perf_counter() - began
        record = IterationRecord(
            len(history) + 1, seconds, gap.relative_gap, gap.average_excess_cost,
            layers.objective(),
        )  # fmt: skip
        history.append(record)
        if on_iteration is not None:
            on_iteration(record)
        if gap.relative_gap <= params.relative_gap:
            status = Status.CONVERGED
            break
        if record.iteration >= params.max_iterations:
            break
        bushes.improve(layers.od_cost, gap.relative_gap, params.relative_gap)
    of_zones = demand.reshape(len(classes), n, n).sum(axis=0)
    imbalance = node_imbalance(graph.road, zones.centroid, layers.flow.sum(axis=0), of_zones)
    check_flow(gap.relative_gap, imbalance)
    flow = graph.on_links(layers.flow)
    times = layers.plain.time(layers.flow.sum(axis=0))[: graph.n_links]
    together = RoadAssignment(
        algorithm="b", status=status, link_flow=flow.sum(axis=0), link_time=times, link_cost=times,
        relative_gap=gap.relative_gap, average_excess_cost=gap.average_excess_cost, tstt=gap.tstt,
        sptt=gap.sptt, objective=history[-1].objective, iterations=len(history),
        history=tuple(history), bushes=bushes.solution() if keep_bushes else None,
        total_demand=sum(part.total for part in parts),
        intrazonal_demand=sum(part.intrazonal for part in parts),
        unreachable_demand=sum(part.lost for part in parts), unreachable=_unreachable(parts),
        node_imbalance=imbalance,
    )  # fmt: skip
    weights = np.array([one.pce for one in classes])
    return ClassAssignment(
        classes=tuple(classes),
        road=together,
        link_flow=flow / weights[:, None],
        link_cost=layers.cost[:, : graph.n_links],
        od_cost=layers.od_cost.reshape(len(classes), n, n),
        unreachable=np.array([part.lost for part in parts]) / weights,
    )


def _unreachable(parts: Sequence[SplitDemand]) -> Unreachable:
    lost = [part.unreachable for part in parts]
    return Unreachable(
        origin=np.concatenate([one.origin for one in lost]),
        destination=np.concatenate([one.destination for one in lost]),
        trips=np.concatenate([one.trips for one in lost]),
    )


def _check(classes: Sequence[UserClass], start: BushStart | None) -> None:
    if not classes:
        raise AssignmentError.of("classes", "none", "at least one user class")
    for one in classes:
        if not (np.isfinite(one.pce) and one.pce > 0.0):
            raise AssignmentError.of(f"class {one.name}: pce", f"{one.pce:g}", "above 0")
    if start is not None and start.n_classes != len(classes):
        raise AssignmentError.of(
            "start", f"bushes of {start.n_classes} classes", f"of {len(classes)}"
        )
