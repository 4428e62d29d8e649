"""Measure whole assignments as protocol.md says: ``python benchmarks/macro/run.py --help``."""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import peer_tap_b
from plot import draw

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PACKAGES = ("cczsim", "numba", "numpy", "scipy")


def call(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program and return what it said; stop where it fails without a result."""
    return subprocess.run(words, text=True, capture_output=True, check=False, **options)


def git(*words: str) -> str:
    return call("git", "-C", str(REPOSITORY), *words).stdout.strip()


def machine(threads: int) -> dict[str, Any]:
    """Return what the figures hang on beside the code."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [x.split(":", 1)[1].strip() for x in info.read_text().splitlines()
                 if x.startswith("model name")]  # fmt: skip
        model = names[0] if names else model
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "threads": threads,
        "load_at_start": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "commit": git("rev-parse", "HEAD"),
        "clean": not git("status", "--porcelain", "--", "cczsim"),
    }


def solve(
    case: dict[str, Any], algorithm: str, threads: int, data: Path, args: argparse.Namespace
) -> dict[str, Any]:
    """Solve one case in processes of their own; keep the quickest."""
    gaps = case["gaps"][algorithm]
    kept: dict[str, Any] = {}
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        report, flows = Path(folder) / "report.json", Path(folder) / "flows.csv"
        trips = data / case["trips"]
        if case.get("times", 1) != 1:
            trips = Path(folder) / "trips.omx"
            multiplied(case, data, trips)
        words = [
            sys.executable, "-m", "cczsim.cli", "assign", str(data / case["network"]),
            str(trips), "--algorithm", algorithm, "--threads",
            str(threads), "--gap", repr(min(gaps)), "--max-iterations", "5000",
            "--toll-factor", str(case.get("toll_factor", 0)), "--distance-factor",
            str(case.get("distance_factor", 0)), "--json", str(report), "--flows", str(flows),
        ]  # fmt: skip
        for _ in range(args.repeat):
            done = call(*words)
            if done.returncode not in (0, 1):
                raise SystemExit(done.stderr)
            row = json.loads(report.read_text(encoding="utf-8"))
            seconds.append(row["solve_seconds"])
            if row["solve_seconds"] == min(seconds):
                kept = row
        kept["flow_difference"] = difference(flows, data / case["best"]) if "best" in case else None
    kept["all_solve_seconds"] = seconds
    reached = {
        gap: next((r for r in kept["history"] if r["relative_gap"] <= gap), {}) for gap in gaps
    }
    kept["seconds_to_gap"] = {repr(gap): r.get("seconds") for gap, r in reached.items()}
    kept["iterations_to_gap"] = {repr(gap): r.get("iteration") for gap, r in reached.items()}
    for name in ("network", "unreachable_pairs"):
        kept.pop(name)
    return kept


def multiplied(case: dict[str, Any], data: Path, path: Path) -> None:
    """Write the trips of a case that multiplies those of its file."""
    from cczsim.io import matrices, tntp

    zones = tntp.read_network(data / case["network"]).zones
    assert zones is not None
    trips = case["times"] * matrices.read_matrix(data / case["trips"], zones.zone_id)
    matrices.write_matrix(trips, zones.zone_id, path)


def difference(flows: Path, best: Path) -> float:
    """Return sum |f - f*| / sum f*."""
    from cczsim.io.tntp import read_flows

    known = {(int(a), int(b)): volume for a, b, volume, _ in read_flows(best)}
    with flows.open(encoding="utf-8", newline="") as file:
        rows = [(int(r["from_node"]), int(r["to_node"]), float(r["flow"]))
                for r in csv.DictReader(file)]  # fmt: skip
    return sum(abs(f - known[a, b]) for a, b, f in rows) / sum(known.values())


def arrays_of(case: dict[str, Any], data: Path) -> tuple[Any, Any, dict[str, Any]]:
    """Return roads, their cost, and the arrays that peers take, in the units of the file."""
    from cczsim.assignment.cost import LinkCost
    from cczsim.io import matrices, tntp

    network = tntp.read_network(data / case["network"])
    road, zones = network.road, network.zones
    assert zones is not None
    time_unit, length_unit = (network.info.build[k] for k in ("time_unit_s", "length_unit_m"))
    model = LinkCost(
        road, case.get("toll_factor", 0) * time_unit,
        case.get("distance_factor", 0) * time_unit / length_unit,
    )  # fmt: skip
    demand = case.get("times", 1) * matrices.read_matrix(data / case["trips"], zones.zone_id)
    arrays = {
        "tail": road.tail, "head": road.head, "capacity": road.capacity, "alpha": road.alpha,
        "beta": road.beta, "free_flow_time": road.free_flow_time / time_unit, "demand": demand,
        "fixed_cost": model.fixed / time_unit, "n_zones": zones.n_zones,
        "blocked": not road.node_through[zones.centroid].all(),
    }  # fmt: skip
    return network, model, arrays


