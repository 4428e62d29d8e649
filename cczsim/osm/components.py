"""Connected parts of a road network."""

from __future__ import annotations

from typing import Any

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import take_ragged
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import ROAD_CLASSES
from cczsim.network.turn_graph import expand_turns
from cczsim.network.turns import Turns

_LISTED = 20


def component_of(road: RoadNetwork, connection: str) -> Array:
    """Return the component of each node, ``[node]``; connection is ``"strong"`` or ``"weak"``."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    shape = (road.n_nodes, road.n_nodes)
    graph = coo_array((np.ones(road.n_links, dtype=np.int8), (road.tail, road.head)), shape=shape)
    return np.asarray(connected_components(graph.tocsr(), connection=connection)[1])


def describe_components(road: RoadNetwork, strong: Array) -> dict[str, Any]:
    """Count strong and weak components; the largest are listed with nodes and kilometres.

    ``kept`` and ``dropped`` count strong ones, all kept; who drops some says so.
    """
    kept = len(np.unique(strong))
    out: dict[str, Any] = {"kept": kept, "dropped": 0, "dropped_nodes": 0, "dropped_link_km": 0.0}
    total = float(road.length.sum() / 1000)
    if not road.n_nodes:
        return out
    for name, label in (("strong", strong), ("weak", component_of(road, "weak"))):
        nodes = np.bincount(label)
        inside = label[road.tail] == label[road.head]
        km = np.bincount(label[road.tail[inside]], road.length[inside], minlength=len(nodes)) / 1e3
        order = np.lexsort((np.arange(len(nodes)), -nodes))
        first = order[0]
        out[name] = {
            "count": len(nodes),
            "largest_share_of_nodes": float(nodes[first] / road.n_nodes),
            "largest_share_of_link_km": float(km[first] / total) if total else 1.0,
            "nodes_outside_largest": int(road.n_nodes - nodes[first]),
            "link_km_outside_largest": max(total - float(km[first]), 0.0),
            "listed": [{"nodes": int(nodes[k]), "link_km": float(km[k])} for k in order[:_LISTED]],
        }
    return out


def main_links(road: RoadNetwork, turns: Turns) -> Array:
    """Return whether each link lies in the largest strong component under the turn rules.

    From each end of such a link every other end can be reached and returns, and no rule is broken
    on the way. Without rules these are the links within the component of most nodes, the first of
    those equally large.

    Returns
    -------
    array [link], bool
    """
    if not turns.n_turns:
        component = component_of(road, "strong")
        largest = int(np.argmax(np.bincount(component)))
        main = component == largest
        return np.asarray(main[road.tail] & main[road.head])
    graph = expand_turns(road, turns, np.zeros(0, dtype=np.int64))
    component = component_of(graph.road, "strong")
    within = component[graph.road.tail] == component[graph.road.head]
    own = component[graph.road.tail]
    # Nodes count once each, however many parts a node has here.
    parts = np.unique(component.astype(np.int64) * road.n_nodes + graph.node_of)
    largest = int(np.argmax(np.bincount(parts // max(road.n_nodes, 1))))
    kept = np.zeros(road.n_links, dtype=bool)
    inside = within & (own == largest) & (graph.link_of != NO_LINK)
    kept[graph.link_of[inside]] = True
    return kept


def km_by_class(road: RoadNetwork, rows: Array) -> dict[str, float]:
    """Return the kilometres of some directed links by class, the longest first."""
    km = np.bincount(road.road_class[rows], road.length[rows], minlength=len(ROAD_CLASSES)) / 1e3
    named = {name: float(km[code]) for code, name in enumerate(ROAD_CLASSES) if km[code] > 0}
    return dict(sorted(named.items(), key=lambda item: -item[1]))


def keep_links(road: RoadNetwork, kept: Array) -> RoadNetwork:
    """Return a network with some links only, and the nodes that they touch.

    Parameters
    ----------
    road : RoadNetwork
    kept : array [link], bool
    """
    rows = np.flatnonzero(kept)
    links = road.take("link", rows)
    nodes = np.unique(np.concatenate([links["tail"], links["head"]]))
    for end in ("tail", "head"):
        links[end] = np.searchsorted(nodes, links[end])
    place = np.full(road.n_links + 1, NO_LINK, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    links["reverse_link"] = place[links["reverse_link"]]
    first, lon, lat = road.shapes()
    shape_first, points = take_ragged(first, rows)
    return RoadNetwork(
        **road.take("node", nodes),
        **links,
        shape_first=shape_first,
        shape_lon=lon[points],
        shape_lat=lat[points],
    )
