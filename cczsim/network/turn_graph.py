"""Turn rules built into a road network, so that path search that knows nothing of turns keeps them.

Rules, with the numbers that the code carries. A *state* is a link together with what of the
rules' sequences was driven up to its end; a link has one state more for each beginning, of two or
more links, of a rule that ends in it (the automaton of Aho and Corasick, 1975, over sequences of
links). Only nodes where a rule does something are expanded; one without costs nothing.

1. The links keep their rows. Behind them stand copies of links, one a further state; then turn
   arcs, of no length and delay, that take their penalty.
2. At an expanded node each state that a rule says something about ends in a node of its own, the
   others in one node together; each link that a rule says something about begins in a node of its
   own, the others in one together. Arcs join what ends to what begins.
3. A turn takes the sum of the penalties of all rules that it completes; forbidden ones have no arc.
4. An expanded node where trips may begin or end keeps its row, for these trips only: all that ends
   there leads to it, it leads to all that begins there, and it cannot be passed.
5. Nodes that could not be passed before are not expanded: no path turns there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from cczsim.columns import Array
from cczsim.errors import NetworkError
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.road_class import CONNECTOR
from cczsim.network.turns import Turns

ARC_CAPACITY: Final = 99999.0


@dataclass(frozen=True, eq=False)
class TurnGraph:
    """A road network in which every path keeps the turn rules, and the way back to the links.

    Paths from node to node of the network as it was are paths here, of the same cost, if and only
    if they keep the rules. Their links are ``link_of`` of their rows, arcs left out.

    Parameters
    ----------
    road : RoadNetwork
        Its first rows are the links, in order; then copies of links; then turn arcs. The first
        nodes are the nodes, in order.
    link_of : array [link of road], int32
        The link that a row stands for; ``NO_LINK`` for turn arcs.
    node_of : array [node of road], int32
        The node that a node is a part of.
    """

    road: RoadNetwork
    link_of: Array
    node_of: Array


class _Special(NamedTuple):
    """Turns that are not free, or that lead to a further state (``[turn]``)."""

    state: Array
    """Row of a link, or number of links + row of a copy."""
    out: Array
    """Link that is turned into."""
    penalty: Array
    target: Array
    """State that the turn leads to."""


def expand_turns(road: RoadNetwork, turns: Turns, terminals: Array | None = None) -> TurnGraph:
    """Return the network with the rules built in.

    Parameters
    ----------
    road : RoadNetwork
    turns : Turns
    terminals : array of node rows, optional
        Nodes where trips may begin or end; all unless given, which takes more arcs.

    Raises
    ------
    NetworkError
        A rule names a link that is not there, or links that do not follow each other.
    """
    _check(road, turns)
    copy_of, special = _automaton(road, turns)
    n, n_copies = road.n_links, len(copy_of)
    if not len(special.state):
        rows, nodes = np.arange(n, dtype=np.int32), np.arange(road.n_nodes, dtype=np.int32)
        return TurnGraph(road, rows, nodes)
    state_link = np.concatenate([np.arange(n), copy_of])
    at = road.head[state_link]  # node where each state ends
    expanded = np.zeros(road.n_nodes, dtype=bool)
    expanded[at[special.state]] = True
    terminal = np.ones(road.n_nodes, dtype=bool)
    if terminals is not None:
        terminal[:] = False
        terminal[terminals] = True

    # 2: what ends and what begins at expanded nodes, each with its node
    own_end = np.zeros(n + n_copies, dtype=bool)
    own_end[special.state] = True
    own_start = np.zeros(n, dtype=bool)
    own_start[special.out] = True
    ends_here, starts_here = expanded[at], expanded[road.tail]
    joint_end = np.unique(at[ends_here & ~own_end])
    joint_start = np.unique(road.tail[starts_here & ~own_start])
    next_node = road.n_nodes
    node_of = [np.arange(road.n_nodes)]

    def new_nodes(origin: Array) -> Array:
        nonlocal next_node
        made = next_node + np.arange(len(origin))
        next_node += len(origin)
        node_of.append(origin)
        return made

    end_node, start_node = at.astype(np.int64), road.tail.astype(np.int64)
    end_node[own_end] = new_nodes(at[own_end])
    start_node[own_start] = new_nodes(road.tail[own_start])
    joint_end_node = new_nodes(joint_end)
    joint_start_node = new_nodes(joint_start)
    ends = ends_here & ~own_end
    end_node[ends] = joint_end_node[np.searchsorted(joint_end, at[ends])]
    starts = starts_here & ~own_start
    start_node[starts] = joint_start_node[np.searchsorted(joint_start, road.tail[starts])]
    copy_start = new_nodes(road.tail[copy_of])
    state_start = np.concatenate([start_node, copy_start])

    # 2: free turns are all of (ends) x (starts) but the special ones
    exit_node = np.concatenate([end_node[own_end], joint_end_node])
    exit_at = np.concatenate([at[own_end], joint_end])
    entry_node = np.concatenate([start_node[own_start], joint_start_node])
    entry_at = np.concatenate([road.tail[own_start], joint_start])
    free_from, free_to = _cross(exit_node, exit_at, entry_node, entry_at, road.n_nodes)
    barred = end_node[special.state] * next_node + start_node[special.out]
    free = ~np.isin(free_from * next_node + free_to, barred)
    allowed = np.isfinite(special.penalty)  # 3
    ending, beginning = terminal[exit_at], terminal[entry_at]  # 4
    arc_from = np.concatenate(
        [free_from[free], end_node[special.state[allowed]], exit_node[ending], entry_at[beginning]]
    )
    arc_to = np.concatenate(
        [free_to[free], state_start[special.target[allowed]], exit_at[ending],
         entry_node[beginning]]
    )  # fmt: skip
    penalty = np.zeros(len(arc_from))
    first = int(free.sum())
    penalty[first : first + int(allowed.sum())] = special.penalty[allowed]
    order = np.lexsort((arc_to, arc_from))
    through = np.concatenate([road.node_through & ~expanded, np.ones(next_node, dtype=bool)])
    return _graph(
        road, copy_of, np.concatenate(node_of), through[:next_node],
        np.concatenate([state_start, arc_from[order]]), np.concatenate([end_node, arc_to[order]]),
        penalty[order],
    )  # fmt: skip


def _check(road: RoadNetwork, turns: Turns) -> None:
    if turns.n_turns and int(turns.turn_link.max()) >= road.n_links:
        raise NetworkError.of(
            "turns", f"link {int(turns.turn_link.max())}", f"rows below {road.n_links}"
        )
    inner = np.ones(len(turns.turn_link), dtype=bool)
    inner[turns.turn_first[1:] - 1] = False
    here = np.flatnonzero(inner)
    apart = road.head[turns.turn_link[here]] != road.tail[turns.turn_link[here + 1]]
    if apart.any():
        rules = np.searchsorted(turns.turn_first, here[apart][:5], side="right") - 1
        raise NetworkError.of("turns", f"rules {rules} of links apart", "links that follow on")


def _automaton(road: RoadNetwork, turns: Turns) -> tuple[Array, _Special]:
    """Return the link of each copy, and the turns that are special."""
    size = np.diff(turns.turn_first)
    through = road.node_through
    pair = np.flatnonzero(size == 2)
    a, b = turns.turn_link[turns.turn_first[pair]], turns.turn_link[turns.turn_first[pair] + 1]
    live = through[road.head[a]]  # 5
    key, which = np.unique(a[live].astype(np.int64) * road.n_links + b[live], return_inverse=True)
    cost = np.zeros(len(key))
    np.add.at(cost, which, turns.penalty[pair[live]])
    state, out = key // max(road.n_links, 1), key % max(road.n_links, 1)
    target = out.copy()
    longer = [tuple(turns.links_of(k)) for k in np.flatnonzero(size > 2).tolist()]
    live_rules = [k for k, links in enumerate(longer) if through[road.head[list(links[:-1])]].all()]
    if not live_rules:
        return np.zeros(0, dtype=np.int64), _Special(state, out, cost, target)
    return _longer(
        road, {k: float(c) for k, c in zip(zip(state.tolist(), out.tolist(), strict=True), cost,
                                           strict=True)},
        [longer[k] for k in live_rules],
        turns.penalty[np.flatnonzero(size > 2)[live_rules]].tolist(),
    )  # fmt: skip


def _longer(
    road: RoadNetwork,
    pairs: dict[tuple[int, int], float],
    rules: list[tuple[int, ...]],
    penalties: list[float],
) -> tuple[Array, _Special]:
    """Return copies and special turns where some rules have more than two links (1, 3)."""
    n = road.n_links
    complete: dict[tuple[int, ...], float] = dict(pairs.items())
    for links, penalty in zip(rules, penalties, strict=True):
        complete[links] = complete.get(links, 0.0) + penalty
    states: dict[tuple[int, ...], int] = {}
    for links in rules:
        for stop in range(2, len(links)):
            states.setdefault(links[:stop], n + len(states))
    by_tail = np.argsort(road.tail, kind="stable")
    first_out = np.searchsorted(road.tail[by_tail], np.arange(road.n_nodes + 1))
    table: dict[tuple[int, int], tuple[float, int]] = {
        turn: (penalty, turn[1]) for turn, penalty in pairs.items()
    }
    # A further state that is reached by a turn from a link: the beginnings of two links.
    for driven, number in states.items():
        if len(driven) == 2:
            table[driven] = (pairs.get(driven, 0.0), number)
    for driven, number in states.items():
        node = road.head[driven[-1]]
        for out in by_tail[first_out[node] : first_out[node + 1]].tolist():
            whole = (*driven, out)
            ways = [whole[k:] for k in range(len(whole) - 1)]
            penalty = sum(complete[way] for way in ways if way in complete)
            target = next((states[way] for way in ways if way in states), out)
            if penalty > 0.0 or target != out:
                table[number, out] = (penalty, target)
    copy_of = np.array([driven[-1] for driven in states], dtype=np.int64)
    keys = sorted(table)
    return copy_of, _Special(
        np.array([k[0] for k in keys], dtype=np.int64),
        np.array([k[1] for k in keys], dtype=np.int64),
        np.array([table[k][0] for k in keys]),
        np.array([table[k][1] for k in keys], dtype=np.int64),
    )


def _cross(
    exit_node: Array, exit_at: Array, entry_node: Array, entry_at: Array, n_nodes: int
) -> tuple[Array, Array]:
    """Return all pairs of an exit and an entry at the same node."""
    order = np.argsort(entry_at, kind="stable")
    count = np.bincount(entry_at, minlength=n_nodes)
    begin = np.concatenate([[0], np.cumsum(count)])
    times = count[exit_at]
    within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    return np.repeat(exit_node, times), entry_node[order][np.repeat(begin[exit_at], times) + within]


def _graph(
    road: RoadNetwork, copy_of: Array, node_of: Array, through: Array, tail: Array, head: Array,
    penalty: Array,
) -> TurnGraph:  # fmt: skip
    n, n_copies, n_arcs = road.n_links, len(copy_of), len(penalty)
    rows = np.concatenate([np.arange(n), copy_of])
    made = np.arange(n_copies + n_arcs)
    arc_values: dict[str, float] = {
        "road_class": CONNECTOR, "capacity": ARC_CAPACITY, "beta": 1.0, "reverse_link": NO_LINK,
    }  # fmt: skip
    columns: dict[str, Array] = {}
    for name in RoadNetwork.dims()["link"]:
        own = getattr(road, name)
        fill = np.full(n_arcs, "" if name == "name" else arc_values.get(name, 0), dtype=own.dtype)
        columns[name] = np.concatenate([own[rows], fill])
    columns["link_id"][n:] = int(road.link_id.max(initial=0)) + 1 + made
    columns["free_flow_time"][n + n_copies :] = penalty
    columns["tail"], columns["head"] = tail, head
    back = columns["reverse_link"]
    back[n:] = NO_LINK
    pairs = np.flatnonzero(back != NO_LINK)
    mate = back[pairs]
    moved = (tail[pairs] != head[mate]) | (head[pairs] != tail[mate])
    back[pairs[moved]] = NO_LINK
    top = int(road.node_id.max(initial=0)) + 1
    expanded = RoadNetwork(
        node_id=np.concatenate([road.node_id, top + np.arange(len(node_of) - road.n_nodes)]),
        node_lon=road.node_lon[node_of],
        node_lat=road.node_lat[node_of],
        node_through=through,
        **columns,
    )
    link_of = np.concatenate([rows, np.full(n_arcs, NO_LINK)]).astype(np.int32)
    return TurnGraph(expanded, link_of, node_of.astype(np.int32))
