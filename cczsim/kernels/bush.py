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
def move(vdf: Any, state: Any, a: int, change: float) -> None:
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
def least_total(zone: int, origins: Any, demand: Any, low: Any) -> float:
    """Return what the trips of an origin would cost on its cheapest ways, pce s/h."""
    least = 0.0
    for other in range(len(origins)):
        if other != zone and demand[zone, other] > 0.0:
            least += demand[zone, other] * low[origins[other]]
    return least


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
        move(vdf, state, a, change)
        i = star.tail[a]
        if i == meet:
            break
        at = work.short[i]
    at = dear
    while True:
        b = link[at]
        flow[at] = max(flow[at] - change, 0.0)
        move(vdf, state, b, -change)
        j = star.tail[b]
        if j == meet:
            break
        at = work.long[j]


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
