"""Demand loaded on least-cost trees."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from cczsim.kernels._jit import parallel_kernel
from cczsim.kernels.types import N_BLOCKS, NO_LINK


@parallel_kernel
def load_trees(
    star: Any, origins: Any, pred: Any, order: Any, demand: Any, block_flow: Any
) -> None:
    """Load each origin's demand on its tree, in parallel over fixed blocks of origins.

    A tree is swept once, from its leaves to its root (Dial, 1971, step 2 on a tree).

    Parameters
    ----------
    star : ForwardStar
    origins : int32 array [zone]
    pred, order : int32 array [zone, node]
        From :func:`~cczsim.kernels.shortest_path.grow_trees`.
    demand : float64 array [zone, zone]
        0 where no path leads.
    block_flow : float64 array [N_BLOCKS, link of the star], written
        To be summed over blocks in order by the caller.
    """
    n_zones = len(origins)
    n_nodes = len(star.first_out) - 1
    for block in numba.prange(N_BLOCKS):
        flow = block_flow[block]
        flow[:] = 0.0
        node_flow = np.zeros(n_nodes)
        for zone in range(block * n_zones // N_BLOCKS, (block + 1) * n_zones // N_BLOCKS):
            for other in range(n_zones):
                if other != zone:
                    node_flow[origins[other]] += demand[zone, other]
            reached = 0
            while reached < n_nodes and order[zone, reached] >= 0:
                reached += 1
            for place in range(reached - 1, -1, -1):
                node = order[zone, place]
                through = node_flow[node]
                node_flow[node] = 0.0
                link = pred[zone, node]
                if link != NO_LINK and through > 0.0:
                    flow[link] += through
                    node_flow[star.tail[link]] += through
