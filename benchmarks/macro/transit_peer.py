"""Optimal strategies by AequilibraE: ``python transit_peer.py INSTANCE.npz OUT.npz``.

Runs in an interpreter that has that package and need not have cczsim. What is timed is the call
that its ``TransitAssignment`` makes, ``HyperpathGenerating.assign``; making its graph is timed
apart.
"""

from __future__ import annotations

import sys
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
from aequilibrae.paths.public_transport import HyperpathGenerating


def main() -> None:
    given = np.load(sys.argv[1])
    edges = pd.DataFrame({k: given[k] for k in ("a_node", "b_node", "trav_time", "freq")})
    n_nodes = int(given["n_nodes"])
    begun = time.perf_counter()
    graph = HyperpathGenerating(
        edges, tail="a_node", head="b_node", trav_time="trav_time", freq="freq",
        o_vert_ids=given["origins"], d_vert_ids=given["destinations"],
        nodes_to_indices=np.arange(n_nodes),
    )  # fmt: skip
    prepared = time.perf_counter() - begun
    begun, worked = time.perf_counter(), time.process_time()
    graph.assign(
        given["origin"].astype(np.uint32), given["destination"].astype(np.uint32),
        given["trips"], threads=int(given["threads"]),
    )  # fmt: skip
    wall, cpu = time.perf_counter() - begun, time.process_time() - worked
    np.savez(
        sys.argv[2], volume=graph._edges["volume"].to_numpy(), wall=wall, cpu=cpu,
        prepared=prepared, version=version("aequilibrae"),
    )  # fmt: skip


if __name__ == "__main__":
    main()
