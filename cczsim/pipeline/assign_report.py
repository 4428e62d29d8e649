"""What ``cczsim assign`` says of an assignment: JSON and flows."""

from __future__ import annotations

import csv
import resource
import sys
from pathlib import Path
from typing import Any

from cczsim.assignment.proportional import Proportional
from cczsim.assignment.result import RoadAssignment
from cczsim.assignment.system_optimum import SystemOptimum
from cczsim.assignment.user_classes import ClassAssignment
from cczsim.errors import OutputError
from cczsim.network.network import Network


def peak_rss_mb() -> float:
    """Return the most memory that the process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024**2 if sys.platform == "darwin" else peak / 1024


def make_report(
    name: str, net: Network, result: RoadAssignment, threads: int, time_unit: float
) -> dict[str, Any]:
    """Return what ``--json`` says of an assignment, in the network's own unit of time."""
    assert net.zones is not None
    lost = result.unreachable
    stochastic = (
        {"residual": result.history[-1].demand_residual} if result.algorithm == "sue" else {}
    )
    return {
        **stochastic,
        "network": name,
        "n_zones": net.zones.n_zones,
        "n_nodes": net.road.n_nodes,
        "n_links": net.road.n_links,
        "total_demand": result.total_demand,
        "intrazonal_demand": result.intrazonal_demand,
        "unreachable_demand": result.unreachable_demand,
        "unreachable_pairs": [
            {"origin": int(net.zones.zone_id[o]), "destination": int(net.zones.zone_id[d]),
             "trips": float(t)}
            for o, d, t in zip(lost.origin[:1000], lost.destination[:1000], lost.trips[:1000],
                               strict=True)
        ],
        "algorithm": result.algorithm,
        "threads": threads,
        "time_unit_s": time_unit,
        "relative_gap": result.relative_gap,
        "average_excess_cost": result.average_excess_cost / time_unit,
        "node_imbalance": result.node_imbalance,
        "converged": result.converged,
        "status": str(result.status),
        "iterations": result.iterations,
        "objective": result.objective / time_unit,
        "tstt": result.tstt / time_unit,
        "sptt": result.sptt / time_unit,
        "history": [
            {"iteration": r.iteration, "seconds": r.seconds, "relative_gap": r.relative_gap,
             "objective": r.objective / time_unit}
            for r in result.history
        ],
    }  # fmt: skip


def class_report(of_classes: ClassAssignment) -> list[dict[str, Any]]:
    """Return what ``--json`` says of each class, in vehicles/h."""
    return [
        {
            "name": one.name,
            "pce": one.pce,
            "total_demand": float(one.demand.sum()),
            "unreachable_demand": float(lost),
            "closed_links": len(one.closed),
        }
        for one, lost in zip(of_classes.classes, of_classes.unreachable, strict=True)
    ]


def likely_report(likely: Proportional | None, time_unit: float) -> dict[str, Any]:
    """Return what ``--json`` says of ways in proportion; None where the gap was not reached."""
    if likely is None:
        return {"reached": False}
    return {
        "reached": likely.converged,
        "tolerance": likely.tolerance / time_unit,
        "apart": likely.apart,
        "flow_error": likely.flow_error,
        "entropy_before": likely.entropy_before,
        "entropy": likely.entropy,
        "steps": likely.steps,
    }


def say_ways(likely: Proportional | None, asked: bool, time_unit: float) -> str:
    """Return in words which of all ways with these link flows the answers are of."""
    if likely is None or not likely.converged:
        why = "; link flows were not met" if likely is not None else ""
        hint = "" if asked else " (--proportional finds the most likely one)"
        return (
            f"ways are those of the bushes{why}: one of many divisions of the same link flows{hint}"
        )
    return (
        f"ways are the most likely ones: link flows kept to {likely.flow_error:.0e} of all trips, "
        f"entropy {likely.entropy_before:,.1f} → {likely.entropy:,.1f}; links within "
        f"{likely.tolerance / time_unit:.1e} of a least cost count as least, and "
        f"{likely.apart:.0e} of the flow is on others"
    )


def write_flows(
    net: Network, result: RoadAssignment, best: SystemOptimum | None,
    of_classes: ClassAssignment | None, time_unit: float, path: Path,
) -> None:  # fmt: skip
    """Write flow, time and cost of each link, by class where there are classes.

    Where flows are the optimum, the toll that brings them about is written too, in time.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    road = net.road
    columns = {
        "from_node": road.node_id[road.tail].tolist(),
        "to_node": road.node_id[road.head].tolist(),
        "flow": result.link_flow.tolist(),
        "time": ((best or result).link_time / time_unit).tolist(),
        "cost": ((best or result).link_cost / time_unit).tolist(),
    }
    if best is not None:
        columns["toll"] = (best.toll / time_unit).tolist()
    if of_classes is not None:
        for one, flow, cost in zip(
            of_classes.classes, of_classes.link_flow, of_classes.link_cost, strict=True
        ):
            columns[f"flow_{one.name}"] = flow.tolist()
            columns[f"cost_{one.name}"] = (cost / time_unit).tolist()
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(
                (t, h, *map(repr, values)) for t, h, *values in zip(*columns.values(), strict=True)
            )
    except OSError as error:
        raise OutputError.of(
            str(path), error.strerror or str(error), "a file that can be written"
        ) from None
