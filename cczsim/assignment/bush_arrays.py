"""What the bush kernels take: views of costs and networks, and scratch space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cczsim.assignment.car_demand import CarDemand
from cczsim.assignment.cost import LinkCost
from cczsim.columns import Array
from cczsim.kernels.bush import Rows
from cczsim.kernels.bush_label import Labels
from cczsim.kernels.bush_pairs import Merges, Pairs
from cczsim.kernels.bush_trade import Choice
from cczsim.kernels.bush_ways import UNKNOWN, Approach, GrowWork
from cczsim.kernels.hierarchy import N_LANES, NONE, Hierarchy
from cczsim.kernels.types import ForwardStar
from cczsim.kernels.vdf import Vdf
from cczsim.network.road import RoadNetwork
from cczsim.network.zones import ZoneSystem


def kernel_choice(demand: CarDemand | None) -> Choice:
    """Return the view of a car demand that kernels take."""
    if demand is None:
        none = np.zeros((0, 0))
        return Choice(none, none, 1.0, 0.0)
    total, log_other = np.zeros(demand.elastic.shape), np.zeros(demand.elastic.shape)
    total[demand.elastic] = demand.persons / demand.occupancy
    log_other[demand.elastic] = demand.log_other
    return Choice(total, log_other, demand.scale, demand.car_fixed)


def star_vdf(star: ForwardStar, models: Sequence[LinkCost]) -> Vdf:
    """Return what delays links, in the order of a star where every link is one arc.

    Where classes or copies share links, delays stand by row of the network and arcs point there.
    """
    road, owner = models[0].road, models[0].owner
    rows: Array
    n_links = road.n_links
    fixed = [(road.free_flow_time + model.fixed)[star.link] for model in models]
    if owner is None and len(models) == 1:
        rows = star.link
        physical = twin_first = twin = np.zeros(0, dtype=np.int32)
    else:
        rows = np.arange(n_links)
        row_owner = rows if owner is None else np.asarray(owner)
        physical = np.tile(row_owner[star.link], len(models)).astype(np.int32)
        twin = np.argsort(physical, kind="stable").astype(np.int32)
        twin_first = np.zeros(n_links + 1, dtype=np.int32)
        np.cumsum(np.bincount(physical, minlength=n_links), out=twin_first[1:])
    factor = np.asarray(road.free_flow_time * road.alpha / road.capacity**road.beta)
    return Vdf(
        kind=road.delay_function[rows],
        factor=factor[rows],
        alpha=road.alpha[rows],
        beta=road.beta[rows],
        free=road.free_flow_time[rows],
        capacity=road.capacity[rows],
        background=road.background[rows],
        fixed=np.concatenate(fixed),
        physical=physical,
        twin_first=twin_first,
        twin=twin,
    )


def approach(road: RoadNetwork, star: ForwardStar, net: Hierarchy, zones: ZoneSystem) -> Approach:
    """Return the links into each node of a star, and the node's place in a hierarchy.

    Links from a node to itself are left out: where one is free, a way back would not leave it.
    """
    arc = np.argsort(star.head, kind="stable").astype(np.int32)
    arc = arc[star.tail[arc] != star.head[arc]]
    first = np.zeros(road.n_nodes + 1, dtype=np.int32)
    np.cumsum(np.bincount(star.head[arc], minlength=road.n_nodes), out=first[1:])
    place = np.full(road.n_nodes, NONE, dtype=np.int32)
    place[star.rank[np.flatnonzero(road.node_through)]] = net.node_place[net.rank]
    return Approach(first, arc, star.tail[arc], place, star.rank[np.asarray(zones.centroid)])


def empty_rows(n_bushes: int, n_zones: int) -> Rows:
    """Return bushes that hold nothing and have no room."""
    return Rows(
        size=np.zeros(n_bushes, dtype=np.int32),
        first=np.zeros((n_bushes, 2), dtype=np.int32),
        arc=np.zeros((n_bushes, 1), dtype=np.int32),
        tail=np.zeros((n_bushes, 1), dtype=np.int32),
        flow=np.zeros((n_bushes, 1)),
        at=np.full((n_bushes, n_zones), NONE, dtype=np.int32),
    )


def wider(array: Array, width: int) -> Array:
    """Return an array with room for longer rows."""
    if width == array.shape[1]:
        return array
    new = np.zeros((len(array), width), dtype=array.dtype)
    new[:, : array.shape[1]] = array
    return new


def label_work(
    n_workers: int, n_bushes: int, positions: int, to_zone: tuple[int, ...], members: int = 0
) -> Labels:
    """Return room for the labels of all bushes, of which each may have so many members."""
    shape = (n_bushes, positions)
    return Labels(
        core=np.empty(shape, dtype=np.int32),
        n_core=np.zeros(n_bushes, dtype=np.int32),
        scratch=np.empty((n_workers, 2, positions), dtype=np.int32),
        low=np.empty((n_workers, positions)),
        short=np.empty(shape, dtype=np.int32),
        main=np.empty(shape, dtype=np.int32),
        merge=np.empty((n_bushes, members), dtype=np.int32),
        dear=np.empty((n_bushes, members), dtype=np.int32),
        n_merges=np.zeros(n_bushes, dtype=np.int32),
        excess=np.zeros(n_bushes),
        to_zone=np.zeros(to_zone),
    )


def with_members(labels: Labels, rows: Rows) -> Labels:
    """Return labels with room for as many members as bushes have arcs beyond those of a tree."""
    n_arcs = rows.first[np.arange(len(rows.size)), rows.size]
    most = int((n_arcs - rows.size).max(initial=0)) + 1
    if most <= labels.merge.shape[1]:
        return labels
    shape = (len(rows.size), int(1.2 * most))
    return labels._replace(
        merge=np.empty(shape, dtype=np.int32), dear=np.empty(shape, dtype=np.int32)
    )


def merge_work(n_bushes: int, n_merges: int) -> Merges:
    """Return room for so many merges."""
    counts = [np.empty(n_merges, dtype=np.int32) for _ in range(3)]
    flows = [np.empty(n_merges) for _ in range(2)]
    return Merges(
        first=np.zeros(n_bushes + 1, dtype=np.int32),
        sign=np.empty(n_merges, dtype=np.uint64),
        n_cheap=counts[0], n_dear=counts[1], on_cheap=flows[0], on_dear=flows[1], pair=counts[2],
    )  # fmt: skip


def pair_work(n_pairs: int, n_places: int) -> Pairs:
    """Return room for so many pairs, and for so many places in their ways."""
    flows = [np.empty(n_pairs) for _ in range(5)]
    return Pairs(
        lead=np.empty(n_pairs, dtype=np.int32),
        first_arc=np.empty(n_pairs + 1, dtype=np.int32),
        split=np.empty(n_pairs, dtype=np.int32),
        link=np.empty(n_places, dtype=np.int32),
        slope=np.empty(n_places),
        gain=flows[0], stiff=flows[1], on_cheap=flows[2], on_dear=flows[3], shift=flows[4],
    )  # fmt: skip


def grow_work(n_workers: int, n_places: int, n_nodes: int, n_links: int) -> GrowWork:
    """Return scratch space for so many workers; what is not used takes no memory."""

    def ints(*shape: int) -> Array:
        return np.empty((n_workers, *shape), dtype=np.int32)

    def nothing(length: int, value: int) -> Array:
        return np.full((n_workers, length), value, dtype=np.int32)

    return GrowWork(
        label=np.empty((n_workers, n_places, N_LANES)), above=ints(n_places, N_LANES),
        near=np.empty((n_workers, N_LANES, n_nodes)),
        old=nothing(n_nodes, NONE), way=nothing(n_nodes, UNKNOWN), seat=nothing(n_nodes, NONE),
        anchor=nothing(n_nodes, NONE), met=nothing(n_nodes + 1, 0), node=ints(n_nodes + 1),
        low=np.empty((n_workers, n_nodes + 1)), high=np.empty((n_workers, n_nodes + 1)),
        moved=ints(n_nodes + 1), enter=ints(n_nodes + 1), end=ints(n_nodes + 1),
        stack=ints(2 * n_nodes + 2), first=ints(n_nodes + 2), arc=ints(n_links + n_nodes),
        tail=ints(n_links + n_nodes), flow=np.empty((n_workers, n_links + n_nodes)),
    )  # fmt: skip
