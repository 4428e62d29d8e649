"""Solve one instance with AequilibraE: ``python peer_aequilibrae.py INSTANCE.npz OUT.npz``.

Runs in an interpreter that has that package and need not have cczsim; arrays come in and go out.
"""

from __future__ import annotations

import sys
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
from aequilibrae.matrix import AequilibraeMatrix
from aequilibrae.paths import Graph, TrafficAssignment, TrafficClass


def main() -> None:
    given = np.load(sys.argv[1])
    n_zones, n_links = int(given["n_zones"]), len(given["tail"])
    network = pd.DataFrame({
        "link_id": np.arange(n_links) + 1,
        "a_node": given["tail"] + 1,
        "b_node": given["head"] + 1,
        "direction": np.ones(n_links, dtype=np.int8),
        "free_flow_time": np.maximum(given["free_flow_time"], 1e-9),
        "capacity": given["capacity"],
        "alpha": np.where(given["beta"] < 1.0, 0.0, given["alpha"]),
        "beta": np.maximum(given["beta"], 1.0),
        "fixed_cost": given["fixed_cost"],
        "id": np.arange(n_links) + 1,
    })  # fmt: skip
    started = time.perf_counter()
    graph = Graph()
    graph.network = network
    graph.prepare_graph(np.arange(n_zones) + 1)
    graph.set_graph("free_flow_time")
    graph.set_blocked_centroid_flows(bool(given["blocked"]))
    demand = given["demand"].copy()
    np.fill_diagonal(demand, 0.0)
    matrix = AequilibraeMatrix()
    matrix.create_empty(zones=n_zones, matrix_names=["trips"], memory_only=True)
    matrix.index[:] = np.arange(n_zones) + 1
    matrix.matrix["trips"][:, :] = demand
    matrix.computational_view(["trips"])
    cars = TrafficClass("car", graph, matrix)
    cars.set_fixed_cost("fixed_cost")
    assignment = TrafficAssignment()
    assignment.set_classes([cars])
    assignment.set_vdf("BPR")
    assignment.set_vdf_parameters({"alpha": "alpha", "beta": "beta"})
    assignment.set_capacity_field("capacity")
    assignment.set_time_field("free_flow_time")
    assignment.set_algorithm("bfw")
    assignment.max_iter = int(given["max_iterations"])
    assignment.rgap_target = float(given["gap"])
    assignment.set_cores(int(given["threads"]))
    prepared = time.perf_counter()
    assignment.execute()
    solved = time.perf_counter()
    report = assignment.report()
    results = assignment.results()
    flow = np.zeros(n_links)
    flow[results.index.to_numpy() - 1] = results["PCE_AB"].fillna(0.0).to_numpy()
    np.savez(
        sys.argv[2], flow=flow, gaps=report["rgap"].to_numpy(dtype=float),
        prepare_seconds=prepared - started, solve_seconds=solved - prepared,
        version=version("aequilibrae"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
