"""What an assignment returns: flows, the record of how it got there, and what was not served."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from cczsim.assignment.bush_solution import BushSolution
from cczsim.columns import Array, Columns, column
from cczsim.demand.park_ride import LotLoads


class Status(StrEnum):
    """How a run of an algorithm ended."""

    CONVERGED = "converged"
    ITERATION_LIMIT = "iteration limit"
    STALLED = "stalled"


@dataclass(frozen=True)
class IterationRecord:
    """One line of the convergence record.

    Parameters
    ----------
    iteration : int
    seconds : float
        Since the solver started; reading and compilation excluded.
    relative_gap : float
        (TSTT - SPTT) / TSTT at the flows of this iteration.
    average_excess_cost : float
        (TSTT - SPTT) / assigned demand, s.
    objective : float
        Beckmann's objective, pce s/h.
    demand_residual : float
        Share of demand that mode choice would still move; 0 where demand is fixed.
    """

    iteration: int
    seconds: float
    relative_gap: float
    average_excess_cost: float
    objective: float
    demand_residual: float = 0.0


@dataclass(frozen=True, eq=False)
class Unreachable(Columns):
    """Demand that no path can carry."""

    origin: Array = column("od", "int32", "", "row of the origin zone", low=0)
    destination: Array = column("od", "int32", "", "row of the destination zone", low=0)
    trips: Array = column("od", "float64", "trips/h", "demand that was not assigned", low=0.0)


@dataclass(frozen=True)
class RoadAssignment:
    """Link flows with their certificate.

    Parameters
    ----------
    link_flow : array [link], pce/h
    link_time : array [link], s
        Time at ``link_flow``.
    link_cost : array [link], s
        Generalised cost at ``link_flow``; the cost that path search minimised.
    relative_gap, average_excess_cost, tstt, sptt, objective : float
        All measured at ``link_flow`` and ``link_cost`` (s, pce s/h).
    total_demand, intrazonal_demand, unreachable_demand : float
        pce/h; the assigned demand is the first minus the other two.
    node_imbalance : float
        The most that flow misses at a node, as a share of the assigned demand.
    bushes : BushSolution, optional
        What used ways the flow is made of, where the algorithm knows and somebody asked.
    """

    algorithm: str
    status: Status
    link_flow: Array
    link_time: Array
    link_cost: Array
    relative_gap: float
    average_excess_cost: float
    tstt: float
    sptt: float
    objective: float
    iterations: int
    history: tuple[IterationRecord, ...]
    total_demand: float
    intrazonal_demand: float
    unreachable_demand: float
    unreachable: Unreachable
    node_imbalance: float = 0.0
    bushes: BushSolution | None = None

    @property
    def converged(self) -> bool:
        """Whether the stopping rule's gap was reached."""
        return self.status is Status.CONVERGED


@dataclass(frozen=True)
class TransitSkims:
    """Expected times between zones by transit, ``[zone, zone], s``; inf where there is no way.

    ``total`` is the unweighted sum of the parts; ``weighted`` is the generalised time (s) that
    passengers minimise; ``boardings`` is a count. Where the network has tickets ``tickets`` is what
    they cost, in money, and ``rides_without`` counts rides that no ticket is for.
    """

    weighted: Array
    total: Array
    in_vehicle: Array
    wait: Array
    walk: Array
    boardings: Array
    tickets: Array | None = None
    rides_without: Array | None = None

    def fare(self, of_boarding: float) -> Array:
        """Return the fares beside those by distance, ``[zone, zone]``; 0 where there is no way.

        Parameters
        ----------
        of_boarding : float, money
            Fare of a ride without a ticket.
        """
        known = np.isfinite(self.weighted)
        rides = self.boardings if self.rides_without is None else self.rides_without
        fare = of_boarding * np.where(known, rides, 0.0)
        return fare if self.tickets is None else fare + np.where(known, self.tickets, 0.0)

    def with_tickets_of(self, other: TransitSkims | None) -> TransitSkims:
        """Return these times with the tickets of others, if any, between the same zones."""
        if other is None:
            return self
        return replace(self, tickets=other.tickets, rides_without=other.rides_without)


@dataclass(frozen=True)
class TransitRecord:
    """One line of the record of a transit equilibrium.

    Parameters
    ----------
    iteration : int
    seconds : float
        Since the solver started.
    relative_gap : float
        (cost of the flows - least cost) / cost of the flows, at their own costs and waits.
    given_up : float, trips/h
        Trips that find no room.
    fullest : float
        Highest load over places of any line; 0 where no places are known.
    """

    iteration: int
    seconds: float
    relative_gap: float
    given_up: float
    fullest: float


