"""The most likely ways of an equilibrium: link flows as they are, all else in proportion.

Link flows of an equilibrium are unique, its ways are not. Of all ways that give the link flows
those of most entropy are unique, and where two segments join the same nodes at the same cost all
origins, destinations and classes use them in the same proportion (H. Bar-Gera, 2010, Traffic
assignment by paired alternative segments, *Transportation Research B* 44(8-9), section 2; H.
Bar-Gera, D. Boyce and Y. Nie, 2012, User-equilibrium route flows and the condition of
proportionality, *Transportation Research B* 46(3)).

Method. Every bush gets the links that somebody uses and that miss its least costs by no more than a
tolerance. Ways of most entropy are taken in proportion to ``exp(-price)``, a way's price being the
sum of those of its links; the prices that give the link flows are where a convex function (the
dual) is least, found by Newton steps whose equations conjugate gradients solve. Neither ways nor
pairs of segments are listed. Deviation from both papers: they shift between origins pair by pair.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.bush_arrays import label_work
from cczsim.assignment.bush_solution import BushSolution, arc_flow
from cczsim.assignment.least_cost_bushes import LeastCostBushes
from cczsim.assignment.search_graph import SearchGraph
from cczsim.assignment.threads import by_block
from cczsim.columns import Array
from cczsim.errors import AssignmentError
from cczsim.kernels.bush import Rows
from cczsim.kernels.bush_entropy import Core, bend_block, load_block
from cczsim.kernels.bush_label import find_cores
from cczsim.kernels.types import N_BLOCKS
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem

TOLERANCE = 1e-8
"""Links that miss a least cost by no more than this share of a trip's mean cost count as least."""
GAP = 1e-10
"""Ways of equal cost are told from others where the relative gap is no more than this."""
NOBODY = 1e-12
"""Nobody gets a link that carries no more than this share of all trips."""
FLOW_ERROR = 1e-9
"""What a link's flow may change by, as a share of all trips; steps end a hundred times below."""
STEPS, HALVINGS, CONJUGATE = 100, 30, 500
"""Newton steps, halvings of each, and conjugate gradients for each, at most."""
PRECISE = 0.1
"""How far conjugate gradients lower what is to be solved."""
LONGEST = 3.0
"""Most that a step changes a price by: choices by logit say little of what lies farther off."""
STIFFEST = 0.1
"""Most that is added to what stands on the diagonal of a Newton step's equations."""
BLOCK_ARCS = 20_000
"""About so many arcs make a block of the core."""


@dataclass(frozen=True, eq=False)
class Proportional:
    """The most likely ways, and how nearly they are that.

    Parameters
    ----------
    solution : BushSolution
        Its bushes carry them: skims, selections and ways are asked of it as of any other.
    tolerance : float, s
        Links that miss a least cost by no more count as links of least cost.
    apart : float
        Share of the flow of all links that origins have on dearer ones: these no other origin
        gets.
    flow_error : float
        The most that the flow of a link changed by, as a share of all trips.
    entropy_before, entropy : float, pce/h
        Of the ways of the bushes, and of these.
    steps, sweeps : int
        Newton steps, and passes over the bushes.
    """

    solution: BushSolution
    tolerance: float
    apart: float
    flow_error: float
    entropy_before: float
    entropy: float
    steps: int
    sweeps: int

    @property
    def converged(self) -> bool:
        """Whether links have their flows."""
        return self.flow_error <= FLOW_ERROR

    @property
    def class_flow(self) -> Array:
        """What each class puts on links, ``[class, link], pce/h``."""
        return _links_of_classes(self.solution)


