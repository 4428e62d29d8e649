"""Turn restrictions of an extract → turn rules over the links of its roads.

Rules, with the numbers that the code carries (tags: :mod:`cczsim.osm.restriction_tags`):

1. A restriction needs ways as *from* and *to*, and one node or some ways as *via*; several *from*
   with ``no_entry`` and several *to* with ``no_exit`` are read pair by pair.
2. With a via node, the turn is from the link of *from* that ends at it to the link of *to* that
   begins there. Where a way passes through the node and so gives more than one, ``left``,
   ``right``, ``straight`` and ``u_turn`` choose by the angle; if they do not, it is refused.
3. With via ways, the turn is the one way from *from* to *to* along all of them; if there is none,
   or more than one, it is refused.
4. ``only_`` forbids every other link that leaves the path from *from* to *to*, from the end of
   *from* on: nothing but *to* may be reached from *from*.
5. What cannot be driven anyway (a one-way street) is refused as needless, so that the account says
   of each relation what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.network.provenance import Source
from cczsim.network.road import RoadNetwork
from cczsim.network.turns import Turns, turns_from
from cczsim.osm.extract import MEMBER_KINDS, OsmExtract
from cczsim.osm.restriction_tags import TurnRule, is_restriction, read_restriction

OUTSIDE: Final = "its roads are outside the kept component"
MOST_LINKS: Final = 100
# Degrees to the left, from and to: the halves between the eight directions of a compass.
ANGLES: Final = {"left": (22.5, 157.5), "right": (-157.5, -22.5), "straight": (-45.0, 45.0)}


class _RefusedError(Exception):
    """Why a restriction gives no rule."""


@dataclass(frozen=True)
class TurnBuild:
    """Turn rules, and what became of each restriction (plain JSON values)."""

    turns: Turns
    report: dict[str, Any]


class _Roads:
    """Links by way, by tail and by end of way."""

    def __init__(self, extract: OsmExtract, road: RoadNetwork, why_not: Mapping[int, str]) -> None:
        self.extract, self.road, self.why_not = extract, road, why_not
        order = np.argsort(road.way_id, kind="stable")
        self._by_way, self._ways = order, road.way_id[order]
        out = np.argsort(road.tail, kind="stable")
        self._by_tail, self._tails = out, road.tail[out]
        nodes = np.argsort(road.node_id, kind="stable")
        self._by_id, self._ids = nodes, road.node_id[nodes]
        self.tail, self.head = road.tail, road.head
        self.first, self.lon, self.lat = road.shapes()

    def of_way(self, way_id: int, role: str) -> list[int]:
        """Return the links of a way."""
        begin, end = np.searchsorted(self._ways, [way_id, way_id + 1])
        if begin == end:
            why = self.why_not.get(way_id)
            raise _RefusedError(
                f"{role} way is not in the extract" if why is None else f"{role} way: {why}"
            )
        return [int(a) for a in np.sort(self._by_way[begin:end])]

    def leaving(self, node: int) -> list[int]:
        """Return the links that leave a node."""
        begin, end = np.searchsorted(self._tails, [node, node + 1])
        return [int(a) for a in np.sort(self._by_tail[begin:end])]

    def node(self, node_id: int) -> int:
        """Return the row of a node by its id."""
        place = int(np.searchsorted(self._ids, node_id))
        if place == len(self._ids) or self._ids[place] != node_id:
            known = bool((self.extract.node_rows(np.array([node_id])) >= 0).any())
            raise _RefusedError(
                "via node is no junction of roads" if known else "via node is not in the extract"
            )
        return int(self._by_id[place])

    def angle(self, a: int, b: int) -> float:
        """Return how far to the left the turn between two links goes, degrees in -180 to 180."""
        end, begin = self.first[a + 1] - 1, self.first[b]
        stretch = np.cos(np.radians(self.lat[end]))
        into = np.arctan2(
            self.lat[end] - self.lat[end - 1], (self.lon[end] - self.lon[end - 1]) * stretch
        )
        out = np.arctan2(
            self.lat[begin + 1] - self.lat[begin],
            (self.lon[begin + 1] - self.lon[begin]) * stretch,
        )
        return float((np.degrees(out - into) + 180.0) % 360.0 - 180.0)


def build_turns(extract: OsmExtract, road: RoadNetwork, why_not: Mapping[int, str]) -> TurnBuild:
    """Return the rules that the restrictions of an extract lay on its roads.

    Parameters
    ----------
    extract : OsmExtract
    road : RoadNetwork
        Built from it; ``way_id`` and ``node_id`` are those of OpenStreetMap.
    why_not : mapping
        Id of a way that is no road → the reason.
    """
    roads = _Roads(extract, road, why_not)
    words = extract.words
    found: list[dict[str, Any]] = []
    sequences: list[Sequence[int]] = []
    relation: list[int] = []
    source: list[int] = []
    for row in range(extract.n_relations):
        tags = _tags(extract, row, words)
        if not is_restriction(tags):
            continue
        rule = read_restriction(tags)
        out: list[list[int]] = []
        try:
            if rule.reason:
                raise _RefusedError(rule.reason)
            out = _sequences(roads, rule, _members(extract, row, words))
            reason = ""
        except _RefusedError as error:
            reason = str(error)
        ident = int(extract.relation_id[row])
        found.append({"id": ident, "restriction": rule.kind, "rules": len(out), "refused": reason})
        sequences += out
        relation += [ident] * len(out)
        source += [int(Source.DERIVED if rule.form == "only" else Source.TAGGED)] * len(out)
    turns = turns_from(sequences, None, relation, source)
    return TurnBuild(turns, report_of(found))


def report_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the account of restrictions: kept, refused by reason, and each by its id."""
    reasons: dict[str, int] = {}
    for row in found:
        if row["refused"]:
            reasons[row["refused"]] = reasons.get(row["refused"], 0) + 1
    return {
        "kept": sum(not row["refused"] for row in found),
        "refused": sum(bool(row["refused"]) for row in found),
        "reasons": dict(sorted(reasons.items())),
        "rules": sum(row["rules"] for row in found),
        "relations": found,
    }


