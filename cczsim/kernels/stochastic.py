"""Logit loading on the efficient ways of a network, none of which is listed.

Source: R. B. Dial (1971), A probabilistic multipath traffic assignment model which obviates path
enumeration, *Transportation Research* 5(2). A way is efficient if every link leads to a node that a
search from the origin at free flow settles later. Deviation: weights are kept as logarithms, so
that no way is too long for them.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cczsim.kernels._jit import kernel, parallel_kernel
from cczsim.kernels.types import N_BLOCKS


@kernel
def _load_one(
    star: Any, into: Any, cost: Any, theta: float, origin: int, order: Any, reached: int,
    wanted: Any, place: Any, weight: Any, through: Any, total: Any,
) -> None:  # fmt: skip
    """Load the trips of an origin."""
    place[:] = -1
    for p in range(reached):
        place[order[p]] = p
    weight[origin] = 0.0
    for p in range(1, reached):
        node = order[p]
        best = -np.inf
        for k in range(into.first[node], into.first[node + 1]):
            tail = into.tail[k]
            if 0 <= place[tail] < p and (tail == origin or star.through[tail]):
                best = max(best, weight[tail] - theta * cost[into.arc[k]])
        summed = 0.0
        for k in range(into.first[node], into.first[node + 1]):
            tail = into.tail[k]
            if 0 <= place[tail] < p and (tail == origin or star.through[tail]):
                summed += np.exp(weight[tail] - theta * cost[into.arc[k]] - best)
        weight[node] = best + np.log(summed) if summed > 0.0 else -np.inf
    through[:] = 0.0
    for zone in range(len(wanted)):
        through[into.zone_node[zone]] += wanted[zone]
    for p in range(reached - 1, 0, -1):
        node = order[p]
        here = through[node]
        if here <= 0.0 or weight[node] == -np.inf:
            continue
        for k in range(into.first[node], into.first[node + 1]):
            tail, arc = into.tail[k], into.arc[k]
            if 0 <= place[tail] < p and (tail == origin or star.through[tail]):
                part = here * np.exp(weight[tail] - theta * cost[arc] - weight[node])
                total[arc] += part
                through[tail] += part


@kernel
def _load_block(
    star: Any, into: Any, cost: Any, theta: float, orders: Any, reached: Any, demand: Any,
    first: int, stop: int, total: Any,
) -> None:  # fmt: skip
    n_nodes = len(into.place)
    place = np.empty(n_nodes, dtype=np.int32)
    weight, through = np.empty(n_nodes), np.empty(n_nodes)
    total[:] = 0.0
    for zone in range(first, stop):
        if reached[zone] > 0:
            _load_one(
                star, into, cost, theta, into.zone_node[zone], orders[zone], reached[zone],
                demand[zone], place, weight, through, total,
            )  # fmt: skip


@parallel_kernel
def load_logit(
    star: Any, into: Any, cost: Any, theta: float, orders: Any, reached: Any, demand: Any,
    block_flow: Any,
) -> None:  # fmt: skip
    """Load a demand by logit, in parallel over fixed blocks of origins.

    Parameters
    ----------
    star : ForwardStar
    into : Approach
    cost : float64 array [link], s
    theta : float, 1/s
        Ways are chosen in proportion to ``exp(-theta cost)``.
    orders : int32 array [zone, node]
        Nodes in the order that a search from the zone at free flow settles them.
    reached : int32 array [zone]
        How many it settles; 0 where nobody travels.
    demand : float64 array [zone, zone], pce/h
        0 within zones and where no path leads.
    block_flow : float64 array [N_BLOCKS, link], written
    """
    n_zones = len(demand)
    for block in numba.prange(N_BLOCKS):
        first, stop = block * n_zones // N_BLOCKS, (block + 1) * n_zones // N_BLOCKS
        _load_block(
            star, into, cost, theta, orders, reached, demand, first, stop, block_flow[block]
        )