def make_proportional(solution: BushSolution, centroid: Array, link_cost: Array) -> Proportional:
    """Find the most likely ways that give the link flows of an equilibrium.

    Where several classes choose between the same ways at the same cost, they do so in the same
    proportion too: what a class puts on links may change, what all put on them together does not.

    Parameters
    ----------
    solution : BushSolution
        Of a relative gap of no more than :data:`GAP`; where it is more, ways of equal cost are not
        told from others.
    centroid : int array [zone]
        Rows of nodes.
    link_cost : array [class, link], s
        Costs at the equilibrium; inf where a class may not drive.

    Raises
    ------
    AssignmentError
        Costs that do not fit the solution.
    """
    graph, n_rows = solution.graph, solution.graph.road.n_links
    if link_cost.shape != (solution.n_classes, graph.n_links):
        raise AssignmentError.of(
            "link_cost", f"shape {link_cost.shape}", f"{(solution.n_classes, graph.n_links)}"
        )
    trips = float(solution.demand.sum())
    before = _links_of_classes(solution)
    if trips == 0.0:
        return Proportional(solution, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0)
    spent = np.where(before > 0.0, before * np.where(before > 0.0, link_cost, 0.0), 0.0)
    slack = TOLERANCE * float(spent.sum()) / trips
    row = np.arange(n_rows)
    link = row if graph.owner is None else np.asarray(graph.owner)
    shared = np.append(before.sum(axis=0) > NOBODY * trips, np.ones(n_rows - graph.n_links, bool))
    cost = np.stack([graph.on_rows(one) for one in link_cost])
    bushes = LeastCostBushes(solution, centroid, cost, slack, shared[link])
    while True:
        rows = bushes.rows()
        core, bush, place = _core_of(rows, solution.demand)
        arc, own = rows.arc[bush, place], rows.flow[bush, place]
        of_link = link[arc % n_rows]
        choices = np.bincount(of_link, own, n_rows)
        # Who could choose a link that only those use who have no choice must not.
        vain = (own == 0.0) & (choices[of_link] <= NOBODY * trips) & (of_link < graph.n_links)
        if not vain.any():
            break
        bushes.close(bush[vain], arc[vain])
    priced = _priced(graph, arc % n_rows, of_link, choices)
    number = np.full(n_rows, len(priced), dtype=np.int32)
    number[priced] = np.arange(len(priced), dtype=np.int32)
    loading = _Loading(core._replace(link=number[of_link]), len(priced))
    steps = _solve(loading, choices[priced], 0.01 * FLOW_ERROR * trips)
    rows.flow[bush, place] = loading.flow()
    likely = replace(solution, rows=rows)
    change = _links_of_classes(likely).sum(axis=0) - before.sum(axis=0)
    everything = float(arc_flow(solution.rows, len(cost) * n_rows).sum())
    return Proportional(
        likely, slack, bushes.apart / everything, float(np.abs(change).max()) / trips,
        entropy(solution.rows), entropy(rows), steps, loading.sweeps,
    )  # fmt: skip


def compile_proportional() -> None:
    """Compile the kernels of proportion, or take them from the cache, on two like ways."""
    ends = np.arange(2)
    road = RoadNetwork(
        node_id=ends, node_lon=np.zeros(2), node_lat=np.zeros(2), link_id=ends, tail=np.zeros(2),
        head=np.ones(2), road_class=np.zeros(2), length=np.ones(2), free_flow_time=np.ones(2),
        capacity=np.ones(2),
    )  # fmt: skip
    demand = np.array([[0.0, 1.0], [0.0, 0.0]])
    zones = ZoneSystem(zone_id=ends, centroid=ends)
    found = assign_bushes(road, zones, demand, params=BushParams(GAP), keep_bushes=True)
    if found.bushes is not None:
        make_proportional(found.bushes, ends, found.link_cost[None])


def entropy(rows: Rows) -> float:
    """Return the entropy of the ways of bushes, the most that any ways with their flows have.

    It is the sum of ``- flow ln(flow / flow into the same node)`` over all links of all bushes.
    """
    total = 0.0
    for size, first, flow in zip(rows.size, rows.first, rows.flow, strict=True):
        if size < 2:
            continue
        here = flow[: first[size]]
        through = np.repeat(np.add.reduceat(here, first[1:size]), np.diff(first[1 : size + 1]))
        used = here > 0.0
        total -= float((here[used] * np.log(here[used] / through[used])).sum())
    return total


def _links_of_classes(solution: BushSolution) -> Array:
    n_rows = solution.graph.road.n_links
    flow = arc_flow(solution.rows, solution.n_classes * n_rows)
    return solution.graph.on_links(flow.reshape(-1, n_rows))


