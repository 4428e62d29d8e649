"""Solve arrays with a binary of tap-b (Algorithm B in C), by its own clock."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROUND = re.compile(r"^Iteration (\d+): gap ([0-9.eE+-]+), obj ([0-9.eE+-]+), time ([0-9.eE+-]+)")


def write_network(path: Path, arrays: dict[str, Any]) -> None:
    """Write a TNTP network in the file's own units; all fixed costs are tolls."""
    n_zones, blocked = int(arrays["n_zones"]), bool(arrays["blocked"])
    n_nodes = int(max(arrays["tail"].max(), arrays["head"].max())) + 1
    lines = [
        f"<NUMBER OF ZONES> {n_zones}", f"<NUMBER OF NODES> {n_nodes}",
        f"<FIRST THRU NODE> {n_zones + 1 if blocked else 1}",
        f"<NUMBER OF LINKS> {len(arrays['tail'])}", "<TOLL FACTOR> 1", "<DISTANCE FACTOR> 0",
        "<END OF METADATA>", "~ from to capacity length time b power speed toll type ;",
    ]  # fmt: skip
    columns = ("tail", "head", "capacity", "free_flow_time", "alpha", "beta", "fixed_cost")
    for tail, head, capacity, time, b, power, toll in zip(
        *(arrays[name].tolist() for name in columns), strict=True
    ):
        lines.append(
            f"{tail + 1} {head + 1} {capacity!r} 0 {time!r} {b!r} {power!r} 0 {toll!r} 1 ;"
        )
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_trips(path: Path, demand: np.ndarray) -> None:
    lines = [
        f"<NUMBER OF ZONES> {len(demand)}", f"<TOTAL OD FLOW> {demand.sum()!r}",
        "<END OF METADATA>",
    ]  # fmt: skip
    for origin, row in enumerate(demand.tolist()):
        lines.append(f"Origin {origin + 1}")
        lines += [f"{zone + 1} : {trips!r};" for zone, trips in enumerate(row) if trips > 0.0]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def solve(binary: Path, arrays: dict[str, Any], gap: float, limit: float) -> dict[str, Any]:
    """Return the history of one serial run: gap and seconds after each iteration."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "net").mkdir()
        write_network(Path(folder) / "net" / "net.txt", arrays)
        write_trips(Path(folder) / "net" / "trips.txt", arrays["demand"])
        asked = Path(folder) / "asked.txt"
        asked.write_text(
            f"<NETWORK FILE> net.txt\n<TRIPS FILE> trips.txt\n<CONVERGENCE GAP> {gap!r}\n"
            f"<MAX RUN TIME> {limit!r}\n<NUMBER OF THREADS> 1\n",
            encoding="ascii",
        )
        done = subprocess.run(
            [str(binary), str(asked)], cwd=folder, capture_output=True, text=True, check=False,
            errors="replace",
        )  # fmt: skip
    rows = [ROUND.match(line) for line in done.stdout.splitlines()]
    history = [
        {"iteration": int(r[1]), "relative_gap": float(r[2]), "seconds": float(r[4])}
        for r in rows if r
    ]  # fmt: skip
    if not history:
        said = (done.stderr or done.stdout).strip().splitlines()
        return {"error": said[-1] if said else f"exit code {done.returncode}"}
    return {"history": history, "solve_seconds": history[-1]["seconds"], "threads": 1}
