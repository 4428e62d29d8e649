"""Optimal strategies here and by AequilibraE, on the same lines, trips and threads.

    python benchmarks/macro/transit.py --peer-python VENV/bin/python

writes ``results/transit-<date>-<commit>.json`` for Porto Alegre, or the network that is named. The
two take turns, so that both meet the same load. Pairs of zones that are best walked all the way are
left out of the trips: the peer has no such rule. Ours finds skims of five parts besides, the peer's
only flows.
Figures of one run alone compare; wall and CPU seconds are both stored.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from run import HERE, REPOSITORY, machine
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from cczsim.assignment.threads import set_threads
from cczsim.assignment.transit import assign_transit, skim_transit
from cczsim.assignment.transit_params import TransitParams
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress

PEER = HERE / "transit_peer.py"
ALWAYS = 1e20


def edge_list(transit: TransitNetwork, n_zones: int, params: TransitParams) -> dict[str, Any]:
    """Return the lines as the peer's edges: stops, entries of lines, origins, destinations."""
    n_stops, entries = transit.n_stops, np.arange(len(transit.line_stop))
    origin = n_stops + len(entries)
    first = np.zeros(len(entries), dtype=bool)
    first[transit.line_first[:-1]] = True
    last = np.zeros(len(entries), dtype=bool)
    last[transit.line_first[1:] - 1] = True
    frequency = np.repeat(1.0 / transit.headway, np.diff(transit.line_first))
    waited = frequency / (params.wait_weight * params.wait_factor)
    on_foot, way = params.walk_weight, params.walk_weight * transit.access_time
    node = n_stops + entries
    parts = [
        (transit.line_stop, node, np.full(len(node), params.boarding_penalty), waited, ~last),
        (node, node + 1, transit.run_time, ALWAYS, ~last),
        (node, transit.line_stop, np.zeros(len(node)), ALWAYS, ~first),
        (transit.walk_from, transit.walk_to, on_foot * transit.walk_time, ALWAYS, None),
        (origin + transit.access_zone, transit.access_stop, way, ALWAYS, None),
        (transit.access_stop, origin + n_zones + transit.access_zone, way, ALWAYS, None),
    ]
    rows: dict[str, list[Any]] = {k: [] for k in ("a_node", "b_node", "trav_time", "freq")}
    for tail, head, cost, rate, kept in parts:
        mask = np.ones(len(tail), dtype=bool) if kept is None else kept
        rows["a_node"].append(np.asarray(tail)[mask])
        rows["b_node"].append(np.asarray(head)[mask])
        rows["trav_time"].append(np.asarray(cost)[mask])
        rows["freq"].append(np.broadcast_to(rate, mask.shape)[mask])
    out: dict[str, Any] = {k: np.concatenate(v) for k, v in rows.items()}
    out["n_nodes"] = origin + 2 * n_zones
    out["origins"] = origin + np.arange(n_zones)
    out["destinations"] = origin + n_zones + np.arange(n_zones)
    out["boarding"] = np.flatnonzero(~last)
    return out


def ridden(transit: TransitNetwork, zones: ZoneSystem, params: TransitParams) -> np.ndarray:
    """Return pairs of zones whose best way boards a line, walks all the way counted in."""
    skims = skim_transit(transit, zones, params)
    n_zones, n_stops = zones.n_zones, transit.n_stops
    tail = np.concatenate([transit.walk_from, n_stops + transit.access_zone, transit.access_stop])
    head = np.concatenate(
        [transit.walk_to, transit.access_stop, n_stops + n_zones + transit.access_zone]
    )
    time = np.concatenate([transit.walk_time, transit.access_time, transit.access_time])
    size = n_stops + 2 * n_zones
    graph = coo_matrix((np.maximum(time, 1e-9), (tail, head)), (size, size)).tocsr()
    walk = dijkstra(graph, indices=n_stops + np.arange(n_zones))[:, n_stops + n_zones :]
    found = np.isfinite(skims.weighted) & (skims.weighted < params.walk_weight * walk)
    np.fill_diagonal(found, False)
    return found


def main() -> None:
    """Run both and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", nargs="?", default="networks/porto-alegre")
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--out", type=Path, default=HERE / "results")
    args = parser.parse_args()
    told = machine(max(args.threads))
    network = load_network(REPOSITORY / args.network, Progress(quiet=True))
    transit, zones, params = network.transit, network.zones, TransitParams()
    if transit is None or zones is None:
        sys.exit("a network with lines and zones is needed")
    rides = ridden(transit, zones, params)
    trips = np.where(rides, np.random.default_rng(1).uniform(0.1, 5.0, rides.shape), 0.0)
    edges = edge_list(transit, zones.n_zones, params)
    o, d = np.nonzero(trips)
    rows = []
    for threads in args.threads:
        set_threads(threads)
        assign_transit(transit, zones, trips, params)
        wall, cpu, peer_wall, peer_cpu = [], [], [], []
        with tempfile.TemporaryDirectory() as folder:
            given, out = Path(folder) / "in.npz", Path(folder) / "out.npz"
            np.savez(
                given, origin=edges["origins"][o], destination=edges["destinations"][d],
                trips=trips[o, d], threads=threads,
                **{k: v for k, v in edges.items() if k != "boarding"},
            )  # fmt: skip
            for _ in range(args.repeat):
                begun, worked = time.perf_counter(), time.process_time()
                ours = assign_transit(transit, zones, trips, params)
                wall.append(time.perf_counter() - begun)
                cpu.append(time.process_time() - worked)
                subprocess.run([args.peer_python, str(PEER), str(given), str(out)], check=True)
                peer = dict(np.load(out))
                peer_wall.append(float(peer["wall"]))
                peer_cpu.append(float(peer["cpu"]))
        theirs = peer["volume"][: len(edges["boarding"])]
        apart = np.abs(theirs - ours.boardings[edges["boarding"]])
        rows.append(
            {
                "threads": threads,
                "ours": {"wall_s": wall, "cpu_s": cpu},
                "aequilibrae": {
                    "version": str(peer["version"]), "wall_s": peer_wall, "cpu_s": peer_cpu,
                    "prepare_s": float(peer["prepared"]),
                },
                "times_faster_wall": float(np.median(peer_wall) / np.median(wall)),
                "times_faster_cpu": float(np.median(peer_cpu) / np.median(cpu)),
                "boardings": float(ours.boardings.sum()),
                "boardings_aequilibrae": float(theirs.sum()),
                "largest_difference_of_boardings": float(apart.max()),
                "sum_of_differences_over_boardings": float(apart.sum() / ours.boardings.sum()),
            }
        )  # fmt: skip
    report = {
        "network": args.network,
        "zones": zones.n_zones,
        "stops": transit.n_stops,
        "lines": transit.n_lines,
        "entries": len(transit.line_stop),
        "edges_of_peer": len(edges["a_node"]),
        "pairs": len(o),
        "trips": float(trips.sum()),
        "machine": told,
        "rows": rows,
    }  # fmt: skip
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"transit-{datetime.now(UTC):%Y-%m-%d}-{told['commit'][:7]}.json"
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    for row in rows:
        ours_s, theirs_s = (np.median(row[by]["wall_s"]) for by in ("ours", "aequilibrae"))
        print(
            f"{row['threads']} threads: {ours_s:.3f} s against {theirs_s:.3f} s, "
            f"{row['times_faster_wall']:.1f} times ({row['times_faster_cpu']:.1f} in CPU); "
            f"boardings differ by {row['sum_of_differences_over_boardings']:.1e}"
        )
    print(path)


if __name__ == "__main__":
    main()
