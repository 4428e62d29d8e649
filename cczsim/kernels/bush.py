"""Bushes: for each origin the acyclic set of links that its flow may use.

Source: R. B. Dial (2006), A path-based user-equilibrium traffic assignment algorithm that obviates
path storage and enumeration, *Transportation Research B* 40(10), sections 3 to 5; Y. Nie (2010), A
class of bush-based algorithms for the traffic assignment problem, *Transportation Research B*
44(1), section 3.

A bush numbers its nodes by *position*, a topological order that begins with its origin, and holds
the arcs into each position side by side: one sweep forward gives labels, one sweep backward flows,
and neither needs a heap or a look at the network. It holds what leads to some destination, and
nothing else. Deviations: all merges of a bush are shifted in one backward pass, by a Newton step on
the costs of that moment, with labels that may be a few bushes old; passes are repeated while the
bush's own excess is of any weight.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from cczsim.kernels._jit import inner_kernel, kernel, parallel_kernel
from cczsim.kernels.types import N_BLOCKS, Array
from cczsim.kernels.vdf import move

OVERSHOT = 0.1
"""A shift is cut back once it makes the cheap way dearer by this share of what it was to gain."""


class Rows(NamedTuple):
    """The bushes of all origins.

    Parameters
    ----------
    size : int32 array [bush]
        Positions in use, 0 where nobody travels.
    first : int32 array [bush, position + 1]
        Offset of the first arc into a position; position 0, the origin, has none.
    arc : int32 array [bush, place]
    tail : int32 array [bush, place]
        Position where the arc begins; it is smaller than that where it ends.
    flow : float64 array [bush, place], pce/h
    at : int32 array [bush, zone]
        Position of each destination; -1 where none is asked for.
    """

    size: Array
    first: Array
    arc: Array
    tail: Array
    flow: Array
    at: Array


class Labels(NamedTuple):
    """What labels say about each bush.

    Parameters
    ----------
    low, high : float64 array [worker, position], s
        Scratch space: least cost, and the greatest of used ways, of one bush at a time.
    short, long : int32 array [bush, position]
        Places of the last arcs of both ways; at merges only.
    merge : int32 array [bush, position]
        The merges whose two ways differ, rising.
    n_merges : int32 array [bush]
    excess : float64 array [bush], pce s/h
        What the flow costs above the least costs of the bush.
    to_zone : float64 array [bush, zone], s
        Least costs, where somebody asks.
    """

    low: Array
    high: Array
    short: Array
    long: Array
    merge: Array
    n_merges: Array
    excess: Array
    to_zone: Array


@kernel
def settle(first: Any, tail: Any, flow: Any, size: int, through: Any) -> None:
    """Sweep a bush backward: flows that carry what its nodes attract, split as they were.

    Parameters
    ----------
    first, tail, flow : arrays of a bush; ``flow`` is written
    size : int
        Positions.
    through : float64 array [position], written
        In: what each node attracts. Out: what passes it.
    """
    for p in range(size - 1, 0, -1):
        start, stop = first[p], first[p + 1]
        here = through[p]
        if stop - start == 1:
            flow[start] = here
            through[tail[start]] += here
            continue
        total = 0.0
        for k in range(start, stop):
            total += flow[k]
        if total > 0.0:
            scale = here / total
            for k in range(start, stop):
                flow[k] *= scale
                through[tail[k]] += flow[k]
        else:
            # What has no flow yet came last: the way of least cost.
            for k in range(start, stop):
                flow[k] = 0.0
            flow[stop - 1] = here
            through[tail[stop - 1]] += here


@kernel
def _settle_block(rows: Any, demand: Any, first: int, stop: int, total: Any) -> None:
    total[:] = 0.0
    through = np.empty(rows.first.shape[1])
    for bush in range(first, stop):
        size = rows.size[bush]
        through[:size] = 0.0
        for zone in range(demand.shape[1]):
            if rows.at[bush, zone] >= 0:
                through[rows.at[bush, zone]] += demand[bush, zone]
        settle(rows.first[bush], rows.tail[bush], rows.flow[bush], size, through)
        for k in range(rows.first[bush, size]):
            total[rows.arc[bush, k]] += rows.flow[bush, k]


@parallel_kernel
def settle_all(rows: Any, demand: Any, block_flow: Any) -> None:
    """Settle the flows of all bushes and sum them, in parallel over fixed blocks of origins.

    Parameters
    ----------
    rows : Rows
        Its flow is written.
    demand : float64 array [bush, zone], pce/h
    block_flow : float64 array [N_BLOCKS, arc], written
    """
    n_bushes = len(rows.size)
    for block in numba.prange(N_BLOCKS):
        first, stop = block * n_bushes // N_BLOCKS, (block + 1) * n_bushes // N_BLOCKS
        _settle_block(rows, demand, first, stop, block_flow[block])


@kernel
def label(rows: Any, bush: int, cost: Any, little: float, low: Any, high: Any, labels: Any) -> None:
    """Sweep a bush forward: least costs, and greatest costs of used ways, with their last arcs.

    Parameters
    ----------
    rows : Rows
    bush : int
    cost : float64 array [arc], s
    little : float, pce s/h
        Merges at which less is to be gained are passed over.
    low, high : float64 array [position], written
    labels : Labels, written for the bush
    """
    first, arc, tail, flow = rows.first[bush], rows.arc[bush], rows.tail[bush], rows.flow[bush]
    short, long, merge = labels.short[bush], labels.long[bush], labels.merge[bush]
    low[0] = 0.0
    high[0] = 0.0
    excess = 0.0
    n_merges = 0
    k = 0
    for p in range(1, rows.size[bush]):
        stop = first[p + 1]
        t = tail[k]
        here = cost[arc[k]]
        if stop - k == 1:
            low[p] = low[t] + here
            high[p] = high[t] + here
            k = stop
            continue
        best, best_at, worst, worst_at = low[t] + here, k, -np.inf, -1
        total = 0.0
        spent = 0.0
        while k < stop:
            t = tail[k]
            here = cost[arc[k]]
            least = low[t] + here
            if least < best:
                best, best_at = least, k
            if flow[k] > 0.0:
                total += flow[k]
                spent += flow[k] * least
                if high[t] + here > worst:
                    worst, worst_at = high[t] + here, k
            k += 1
        low[p] = best
        short[p] = best_at
        if worst_at < 0:
            high[p] = best
            long[p] = best_at
        else:
            high[p] = worst
            long[p] = worst_at
            excess += spent - total * best
            if worst_at != best_at and flow[worst_at] * (worst - best) > little:
                merge[n_merges] = p
                n_merges += 1
    labels.excess[bush] = excess
    labels.n_merges[bush] = n_merges


@inner_kernel
def last_place(first: Any, chosen: Any, p: int) -> int:
    """Return the place of the arc by which a way comes to a position."""
    start: int = first[p]
    if first[p + 1] - start == 1:
        return start
    place: int = chosen[p]
    return place


@kernel
def shift(rows: Any, bush: int, vdf: Any, state: Any, labels: Any) -> None:
    """Shift flow at every merge from its costliest used way to its cheapest, last merges first."""
    first, arc, tail, flow = rows.first[bush], rows.arc[bush], rows.tail[bush], rows.flow[bush]
    short, long, merge = labels.short[bush], labels.long[bush], labels.merge[bush]
    kind, factor, alpha, beta, free, capacity, background, fixed, physical, twin_first, twin = vdf
    link_flow, cost, rise = state
    for m in range(labels.n_merges[bush] - 1, -1, -1):
        cheap, dear = short[merge[m]], long[merge[m]]
        most = flow[dear]
        if most <= 0.0:
            continue
        gain = cost[arc[dear]] - cost[arc[cheap]]
        slope = rise[arc[dear]] + rise[arc[cheap]]
        i, j = tail[cheap], tail[dear]
        while i != j:
            if i > j:
                k = last_place(first, short, i)
                gain -= cost[arc[k]]
                slope += rise[arc[k]]
                i = tail[k]
            else:
                k = last_place(first, long, j)
                gain += cost[arc[k]]
                slope += rise[arc[k]]
                most = min(most, flow[k])
                j = tail[k]
        if gain <= 0.0 or most <= 0.0:
            continue
        change = most
        if slope * most > gain:
            change = gain / slope
        meet = i
        # Where costs rise faster than their slope says, the step went too far: once more, back by
        # the secant.
        back = change
        for again in range(2):
            left = 0.0
            k = cheap
            while True:
                flow[k] = max(flow[k] + change, 0.0)
                move(
                    kind, factor, alpha, beta, free, capacity, background, fixed, physical,
                    twin_first, twin, link_flow, cost, rise, arc[k], change,
                )  # fmt: skip
                left -= cost[arc[k]]
                if tail[k] == meet:
                    break
                k = last_place(first, short, tail[k])
            k = dear
            while True:
                flow[k] = max(flow[k] - change, 0.0)
                move(
                    kind, factor, alpha, beta, free, capacity, background, fixed, physical,
                    twin_first, twin, link_flow, cost, rise, arc[k], -change,
                )  # fmt: skip
                left += cost[arc[k]]
                if tail[k] == meet:
                    break
                k = last_place(first, long, tail[k])
            if again == 1 or left >= -OVERSHOT * gain:
                break
            change = -back * left / (left - gain)