@dataclass(frozen=True)
class TransitAssignment:
    """Passengers on lines.

    Parameters
    ----------
    segment_flow, boardings, alightings : array [line_stop], trips/h
        Flow on the run that leaves the entry; boardings and alightings at the entry.
    walk_flow : array [walk], trips/h
    access_flow : array [access], trips/h
        Zone to stop; ``egress_flow`` stop to zone.
    skims : TransitSkims
        Of best strategies, at the costs and waits of these flows.
    given_up : Unreachable, optional
        Trips that found no room within the time after which passengers give up.
    time_weight : array [line_stop], optional
        What a minute of the run that leaves the entry weighs, for crowding.
    wait_stretch : array [line_stop], optional
        By how much the wait for the line at the entry is longer than its headway tells.
    status, relative_gap, iterations, history
        Of the equilibrium with crowding; without it there is nothing to converge.
    """

    segment_flow: Array
    boardings: Array
    alightings: Array
    walk_flow: Array
    access_flow: Array
    egress_flow: Array
    skims: TransitSkims
    total_demand: float
    intrazonal_demand: float
    unreachable_demand: float
    unreachable: Unreachable
    given_up: Unreachable | None = None
    time_weight: Array | None = None
    wait_stretch: Array | None = None
    status: Status = Status.CONVERGED
    relative_gap: float = 0.0
    iterations: int = 0
    history: tuple[TransitRecord, ...] = ()

    @property
    def given_up_demand(self) -> float:
        """Trips without room, trips/h."""
        return 0.0 if self.given_up is None else float(self.given_up.trips.sum())

    @property
    def converged(self) -> bool:
        """Whether the gap that was asked for was reached."""
        return self.status is Status.CONVERGED


@dataclass(frozen=True)
class OuterRecord:
    """One round in which roads and lines took each other's costs.

    Parameters
    ----------
    iteration : int
    seconds : float
        Since the first round began.
    road_gap, transit_gap : float
        Relative gaps of both at the end of the round.
    demand_residual : float
        Share of all trips that the costs at its end would move from what its costs at the
        beginning gave, between modes.
    destination_residual : float
        Share of all trips that the costs at its end would take to other places.
    """

    iteration: int
    seconds: float
    road_gap: float
    transit_gap: float
    demand_residual: float
    destination_residual: float = 0.0


@dataclass(frozen=True)
class ModeEquilibrium:
    """Modes and roads in agreement: the costs that gave the shares are those the flows produce.

    Parameters
    ----------
    trips : dict of str to array [zone, zone], trips/h
        Person trips by mode: ``car``, ``transit``, ``active``; those that no mode leads are in
        none of them.
    car_time : array [zone, zone], s
        Car generalised cost at the final flows; inf where there is no path.
    car_pce : array [zone, zone], pce/h
        What was loaded on the roads for ``trips["car"]``: nothing within zones.
    demand_residual : float
        Sum over OD of |trips by car - trips by car that the logit gives at the final costs|,
        divided by all trips; with crowding half the sum over all modes, at the costs of road and
        line flows together.
    rounds : tuple of OuterRecord
        How roads and lines came to agree; empty where lines hang on no flow.
    parts : dict of str to array [zone, zone], trips/h
        Trips of alternatives within a mode, where they are told apart: ``rail`` and ``bus`` add up
        to transit, ``walk`` and ``cycle`` to active.
    buses : TransitSkims, optional
        Of strategies over buses alone, where rail and bus are told apart.
    run_time : array [line_stop], optional, s
        At the final flows, where buses stand in traffic; that of the timetable where None.
    shift : dict of str to array [zone, zone], s
        What costs of modes were shifted by, where the choice pivots on what was observed.
    asked : array [zone, zone], trips/h, optional
        Trips of all modes, where destinations were chosen in it.
    paid : float, optional, money/h
        For tickets and rides without one, where the network has tickets; not by distance.
    lots : LotLoads, optional
        What comes to car parks, where there are any; their trips are the mode ``park_ride``.
    """

    road: RoadAssignment
    transit: TransitAssignment | None
    trips: dict[str, Array]
    car_time: Array
    car_pce: Array
    demand_residual: float
    rounds: tuple[OuterRecord, ...] = ()
    parts: dict[str, Array] = field(default_factory=dict)
    buses: TransitSkims | None = None
    run_time: Array | None = None
    shift: dict[str, Array] = field(default_factory=dict)
    asked: Array | None = None
    lots: LotLoads | None = None
    paid: float | None = None

    @property
    def destination_residual(self) -> float:
        """Share of all trips that its costs would take to other places; 0 where none is chosen."""
        return self.rounds[-1].destination_residual if self.asked is not None else 0.0

    @property
    def converged(self) -> bool:
        """Whether roads and lines reached their gaps."""
        return self.road.converged and (self.transit is None or self.transit.converged)
