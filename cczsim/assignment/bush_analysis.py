"""What analysts ask of an equilibrium: skims over used ways, selected links and zones, the ways.

Link flows of an equilibrium are unique, its ways are not. These are the ways of the bushes:
within an origin flow divides in proportion wherever it meets; between origins no proportion is
sought.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cczsim.assignment.bush_solution import BushSolution
from cczsim.columns import Array
from cczsim.kernels.bush_analysis import bound_for, means, select
from cczsim.network.road import NO_LINK


class Selection(NamedTuple):
    """Trips of a selection, and their flow.

    Parameters
    ----------
    trips : array [class, zone, zone], pce/h
    link_flow : array [class, link], pce/h
    """

    trips: Array
    link_flow: Array


class Way(NamedTuple):
    """One used way of a pair of zones: link rows in order of travel, and its flow, pce/h."""

    links: tuple[int, ...]
    flow: float


def _on_arcs(solution: BushSolution, value: Array) -> Array:
    """Return a value of links for each arc, 0 for turns."""
    return np.tile(solution.graph.mark(value), solution.n_classes)


def _by_class(solution: BushSolution, matrix: Array) -> Array:
    return matrix.reshape(solution.n_classes, len(solution.zone_id), len(solution.zone_id))


def _links_by_class(solution: BushSolution, flow: Array) -> Array:
    return solution.graph.on_links(flow.reshape(solution.n_classes, -1))


def skim_used(solution: BushSolution, value: Array) -> Array:
    """Return the mean over used ways of the sum of a value of links, by flow.

    Parameters
    ----------
    solution : BushSolution
    value : array [link]

    Returns
    -------
    array [class, zone, zone]
        NaN where nobody travels, 0 within zones.
    """
    out = np.full(solution.demand.shape, np.nan)
    means(solution.rows, _on_arcs(solution, np.asarray(value, dtype=float)), out)
    matrix = _by_class(solution, out)
    inside = np.arange(len(solution.zone_id))
    matrix[:, inside, inside] = 0.0
    return matrix


def select_links(solution: BushSolution, links: Array) -> Selection:
    """Return the trips that take at least one of some links (rows), and where else they drive."""
    chosen = np.zeros(solution.graph.n_links, dtype=bool)
    chosen[links] = True
    trips = np.zeros(solution.demand.shape)
    flow = np.zeros(solution.n_classes * solution.graph.road.n_links)
    select(solution.rows, _on_arcs(solution, chosen), solution.demand, trips, flow)
    return Selection(_by_class(solution, trips), _links_by_class(solution, flow))


def select_zone(solution: BushSolution, zone: int) -> Selection:
    """Return the trips from and to a zone (row), and their flow."""
    n = len(solution.zone_id)
    wanted = np.zeros((solution.n_classes, n, n))
    demand = _by_class(solution, solution.demand)
    wanted[:, zone, :] = demand[:, zone, :]
    wanted[:, :, zone] = demand[:, :, zone]
    flow = np.zeros(solution.n_classes * solution.graph.road.n_links)
    bound_for(solution.rows, wanted.reshape(-1, n), flow)
    return Selection(wanted, _links_by_class(solution, flow))


def load_used(solution: BushSolution, trips: Array) -> Array:
    """Return the link flows of other trips that divide over the used ways as these do.

    Parameters
    ----------
    solution : BushSolution
    trips : array [zone, zone], pce/h
        Of each class in turn; those between zones that nobody travels between load nothing.

    Returns
    -------
    array [link], pce/h
    """
    flow = np.zeros(solution.n_classes * solution.graph.road.n_links)
    wanted = np.ascontiguousarray(trips, dtype=float).reshape(-1, len(solution.zone_id))
    bound_for(solution.rows, wanted, flow)
    return np.asarray(_links_by_class(solution, flow).sum(axis=0))


def used_ways(
    solution: BushSolution, origin: int, destination: int, user_class: int = 0, least: float = 1e-6
) -> tuple[Way, ...]:
    """Return the used ways of a pair of zones (rows), the one of most flow first.

    Parameters
    ----------
    solution : BushSolution
    origin, destination : int
    user_class : int
    least : float
        Ways of less than this share of the pair's trips are left out.
    """
    n_rows = solution.graph.road.n_links
    bush = user_class * len(solution.zone_id) + origin
    rows = solution.rows
    first, arc = rows.first[bush], rows.arc[bush]
    tail, flow = rows.tail[bush], rows.flow[bush]
    trips = float(solution.demand[bush, destination])
    end = int(rows.at[bush, destination])
    found: list[Way] = []
    waiting: list[tuple[int, float, tuple[int, ...]]] = [(end, 1.0, ())] if end > 0 else []
    while waiting:
        position, share, behind = waiting.pop()
        if position == 0:
            found.append(Way(_physical(solution, behind), share * trips))
            continue
        places = range(first[position], first[position + 1])
        total = float(sum(flow[k] for k in places))
        for k in places:
            part = share * float(flow[k] / total if total > 0.0 else 1.0 / len(places))
            if part >= least:
                waiting.append((int(tail[k]), part, (int(arc[k]) % n_rows, *behind)))
    return tuple(sorted(found, key=lambda way: (-way.flow, way.links)))


def _physical(solution: BushSolution, rows: tuple[int, ...]) -> tuple[int, ...]:
    graph = solution.graph
    links = [row if graph.owner is None else int(graph.owner[row]) for row in rows]
    return tuple(link for link in links if link < graph.n_links and link != NO_LINK)
