"""``cczsim demand estimate``: trips from link counts and a prior matrix."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim import __version__
from cczsim.assignment.algorithm_b import compile_bushes
from cczsim.assignment.bush_analysis import load_used
from cczsim.assignment.od_estimation import (
    Estimation,
    EstimationParams,
    EstimationRecord,
    estimate_trips,
)
from cczsim.assignment.result import Status
from cczsim.assignment.shortest import compile_kernels
from cczsim.assignment.threads import set_threads
from cczsim.columns import Array
from cczsim.errors import AssignmentError, FaultCollector, InputError, OutputError
from cczsim.io.link_counts import LinkCounts, read_counts
from cczsim.io.matrices import read_matrix, write_matrix
from cczsim.network.network import Network
from cczsim.pipeline.assign import check_targets, read_network, write_text
from cczsim.pipeline.progress import Progress
from cczsim.units import parse

_LISTED: Final = 10
"""Zones and counts that the report names, largest change first."""


def estimate(
    network: str,
    prior: str,
    counts: str,
    *,
    out: Path,
    prior_weight: float,
    hold_out: str,
    seed: int,
    gap: float,
    tolerance: float,
    max_iterations: int,
    toll_factor: float,
    distance_factor: float,
    threads: int | None,
    fit: Path | None,
    json_file: Path | None,
    progress: Progress,
) -> int:
    """Write the trips nearest to a prior whose flows fit counts, and say what was changed.

    Parameters
    ----------
    hold_out : str
        Share of counts that are left out, drawn by ``seed``, to see how flows fit where nothing
        was fitted.
    fit : Path, optional
        CSV of the counts beside the flows of prior and estimate.

    Returns
    -------
    int
        0; 1 where the objective still fell when iterations ran out.
    """
    params, share = _options(prior_weight, tolerance, max_iterations, gap, hold_out)
    check_targets(out, fit, json_file)
    with progress.step("read"):
        net = read_network(network, progress)
        if net.zones is None:
            raise InputError.of(network, "a network without zones", "zones that trips go between")
        trips = read_matrix(Path(prior), net.zones.zone_id)
        counted = read_counts(Path(counts), net.road)
        out_rows = _held_out(len(counted.links), share, seed)
    time_unit = float(net.info.build.get("time_unit_s", 1.0))
    length_unit = float(net.info.build.get("length_unit_m", 1.0))
    used = set_threads(threads)
    with progress.step("compile"):
        compile_kernels()
        compile_bushes()

    def show(record: EstimationRecord) -> None:
        progress.update(
            record.iteration / params.max_iterations,
            f"iteration {record.iteration}, objective {record.objective:.4g}",
        )

    start = time.perf_counter()
    with progress.step("estimate"):
        found = estimate_trips(
            net.road, net.zones, trips, counted.links[~out_rows], counted.counts[~out_rows],
            variance=counted.variance[~out_rows], params=params,
            toll_factor=toll_factor * time_unit,
            distance_factor=distance_factor * time_unit / length_unit,
            turns=net.turns, on_iteration=show,
        )  # fmt: skip
    seconds = time.perf_counter() - start
    report = _report(net, trips, counted, out_rows, found) | {
        "network": network, "prior": prior, "counts": counts, "params": asdict(params),
        "seed": seed, "threads": used, "solve_seconds": seconds, "version": __version__,
    }  # fmt: skip
    _write(out, fit, net, counted, out_rows, found)
    if json_file is not None:
        write_text(json_file, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    _say(report, progress)
    return 0 if found.status is Status.CONVERGED else 1


def _options(
    prior_weight: float, tolerance: float, max_iterations: int, gap: float, hold_out: str
) -> tuple[EstimationParams, float]:
    faults = FaultCollector(InputError)
    share = 0.0
    try:
        params = EstimationParams(prior_weight, tolerance, max_iterations, gap)
    except AssignmentError as error:
        faults.extend(error.faults)
    if not 0.0 < gap < 1.0:
        faults.add("--gap", f"{gap}", "a number above 0 and below 1")
    try:
        share = parse(hold_out, "share", "--hold-out")
        if not 0.0 <= share < 1.0:
            faults.add("--hold-out", repr(hold_out), "a share from 0 % to below 100 %")
    except InputError as error:
        faults.extend(error.faults)
    faults.raise_if_any()
    return params, share


def _held_out(n_counts: int, share: float, seed: int) -> Array:
    """Return which counts are left out, ``[count]``."""
    rows = np.zeros(n_counts, dtype=bool)
    n_out = min(round(share * n_counts), n_counts - 1)
    rows[np.random.default_rng(seed).permutation(n_counts)[:n_out]] = True
    return rows


def goodness(flow: Array, count: Array) -> dict[str, Any]:
    """Return how flows fit counts.

    R² is 1 - squared misses / squared deviations of the counts from their mean, so that it falls
    below 0 where the mean would fit better. GEH = sqrt(2 (v - c)² / (v + c)), with flows an hour
    (*Design Manual for Roads and Bridges* 12.2, 1996).
    """
    if not len(count):
        return {"counts": 0}
    off = flow - count
    spread = float(((count - count.mean()) ** 2).sum())
    both = flow + count
    geh = np.sqrt(np.divide(2.0 * off**2, both, out=np.zeros_like(both), where=both > 0.0))
    return {
        "counts": len(count),
        "r2": 1.0 - float((off**2).sum()) / spread if spread > 0.0 else None,
        "rmse": float(np.sqrt((off**2).mean())),
        "flow_over_count": float(flow.sum() / count.sum()) if count.sum() > 0.0 else None,
        "geh_mean": float(geh.mean()),
        "geh_below_5": float((geh < 5.0).mean()),
    }


def _report(
    net: Network, prior: Array, counted: LinkCounts, out_rows: Array, found: Estimation
) -> dict[str, Any]:
    assert net.zones is not None
    assert found.road.bushes is not None
    before, after = found.prior_flow[counted.links], found.road.link_flow[counted.links]
    apart = ~np.eye(len(prior), dtype=bool)
    changed = np.abs(found.trips - prior)[apart]
    nobody = load_used(found.road.bushes, prior)[counted.links] == 0.0
    ends = {}
    for name, axis in (("origins", 1), ("destinations", 0)):
        old, new = prior.sum(axis=axis), found.trips.sum(axis=axis)
        largest = np.argsort(-np.abs(new - old), kind="stable")[:_LISTED]
        ends[name] = [
            {"zone": int(net.zones.zone_id[k]), "prior": float(old[k]), "trips": float(new[k])}
            for k in largest
        ]
    total = float(prior[apart].sum())
    return {
        "status": str(found.status),
        "iterations": len(found.history) - 1,
        "history": [asdict(record) for record in found.history],
        "relative_gap": found.road.relative_gap,
        "fit": {
            "prior": goodness(before[~out_rows], counted.counts[~out_rows]),
            "estimate": goodness(after[~out_rows], counted.counts[~out_rows]),
        },
        "fit_of_counts_left_out": {
            "prior": goodness(before[out_rows], counted.counts[out_rows]),
            "estimate": goodness(after[out_rows], counted.counts[out_rows]),
        },
        "counts_no_trip_passes": int(nobody.sum()),
        "trips": {
            "prior": total,
            "estimate": float(found.trips[apart].sum()),
            "changes": float(changed.sum()),
            "changes_share": float(changed.sum()) / max(total, 1e-300),
            "rms_change": float(np.sqrt((changed**2).mean())),
            "r2_with_prior": float(np.corrcoef(prior[apart], found.trips[apart])[0, 1] ** 2)
            if np.ptp(prior[apart]) > 0.0 and np.ptp(found.trips[apart]) > 0.0 else None,
            "pairs_without_prior": int((prior[apart] == 0.0).sum()),
            "pairs_emptied": int(((prior > 0.0) & (found.trips == 0.0))[apart].sum()),
            "largest_changes": ends,
        },
    }  # fmt: skip


def _write(
    out: Path, fit: Path | None, net: Network, counted: LinkCounts, out_rows: Array,
    found: Estimation,
) -> None:  # fmt: skip
    assert net.zones is not None
    road = net.road
    try:
        write_matrix(found.trips, net.zones.zone_id, out)
        if fit is None:
            return
        with fit.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["from_node", "to_node", "count", "prior", "estimate", "left_out"])
            for link, count, left in zip(counted.links, counted.counts, out_rows, strict=True):
                writer.writerow([
                    int(road.node_id[road.tail[link]]), int(road.node_id[road.head[link]]),
                    repr(float(count)), repr(float(found.prior_flow[link])),
                    repr(float(found.road.link_flow[link])), int(left),
                ])  # fmt: skip
    except OSError as error:
        raise OutputError.of(
            str(error.filename or out), error.strerror or str(error), "a file that can be written"
        ) from None


def _say(report: dict[str, Any], progress: Progress) -> None:
    trips, first, last = report["trips"], report["history"][0], report["history"][-1]
    progress.say(
        f"{report['status']} after {report['iterations']} iterations: objective "
        f"{first['objective']:.4g} → {last['objective']:.4g} (counts {last['counts']:.4g}, prior "
        f"{last['prior']:.4g})"
    )
    for key, name in (("fit", "counts"), ("fit_of_counts_left_out", "counts left out")):
        old, new = report[key]["prior"], report[key]["estimate"]
        if not new["counts"]:
            continue
        r2 = [f"{fit['r2']:.4f}" if fit["r2"] is not None else "–" for fit in (old, new)]
        progress.say(
            f"{new['counts']} {name}: R² {r2[0]} → {r2[1]}, mean GEH {old['geh_mean']:.2f} → "
            f"{new['geh_mean']:.2f}, below 5: {old['geh_below_5']:.0%} → {new['geh_below_5']:.0%}"
        )
    progress.say(
        f"trips between zones {trips['prior']:,.1f} → {trips['estimate']:,.1f}/h; "
        f"changes of pairs add "
        f"up to {trips['changes']:,.1f} ({trips['changes_share']:.1%}), R² with the prior "
        + (f"{trips['r2_with_prior']:.4f}" if trips["r2_with_prior"] is not None else "–")
    )
    if report["counts_no_trip_passes"]:
        progress.say(
            f"{report['counts_no_trip_passes']} counts lie where no trip of the prior passes"
        )
