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
:func:`shift_mix` make up.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numba
import numpy as np

from cczsim.kernels._jit import kernel, parallel_kernel
from cczsim.kernels.hyperpath import (
    BOARDINGS,
    N_PARTS,
    WEIGHTED,
    label_nodes,
    load_strategy,
    skim_origin,
)
from cczsim.kernels.types import N_BLOCKS

N_SLOTS: Final = 12
NOBODY: Final = -1
_SAME: Final = 1e-11
_RARE: Final = 1e-9
LEAST_PACE: Final = 1.0 / 64.0
_MOST_PACE: Final = 32.0


class StrategyPool(NamedTuple):
    """Strategies by destination and slot, and who follows them.

    Parameters
    ----------
    via, order : int32 array [zone, slot, stop + entry]
        From :func:`~cczsim.kernels.hyperpath.label_nodes`.
    reached : int32 array [zone, slot]
        Nodes of ``order`` that count; 0 where the slot is free.
    access : int32 array [zone, slot, origin]
        Access that the origin leaves by, -1 if the strategy does not serve it.
    share : float64 array [zone, slot + 1, origin]
        The last of them gives up.
    pace, excess : float64 array [zone, slot + 1, origin]
        Factor of the step away from a slot, or from giving up, and the excess cost there at the
        last move, s.
    lead : int32 array [zone, origin]
        Slot that the last move went to, ``N_SLOTS`` for giving up.
    """

    via: Any
    order: Any
    reached: Any
    access: Any
    share: Any
    pace: Any
    excess: Any
    lead: Any


