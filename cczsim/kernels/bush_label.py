"""Where the ways of a bush part and meet, and which of them is the cheapest and the dearest."""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from cczsim.kernels._jit import inner_kernel, parallel_kernel, sub_kernel
from cczsim.kernels.types import Array


class Labels(NamedTuple):
    """What labels say about each bush.

    Parameters
    ----------
    core : int32 array [bush, position]
        The positions that labels are asked for, rising; ``~position`` where labels begin at 0.
    n_core : int32 array [bush]
    scratch : int32 array [worker, 2, position]
    low : float64 array [worker, position], s
        Scratch space: least costs of one bush at a time.
    short, main : int32 array [bush, position]
        Places of the last arcs of the cheapest way, and of that with the most flow; at merges only.
    merge, dear : int32 array [bush, member]
        Merges, rising, with the place of a used arc that is not the cheapest way's.
    n_merges : int32 array [bush]
    excess : float64 array [bush], pce s/h
        What the flow costs above the least costs of the bush.
    to_zone : float64 array [bush, zone], s
        Least costs, where somebody asks.
    """

    core: Array
    n_core: Array
    scratch: Array
    low: Array
    short: Array
    main: Array
    merge: Array
    dear: Array
    n_merges: Array
    excess: Array
    to_zone: Array


@sub_kernel
def find_core(rows: Any, bush: int, dominator: Any, top: Any, core: Any) -> int:
    """List the positions where ways part and meet again: there alone flow can be shifted.

    A position belongs to the core if it lies between a merge and its immediate dominator, the last
    position that all ways to the merge pass. All arcs into it belong to the core as well, so that
    differences of labels are those of the whole bush, wherever the labels begin. Dominators are
    those of K. Cooper, T. Harvey and K. Kennedy (2001), A simple, fast dominance algorithm; in
    topological order one pass finds them.

    Parameters
    ----------
    rows : Rows
    bush : int
    dominator, top : int32 array [position]
        Scratch space.
    core : int32 array [position], written
        Rising; ``~position`` where no arc of the core leads, and labels begin.

    Returns
    -------
    int
        Length of the core.
    """
    first, tail, size = rows.first[bush], rows.tail[bush], rows.size[bush]
    dominator[0] = 0
    top[0] = 0
    n_merges = 0
    for p in range(1, size):
        start, stop = first[p], first[p + 1]
        meet = tail[start]
        for k in range(start + 1, stop):
            other = tail[k]
            while meet != other:
                if meet > other:
                    meet = dominator[meet]
                else:
                    other = dominator[other]
        dominator[p] = meet
        top[p] = p
        if stop - start > 1:
            n_merges += 1
            top[p] = meet
    if n_merges == 0:
        return 0
    n_core = 0
    for p in range(size - 1, -1, -1):
        above = top[p]
        if above < 0:
            above = ~above
            if above == p:
                core[n_core] = ~p
                n_core += 1
                continue
        if above == p:
            continue
        core[n_core] = p
        n_core += 1
        for k in range(first[p], first[p + 1]):
            t = tail[k]
            now = top[t] if top[t] >= 0 else ~top[t]
            # The complement marks that an arc of the core leaves the position.
            top[t] = ~(min(now, above) if t > above else now)
    core[:n_core] = core[:n_core][::-1].copy()
    return n_core


@sub_kernel
def _core_mine(rows: Any, everything: bool, worker: int, n_workers: int, labels: Any) -> None:
    dominator, top = labels.scratch[worker, 0], labels.scratch[worker, 1]
    for bush in range(worker, len(rows.size), n_workers):
        core = labels.core[bush]
        if everything:
            labels.n_core[bush] = rows.size[bush]
            core[0] = ~0
            for p in range(1, rows.size[bush]):
                core[p] = p
        else:
            labels.n_core[bush] = find_core(rows, bush, dominator, top, core)


@parallel_kernel
def find_cores(rows: Any, everything: bool, n_workers: int, labels: Any) -> None:
    """List the positions of all bushes that labels are asked for, in parallel.

    Parameters
    ----------
    rows : Rows
    everything : bool
        Whether all positions are asked for, with costs from the origin.
    n_workers : int
        Threads; changes no bit.
    labels : Labels
        Its cores are written.
    """
    for worker in numba.prange(n_workers):
        _core_mine(rows, everything, worker, n_workers, labels)


@sub_kernel
def label(rows: Any, bush: int, cost: Any, least: float, low: Any, labels: Any) -> None:
    """Sweep a bush's core forward: least costs, and where other ways than the cheapest are used.

    Parameters
    ----------
    rows : Rows
    bush : int
    cost : float64 array [arc], s
    least : float
        What flow on a way is to cost above the cheapest to be listed, pce s/h.
    low : float64 array [position], written
    labels : Labels, written for the bush
    """
    first, arc, tail, flow = rows.first[bush], rows.arc[bush], rows.tail[bush], rows.flow[bush]
    short, main = labels.short[bush], labels.main[bush]
    merge, dear = labels.merge[bush], labels.dear[bush]
    core = labels.core[bush]
    excess = 0.0
    n_merges = 0
    for c in range(labels.n_core[bush]):
        p = core[c]
        if p < 0:
            low[~p] = 0.0
            continue
        start, stop = first[p], first[p + 1]
        if stop - start == 1:
            low[p] = low[tail[start]] + cost[arc[start]]
            continue
        best, best_at, main_at = np.inf, start, start
        total = 0.0
        spent = 0.0
        for k in range(start, stop):
            here = low[tail[k]] + cost[arc[k]]
            if here < best:
                best, best_at = here, k
            total += flow[k]
            spent += flow[k] * here
            if flow[k] > flow[main_at]:
                main_at = k
        low[p] = best
        short[p] = best_at
        main[p] = main_at
        excess += spent - total * best
        for k in range(start, stop):
            if k == best_at or flow[k] == 0.0:
                continue
            if flow[k] * (low[tail[k]] + cost[arc[k]] - best) >= least:
                merge[n_merges] = p
                dear[n_merges] = k
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


@sub_kernel
def _label_mine(
    rows: Any, cost: Any, least: float, to_zone: bool, worker: int, n_workers: int, labels: Any
) -> None:
    low = labels.low[worker]
    for bush in range(worker, len(rows.size), n_workers):
        label(rows, bush, cost, least, low, labels)
        if to_zone:
            for zone in range(rows.at.shape[1]):
                if rows.at[bush, zone] >= 0:
                    labels.to_zone[bush, zone] = low[rows.at[bush, zone]]


@parallel_kernel
def label_all(
    rows: Any, cost: Any, least: float, to_zone: bool, n_workers: int, labels: Any
) -> None:
    """Label all bushes, in parallel.

    Parameters
    ----------
    rows : Rows
    cost : float64 array [arc], s
    least : float
        What flow on a way is to cost above the cheapest to be listed, pce s/h.
    to_zone : bool
        Whether ``labels.to_zone`` is asked for; cores are to hold everything then.
    n_workers : int
        Threads; changes no bit.
    labels : Labels, written
    """
    for worker in numba.prange(n_workers):
        _label_mine(rows, cost, least, to_zone, worker, n_workers, labels)
