"""Car choice and road congestion in agreement.

Person trips are fixed; their split over car, transit and foot or cycle is a logit whose car cost
depends on the flows. With the costs of the other modes fixed this is user equilibrium with elastic
demand, a convex program (Y. Sheffi, 1985, *Urban Transportation Networks*, ch. 6; M. Beckmann et
al., 1956). It is solved by partial linearisation (S. P. Evans, 1976, *Transportation Research* 10):
each iteration loads the demand that the logit gives at the current costs and steps towards it and
its demand by an exact line search. Deviation: the direction is made conjugate to the last two in
the space of flows and demands together, as :mod:`cczsim.assignment.direction` does for flows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cczsim.assignment.convergence import measure_gap
from cczsim.assignment.cost import LinkCost
from cczsim.assignment.direction import Targets, step_length
from cczsim.assignment.result import IterationRecord, RoadAssignment, Status
from cczsim.assignment.road_demand import check_demand, split_demand
from cczsim.assignment.shortest import TreeLoader
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem


@dataclass(frozen=True)
class ElasticParams:
    """When the two count as agreed.

    Parameters
    ----------
    algorithm : str
        ``fw``, ``cfw`` or ``bfw``: how directions are made.
    relative_gap : float
        Of the roads, at the demand that is loaded.
    demand_residual : float
        Share of all trips that the logit would still move.
    max_iterations : int
    """

    algorithm: str = "bfw"
    relative_gap: float = 1e-4
    demand_residual: float = 1e-4
    max_iterations: int = 1000


@dataclass(frozen=True)
class ElasticAssignment:
    """Roads at equilibrium with the car trips that their costs give.

    Parameters
    ----------
    road : RoadAssignment
    car_trips : array [zone, zone], trips/h
        Person trips by car, intrazonal ones included.
    car_cost : array [zone, zone], s
        Least generalised cost of the drive; inf where no path leads.
    demand_residual : float
    """

    road: RoadAssignment
    car_trips: Array
    car_cost: Array
    demand_residual: float


def elastic_assignment(
    road: RoadNetwork,
    zones: ZoneSystem,
    trips: Array,
    other_odds: Array,
    *,
    scale: float,
    car_fixed: float = 0.0,
    occupancy: float = 1.0,
    toll_factor: float = 0.0,
    distance_factor: float = 0.0,
    params: ElasticParams | None = None,
    on_iteration: Callable[[IterationRecord], None] | None = None,
) -> ElasticAssignment:
    """Find car trips and link flows that agree.

    Parameters
    ----------
    road : RoadNetwork
    zones : ZoneSystem
    trips : array [zone, zone], trips/h
        Person trips by all modes.
    other_odds : array [zone, zone]
        Sum of exp(-cost / scale) over the other modes; 0 where there is none.
    scale : float
        Seconds; the share of the car is ``e / (e + other_odds)``, ``e = exp(-(drive + car_fixed)
        / scale)``.
    car_fixed : float
        Cost of a car trip beside the drive, s.
    occupancy : float
        Persons in a car.
    toll_factor, distance_factor : float
        Seconds for a unit of toll, and for a metre.
    params : ElasticParams, optional
    on_iteration : callable, optional

    Returns
    -------
    ElasticAssignment
        Gap and residual are measured at the flows and trips it holds. Intrazonal trips do not
        drive: their car share is that of a drive of half the way to the nearest zone.

    Raises
    ------
    AssignmentError
        The trips do not fit the zones; an unknown algorithm.
    """
    params = params or ElasticParams()
    if params.algorithm not in ("fw", "cfw", "bfw"):
        raise AssignmentError.of(
            "assignment.algorithm", repr(params.algorithm), "fw, cfw or bfw where modes are chosen"
        )
    persons = check_demand(trips, zones.n_zones, "trips")
    model = LinkCost(road, toll_factor, distance_factor)
    loader = TreeLoader(road, zones.centroid)
    began = time.perf_counter()
    trees = loader.grow(model.cost(np.zeros(road.n_links)))
    off_diagonal = ~np.eye(zones.n_zones, dtype=bool)
    drivable = (persons > 0.0) & np.isfinite(trees.od_cost) & off_diagonal
    elastic = drivable & (other_odds > 0.0)
    total = persons[elastic]
    with np.errstate(divide="ignore"):
        log_other = np.log(other_odds[elastic])
    all_trips = float(persons.sum())
    captive = np.where(drivable & ~elastic, persons, 0.0) / occupancy

    def logit(od_cost: Array) -> Array:
        odds = (od_cost[elastic] + car_fixed) / scale + log_other
        return np.asarray(total / (1.0 + np.exp(np.clip(odds, -500.0, 500.0))))

    def worth(cars: Array) -> Array:
        """Cost of the drive at which the logit gives this demand: the inverse demand function."""
        share = np.clip(cars * occupancy / total, 1e-300, 1.0 - 1e-16)
        return np.asarray(scale * (np.log1p(-share) - np.log(share) - log_other) - car_fixed)

    def matrix(cars: Array) -> Array:
        full = captive.copy()
        full[elastic] = cars
        return full

    cars = logit(trees.od_cost) / occupancy
    flow = loader.load(trees, matrix(cars))
    n_links = road.n_links
    targets = Targets(params.algorithm)
    history: list[IterationRecord] = []
    status = Status.ITERATION_LIMIT
    while True:
        cost = model.cost(flow)
        trees = loader.grow(cost)
        loaded = matrix(cars)
        gap = measure_gap(flow, cost, loaded, trees.od_cost)
        wanted = logit(trees.od_cost) / occupancy
        residual = float(np.abs(wanted - cars).sum()) * occupancy / max(all_trips, 1e-300)
        record = IterationRecord(
            len(history) + 1, time.perf_counter() - began, gap.relative_gap,
            gap.average_excess_cost, model.objective(flow), residual,
        )  # fmt: skip
        history.append(record)
        if on_iteration is not None:
            on_iteration(record)
        if gap.relative_gap <= params.relative_gap and residual <= params.demand_residual:
            status = Status.CONVERGED
            break
        if record.iteration >= params.max_iterations:
            break
        aon = np.concatenate([loader.load(trees, matrix(wanted)), wanted])
        point = np.concatenate([flow, cars])
        slope = np.concatenate([cost, -worth(cars)])

        def hessian(flow: Array = flow, cars: Array = cars) -> Array:
            room = np.maximum(total - cars * occupancy, 1e-12 * total)
            held = np.maximum(cars * occupancy, 1e-12 * total)
            bend = scale * occupancy * (1.0 / held + 1.0 / room)
            return np.concatenate([model.derivative(flow), bend])

        target = targets.next(point, aon, slope, hessian)
        direction = target - point

        def rise(share: float, point: Array = point, direction: Array = direction) -> float:
            here = point + share * direction
            links = model.cost(np.maximum(here[:n_links], 0.0)) * direction[:n_links]
            return float(links.sum() - (worth(here[n_links:]) * direction[n_links:]).sum())

        step = step_length(rise)
        if step <= 0.0:
            status = Status.STALLED
            break
        targets.taken(target, step)
        point = np.maximum(point + step * direction, 0.0)
        flow, cars = point[:n_links], point[n_links:]
    parts = split_demand(loaded, trees.od_cost)
    assignment = RoadAssignment(
        algorithm=params.algorithm,
        status=status,
        link_flow=flow,
        link_time=model.time(flow),
        link_cost=cost,
        relative_gap=gap.relative_gap,
        average_excess_cost=gap.average_excess_cost,
        tstt=gap.tstt,
        sptt=gap.sptt,
        objective=record.objective,
        iterations=record.iteration,
        history=tuple(history),
        total_demand=parts.total,
        intrazonal_demand=parts.intrazonal,
        unreachable_demand=parts.lost,
        unreachable=parts.unreachable,
    )
    return ElasticAssignment(assignment, loaded * occupancy, trees.od_cost, residual)
