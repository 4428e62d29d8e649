"""What turning takes at junctions, in seconds: rules of turns with a penalty, all assumed.

Rules, numbered in the code:

1. Signals at the end of a link: on average who comes at random waits ``C (1 - g)^2 / 2``, the
   uniform delay of F. V. Webster (Traffic Signal Settings, 1958) at low flow, with the cycle
   :data:`CYCLE` and the green share g of the link; that flow adds to it is the business of the
   volume-delay function.
2. Turning across the traffic of the other direction, left where one keeps right: :data:`ACROSS`
   more at junctions of three arms and more.
3. Turning back on the same street: :data:`BACK` more.

Turns from motorways and ramps, and bends of one street, are none.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from cczsim.columns import Array
from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.turns import Turns

Side = Literal["keep-right", "keep-left"]
CYCLE: Final = 90.0
ACROSS: Final = 8.0
BACK: Final = 15.0
LEAST: Final = 45.0
"""Degrees from which a change of direction is a turn."""
_RAMPS: Final = [CLASS_CODE[name] for name in ("motorway", "motorway_link", "trunk_link")]


def turn_delays(road: RoadNetwork, signals: Array, share: Array, side: Side) -> Turns:
    """Return a rule for each turn that takes time.

    Parameters
    ----------
    road : RoadNetwork
    signals : array [link], bool
        Whether signals stand at the link's own end.
    share : array [link]
        Share of green there.
    side : {"keep-right", "keep-left"}
        Side of the road that traffic keeps to.
    """
    order = np.argsort(road.tail, kind="stable")
    first = np.searchsorted(road.tail[order], np.arange(road.n_nodes + 1))
    count = np.diff(first)[road.head]
    a = np.repeat(np.arange(road.n_links), count)
    within = np.arange(len(a)) - np.repeat(np.cumsum(count) - count, count)
    b = order[first[road.head[a]] + within]
    back = road.reverse_link[a] == b
    arms = _arms(road)[road.head[a]]
    change = _change(road, a, b)
    left = change if side == "keep-right" else -change
    ramp = np.isin(road.road_class[a], _RAMPS)
    across = (arms > 2) & ~back & ~ramp & (left > LEAST)
    delay = np.where(signals[a], 0.5 * CYCLE * (1.0 - share[a]) ** 2, 0.0)  # 1
    delay = delay + np.where(across, ACROSS, 0.0) + np.where(back & (arms > 1), BACK, 0.0)  # 2, 3
    rows = np.flatnonzero(delay > 0.0)
    return Turns(
        turn_first=2 * np.arange(len(rows) + 1),
        turn_link=np.column_stack([a[rows], b[rows]]).ravel(),
        penalty=delay[rows],
        turn_source=np.full(len(rows), int(Source.DEFAULT), dtype=np.int8),
    )


def _arms(road: RoadNetwork) -> Array:
    """Return with how many other nodes links tie each node, ``[node]``."""
    ends = np.column_stack([road.tail, road.head]).astype(np.int64)
    pairs = np.unique(np.concatenate([ends, ends[:, ::-1]]), axis=0)
    return np.bincount(pairs[:, 0], minlength=road.n_nodes)


def _change(road: RoadNetwork, a: Array, b: Array) -> Array:
    """Return by how many degrees one turns left from one link into another, -180 to 180."""
    first, lon, lat = road.shapes()
    squeeze = np.cos(np.radians(lat))

    def heading(begin: Array, end: Array) -> Array:
        east = (lon[end] - lon[begin]) * squeeze[begin]
        return np.asarray(np.arctan2(lat[end] - lat[begin], east))

    before = heading(first[a + 1] - 2, first[a + 1] - 1)
    after = heading(first[b], first[b] + 1)
    return np.asarray((np.degrees(after - before) + 180.0) % 360.0 - 180.0)
