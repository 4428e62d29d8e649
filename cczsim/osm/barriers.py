"""Barriers on nodes: streets end at them on both sides.

Rules, numbered in the code; they follow the OpenStreetMap wiki, *Key:barrier*:

1. What is in :data:`BLOCKS` stops cars, what is in :data:`GATES` does not, and others neither.
2. The most specific of ``motorcar``, ``motor_vehicle``, ``vehicle``, ``access`` on the node decides
   against rule 1, by the values of rule 3 of :mod:`cczsim.osm.tags`.
3. A node where more than two stretches of street meet is not split, for it is not said which of
   them the barrier stands in; it is counted.
4. A node that is split keeps its id on one side; the other side gets the id made negative, or a
   new one if that is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from cczsim.columns import Array
from cczsim.osm.extract import OsmExtract
from cczsim.osm.tag_access import ACCESS_KEYS, closed, deciding

BLOCKS: Final = frozenset(
    ("bollard", "rising_bollard", "block", "jersey_barrier", "concrete_block", "log", "debris",
     "cycle_barrier", "motorcycle_barrier", "chain", "stile", "turnstile",
     "full-height_turnstile", "kissing_gate", "planter", "bus_trap", "sump_buster", "wicket_gate")
)  # fmt: skip
GATES: Final = frozenset(
    ("gate", "lift_gate", "swing_gate", "sliding_gate", "hampshire_gate", "entrance", "toll_booth",
     "cattle_grid", "border_control", "checkpoint", "height_restrictor", "kerb", "rope")
)  # fmt: skip


class StreetNodes(NamedTuple):
    """References of ways to nodes, after nodes with barriers were split.

    ``first [way + 1]``, ``node [ref]`` (row, -1 where a way is broken), ``node_id, lon, lat
    [row]``.
    """

    first: Array
    node: Array
    node_id: Array
    lon: Array
    lat: Array
    report: dict[str, Any]


def stops_cars(tags: Mapping[str, str]) -> bool:
    """Return whether a node with these tags stops cars (1, 2)."""
    if "barrier" not in tags:
        return False
    key = deciding(tags)
    return closed(tags[key]) if key else tags["barrier"] in BLOCKS


def split_at_barriers(extract: OsmExtract, node: Array, taken: Array) -> StreetNodes:
    """Return the nodes that streets go through, with a node on each side of a barrier.

    Parameters
    ----------
    node : array [ref]
        Row of the node that each reference of a way names, -1 where the extract lacks it.
    taken : array [way], bool
        Ways that are streets.
    """
    first = extract.way_ref_first
    combinations, which = extract.tag_combinations("node", ("barrier", *ACCESS_KEYS))
    stops = np.array([stops_cars(tags) for tags in combinations], dtype=bool)
    plain = StreetNodes(
        first, node, extract.node_id, extract.node_lon, extract.node_lat,
        {"splitting": 0, "at_junctions": 0, "at_ends": 0},
    )  # fmt: skip
    if not stops.any() or not len(node):
        return plain
    way = np.repeat(np.arange(len(taken)), np.diff(first))
    blocked = np.zeros(len(node), dtype=bool)
    here = (node >= 0) & taken[way]
    blocked[here] = stops[which[node[here]]]
    place = np.flatnonzero(blocked)
    is_end = np.zeros(len(node), dtype=bool)
    is_end[first[:-1][np.diff(first) > 0]] = True
    is_end[first[1:][np.diff(first) > 0] - 1] = True
    meeting = np.bincount(node[here], np.where(is_end[here], 1, 2), minlength=extract.n_nodes)
    rows = np.unique(node[place])
    report = {
        "splitting": int((meeting[rows] == 2).sum()),
        "at_junctions": int((meeting[rows] > 2).sum()),  # 3
        "at_ends": int((meeting[rows] < 2).sum()),
    }
    place = place[meeting[node[place]] == 2]
    split = np.unique(node[place])
    copy = extract.n_nodes + np.searchsorted(split, node[place])
    inner = ~is_end[place]
    # Two ends that meet: the later one is the other side.
    again = np.ones(len(place), dtype=bool)
    again[np.unique(node[place], return_index=True)[1]] = False
    out = node.copy()
    out[place[again & ~inner]] = copy[again & ~inner]
    times = np.ones(len(node), dtype=np.int64)
    times[place[inner]] = 3
    begin = np.cumsum(times) - times
    spread = np.repeat(out, times)
    spread[begin[place[inner]] + 1] = -1
    spread[begin[place[inner]] + 2] = copy[inner]
    ids = -extract.node_id[split]  # 4
    taken_ids = np.isin(ids, extract.node_id) | (ids >= 0)
    top = max(int(extract.node_id.max()), 0) + 1
    ids[taken_ids] = top + np.arange(int(taken_ids.sum()))
    return StreetNodes(
        np.concatenate([[0], np.cumsum(times)])[first],
        spread,
        np.concatenate([extract.node_id, ids]),
        np.concatenate([extract.node_lon, extract.node_lon[split]]),
        np.concatenate([extract.node_lat, extract.node_lat[split]]),
        report,
    )
