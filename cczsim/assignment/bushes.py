"""The bushes of all origins: grown to what they use, shifted, summed to link flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numba
import numpy as np

from cczsim.assignment.bush_arrays import (
    approach,
    empty_rows,
    grow_work,
    kernel_choice,
    label_work,
    merge_work,
    pair_work,
    star_vdf,
    wider,
    with_members,
)
from cczsim.assignment.bush_solution import (
    BushSolution,
    BushStart,
    arc_flow,
    carried_over,
    copied,
)
from cczsim.assignment.car_demand import CarDemand
from cczsim.assignment.convergence import least_spent
from cczsim.assignment.cost import LinkCost
from cczsim.assignment.hierarchy import for_origins
from cczsim.assignment.search_graph import SearchGraph
from cczsim.assignment.shortest import TreeLoader
from cczsim.columns import Array
from cczsim.kernels.bush import Rows as Rows
from cczsim.kernels.bush import settle_all, sum_costs
from cczsim.kernels.bush_grow import regrow
from cczsim.kernels.bush_label import find_cores, label_all
from cczsim.kernels.bush_pairs import lay_out, pair_up, sign_merges
from cczsim.kernels.bush_plan import plan
from cczsim.kernels.bush_shift import N_PARTS, carry_out, step_length, take_change
from cczsim.kernels.bush_trade import trade_all
from cczsim.kernels.types import N_BLOCKS
from cczsim.kernels.vdf import LinkState
from cczsim.network.forward_star import forward_star
from cczsim.network.zones import ZoneSystem

ROUNDS = 100
"""Rounds of shifts over all bushes between two widenings, at most."""
ENOUGH = 0.03
"""Rounds end once the excess within bushes is below this share of the gap."""
ENOUGH_AGAIN = 0.1
"""It becomes this share of itself where the last widening and its rounds did not halve the gap.

