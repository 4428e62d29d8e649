"""Bushes: for each origin the acyclic set of links that its flow may use.

Source: R. B. Dial (2006), A path-based user-equilibrium traffic assignment algorithm that obviates
path storage and enumeration, *Transportation Research B* 40(10), sections 3 to 5; Y. Nie (2010), A
class of bush-based algorithms for the traffic assignment problem, *Transportation Research B*
44(1), section 3.

A bush numbers its nodes by *position*, a topological order that begins with its origin, and holds
the arcs into each position side by side: one sweep forward gives labels, one sweep backward flows,
and neither needs a heap or a look at the network. It holds what leads to some destination, and
nothing else. Deviation: merges are not shifted one by one, but those of all bushes together; see
:mod:`cczsim.kernels.bush_plan`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from cczsim.kernels._jit import kernel, parallel_kernel, sub_kernel
from cczsim.kernels.types import N_BLOCKS, Array


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


@sub_kernel
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


@sub_kernel
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


@sub_kernel
def _bush_cost(first: Any, size: Any, arc: Any, flow: Any, cost: Any, bush: int) -> float:
    total = 0.0
    for k in range(first[bush, size[bush]]):
        total += flow[bush, k] * cost[arc[bush, k]]
    return total


@parallel_kernel
def sum_costs(rows: Any, cost: Any, spent: Any) -> None:
    """Sum what the flow of each bush costs, in parallel.

    Parameters
    ----------
    rows : Rows
    cost : float64 array [arc], s
    spent : float64 array [bush], pce s/h, written
    """
    n_bushes = len(rows.size)
    for block in numba.prange(N_BLOCKS):
        for bush in range(block * n_bushes // N_BLOCKS, (block + 1) * n_bushes // N_BLOCKS):
            spent[bush] = _bush_cost(rows.first, rows.size, rows.arc, rows.flow, cost, bush)


@kernel
def copy_rows(rows: Any, source: Any, arc_now: Any, copy: Any) -> None:
    """Copy bushes, with arcs numbered anew.

    Parameters
    ----------
    rows : Rows
    source : int32 array [bush]
        Which bush to copy; -1 leaves an empty one.
    arc_now : int32 array [arc]
        Where an arc is gone, -1: it becomes arc 0 and has no flow.
    copy : Rows, written
        All but ``at``. Its rows have room for what is in use.
    """
    for bush in range(len(source)):
        old = source[bush]
        copy.size[bush] = 0
        copy.first[bush, 0] = 0
        if old < 0:
            continue
        size = rows.size[old]
        copy.size[bush] = size
        copy.first[bush, : size + 1] = rows.first[old, : size + 1]
        for k in range(rows.first[old, size]):
            now = arc_now[rows.arc[old, k]]
            copy.arc[bush, k] = max(now, 0)
            copy.tail[bush, k] = rows.tail[old, k]
            copy.flow[bush, k] = rows.flow[old, k] if now >= 0 else 0.0


@kernel
def bar(rows: Any, tail_node: Any, through: Any, origin: Any) -> None:
    """Take the flow off arcs that begin where their bush may not: no path goes on from there.

    Parameters
    ----------
    rows : Rows
        Its flow is written.
    tail_node : int32 array [arc]
    through : bool array [node]
        Whether paths may pass.
    origin : int32 array [bush]
        Node where the bush begins, the only one that need not be passable.
    """
    for bush in range(len(origin)):
        for k in range(rows.first[bush, rows.size[bush]]):
            node = tail_node[rows.arc[bush, k]]
            begins = rows.tail[bush, k] == 0
            if (begins and node != origin[bush]) or not (begins or through[node]):
                rows.flow[bush, k] = 0.0
