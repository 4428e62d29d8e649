"""Turns of a GMNS folder: ``movement.csv`` lists how one may go on from a link, and the penalty.

Rules, numbered in the code:

1. Where a link has movements, those are all that there are: to go on otherwise is forbidden. Links
   without any go on to whatever leaves their node.
2. Written are the movements of every link that a rule of two links concerns, with the penalty in
   seconds, the turn by its angle, and the control at the node.
3. Rules over three links and more (turns by way of a link) have no place in the format: they are
   counted, not written.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import FaultCollector
from cczsim.network.road import CONTROLS, NO_LINK, RoadNetwork
from cczsim.network.turns import Turns, turns_from

HEADER: Final = ("mvmt_id", "node_id", "ib_link_id", "ob_link_id", "type", "penalty", "ctrl_type")
STRAIGHT: Final = 30.0
BACK: Final = 160.0
_CONTROL: Final = {
    "signals": "signal", "stop": "stop", "give way": "yield", "roundabout": "yield",
    "priority": "no_control",
}  # fmt: skip


def write_movements(road: RoadNetwork, turns: Turns, path: Path) -> int:
    """Write the movements that rules concern; return how many rules have no place in them (3)."""
    penalty: dict[tuple[int, int], float] = {}
    left_out = 0
    for rule in range(turns.n_turns):
        links = turns.links_of(rule)
        if len(links) != 2:
            left_out += 1
            continue
        pair = links[0], links[1]
        penalty[pair] = penalty.get(pair, 0.0) + float(turns.penalty[rule])
    leaving = _leaving(road)
    first, lon, lat = road.shapes()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        number = 0
        for a in sorted({a for a, _ in penalty}):  # 2
            node = int(road.head[a])
            for b in leaving.get(node, ()):
                cost = penalty.get((a, b), 0.0)
                if np.isinf(cost):
                    continue
                number += 1
                writer.writerow([
                    number, road.node_id[node], road.link_id[a], road.link_id[b],
                    _kind(road, a, b, (first, lon, lat)), cost,
                    _CONTROL.get(CONTROLS[road.control[a]], ""),
                ])  # fmt: skip
    return left_out


def read_movements(
    rows: Sequence[tuple[str, Mapping[str, str]]], road: RoadNetwork, faults: FaultCollector
) -> Turns:
    """Return the rules that movements make (1).

    Parameters
    ----------
    rows : sequence of (place, cells)
    road : RoadNetwork
    faults : FaultCollector
        Gets links that are not there, that do not meet, and penalties that are none.
    """
    row_of = {str(link): k for k, link in enumerate(road.link_id.tolist())}
    allowed: dict[int, dict[int, float]] = {}
    for where, cells in rows:
        ends = []
        for key in ("ib_link_id", "ob_link_id"):
            link = row_of.get(cells.get(key, "").strip())
            if link is None:
                faults.add(f"{where}: {key}", repr(cells.get(key, "")), "a link of link.csv")
            ends.append(link)
        a, b = ends
        if a is None or b is None:
            continue
        # A street that is not directed is one link of the file and two of the network.
        pair = next(
            ((x, y) for x in (a, int(road.reverse_link[a])) for y in (b, int(road.reverse_link[b]))
             if x != NO_LINK and y != NO_LINK and road.head[x] == road.tail[y]
             and _at(road, x, cells)), None,
        )  # fmt: skip
        if pair is None:
            faults.add(f"{where}: ob_link_id", "links that do not meet at the node",
                       "an inbound and an outbound link")  # fmt: skip
            continue
        text = cells.get("penalty", "").strip()
        try:
            cost = float(text) if text else 0.0
        except ValueError:
            cost = -1.0
        if not cost >= 0.0:
            faults.add(f"{where}: penalty", repr(text), "seconds, 0 or more")
            continue
        allowed.setdefault(pair[0], {})[pair[1]] = cost
    leaving = _leaving(road)
    sequences, penalties = [], []
    for a in sorted(allowed):
        for b in leaving.get(int(road.head[a]), ()):
            cost = allowed[a].get(b, np.inf)
            if cost > 0.0:
                sequences.append([a, b])
                penalties.append(cost)
    return turns_from(sequences, np.array(penalties))


def _at(road: RoadNetwork, link: int, cells: Mapping[str, str]) -> bool:
    node = cells.get("node_id", "").strip()
    return not node or node == str(road.node_id[road.head[link]])


def _leaving(road: RoadNetwork) -> dict[int, list[int]]:
    """Return the links that leave each node."""
    out: dict[int, list[int]] = {}
    for link, node in enumerate(road.tail.tolist()):
        out.setdefault(node, []).append(link)
    return out


def _kind(road: RoadNetwork, a: int, b: int, shapes: tuple[Array, Array, Array]) -> str:
    """Return what GMNS calls a turn, by the angle between the ends of two links."""
    if road.reverse_link[a] == b:
        return "uturn"
    first, lon, lat = shapes
    end, begin = first[a + 1], first[b]
    squeeze = np.cos(np.radians(lat[begin]))
    before = np.arctan2(lat[end - 1] - lat[end - 2], (lon[end - 1] - lon[end - 2]) * squeeze)
    after = np.arctan2(lat[begin + 1] - lat[begin], (lon[begin + 1] - lon[begin]) * squeeze)
    turn = (np.degrees(after - before) + 180.0) % 360.0 - 180.0
    if abs(turn) > BACK:
        return "uturn"
    return "thru" if abs(turn) <= STRAIGHT else "left" if turn > 0 else "right"
