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

from cczsim.assignment.result import Status, TransitAssignment, TransitRecord, Unreachable
from cczsim.assignment.road_demand import check_demand
from cczsim.assignment.transit import transit_result
from cczsim.assignment.transit_loads import MOST_STEPS, WAIT_UNIT, agree
from cczsim.assignment.transit_params import TransitParams
from cczsim.assignment.transit_riders import Away, Loaded, Riders
from cczsim.columns import Array
from cczsim.kernels.strategy_pool import StrategyPool
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem

_FIRST_SCALE: Final = 300.0
_LEAST_SCALE: Final = 10.0
_TRIES: Final = 4
_HARDER: Final = 3.0
_EASY: Final = 12
_USABLE: Final = 0.1
_AGREED: Final = 0.1
_LEAST_AGREED: Final = 1e-3
_REACH: Final = 3.0


@dataclass(frozen=True, eq=False)
class Settled:
    """Flows whose frequencies agree with them, and what was measured on them.

    Parameters
    ----------
    record : TransitRecord
    loaded : Loaded
    skims : array [part, zone, zone]
    """

    record: TransitRecord
    loaded: Loaded
    skims: Array


@dataclass(frozen=True, eq=False)
class CrowdState:
    """All that later iterations hang on.

    ``history`` and ``best`` are those of an assignment that has not ended.
    """

    pool: StrategyPool
    unknown: Array
    scale: float
    agreed: float
    elastic: bool
    history: tuple[TransitRecord, ...] = ()
    best: Settled | None = None


class CrowdedTransit:
    """Lines at equilibrium with their passengers, from one demand to the next.

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
        self._riders = Riders(transit, zones, params, seconds_per_cny)
        self._x = np.zeros(self._riders.n_unknowns)
        self._scale, self._agreed = _FIRST_SCALE, _AGREED
        self._elastic = False

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
        riders = self._riders
        matrix = check_demand(trips, len(riders.limit), "transit trips")
        asked = np.where(riders.reached, matrix, 0.0)
        choice = away or Away(riders.limit, 0.0, 0.0)
        self._reset_where_needed(away is not None)
        began = time.perf_counter()
        history: list[TransitRecord] = []
        best: Settled | None = None
        if start is not None:
            self.go_on(start)
            history, best = list(start.history), start.best
            began -= history[-1].seconds if history else 0.0
        else:
            self._agreed = _AGREED
            riders.first_search(self._x, asked, choice, self._scale)
        while True:
            gap = min(history[-1].relative_gap, 1.0) if history else 1.0
            tolerance = self._agreed * max(gap, 0.5 * relative_gap)
            steps = self._settle(asked, choice, tolerance)
            loaded = riders.measure(self._x, asked, choice, self._scale, gap)
            record = TransitRecord(
                iteration=len(history) + 1,
                seconds=time.perf_counter() - began,
                relative_gap=loaded.excess / loaded.cost if loaded.cost > 0.0 else 0.0,
                given_up=float(loaded.stay.sum()) if away is None else 0.0,
                fullest=loaded.fullest,
            )
            history.append(record)
            if on_iteration is not None:
                on_iteration(record)
            if best is None or record.relative_gap < best.record.relative_gap:
                best = Settled(record, loaded, riders.skims.copy())
            reached = record.relative_gap <= relative_gap
            if reached or record.iteration >= max_iterations:
                break
            if steps == MOST_STEPS:
                self._scale *= 2.0
                self._agreed = _AGREED
            else:
                slower = 0.5 if steps < _EASY else 0.8
                self._scale = max(slower * self._scale, _LEAST_SCALE)
                # Where one step was enough and led nowhere, loads have to agree better.
                stuck = steps == 1 and record.relative_gap > 0.9 * gap
                self._agreed = max(0.5 * self._agreed, _LEAST_AGREED) if stuck else _AGREED
            if on_state is not None:
                on_state(
                    lambda best=best: replace(  # type: ignore[misc]
                        self.state, history=tuple(history), best=best
                    )
                )
        status = Status.CONVERGED if reached else Status.ITERATION_LIMIT
        here, stay = best.loaded.here, best.loaded.stay
        come = asked - stay if away is not None else matrix
        given_up = stay if away is None else np.zeros_like(stay)
        origin, destination = np.nonzero(given_up)
        return replace(
            transit_result(come, best.skims, *best.loaded.flows),
            given_up=Unreachable(
                origin=origin, destination=destination, trips=given_up[origin, destination]
            ),
            time_weight=here.time_weight,
            wait_stretch=here.wait_stretch,
            status=status,
            relative_gap=best.record.relative_gap,
            iterations=len(history),
            history=tuple(history),
        )

    @property
    def state(self) -> CrowdState:
        """What later assignments hang on; it is not copied."""
        return CrowdState(self._riders.pool, self._x, self._scale, self._agreed, self._elastic)

    def go_on(self, state: CrowdState) -> None:
        """Take up the state of another run with the same lines, zones and parameters."""
        self._riders.pool, self._x = state.pool, state.unknown
        self._scale, self._agreed = state.scale, state.agreed
        self._elastic = state.elastic

    def riders(self, trips: Array) -> Array:
        """Return the trips that came when last assigned, ``[zone, zone], trips/h``."""
        riders = self._riders
        return np.asarray(np.where(riders.reached, trips, 0.0) * (1.0 - riders.away()))

    def use_run_times(self, run_time: Array) -> None:
        """Take other run times, ``[line_stop], s``, from now on."""
        self._riders.use_run_times(run_time)

    def _reset_where_needed(self, elastic: bool) -> None:
        """Let everybody choose anew where a choice whether to come begins or ends."""
        if elastic != self._elastic:
            self._riders.begin_anew()
        self._elastic = elastic

    def _settle(self, asked: Array, choice: Away, tolerance: float) -> int:
        """Move passengers, by as much as conditions can be found for; return the steps it took."""
        begin = self._x
        for attempt in range(_TRIES):
            self._x, found, steps = agree(
                lambda x, all_of_it: self._riders.respond(
                    x, asked, choice, self._scale, all_of_it
                ),
                begin, _REACH * self._scale / WAIT_UNIT, tolerance,
            )  # fmt: skip
            if steps < MOST_STEPS or found.off < _USABLE or attempt == _TRIES - 1:
                break
            self._scale *= _HARDER
        return steps


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
