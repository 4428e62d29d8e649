"""The view of a road network that path search takes."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import reverse_cuthill_mckee

from cczsim.kernels.types import ForwardStar
from cczsim.network.road import RoadNetwork


def forward_star(road: RoadNetwork) -> ForwardStar:
    """Return the forward star of a road network.

    Nodes are renumbered by the reverse Cuthill-McKee order, so that neighbours lie near each
    other in memory; links are sorted by tail, then by their row in the network.
    """
    n_nodes = road.n_nodes
    pattern = csr_matrix(
        (np.ones(road.n_links, dtype=np.int8), (road.tail, road.head)), shape=(n_nodes, n_nodes)
    )
    by_rank = reverse_cuthill_mckee(pattern + pattern.T, symmetric_mode=True)
    rank = np.empty(n_nodes, dtype=np.int32)
    rank[by_rank] = np.arange(n_nodes, dtype=np.int32)
    tail, head = rank[road.tail], rank[road.head]
    link = np.argsort(tail, kind="stable").astype(np.int32)
    first_out = np.zeros(n_nodes + 1, dtype=np.int32)
    np.cumsum(np.bincount(tail, minlength=n_nodes), out=first_out[1:])
    star = ForwardStar(
        first_out=first_out,
        tail=tail[link],
        head=head[link],
        through=road.node_through[by_rank].copy(),
        link=link,
        rank=rank,
    )
    for array in star:
        array.flags.writeable = False
    return star
