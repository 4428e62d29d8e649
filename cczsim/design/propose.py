"""Proposed streets of an area, one after the other, until enough is proposed.

Rules, with the numbers that the code carries:

1. First bridges, if any are wanted, then dead ends lead on, the shortest first, with up to
   ``DEAD_END_SHARE`` of the length that is wanted.
2. Then blocks are cut in two, again and again. By ``blocks`` the largest block first; by ``length``
   the longest street first, whatever block it cuts: most kilometres from fewest streets.
3. A block of whose rim more than ``_MOST_SHORE`` is water or the like is left alone: a street
   through it would run along the bank.
4. A street that is longer than what is missing is passed over. What is missing in the end, if it is
   more than ``slack``, is built of the first of those, which then is a dead end.

The same input gives the same streets: no random number is drawn.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import hypot
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.design.costs import StreetType
from cczsim.design.cuts import BlockCut, CutRules, Cutter, Junctions, Point, ends_of
from cczsim.design.dead_ends import LinkRules, bridge_ways, dead_end_ways
from cczsim.design.site import Site
from cczsim.network.geometry import unproject
from cczsim.network.street_blocks import GRID, NARROW

DEAD_END_SHARE: Final = 0.3
CHOICES: Final = ("blocks", "length")
_MOST_SHORE: Final = 0.25
_LEAST_STUB: Final = 15.0
"""A street that is cut short is longer than this, m."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """A proposed street.

    Parameters
    ----------
    kind : str
        ``block`` (cuts one in two), ``dead end`` (leads on from one) or ``bridge``.
    a, b : (float, float)
        Ends, m, in the site's projection.
    length, inside : float
        Of the street, and of its part in the area, m.
    cost : float
        CNY.
    block : float
        Area of the block that it cuts, m2; 0 for others.
    root : int
        Number of the block as it was in the beginning, which streets that hang together share; -1
        for streets that hang on no other.
    """

    kind: str
    a: Point
    b: Point
    length: float
    inside: float
    cost: float
    block: float = 0.0
    root: int = -1

    @property
    def structure(self) -> str:
        """As scenario files name it."""
        return "bridge" if self.kind == "bridge" else "ground"


@dataclass(frozen=True, eq=False)
class Plan:
    """Proposed streets, in the order in which they were chosen.

    Parameters
    ----------
    streets : tuple of Proposal
    crs : str
        Projection of their ends.
    blocks_left : int
        Blocks that could still be cut.
    blocks_unknown : int
        Blocks that were left alone for their size.
    """

    streets: tuple[Proposal, ...]
    crs: str
    blocks_left: int
    blocks_unknown: int
    area: Any = field(repr=False, default=None)

    @property
    def length(self) -> float:
        """Length inside the area, m."""
        return float(sum(street.inside for street in self.streets))

    @property
    def cost(self) -> float:
        """CNY."""
        return float(sum(street.cost for street in self.streets))

    def degrees(self) -> Array:
        """Return the ends of all streets, WGS-84, ``[street, end, 2]``."""
        ends = np.array([(s.a, s.b) for s in self.streets]).reshape(-1, 2, 2)
        lon, lat = unproject(ends[:, :, 0], ends[:, :, 1], self.crs)
        return np.stack([lon, lat], axis=2)


@dataclass
class _Need:
    """What is still wanted: a length (m) or money (CNY), whichever runs out first."""

    length: float
    money: float
    slack: float

    def fits(self, street: Proposal) -> bool:
        return street.inside <= self.length + self.slack and street.cost <= self.money

    def more(self) -> bool:
        return self.length > self.slack and self.money > 0.0

    def take(self, street: Proposal) -> None:
        self.length -= street.inside
        self.money -= street.cost


def propose(
    site: Site,
    street: StreetType,
    *,
    length: float = np.inf,
    money: float = np.inf,
    slack: float = 0.0,
    choose: str = "blocks",
    cuts: CutRules | None = None,
    links: LinkRules | None = None,
) -> Plan:
    """Propose streets until a length or a budget is used up, or nothing more fits.

    Parameters
    ----------
    site : Site
    street : StreetType
    length : float
        Wanted inside the area, m.
    money : float
        CNY.
    slack : float
        How far the length may be off, m.
    choose : {"blocks", "length"}
    cuts, links : optional
        What streets have to be like.
    """
    import shapely

    cuts, links = cuts or CutRules(), links or LinkRules()
    shapely.prepare(site.area)
    need = _Need(length, money, slack)
    chosen: list[Proposal] = []
    junctions = Junctions(_places(site), cuts.snap)
    wanted = _wanted(length, money, street)
    for kind, ways, share in (
        ("bridge", bridge_ways(site, links), 1.0),
        ("dead end", dead_end_ways(site, links, junctions), DEAD_END_SHARE),
    ):
        spent = 0.0
        for a, b in ways:
            one = _proposal(site, street, kind, a, b)
            if spent + one.inside > share * wanted or not need.fits(one):
                continue
            spent += one.inside
            need.take(one)
            chosen.append(one)
    added = shapely.linestrings([[s.a, s.b] for s in chosen]) if chosen else np.zeros(0, object)
    for place in ends_of(added) if chosen else ():
        junctions.add(place)
    cutter = Cutter(site.lines[site.open_], site.walls(), junctions, cuts)
    blocks = _faces(site, added)
    unknown = int(sum(block.area > cuts.max_block for block in blocks))
    pool = _Pool(site, street, cutter, choose)
    for number, block in enumerate(blocks):
        pool.offer(block, number)
    too_long: list[Proposal] = []
    while pool and need.more():
        entry = pool.pop()
        if not need.fits(entry.street):
            too_long.append(entry.street)
            continue
        chosen.append(entry.street)
        need.take(entry.street)
        junctions.add(entry.cut.a)
        junctions.add(entry.cut.b)
        for part in entry.cut.parts:
            pool.offer(part, entry.street.root)
    if need.more():
        last = cut_short(site, street, too_long[:1], need.length)
        chosen += [last[1]] if last is not None else []
    left = len(pool) + len(too_long)
    return Plan(tuple(chosen), site.crs, left, unknown, site.area)


def _wanted(length: float, money: float, street: StreetType) -> float:
    return min(length, money / street.cost)


def _places(site: Site) -> Iterator[Point]:
    nodes = np.unique(np.concatenate([site.tail[site.open_], site.head[site.open_]]))
    for node in nodes[site.legs[nodes] >= 3]:
        x, y = site.node_xy[node]
        if np.isfinite(x):
            yield float(x), float(y)


def _proposal(
    site: Site, street: StreetType, kind: str, a: Point, b: Point, block: float = 0.0,
    root: int = -1,
) -> Proposal:  # fmt: skip
    import shapely

    far = hypot(b[0] - a[0], b[1] - a[1])
    line = shapely.LineString([a, b])
    within = shapely.contains(site.area, line)
    inside = far
    if not within:
        edge = shapely.intersection(line, shapely.boundary(site.area))
        whole = shapely.length(shapely.intersection(line, site.area))
        inside = float(whole - 0.5 * shapely.length(edge))
    cost = far * street.cost
    if kind == "bridge":
        over = float(shapely.length(shapely.intersection(line, site.barred)))
        cost = over * street.bridge_cost + (far - over) * street.cost
    return Proposal(kind, a, b, far, inside, cost, block, root)


def _faces(site: Site, added: Array) -> list[Any]:
    """Return the blocks whose middle lies in the area, water and the like taken out."""
    import shapely

    near = site.lines[shapely.intersects(site.lines, site.area.buffer(500.0))]
    net = shapely.union_all(np.concatenate([near, added]), grid_size=GRID)
    faces = shapely.get_parts(shapely.polygonize([net]))
    if not len(faces):
        return []
    faces = faces[shapely.contains(site.area, shapely.point_on_surface(faces))]
    wide = 4 * shapely.area(faces) >= NARROW * shapely.length(shapely.get_exterior_ring(faces))
    faces = faces[wide]
    if not site.barred.is_empty:
        faces = shapely.get_parts(shapely.difference(faces, site.barred))
    faces = faces[shapely.get_type_id(faces) == 3]
    if not site.barred.is_empty:
        faces = faces[_shore(faces, site.barred) <= _MOST_SHORE]
    faces = shapely.simplify(faces, 0.5)
    west, south = shapely.bounds(faces).T[:2]
    return list(faces[np.lexsort((south, west))])


def _shore(faces: Array, barred: Any) -> Array:
    """Return the share of each block's rim that is the edge of what is kept out of."""
    import shapely

    rim = shapely.boundary(faces)
    edge = shapely.boundary(barred)
    near = shapely.dwithin(faces, edge, 0.01)
    share = np.zeros(len(faces))
    on_edge = shapely.intersection(rim[near], shapely.buffer(edge, 0.01))
    share[near] = shapely.length(on_edge) / shapely.length(rim[near])
    return share


