"""Transit equilibrium with crowding and limited places.

Each passenger follows strategies (Spiess and Florian, 1989) that are best at the times aboard,
weighted for crowding, and at the waits that all passengers together bring about: M. Cepeda, R.
Cominetti and M. Florian (2006), A frequency-based assignment model for congested transit networks
with strict capacity constraints, *Transportation Research B* 40(6). Its gap function is theirs: the
cost of the flows at their own conditions, the wait at a stop by the slowest line in use, less the
least cost of everybody's trip. Whoever would have to wait longer than ``give_up_after`` for room
gives up and is listed, so that an equilibrium exists whatever the demand.

Deviations: frequencies fall with the load that leaves the stop (:mod:`.transit_conditions`). Where
the paper takes successive averages, which need 10^5 iterations at lines that are nearly full, flows
are found by proximal points (R. T. Rockafellar (1976), Monotone operators and the proximal point
algorithm, *SIAM Journal on Control and Optimization* 14(5)) with relative entropy: passengers move
from strategy to strategy as a logit tells them, by the costs that there will be after all have
moved (:mod:`.transit_loads`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from cczsim.assignment.result import (
    Status,
    TransitAssignment,
    TransitRecord,
    Unreachable,
)
from cczsim.assignment.road_demand import check_demand
from cczsim.assignment.threads import by_block
from cczsim.assignment.transit import (
    beside_time,
    block_flows,
    line_graph,
    transit_result,
    weights,
)
from cczsim.assignment.transit_conditions import Conditions, Vehicles
from cczsim.assignment.transit_loads import (
    MOST_STEPS,
    WAIT_UNIT,
    Response,
    agree,
    loads_of,
)
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.kernels.hyperpath import N_PARTS, WEIGHTED, assign_block
from cczsim.kernels.strategy_mix import respond_block, search_block
from cczsim.kernels.strategy_pool import N_SLOTS, StrategyPool
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem

_FIRST_SCALE: Final = 300.0
_LEAST_SCALE: Final = 10.0
_TRIES: Final = 4
_HARDER: Final = 3.0
_EASY: Final = 12
_USABLE: Final = 0.1
_AGREED: Final = 0.1
_REACH: Final = 3.0
_READY: Final = 0.05
"""Share that is ready to give up at first, so that waits end whatever the demand."""


@dataclass(frozen=True)
class Away:
    """What those who do not ride choose instead.

    Parameters
    ----------
    cost : array [zone, zone], s
        Of other modes, less what passengers weigh beside the time of their strategies.
    spread : float
        Scale of the logit between riding and the rest, s.
    fare : float
        What a boarding costs in that choice, s.
    """

    cost: Array
    spread: float
    fare: float


@dataclass(frozen=True, eq=False)
class Settled:
    """Flows whose frequencies agree with them, and what was measured on them.

    Parameters
    ----------
    record : TransitRecord
    flows : tuple of arrays
        By entry, walk and access.
    here : Conditions
    stay : array [zone, zone], trips/h
        Who does not come.
    skims : array [part, zone, zone]
    """

    record: TransitRecord
    flows: tuple[Array, Array, Array]
    here: Conditions
    stay: Array
    skims: Array


@dataclass(frozen=True, eq=False)
class CrowdState:
    """All that later iterations hang on.

    ``history`` and ``best`` are those of an assignment that has not ended.
    """

    pool: StrategyPool
    unknown: Array
    scale: float
    elastic: bool
    history: tuple[TransitRecord, ...] = ()
    best: Settled | None = None


class CrowdedTransit:
    """Strategies and who follows them, kept from one demand to the next.

    Parameters
    ----------
    transit : TransitNetwork
    zones : ZoneSystem
    params : TransitParams
    seconds_per_cny : float
        What passengers weigh fares by distance with.
    """

    def __init__(
        self,
        transit: TransitNetwork,
        zones: ZoneSystem,
        params: TransitParams,
        *,
        seconds_per_cny: float = 0.0,
    ) -> None:
        self.transit, self.params = transit, params
        self._seconds_per_cny = seconds_per_cny
        self._graph = line_graph(transit, zones.n_zones, params, seconds_per_cny)
        n, entries = zones.n_zones, len(transit.line_stop)
        self._flows = block_flows(self._graph)
        self._skims = np.empty((N_PARTS, n, n))
        self._rides = np.zeros((n, len(transit.access_zone)), dtype=bool)
        self._n_blocks = len(self._flows[0])
        nobody = np.zeros((n, n))
        by_block(
            assign_block, self._n_blocks, self._graph, weights(params), nobody, self._skims,
            *self._flows, self._rides,
        )  # fmt: skip
        free = self._skims[WEIGHTED].copy()
        self._reached = np.isfinite(free) & ~np.eye(n, dtype=bool)
        self._limit = free + params.wait_weight * params.give_up_after
        nodes = transit.n_stops + entries
        self._pool = StrategyPool(
            via=np.empty((n, N_SLOTS, nodes), np.int32),
            order=np.empty((n, N_SLOTS, nodes), np.int32),
            reached=np.zeros((n, N_SLOTS), np.int32),
            access=np.zeros((n, N_SLOTS, n), np.int32),
            base=np.zeros((n, n, N_SLOTS + 1)),
            share=np.zeros((n, n, N_SLOTS + 1)),
        )
        self._vehicles = Vehicles(transit, params)
        self._limited = np.isfinite(self._vehicles.places)
        empty_wait = params.wait_weight * params.wait_factor / self._graph.frequency
        self._wait = empty_wait
        self._x = np.zeros(entries)
        self._scale = _FIRST_SCALE
        self._elastic = False
        self._totals = np.empty((self._n_blocks, 3))
        self._movable = np.empty((self._n_blocks, 2, entries))
        self._most_wait = params.wait_weight * params.give_up_after

    def assign(
        self,
        trips: Array,
        *,
        relative_gap: float = 1e-4,
        max_iterations: int = 500,
        away: Away | None = None,
        start: CrowdState | None = None,
        on_iteration: Callable[[TransitRecord], None] | None = None,
        on_state: Callable[[Callable[[], CrowdState]], None] | None = None,
    ) -> TransitAssignment:
        """Bring passengers to equilibrium.

        Parameters
        ----------
        trips : array [zone, zone], trips/h
        relative_gap : float
            At which they count as there.
        max_iterations : int
        away : Away, optional
            Passengers choose whether to come: ``trips`` are then those of all modes.
        start : CrowdState, optional
            Of the same assignment, which was interrupted; it ends with the same bits.
        on_state : callable, optional
            Is given a function that returns the state, between iterations; it is not copied.

        Returns
        -------
        TransitAssignment
            The gap is that of the flows it holds; not reaching it is a status. Its demand is that
            of those who come.

        Raises
        ------
        AssignmentError
            The trips do not fit the zones, or hold negative or non-finite cells.
        """
        matrix = check_demand(trips, len(self._limit), "transit trips")
        asked = np.where(self._reached, matrix, 0.0)
        choice = away or Away(self._limit, 0.0, 0.0)
        self._reset_where_needed(away is not None)
        began = time.perf_counter()
        history: list[TransitRecord] = []
        best: Settled | None = None
        if start is not None:
            self.go_on(start)
            history, best = list(start.history), start.best
            began -= history[-1].seconds if history else 0.0
        if start is None:
            before = self._expected(self._x)
            self._search(before, before, asked, choice, 1.0)
        while True:
            gap = min(history[-1].relative_gap, 1.0) if history else 1.0
            tolerance = _AGREED * max(gap, 0.5 * relative_gap)
            steps = self._settle(asked, choice, tolerance)
            entry, walk, access = (flow.sum(axis=0) for flow in self._flows)
            flows = (entry, walk, access)
            here = self._vehicles.at(self._load(flows[0][0]))
            stay = asked * self._pool.share[:, :, N_SLOTS].T
            guess = self._expected(self._x)
            wait, least, excess_away = self._search(guess, here, asked, choice, gap)
            riding = wait + self._cost_but_wait(here, flows)
            excess = riding - least + excess_away
            lost = stay > 0.0
            cost = riding + (float(stay[lost] @ self._limit[lost]) if away is None else 0.0)
            record = TransitRecord(
                iteration=len(history) + 1,
                seconds=time.perf_counter() - began,
                relative_gap=excess / cost if cost > 0.0 else 0.0,
                given_up=float(stay.sum()) if away is None else 0.0,
                fullest=float((flows[0][0] / self._vehicles.places).max(initial=0.0)),
            )
            history.append(record)
            if on_iteration is not None:
                on_iteration(record)
            if best is None or record.relative_gap < best.record.relative_gap:
                best = Settled(record, flows, here, stay, self._skims.copy())
            reached = record.relative_gap <= relative_gap
            if reached or record.iteration >= max_iterations:
                break
            if steps == MOST_STEPS:
                self._scale *= 2.0
            else:
                slower = 0.5 if steps < _EASY else 0.8
                self._scale = max(slower * self._scale, _LEAST_SCALE)
            if on_state is not None:
                on_state(
                    lambda best=best: replace(  # type: ignore[misc]
                        self.state, history=tuple(history), best=best
                    )
                )
        status = Status.CONVERGED if reached else Status.ITERATION_LIMIT
        record, here, stay = best.record, best.here, best.stay
        come = asked - stay if away is not None else matrix
        given_up = stay if away is None else np.zeros_like(stay)
        origin, destination = np.nonzero(given_up)
        return replace(
            transit_result(come, best.skims, *best.flows),
            given_up=Unreachable(
                origin=origin, destination=destination, trips=given_up[origin, destination]
            ),
            time_weight=here.time_weight,
            wait_stretch=here.wait_stretch,
            status=status,
            relative_gap=record.relative_gap,
            iterations=len(history),
            history=tuple(history),
        )

    @property
    def state(self) -> CrowdState:
        """What later assignments hang on; it is not copied."""
        return CrowdState(self._pool, self._x, self._scale, self._elastic)

    def go_on(self, state: CrowdState) -> None:
        """Take up the state of another run with the same lines, zones and parameters."""
        self._pool, self._x = state.pool, state.unknown
        self._scale, self._elastic = state.scale, state.elastic

    def riders(self, trips: Array) -> Array:
        """Return the trips that came when last assigned, ``[zone, zone], trips/h``."""
        come = 1.0 - self._pool.share[:, :, N_SLOTS].T
        return np.asarray(np.where(self._reached, trips, 0.0) * come)

    def use_run_times(self, run_time: Array) -> None:
        """Take other run times, ``[line_stop], s``, from now on."""
        beside = beside_time(self.transit, self.params, self._seconds_per_cny, run_time)
        self._graph = self._graph._replace(run_time=np.array(run_time), run_fare=beside)

    def _reset_where_needed(self, elastic: bool) -> None:
        """Let everybody come again where a choice whether to come has ended."""
        if elastic != self._elastic:
            self._pool.share[:] = 0.0
            self._pool.reached[:] = 0
        self._elastic = elastic

    def _expected(self, x: Array) -> Conditions:
        load, _ = loads_of(x, self._vehicles, self._wait)
        return self._vehicles.at(np.where(self._limited, load, 0.0))

    def _load(self, aboard: Array) -> Array:
        return np.asarray(np.where(self._limited, aboard / self._vehicles.places, 0.0))

    def _settle(self, asked: Array, choice: Away, tolerance: float) -> int:
        """Move passengers, by as much as conditions can be found for; return the steps it took."""
        begin = self._x
        for attempt in range(_TRIES):
            self._x, found, steps = agree(
                lambda x, all_of_it: self._respond(x, asked, choice, all_of_it), begin,
                _REACH * self._scale / WAIT_UNIT, tolerance,
            )  # fmt: skip
            if steps < MOST_STEPS or found.off < _USABLE or attempt == _TRIES - 1:
                break
            self._scale *= _HARDER
        return steps

    def _respond(self, x: Array, asked: Array, choice: Away, all_of_it: bool) -> Response:
        """Load what passengers do at some unknowns."""
        load, slope = loads_of(x, self._vehicles, self._wait)
        load = np.where(self._limited, load, 0.0)
        guess = self._vehicles.at(load)
        by_block(
            respond_block, self._n_blocks, guess.of(self._graph), weights(self.params), asked,
            choice.cost, self._scale, choice.spread, choice.fare, self._pool, *self._flows,
            self._movable if all_of_it else self._movable[:, :, :0],
        )  # fmt: skip
        aboard, boardings, _ = self._flows[0].sum(axis=0)
        if not all_of_it:
            return Response(load - self._load(aboard), slope, np.inf)
        riding, boarding = self._movable.sum(axis=0)
        graph, limited, places = self._graph, self._limited, self._vehicles.places
        miss = load - self._load(aboard)
        # Passengers change their strategies, and at a stop the share that the line takes.
        at_stop = np.bincount(graph.entry_stop, boardings, self.transit.n_stops)[graph.entry_stop]
        share = np.divide(boardings, at_stop, out=np.zeros(len(x)), where=at_stop > 0.0)
        ride, wait = graph.run_time * guess.weight_slope, self._wait * guess.stretch_slope
        moved = (riding * ride + boarding * wait * share) / (self._scale + choice.spread)
        split = boardings * (1.0 - share) * guess.stretch_slope / guess.wait_stretch
        steep = np.where(limited, slope * (1.0 + (moved + split) / places), 1.0)
        here = self._vehicles.at(self._load(aboard))
        off = boardings @ (self._wait * np.abs(here.wait_stretch - guess.wait_stretch))
        off += aboard @ (graph.run_time * np.abs(here.time_weight - guess.time_weight))
        extra = np.minimum(self._wait * (guess.wait_stretch - 1.0), self._most_wait)
        extra += graph.run_time * (guess.time_weight - 1.0)
        off += float((places[limited] * np.abs(miss[limited])) @ extra[limited])
        cost = boardings @ (self._wait * guess.wait_stretch)
        cost += aboard @ (graph.run_time * guess.time_weight)
        if choice.spread == 0.0:
            stay = asked * self._pool.share[:, :, N_SLOTS].T
            cost += float(stay[stay > 0.0] @ self._limit[stay > 0.0])
        return Response(miss, steep, float(off) / cost if cost > 0.0 else 0.0)

    def _search(
        self, guess: Conditions, here: Conditions, asked: Array, choice: Away, gap: float
    ) -> tuple[float, float, float]:
        """Measure flows and look for better strategies; return what the kernel's totals hold."""
        ready = 0.0 if choice.spread > 0.0 else min(_READY, 10.0 * gap)
        by_block(
            search_block, self._n_blocks, here.of(self._graph), guess.of(self._graph),
            weights(self.params), asked, choice.cost, self._scale, choice.spread, choice.fare,
            ready, self._rides, self._pool, self._skims, self._totals,
        )  # fmt: skip
        wait, least, away = self._totals.sum(axis=0)
        return float(wait), float(least), float(away)

    def _cost_but_wait(self, here: Conditions, flows: tuple[Array, Array, Array]) -> float:
        (aboard, boardings, _), walk, access = flows
        graph, params = here.of(self._graph), self.params
        on_foot = float(walk @ graph.walk_time) + float(access.sum(axis=0) @ graph.access_time)
        return (
            float(aboard @ (graph.run_time + graph.run_fare))
            + params.boarding_penalty * float(boardings.sum())
            + params.walk_weight * on_foot
        )


def compile_crowding() -> None:
    """Compile the kernels of crowding, or take them from the cache, on a line of two stops."""
    two, none = np.arange(2), np.zeros(2)
    transit = TransitNetwork(
        stop_id=two, stop_name=np.array(["a", "b"]), stop_lon=none, stop_lat=none,
        line_id=np.array(["1"]), route=np.array(["1"]), mode=np.zeros(1), headway=np.ones(1),
        line_first=np.array([0, 2]), line_stop=two, run_time=none, run_length=none,
        access_zone=two, access_stop=two, access_time=none, seats_and_standing=np.ones(1),
    )  # fmt: skip
    zones = ZoneSystem(zone_id=two, centroid=two)
    params = TransitParams(crowding="capacity", crowded_lines="all")
    CrowdedTransit(transit, zones, params).assign(np.full((2, 2), 7200.0), max_iterations=2)
