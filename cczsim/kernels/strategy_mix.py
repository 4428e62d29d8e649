"""Passengers of each pair of zones divided over several strategies, and moved to cheaper ones.

For each destination a pool holds up to ``N_SLOTS`` strategies; each origin has a share on each, and
a share that stays away. What a round moves is a diagonal Newton step in shares: with excess cost
``e`` over the best strategy, and ``b`` the seconds by which costs along both would change if all
flow on them grew by its own amount, the part ``e / b`` of those on the dearer one moves. Everybody
at a full line counts alike in this, however many pairs of zones use it. A pace by pair and strategy
is halved where the last move went too far, and raised where it left most of the excess.

Waiting follows R. Cominetti and J. Correa (2001), Common-lines and passenger assignment in
congested transit networks, *Transportation Science* 35(3), and M. Cepeda, R. Cominetti and M.
Florian (2006), A frequency-based assignment model for congested transit networks with strict
capacity constraints, *Transportation Research B* 40(6), whose gap function the totals of
:func:`shift_block` make up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.kernels._jit import block_kernel, sub_kernel
from cczsim.kernels.hyperpath import BOARDINGS, N_PARTS, WEIGHTED, label_nodes, skim_origin
from cczsim.kernels.strategy_cost import price_strategy
from cczsim.kernels.strategy_move import SAME, inside, move
from cczsim.kernels.strategy_pool import N_SLOTS, free_slots, held, keep, load_zone, slot_for_new


@block_kernel
def shift_block(
    block: int, net: Any, loaded: Any, weight: Any, trips: Any, limit: Any, bend_run: Any,
    bend_wait: Any, caution: float, spread: float, fare: float, rides: Any, pool: Any, skims: Any,
    block_totals: Any,
) -> None:  # fmt: skip
    """Measure strategies to a block, add those that are cheaper, and move passengers.

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
    bend_run, bend_wait : float64 array [entry]
        See :func:`price_strategy`.
    caution : float
        Factor of every step, at most 1.
    spread : float
        0 where all stay away at ``limit``; else the scale of a logit in s: a share ``u`` that stays
        away does so at ``limit - fare x boardings + spread ln(u / (1 - u))``.
    fare : float
        Cost of a boarding to those who choose whether to come, s.
    rides : bool array [zone, access]
        From :func:`~.hyperpath.assign_block`, of empty vehicles.
    pool : StrategyPool, written
        Empty at first: everybody then takes the best strategy.
    skims : float64 array [N_PARTS, zone, zone], written
        Of the best strategies; walks all the way, where vehicles are full, among them.
    block_totals : float64 array [block, 3], s trips/h, the block's written
        Weighted wait of the flows that were loaded, before the move; least cost of those who ride;
        excess cost of those who stay away.
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
    flow = np.zeros(n_nodes)
    entry_flow = np.zeros((3, n_entries))
    walk_flow = np.zeros(len(net.walk_from))
    access_flow = np.zeros((2, len(net.access_time)))
    node_cost = np.empty(n_nodes)
    node_bend = np.empty(n_nodes)
    cost = np.empty((N_SLOTS + 1, n_zones))
    bend = np.empty((N_SLOTS + 1, n_zones))
    access = np.empty(n_zones, np.int32)
    no_pairs = np.full(n_stops, -1)
    nothing = np.zeros(0)
    for zone in range(block * n_zones // n_blocks, (block + 1) * n_zones // n_blocks):
        entry_flow[:] = 0.0
        load_zone(loaded, pool, trips, zone, flow, entry_flow, walk_flow, access_flow,
                   no_pairs, nothing)  # fmt: skip
        for stop in range(n_stops):
            longest = 0.0
            for e in range(net.stop_first[stop], net.stop_first[stop + 1]):
                entry = net.stop_entry[e]
                longest = max(longest, entry_flow[1, entry] / net.frequency[entry])
            totals[0] += weight[1] * weight[3] * longest
        reached = label_nodes(net, weight, zone, parts, via, rate, heap, keys, order)
        for origin in range(n_zones):
            access[origin] = _leave_by(net, zone, parts, weight, origin, rides[zone])
            skim_origin(net, zone, parts, weight, origin, np.int64(access[origin]), skims)
            away = pool.share[zone, N_SLOTS, origin]
            cost[N_SLOTS, origin] = limit[origin, zone]
            bend[N_SLOTS, origin] = 0.0
            if spread > 0.0 and access[origin] >= 0 and limit[origin, zone] < np.inf:
                cost[N_SLOTS, origin] -= fare * skims[BOARDINGS, origin, zone]
                if held(pool, zone, origin) > 0.5:
                    share = inside(away)
                    cost[N_SLOTS, origin] += spread * np.log(share / (1.0 - share))
            if trips[origin, zone] > 0.0:
                staying = cost[N_SLOTS, origin]
                least = min(skims[WEIGHTED, origin, zone], staying)
                totals[1] += trips[origin, zone] * (1.0 - away) * least
                if away > 0.0:
                    totals[2] += trips[origin, zone] * away * (staying - least)
        for slot in range(N_SLOTS):
            for origin in range(n_zones):
                cost[slot, origin] = np.inf
                bend[slot, origin] = 0.0
            if pool.reached[zone, slot] == 0:
                continue
            price_strategy(net, weight, zone, pool.via[zone, slot], pool.order[zone, slot],
                           np.int64(pool.reached[zone, slot]), bend_run, bend_wait, node_cost,
                           node_bend)  # fmt: skip
            for origin in range(n_zones):
                own = pool.access[zone, slot, origin]
                if own >= 0:
                    stop = net.access_stop[own]
                    cost[slot, origin] = node_cost[stop] + weight[0] * net.access_time[own]
                    bend[slot, origin] = node_bend[stop]
        if _improves(cost, skims[WEIGHTED], trips, zone):
            slot = slot_for_new(pool, trips, zone)
            keep(pool, zone, slot, via, order, reached, access)
            price_strategy(net, weight, zone, via, order, reached, bend_run, bend_wait,
                           node_cost, node_bend)  # fmt: skip
            for origin in range(n_zones):
                cost[slot, origin] = skims[WEIGHTED, origin, zone]
                bend[slot, origin] = 0.0
                if access[origin] >= 0:
                    bend[slot, origin] = node_bend[net.access_stop[access[origin]]]
        for origin in range(n_zones):
            if trips[origin, zone] > 0.0:
                move(pool, zone, origin, cost[:, origin], bend[:, origin], caution,
                      spread)  # fmt: skip
        free_slots(pool, trips, zone)


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
def _improves(cost: Any, least: Any, trips: Any, zone: int) -> bool:
    """Say whether the new strategy is cheaper than the pool's for anybody who travels."""
    gain, total = 0.0, 0.0
    for origin in range(len(trips)):
        if trips[origin, zone] > 0.0:
            known = np.inf
            for slot in range(N_SLOTS + 1):
                known = min(known, cost[slot, origin])
            new = min(least[origin, zone], cost[N_SLOTS, origin])
            gain += trips[origin, zone] * (known - new)
            total += trips[origin, zone] * abs(new)
    first = True
    for slot in range(N_SLOTS):
        for origin in range(len(trips)):
            first = first and cost[slot, origin] == np.inf
    return total > 0.0 and (first or gain > SAME * total)
