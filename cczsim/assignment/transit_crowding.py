"""Transit equilibrium with crowding and limited places.

Each passenger follows strategies (Spiess and Florian, 1989) that are best at the times aboard,
weighted for crowding, and at the waits that all passengers together bring about: M. Cepeda, R.
Cominetti and M. Florian (2006), A frequency-based assignment model for congested transit networks
with strict capacity constraints, *Transportation Research B* 40(6). Its gap function is theirs: the
cost of the flows at their own conditions, the wait at a stop by the slowest line in use, less the
least cost of everybody's trip. Whoever would have to wait longer than ``give_up_after`` for room
gives up and is listed, so that an equilibrium exists whatever the demand.

Deviations: flows are found by shifts between strategies (:mod:`cczsim.kernels.strategy_mix`) and by
damped frequencies, where the paper takes successive averages, which need 10^5 iterations at lines
that are nearly full.
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
from cczsim.assignment.transit_conditions import (
    LEAST_FREQUENCY,
    Conditions,
    conditions,
    counted_places,
)
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.kernels.hyperpath import N_PARTS, WEIGHTED, assign_block
from cczsim.kernels.strategy_cost import newton_step
from cczsim.kernels.strategy_mix import shift_block
from cczsim.kernels.strategy_pool import N_SLOTS, NOBODY, StrategyPool, load_block
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem

_SETTLED: Final = 0.3
_FIRST_LEAST: Final = 0.3
_LOOSE: Final = 0.05
_PATIENCE: Final = 8
_LEAST_CAUTION: Final = 1e-3
_SETTLE_ROUNDS: Final = 12
_TIGHT: Final = 0.05
"""Elasticity of frequency to boardings beyond which lines at a stop are balanced together."""


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

    ``history``, ``since`` and ``best`` are those of an assignment that has not ended.
    """

    pool: StrategyPool
    stretch: Array
    least_frequency: float
    caution: float
    elastic: bool
    history: tuple[TransitRecord, ...] = ()
    since: int = 0
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
            share=np.zeros((n, N_SLOTS + 1, n)),
            pace=np.ones((n, N_SLOTS + 1, n)),
            excess=np.zeros((n, N_SLOTS + 1, n)),
            lead=np.full((n, n), NOBODY, np.int32),
        )
        places = counted_places(transit, params)
        self._places = np.repeat(places, np.diff(transit.line_first))
        self._stretch = np.ones(entries)
        self._least_frequency, self._caution = _FIRST_LEAST, 1.0
        self._elastic = False
        self._totals = np.empty((self._n_blocks, 3))

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
        since = 0
        best: Settled | None = None
        if start is not None:
            self.go_on(start)
            history, since, best = list(start.history), start.since, start.best
            began -= history[-1].seconds if history else 0.0
        if not self._pool.reached.any():
            self._shift(self._conditions(*np.zeros((2, len(self._stretch)))), asked, choice)
        while True:
            gap = history[-1].relative_gap if history else 1.0
            flows, here = self._settle(asked, _SETTLED * max(min(gap, 1.0), relative_gap))
            stay = asked * self._pool.share[:, N_SLOTS].T
            wait, least, excess_away = self._shift(here, asked, choice)
            riding = wait + self._cost_but_wait(here, flows)
            excess = riding - least + excess_away
            lost = stay > 0.0
            cost = riding + (float(stay[lost] @ self._limit[lost]) if away is None else 0.0)
            record = TransitRecord(
                iteration=len(history) + 1,
                seconds=time.perf_counter() - began,
                relative_gap=excess / cost if cost > 0.0 else 0.0,
                given_up=float(stay.sum()) if away is None else 0.0,
                fullest=float((flows[0][0] / self._places).max(initial=0.0)),
            )
            history.append(record)
            if on_iteration is not None:
                on_iteration(record)
            strict = self._least_frequency <= LEAST_FREQUENCY
            if best is None or not strict or record.relative_gap < best.record.relative_gap:
                best = Settled(record, flows, here, stay, self._skims.copy())
            reached = strict and record.relative_gap <= relative_gap
            if reached or record.iteration >= max_iterations:
                break
            since += 1
            if not strict and (record.relative_gap <= _LOOSE or since >= _PATIENCE):
                self._least_frequency = max(LEAST_FREQUENCY, 0.5 * self._least_frequency)
                since = 0
            elif since >= _PATIENCE:
                # Where the gap swings steps are too long; where it creeps they are too short.
                last = [r.relative_gap for r in history[-_PATIENCE:]]
                swings = max(last) > 2.0 * min(last) and last[-1] > 0.5 * max(last[:2])
                factor = 0.7 if swings else 1.3
                self._caution = min(max(factor * self._caution, _LEAST_CAUTION), 1.0)
                since = 0
            if on_state is not None:
                on_state(
                    lambda since=since, best=best: replace(  # type: ignore[misc]
                        self.state, history=tuple(history), since=since, best=best
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
        return CrowdState(
            self._pool, self._stretch, self._least_frequency, self._caution, self._elastic
        )

    def go_on(self, state: CrowdState) -> None:
        """Take up the state of another run with the same lines, zones and parameters."""
        self._pool, self._stretch = state.pool, state.stretch
        self._least_frequency, self._caution = state.least_frequency, state.caution
        self._elastic = state.elastic

    def riders(self, trips: Array) -> Array:
        """Return the trips that came when last assigned, ``[zone, zone], trips/h``."""
        come = 1.0 - self._pool.share[:, N_SLOTS].T
        return np.asarray(np.where(self._reached, trips, 0.0) * come)

    def use_run_times(self, run_time: Array) -> None:
        """Take other run times, ``[line_stop], s``, from now on."""
        beside = beside_time(self.transit, self.params, self._seconds_per_cny, run_time)
        self._graph = self._graph._replace(run_time=np.array(run_time), run_fare=beside)

    def _reset_where_needed(self, elastic: bool) -> None:
        """Let everybody come again where a choice whether to come has ended."""
        if self._elastic and not elastic:
            come = 1.0 - self._pool.share[:, N_SLOTS]
            self._pool.share[:, :N_SLOTS] /= come[:, None]
            self._pool.share[:, N_SLOTS] = 0.0
        elif elastic and not self._elastic:
            self._pool.share[:] = 0.0
            self._pool.reached[:] = 0
        self._elastic = elastic

    def _settle(
        self, asked: Array, tolerance: float
    ) -> tuple[tuple[Array, Array, Array], Conditions]:
        """Load with frequencies that agree with the flows; return the flows and their conditions.

        By Newton's method in logarithms, stop by stop.
        """
        damping, least = 1.0, np.inf
        tight = np.zeros(self.transit.n_stops, dtype=bool)
        for _ in range(_SETTLE_ROUNDS):
            graph = self._graph._replace(frequency=self._graph.frequency / self._stretch)
            pair_first, pairs = self._pairs(tight)
            by_block(
                load_block,
                self._n_blocks,
                graph,
                self._pool,
                asked,
                *self._flows,
                pair_first,
                pairs,
            )
            entry, walk, access = (flow.sum(axis=0) for flow in self._flows)
            here = self._conditions(entry[0], entry[1])
            miss = np.log(self._stretch) - np.log(here.wait_stretch)
            worst = float(np.abs(miss[entry[1] > 0.0]).max(initial=0.0))
            if worst <= tolerance:
                break
            known, tight = tight, tight.copy()
            tight[self._graph.entry_stop[here.bend_wait > _TIGHT]] = True
            if (tight & ~known).any():
                continue
            damping = max(0.5 * damping, 1.0 / 64.0) if worst > least else min(2.0 * damping, 1.0)
            least = worst
            step = np.empty(len(miss))
            newton_step(graph, pair_first, pairs.sum(axis=0), entry[1], miss, here.bend_wait, step)
            self._stretch = np.maximum(self._stretch * np.exp(-damping * step), 1.0)
        return (entry, walk, access), here

    def _conditions(self, aboard: Array, boardings: Array) -> Conditions:
        return conditions(
            self.transit,
            self.params,
            aboard,
            boardings,
            self._graph.run_time,
            self._least_frequency,
        )  # fmt: skip

    def _pairs(self, tight: Array) -> tuple[Array, Array]:
        """Return offsets of the pairs of entries at some stops, and room for them by block."""
        sizes = np.where(tight, np.diff(self._graph.stop_first).astype(np.int64) ** 2, 0)
        first = np.where(tight, np.cumsum(sizes) - sizes, -1)
        return first, np.empty((self._n_blocks, int(sizes.sum())))

    def _shift(self, here: Conditions, asked: Array, choice: Away) -> tuple[float, float, float]:
        """Move passengers; return what ``totals`` of the kernel hold."""
        loaded = self._graph._replace(frequency=self._graph.frequency / self._stretch)
        by_block(
            shift_block, self._n_blocks, here.of(self._graph), loaded, weights(self.params), asked,
            choice.cost, here.bend_run, here.bend_wait, self._caution, choice.spread, choice.fare,
            self._rides, self._pool, self._skims, self._totals,
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
