"""What stands at the downstream end of each link, and how much of the hour it leaves.

Rules, with the numbers that the code carries:

1. ``highway=traffic_signals|stop|give_way|mini_roundabout`` on a node is a control of the links
   that end at it. Within a link, as at a stop line, it holds for the direction that
   ``traffic_signals:direction`` or ``direction`` names, else for that whose end is nearer; on
   one-way streets for theirs. Signals of a crossing on foot alone are none.
2. A link that enters a way with ``junction=roundabout|circular`` from outside gives way to it.
3. Of several the strictest counts, in the order of :data:`CONTROLS`.
4. A junction is a node with three neighbours or more by streets other than service ways, tracks and
   busways. Where two streets meet that are one, the control is that of the next link.
5. Nothing mapped at a junction: a link has priority if at most two arms, its own and that which it
   goes on by, are of its class or a higher one.
6. The share of the hour that a lane flows: at signals the class table's green ratio, at most
   :data:`MOST_GREEN`; at other controls :data:`SHARE`; with priority all; at other junctions, dead
   ends and the edge of the extract the class table's green ratio, since nothing says more.
7. An extract without any signal, stop or give-way node on its streets does not map controls: there
   the class table's green ratio stands for all links, and no control is known.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import segment_lengths, take_ragged
from cczsim.network.provenance import Source
from cczsim.network.road import CONTROLS, RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.osm.barriers import StreetNodes
from cczsim.osm.class_table import ClassTable
from cczsim.osm.extract import OsmExtract
from cczsim.osm.pieces import Pieces

NOT_KNOWN, PRIORITY, NOTHING_MAPPED, ROUNDABOUT, GIVE_WAY, STOP, SIGNALS = range(len(CONTROLS))
KINDS: Final = {
    "traffic_signals": SIGNALS, "stop": STOP, "give_way": GIVE_WAY, "mini_roundabout": ROUNDABOUT,
}  # fmt: skip
MOST_GREEN: Final = 0.6
SHARE: Final = {ROUNDABOUT: 0.5, GIVE_WAY: 0.5, STOP: 0.35}
"""Assumptions, not taken from a table; what crosses is not looked at."""
_MINOR: Final = [CLASS_CODE[name] for name in ("service", "track", "busway")]
_KEYS: Final = ("highway", "traffic_signals:direction", "direction")
_JUMPS: Final = 12


class Controls(NamedTuple):
    """``control [link]``, its provenance, and ``share [link]`` of the hour that a lane flows.

    ``signals [link]`` says whether signals stand on the link itself or at its end.
    """

    control: Array
    source: Array
    share: Array
    signals: Array
    report: dict[str, Any]


def find_controls(
    extract: OsmExtract, nodes: StreetNodes, pieces: Pieces, road: RoadNetwork, piece: Array,
    backward: Array, table: ClassTable,
) -> Controls:  # fmt: skip
    """Return what stands at the end of each link.

    Parameters
    ----------
    extract : OsmExtract
    nodes : StreetNodes
    pieces : Pieces
    road : RoadNetwork
        Links of the pieces.
    piece, backward : array [link]
        The piece of each link, and 1 where it runs against it.
    table : ClassTable
        In the order of the classes.
    """
    green = table.green_ratio[road.road_class]
    own = _mapped(extract, nodes, pieces, piece, backward)  # 1
    known = bool((own > ROUNDABOUT).any())
    if not known:  # 7
        none = np.full(road.n_links, NOT_KNOWN, dtype=np.int8)
        source = np.full(road.n_links, int(Source.DEFAULT), dtype=np.int8)
        return Controls(none, source, green, own == SIGNALS, _report(road, none, green, known))
    junction = extract.tag_codes("way", ["junction"])[:, 0]
    round_codes = [extract.code_of[w] for w in ("roundabout", "circular") if w in extract.code_of]
    circular = np.isin(junction, round_codes)[pieces.way[piece]]
    on_circle = np.zeros(road.n_nodes, dtype=bool)
    on_circle[road.tail[circular]] = on_circle[road.head[circular]] = True
    enters = ~circular & on_circle[road.head]
    control = np.maximum(own, np.where(enters, ROUNDABOUT, NOT_KNOWN))  # 2, 3
    arms, as_high, onward = _arms(road)
    mapped = control != NOT_KNOWN
    open_end = ~mapped & (arms[road.head] > 2)
    control[open_end] = np.where(as_high[open_end] <= 2, PRIORITY, NOTHING_MAPPED)  # 5
    next_link = np.where(control == NOT_KNOWN, onward, np.arange(road.n_links))
    for _ in range(_JUMPS):  # 4: twice as far each time
        next_link = next_link[next_link]
    source = np.where(mapped[next_link], int(Source.TAGGED), int(Source.DERIVED))
    control = control[next_link].astype(np.int8)
    source = np.where(control == NOT_KNOWN, int(Source.DEFAULT), source).astype(np.int8)
    share = np.where(control == SIGNALS, np.minimum(green, MOST_GREEN), green)  # 6
    for kind, value in SHARE.items():
        share = np.where(control == kind, value, share)
    share = np.where(control == PRIORITY, 1.0, share)
    return Controls(control, source, share, own == SIGNALS, _report(road, control, share, known))


def _mapped(
    extract: OsmExtract, nodes: StreetNodes, pieces: Pieces, piece: Array, backward: Array
) -> Array:
    """Return the strictest control that is mapped on each link for its direction (1, 3)."""
    combinations, which = extract.tag_combinations("node", _KEYS)
    kind_of = np.array([KINDS.get(tags.get("highway", ""), NOT_KNOWN) for tags in combinations])
    side_of = np.array([_side(tags) for tags in combinations])
    kind = np.zeros(len(nodes.node_id), dtype=np.int64)
    side = np.zeros(len(nodes.node_id), dtype=np.int64)
    kind[: extract.n_nodes], side[: extract.n_nodes] = kind_of[which], side_of[which]
    of_piece = np.repeat(np.arange(len(pieces.way)), np.diff(pieces.first))
    place = np.flatnonzero(kind[pieces.point] != NOT_KNOWN)
    some = np.unique(of_piece[place])
    first, index = take_ragged(pieces.first, some)
    point = pieces.point[index]
    along = np.zeros(len(point))
    if len(point):
        step = segment_lengths(nodes.lon[point], nodes.lat[point])
        step[first[1:-1] - 1] = 0.0
        along[1:] = np.cumsum(step)
    position = place - pieces.first[of_piece[place]]
    row = np.searchsorted(some, of_piece[place])
    before = along[first[row] + position] - along[first[row]]
    after = along[first[row + 1] - 1] - along[first[row] + position]
    last = place == pieces.first[of_piece[place] + 1] - 1
    opens = np.zeros((len(pieces.way), 2), dtype=bool)
    opens[piece, backward] = True
    one_way = ~opens[of_piece[place]].all(axis=1)
    node_kind, node_side = kind[pieces.point[place]], side[pieces.point[place]]
    inner = (position > 0) & ~last
    nearer = np.where(inner, np.where(one_way, 0, np.sign(before - after)), 0)
    strictest = np.zeros((len(pieces.way), 2), dtype=np.int64)
    for turned, here in ((0, inner | last), (1, inner | (position == 0))):
        way = -1 if turned else 1  # the sign of what holds for this direction
        holds = here & ((node_side == way) | ((node_side == 0) & (nearer * way >= 0)))
        np.maximum.at(strictest[:, turned], of_piece[place][holds], node_kind[holds])
    return strictest[piece, backward]


def _side(tags: dict[str, str]) -> int:
    said = tags.get("traffic_signals:direction", tags.get("direction", ""))
    return {"forward": 1, "backward": -1}.get(said, 0)


def _arms(road: RoadNetwork) -> tuple[Array, Array, Array]:
    """Return arms [node], arms of no lower class at the head [link], and the link that follows."""
    street = ~np.isin(road.road_class, _MINOR)
    links = np.flatnonzero(street)
    ends = np.column_stack([
        np.concatenate([road.tail[links], road.head[links]]),
        np.concatenate([road.head[links], road.tail[links]]),
    ]).astype(np.int64)  # fmt: skip
    rank = np.tile(road.road_class[links].astype(np.int64) // 2, 2)  # a ramp as its road
    order = np.lexsort((rank, ends[:, 1], ends[:, 0]))
    ends, rank = ends[order], rank[order]
    new = np.ones(len(ends), dtype=bool)
    new[1:] = (ends[1:] != ends[:-1]).any(axis=1)
    node, rank = ends[new, 0], rank[new]
    arms = np.bincount(node, minlength=road.n_nodes)
    ranks = int(road.road_class.max(initial=0)) // 2 + 1
    table = np.zeros((road.n_nodes, ranks), dtype=np.int32)
    np.add.at(table, (node, rank), 1)
    as_high = np.cumsum(table, axis=1)[road.head, road.road_class // 2]
    onward = np.arange(road.n_links)
    # At a node with two arms one link at most leaves to the other.
    out = links[arms[road.tail[links]] == 2]
    out = out[np.argsort(road.tail[out], kind="stable")]
    first = np.searchsorted(road.tail[out], np.arange(road.n_nodes + 1))
    for number in (0, 1):
        at = first[road.head] + number
        there = at < first[road.head + 1]
        follower = np.where(there, out[np.minimum(at, max(len(out) - 1, 0))] if len(out) else 0, 0)
        fits = there & street & (road.head[follower] != road.tail)
        onward = np.where(fits, follower, onward)
    return arms, as_high, onward


def _report(road: RoadNetwork, control: Array, share: Array, known: bool) -> dict[str, Any]:
    rows = {}
    for code, name in enumerate(CONTROLS):
        own = control == code
        if own.any():
            km = road.length[own]
            rows[name] = {
                "links": int(own.sum()),
                "link_km": float(km.sum() / 1e3),
                "mean_share_of_the_hour": float(np.average(share[own], weights=km + 1e-9)),
            }
    return {"mapped": known, "by_control": rows}