def report_after_drop(report: Mapping[str, Any], turns: Turns) -> dict[str, Any]:
    """Return the account after links were dropped: relations without a rule left are refused."""
    left = dict(zip(*np.unique(turns.relation_id, return_counts=True), strict=True))
    rows = []
    for row in report["relations"]:
        rules = int(left.get(row["id"], 0))
        gone = {"refused": OUTSIDE} if not row["refused"] and not rules else {}
        rows.append({**row, "rules": rules, **gone})
    return report_of(rows)


def _tags(extract: OsmExtract, row: int, words: list[str]) -> dict[str, str]:
    span = slice(extract.relation_tag_first[row], extract.relation_tag_first[row + 1])
    keys, values = extract.relation_tag_key[span], extract.relation_tag_value[span]
    return {words[k]: words[v] for k, v in zip(keys.tolist(), values.tolist(), strict=True)}


def _members(extract: OsmExtract, row: int, words: list[str]) -> dict[str, list[tuple[str, int]]]:
    """Return kind and id of the members by role."""
    out: dict[str, list[tuple[str, int]]] = {}
    for k in range(extract.member_first[row], extract.member_first[row + 1]):
        kind = MEMBER_KINDS[extract.member_kind[k]]
        out.setdefault(words[extract.member_role[k]], []).append((kind, int(extract.member_ref[k])))
    return out


