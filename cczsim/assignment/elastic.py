"""Car choice and road congestion in agreement.

Person trips are fixed; their split over car, transit and foot or cycle is a logit whose car cost
depends on the flows. With the costs of the other modes fixed this is user equilibrium with elastic
demand, a convex program (Y. Sheffi, 1985, *Urban Transportation Networks*, ch. 6; M. Beckmann et
al., 1956). It is solved by partial linearisation (S. P. Evans, 1976, *Transportation Research* 10):
each iteration loads the demand that the logit gives at the current costs and steps towards it and
its demand by an exact line search. Deviation: the direction is made conjugate to the last two in
the space of flows and demands together, as :mod:`cczsim.assignment.direction` does for flows.
The algorithm ``b`` takes bushes instead: see :func:`_by_bushes` and :mod:`cczsim.kernels.bush`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from cczsim.assignment.bush_solution import BushStart, flow_of
from cczsim.assignment.bushes import Bushes, BushState
from cczsim.assignment.car_demand import CarDemand
from cczsim.assignment.direction import Remembered, Targets, step_length
from cczsim.assignment.result import IterationRecord, RoadAssignment, Status
from cczsim.assignment.road_demand import check_demand, split_demand
from cczsim.assignment.road_run import RoadRun
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem

ALGORITHMS = ("b", "bfw", "cfw", "fw")
"""How cars and congestion are brought to agree."""


@dataclass(frozen=True)
class ElasticParams:
    """When the two count as agreed.

    Parameters
    ----------
    algorithm : str
        One of :data:`ALGORITHMS`: bushes, or how directions are made.
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


@dataclass(frozen=True, eq=False)
class ElasticState:
    """All that the rest of a run hangs on, between two of its iterations.

    Parameters
    ----------
    history : tuple of IterationRecord
    point : array [link + pair], pce/h, optional
        Flows and cars; with directions only, as ``remembered``.
    remembered : Remembered, optional
    bushes : BushState, optional
        With algorithm ``b`` only.
    """

    history: tuple[IterationRecord, ...]
    point: Array | None = None
    remembered: Remembered | None = None
    bushes: BushState | None = None


@dataclass(frozen=True, eq=False)
class Moved:
    """Trips that were made from others: those plus ``step x (towards - those)``.

    Parameters
    ----------
    towards : array [zone, zone], trips/h
    step : float
    """

    towards: Array
    step: float


