"""Bushes: for each origin the acyclic set of links that its flow may use.

Source: R. B. Dial (2006), A path-based user-equilibrium traffic assignment algorithm that obviates
path storage and enumeration, *Transportation Research B* 40(10), sections 3 to 5; Y. Nie (2010), A
class of bush-based algorithms for the traffic assignment problem, *Transportation Research B*
44(1), section 3.

A bush is a row of links and their flows, grouped by head, heads in topological order: one sweep
forward gives labels, one sweep backward flows, and neither needs a heap. Deviations: all merges of
a bush are shifted in one backward pass with the labels of its start, each by a Newton step on the
costs of that moment, and passes are repeated while the bush's own excess falls.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cczsim.kernels._jit import kernel, parallel_kernel
from cczsim.kernels.shortest_path import grow_tree
from cczsim.kernels.types import N_BLOCKS, NO_LINK


@kernel
def link_time(vdf: Any, a: int, flow: float) -> float:
    """Return the cost of a link at a flow, s."""
    if vdf.beta[a] == 4.0:
        square = flow * flow
        return float(vdf.constant[a] + vdf.factor[a] * square * square)
    return float(vdf.constant[a] + vdf.factor[a] * flow ** vdf.beta[a])


@kernel
def link_slope(vdf: Any, a: int, flow: float) -> float:
    """Return the derivative of a link's cost by its flow, s h/pce."""
    beta = vdf.beta[a]
    if beta == 4.0:
        return float(4.0 * vdf.factor[a] * flow * flow * flow)
    if beta == 0.0 or vdf.factor[a] == 0.0:
        return 0.0
    if beta < 1.0:
        flow = max(flow, vdf.least[a])
    return float(beta * vdf.factor[a] * flow ** (beta - 1.0))


@kernel
def _move(vdf: Any, state: Any, a: int, change: float) -> None:
    """Change the flow of a link, and its cost and slope with it."""
    flow = max(state.flow[a] + change, 0.0)
    state.flow[a] = flow
    state.cost[a] = link_time(vdf, a, flow)
    state.slope[a] = link_slope(vdf, a, flow)


@kernel
def settle(star: Any, link: Any, flow: Any, n: int, node_flow: Any) -> None:
    """Sweep a bush backward: flows that carry what its nodes attract, split as they were.

    Parameters
    ----------
    link : int32 array [place]
    flow : float64 array [place], written
    n : int
        Links of the bush.
    node_flow : float64 array [node], written
        In: what each node attracts. Out: what passes it.
    """
    stop = n
    while stop > 0:
        head = star.head[link[stop - 1]]
        start = stop - 1
        total = flow[start]
        while start > 0 and star.head[link[start - 1]] == head:
            start -= 1
            total += flow[start]
        through = node_flow[head]
        if stop - start == 1:
            flow[start] = through
            node_flow[star.tail[link[start]]] += through
        elif total > 0.0:
            scale = through / total
            for k in range(start, stop):
                flow[k] *= scale
                node_flow[star.tail[link[k]]] += flow[k]
        else:
            for k in range(start + 1, stop):
                flow[k] = 0.0
            flow[start] = through
            node_flow[star.tail[link[start]]] += through
        stop = start


@kernel
def label(star: Any, state: Any, origin: int, link: Any, flow: Any, n: int, work: Any) -> float:
    """Sweep a bush forward: least costs, and greatest costs of used ways, with their last links.

    Returns
    -------
    float
        Flow x cost over the bush.
    """
    work.low[origin] = 0.0
    work.high[origin] = 0.0
    work.place[origin] = -1
    total = 0.0
    k = 0
    while k < n:
        head = star.head[link[k]]
        work.place[head] = k
        best, best_at, worst, worst_at = np.inf, k, -np.inf, -1
        while k < n and star.head[link[k]] == head:
            a = link[k]
            tail = star.tail[a]
            cost = state.cost[a]
            if work.low[tail] + cost < best:
                best = work.low[tail] + cost
                best_at = k
            if flow[k] > 0.0:
                total += flow[k] * cost
                if work.high[tail] + cost > worst:
                    worst = work.high[tail] + cost
                    worst_at = k
            k += 1
        work.low[head] = best
        work.short[head] = best_at
        work.high[head] = worst if worst_at >= 0 else best
        work.long[head] = worst_at if worst_at >= 0 else best_at
    return total


