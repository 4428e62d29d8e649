"""All modes in agreement: who drives, who rides, who walks, and what the roads make of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cczsim.assignment.bus_times import BusTimes
from cczsim.assignment.bush_solution import BushStart
from cczsim.assignment.cost import LinkCost
from cczsim.assignment.elastic import (
    ElasticAssignment,
    ElasticParams,
    ElasticState,
    Moved,
    elastic_assignment,
)
from cczsim.assignment.mode_costs import (
    distance_factor,
    inside_share,
    odds_beside_car,
    other_costs,
    street_distance,
    toll_factor,
    trips_by_line,
    trips_by_road,
)
from cczsim.assignment.mode_result import Ended, equilibrium_of, moved
from cczsim.assignment.park_ride import (
    Parked,
    Parking,
    ParkRide,
    moved_legs,
)
from cczsim.assignment.rail_or_bus import skim_buses
from cczsim.assignment.relaxation import Relaxation
from cczsim.assignment.result import (
    IterationRecord,
    ModeEquilibrium,
    OuterRecord,
    TransitAssignment,
    TransitSkims,
)
from cczsim.assignment.shortest import zone_costs
from cczsim.assignment.transit import skim_transit
from cczsim.assignment.transit_crowding import CrowdedTransit, CrowdState
from cczsim.assignment.transit_params import TransitParams
from cczsim.assignment.transit_riders import Away
from cczsim.columns import Array
from cczsim.demand.mode_choice import (
    PARK_RIDE,
    car_fixed,
    choose,
    composite,
    intrazonal,
)
from cczsim.demand.params import DemandParams
from cczsim.demand.pivot import Pivot, shifted
from cczsim.errors import AssignmentError, NetworkError
from cczsim.network.network import Network

_FIRST_GAP = 1e-2
_OF_PLACES = 0.05
_NEARLY = 3.0
"""Roads are solved to that share of what destinations would move, until little more is left."""
_PART = 0.4
"""Of the demand residual that each part may leave, since those of roads and lines add up."""


@dataclass(frozen=True, eq=False)
class ModeState:
    """All that the rest of a run hangs on, between two iterations of its roads or lines.

    Parameters
    ----------
    roads : ElasticState, optional
        Of the roads, while they are being solved.
    rounds : tuple of OuterRecord
        Rounds that have ended; this and what follows where there are rounds only.
    skims, buses : TransitSkims, optional
        That this round began with; of buses alone where they are told apart.
    solved : ElasticAssignment, optional
        The roads of this round, while its lines are being solved.
    lines : CrowdState, optional
    places : Relaxation, optional
        Trips of this round, where destinations are chosen.
    near : BushStart, optional
        What the roads of the next round start from, while the lines of this one are being solved.
    parked : Parked, optional
        Park-and-ride of this round, where there are car parks.
    """

    roads: ElasticState | None = None
    rounds: tuple[OuterRecord, ...] = ()
    skims: TransitSkims | None = None
    buses: TransitSkims | None = None
    solved: ElasticAssignment | None = None
    lines: CrowdState | None = None
    places: Relaxation | None = None
    near: BushStart | None = None
    parked: Parked | None = None


Destinations = Callable[[Array], Array]
"""Gives the trips of all modes, ``[zone, zone]``, at the expected least costs over modes, s."""


def mode_equilibrium(
    network: Network,
    trips: Array,
    demand: DemandParams | None = None,
    transit: TransitParams | None = None,
    *,
    params: ElasticParams | None = None,
    transit_gap: float = 1e-4,
    max_rounds: int = 20,
    skims: TransitSkims | None = None,
    distance: Array | None = None,
    pivot: Pivot | None = None,
    destinations: Destinations | None = None,
    destination_residual: float = 1e-4,
    park_ride: ParkRide | None = None,
    start: ModeState | None = None,
    near: BushStart | None = None,
    keep_bushes: bool = False,
    on_iteration: Callable[[IterationRecord], None] | None = None,
    on_state: Callable[[Callable[[], ModeState]], None] | None = None,
) -> ModeEquilibrium:
    """Divide trips over modes and assign them, so that costs and shares agree.

    Where transit times hang on no flow the whole is the convex program of
    :func:`~cczsim.assignment.elastic.elastic_assignment`. With crowding, or buses that stand in
    traffic, roads and lines take turns: each is solved with the choice between it and the rest, at
    the costs that the other ended with (diagonalisation; M. Florian and H. Spiess, 1982,
    *Transportation Research B* 16), until the costs move no trips any more. With ``destinations``
    trips are made anew in each of these rounds from the costs at its end, and a part of the way to
    them is gone (:mod:`cczsim.assignment.relaxation`), until trips that cause the costs are those
    that the costs give.

    Parameters
    ----------
    network : Network
        With zones; without a transit network nobody rides.
    trips : array [zone, zone], trips/h
    demand : DemandParams, optional
    transit : TransitParams, optional
    params : ElasticParams, optional
    transit_gap : float
        Relative gap of the transit equilibrium with crowding.
    max_rounds : int
        In which roads and lines take each other's costs.
    skims, distance : optional
        From :func:`skim_transit` and :func:`street_distance`, if they are known already.
    pivot : Pivot, optional
        Shifts of costs by which modes are chosen from what was observed.
    destinations : callable, optional
        Makes trips of the costs of all modes; ``trips`` are then the first ones.
    destination_residual : float
        Share of all trips that costs may still take to other places at the end.
    park_ride : ParkRide, optional
        Car parks that people may leave their cars at; roads and lines then take turns too.
    start : ModeState, optional
        Of the same run, which was interrupted; it ends with the same bits.
    on_state : callable, optional
        Is given a function that returns the state, between iterations; what it returns is not
        copied, so that it is to be used at once.
    near : BushStart, optional
        Bushes of a run like this one, to start from; only ``b`` does.
    keep_bushes : bool
        Whether the roads of the result are to hold their bushes.

    Raises
    ------
    NetworkError
        A network without zones.
    AssignmentError
        Crowding where rail and bus are told apart, or where there are car parks, which is not
        modelled; car parks where the choice pivots on what was observed.
    """
    demand = demand or DemandParams()
    zones, road = network.zones, network.road
    if zones is None:
        raise NetworkError.of(network.info.name, "no zones", "a network with zones")
    lines, ends, parking = network.transit, zones, None
    if lines is not None and park_ride is not None and park_ride.lots.n_lots:
        if pivot is not None or (transit is not None and transit.crowding != "off"):
            raise AssignmentError.of(
                "park_and_ride", "car parks", "demand.observed not set, and transit.crowding off"
            )
        parking = Parking(zones, lines, park_ride, demand)
        lines, ends, skims = parking.lines, parking.ends, None
    if skims is None and lines is not None:
        skims = skim_transit(lines, ends, transit, seconds_per_cny=demand.seconds_per_cny)
    if distance is None:
        distance = street_distance(road, zones)
    buses = None
    if lines is not None:
        buses = skim_buses(lines, ends, transit, demand)
    priced, buses_priced = skims, buses
    params = params or ElasticParams()
    crowd, traffic = None, None
    if lines is not None and transit is not None:
        if transit.crowding != "off" and buses is not None:
            raise AssignmentError.of(
                "transit.crowding", repr(transit.crowding), '"off" where demand.transit_choice is '
                f"{demand.transit_choice!r}", "let rail and bus go together, or crowding be off",
            )  # fmt: skip
        if transit.crowding != "off":
            crowd = CrowdedTransit(lines, zones, transit, seconds_per_cny=demand.seconds_per_cny)
        traffic = BusTimes.of(road, lines, transit)
    if traffic is not None:
        road = traffic.road
    hang_on_flow = crowd is not None or traffic is not None
    in_rounds = hang_on_flow or destinations is not None or parking is not None
    share = _PART if in_rounds else 1.0
    began = time.perf_counter()
    state = start or ModeState()
    rounds = list(state.rounds)
    solved: ElasticAssignment | None = None
    found: TransitAssignment | None = None
    costs: dict[str, Array] = {}
    places = Relaxation(trips)
    moved_to: Moved | None = None
    if in_rounds and (state.rounds or state.solved is not None or state.skims is not None):
        skims, buses = state.skims, state.buses
        places = state.places or places
        if crowd is not None and state.lines is not None:
            crowd.go_on(state.lines)
        began -= rounds[-1].seconds if rounds else 0.0
    parked, held = state.parked, None
    if parking is not None and parked is None and skims is not None:
        empty = LinkCost(road, toll_factor(demand), distance_factor(demand))
        still = empty.cost(np.zeros(road.n_links))
        drive = zone_costs(road, still, ends.centroid, network.turns)
        others = other_costs(zones, distance, skims, demand, buses)
        parked = parking.begin(drive, skims, places.at, others)
    while True:
        trips = places.at
        others = shifted(other_costs(zones, distance, skims, demand, buses), pivot)
        odds, on_roads = odds_beside_car(others, demand, pivot), trips_by_road(trips, pivot)
        if parking is not None and parked is not None:
            held = parking.loads(parked.legs, trips)
            on_roads = parking.on_roads(trips - parked.legs.share * trips, held)
            odds = parking.on_roads(odds)
        # The first round only tells the roads' costs to the lines.
        loose = _FIRST_GAP if in_rounds and not rounds else 0.0
        if destinations is not None and rounds:
            left = rounds[-1].destination_residual
            loose = _OF_PLACES * left if left > _NEARLY * destination_residual else 0.0
        here = ModeState()
        if in_rounds:
            on_lines = crowd.state if crowd is not None else None
            here = ModeState(
                rounds=tuple(rounds), skims=skims, buses=buses, lines=on_lines,
                places=places if destinations is not None else None, parked=parked,
            )  # fmt: skip
        solved = state.solved or elastic_assignment(
            road,
            ends,
            on_roads,
            odds,
            scale=demand.choice_scale,
            car_fixed=car_fixed(demand),
            occupancy=demand.car_occupancy,
            toll_factor=toll_factor(demand),
            distance_factor=distance_factor(demand),
            params=replace(
                params,
                relative_gap=max(params.relative_gap, loose),
                demand_residual=max(share * params.demand_residual, loose),
            ),
            turns=network.turns,
            near=solved if parking is None else None,
            moved=moved_to,
            start=state.roads,
            near_bushes=near,
            keep_bushes=keep_bushes or in_rounds,
            on_iteration=on_iteration,
            on_state=_within(on_state, here, "roads"),
        )
        if not in_rounds:
            break
        to_ends = solved.car_cost
        if parking is not None:
            solved = parking.between_zones(solved)
        if params.algorithm == "b":
            kept = solved.road.bushes
            near = state.near if kept is None else kept.start()
            if not keep_bushes:
                solved = replace(solved, road=replace(solved.road, bushes=None))
        costs = shifted({"car": solved.car_cost + car_fixed(demand)}, pivot) | others
        before = choose(costs, demand.choice_scale)
        if traffic is not None and lines is not None:
            lines = lines.replace(run_time=traffic.run_time(solved.road.link_time))
        if crowd is not None and lines is not None:
            apart = {"car": costs["car"], "active": others["active"]}
            instead = composite(apart, demand.choice_scale)
            if pivot is not None:
                own = pivot.shift["transit"]
                instead = instead - np.where(np.isfinite(own), own, 0.0)
            away = _away(instead, priced, demand)
            crowd.use_run_times(lines.run_time)
            found = crowd.assign(
                trips_by_line(trips, pivot),
                relative_gap=max(share * transit_gap, 0.1 * loose),
                max_iterations=200,
                away=away,
                start=state.lines if state.solved is not None else None,
                on_state=_within(on_state, replace(here, solved=solved, near=near), "lines"),
            )
            skims = found.skims.with_tickets_of(priced)
            found = replace(found, skims=skims)
        elif traffic is not None and lines is not None:
            skims = skim_transit(lines, ends, transit, seconds_per_cny=demand.seconds_per_cny)
            skims = skims.with_tickets_of(priced)
            buses = skim_buses(lines, ends, transit, demand)
            buses = buses and buses.with_tickets_of(buses_priced)
        state = ModeState()
        if hang_on_flow:
            rides = other_costs(zones, distance, skims, demand, buses)["transit"]
            costs |= shifted({"transit": rides}, pivot)
        lots_left = 0.0
        if parking is not None and parked is not None and held is not None and skims is not None:
            legs = parking.find(to_ends, skims, trips, costs, parked.legs.price)
            lots_left = moved_legs(held, parking.loads(legs, trips), trips)
            before = {mode: own * (1.0 - parked.legs.share) for mode, own in before.items()}
            before[PARK_RIDE] = parked.legs.share
            costs[PARK_RIDE] = legs.cost
        residual = max(moved(trips, before, choose(costs, demand.choice_scale)), lots_left)
        elsewhere = 0.0
        if destinations is not None:
            drive = intrazonal(solved.car_cost, inside_share(distance)) + car_fixed(demand)
            wanted = destinations(composite(costs | {"car": drive}, demand.choice_scale))
            elsewhere = 0.5 * float(np.abs(wanted - trips).sum()) / max(float(trips.sum()), 1e-300)
        rounds.append(
            OuterRecord(
                iteration=len(rounds) + 1,
                seconds=time.perf_counter() - began,
                road_gap=solved.road.relative_gap,
                transit_gap=found.relative_gap if found is not None else 0.0,
                demand_residual=residual,
                destination_residual=elsewhere,
            )
        )
        agreed = loose == 0.0 and residual <= share * params.demand_residual
        agreed = agreed and elsewhere <= destination_residual
        if agreed or len(rounds) >= max_rounds:
            others["transit"] = costs["transit"]
            break
        if parking is not None and parked is not None and skims is not None:
            others |= {"transit": costs["transit"]}
            parked = parking.step(parked, legs, to_ends, skims, trips, others)
        if destinations is not None:
            places = places.towards(wanted)
            moved_to = Moved(wanted, places.step)
    riders = None if crowd is None else crowd.riders(trips_by_line(trips, pivot))
    ended = Ended(
        zones, ends, lines, distance, demand, transit, pivot, parking, parked, held, trips, solved,
        costs, others, skims, buses, priced, found, riders, tuple(rounds),
    )  # fmt: skip
    run_time = lines.run_time if traffic is not None and lines is not None else None
    return equilibrium_of(ended, destinations is not None, run_time)


def _away(cost: Array, priced: TransitSkims | None, demand: DemandParams) -> Away:
    """Return what those who do not ride choose; tickets are a cost of the pair, not of a ride."""
    seconds, spread = demand.seconds_per_cny, demand.choice_scale
    cost = cost - demand.transit_constant
    if priced is None or priced.tickets is None:
        return Away(cost, spread, demand.transit_fare * seconds)
    return Away(cost - seconds * priced.fare(demand.transit_fare), spread, 0.0)


def _within(
    on_state: Callable[[Callable[[], ModeState]], None] | None, around: ModeState, part: str
) -> Callable[[Callable[[], Any]], None] | None:
    """Return who is given the state of a part, and hands on the state of the whole."""
    if on_state is None:
        return None
    return lambda inner: on_state(lambda: replace(around, **{part: inner()}))