A dear way that hardly anybody uses weighs little, and still keeps out what would close a circle.
"""
ENOUGH_TRADED = 0.05
"""The same where car trips are traded."""
LITTLE = 0.3
"""Ways whose excess is below this share of what would be enough for each are left as they are."""
FEW = 0.03
"""Origins that have together no more than this share of the excess do not grow."""
SPARE = 1.2
"""Bushes of another network have room for so many times what they hold."""
SMALL = 1_000_000
"""Where there are fewer nodes of bushes, each has room for the whole network at once."""
SAME = 0.1
"""Bushes of another network grow twice before the first shift where they carry another flow."""
FAR = 0.02
"""With gaps above this, bushes from nothing take in only what no dear way is in the way of."""
SLACK = 0.1
"""Used ways that miss the least cost by less than this share of the gap ask for no other way."""


@dataclass(frozen=True, eq=False)
class BushState:
    """All that later rounds hang on.

    Parameters
    ----------
    rows : Rows
    demand : array [bush, zone], pce/h
    last_gap : float
        Before the last widening.
    strictness : float
        What share of the excess that is enough at other times is so now.
    """

    rows: Rows
    demand: Array
    last_gap: float
    strictness: float


class Bushes:
    """The bushes of all origins of a network, with what they carry.

    Parameters
    ----------
    graph : SearchGraph
    zones : ZoneSystem
    models : sequence of LinkCost
        One a user class; they differ in their fixed costs only, which are infinite where a class
        may not drive.
    demand : array [class x zone, zone], pce/h
        0 within zones and where no path leads.
    loader : TreeLoader
        Of the graph, and of all its nodes.
    car_demand : CarDemand, optional
        Where people may leave the car; then ``demand`` is where to start from.
    start : BushStart, optional
        Bushes of another network, demand or cost to start from.
    """

    def __init__(
        self,
        graph: SearchGraph,
        zones: ZoneSystem,
        models: Sequence[LinkCost],
        demand: Array,
        loader: TreeLoader,
        car_demand: CarDemand | None = None,
        start: BushStart | None = None,
    ) -> None:
        self._graph, road = graph, graph.road
        self._zones = zones
        self._star = star = forward_star(road)
        self._models = models
        self._n_zones = zones.n_zones
        self.demand = np.array(demand)
        self._choice = kernel_choice(car_demand)
        self._vdf = star_vdf(star, models)
        self._loader = loader
        self._into = approach(road, star, self._loader.net, zones)
        self._goes = self.demand > 0.0
        self._last_gap, self._strictness = np.inf, 1.0
        if car_demand is not None:
            self._goes = self._goes | (self._choice.total > 0.0)
        self._rows = empty_rows(*self.demand.shape)
        n_arcs = len(models) * road.n_links
        self._block_flow = np.empty((N_BLOCKS, n_arcs))
        net = self._loader.net
        self._n_workers = max(1, min(numba.get_num_threads(), len(net.batch_zone)))
        # Bushes of a network with more nodes, or more states of turns, are read before they shrink.
        most = max(road.n_nodes, 0 if start is None else int(start.rows.size.max(initial=0)))
        self._work = grow_work(self._n_workers, len(net.place_node), most, road.n_links)
        self._state = LinkState(np.zeros(road.n_links), np.zeros(n_arcs), np.zeros(n_arcs))
        self._class_flow = np.zeros((len(models), road.n_links))
        self._change = np.empty(road.n_links)
        self._grown_at: Array | None = None
        self._from_nothing = start is None
        self._merges, self._pairs = merge_work(self.demand.shape[0], 0), pair_work(0, 0)
        if start is not None and min(road.n_links, len(start.tail_id)) > 0:
            self._start_from(start)
        elif self._rows.size.size * road.n_nodes <= SMALL:
            self._make_room(road.n_nodes + 1, road.n_nodes, 1.3)
        else:
            # The trees of some origins tell how much room those of all may take.
            some = np.zeros(zones.n_zones, dtype=bool)
            some[net.batch_zone[::8]] = True
            self._grow(0.0, np.tile(some, len(models)))
        self._grow(0.0 if start is None else 1e-9)

    def _start_from(self, start: BushStart) -> None:
        """Take over the bushes of another solution, and the costs at their flow."""
        place = np.empty(self._graph.road.n_links, dtype=np.int32)
        place[self._star.link] = np.arange(len(place), dtype=np.int32)
        self._rows = rows = carried_over(start, self._graph, self._zones, place, SPARE)
        by_arc = arc_flow(rows, self._class_flow.size).reshape(self._class_flow.shape)
        self._take(by_arc[:, place])
        self._grown_at = self._class_flow.sum(axis=0)
        # From where nobody travels any more, links may be closed that somebody used.
        rows.size[~self._goes.any(axis=1)] = 0
        self._make_room(0, 0)

    @property
    def state(self) -> BushState:
        """What to go on from; it is not copied."""
        return BushState(self._rows, self.demand, self._last_gap, self._strictness)

    def go_on(self, state: BushState) -> None:
        """Take up the state of other bushes of the same network, zones and classes."""
        self.demand[:] = state.demand
        self._rows = state.rows
        self._last_gap, self._strictness = state.last_gap, state.strictness
        self._grown_at = None
        self._make_room(0, 0)

    def solution(self) -> BushSolution:
        """Return the bushes as they are, by rows of the network."""
        n_links, rows = self._graph.road.n_links, self._rows
        row = np.concatenate([c * n_links + self._star.link for c in range(len(self._models))])
        copy = copied(rows, np.arange(len(rows.size)), row)._replace(at=rows.at.copy())
        return BushSolution(
            self._graph, self._zones.zone_id, len(self._models), copy, self.demand.copy()
        )

    def _grow(
        self,
        slack: float,
        asked: Array | None = None,
        strict: bool = False,
        od_cost: Array | None = None,
    ) -> None:
        """Let bushes drop what they do not use, and gain least-cost ways at present costs.

        Parameters
        ----------
        slack, strict
            See :func:`~cczsim.kernels.bush_grow.regrow`.
        asked : bool array [bush], optional
            Which bushes; all where None.
        od_cost : array [class x zone, zone], s, optional
            Least costs at present, if known.
        """
        star, into, loader = self._star, self._into, self._loader
        n_links, n_zones = len(star.link), self._n_zones
        flow = self._class_flow.sum(axis=0)
        total = self.demand.sum(axis=1)
        room = np.zeros((self._n_workers, 2), dtype=np.int32)
        done = np.zeros(len(total), dtype=bool)
        for c, model in enumerate(self._models):
            net, mine = loader.net, slice(c * n_zones, (c + 1) * n_zones)
            if asked is not None:
                net = for_origins(net, asked[mine])
            link_cost = loader.customise(
                model.cost(flow), None if od_cost is None else partial(self._largest, od_cost, mine)
            )
            while True:
                regrow(
                    star, into, net, loader.metric, link_cost, link_cost[star.link[into.arc]],
                    self._state.cost, self._goes, total, slack, strict, self._rows, c * n_zones,
                    c * n_links, self._n_workers, done, self._work, room,
                )  # fmt: skip
                if not room.any():
                    break
                positions, arcs = room.max(axis=0)
                self._make_room(positions, arcs, 1.1 if asked is None else 1.3)

    def _largest(self, od_cost: Array, mine: slice) -> float:
        """Return the most that any trip of a class costs, s."""
        goes = self._goes[mine] & np.isfinite(od_cost[mine])
        return float(od_cost[mine].max(where=goes, initial=0.0))

    def _make_room(self, positions: int, arcs: int, spare: float = 1.0) -> None:
        """Let bushes hold so much and some more; merges take arcs beside those of the tree."""
        rows = self._rows
        most = self._graph.road.n_nodes + 1
        positions = max(min(int(spare * positions), most), rows.first.shape[1])
        arcs = max(int(1.1 * spare * arcs), rows.arc.shape[1])
        self._rows = rows._replace(
            first=wider(rows.first, positions), arc=wider(rows.arc, arcs),
            tail=wider(rows.tail, arcs), flow=wider(rows.flow, arcs),
        )  # fmt: skip
        self._labels = label_work(
            self._n_workers, len(rows.size), positions, self._choice.total.shape
        )

    def class_flow(self) -> Array:
        """Return what all bushes carry together, and take it as the state that shifts start from.

        Returns
        -------
        array [class, link], pce/h
        """
        settle_all(self._rows, self.demand, self._block_flow)
        by_arc = self._block_flow.sum(axis=0).reshape(self._class_flow.shape)
        flow = np.empty_like(self._class_flow)
        flow[:, self._star.link] = by_arc
        self._take(flow)
        return flow

    def _take(self, class_flow: Array) -> None:
        """Take a flow ``[class, link]`` as the state that shifts start from."""
        self._class_flow[:] = class_flow
        flow = self._class_flow.sum(axis=0)
        slope = self._models[0].derivative(flow)[self._star.link]
        costs = [model.cost(flow)[self._star.link] for model in self._models]
        self._state.cost[:] = np.concatenate(costs)
        self._state.slope[:] = np.tile(slope, len(self._models))
        if len(self._vdf.physical):
            owner = self._models[0].owner
            if owner is not None:
                flow = np.bincount(owner, flow, minlength=len(flow))
            self._state.flow[:] = flow
        else:
            self._state.flow[:] = flow[self._star.link]

    def link_flow(self) -> Array:
        """Return what all classes together put on links, ``[link], pce/h``; see above."""
        return np.asarray(self.class_flow().sum(axis=0))

    def improve(self, od_cost: Array, gap: float, wanted: float) -> None:
        """Widen and shift all bushes.

        Parameters
        ----------
        od_cost : array [class x zone, zone], s
            Least costs on the whole network.
        gap, wanted : float
            Relative gap now, and at the end: rounds end well below the one, or below the other.
        """
        least = least_spent(self.demand, od_cost)
        if not self._has_grown():
            strict = self._from_nothing and gap > FAR
            self._grow(SLACK * gap, self._needy(least), strict, od_cost)
        elastic = len(self._choice.total) > 0
        stuck = gap > 0.5 * self._last_gap
        self._strictness, self._last_gap = self._strictness * ENOUGH_AGAIN if stuck else 1.0, gap
        share = (ENOUGH_TRADED if elastic else ENOUGH) * self._strictness
        enough = max(share * gap, 0.1 * wanted * self._strictness) * float(least.sum())
        self._labels = with_members(self._labels, self._rows)
        find_cores(self._rows, elastic, self._n_workers, self._labels)
        little = 0.0
        for _ in range(ROUNDS):
            label_all(self._rows, self._state.cost, little, elastic, self._n_workers, self._labels)
            excess = float(self._labels.excess.sum())
            if elastic:
                off = trade_all(
                    self._rows, self._vdf, self._state, self._choice, self.demand, self._labels
                )
                excess += off * self._choice.scale
            if excess <= enough:
                break
            if little == 0.0:
                little = LITTLE * enough / max(int(self._labels.n_merges.sum()), 1)
            self._shift()

    def _has_grown(self) -> bool:
        """Return whether bushes of another network have just grown at about this flow."""
        before, self._grown_at = self._grown_at, None
        if before is None:
            return False
        flow = self._class_flow.sum(axis=0)
        return bool(np.abs(flow - before).sum() <= SAME * flow.sum())

    def _needy(self, least: Array) -> Array:
        """Return which origins have excess worth growing for, ``[bush]``."""
        excess = np.empty(len(least))
        sum_costs(self._rows, self._state.cost, excess)
        excess -= least
        order = np.argsort(excess)
        needy = np.empty(len(excess), dtype=bool)
        needy[order] = np.cumsum(np.maximum(excess[order], 0.0)) > FEW * max(excess.sum(), 0.0)
        return needy

    def _shift(self) -> None:
        """Shift flow once on all bushes together, by their labels."""
        rows, labels, n_workers = self._rows, self._labels, self._n_workers
        n_merges = int(labels.n_merges.sum())
        if n_merges > len(self._merges.sign):
            self._merges = merge_work(len(rows.size), int(1.1 * n_merges))
        merges = self._merges
        np.cumsum(labels.n_merges, out=merges.first[1:])
        sign_merges(rows, n_workers, labels, merges)
        if n_merges > len(self._pairs.split):
            self._pairs = pair_work(len(merges.sign), 0)
        n_pairs = pair_up(merges, self._pairs)
        n_places = int(self._pairs.first_arc[n_pairs])
        if n_places > len(self._pairs.link):
            room = int(1.1 * n_places)
            self._pairs = self._pairs._replace(
                link=np.empty(room, dtype=np.int32), slope=np.empty(room)
            )
        pairs = self._pairs
        lay_out(rows, n_workers, labels, merges, pairs, n_pairs, self._vdf.physical, self._state)
        gained = plan(pairs, n_pairs, self._change)
        if gained > 0.0:
            length = step_length(gained, self._vdf, self._state, self._change)
            part_change = self._block_flow[:N_PARTS]
            carry_out(rows, labels, merges, pairs, length, part_change)
            take_change(part_change, self._vdf, self._state)