@parallel_kernel
def load_mix(net: Any, pool: Any, trips: Any, entry_flow: Any, walk_flow: Any, access_flow: Any,
             pair_first: Any, pairs: Any) -> None:  # fmt: skip
    """Load all strategies of a pool.

    Flows as in :func:`~.hyperpath.assign_strategies`, ``pair_first`` and ``pairs``, by block, as in
    :func:`~.hyperpath.load_strategy`.
    """
    n_zones = len(net.zone_first) - 1
    n_nodes = len(net.stop_first) - 1 + len(net.entry_stop)
    for block in numba.prange(N_BLOCKS):
        entry_flow[block] = 0.0
        walk_flow[block] = 0.0
        access_flow[block] = 0.0
        pairs[block] = 0.0
        flow = np.zeros(n_nodes)
        for zone in range(block * n_zones // N_BLOCKS, (block + 1) * n_zones // N_BLOCKS):
            _load_zone(net, pool, trips, zone, flow, entry_flow[block], walk_flow[block],
                       access_flow[block], pair_first, pairs[block])  # fmt: skip


@kernel
def _load_zone(net: Any, pool: Any, trips: Any, zone: int, flow: Any, entry_flow: Any,
               walk_flow: Any, access_flow: Any, pair_first: Any,
               pairs: Any) -> None:  # fmt: skip
    """Add the flow to one destination by all of its strategies."""
    for slot in range(N_SLOTS):
        if pool.reached[zone, slot] == 0:
            continue
        for origin in range(len(trips)):
            riders = trips[origin, zone] * pool.share[zone, slot, origin]
            if riders > 0.0:
                access = pool.access[zone, slot, origin]
                flow[net.access_stop[access]] += riders
                access_flow[0, access] += riders
        load_strategy(net, zone, pool.via[zone, slot], pool.order[zone, slot],
                      pool.reached[zone, slot], flow, entry_flow, walk_flow, access_flow[1],
                      pair_first, pairs)  # fmt: skip


@parallel_kernel
def mark_rides(net: Any, weight: Any, rides: Any) -> None:
    """Mark the accesses from which the best strategy to a zone boards a line.

    Where vehicles fill, passengers who left by them may come to walk all the way; an access that
    leads to a walk from the start serves no transit trips.

    Parameters
    ----------
    rides : bool array [zone, access], written
    """
    n_zones = len(net.zone_first) - 1
    n_stops = len(net.stop_first) - 1
    n_nodes = n_stops + len(net.entry_stop)
    for block in numba.prange(N_BLOCKS):
        parts = np.empty((N_PARTS, n_nodes))
        via = np.empty(n_nodes, np.int32)
        rate = np.empty(n_stops)
        heap = np.empty((2, n_nodes), np.int32)
        keys = np.empty(n_nodes)
        order = np.empty(n_nodes, np.int32)
        for zone in range(block * n_zones // N_BLOCKS, (block + 1) * n_zones // N_BLOCKS):
            label_nodes(net, weight, zone, parts, via, rate, heap, keys, order)
            for access in range(len(net.access_stop)):
                stop = net.access_stop[access]
                rides[zone, access] = (
                    parts[WEIGHTED, stop] < np.inf and parts[BOARDINGS, stop] > 0.0
                )


@kernel
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


@kernel
def price_strategy(
    net: Any, weight: Any, zone: int, via: Any, order: Any, reached: int, bend_run: Any,
    bend_wait: Any, cost: Any, bend: Any,
) -> None:  # fmt: skip
    """Find the expected cost of a strategy from each of its nodes, and how steep it is.

    Parameters
    ----------
    bend_run : float64 array [entry], s
        Flow on the run that leaves the entry times the derivative of its cost by that flow.
    bend_wait : float64 array [entry]
        Minus the elasticity of the entry's frequency to boardings.
    cost, bend : float64 array [stop + entry], s, written where the strategy leads
    """
    n_stops = len(net.stop_first) - 1
    for place in range(reached):
        node = order[place]
        if node >= n_stops:
            entry = node - n_stops
            if via[node] & 1:
                cost[node] = net.run_time[entry] + net.run_fare[entry] + cost[node + 1]
                bend[node] = bend_run[entry] + bend[node + 1]
            else:
                cost[node] = cost[net.entry_stop[entry]]
                bend[node] = bend[net.entry_stop[entry]]
        elif via[node] >= 0:
            ahead = net.walk_to[via[node]]
            cost[node] = weight[0] * net.walk_time[via[node]] + cost[ahead]
            bend[node] = bend[ahead]
        elif via[node] == -2:
            best = np.inf
            for a in range(net.zone_first[zone], net.zone_first[zone + 1]):
                if net.access_stop[net.zone_access[a]] == node:
                    best = min(best, net.access_time[net.zone_access[a]])
            cost[node] = weight[0] * best
            bend[node] = 0.0
        else:
            rate, ahead_cost, ahead_bend, slack = 0.0, 0.0, 0.0, 0.0
            for e in range(net.stop_first[node], net.stop_first[node + 1]):
                entry = net.stop_entry[e]
                if via[n_stops + entry] == 3:
                    frequency = net.frequency[entry]
                    rate += frequency
                    ahead_cost += frequency * (weight[2] + cost[n_stops + entry])
                    ahead_bend += frequency * bend[n_stops + entry]
                    slack += frequency / (1.0 + bend_wait[entry])
            wait = weight[1] * weight[3] / rate
            cost[node] = wait + ahead_cost / rate
            # More passengers turn to the lines with room: the elasticities add up harmonically.
            bend[node] = wait * (rate / slack - 1.0) + ahead_bend / rate


@kernel
def newton_step(
    net: Any, pair_first: Any, pairs: Any, boardings: Any, miss: Any, bend_wait: Any, step: Any
) -> None:
    """Find the change of frequencies by which they agree with the boardings they bring about.

    To first order, stop by stop: with ``P`` the pairs over the boardings of the first,
    ``(1 + b) step - b P step = miss``, a matrix with a dominant diagonal.

    Parameters
    ----------
    pair_first, pairs
        As in :func:`~.hyperpath.load_strategy`, summed over blocks.
    boardings : float64 array [entry], trips/h
    miss : float64 array [entry]
        Logarithm of the frequency that the boardings give less that of the present one.
    bend_wait : float64 array [entry]
        See :func:`price_strategy`.
    step : float64 array [entry], written
        Change of the logarithm; ``miss`` where pairs are not known.
    """
    for stop in range(len(net.stop_first) - 1):
        begin = net.stop_first[stop]
        size = net.stop_first[stop + 1] - begin
        if pair_first[stop] < 0:
            for e in range(size):
                step[net.stop_entry[begin + e]] = miss[net.stop_entry[begin + e]]
            continue
        matrix = np.zeros((size, size + 1))
        for e in range(size):
            entry = net.stop_entry[begin + e]
            matrix[e, size] = miss[entry]
            matrix[e, e] = 1.0
            if boardings[entry] > 0.0:
                matrix[e, e] += bend_wait[entry]
                for j in range(size):
                    share = pairs[pair_first[stop] + e * size + j] / boardings[entry]
                    matrix[e, j] -= bend_wait[entry] * share
        for e in range(size):
            for below in range(e + 1, size):
                factor = matrix[below, e] / matrix[e, e]
                if factor != 0.0:
                    for j in range(e, size + 1):
                        matrix[below, j] -= factor * matrix[e, j]
        for e in range(size - 1, -1, -1):
            value = matrix[e, size]
            for j in range(e + 1, size):
                value -= matrix[e, j] * step[net.stop_entry[begin + j]]
            step[net.stop_entry[begin + e]] = value / matrix[e, e]


@parallel_kernel
def shift_mix(
    net: Any, loaded: Any, weight: Any, trips: Any, limit: Any, bend_run: Any, bend_wait: Any,
    caution: float, spread: float, fare: float, rides: Any, pool: Any, skims: Any, totals: Any,
) -> None:  # fmt: skip
    """Measure the mix at present costs, add strategies that are cheaper, and move passengers.

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
        From :func:`mark_rides`.
    pool : StrategyPool, written
        Empty at first: everybody then takes the best strategy.
    skims : float64 array [N_PARTS, zone, zone], written
        Of the best strategies; walks all the way, where vehicles are full, among them.
    totals : float64 array [N_BLOCKS, 3], s trips/h, written
        Weighted wait of the flows that were loaded, before the move; least cost of those who ride;
        excess cost of those who stay away.
    """
    n_zones = len(net.zone_first) - 1
    n_stops = len(net.stop_first) - 1
    n_entries = len(net.entry_stop)
    n_nodes = n_stops + n_entries
    for block in numba.prange(N_BLOCKS):
        totals[block] = 0.0
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
        for zone in range(block * n_zones // N_BLOCKS, (block + 1) * n_zones // N_BLOCKS):
            entry_flow[:] = 0.0
            _load_zone(loaded, pool, trips, zone, flow, entry_flow, walk_flow, access_flow,
                       no_pairs, nothing)  # fmt: skip
            for stop in range(n_stops):
                longest = 0.0
                for e in range(net.stop_first[stop], net.stop_first[stop + 1]):
                    entry = net.stop_entry[e]
                    longest = max(longest, entry_flow[1, entry] / net.frequency[entry])
                totals[block, 0] += weight[1] * weight[3] * longest
            reached = label_nodes(net, weight, zone, parts, via, rate, heap, keys, order)
            for origin in range(n_zones):
                access[origin] = _leave_by(net, zone, parts, weight, origin, rides[zone])
                skim_origin(net, zone, parts, weight, origin, access[origin], skims)
                away = pool.share[zone, N_SLOTS, origin]
                cost[N_SLOTS, origin] = limit[origin, zone]
                bend[N_SLOTS, origin] = 0.0
                if spread > 0.0 and access[origin] >= 0 and limit[origin, zone] < np.inf:
                    cost[N_SLOTS, origin] -= fare * skims[BOARDINGS, origin, zone]
                    if pool.share[zone, :, origin].sum() > 0.5:
                        share = _inside(away)
                        cost[N_SLOTS, origin] += spread * np.log(share / (1.0 - share))
                if trips[origin, zone] > 0.0:
                    staying = cost[N_SLOTS, origin]
                    least = min(skims[WEIGHTED, origin, zone], staying)
                    totals[block, 1] += trips[origin, zone] * (1.0 - away) * least
                    if away > 0.0:
                        totals[block, 2] += trips[origin, zone] * away * (staying - least)
            for slot in range(N_SLOTS):
                for origin in range(n_zones):
                    cost[slot, origin] = np.inf
                    bend[slot, origin] = 0.0
                if pool.reached[zone, slot] == 0:
                    continue
                price_strategy(net, weight, zone, pool.via[zone, slot], pool.order[zone, slot],
                               pool.reached[zone, slot], bend_run, bend_wait, node_cost,
                               node_bend)  # fmt: skip
                for origin in range(n_zones):
                    own = pool.access[zone, slot, origin]
                    if own >= 0:
                        stop = net.access_stop[own]
                        cost[slot, origin] = node_cost[stop] + weight[0] * net.access_time[own]
                        bend[slot, origin] = node_bend[stop]
            if _improves(cost, skims[WEIGHTED], trips, zone):
                slot = _slot_for_new(pool, trips, zone)
                _keep(pool, zone, slot, via, order, reached, access)
                price_strategy(net, weight, zone, via, order, reached, bend_run, bend_wait,
                               node_cost, node_bend)  # fmt: skip
                for origin in range(n_zones):
                    cost[slot, origin] = skims[WEIGHTED, origin, zone]
                    bend[slot, origin] = 0.0
                    if access[origin] >= 0:
                        bend[slot, origin] = node_bend[net.access_stop[access[origin]]]
            for origin in range(n_zones):
                if trips[origin, zone] > 0.0:
                    _move(pool, zone, origin, cost[:, origin], bend[:, origin], caution,
                          spread)  # fmt: skip
            _free_slots(pool, trips, zone)


@kernel
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
    return total > 0.0 and (first or gain > _SAME * total)


@kernel
def _followers(pool: Any, trips: Any, zone: int, slot: int) -> float:
    """Return the trips that follow a strategy."""
    riders = 0.0
    for origin in range(len(trips)):
        riders += trips[origin, zone] * pool.share[zone, slot, origin]
    return riders


@kernel
def _slot_for_new(pool: Any, trips: Any, zone: int) -> int:
    """Return a free slot; where there is none, the least used, whose followers join the others."""
    least, chosen = np.inf, -1
    for slot in range(N_SLOTS):
        riders = -1.0
        if pool.reached[zone, slot] > 0:
            riders = _followers(pool, trips, zone, slot)
        if riders < least:
            least, chosen = riders, slot
    for origin in range(len(trips)):
        pool.pace[zone, chosen, origin] = 1.0
        pool.excess[zone, chosen, origin] = 0.0
        if pool.lead[zone, origin] == chosen:
            pool.lead[zone, origin] = NOBODY
        left = 1.0 - pool.share[zone, chosen, origin]
        pool.share[zone, chosen, origin] = 0.0
        if 1e-9 < left < 1.0:
            for slot in range(N_SLOTS + 1):
                pool.share[zone, slot, origin] /= left
    return chosen


@kernel
def _keep(pool: Any, zone: int, slot: int, via: Any, order: Any, reached: int, access: Any) -> None:
    """Write a strategy into a slot.

    Slices of the pool that are assigned in the parallel loop itself are lost (numba 0.68).
    """
    pool.reached[zone, slot] = reached
    for node in range(len(via)):
        pool.via[zone, slot, node] = via[node]
        pool.order[zone, slot, node] = order[node]
    for origin in range(len(access)):
        pool.access[zone, slot, origin] = access[origin]


@kernel
def _move(
    pool: Any, zone: int, origin: int, cost: Any, bend: Any, caution: float, spread: float
) -> None:
    """Move passengers of a pair of zones towards the best of its alternatives."""
    best, held = N_SLOTS, 0.0
    for slot in range(N_SLOTS + 1):
        held += pool.share[zone, slot, origin]
        if cost[slot] < cost[best]:
            best = slot
    if held < 0.5:
        for slot in range(N_SLOTS + 1):
            pool.share[zone, slot, origin] = 1.0 if slot == best else 0.0
        if spread > 0.0:
            best = 0
            for slot in range(N_SLOTS):
                if cost[slot] < cost[best]:
                    best = slot
            away = 0.0
            if cost[N_SLOTS] < np.inf:
                away = _inside(1.0 / (1.0 + np.exp((cost[N_SLOTS] - cost[best]) / spread)))
            pool.share[zone, :, origin] = 0.0
            pool.share[zone, best, origin] = 1.0 - away
            pool.share[zone, N_SLOTS, origin] = away
        return
    away = _inside(pool.share[zone, N_SLOTS, origin])
    lead = pool.lead[zone, origin]
    moved = 0.0
    for slot in range(N_SLOTS + 1):
        share = pool.share[zone, slot, origin]
        before = pool.excess[zone, slot, origin]
        pool.excess[zone, slot, origin] = 0.0
        pace = pool.pace[zone, slot, origin]
        if before > 0.0 and lead >= 0:
            left = cost[slot] - cost[lead]
            if left < -_SAME * cost[lead]:
                pace = max(0.5 * pace, LEAST_PACE)
            elif left > 0.4 * before:
                # Between riding and staying away the step is Newton's; between strategies that
                # share lines it is too short.
                longest = 1.0 if slot == N_SLOTS or lead == N_SLOTS else _MOST_PACE
                pace = max(min(1.5 * pace, longest), min(pace, longest))
            pool.pace[zone, slot, origin] = pace
        excess = cost[slot] - cost[best]
        if slot == best or share == 0.0 or excess <= _SAME * cost[best]:
            continue
        pace *= caution
        part = min(pace, 1.0)
        steep = bend[slot] + bend[best]
        if spread > 0.0 and slot == N_SLOTS:
            steep += spread / (1.0 - away)
        elif spread > 0.0 and best == N_SLOTS:
            steep += spread * share / (away * (1.0 - away))
        if excess * pace < part * steep:
            part = excess * pace / steep
        if spread > 0.0 and best == N_SLOTS:
            part = min(part, 0.999)  # somebody always rides: a logit has no cost at 0
        elif share * (1.0 - part) < 1e-12:
            part = 1.0
        moved += share * part
        pool.excess[zone, slot, origin] = excess
        pool.share[zone, slot, origin] = share * (1.0 - part)
    if moved > 0.0:
        pool.lead[zone, origin] = best
        pool.share[zone, best, origin] += moved
        if spread > 0.0 and cost[N_SLOTS] < np.inf:
            _keep_inside(pool, zone, origin)


@kernel
def _inside(share: float) -> float:
    """Return a share kept off 0 and 1, where a logit has no cost."""
    return min(max(share, _RARE), 1.0 - _RARE)


@kernel
def _keep_inside(pool: Any, zone: int, origin: int) -> None:
    """Keep the share that stays away off 0 and 1."""
    riding = 0.0
    for slot in range(N_SLOTS):
        riding += pool.share[zone, slot, origin]
    kept = _inside(riding)
    if riding > 0.0:
        for slot in range(N_SLOTS):
            pool.share[zone, slot, origin] *= kept / riding
    pool.share[zone, N_SLOTS, origin] = 1.0 - kept


@kernel
def _free_slots(pool: Any, trips: Any, zone: int) -> None:
    """Empty the slots that nobody follows."""
    for slot in range(N_SLOTS):
        if pool.reached[zone, slot] == 0:
            continue
        if _followers(pool, trips, zone, slot) == 0.0:
            pool.reached[zone, slot] = 0
            for origin in range(len(trips)):
                pool.share[zone, slot, origin] = 0.0
                if pool.lead[zone, origin] == slot:
                    pool.lead[zone, origin] = NOBODY