def _core_of(rows: Rows, demand: Array) -> tuple[Core, Array, Array]:
    """Return what bushes leave to choose, with no links, and the bush and place of its arcs."""
    n_bushes, width = rows.first.shape
    labels = label_work(1, n_bushes, width, (0, 0))
    find_cores(rows, False, 1, labels)
    bush, column = np.nonzero(np.arange(width) < labels.n_core[:, None])
    entry = labels.core[bush, column]
    position = np.where(entry < 0, ~entry, entry)
    begin = rows.first[bush, position]
    # Labels of the core begin where no arc of it leads.
    n_into = np.where(entry < 0, 0, rows.first[bush, np.minimum(position + 1, width - 1)] - begin)
    first = np.zeros(len(entry) + 1, dtype=np.int32)
    np.cumsum(n_into, out=first[1:])
    of_bush = np.repeat(bush, n_into)
    place = np.arange(first[-1]) + np.repeat(begin - first[:-1], n_into)
    seat = np.zeros((n_bushes, width), dtype=np.int32)
    seat[bush, position] = np.arange(len(entry))
    wanted = np.zeros((n_bushes, width))
    one, zone = np.nonzero(rows.at >= 0)
    np.add.at(wanted, (one, rows.at[one, zone]), demand[one, zone])
    beside = np.arange(rows.arc.shape[1]) < rows.first[np.arange(n_bushes), rows.size, None]
    beside[of_bush, place] = False
    one, at = np.nonzero(beside)
    np.add.at(wanted, (one, rows.tail[one, at]), rows.flow[one, at])
    n_blocks = min(N_BLOCKS, 1 + len(place) // BLOCK_ARCS)
    bounds = np.searchsorted(bush, np.arange(n_blocks + 1) * n_bushes // n_blocks)
    tail = seat[of_bush, rows.tail[of_bush, place]]
    core = Core(bounds.astype(np.int32), first, tail, tail[:0], wanted[bush, position])
    return core, of_bush, place


def _priced(graph: SearchGraph, row: Array, link: Array, flow: Array) -> Array:
    """Return the links that need a price: where flow can come to a node by another one too."""
    head = np.asarray(graph.road.head)
    there = np.bincount(row, minlength=len(head)) > 0
    n_into = np.bincount(head[there], minlength=graph.road.n_nodes)
    met = np.zeros(len(head), dtype=bool)
    met[link[n_into[head[row]] > 1]] = True
    met[graph.n_links :] = False
    return np.flatnonzero(met & (flow > 0.0))


class _Loading:
    """The core's flows at prices of links, and how prices change them; the last link has none."""

    def __init__(self, core: Core, n_links: int) -> None:
        self._core, self._n_blocks, self.sweeps = core, len(core.begin) - 1, 0
        self._link_flow = np.empty((self._n_blocks, n_links + 1))
        self._share, self._through = np.empty(len(core.tail)), np.empty(len(core.wanted))
        self._scratch = np.empty((2, len(core.wanted)))

    def load(self, price: Array) -> Array:
        """Return link flows at prices."""
        self.sweeps += 1
        by_block(
            load_block, self._n_blocks, self._core, np.append(price, 0.0), self._scratch[0],
            self._share, self._through, self._link_flow,
        )  # fmt: skip
        return np.asarray(self._link_flow.sum(axis=0)[:-1])

    def bend(self, change: Array) -> Array:
        """Return what link flows lose by a change of prices, to first order."""
        self.sweeps += 1
        by_block(
            bend_block, self._n_blocks, self._core, self._share, self._through,
            np.append(change, 0.0), self._scratch[0], self._scratch[1], self._link_flow,
        )  # fmt: skip
        return np.asarray(self._link_flow.sum(axis=0)[:-1])

    def flow(self) -> Array:
        """Return what is loaded, ``[arc of the core], pce/h``."""
        return self._share * np.repeat(self._through, np.diff(self._core.first))

    def spread(self) -> Array:
        """Return about what the flow of each link loses by a price of its own."""
        # A link alone at its node in one bush is not so in all.
        free = self.flow() * np.maximum(1.0 - self._share, 0.1)
        n_links = self._link_flow.shape[1]
        return np.bincount(self._core.link, free, n_links)[:-1] + np.finfo(float).tiny


def _solve(loading: _Loading, wanted: Array, enough: float) -> int:
    """Load so that links have the wanted flow; return the Newton steps taken."""
    price = np.zeros(len(wanted))
    miss = loading.load(price) - wanted
    for step in range(STEPS):
        if np.abs(miss).max(initial=0.0) <= enough:
            return step
        change = _newton(loading, miss)
        slope = float((change * miss).sum())
        for halving in range(HALVINGS):
            ahead = price + 0.5**halving * change
            miss = loading.load(ahead) - wanted
            # Beyond the least value along the way it may soon be higher than here.
            if float((change * miss).sum()) >= -0.5 * slope:
                break
        price = ahead
    return STEPS


def _newton(loading: _Loading, miss: Array) -> Array:
    """Return a change of prices that makes up for what flows miss, to first order.

    What flows miss is added to the diagonal, as a share (K. Levenberg, 1944): where a step before
    left choices one-sided the equations know next to nothing of prices.
    """
    spread = loading.spread()
    extra = min(STIFFEST, float(np.abs(miss).sum() / spread.sum())) * spread
    scale = 1.0 / (spread + extra)
    change, left = np.zeros(len(miss)), miss.copy()
    along = scale * left
    size = begin = float((left * along).sum())
    for _ in range(CONJUGATE):
        bent = loading.bend(along) + extra * along
        stiff = float((along * bent).sum())
        if stiff <= 0.0:
            break
        change += size / stiff * along
        left -= size / stiff * bent
        before, size = size, float((left * scale * left).sum())
        if size <= PRECISE**2 * begin:
            break
        along = scale * left + size / before * along
    return np.asarray(change * min(1.0, LONGEST / np.abs(change).max(initial=LONGEST)))
