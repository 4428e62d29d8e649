"""Cold and warm starts where a hundredth of the links is new: ``warm_start.py --help``.

A warm start begins from the bushes of the network without the new links, a cold one from nothing.
Both build the hierarchy of the new network, take turns, and end at the same gap.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from run import HERE, arrays_of, git, machine

from cczsim.assignment import hierarchy
from cczsim.assignment.algorithm_b import BushParams, assign_bushes, compile_bushes
from cczsim.assignment.bush_solution import BushStart
from cczsim.assignment.threads import set_threads
from cczsim.network.road import RoadNetwork

CASES = ("Chicago-Sketch", "Berlin-Center")
SHARE = 0.01
FASTER = 0.7
"""A shortcut takes this share of the time of the two links that it passes by."""


def with_links(road: RoadNetwork, rows: np.ndarray, **columns: np.ndarray) -> RoadNetwork:
    """Return a network with these rows of another, and with other values in some columns."""
    taken = {
        name: values[rows]
        for name in RoadNetwork.dims()["link"]
        if (values := getattr(road, name)) is not None
    }
    taken |= {"link_id": np.arange(len(rows)), "reverse_link": np.full(len(rows), -1)}
    return road.replace(**taken | columns)


def shortcuts(road: RoadNetwork, links: np.ndarray, rng: np.random.Generator) -> RoadNetwork:
    """Add links past a node: from where a link begins to where one after it ends."""
    n, n_new = road.n_links, max(1, int(SHARE * road.n_links))
    joined = set(zip(road.tail.tolist(), road.head.tolist(), strict=True))
    found: list[tuple[int, int]] = []
    while len(found) < n_new:
        one = int(rng.choice(links))
        after = links[road.tail[links] == road.head[one]]
        if len(after) == 0:
            continue
        other = int(rng.choice(after))
        ends = (int(road.tail[one]), int(road.head[other]))
        if ends[0] != ends[1] and ends not in joined:
            found.append((one, other))
            joined.add(ends)
    one, other = np.array(found).T
    faster = FASTER * (road.free_flow_time[one] + road.free_flow_time[other])
    return with_links(
        road, np.concatenate([np.arange(n), one]),
        head=np.concatenate([road.head, road.head[other]]),
        length=np.concatenate([road.length, road.length[one] + road.length[other]]),
        free_flow_time=np.concatenate([road.free_flow_time, faster]),
    )  # fmt: skip


def changed(road: RoadNetwork, kind: str, seed: int) -> tuple[RoadNetwork, RoadNetwork]:
    """Return a network without and with a hundredth of links that are new."""
    rng = np.random.default_rng(seed)
    links = np.flatnonzero(road.node_through[road.tail] & road.node_through[road.head])
    chosen = rng.choice(links, max(1, int(SHARE * road.n_links)), replace=False)
    every = np.arange(road.n_links)
    if kind == "shortcut":
        return road, shortcuts(road, links, rng)
    if kind == "doubled":
        return road, with_links(road, np.concatenate([every, chosen]))
    kept = np.setdiff1d(every, chosen)
    return with_links(road, kept), with_links(road, np.concatenate([kept, chosen]))


KINDS = {
    "shortcut": "links past a node, with its two links' time less a third",
    "doubled": "links beside others of the same kind",
    "returned": "links that were gone",
}


def compare(case: dict[str, Any], kind: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """Solve one changed network cold and warm in turn; keep the least time of each."""
    network, _, arrays = arrays_of(case, args.data)
    before, after = changed(network.road, kind, seed)
    unit = network.info.build["time_unit_s"]
    factors = {
        "toll_factor": case.get("toll_factor", 0) * unit,
        "distance_factor": case.get("distance_factor", 0)
        * unit
        / network.info.build["length_unit_m"],
    }
    params = BushParams(args.gap)
    base = assign_bushes(
        before, network.zones, arrays["demand"], params=params, keep_bushes=True, **factors
    )
    assert base.bushes is not None
    starts: dict[str, BushStart | None] = {"cold": None, "warm": base.bushes.start()}
    row: dict[str, Any] = {}
    for _ in range(args.repeat):
        for name, start in starts.items():
            hierarchy._build.cache_clear()
            wall, cpu = time.perf_counter(), time.process_time()
            solved = assign_bushes(
                after, network.zones, arrays["demand"], params=params, start=start, **factors
            )
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            best = row.setdefault(name, {"wall_seconds": wall, "cpu_seconds": cpu})
            best["wall_seconds"] = min(best["wall_seconds"], wall)
            best["cpu_seconds"] = min(best["cpu_seconds"], cpu)
            best["gaps"] = [record.relative_gap for record in solved.history]
            best["objective"] = solved.objective
    return row


def main() -> None:
    cases = tomllib.loads((HERE / "cases.toml").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--case", action="append", choices=list(cases))
    parser.add_argument("--data", type=Path, default=os.environ.get("CCZSIM_DATA"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--gap", type=float, default=1e-6)
    parser.add_argument("--seeds", type=int, default=3, help="networks of each kind")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    args = parser.parse_args()
    if args.data is None:
        parser.error("no folder of networks: set CCZSIM_DATA, or say --data FOLDER")
    compile_bushes()
    set_threads(args.threads)
    result: dict[str, Any] = {"machine": machine(args.threads), "gap": args.gap, "cases": {}}
    print(f"{'case':16} {'new links':10} {'seed':>4} {'first gap':>9} {'growths':>8} "
          f"{'cold s':>7} {'warm s':>7} {'share':>6} {'of CPU':>6}")  # fmt: skip
    for name in args.case or CASES:
        for kind in KINDS:
            for seed in range(1, args.seeds + 1):
                row = compare(cases[name], kind, seed, args)
                result["cases"].setdefault(name, {}).setdefault(kind, []).append(row)
                cold, warm = row["cold"], row["warm"]
                print(f"{name:16} {kind:10} {seed:4} {warm['gaps'][0]:9.1e} "
                      f"{len(warm['gaps']):3} / {len(cold['gaps']):2} {cold['wall_seconds']:7.3f} "
                      f"{warm['wall_seconds']:7.3f} "
                      f"{warm['wall_seconds'] / cold['wall_seconds']:6.2f} "
                      f"{warm['cpu_seconds'] / cold['cpu_seconds']:6.2f}")  # fmt: skip
    stamp = datetime.now(UTC).strftime("%Y-%m-%d")
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"warm-{stamp}-{git('rev-parse', '--short', 'HEAD')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