@kernel
def shift(star: Any, vdf: Any, state: Any, link: Any, flow: Any, n: int, work: Any) -> None:
    """Shift flow at every merge from its costliest used way to its cheapest, last merges first."""
    stop = n
    while stop > 0:
        head = star.head[link[stop - 1]]
        start = stop - 1
        while start > 0 and star.head[link[start - 1]] == head:
            start -= 1
        if stop - start > 1 and work.short[head] != work.long[head]:
            _shift_at(star, vdf, state, link, flow, head, work)
        stop = start


@kernel
def _shift_at(star: Any, vdf: Any, state: Any, link: Any, flow: Any, head: int, work: Any) -> None:
    cheap, dear = work.short[head], work.long[head]
    a, b = link[cheap], link[dear]
    gain = state.cost[b] - state.cost[a]
    slope = state.slope[b] + state.slope[a]
    most = flow[dear]
    i, j = star.tail[a], star.tail[b]
    while i != j:
        if work.place[i] > work.place[j]:
            a = link[work.short[i]]
            gain -= state.cost[a]
            slope += state.slope[a]
            i = star.tail[a]
        else:
            at = work.long[j]
            b = link[at]
            gain += state.cost[b]
            slope += state.slope[b]
            most = min(most, flow[at])
            j = star.tail[b]
    if gain <= 0.0 or most <= 0.0:
        return
    change = most
    if slope * most > gain:
        change = gain / slope
    meet = i
    at = cheap
    while True:
        a = link[at]
        flow[at] += change
        _move(vdf, state, a, change)
        i = star.tail[a]
        if i == meet:
            break
        at = work.short[i]
    at = dear
    while True:
        b = link[at]
        flow[at] = max(flow[at] - change, 0.0)
        _move(vdf, state, b, -change)
        j = star.tail[b]
        if j == meet:
            break
        at = work.long[j]


@kernel
def _drop_unused(star: Any, link: Any, flow: Any, n: int, work: Any, least: float) -> int:
    """Drop links without flow, but for the cheapest into each node; return how many stay."""
    kept = 0
    for k in range(n):
        head = star.head[link[k]]
        if flow[k] <= least:
            if work.short[head] != k:
                continue
            flow[k] = 0.0
        link[kept] = link[k]
        flow[kept] = flow[k]
        kept += 1
    return kept


@kernel
def _add(
    star: Any, state: Any, origin: int, link: Any, flow: Any, n: int, work: Any, strict: bool
) -> int:
    """Append links that shorten ways and close no circle; return the new number of links.

    A link may enter the bush where its head lies farther from the origin than its tail by the
    greatest cost of any way (Dial, section 5). ``strict`` asks that it also be a shortcut.
    """
    size = n
    for k in range(-1, n):
        if k >= 0 and k + 1 < n and star.head[link[k + 1]] == star.head[link[k]]:
            continue
        tail = origin if k < 0 else star.head[link[k]]
        if tail != origin and not star.through[tail]:
            continue
        for a in range(star.first_out[tail], star.first_out[tail + 1]):
            head = star.head[a]
            if head == origin or work.place[head] < 0 or work.stamp[a] == work.stamp[-1]:
                continue
            cost = state.cost[a]
            if work.high[tail] + cost < work.high[head] and (
                not strict or work.low[tail] + cost < work.low[head]
            ):
                if size == len(link):
                    return size
                link[size] = a
                flow[size] = 0.0
                size += 1
    return size


@kernel
def _greatest(star: Any, state: Any, origin: int, link: Any, n: int, work: Any) -> None:
    """Label nodes with the greatest cost of any way of the bush, and stamp the bush's links."""
    work.stamp[-1] += 1
    for node in range(len(work.place)):
        work.place[node] = -1
    work.high[origin] = 0.0
    for k in range(n):
        a = link[k]
        head = star.head[a]
        work.stamp[a] = work.stamp[-1]
        cost = work.high[star.tail[a]] + state.cost[a]
        if work.place[head] < 0:
            work.place[head] = k
            work.high[head] = cost
        elif cost > work.high[head]:
            work.high[head] = cost


