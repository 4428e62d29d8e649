"""Passengers of each pair of zones divided over several strategies, and better ones found.

For each destination a pool holds up to ``N_SLOTS`` strategies; each origin has a share on each, and
a share that stays away. :func:`respond_block` says what passengers do at some conditions, and
:func:`search_block` how far that is from equilibrium.

Waiting follows R. Cominetti and J. Correa (2001), Common-lines and passenger assignment in
congested transit networks, *Transportation Science* 35(3), and M. Cepeda, R. Cominetti and M.
Florian (2006), A frequency-based assignment model for congested transit networks with strict
capacity constraints, *Transportation Research B* 40(6), whose gap function the totals of
:func:`search_block` make up.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cczsim.kernels._jit import block_kernel, sub_kernel
from cczsim.kernels.hyperpath import (
    BOARDINGS,
    N_PARTS,
    WEIGHTED,
    label_nodes,
    load_strategy,
    skim_origin,
)
from cczsim.kernels.strategy_cost import price_strategy
from cczsim.kernels.strategy_move import FORGOTTEN, RARE_LOG, divide, inside
from cczsim.kernels.strategy_pool import N_SLOTS, free_slots, keep, load_zone, slot_for_new

_SAME: Final = 1e-11
_NEW: Final = 0.1
"""Share with which a pair of zones starts on a strategy that is new to it."""


@block_kernel
def respond_block(
    block: int, net: Any, weight: Any, trips: Any, limit: Any, scale: float, spread: float,
    fare: float, pool: Any, block_entry_flow: Any, block_walk_flow: Any, block_access_flow: Any,
    block_movable: Any,
) -> None:  # fmt: skip
    """Divide passengers over their strategies at some conditions, and load them.

    Parameters
    ----------
    net : LineGraph
        At those conditions.
    weight : float64 array [4]
        See :func:`~.hyperpath.label_nodes`.
    trips : float64 array [zone, zone], trips/h
    limit, spread, fare
        See :func:`search_block`.
    scale : float, s
        See :func:`~.strategy_move.divide`.
    pool : StrategyPool, ``share`` written
    block_entry_flow, block_walk_flow, block_access_flow
        As in :func:`~.hyperpath.assign_block`.
    block_movable : float64 array [block, 2, entry], trips/h, the block's written
        Aboard and boarding, each strategy's part times one less its share: how much would change
        for each ``scale`` that a ride or a wait costs more. No entries if not wanted.
    """
    n_blocks = len(block_entry_flow)
    entry_flow = block_entry_flow[block]
    walk_flow = block_walk_flow[block]
    access_flow = block_access_flow[block]
    n_zones = len(net.zone_first) - 1
    n_nodes = len(net.stop_first) - 1 + len(net.entry_stop)
    entry_flow[:] = 0.0
    walk_flow[:] = 0.0
    access_flow[:] = 0.0
    flow = np.zeros(n_nodes)
    node_cost = np.empty((2, n_nodes))
    cost = np.empty((n_zones, N_SLOTS + 1))
    boards = np.zeros((n_zones, N_SLOTS))
    movable = np.zeros((3, len(net.entry_stop)))
    counts = block_movable.shape[2] > 0
    nowhere = np.zeros(max(len(net.walk_from), len(net.access_time)))
    for zone in range(block * n_zones // n_blocks, (block + 1) * n_zones // n_blocks):
        cost[:] = np.inf
        for origin in range(n_zones):
            cost[origin, N_SLOTS] = limit[origin, zone]
        for slot in range(N_SLOTS):
            if pool.reached[zone, slot] > 0:
                price_origins(net, weight, zone, pool.via[zone, slot], pool.order[zone, slot],
                              np.int64(pool.reached[zone, slot]), pool.access[zone, slot],
                              node_cost, cost[:, slot], boards[:, slot])  # fmt: skip
        for origin in range(n_zones):
            if trips[origin, zone] > 0.0:
                divide(pool.base[zone, origin], cost[origin], boards[origin], scale, spread, fare,
                       pool.share[zone, origin])  # fmt: skip
        load_zone(net, pool, trips, zone, flow, entry_flow, walk_flow, access_flow)
        for slot in range(N_SLOTS):
            if pool.reached[zone, slot] == 0 or not counts:
                continue
            for origin in range(n_zones):
                share = pool.share[zone, origin, slot]
                if trips[origin, zone] > 0.0 and 0.0 < share < 1.0:
                    stop = net.access_stop[pool.access[zone, slot, origin]]
                    flow[stop] += trips[origin, zone] * share * (1.0 - share)
            load_strategy(net, zone, pool.via[zone, slot], pool.order[zone, slot],
                          np.int64(pool.reached[zone, slot]), flow, movable, nowhere,
                          nowhere)  # fmt: skip
    for entry in range(block_movable.shape[2]):
        block_movable[block, 0, entry] = movable[0, entry]
        block_movable[block, 1, entry] = movable[1, entry]


@block_kernel
def search_block(
    block: int, net: Any, loaded: Any, weight: Any, trips: Any, limit: Any, scale: float,
    spread: float, fare: float, ready: float, rides: Any, pool: Any, skims: Any, block_totals: Any,
) -> None:  # fmt: skip
    """Measure strategies to a block, and let passengers move from where they are to better ones.

    Parameters
    ----------
    net : LineGraph
        At the costs and frequencies of the flows that were loaded.
    loaded : LineGraph
        With the frequencies that they were loaded with.
    weight : float64 array [4]
        See :func:`~.hyperpath.label_nodes`.
    trips : float64 array [zone, zone], trips/h
        0 where no strategy leads.
    limit : float64 array [zone, zone], s
        Cost of staying away: that at which passengers give up, or that of other modes.
    scale : float, s
        See :func:`~.strategy_move.divide`.
    spread : float
        0 where all stay away at ``limit``; else the scale of a logit in s: a share ``u`` that stays
        away does so at ``limit - fare x boardings + spread ln(u / (1 - u))``, boardings being the
        mean of those who ride.
    fare : float
        Cost of a boarding to those who choose whether to come, s.
    ready : float
        Share that each pair of zones has to give up with, at least, in its next move.
    rides : bool array [zone, access]
        From :func:`~.hyperpath.assign_block`, of empty vehicles.
    pool : StrategyPool, ``base`` and strategies written
        Empty at first: everybody then takes the best strategy.
    skims : float64 array [N_PARTS, zone, zone], written
        Of the best strategies; walks all the way, where vehicles are full, among them. Boardings
        are the mean of those who ride.
    block_totals : float64 array [block, 3], s trips/h, the block's written
        Weighted wait of the flows that were loaded; least cost of those who ride; excess cost of
        those who stay away.
    """
    n_blocks = len(block_totals)
    totals = block_totals[block]
    n_zones = len(net.zone_first) - 1
    n_stops = len(net.stop_first) - 1
    n_entries = len(net.entry_stop)
    n_nodes = n_stops + n_entries
    totals[:] = 0.0
    parts = np.empty((N_PARTS, n_nodes))
    via = np.empty(n_nodes, np.int32)
    rate = np.empty(n_stops)
    heap = np.empty((2, n_nodes), np.int32)
    keys = np.empty(n_nodes)
    order = np.empty(n_nodes, np.int32)
    used = np.empty(n_nodes, np.bool_)
    flow = np.zeros(n_nodes)
    entry_flow = np.zeros((3, n_entries))
    walk_flow = np.zeros(len(net.walk_from))
    access_flow = np.zeros((2, len(net.access_time)))
    node_cost = np.empty((2, n_nodes))
    cost = np.empty((n_zones, N_SLOTS + 1))
    boards = np.zeros((n_zones, N_SLOTS))
    access = np.empty(n_zones, np.int32)
    for zone in range(block * n_zones // n_blocks, (block + 1) * n_zones // n_blocks):
        entry_flow[:] = 0.0
        load_zone(loaded, pool, trips, zone, flow, entry_flow, walk_flow, access_flow)
        for stop in range(n_stops):
            longest = 0.0
            for e in range(net.stop_first[stop], net.stop_first[stop + 1]):
                entry = net.stop_entry[e]
                longest = max(longest, entry_flow[1, entry] / net.frequency[entry])
            totals[0] += weight[1] * weight[3] * longest
        reached = label_nodes(net, weight, zone, parts, via, rate, heap, keys, order)
        cost[:] = np.inf
        for slot in range(N_SLOTS):
            if pool.reached[zone, slot] > 0:
                price_origins(net, weight, zone, pool.via[zone, slot], pool.order[zone, slot],
                              np.int64(pool.reached[zone, slot]), pool.access[zone, slot],
                              node_cost, cost[:, slot], boards[:, slot])  # fmt: skip
        for origin in range(n_zones):
            access[origin] = _leave_by(net, zone, parts, weight, origin, rides[zone])
            skim_origin(net, zone, parts, weight, origin, np.int64(access[origin]), skims)
            cost[origin, N_SLOTS] = limit[origin, zone]
            if trips[origin, zone] > 0.0:
                share = pool.share[zone, origin]
                away = share[N_SLOTS]
                staying = limit[origin, zone]
                boardings = _mean(share, boards[origin], skims[BOARDINGS, origin, zone])
                skims[BOARDINGS, origin, zone] = boardings
                if spread > 0.0 and staying < np.inf:
                    staying += spread * np.log(inside(away) / (1.0 - inside(away)))
                    staying -= fare * boardings
                least = min(skims[WEIGHTED, origin, zone], staying)
                totals[1] += trips[origin, zone] * (1.0 - away) * least
                if away > 0.0:
                    totals[2] += trips[origin, zone] * away * (staying - least)
        for origin in range(n_zones):
            _start_from(pool, zone, origin, ready)
        free_slots(pool, trips, zone)
        if _improves(cost, skims[WEIGHTED], trips, zone, spread):
            slot = slot_for_new(pool, trips, zone)
            keep(net, pool, zone, slot, via, order, reached, access, used)
            for origin in range(n_zones):
                cost[origin, slot] = skims[WEIGHTED, origin, zone]
                if access[origin] >= 0:
                    boards[origin, slot] = parts[BOARDINGS, net.access_stop[access[origin]]]
        for origin in range(n_zones):
            if trips[origin, zone] > 0.0:
                _try_best(pool.base[zone, origin], cost[origin], boards[origin], scale, spread,
                          fare, ready)  # fmt: skip
        free_slots(pool, trips, zone)


@sub_kernel
def price_origins(
    net: Any, weight: Any, zone: int, via: Any, order: Any, reached: int, access: Any,
    node_cost: Any, cost: Any, boards: Any,
) -> None:  # fmt: skip
    """Write what a strategy costs from each origin that it serves, and its boardings."""
    price_strategy(net, weight, zone, via, order, reached, node_cost[0], node_cost[1])
    for origin in range(len(cost)):
        own = access[origin]
        if own >= 0:
            stop = net.access_stop[own]
            cost[origin] = node_cost[0, stop] + weight[0] * net.access_time[own]
            boards[origin] = node_cost[1, stop]


@sub_kernel
def _mean(share: Any, boards: Any, of_best: float) -> float:
    """Return the mean boardings of those who ride; those of the best where nobody does."""
    total, riding = 0.0, 0.0
    for slot in range(N_SLOTS):
        total += share[slot] * boards[slot]
        riding += share[slot]
    return total / riding if riding > 0.0 else of_best


@sub_kernel
def _leave_by(net: Any, zone: int, parts: Any, weight: Any, origin: int, rides: Any) -> int:
    """Return the access that an origin leaves by, of those that lead to rides; -1 if none does."""
    best = np.inf
    chosen = -1
    for a in range(net.zone_first[origin], net.zone_first[origin + 1]):
        access = net.zone_access[a]
        key = parts[WEIGHTED, net.access_stop[access]] + weight[0] * net.access_time[access]
        if origin != zone and rides[access] and key < best:
            best = key
            chosen = access
    return chosen


@sub_kernel
def _start_from(pool: Any, zone: int, origin: int, ready: float) -> None:
    """Let the next moves of a pair of zones begin at its shares; what is next to nothing is 0."""
    total = 0.0
    for slot in range(N_SLOTS + 1):
        if pool.share[zone, origin, slot] > FORGOTTEN:
            total += pool.share[zone, origin, slot]
    for slot in range(N_SLOTS + 1):
        share = pool.share[zone, origin, slot]
        pool.base[zone, origin, slot] = share / total if share > FORGOTTEN else 0.0
    if total > 0.0:
        pool.base[zone, origin, N_SLOTS] = max(pool.base[zone, origin, N_SLOTS], ready)


@sub_kernel
def _try_best(
    base: Any, cost: Any, boards: Any, scale: float, spread: float, fare: float, ready: float
) -> None:
    """Let some of a pair of zones begin with the cheapest there is, all of them at first."""
    total, best, used = 0.0, 0, np.inf
    for slot in range(N_SLOTS + 1):
        total += base[slot]
        if cost[slot] < cost[best] and (slot < N_SLOTS or spread == 0.0):
            best = slot
        if base[slot] > 0.0 and (slot < N_SLOTS or spread == 0.0):
            used = min(used, cost[slot])
    if total == 0.0:
        away = 0.0
        if spread > 0.0:
            odds = (cost[N_SLOTS] - cost[best] - fare * boards[best]) / spread
            away = inside(1.0 / (1.0 + np.exp(min(odds, RARE_LOG))))
        base[N_SLOTS] = max(away, ready)
        base[best] = max(1.0 - away, _NEW * ready)
        return
    gain = used - cost[best]
    if gain > _SAME * cost[best]:
        part = _NEW * min(gain / scale, 1.0)
        for slot in range(N_SLOTS + 1):
            base[slot] *= 1.0 - part
        base[best] += part


@sub_kernel
def _improves(cost: Any, least: Any, trips: Any, zone: int, spread: float) -> bool:
    """Say whether the new strategy is cheaper than the pool's for anybody who travels."""
    gain, total = 0.0, 0.0
    known_any = False
    for origin in range(len(trips)):
        known = np.inf
        for slot in range(N_SLOTS):
            known_any = known_any or cost[origin, slot] < np.inf
            known = min(known, cost[origin, slot])
        if trips[origin, zone] > 0.0:
            new = least[origin, zone]
            if spread == 0.0:
                # In a logit somebody rides however dear it is.
                known = min(known, cost[origin, N_SLOTS])
                new = min(new, cost[origin, N_SLOTS])
            gain += trips[origin, zone] * (known - new)
            total += trips[origin, zone] * abs(new)
    return total > 0.0 and (not known_any or gain > _SAME * total)