OnState = Callable[[Callable[[], ElasticState]], None]


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
    turns: Turns | None = None,
    near: ElasticAssignment | None = None,
    moved: Moved | None = None,
    start: ElasticState | None = None,
    near_bushes: BushStart | None = None,
    keep_bushes: bool = False,
    on_iteration: Callable[[IterationRecord], None] | None = None,
    on_state: OnState | None = None,
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
    turns : Turns, optional
        Rules that paths keep.
    near : ElasticAssignment, optional
        At other costs of the other modes, to begin from (not by bushes): of the same trips, or of
        those before ``moved``.
    moved : Moved, optional
        How ``trips`` were made from those of ``near``.
    start : ElasticState, optional
        Of the same run, which was interrupted; it ends with the same bits.
    near_bushes : BushStart, optional
        Bushes of a run like this one, to start from; only ``b`` does.
    keep_bushes : bool
        Whether the result is to hold its bushes; only those of ``b`` has any.
    on_iteration : callable, optional
    on_state : callable, optional
        Is given a function that returns the state, between iterations; what it returns is not
        copied, so that it is to be used at once.

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
    if params.algorithm not in ALGORITHMS:
        raise AssignmentError.of(
            "assignment.algorithm", repr(params.algorithm), "one of " + ", ".join(ALGORITHMS)
        )
    persons = check_demand(trips, zones.n_zones, "trips")
    all_trips = float(persons.sum())
    run = RoadRun(
        road, zones, toll_factor, distance_factor, on_iteration, turns, params.algorithm == "b"
    )
    demand = CarDemand.of(persons, run.trees.od_cost, other_odds, scale, car_fixed, occupancy)
    run.go_on(start.history if start is not None else ())
    if params.algorithm == "b":
        return _by_bushes(
            zones, run, demand, all_trips, params, start, near_bushes, keep_bushes, on_state
        )
    if near is None:
        cars = demand.wanted(run.trees.od_cost)
        flow = run.loader.load(run.trees, demand.matrix(cars))
    else:
        cars = near.car_trips[demand.elastic] / occupancy
        flow = near.road.link_flow
        if moved is not None:
            # Evans' step: cars and flows go to the new trips together.
            trees = run.price(flow)
            towards = CarDemand.of(
                moved.towards, trees.od_cost, other_odds, scale, car_fixed, occupancy
            )
            new = towards.matrix(towards.wanted(trees.od_cost))
            flow = flow + moved.step * (run.loader.load(trees, new) - flow)
            cars = cars + moved.step * (new[demand.elastic] - cars)
    model, n_links = run.model, run.road.n_links
    targets = Targets(params.algorithm, start.remembered if start is not None else None)
    if start is not None and start.point is not None:
        flow, cars = start.point[:n_links], start.point[n_links:]
    status = Status.ITERATION_LIMIT
    while True:
        trees = run.price(flow)
        loaded = demand.matrix(cars)
        residual = demand.residual(cars, trees.od_cost, all_trips)
        record = run.record(loaded, residual)
        if _agreed(record, params):
            status = Status.CONVERGED
            break
        if record.iteration >= params.max_iterations:
            break
        wanted = demand.wanted(trees.od_cost)
        aon = np.concatenate([run.loader.load(trees, demand.matrix(wanted)), wanted])
        point = np.concatenate([flow, cars])
        slope = np.concatenate([run.cost, -demand.worth(cars)])

        def hessian(flow: Array = flow, cars: Array = cars) -> Array:
            return np.concatenate([model.derivative(flow), demand.bend(cars)])

        target = targets.next(point, aon, slope, hessian)
        direction = target - point

        def rise(share: float, point: Array = point, direction: Array = direction) -> float:
            here = point + share * direction
            links = model.cost(np.maximum(here[:n_links], 0.0)) * direction[:n_links]
            return float(links.sum() - (demand.worth(here[n_links:]) * direction[n_links:]).sum())

        step = step_length(rise)
        if step <= 0.0:
            # Where no step leads down, what is left is rounding.
            reached = record.relative_gap <= params.relative_gap
            status = Status.CONVERGED if reached else Status.STALLED
            break
        targets.taken(target, step)
        point = np.maximum(point + step * direction, 0.0)
        flow, cars = point[:n_links], point[n_links:]
        if on_state is not None:

            def state(point: Array = point) -> ElasticState:
                return ElasticState(tuple(run.history), point, targets.remembered)

            on_state(state)
    return _finished(run, demand, loaded, residual, status, params.algorithm)


def _by_bushes(
    zones: ZoneSystem,
    run: RoadRun,
    demand: CarDemand,
    all_trips: float,
    params: ElasticParams,
    start: ElasticState | None,
    near: BushStart | None,
    keep_bushes: bool,
    on_state: OnState | None,
) -> ElasticAssignment:
    """Shift flow on bushes and, in the same rounds, demand between the car and the rest."""
    if near is not None:
        # Who drives at the costs that the like run ended with, not at those of empty roads.
        run.price(flow_of(near, run.graph))
    first = demand.matrix(demand.wanted(run.trees.od_cost))
    bushes = Bushes(run.graph, zones, [run.model], first, run.loader, demand, start=near)
    if start is not None and start.bushes is not None:
        bushes.go_on(start.bushes)
    status = Status.ITERATION_LIMIT
    while True:
        trees = run.price(bushes.link_flow())
        loaded = bushes.demand.copy()
        residual = demand.residual(loaded[demand.elastic], trees.od_cost, all_trips)
        record = run.record(loaded, residual)
        if _agreed(record, params):
            status = Status.CONVERGED
            break
        if record.iteration >= params.max_iterations:
            break
        bushes.improve(trees.od_cost, record.relative_gap, params.relative_gap)
        if on_state is not None:
            on_state(lambda: ElasticState(tuple(run.history), bushes=bushes.state))
    found = _finished(run, demand, loaded, residual, status, params.algorithm)
    if not keep_bushes:
        return found
    return replace(found, road=replace(found.road, bushes=bushes.solution()))


def _agreed(record: IterationRecord, params: ElasticParams) -> bool:
    return (
        record.relative_gap <= params.relative_gap
        and record.demand_residual <= params.demand_residual
    )


def _finished(
    run: RoadRun, demand: CarDemand, loaded: Array, residual: float, status: Status, algorithm: str
) -> ElasticAssignment:
    od_cost = run.trees.od_cost
    road = run.result(algorithm, status, split_demand(loaded, od_cost))
    return ElasticAssignment(road, loaded * demand.occupancy, od_cost, residual)