@kernel
def _regroup(star: Any, origin: int, link: Any, flow: Any, n: int, work: Any) -> bool:
    """Bring the links of a bush into topological order of their heads (Kahn, 1962).

    Returns
    -------
    bool
        False where the links hold a circle; then nothing is changed.
    """
    n_nodes = len(work.place)
    first, waiting, rank = work.first, work.waiting, work.rank
    for node in range(n_nodes + 1):
        first[node] = 0
    for node in range(n_nodes):
        waiting[node] = 0
        rank[node] = -1
    for k in range(n):
        first[star.tail[link[k]] + 1] += 1
        waiting[star.head[link[k]]] += 1
    for node in range(n_nodes):
        first[node + 1] += first[node]
    for k in range(n):
        tail = star.tail[link[k]]
        work.out[first[tail]] = k
        first[tail] += 1
    # ``first`` has moved on by one node: the links out of a node begin where the last one ended.
    queue = work.queue
    queue[0] = origin
    size, taken, edges = 1, 0, 0
    while taken < size:
        node = queue[taken]
        rank[node] = taken
        taken += 1
        start = 0 if node == 0 else first[node - 1]
        for place in range(start, first[node]):
            head = star.head[link[work.out[place]]]
            edges += 1
            waiting[head] -= 1
            if waiting[head] == 0:
                queue[size] = head
                size += 1
    if edges < n:
        return False
    for place in range(size + 1):
        first[place] = 0
    for k in range(n):
        first[rank[star.head[link[k]]] + 1] += 1
    for place in range(size):
        first[place + 1] += first[place]
    for k in range(n):
        place = rank[star.head[link[k]]]
        work.new_link[first[place]] = link[k]
        work.new_flow[first[place]] = flow[k]
        first[place] += 1
    for k in range(n):
        link[k] = work.new_link[k]
        flow[k] = work.new_flow[k]
    return True


@kernel
def _replant(
    star: Any, state: Any, origin: int, link: Any, flow: Any, n: int, work: Any, least: float
) -> int:
    """Hang what a bush does not use on the least-cost tree of the present; return its new size.

    Where no flow passes, a bush is a tree that nothing keeps up to date: ways through it would be
    found one link an iteration.
    """
    reached = grow_tree(
        star, state.cost, origin, work.pred, work.order, work.least, work.heap, work.keys
    )
    for node in range(len(work.place)):
        work.waiting[node] = 0
    for k in range(n):
        if flow[k] > least:
            work.waiting[star.head[link[k]]] = 1
    kept = 0
    for k in range(n):
        a = link[k]
        tail, head = star.tail[a], star.head[a]
        used = flow[k] > least
        if not used:
            cheapest = work.short[head] == k and work.waiting[head] == 1
            if not cheapest or (work.waiting[tail] == 0 and tail != origin):
                continue
        link[kept] = a
        flow[kept] = flow[k] if used else 0.0
        kept += 1
    for place in range(1, reached):
        node = work.order[place]
        if work.waiting[node] == 0:
            link[kept] = work.pred[node]
            flow[kept] = 0.0
            kept += 1
    _regroup(star, origin, link, flow, kept, work)
    return kept


@kernel
def widen(
    star: Any, state: Any, origin: int, link: Any, flow: Any, n: int, work: Any, least: float,
    replant: bool,
) -> int:  # fmt: skip
    """Drop what a bush does not use, and add what would shorten its ways; return its new size.

    The labels of :func:`label` must be those of the present costs.
    """
    if replant:
        kept: int = _replant(star, state, origin, link, flow, n, work, least)
    else:
        kept = _drop_unused(star, link, flow, n, work, least)
    _greatest(star, state, origin, link, kept, work)
    size: int = _add(star, state, origin, link, flow, kept, work, True)
    if size == kept:
        size = _add(star, state, origin, link, flow, kept, work, False)
    if size > kept and _regroup(star, origin, link, flow, size, work):
        return size
    return kept


