"""Links and shapes of a road network after streets were added and what they met was split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.network.edit_nodes import JoinedNodes
from cczsim.network.geometry import polyline_lengths, take_ragged, unproject
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.street_line import STRUCTURES, EditReport, StreetLine

_SHARED: Final = ("length", "free_flow_time", "toll")


@dataclass(frozen=True, eq=False)
class _Pieces:
    """Pieces of curves: ``curve, number, tail, head, share [piece]``, ragged points."""

    curve: Array
    number: Array
    tail: Array
    head: Array
    share: Array
    first: Array
    lon: Array
    lat: Array


def _cut(
    curve_ids: Array,
    joined: JoinedNodes,
    shape: tuple[Array, ...],
    node_lon: Array,
    node_lat: Array,
) -> _Pieces:
    """Cut curves at their junctions; pieces by curve, then along it."""
    first, lon, lat, x, y = shape
    place = np.full(len(first) - 1, -1, dtype=np.int64)
    place[curve_ids] = np.arange(len(curve_ids))
    sub_first, points = take_ragged(first, curve_ids)
    px, py = x[points], y[points]
    step = np.append(0.0, np.hypot(np.diff(px), np.diff(py)))
    step[sub_first[:-1]] = 0.0
    total = np.cumsum(step)
    of_point = np.repeat(np.arange(len(curve_ids)), np.diff(sub_first))
    along = total - total[sub_first[:-1]][of_point]
    length = along[sub_first[1:] - 1]
    mine = place[joined.curve] >= 0
    cut_curve, cut_node = place[joined.curve[mine]], joined.node[mine]
    position = np.minimum(joined.position[mine], length[cut_curve])
    is_start = np.zeros(len(points), dtype=bool)
    is_start[sub_first[:-1]] = True
    is_end = np.zeros(len(points), dtype=bool)
    is_end[sub_first[1:] - 1] = True
    inner = ~is_start & ~is_end
    # Ends and junctions are anchors, with a node; the other points are shape only.
    anchor_curve = np.concatenate(
        [np.arange(len(curve_ids)), cut_curve, np.arange(len(curve_ids)), of_point[inner]]
    )
    anchor_pos = np.concatenate([np.zeros(len(curve_ids)), position, length, along[inner]])
    node = np.concatenate(
        [
            joined.start[curve_ids], cut_node, joined.end[curve_ids],
            np.full(int(inner.sum()), -1, dtype=np.int64),
        ]
    )  # fmt: skip
    rank = np.concatenate(
        [np.zeros(len(curve_ids)), np.ones(len(position)), np.full(len(curve_ids), 2.0),
         np.ones(int(inner.sum()))]
    )  # fmt: skip
    at_lon = np.concatenate([np.zeros(len(node) - int(inner.sum())), lon[points][inner]])
    at_lat = np.concatenate([np.zeros(len(node) - int(inner.sum())), lat[points][inner]])
    has = node >= 0
    at_lon[has], at_lat[has] = node_lon[node[has]], node_lat[node[has]]
    order = np.lexsort((~has, anchor_pos, rank, anchor_curve))
    anchor_curve, anchor_pos, node = anchor_curve[order], anchor_pos[order], node[order]
    at_lon, at_lat, rank = at_lon[order], at_lat[order], rank[order]
    has = node >= 0
    doubled = has & (rank == 1)
    times = np.where(doubled, 2, 1)
    source = np.repeat(np.arange(len(node)), times)
    opens = np.append(True, source[1:] == source[:-1]) | (rank[source] == 0)
    piece_start = np.flatnonzero(opens)
    piece_first = np.append(piece_start, len(source)).astype(np.int64)
    a, b = source[piece_first[:-1]], source[piece_first[1:] - 1]
    curve = anchor_curve[a]
    number = np.arange(len(a)) - np.searchsorted(curve, curve, side="left")
    whole = np.maximum(length[curve], 1e-9)
    return _Pieces(
        curve, number, node[a], node[b], (anchor_pos[b] - anchor_pos[a]) / whole,
        piece_first, at_lon[source], at_lat[source],
    )  # fmt: skip


def _reversed(first: Array, lon: Array, lat: Array) -> tuple[Array, Array]:
    size = np.repeat(first[:-1] + first[1:] - 1, np.diff(first))
    index = size - np.arange(first[-1])
    return lon[index], lat[index]


def assemble(
    road: RoadNetwork, rows: Array, lines: Sequence[StreetLine], joined: JoinedNodes, crs: str,
    shape: tuple[Array, ...],
) -> EditReport:  # fmt: skip
    """Return the network with the streets in it, and what was split, by rule 4 of :mod:`edit`.

    Parameters
    ----------
    rows : array [curve]
        Links that stand for the carriageways that were there; the new lines follow them.
    joined : JoinedNodes
    crs : str
        Projection of ``joined``.
    shape : tuple of arrays
        Offsets, longitudes, latitudes and projected points of all curves.
    """
    made_lon, made_lat = (
        unproject(joined.new_xy[:, 0], joined.new_xy[:, 1], crs)
        if len(joined.new_xy)
        else (np.zeros(0), np.zeros(0))
    )
    node_lon = np.concatenate([road.node_lon, made_lon])
    node_lat = np.concatenate([road.node_lat, made_lat])
    n_made = len(made_lon)
    top_node = int(road.node_id.max(initial=0)) + 1
    nodes = {
        "node_id": np.concatenate([road.node_id, top_node + np.arange(n_made)]),
        "node_lon": node_lon,
        "node_lat": node_lat,
        "node_through": np.concatenate([road.node_through, np.ones(n_made, dtype=bool)]),
    }
    blocks = [_Block.of(road)]
    whole = piece = np.zeros(0, dtype=np.int64)
    split = np.unique(joined.curve[joined.curve < len(rows)])
    if len(split):
        pieces = _cut(split, joined, shape, node_lon, node_lat)
        more, whole, piece = _split_block(road, rows[split], pieces, blocks[0])
        blocks.append(more)
    old_links = sum(len(b.columns["tail"]) for b in blocks)
    new = _new_block(lines, len(rows), joined, shape, node_lon, node_lat, old_links)
    line_of_link = new.line
    blocks.append(new)
    columns = {
        name: np.concatenate([b.columns[name] for b in blocks]) for name in blocks[0].columns
    }
    top_link = int(road.link_id.max(initial=0)) + 1
    made = len(columns["tail"]) - road.n_links
    columns["link_id"][road.n_links :] = top_link + np.arange(made)
    counts = np.concatenate([np.diff(b.first) for b in blocks])
    edited = RoadNetwork(
        **nodes,
        **columns,
        shape_first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        shape_lon=np.concatenate([b.lon for b in blocks]),
        shape_lat=np.concatenate([b.lat for b in blocks]),
    )
    new_links = np.arange(old_links, edited.n_links)
    once = (edited.reverse_link[new_links] == NO_LINK) | (
        new_links < edited.reverse_link[new_links]
    )
    km = float(edited.length[new_links[once]].sum()) / 1e3
    touched = rows[split]
    back = road.reverse_link[touched]
    all_split = np.unique(np.concatenate([touched, back[back != NO_LINK]]))
    return EditReport(edited, new_links, all_split, km, line_of_link, whole, piece)


@dataclass(eq=False)
class _Block:
    """Link rows to be joined with others: columns and ragged shapes."""

    columns: dict[str, Array]
    first: Array
    lon: Array
    lat: Array
    line: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def of(cls, road: RoadNetwork) -> _Block:
        first, lon, lat = road.shapes()
        columns = {name: getattr(road, name).copy() for name in RoadNetwork.dims()["link"]}
        return cls(columns, first, lon, lat)


def _split_block(
    road: RoadNetwork, rows: Array, pieces: _Pieces, whole: _Block
) -> tuple[_Block, Array, Array]:
    """Return the appended pieces of split links, and turn their rows into first pieces (4).

    Behind them, ``[piece]`` in order of travel: the row of the link, and the row of the piece.
    """
    row = rows[pieces.curve]
    n_of = np.bincount(pieces.curve, minlength=len(rows))
    mate = road.reverse_link[row]
    two_way = np.flatnonzero(mate != NO_LINK)
    back_number = n_of[pieces.curve[two_way]] - 1 - pieces.number[two_way]
    rev_lon, rev_lat = _reversed(pieces.first, pieces.lon, pieces.lat)
    back_first, back_points = take_ragged(pieces.first, two_way)
    all_row = np.concatenate([row, mate[two_way]])
    number = np.concatenate([pieces.number, back_number])
    tail = np.concatenate([pieces.tail, pieces.head[two_way]])
    head = np.concatenate([pieces.head, pieces.tail[two_way]])
    share = np.concatenate([pieces.share, pieces.share[two_way]])
    first = np.concatenate([pieces.first, pieces.first[-1] + back_first[1:]])
    lon = np.concatenate([pieces.lon, rev_lon[back_points]])
    lat = np.concatenate([pieces.lat, rev_lat[back_points]])
    at = all_row.astype(np.int64).copy()
    more = np.flatnonzero(number > 0)
    at[more] = road.n_links + np.arange(len(more))
    reverse = np.full(len(at), NO_LINK, dtype=np.int64)
    here = np.arange(len(two_way)) + len(row)
    reverse[two_way], reverse[here] = at[here], at[two_way]
    base = np.flatnonzero(number == 0)
    for name, values in (("tail", tail), ("head", head), ("reverse_link", reverse)):
        whole.columns[name][at[base]] = values[base]
    columns = {name: getattr(road, name)[all_row[more]] for name in RoadNetwork.dims()["link"]}
    columns |= {"tail": tail[more], "head": head[more], "reverse_link": reverse[more]}
    for name in _SHARED:
        values = getattr(road, name)[all_row] * share
        whole.columns[name][at[base]] = values[base]
        columns[name] = values[more]
    # The shapes of the rows that stay are rebuilt: first pieces in place of the whole links.
    place = np.full(road.n_links, -1, dtype=np.int64)
    place[at[base]] = base
    keep = np.flatnonzero(place < 0)
    counts = np.diff(whole.first)
    counts[at[base]] = np.diff(first)[base]
    new_first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    out_lon, out_lat = np.empty(new_first[-1]), np.empty(new_first[-1])
    for target, origin, src_lon, src_lat, src_first in (
        (keep, keep, whole.lon, whole.lat, whole.first),
        (at[base], base, lon, lat, first),
    ):
        _, into = take_ragged(new_first, target)
        _, out_of = take_ragged(src_first, origin)
        out_lon[into], out_lat[into] = src_lon[out_of], src_lat[out_of]
    whole.first, whole.lon, whole.lat = new_first, out_lon, out_lat
    more_first, points = take_ragged(first, more)
    order = np.lexsort((number, all_row))
    return _Block(columns, more_first, lon[points], lat[points]), all_row[order], at[order]


def _new_block(
    lines: Sequence[StreetLine], n_old: int, joined: JoinedNodes, shape: tuple[Array, ...],
    node_lon: Array, node_lat: Array, at: int,
) -> _Block:  # fmt: skip
    """Return the links of the new streets: by line, along it, forward before backward."""
    pieces = _cut(n_old + np.arange(len(lines)), joined, shape, node_lon, node_lat)
    length = polyline_lengths(pieces.first, pieces.lon, pieces.lat)
    real = (pieces.tail != pieces.head) | (length > 1.0)
    kept = np.flatnonzero(real & (length > 0.0))
    oneway = np.array([line.oneway for line in lines])
    links_of = np.where(oneway[pieces.curve[kept]], 1, 2)
    piece = np.repeat(kept, links_of)
    back = np.append(False, piece[1:] == piece[:-1])
    line = pieces.curve[piece]
    both = ~oneway[line]
    own = at + np.arange(len(piece))
    reverse = np.where(both, np.where(back, own - 1, own + 1), NO_LINK)
    rev_lon, rev_lat = _reversed(pieces.first, pieces.lon, pieces.lat)
    first, points = take_ragged(pieces.first, piece)
    flip = np.repeat(back, np.diff(first))
    long = length[piece]
    speed = np.array([s.speed for s in lines], dtype=float)[line]
    source = np.array([int(s.source) for s in lines], dtype=np.int8)[line]
    columns: dict[str, Array] = {
        "link_id": np.zeros(len(piece), dtype=np.int64),
        "tail": np.where(back, pieces.head[piece], pieces.tail[piece]),
        "head": np.where(back, pieces.tail[piece], pieces.head[piece]),
        "road_class": np.array([CLASS_CODE[s.road_class] for s in lines])[line],
        "length": long,
        "free_flow_time": long / speed,
        "capacity": np.array([s.capacity for s in lines], dtype=float)[line],
        "lanes": np.array([s.lanes for s in lines], dtype=np.float32)[line],
        "speed": speed,
        "toll": np.array([s.toll for s in lines], dtype=float)[line] * long,
        "reverse_link": reverse,
        "structure": np.array([STRUCTURES[s.structure] for s in lines])[line],
        "name": np.array([s.name for s in lines], dtype=np.dtypes.StringDType())[line],
        "alpha": np.full(len(piece), 0.15),
        "beta": np.full(len(piece), 4.0),
        "delay_function": np.zeros(len(piece), dtype=np.int8),
        "background": np.zeros(len(piece)),
        "dual_carriageway": np.zeros(len(piece), dtype=bool),
        "control": np.zeros(len(piece), dtype=np.int8),
        "way_id": np.zeros(len(piece), dtype=np.int64),
    }
    for name in RoadNetwork.dims()["link"]:
        if name.endswith("_source"):
            columns[name] = source
    columns = {name: columns[name] for name in RoadNetwork.dims()["link"]}
    lon = np.where(flip, rev_lon[points], pieces.lon[points])
    lat = np.where(flip, rev_lat[points], pieces.lat[points])
    return _Block(columns, first, lon, lat, line)