@dataclass(frozen=True, eq=False)
class _Entry:
    street: Proposal
    cut: BlockCut


class _Pool:
    """Cuts that may be chosen, the next one on top."""

    def __init__(self, site: Site, street: StreetType, cutter: Cutter, choose: str) -> None:
        self._site, self._street, self._cutter = site, street, cutter
        self._by_length = choose == "length"
        self._heap: list[tuple[float, int, _Entry]] = []
        self._serial = 0

    def __len__(self) -> int:
        return len(self._heap)

    def offer(self, block: Any, root: int) -> None:
        """Put in the best cut of a block, if there is any."""
        cut = self._cutter.best(block)
        if cut is None:
            return
        street = _proposal(self._site, self._street, "block", cut.a, cut.b, block.area, root)
        if street.inside <= 0.0:
            return
        key = -round(street.inside if self._by_length else block.area, 1)
        heapq.heappush(self._heap, (key, self._serial, _Entry(street, cut)))
        self._serial += 1

    def pop(self) -> _Entry:
        return heapq.heappop(self._heap)[2]


def cut_short(
    site: Site, street: StreetType, streets: Sequence[Proposal], length: float
) -> tuple[int, Proposal] | None:
    """Return the place of the first street that is longer than what is missing, cut to that (4).

    None where no street is, or too little is missing for one.
    """
    if not _LEAST_STUB < length < np.inf:
        return None
    for place, whole in enumerate(streets):
        if whole.inside == whole.length > length:
            share = length / whole.length
            end = [p + share * (q - p) for p, q in zip(whole.a, whole.b, strict=True)]
            return place, _proposal(
                site, street, "block", whole.a, (end[0], end[1]), whole.block, whole.root
            )
    return None