@kernel
def _least_total(zone: int, origins: Any, demand: Any, low: Any) -> float:
    """Return what the trips of an origin would cost on its cheapest ways, pce s/h."""
    least = 0.0
    for other in range(len(origins)):
        if other != zone and demand[zone, other] > 0.0:
            least += demand[zone, other] * low[origins[other]]
    return least


@kernel
def improve(
    star: Any, state: Any, origins: Any, demand: Any, size: Any, link: Any, flow: Any,
    od_cost: Any, work: Any, share: float,
) -> None:  # fmt: skip
    """Drop from every bush what it does not use, and add what would shorten its ways.

    Parameters
    ----------
    star : ForwardStar
    state : LinkState
        Flow, cost and slope of each link.
    origins : int32 array [zone]
    demand : float64 array [zone, zone], pce/h
    size : int32 array [zone], written
    link, flow : int32 and float64 arrays [zone, place], written
    od_cost : float64 array [zone, zone], s
        Least costs on the whole network; bushes that miss them are hung anew.
    work : BushWork
    share : float
        How much of its cost a bush may miss them by.
    """
    for zone in range(len(origins)):
        total = demand[zone].sum() - demand[zone, zone]
        if total <= 0.0:
            continue
        origin = origins[zone]
        cost = label(star, state, origin, link[zone], flow[zone], size[zone], work)
        least = _least_total(zone, origins, demand, work.low)
        missed = least
        for other in range(len(origins)):
            if other != zone and demand[zone, other] > 0.0:
                missed -= demand[zone, other] * od_cost[zone, other]
        size[zone] = widen(
            star, state, origin, link[zone], flow[zone], size[zone], work, 1e-14 * total,
            missed > share * cost,
        )  # fmt: skip


@kernel
def equalise(
    star: Any, vdf: Any, state: Any, origins: Any, demand: Any, size: Any, link: Any, flow: Any,
    work: Any, rounds: int, share: float,
) -> int:  # fmt: skip
    """Shift flow on all bushes, one after another, round after round.

    Parameters
    ----------
    vdf : Vdf
    state : LinkState
        Written.
    rounds : int
        Rounds at most.
    share : float
        A bush is left once its excess is below this share of its total cost.

    Returns
    -------
    int
        Rounds done.
    """
    left = size > 0
    for done in range(rounds):
        if not left.any():
            return done
        for zone in range(len(origins)):
            if not left[zone]:
                continue
            n = size[zone]
            cost = label(star, state, origins[zone], link[zone], flow[zone], n, work)
            if cost - _least_total(zone, origins, demand, work.low) > share * cost:
                shift(star, vdf, state, link[zone], flow[zone], n, work)
            else:
                left[zone] = False
    return rounds


@kernel
def plant(origin: int, pred: Any, order: Any, reached: int, link: Any) -> int:
    """Make a bush of a least-cost tree; return its number of links."""
    n = 0
    for place in range(reached):
        node = order[place]
        if node != origin and pred[node] != NO_LINK:
            link[n] = pred[node]
            n += 1
    return n


@parallel_kernel
def settle_all(
    star: Any, origins: Any, demand: Any, size: Any, link: Any, flow: Any, block_flow: Any
) -> None:
    """Settle the flows of all bushes and sum them, in parallel over fixed blocks of origins.

    Parameters
    ----------
    block_flow : float64 array [N_BLOCKS, link of the star], written
    """
    n_zones = len(origins)
    for block in numba.prange(N_BLOCKS):
        block_flow[block] = 0.0
        node_flow = np.empty(len(star.first_out) - 1)
        for zone in range(block * n_zones // N_BLOCKS, (block + 1) * n_zones // N_BLOCKS):
            node_flow[:] = 0.0
            total = 0.0
            for other in range(n_zones):
                if other != zone:
                    node_flow[origins[other]] += demand[zone, other]
                    total += demand[zone, other]
            if total <= 0.0:
                continue
            settle(star, link[zone], flow[zone], size[zone], node_flow)
            for k in range(size[zone]):
                block_flow[block, link[zone, k]] += flow[zone, k]