def _sequences(
    roads: _Roads, rule: TurnRule, members: Mapping[str, list[tuple[str, int]]]
) -> list[list[int]]:
    ends: dict[str, list[int]] = {}
    for role in ("from", "to"):  # 1
        own = members.get(role, [])
        if not own:
            raise _RefusedError(f"no {role} member")
        if any(kind != "way" for kind, _ in own):
            raise _RefusedError(f"{role} member that is no way")
        several = {"no_entry": "from", "no_exit": "to"}.get(rule.kind)
        if len(own) > 1 and several != role:
            raise _RefusedError(f"more than one {role} member")
        ends[role] = [ref for _, ref in own]
    via = members.get("via", [])
    kinds = {kind for kind, _ in via}
    if not via:
        raise _RefusedError("no via member")
    if "relation" in kinds:
        raise _RefusedError("via member that is a relation")
    if kinds == {"node"} and len(via) > 1:
        raise _RefusedError("more than one via node")
    out: list[list[int]] = []
    refused: list[_RefusedError] = []
    for start in ends["from"]:
        for end in ends["to"]:
            try:
                if "way" in kinds:
                    ways = [ref for kind, ref in via if kind == "way"]
                    out += _along_ways(roads, rule, start, ways, end)
                else:
                    out += _at_node(roads, rule, start, via[0][1], end)
            except _RefusedError as error:
                refused.append(error)
    if not out:
        raise refused[0] if refused else _RefusedError("needless: no other turn could be made")  # 5
    return out


def _at_node(roads: _Roads, rule: TurnRule, start: int, via: int, end: int) -> list[list[int]]:
    ins, outs = roads.of_way(start, "from"), roads.of_way(end, "to")
    node = roads.node(via)
    into = [a for a in ins if roads.head[a] == node]
    out = [b for b in outs if roads.tail[b] == node]
    for role, links, chosen in (("from", ins, into), ("to", outs, out)):
        if not chosen:
            touches = any(node in (roads.tail[a], roads.head[a]) for a in links)
            raise _RefusedError(
                f"needless: {role} way is one-way the other way"
                if touches else f"{role} way does not touch the via node"
            )  # fmt: skip
    pairs = [(a, b) for a in into for b in out]
    if len(pairs) > 1:
        pairs = _by_angle(roads, rule.kind, pairs)
    if rule.form == "no":
        return [[a, b] for a, b in pairs]
    aims = {b for _, b in pairs}
    return [[a, b] for a in sorted({a for a, _ in pairs}) for b in roads.leaving(node)
            if b not in aims]  # 4  # fmt: skip


def _by_angle(roads: _Roads, kind: str, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the turns that a restriction means where its ways pass through the via node (2)."""
    mates = [(a, b) for a, b in pairs if roads.road.reverse_link[a] == b]
    if "u_turn" in kind:
        if mates:
            return mates
    else:
        pairs = [pair for pair in pairs if pair not in mates]
        for word, (low, high) in ANGLES.items():
            if word in kind:
                meant = [(a, b) for a, b in pairs if low < roads.angle(a, b) < high]
                if len(meant) == 1:
                    return meant
    raise _RefusedError("from or to way passes through the via node: more than one turn is meant")


def _along_ways(
    roads: _Roads, rule: TurnRule, start: int, via: Sequence[int], end: int
) -> list[list[int]]:
    ins, outs = roads.of_way(start, "from"), roads.of_way(end, "to")
    between = {a: way for way in via for a in roads.of_way(way, "via")}
    wanted = set(via)
    onward: dict[int, list[int]] = {}
    for a in between:
        onward.setdefault(int(roads.tail[a]), []).append(a)
    leaving: dict[int, list[int]] = {}
    for b in outs:
        leaving.setdefault(int(roads.tail[b]), []).append(b)
    found: list[list[int]] = []
    for a in ins:
        stack = [[a, b] for b in onward.get(int(roads.head[a]), [])]
        while stack:
            walk = stack.pop()
            node = int(roads.head[walk[-1]])
            if node in [int(roads.tail[c]) for c in walk[1:]] or len(walk) > MOST_LINKS:
                continue
            if {between[c] for c in walk[1:]} == wanted:
                found += [
                    [*walk, b] for b in leaving.get(node, [])
                    if roads.road.reverse_link[b] != walk[-1]
                ]  # fmt: skip
            stack += [[*walk, b] for b in onward.get(node, [])]
    if not found:
        raise _RefusedError("no way from the from way to the to way along the via ways")
    if len(found) > 1:
        raise _RefusedError("more than one way along the via ways")  # 3
    if rule.form == "no":
        return found
    way = found[0]  # 4
    return [
        [*way[:stop], b]
        for stop in range(1, len(way))
        for b in roads.leaving(int(roads.head[way[stop - 1]]))
        if b != way[stop]
    ]
