"""Changes of links: set, close, add."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np

from cczsim.columns import Array
from cczsim.errors import ScenarioError
from cczsim.network.edit import drop_links, set_attributes
from cczsim.network.network import Network
from cczsim.network.provenance import GUESSED, Source
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE, CONNECTOR
from cczsim.network.turns import turns_after_drop
from cczsim.scenario.change_spec import LinkExpectation, Links, LinkValues
from cczsim.scenario.expect import check, check_all
from cczsim.scenario.new_streets import add_to, street_line
from cczsim.scenario.select import select_links
from cczsim.units import show

Effect = tuple[Network, str, dict[str, float], float]
_ON_EACH: Final = {"lanes": "", "speed": "km/h", "capacity": "pce/h", "toll": "CNY"}


def links(network: Network, change: Links, where: str) -> Effect:
    """Set attributes of the selected links, or close them; then add streets."""
    said: list[str] = []
    counts: dict[str, float] = {}
    if change.select is not None:
        rows = select_links(network, change.select, f"{where}.select")
        road = network.road
        km = float(road.length[rows].sum()) / 1e3
        counts |= {"links matched": float(len(rows)), "km matched": km}
        if change.expect is not None:
            _check_links(road, rows, change.expect, f"{where}.expect")
        if change.close:
            left, kept = drop_links(road, rows)
            turns = network.turns
            if turns is not None:
                turns = turns_after_drop(turns, kept, road.n_links)
            network = network.replace(road=left, turns=turns)
            counts["links removed"] = float(len(rows))
            _check_reach(network, f"{where}.close")
            said.append(f"{len(rows)} directed links ({km:.1f} km) closed")
        elif change.set_ is not None:
            columns, words = _new_values(road, rows, change.set_)
            network = network.replace(road=set_attributes(road, rows, **columns))
            said.append(f"{words} on {len(rows)} directed links ({km:.1f} km)")
    if change.add:
        network, added = _add(network, change)
        counts |= added
        said.append(
            f"{len(change.add)} streets of {added['km added']:.1f} km added as "
            f"{added['links added']:.0f} directed links"
        )
    return network, "; ".join(said), counts, float("nan")


def _check_links(road: RoadNetwork, rows: Array, expect: LinkExpectation, where: str) -> None:
    check(expect.links, float(len(rows)), f"{where}.links", f"{len(rows)} links")
    length = float(road.length[rows].sum())
    check(expect.km, length, f"{where}.km", show(length, "km"))
    for name, unit in _ON_EACH.items():
        check_all(getattr(expect, name), getattr(road, name)[rows], f"{where}.{name}", unit)
    if expect.class_ is not None:
        codes = [CLASS_CODE[c] for c in expect.class_]
        other = np.unique(road.road_class[rows][~np.isin(road.road_class[rows], codes)])
        if len(other):
            names = {code: name for name, code in CLASS_CODE.items()}
            found = ", ".join(names[int(code)] for code in other)
            raise ScenarioError.of(f"{where}.class", found, " or ".join(expect.class_))


def _check_reach(network: Network, where: str) -> None:
    """Raise if a connector was left hanging: its street end touches no street any more."""
    road, zones = network.road, network.zones
    if zones is None:
        return
    street = road.road_class != CONNECTOR
    out, into = np.zeros(road.n_nodes, dtype=bool), np.zeros(road.n_nodes, dtype=bool)
    out[road.tail[street]] = True
    into[road.head[street]] = True
    leaves, enters = np.zeros(road.n_nodes, dtype=bool), np.zeros(road.n_nodes, dtype=bool)
    leaves[road.tail[~street & out[road.head]]] = True
    enters[road.head[~street & into[road.tail]]] = True
    if street.all():  # zones that stand on the streets themselves need no connector
        leaves, enters = out, into
    cut = np.flatnonzero(~(leaves & enters)[zones.centroid])
    if len(cut):
        names = ", ".join(str(zones.zone_name[z] or zones.zone_id[z]) for z in cut[:5])
        raise ScenarioError.of(
            where, f"{len(cut)} zones without a way out or in: {names}", "every zone on a street",
            "close fewer links, or add the streets first that shall serve these zones",
        )  # fmt: skip


def _new_values(road: RoadNetwork, rows: Array, values: LinkValues) -> tuple[dict[str, Any], str]:
    """Return the columns to set, and the words for it.

    Rules. (1) Lanes carry the capacity along in proportion unless a capacity is set, where the
    lanes before are known. (2) Speed carries the free-flow time along in proportion, so that what
    a link loses at its ends stays; where the speed before is not known, time is length over speed.
    (3) What is set has the provenance USER; a capacity by rule 1 is DERIVED, or stays a guess.
    """
    columns: dict[str, Any] = {}
    words: list[str] = []
    size = len(rows)
    if values.class_ is not None:
        columns["road_class"] = np.full(size, CLASS_CODE[values.class_])
        columns["class_source"] = np.full(size, int(Source.USER))
        words.append(f"class {values.class_}")
    if values.lanes is not None:
        before = road.lanes[rows]
        columns["lanes"] = np.full(size, values.lanes)
        columns["lanes_source"] = np.full(size, int(Source.USER))
        words.append(f"{values.lanes:g} lanes")
        if values.capacity is None:  # rule 1
            factor = np.where(before > 0, values.lanes / np.where(before > 0, before, 1.0), 1.0)
            columns["capacity"] = road.capacity[rows] * factor
            guess = np.isin(road.capacity_source[rows], [int(s) for s in GUESSED])
            columns["capacity_source"] = np.where(
                guess | (before <= 0), road.capacity_source[rows], int(Source.DERIVED)
            )
    if values.capacity is not None:
        columns["capacity"] = np.full(size, values.capacity)
        columns["capacity_source"] = np.full(size, int(Source.USER))
        words.append(f"capacity {values.capacity:g} pce/h")
    if values.speed is not None:  # rule 2
        before = road.speed[rows]
        scaled = road.free_flow_time[rows] * before / values.speed
        columns["free_flow_time"] = np.where(before > 0, scaled, road.length[rows] / values.speed)
        columns["speed"] = np.full(size, values.speed)
        columns["speed_source"] = np.full(size, int(Source.USER))
        words.append(show(values.speed, "km/h"))
    if values.toll is not None:
        columns["toll"] = np.full(size, values.toll)
        words.append(f"toll {values.toll:g} CNY")
    return columns, ", ".join(words)


def _add(network: Network, change: Links) -> tuple[Network, dict[str, float]]:
    """Add streets on the ground, which join what they cross, then bridges and tunnels."""
    total = {"links added": 0.0, "links split": 0.0, "km added": 0.0}
    passes: tuple[Literal["join", "over"], ...] = ("join", "over")
    for cross in passes:
        for stated in (True, False):
            lines = [
                street_line(street, network.road)
                for street in change.add
                if (street.structure == "ground") == (cross == "join")
                and (street.capacity is not None) == stated
            ]
            network, _, counts = add_to(network, lines, cross, stated)
            total = {name: total[name] + counts.get(name, 0.0) for name in total}
    return network, total
