"""Passengers of crowded lines: the strategies they follow, and what they do at given conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from cczsim.assignment.threads import by_block
from cczsim.assignment.transit import beside_time, block_flows, line_graph, weights
from cczsim.assignment.transit_conditions import Conditions, Vehicles
from cczsim.assignment.transit_loads import Response, loads_of
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.kernels.hyperpath import N_PARTS, WEIGHTED, assign_block
from cczsim.kernels.strategy_mix import respond_block, search_block
from cczsim.kernels.strategy_pool import N_SLOTS, StrategyPool
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem

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


class Loaded(NamedTuple):
    """Flows, the conditions they make, and how far from equilibrium they are.

    Parameters
    ----------
    flows : tuple of arrays
        By entry, walk and access.
    here : Conditions
    stay : array [zone, zone], trips/h
        Who does not come.
    excess, cost : float, s trips/h
        Of everybody's trip over the least there is; in all.
    fullest : float
        Highest load.
    """

    flows: tuple[Array, Array, Array]
    here: Conditions
    stay: Array
    excess: float
    cost: float
    fullest: float


class Riders:
    """Strategies and who follows them.

    Parameters
    ----------
    transit : TransitNetwork
    zones : ZoneSystem
    params : TransitParams
    seconds_per_cny : float
        What passengers weigh fares by distance with.

    Attributes
    ----------
    pool : StrategyPool
    reached : bool array [zone, zone]
    limit : array [zone, zone], s
        Cost at which passengers give up.
    skims : array [part, zone, zone]
        As last searched.
    n_unknowns : int
        Entries whose load counts.
    """

    def __init__(
        self,
        transit: TransitNetwork,
        zones: ZoneSystem,
        params: TransitParams,
        seconds_per_cny: float,
    ) -> None:
        self._transit, self._params = transit, params
        self._seconds_per_cny = seconds_per_cny
        self._graph = line_graph(transit, zones.n_zones, params, seconds_per_cny)
        n, entries = zones.n_zones, len(transit.line_stop)
        self._flows = block_flows(self._graph)
        self.skims = np.empty((N_PARTS, n, n))
        self._rides = np.zeros((n, len(transit.access_zone)), dtype=bool)
        self._n_blocks = len(self._flows[0])
        by_block(
            assign_block, self._n_blocks, self._graph, weights(params), np.zeros((n, n)),
            self.skims, *self._flows, self._rides,
        )  # fmt: skip
        free = self.skims[WEIGHTED].copy()
        self.reached = np.isfinite(free) & ~np.eye(n, dtype=bool)
        most_wait = params.wait_weight * params.give_up_after
        self.limit = free + most_wait
        nodes = transit.n_stops + entries
        self.pool = StrategyPool(
            via=np.empty((n, N_SLOTS, nodes), np.int32),
            order=np.empty((n, N_SLOTS, nodes), np.int32),
            reached=np.zeros((n, N_SLOTS), np.int32),
            access=np.zeros((n, N_SLOTS, n), np.int32),
            base=np.zeros((n, n, N_SLOTS + 1)),
            share=np.zeros((n, n, N_SLOTS + 1)),
        )
        self._vehicles = Vehicles(transit, params)
        self._limited = np.flatnonzero(np.isfinite(self._vehicles.places))
        self.n_unknowns = len(self._limited)
        self._places = self._vehicles.places[self._limited]
        self._wait = params.wait_weight * params.wait_factor / self._graph.frequency
        self._most_wait = most_wait
        self._totals = np.empty((self._n_blocks, 3))
        self._movable = np.empty((self._n_blocks, 2, entries))

    def use_run_times(self, run_time: Array) -> None:
        """Take other run times, ``[line_stop], s``, from now on."""
        beside = beside_time(self._transit, self._params, self._seconds_per_cny, run_time)
        self._graph = self._graph._replace(run_time=np.array(run_time), run_fare=beside)

    def begin_anew(self) -> None:
        """Forget all strategies, so that everybody takes the best at the next search."""
        self.pool.share[:] = 0.0
        self.pool.reached[:] = 0

    def away(self) -> Array:
        """Return the shares that stay away, ``[zone, zone]``."""
        return np.asarray(self.pool.share[:, :, N_SLOTS].T)

    def respond(
        self, x: Array, asked: Array, choice: Away, scale: float, all_of_it: bool
    ) -> Response:
        """Load what passengers do at some unknowns.

        Parameters
        ----------
        x : array [unknown]
            See :mod:`.transit_loads`.
        asked : array [zone, zone], trips/h
        choice : Away
        scale : float, s
            How freely they move: the smaller the further.
        all_of_it : bool
            Whether more than ``miss`` is wanted.
        """
        guess, load, slope = self._expected(x)
        movable = self._movable if all_of_it else self._movable[:, :, :0]
        by_block(
            respond_block, self._n_blocks, guess.of(self._graph), weights(self._params), asked,
            choice.cost, scale, choice.spread, choice.fare, self.pool, *self._flows, movable,
        )  # fmt: skip
        aboard, boardings, _ = self._flows[0].sum(axis=0)
        counts = self._limited
        miss = load - aboard[counts] / self._places
        if not all_of_it:
            return Response(miss, slope, np.inf)
        riding, boarding = movable.sum(axis=0)
        graph = self._graph
        # Passengers change their strategies, and at a stop the share that the line takes.
        at_stop = np.bincount(graph.entry_stop, boardings, self._transit.n_stops)[graph.entry_stop]
        share = np.divide(boardings, at_stop, out=np.zeros(len(aboard)), where=at_stop > 0.0)
        ride, wait = graph.run_time * guess.weight_slope, self._wait * guess.stretch_slope
        moved = (riding * ride + boarding * wait * share) / (scale + choice.spread)
        split = boardings * (1.0 - share) * guess.stretch_slope / guess.wait_stretch
        steep = slope * (1.0 + (moved + split)[counts] / self._places)
        here = self._conditions(aboard)
        off = boardings @ (self._wait * np.abs(here.wait_stretch - guess.wait_stretch))
        off += aboard @ (graph.run_time * np.abs(here.time_weight - guess.time_weight))
        extra = np.minimum(self._wait * (guess.wait_stretch - 1.0), self._most_wait)
        extra += graph.run_time * (guess.time_weight - 1.0)
        off += float((self._places * np.abs(miss)) @ extra[counts])
        cost = boardings @ (self._wait * guess.wait_stretch)
        cost += aboard @ (graph.run_time * guess.time_weight)
        if choice.spread == 0.0:
            cost += self._given_up(asked * self.away())
        return Response(miss, steep, float(off) / cost if cost > 0.0 else 0.0)

    def first_search(self, x: Array, asked: Array, choice: Away, scale: float) -> None:
        """Look for strategies before anybody follows one, or at other times than before."""
        guess, _, _ = self._expected(x)
        self._search(guess, guess, asked, choice, scale, 1.0)

    def measure(self, x: Array, asked: Array, choice: Away, scale: float, gap: float) -> Loaded:
        """Measure the flows that were loaded last, at unknowns ``x``; look for better strategies.

        ``gap`` is that of before.
        """
        entry, walk, access = (flow.sum(axis=0) for flow in self._flows)
        here = self._conditions(entry[0])
        stay = asked * self.away()
        guess, _, _ = self._expected(x)
        wait, least, excess_away = self._search(guess, here, asked, choice, scale, gap)
        riding = wait + self._cost_but_wait(here, entry, walk, access)
        return Loaded(
            flows=(entry, walk, access),
            here=here,
            stay=stay,
            excess=riding - least + excess_away,
            cost=riding + (self._given_up(stay) if choice.spread == 0.0 else 0.0),
            fullest=float((entry[0][self._limited] / self._places).max(initial=0.0)),
        )

    def _expected(self, x: Array) -> tuple[Conditions, Array, Array]:
        """Return the conditions at unknowns; loads there, and their derivatives, ``[unknown]``."""
        load, slope = loads_of(x, self._vehicles, self._wait[self._limited])
        everywhere = np.zeros(len(self._wait))
        everywhere[self._limited] = load
        return self._vehicles.at(everywhere), load, slope

    def _conditions(self, aboard: Array) -> Conditions:
        return self._vehicles.at(aboard / self._vehicles.places)

    def _given_up(self, stay: Array) -> float:
        lost = stay > 0.0
        return float(stay[lost] @ self.limit[lost])

    def _search(
        self,
        guess: Conditions,
        here: Conditions,
        asked: Array,
        choice: Away,
        scale: float,
        gap: float,
    ) -> tuple[float, float, float]:
        ready = 0.0 if choice.spread > 0.0 else min(_READY, 10.0 * gap)
        by_block(
            search_block, self._n_blocks, here.of(self._graph), guess.of(self._graph),
            weights(self._params), asked, choice.cost, scale, choice.spread, choice.fare, ready,
            self._rides, self.pool, self.skims, self._totals,
        )  # fmt: skip
        wait, least, away = self._totals.sum(axis=0)
        return float(wait), float(least), float(away)

    def _cost_but_wait(self, here: Conditions, entry: Array, walk: Array, access: Array) -> float:
        (aboard, boardings, _), graph = entry, here.of(self._graph)
        on_foot = float(walk @ graph.walk_time) + float(access.sum(axis=0) @ graph.access_time)
        return (
            float(aboard @ (graph.run_time + graph.run_fare))
            + self._params.boarding_penalty * float(boardings.sum())
            + self._params.walk_weight * on_foot
        )
