"""The most likely ways of a demand that give link flows: equal-cost bushes, and logit on them.

Source: H. Bar-Gera (2010), Traffic assignment by paired alternative segments, *Transportation
Research B* 44(8-9), section 2, for the condition of proportionality; R. B. Dial (1971), A
probabilistic multipath traffic assignment model which obviates path enumeration, *Transportation
Research* 5(2), for loading. Among all ways that give the link flows, those of most entropy are
taken in proportion to ``exp(-price)``, the price of a way being the sum of prices of its links.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cczsim.kernels._jit import block_kernel, kernel
from cczsim.kernels.types import Array


class Core(NamedTuple):
    """What all bushes leave to choose, as one graph.

    Parameters
    ----------
    begin : int32 array [block + 1]
        Offset of a block's first position; no arc leads from block to block.
    first : int32 array [position + 1]
        Offset of the first arc into a position; roots have none.
    tail : int32 array [arc]
        Position where the arc begins; it is smaller than that where it ends.
    link : int32 array [arc]
        What the flow of the arc counts for.
    wanted : float64 array [position], pce/h
        Flow that ends at the position, or leaves what can be chosen.
    """

    begin: Array
    first: Array
    tail: Array
    link: Array
    wanted: Array


@kernel
def widen(
    star: Any, into: Any, cost: Any, shared: Any, own: Any, order: Any, reached: int, label: Any,
    slack: float, goes: Any, zone_node: Any, seat: Any, stack: Any, first: Any,
    link: Any, tail: Any,
) -> int:  # fmt: skip
    """Write the bush of an origin that holds all its links of nearly least cost, and its own.

    Parameters
    ----------
    star : ForwardStar
    into : tuple of int32 arrays [node + 1], [link], [link]
        Offset of the first link into a node; links by the node where they end; their tails.
    cost : float64 array [link of the star], s
    shared : bool array [link of the star]
        Whether the bush may get a link.
    own : float64 array [link of the star], pce/h
        What the bush has on it.
    order : int32 array [node]
        Nodes by rising cost from the origin, ``reached`` of them.
    label : float64 array [node], s
        Least costs from the origin.
    slack : float, s
        How much a link may miss the least cost.
    goes : bool array [zone]
    zone_node : int32 array [zone]
    seat : int32 array [node], written
        Position of a node; -1 where the bush does not pass.
    stack : int32 array [2, node]
        Scratch space.
    first, link, tail : int32 arrays, written
        The bush, by positions.

    Returns
    -------
    int
        Positions of the bush.
    """
    into_first, into_link, into_tail = into
    origin = order[0]
    rank, waiting = seat, stack[0]
    line = stack[1]
    rank[:] = -1
    rank[origin] = 0
    line[0] = origin
    n_ranked = 1
    # Where paths may not pass, nothing begins but at the origin: such nodes may come last.
    for last in range(2):
        for i in range(1, reached):
            if star.through[order[i]] == (last == 1) or rank[order[i]] >= 0:
                continue
            waiting[0] = order[i]
            depth = 1
            while depth > 0:
                node = waiting[depth - 1]
                before = -1
                for j in range(into_first[node], into_first[node + 1]):
                    if own[into_link[j]] > 0.0 and rank[into_tail[j]] < 0:
                        before = into_tail[j]
                if before >= 0:
                    if depth >= reached:
                        raise ValueError("a bush closed a circle")
                    waiting[depth] = before
                    depth += 1
                    continue
                depth -= 1
                rank[node] = n_ranked
                line[n_ranked] = node
                n_ranked += 1
    needed = waiting
    needed[:] = 0
    for zone in range(len(goes)):
        if goes[zone]:
            needed[zone_node[zone]] = 1
    for r in range(n_ranked - 1, 0, -1):
        node = line[r]
        if needed[node] == 0:
            continue
        for j in range(into_first[node], into_first[node + 1]):
            k, t = into_link[j], into_tail[j]
            if own[k] > 0.0 or (
                shared[k] and 0 <= rank[t] < r and (star.through[t] or t == origin)
                and label[t] + cost[k] - label[node] <= slack
            ):  # fmt: skip
                needed[t] = 1
    size = 1
    n_arcs = 0
    first[0] = 0
    first[1] = 0
    for r in range(1, n_ranked):
        node = line[r]
        if needed[node] == 0:
            rank[node] = -1
            continue
        for j in range(into_first[node], into_first[node + 1]):
            k, t = into_link[j], into_tail[j]
            # What comes later has no position yet.
            if 0 <= rank[t] < size and (
                own[k] > 0.0
                or (shared[k] and (star.through[t] or t == origin)
                    and label[t] + cost[k] - label[node] <= slack)
            ):  # fmt: skip
                link[n_arcs] = k
                tail[n_arcs] = rank[t]
                n_arcs += 1
        if n_arcs == first[size]:
            rank[node] = -1
            continue
        rank[node] = size
        size += 1
        first[size] = n_arcs
    return size


@block_kernel
def load_block(
    block: int, core: Any, price: Any, weight: Any, share: Any, through: Any, flow: Any
) -> None:
    """Load a block by the prices of links.

    Parameters
    ----------
    block : int
    core : Core
    price : float64 array [link]
    weight : float64 array [position], written
        Logarithm of the sum of ``exp(-price)`` over ways.
    share : float64 array [arc], written
        Of what passes the position where the arc ends.
    through : float64 array [position], pce/h, written
    flow : float64 array [block, link], pce/h, written
    """
    first, tail, link, total = core.first, core.tail, core.link, flow[block]
    total[:] = 0.0
    for p in range(core.begin[block], core.begin[block + 1]):
        start, stop = first[p], first[p + 1]
        through[p] = core.wanted[p]
        if stop - start < 2:
            weight[p] = 0.0
            if stop > start:
                share[start] = 1.0
                weight[p] = weight[tail[start]] - price[link[start]]
        else:
            best = -np.inf
            for k in range(start, stop):
                share[k] = weight[tail[k]] - price[link[k]]
                best = max(best, share[k])
            whole = 0.0
            for k in range(start, stop):
                share[k] = np.exp(share[k] - best)
                whole += share[k]
            for k in range(start, stop):
                share[k] /= whole
            weight[p] = best + np.log(whole)
    for p in range(core.begin[block + 1] - 1, core.begin[block] - 1, -1):
        for k in range(first[p], first[p + 1]):
            here = through[p] * share[k]
            through[tail[k]] += here
            total[link[k]] += here


@block_kernel
def bend_block(
    block: int, core: Any, share: Any, through: Any, price: Any, weight: Any, more: Any, flow: Any
) -> None:
    """Find what a block's link flows lose by a change of prices, to first order.

    Parameters
    ----------
    block : int
    core : Core
    share : float64 array [arc]
    through : float64 array [position], pce/h
        Both as loaded.
    price : float64 array [link]
        The change.
    weight, more : float64 arrays [position]
        Scratch space.
    flow : float64 array [block, link], pce/h, written
    """
    first, tail, link, total = core.first, core.tail, core.link, flow[block]
    total[:] = 0.0
    for p in range(core.begin[block], core.begin[block + 1]):
        weight[p] = 0.0
        more[p] = 0.0
        for k in range(first[p], first[p + 1]):
            weight[p] += share[k] * (weight[tail[k]] - price[link[k]])
    for p in range(core.begin[block + 1] - 1, core.begin[block] - 1, -1):
        for k in range(first[p], first[p + 1]):
            dear = weight[p] - weight[tail[k]] + price[link[k]]
            here = share[k] * (more[p] - through[p] * dear)
            more[tail[k]] += here
            total[link[k]] -= here
