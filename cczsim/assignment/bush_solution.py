"""The bushes of an equilibrium: what a changed scenario starts from, and what analysts ask of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.assignment.search_graph import SearchGraph
from cczsim.columns import Array
from cczsim.kernels.bush import Rows
from cczsim.kernels.hierarchy import NONE


@dataclass(frozen=True, eq=False)
class BushSolution:
    """Bushes with their flows, by the rows of the network they were found on.

    Parameters
    ----------
    graph : SearchGraph
    zone_id : int array [zone]
    n_classes : int
        User classes; bushes are those of the first class by zone, then those of the next.
    rows : Rows
        Its arcs are ``class x number of rows + row``.
    demand : array [bush, zone], pce/h
    """

    graph: SearchGraph
    zone_id: Array
    n_classes: int
    rows: Rows
    demand: Array

    def link_keys(self) -> dict[tuple[int, int, int], int]:
        """Return the row of each link by the ids of its ends, and a count where more than one."""
        return link_keys(self.graph)


def link_keys(graph: SearchGraph) -> dict[tuple[int, int, int], int]:
    """Return the row of each link of a network by tail id, head id, and a count of such links."""
    road = graph.road
    ends = zip(road.node_id[road.tail].tolist(), road.node_id[road.head].tolist(), strict=True)
    seen: dict[tuple[int, int], int] = {}
    keys: dict[tuple[int, int, int], int] = {}
    for row, pair in enumerate(ends):
        count = seen.get(pair, 0)
        seen[pair] = count + 1
        keys[(*pair, count)] = row
    return keys


def carried_over(start: BushSolution, graph: SearchGraph, zone_id: Array) -> Rows:
    """Return the bushes of a solution as rows of another network; what is not there has no flow.

    Links are found by the ids of their ends, zones by their id. New zones have empty bushes.
    """
    old_links, new_links = start.graph.road.n_links, graph.road.n_links
    found = np.full(old_links, NONE, dtype=np.int64)
    new_keys = link_keys(graph)
    for key, row in start.link_keys().items():
        found[row] = new_keys.get(key, NONE)
    place = {int(zone): i for i, zone in enumerate(start.zone_id)}
    old_zones, n_zones = len(start.zone_id), len(zone_id)
    source = np.array([place.get(int(zone), NONE) for zone in zone_id], dtype=np.int64)
    bush = np.concatenate(
        [np.where(source < 0, NONE, c * old_zones + source) for c in range(start.n_classes)]
    )
    take = np.maximum(bush, 0)
    arc = start.rows.arc[take]
    row = found[arc % old_links]
    gone = row < 0
    moved = (arc // old_links) * new_links + np.maximum(row, 0)
    return Rows(
        size=np.where(bush < 0, 0, start.rows.size[take]).astype(np.int32),
        first=start.rows.first[take],
        arc=moved.astype(np.int32),
        tail=start.rows.tail[take],
        flow=np.where(gone, 0.0, start.rows.flow[take]),
        at=np.full((len(bush), n_zones), NONE, dtype=np.int32),
    )
