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

from cczsim.kernels._jit import parallel_kernel, sub_kernel
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