def solve_by_peer(case: dict[str, Any], data: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Solve one case with AequilibraE; measure the gap of its flows with our own cost."""
    from cczsim.assignment.convergence import measure_gap
    from cczsim.assignment.shortest import zone_costs
    from cczsim.io import tntp

    network, model, arrays = arrays_of(case, data)
    road, zones, demand = network.road, network.zones, arrays["demand"]
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "given.npz", Path(folder) / "made.npz"
        np.savez(
            given, **arrays, threads=max(args.threads), gap=min(case["gaps"]["bfw"]),
            max_iterations=5000,
        )  # fmt: skip
        rows = []
        for _ in range(args.repeat):
            done = call(args.peer_python, str(HERE / "peer_aequilibrae.py"), str(given), str(made))
            if done.returncode:
                return {"error": done.stderr.strip().splitlines()[-1] if done.stderr else "failed"}
            rows.append(dict(np.load(made)))
    best = min(rows, key=lambda row: float(row["solve_seconds"]))
    cost = model.cost(best["flow"])
    between = demand.copy()
    np.fill_diagonal(between, 0.0)
    gap = measure_gap(best["flow"], cost, between, zone_costs(road, cost, zones.centroid))
    gaps = best["gaps"].tolist()
    out = {
        "version": str(best["version"]),
        "prepare_seconds": float(best["prepare_seconds"]),
        "solve_seconds": float(best["solve_seconds"]),
        "all_solve_seconds": [float(row["solve_seconds"]) for row in rows],
        "iterations": len(gaps),
        "reported_gap": gaps[-1],
        "relative_gap": gap.relative_gap,
    }
    if "best" in case:
        known = {(int(a), int(b)): v for a, b, v, _ in tntp.read_flows(data / case["best"])}
        wanted = [known[int(a) + 1, int(b) + 1] for a, b in zip(road.tail, road.head, strict=True)]
        out["flow_difference"] = float(np.abs(best["flow"] - wanted).sum() / sum(wanted))
    return out


def solve_by_tap_b(case: dict[str, Any], data: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Solve one case with tap-b; seconds to each gap are by its own clock."""
    _, _, arrays = arrays_of(case, data)
    gaps = case["gaps"]["b"]
    row = peer_tap_b.solve(args.tap_b.resolve(), arrays, max(min(gaps), 1e-10), args.limit)
    if "error" not in row:
        first = {g: next((h for h in row["history"] if h["relative_gap"] <= g), {}) for g in gaps}
        row["seconds_to_gap"] = {repr(g): h.get("seconds") for g, h in first.items()}
    return row


def beside(theirs: dict[str, Any] | None, spent: float | None, gap: float, asked: float) -> str:
    """Return the peer's figures for the row of the gap that it was asked for."""
    if not theirs or gap != asked:
        return ""
    if "error" in theirs:
        return str(theirs["error"])
    ratio = f"{theirs['solve_seconds'] / spent:.1f}" if spent else "-"
    return f"{theirs['solve_seconds']:.2f}, {ratio}, {theirs['relative_gap']:.1e}"


def main() -> None:
    cases = tomllib.loads((HERE / "cases.toml").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", action="append", choices=list(cases), help="only these cases")
    parser.add_argument(
        "--data", type=Path, default=os.environ.get("CCZSIM_DATA"),
        help="folder with tntp/, as README says under Data; CCZSIM_DATA if not said",
    )  # fmt: skip
    parser.add_argument("--algorithm", action="append", help="only these; all of a case if none")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=[os.cpu_count()], help="one after the other"
    )
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peer", choices=["aequilibrae"])
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has it")
    parser.add_argument("--tap-b", type=Path, help="binary of tap-b, to be measured as well")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds that tap-b may take")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    args = parser.parse_args()
    if args.data is None:
        parser.error("no folder of networks: set CCZSIM_DATA, or say --data FOLDER")
    data = args.data
    missing = [name for name in args.case or cases if not (data / cases[name]["network"]).is_file()]
    if len(missing) == len(args.case or cases):
        parser.error(f"--data {data}: holds the network of none of {', '.join(missing)}")
    if args.peer and call(args.peer_python, "-c", f"import {args.peer}").returncode:
        print(f"{args.peer} cannot be imported by {args.peer_python}: no peer is measured")
        args.peer = None
    result: dict[str, Any] = {"machine": machine(max(args.threads)), "cases": {}}
    call(sys.executable, "-m", "cczsim.cli", "warmup")
    print(f"{'case':16} {'by':>8} {'gap':>7} {'iter':>5} {'s to gap':>9} {'solve s':>8} "
          f"{'flows':>7} {'MB':>6}  peer s, ratio, its gap")  # fmt: skip
    for name in args.case or cases:
        case = cases[name]
        if not (data / case["network"]).is_file():
            print(f"{name:16} not in {data}")
            continue
        row = result["cases"][name] = {"asked": case}
        if args.peer:
            row[args.peer] = solve_by_peer(case, data, args)
        if args.tap_b:
            row["tap-b"] = solve_by_tap_b(case, data, args)
        for algorithm, threads in itertools.product(case["gaps"], sorted(args.threads)):
            if args.algorithm and algorithm not in args.algorithm:
                continue
            label = algorithm if threads == max(args.threads) else f"{algorithm} on {threads}"
            ours = row[label] = solve(case, algorithm, threads, data, args)
            flows = f"{ours['flow_difference']:.2%}" if ours["flow_difference"] is not None else "-"
            for gap, spent in ours["seconds_to_gap"].items():
                took = "-" if spent is None else f"{spent:.3f}"
                count = ours["iterations_to_gap"][gap] or "-"
                peer = beside(row.get(args.peer), spent, float(gap), min(case["gaps"]["bfw"]))
                tap = row.get("tap-b", {}).get("seconds_to_gap", {}).get(gap)
                if tap and spent and algorithm == "b":
                    peer += f" tap-b {tap:.2f}, {tap / spent:.1f}"
                print(f"{name:16} {label:>8} {float(gap):7.0e} {count:>5} "
                      f"{took:>9} {ours['solve_seconds']:8.2f} {flows:>7} "
                      f"{ours['peak_rss_mb']:6.0f}  {peer}")  # fmt: skip
    stamp = datetime.now(UTC).strftime("%Y-%m-%d")
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"{stamp}-{git('rev-parse', '--short', 'HEAD')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    draw(result, path.with_suffix(".html"))
    print(path)


if __name__ == "__main__":
    main()
