"""Rules over a network; findings with ids, nothing is raised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from cczsim.columns import Array
from cczsim.network.connectors import main_component
from cczsim.network.network import Network
from cczsim.network.road_class import CONNECTOR

FASTEST: Final = 160 / 3.6
SLOWEST: Final = 3 / 3.6


@dataclass(frozen=True)
class Finding:
    """What one rule found.

    Parameters
    ----------
    rule : str
    severity : {"error", "warning", "note"}
    ids : tuple of int
        Outside ids of zones, nodes or links; the first hundred.
    message : str
    """

    rule: str
    severity: Literal["error", "warning", "note"]
    ids: tuple[int, ...]
    message: str


def _first(ids: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in ids[:100])


def _zones(network: Network) -> Iterator[Finding]:
    road, zones = network.road, network.zones
    if zones is None:
        yield Finding("no_zones", "note", (), "the network has no zones: nothing can be assigned")
        return
    leaves = np.zeros(road.n_nodes, dtype=bool)
    enters = np.zeros(road.n_nodes, dtype=bool)
    leaves[road.tail], enters[road.head] = True, True
    cut = ~(leaves & enters)[zones.centroid]
    if cut.any():
        ids = zones.zone_id[cut]
        yield Finding(
            "zone_without_link", "error", _first(ids), f"{len(ids)} zones have no way in or out"
        )
    if zones.population.sum() == 0.0 and zones.jobs.sum() == 0.0:
        yield Finding("zones_empty", "note", (), "no zone has residents or jobs")


def _reach(network: Network) -> Iterator[Finding]:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    road, zones = network.road, network.zones
    if zones is None or not road.n_links:
        return
    graph = coo_array(
        (np.ones(road.n_links), (road.tail, road.head)), shape=(road.n_nodes, road.n_nodes)
    )
    _, label = connected_components(graph.tocsr(), directed=True, connection="strong")
    own = label[zones.centroid]
    counts = np.bincount(own)
    largest = int(np.argmax(counts))
    apart = own != largest
    if apart.any():
        n = zones.n_zones
        pairs = n * (n - 1) - int((counts * (counts - 1)).sum())
        yield Finding(
            "zones_apart", "warning", _first(zones.zone_id[apart]),
            f"{int(apart.sum())} zones are not tied both ways to the others; "
            f"up to {pairs} of {n * (n - 1)} pairs cannot be travelled there and back",
        )  # fmt: skip


def _components(network: Network) -> Iterator[Finding]:
    road = network.road
    street = road.road_class != CONNECTOR
    main = main_component(road)
    outside = street & ~(main[road.tail] & main[road.head])
    if outside.any():
        km = road.length[outside].sum() / 1e3
        yield Finding(
            "outside_main_component", "warning", _first(road.link_id[outside]),
            f"{int(outside.sum())} links ({km:.1f} km) lie outside the largest strong component",
        )  # fmt: skip


def _dead_ends(network: Network) -> Iterator[Finding]:
    road = network.road
    out = np.bincount(road.tail, minlength=road.n_nodes)
    into = np.bincount(road.head, minlength=road.n_nodes)
    traps = np.flatnonzero((into > 0) & (out == 0))
    if len(traps):
        yield Finding(
            "one_way_into_nothing", "warning", _first(road.node_id[traps]),
            f"{len(traps)} nodes can be entered and never left",
        )  # fmt: skip


def _lengths(network: Network) -> Iterator[Finding]:
    road = network.road
    street = road.road_class != CONNECTOR
    none = street & (road.length == 0.0)
    if none.any():
        yield Finding(
            "no_length", "warning", _first(road.link_id[none]), f"{int(none.sum())} links of 0 m"
        )


def _speeds(network: Network) -> Iterator[Finding]:
    road = network.road
    known = (road.length > 0) & (road.road_class != CONNECTOR) & (road.speed > 0)
    speed = np.zeros(road.n_links)
    timed = known & (road.free_flow_time > 0)
    speed[timed] = road.length[timed] / road.free_flow_time[timed]
    odd = known & ((speed > FASTEST) | (speed < SLOWEST) | ~timed)
    if odd.any():
        yield Finding(
            "absurd_speed", "warning", _first(road.link_id[odd]),
            f"{int(odd.sum())} links run under 3 or over 160 km/h",
        )  # fmt: skip


RULES: Final[tuple[Callable[[Network], Iterator[Finding]], ...]] = (
    _zones, _reach, _components, _dead_ends, _lengths, _speeds,
)  # fmt: skip


def check_network(network: Network) -> list[Finding]:
    """Return what all rules find, errors first."""
    found = [finding for rule in RULES for finding in rule(network)]
    order = ("error", "warning", "note")
    return sorted(found, key=lambda f: order.index(f.severity))
