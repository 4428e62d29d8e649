"""Turn restrictions become rules, or are refused with a reason; no path takes a forbidden turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from cczsim.io.osm_file import read_osm
from cczsim.network.provenance import Source
from cczsim.network.road import NO_LINK, RoadNetwork
from cczsim.network.turn_graph import expand_turns
from cczsim.osm.extract import OsmExtract
from cczsim.osm.restriction_tags import read_restriction
from cczsim.osm.restrictions import OUTSIDE
from cczsim.osm.road_build import RoadBuild, build_roads

Make = Callable[..., OsmExtract]
STREET = {"highway": "residential"}
ONE_WAY = {"highway": "residential", "oneway": "yes"}

# A crossing at node 22: west 12 (way 1), east 32 (2), north 23 (3), south 21 (4).
CROSSING = (([12, 22], STREET), ([22, 32], STREET), ([22, 23], STREET), ([22, 21], STREET))
ENDS = ("w1 from", "n22 via")


def nodes_of(build: RoadBuild) -> list[list[int]]:
    """The node ids that each rule goes through."""
    road, out = build.road, []
    for rule in range(build.turns.n_turns):
        links = build.turns.links_of(rule)
        out.append(road.node_id[[road.tail[links[0]], *road.head[links]]].tolist())
    return sorted(out)


def restriction(*members: str, **tags: str) -> tuple[Sequence[str], Mapping[str, str]]:
    return members, {"type": "restriction", **{k.replace("__", ":"): v for k, v in tags.items()}}


def test_no_and_only_at_a_node(make_extract: Make) -> None:
    no = build_roads(make_extract(*CROSSING, relations=[
        restriction(*ENDS, "w3 to", restriction="no_left_turn")]))  # fmt: skip
    assert nodes_of(no) == [[12, 22, 23]]
    assert no.turns.relation_id.tolist() == [1]
    assert no.turns.turn_source.tolist() == [Source.TAGGED]
    only = build_roads(make_extract(*CROSSING, relations=[
        restriction(*ENDS, "w2 to", restriction="only_straight_on")]))  # fmt: skip
    assert nodes_of(only) == [[12, 22, 12], [12, 22, 21], [12, 22, 23]]
    assert set(only.turns.turn_source.tolist()) == {Source.DERIVED}
    assert only.report["turn_restrictions"]["kept"] == 1
    back = build_roads(make_extract(*CROSSING, relations=[
        restriction("w1 from", "n22 via", "w1 to", restriction="no_u_turn")]))  # fmt: skip
    assert nodes_of(back) == [[12, 22, 12]]


def test_several_from_and_to(make_extract: Make) -> None:
    two = restriction("w1 from", "w4 from", "n22 via", "w3 to", restriction="no_entry")
    entry = build_roads(make_extract(*CROSSING, relations=[two]))
    assert nodes_of(entry) == [[12, 22, 23], [21, 22, 23]]
    leave = build_roads(make_extract(*CROSSING, relations=[
        restriction("w1 from", "n22 via", "w3 to", "w4 to", restriction="no_exit")]))  # fmt: skip
    assert nodes_of(leave) == [[12, 22, 21], [12, 22, 23]]


# Two carriageways, 21 → 61 eastward and 63 → 23 westward, tied by 41 – 43.
DUAL = (
    ([21, 41], ONE_WAY), ([41, 61], ONE_WAY), ([63, 43], ONE_WAY), ([43, 23], ONE_WAY),
    ([41, 42], STREET), ([42, 43], STREET), ([42, 52], STREET),
)  # fmt: skip


@pytest.mark.parametrize("via", [("w5 via", "w6 via"), ("w6 via", "w5 via")])
def test_via_ways(make_extract: Make, via: tuple[str, ...]) -> None:
    no = build_roads(make_extract(*DUAL, relations=[
        restriction("w1 from", *via, "w4 to", restriction="no_u_turn")]))  # fmt: skip
    assert nodes_of(no) == [[21, 41, 42, 43, 23]]
    only = build_roads(make_extract(*DUAL, relations=[
        restriction("w1 from", *via, "w4 to", restriction="only_u_turn")]))  # fmt: skip
    # Nothing but way 4 may be reached from way 1, so straight on is closed too.
    assert nodes_of(only) == [
        [21, 41, 42, 41], [21, 41, 42, 43, 42], [21, 41, 42, 52], [21, 41, 61],
    ]  # fmt: skip


def test_ways_that_pass_through_the_via_node(make_extract: Make) -> None:
    # The wiki wants ways split there; the angle says what is meant, if the words do.
    ways = (([12, 22, 32], STREET), ([21, 22, 23], STREET))
    left = build_roads(make_extract(*ways, relations=[
        restriction("w1 from", "n22 via", "w2 to", restriction="no_left_turn")]))  # fmt: skip
    assert nodes_of(left) == []
    reasons = left.report["turn_restrictions"]["reasons"]
    assert [reason for reason in reasons if "more than one turn is meant" in reason]
    split = (([12, 22], STREET), ([22, 32], STREET), ([21, 22, 23], STREET))
    for word, end in (("left", 23), ("right", 21)):
        turn = restriction(*ENDS, "w3 to", restriction=f"no_{word}_turn")
        build = build_roads(make_extract(*split, relations=[turn]))
        assert nodes_of(build) == [[12, 22, end]]
    u_turn = build_roads(make_extract(*ways, relations=[
        restriction("w1 from", "n22 via", "w1 to", restriction="no_u_turn")]))  # fmt: skip
    assert nodes_of(u_turn) == [[12, 22, 12], [32, 22, 32]]


REFUSED = [
    (restriction(*ENDS, "w3 to", restriction="no_left_turn", **{"except": "psv;motorcar"}),
     "except=motorcar"),
    (restriction(*ENDS, "w3 to", restriction__hgv="no_left_turn"), "for hgv only"),
    (restriction(*ENDS, "w3 to", restriction__conditional="no_left_turn @ (07:00-09:00)"),
     "at certain times only (conditional)"),
    (restriction(*ENDS, "w3 to", restriction="no_left_turn", hour_on="7"), "times only (hour_on)"),
    (restriction(*ENDS, "w3 to"), "no restriction tag"),
    (restriction(*ENDS, "w3 to", restriction="stop"), "not understood"),
    (restriction(*ENDS, "w3 to", restriction="no_left_turn;only_right_turn"), "not understood"),
    (restriction("n22 via", "w3 to", restriction="no_left_turn"), "no from member"),
    (restriction("w1 from", "n22 via", restriction="no_left_turn"), "no to member"),
    (restriction("w1 from", "w3 to", restriction="no_left_turn"), "no via member"),
    (restriction("n1 from", "n22 via", "w3 to", restriction="no_left_turn"), "that is no way"),
    (restriction("w1 from", "r9 via", "w3 to", restriction="no_left_turn"), "is a relation"),
    (restriction("w1 from", "n22 via", "n23 via", "w3 to", restriction="no_left_turn"),
     "more than one via node"),
    (restriction("w1 from", "w2 from", "n22 via", "w3 to", restriction="no_left_turn"),
     "more than one from"),
    (restriction("w99 from", "n22 via", "w3 to", restriction="no_left_turn"),
     "from way is not in the extract"),
    (restriction("w1 from", "n99 via", "w3 to", restriction="no_left_turn"),
     "via node is not in the extract"),
    (restriction("w1 from", "n13 via", "w3 to", restriction="no_left_turn"),
     "via node is no junction"),
    (restriction("w1 from", "n23 via", "w3 to", restriction="no_left_turn"),
     "from way does not touch"),
    (restriction("w5 from", "n22 via", "w3 to", restriction="no_left_turn"),
     "from way: not among the classes"),
    (restriction("w6 from", "n22 via", "w3 to", restriction="no_left_turn"),
     "needless: from way is one-way"),
    (restriction("w1 from", "w5 via", "w3 to", restriction="no_left_turn"), "via way: not among"),
    (restriction("w1 from", "w4 via", "w3 to", restriction="no_left_turn"),
     "no way from the from way"),
    (restriction("w7 from", "n33 via", "w7 to", restriction="only_u_turn"),
     "needless: no other turn"),
]  # fmt: skip


@pytest.mark.parametrize(("relation", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_refused_with_a_reason(make_extract: Make, relation: object, reason: str) -> None:
    ways = (*CROSSING, ([22, 13], {"highway": "footway"}), ([22, 31], ONE_WAY), ([32, 33], STREET))
    build = build_roads(make_extract(*ways, relations=[relation], nodes={13: (112.901, 28.203)}))
    report = build.report["turn_restrictions"]
    assert (report["kept"], report["refused"]) == (0, 1)
    (why,) = report["reasons"]
    assert reason in why
    assert build.turns.n_turns == 0


def test_tags_for_a_car() -> None:
    read = read_restriction
    others = {"type": "restriction", "restriction": "no_u_turn", "restriction:hgv": "no_entry"}
    assert read(others)[:2] == ("no", "no_u_turn")
    assert read({"type": "restriction", "restriction:motorcar": "only_left_turn"}).form == "only"
    assert read({"type": "restriction:bus", "restriction": "no_u_turn"}).reason == "for bus only"
    both = {"type": "restriction", "restriction": "no_u_turn",
            "restriction:conditional": "none @ (22:00-06:00)"}  # fmt: skip
    assert read(both).form == "no"
    assert read({"type": "restriction", "restriction": "no_left_turn; no_u_turn"}).form == "no"


def test_u_turns_only_at_dead_ends(make_extract: Make) -> None:
    build = build_roads(make_extract(*CROSSING), u_turns="dead-ends")
    assert nodes_of(build) == [[k, 22, k] for k in (12, 21, 23, 32)]
    assert set(build.turns.turn_source.tolist()) == {Source.DEFAULT}


def test_what_turn_rules_cut_off_is_left_out(make_extract: Make) -> None:
    # A street that may be entered, and is left to one side only, where a one-way leads away.
    ways = (*CROSSING, ([23, 24], ONE_WAY))
    relations = [restriction("w3 from", "n22 via", f"w{k} to", restriction="no_exit")
                 for k in (1, 2, 4)]  # fmt: skip
    extract = make_extract(*ways, relations=relations)
    kept = build_roads(extract, keep="largest")
    assert 23 not in kept.road.node_id
    cut = kept.report["components"]["cut_off_by_turn_rules"]
    assert cut["links"] == 2
    assert list(cut["link_km_by_class"]) == ["residential"]
    assert kept.report["turn_restrictions"]["reasons"] == {OUTSIDE: 3}
    assert build_roads(extract).report["components"]["cut_off_by_turn_rules"] == cut


@pytest.mark.data
def test_all_restrictions_of_helsinki_are_accounted_for(data_dir: Path) -> None:
    extract = read_osm(data_dir / "osm/helsinki-centre.osm.pbf")
    report = build_roads(extract).report["turn_restrictions"]
    assert report["kept"] + report["refused"] == len(report["relations"]) == 45
    assert sum(report["reasons"].values()) == report["refused"] == 10


@pytest.mark.data
def test_no_path_through_helsinki_takes_a_forbidden_turn(data_dir: Path) -> None:
    import osmium

    file = data_dir / "osm/helsinki-centre.osm.pbf"
    build = build_roads(read_osm(file), keep="largest")
    road, graph = build.road, expand_turns(build.road, build.turns)
    # The restrictions by other means than the builder's: pairs of ways at a node.
    no: set[tuple[int, int, int]] = set()
    only: dict[tuple[int, int], int] = {}
    for item in osmium.FileProcessor(str(file), osmium.osm.RELATION):
        tags = dict(item.tags)
        if tags.get("type") != "restriction" or {"time", "day_on"} & set(tags):
            continue
        role = {m.role: m.ref for m in item.members}
        if tags["restriction"].startswith("no_"):
            no.add((role["from"], role["via"], role["to"]))
        else:
            only[role["from"], role["via"]] = role["to"]
    assert build.report["turn_restrictions"]["kept"] > 20
    pairs = _random_pairs(road.n_nodes, 100)
    plain = [np.arange(road.n_links)[path] for path in _paths(road, pairs)]
    assert sum(_forbidden(road, links, no, only) for links in plain) > 0, "the rules bite"
    kept = [graph.link_of[path] for path in _paths(graph.road, pairs)]
    assert len(kept) == 10_000
    assert sum(_forbidden(road, links[links != NO_LINK], no, only) for links in kept) == 0


def _random_pairs(n_nodes: int, many: int) -> list[tuple[int, list[int]]]:
    rng = np.random.default_rng(7)
    return [
        (origin, rng.choice(np.delete(np.arange(n_nodes), origin), many).tolist())
        for origin in rng.choice(n_nodes, many, replace=False).tolist()
    ]


def _paths(road: RoadNetwork, pairs: list[tuple[int, list[int]]]) -> list[list[int]]:
    """Link rows of least-time paths; nodes that may not be passed are entered by a twin."""
    n = road.n_nodes
    head = np.where(road.node_through[road.head], road.head, road.head + n).astype(np.int64)
    tail, cost = road.tail.astype(np.int64), np.maximum(road.free_flow_time, 1e-9)
    order = np.lexsort((cost, head, tail))
    first = order[np.unique(tail[order] * 2 * n + head[order], return_index=True)[1]]
    matrix = csr_array((cost[first], (tail[first], head[first])), shape=(2 * n, 2 * n))
    row_of = {(int(tail[r]), int(head[r])): int(r) for r in first}
    out = []
    for origin, goals in pairs:
        before = dijkstra(matrix, indices=origin, return_predecessors=True)[1]
        for goal in goals:
            path, at = [], goal if road.node_through[goal] else goal + n
            while at != origin:
                assert before[at] >= 0, "every kept node is reached"
                path.append(row_of[int(before[at]), at])
                at = int(before[at])
            out.append(path[::-1])
    return out


def _forbidden(
    road: RoadNetwork, links: np.ndarray, no: set[tuple[int, int, int]],
    only: dict[tuple[int, int], int],
) -> int:  # fmt: skip
    found = 0
    for a, b in zip(links[:-1].tolist(), links[1:].tolist(), strict=True):
        via = int(road.node_id[road.head[a]])
        way, onto = int(road.way_id[a]), int(road.way_id[b])
        aim = only.get((way, via), onto)
        found += (way, via, onto) in no or aim != onto
    return found
