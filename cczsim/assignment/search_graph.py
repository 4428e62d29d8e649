"""The network that paths are searched in: turn rules built in, and what it says of the links."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.turn_graph import expand_turns
from cczsim.network.turns import Turns


@dataclass(frozen=True)
class SearchGraph:
    """A network in which every path keeps the turn rules.

    Parameters
    ----------
    road : RoadNetwork
        Its first rows are the links of the network; see :mod:`cczsim.network.turn_graph`.
    owner : int array [row] or None
        Row whose capacity a row shares; None where each has its own.
    n_links : int
        Links of the network.
    """

    road: RoadNetwork
    owner: Array | None
    n_links: int

    @classmethod
    def of(cls, road: RoadNetwork, centroids: Array, turns: Turns | None) -> SearchGraph:
        """Build the rules in for trips between centroids (node rows)."""
        if turns is None or turns.n_turns == 0:
            return cls(road, None, road.n_links)
        graph = expand_turns(road, turns, np.unique(centroids))
        rows = np.arange(graph.road.n_links)
        owner = np.where(graph.link_of == NO_LINK, rows, graph.link_of)
        shared = bool((owner != rows).any())
        return cls(graph.road, owner.astype(np.int32) if shared else None, road.n_links)

    def on_links(self, flow: Array) -> Array:
        """Return the flow of links, copies summed, from that of rows: ``[..., link]``."""
        if self.owner is None:
            return np.asarray(flow[..., : self.n_links])
        n_rows = self.road.n_links
        rows = [np.bincount(self.owner, one, n_rows) for one in flow.reshape(-1, n_rows)]
        return np.reshape(rows, flow.shape)[..., : self.n_links]

    def on_rows(self, value: Array) -> Array:
        """Return a value of links for each row; turn arcs have their own free-flow time."""
        rows = np.array(self.road.free_flow_time)
        rows[: self.n_links] = value
        return rows if self.owner is None else rows[self.owner]

    def mark(self, value: Array) -> Array:
        """Return a value of links for each row, 0 (False) for turn arcs."""
        rows = np.zeros(self.road.n_links, dtype=value.dtype)
        rows[: self.n_links] = value
        return rows if self.owner is None else rows[self.owner]
