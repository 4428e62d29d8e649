"""Least-cost trees by Dijkstra's algorithm (1959) on a 4-ary heap."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cczsim.kernels._jit import kernel, parallel_kernel
from cczsim.kernels.heap import remove_least, sift_up
from cczsim.kernels.types import N_BLOCKS, NO_LINK


@kernel
def grow_tree(
    star: Any, cost: Any, origin: int, pred: Any, order: Any, label: Any, work: Any, keys: Any
) -> int:
    """Grow the least-cost tree of one origin.

    Parameters
    ----------
    star : ForwardStar
    cost : float64 array [link of the star]
        At least 0; inf closes a link.
    origin : int
        Node of the star.
    pred : int32 array [node], written
        Tree link that enters the node; NO_LINK at the origin and where no path leads.
    order : int32 array [node], written
        Reached nodes by rising cost.
    label : float64 array [node], written
        Least cost; inf where no path leads.
    work : int32 array [2, node]
    keys : float64 array [node]
        Scratch space of the heap.

    Returns
    -------
    int
        Number of reached nodes.
    """
    n_nodes = len(star.first_out) - 1
    nodes = work[0]
    position = work[1]
    for node in range(n_nodes):
        label[node] = np.inf
        pred[node] = NO_LINK
        position[node] = -1
    label[origin] = 0.0
    nodes[0] = origin
    keys[0] = 0.0
    position[origin] = 0
    size = 1
    reached = 0
    while size > 0:
        node = nodes[0]
        size = remove_least(nodes, keys, position, size)
        order[reached] = node
        reached += 1
        if not star.through[node] and node != origin:
            continue
        base = label[node]
        for link in range(star.first_out[node], star.first_out[node + 1]):
            head = star.head[link]
            candidate = base + cost[link]
            if candidate < label[head]:
                if label[head] == np.inf:
                    place = size
                    nodes[place] = head
                    size += 1
                else:
                    place = position[head]
                label[head] = candidate
                pred[head] = link
                keys[place] = candidate
                sift_up(nodes, keys, position, place)
    return reached


@parallel_kernel
def grow_trees(star: Any, cost: Any, origins: Any, pred: Any, order: Any, od_cost: Any) -> None:
    """Grow the trees of all zones, in parallel over fixed blocks of origins.

    Parameters
    ----------
    star : ForwardStar
    cost : float64 array [link of the star]
    origins : int32 array [zone]
        Nodes of the star.
    pred, order : int32 array [zone, node], written
        As in :func:`grow_tree`; ``order`` ends with -1 where fewer nodes are reached.
    od_cost : float64 array [zone, zone], written
    """
    n_zones = len(origins)
    n_nodes = len(star.first_out) - 1
    for block in numba.prange(N_BLOCKS):
        label = np.empty(n_nodes)
        keys = np.empty(n_nodes)
        work = np.empty((2, n_nodes), np.int32)
        for zone in range(block * n_zones // N_BLOCKS, (block + 1) * n_zones // N_BLOCKS):
            reached = grow_tree(
                star, cost, origins[zone], pred[zone], order[zone], label, work, keys
            )
            if reached < n_nodes:
                order[zone, reached] = -1
            for other in range(n_zones):
                od_cost[zone, other] = label[origins[other]]
