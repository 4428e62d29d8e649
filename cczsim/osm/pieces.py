"""Cut ways into pieces between junctions: arrays in, arrays out.

Rules, with the numbers that the code carries:

1. A reference to a node that the extract lacks breaks the way: nothing is drawn across the gap.
2. A node named twice in a row counts once.
3. A way is cut at its ends, at every node that two ways share, and at every node that it goes
   through twice; all other nodes only give the shape.
4. A piece that ends where it begins is cut once more at its middle node, so that no link is a
   loop and a closed ring keeps its whole length. By rule 2 it has such a node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array
from cczsim.network.geometry import segment_lengths


@dataclass(frozen=True)
class Pieces:
    """Parts of ways between junctions; node numbers are rows of the extract.

    ``way [piece]`` is the row of the way, ``first [piece + 1]`` the offset of the piece's first
    point, ``point [point]`` its nodes in the order of the way, ``length [piece], m``.
    """

    way: Array
    first: Array
    point: Array
    length: Array

    @property
    def tail(self) -> Array:
        """Node where each piece begins, ``[piece]``."""
        return np.asarray(self.point[self.first[:-1]])

    @property
    def head(self) -> Array:
        """Node where each piece ends, ``[piece]``."""
        return np.asarray(self.point[self.first[1:] - 1])


def way_lengths(first: Array, node: Array, lon: Array, lat: Array) -> Array:
    """Return the geodesic length of each way over the nodes it has, gaps left out.

    Parameters
    ----------
    first : array [way + 1]
        Offset of each way's first reference.
    node : array [ref]
        Row of the node, -1 where it is missing.
    lon, lat : array [node], degrees

    Returns
    -------
    array [way], m
    """
    if len(node) < 2:
        return np.zeros(len(first) - 1)
    way = np.repeat(np.arange(len(first) - 1), np.diff(first))
    whole = (node[:-1] >= 0) & (node[1:] >= 0) & (way[:-1] == way[1:])
    steps = np.where(whole, segment_lengths(lon[node], lat[node]), 0.0)
    return np.bincount(way[:-1], steps, minlength=len(first) - 1)


def runs(first: Array, node: Array, taken: Array) -> tuple[Array, Array, Array]:
    """Return the gapless stretches of the taken ways, at least two different nodes each.

    Parameters
    ----------
    first : array [way + 1]
        Offset of each way's first reference.
    node : array [ref]
        Row of the node, -1 where it is missing.
    taken : array [way], bool

    Returns
    -------
    way, node, run : array [point]
        Row of the way and of the node, and the number of the stretch, ascending.
    """
    way = np.repeat(np.arange(len(first) - 1), np.diff(first))
    keep = taken[way]
    way, node = way[keep], node[keep]
    run = np.cumsum(
        np.concatenate([[True], (way[1:] != way[:-1]) | (node[1:] < 0) | (node[:-1] < 0)])
        if len(way) else np.zeros(0, dtype=bool)
    )  # fmt: skip
    here = node >= 0  # 1
    way, node, run = way[here], node[here], run[here]
    fresh = np.ones(len(node), dtype=bool)
    fresh[1:] = (node[1:] != node[:-1]) | (run[1:] != run[:-1])  # 2
    way, node, run = way[fresh], node[fresh], run[fresh]
    size = np.bincount(run)[run] if len(run) else np.zeros(0, dtype=np.int64)
    way, node, run = way[size > 1], node[size > 1], run[size > 1]
    return way, node, run


def cut(first: Array, node: Array, taken: Array, lon: Array, lat: Array) -> Pieces:
    """Cut the taken ways into pieces.

    Parameters
    ----------
    first : array [way + 1]
        Offset of each way's first reference.
    node : array [ref]
        Row of the node, -1 where it is missing.
    taken : array [way], bool
        Ways to cut; junctions with other ways are none.
    lon, lat : array [node], degrees
    """
    way, node, run = runs(first, node, taken)
    if not len(node):
        empty = np.zeros(0, dtype=np.int64)
        return Pieces(empty, np.zeros(1, dtype=np.int64), empty, np.zeros(0))
    begins = np.concatenate([[True], run[1:] != run[:-1]])
    ends = np.append(begins[1:], True)
    junction = (np.bincount(node, minlength=len(lon)) > 1)[node] | begins | ends  # 3
    first_out, point = _split(junction, begins, ends, node)
    piece_way = way[_starts(junction, ends)]
    loop = point[first_out[:-1]] == point[first_out[1:] - 1]
    if loop.any():  # 4
        middle = ((first_out[:-1] + first_out[1:] - 1) // 2)[loop]
        inner = np.zeros(len(point), dtype=bool)
        inner[middle] = True
        starts = np.zeros(len(point), dtype=bool)
        starts[first_out[:-1]] = True
        stops = np.zeros(len(point), dtype=bool)
        stops[first_out[1:] - 1] = True
        marks = inner | starts | stops
        way_of_point = np.repeat(piece_way, np.diff(first_out))
        piece_way = way_of_point[_starts(marks, stops)]
        first_out, point = _split(marks, starts, stops, point)
    steps = np.append(segment_lengths(lon[point], lat[point]), 0.0)
    steps[first_out[1:] - 1] = 0.0
    length = np.add.reduceat(steps, first_out[:-1])
    return Pieces(piece_way, first_out, point, length)


def _starts(mark: Array, ends: Array) -> Array:
    return np.flatnonzero(mark & ~ends)


def _split(mark: Array, begins: Array, ends: Array, node: Array) -> tuple[Array, Array]:
    # A marked point inside a run ends one piece and begins the next: it stands twice.
    copies = np.where(mark & ~begins & ~ends, 2, 1)
    point = np.repeat(node, copies)
    place = np.cumsum(copies) - 1  # last copy of each point
    first = np.append(place[_starts(mark, ends)], len(point)).astype(np.int64)
    return first, point
