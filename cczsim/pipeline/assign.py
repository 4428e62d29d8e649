"""``cczsim assign``: read a network and trips, assign, write JSON and flows."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cczsim import __version__
from cczsim.assignment.algorithm_b import BushParams, assign_bushes, compile_bushes
from cczsim.assignment.algorithms import Params, params_of, solve
from cczsim.assignment.direction import load_search
from cczsim.assignment.frank_wolfe import FrankWolfeParams
from cczsim.assignment.proportional import (
    GAP,
    Proportional,
    compile_proportional,
    make_proportional,
)
from cczsim.assignment.result import IterationRecord, RoadAssignment
from cczsim.assignment.shortest import compile_kernels
from cczsim.assignment.stochastic import StochasticParams, compile_stochastic
from cczsim.assignment.system_optimum import SystemOptimum, system_optimum
from cczsim.assignment.threads import set_threads
from cczsim.assignment.user_classes import ClassAssignment, assign_classes
from cczsim.columns import Array
from cczsim.errors import CczsimError, FaultCollector, InputError, OutputError
from cczsim.io import gmns, matrices, tntp
from cczsim.io.bush_file import read_bushes, write_bushes
from cczsim.io.class_file import read_classes
from cczsim.network.network import Network
from cczsim.pipeline.assign_analysis import answer, read_questions
from cczsim.pipeline.assign_report import (
    class_report,
    likely_report,
    make_report,
    peak_rss_mb,
    say_ways,
    write_flows,
)
from cczsim.pipeline.progress import Progress
from cczsim.scenario.ledger import name_pairs
from cczsim.units import parse


def read_network(text: str, progress: Progress) -> Network:
    """Return the network that a command names: a TNTP file, a GMNS folder, or what can be built."""
    path = Path(text)
    if path.is_dir() and gmns.is_gmns(path):
        return gmns.read_network(path)
    if path.suffix == ".tntp":
        return tntp.read_network(path)
    from cczsim.pipeline.networks import load_network

    return load_network(path, progress)


def _trips_beside(network: str) -> Path:
    path = Path(network)
    beside = path.with_name(path.name.replace("_net.tntp", "_trips.tntp"))
    if path.is_dir():
        found = [path / name for name in ("demand.omx", "demand.csv") if (path / name).is_file()]
        if found:
            return found[0]
    if beside == path or not beside.is_file():
        raise InputError.of(
            network, "no trips", "a trip matrix as TRIPS", "name a .tntp, .omx or .csv file"
        )
    return beside


def assign(
    network: str,
    trips: str | None,
    *,
    algorithm: str,
    gap: float,
    max_iterations: int,
    threads: int | None,
    toll_factor: float,
    distance_factor: float,
    lost_demand: str,
    theta: float | None = None,
    system: bool = False,
    classes: Path | None = None,
    flows: Path | None,
    json_file: Path | None,
    skims: Path | None = None,
    select_link: Sequence[str] = (),
    select_zone: Sequence[str] = (),
    selection: Path | None = None,
    pairs: Path | None = None,
    paths: Path | None = None,
    proportional: bool = False,
    warm_start: Path | None = None,
    save_bushes: Path | None = None,
    progress: Progress,
) -> int:
    """Assign trips to a network: user equilibrium, or the least total cost (``system``).

    Times, lengths, costs and factors are in the network file's own units: minutes and miles for
    TNTP, seconds and metres for networks that cczsim built.

    Returns
    -------
    int
        0; 1 where the gap or ways in proportion (``proportional``) were not reached, or more demand
        is unreachable than ``lost_demand``.
    """
    params, tolerated = _options(algorithm, gap, max_iterations, theta, lost_demand)
    check_targets(flows, json_file, skims, paths, save_bushes)
    began = time.perf_counter()
    with progress.step("read"):
        net = read_network(network, progress)
        if net.zones is None:
            raise InputError.of(network, "a network without zones", "zones to assign trips between")
        time_unit = float(net.info.build.get("time_unit_s", 1.0))
        length_unit = float(net.info.build.get("length_unit_m", 1.0))
        factors = (toll_factor * time_unit, distance_factor * time_unit / length_unit)
        questions = read_questions(net, skims, selection, select_link, select_zone, pairs, paths)
        keep = questions.any or save_bushes is not None or proportional
        _refuse_what_does_not_go(params, system, classes, trips, factors, keep or warm_start)
        if proportional and gap > GAP:
            raise InputError.of(
                "--gap", f"{gap:g}", f"at most {GAP:g} with --proportional",
                "leave it out: ways of equal cost are told from others near equilibrium only",
            )  # fmt: skip
        bushes = read_bushes(warm_start) if warm_start else None
        user_classes = (
            read_classes(classes, net.road, net.zones.zone_id, time_unit, length_unit)
            if classes
            else []
        )
        if not user_classes:
            path = Path(trips) if trips is not None else _trips_beside(network)
            demand = matrices.read_matrix(path, net.zones.zone_id)
        else:
            demand = np.add.reduce([one.demand for one in user_classes])
        _refuse_cut_zones(network, net, demand)
    read_seconds = time.perf_counter() - began
    used = set_threads(threads)
    with progress.step("compile"):
        compile_kernels()
        if isinstance(params, FrankWolfeParams):
            load_search()
        elif isinstance(params, BushParams):
            compile_bushes()
            if proportional:
                compile_proportional()
        elif isinstance(params, StochasticParams):
            compile_stochastic()
            params = replace(params, theta=params.theta / time_unit)
    compile_seconds = time.perf_counter() - began - read_seconds

    def show(record: IterationRecord) -> None:
        stochastic = isinstance(params, StochasticParams)
        reached = record.demand_residual if stochastic else record.relative_gap
        share = min(1.0, np.log(max(reached, 1e-16)) / np.log(max(gap, 1e-16)))
        what = "residual" if stochastic else "gap"
        progress.update(share, f"iteration {record.iteration}, {what} {reached:.2e}")

    start = time.perf_counter()
    best: SystemOptimum | None = None
    of_classes: ClassAssignment | None = None
    with progress.step("assign"):
        if system:
            best = system_optimum(
                net.road, net.zones, demand, params, toll_factor=factors[0],
                distance_factor=factors[1], turns=net.turns, on_iteration=show,
            )  # fmt: skip
            result = best.marginal
        elif user_classes:
            assert isinstance(params, BushParams)
            of_classes = assign_classes(
                net.road, net.zones, user_classes, params=params, turns=net.turns, start=bushes,
                keep_bushes=keep, on_iteration=show,
            )  # fmt: skip
            result = of_classes.road
        elif isinstance(params, BushParams):
            result = assign_bushes(
                net.road, net.zones, demand, params=params, toll_factor=factors[0],
                distance_factor=factors[1], turns=net.turns, start=bushes, keep_bushes=keep,
                on_iteration=show,
            )  # fmt: skip
        else:
            result = solve(
                net.road, net.zones, demand, params, toll_factor=factors[0],
                distance_factor=factors[1], turns=net.turns, on_iteration=show,
            )  # fmt: skip
    solve_seconds = time.perf_counter() - start
    names = [one.name for one in user_classes] or [""]
    costs = of_classes.link_cost if of_classes is not None else result.link_cost[None, :]
    likely: Proportional | None = None
    if proportional and result.relative_gap <= GAP and result.bushes is not None:
        with progress.step("proportion"):
            likely = make_proportional(result.bushes, net.zones.centroid, costs)
        if likely.converged:
            result = replace(result, bushes=likely.solution)
        if likely.converged and of_classes is not None:
            pce = np.array([[one.pce] for one in user_classes])
            of_classes = replace(of_classes, road=result, link_flow=likely.class_flow / pce)
    report = make_report(network, net, result, used, time_unit)
    report |= {
        "read_seconds": read_seconds,
        "compile_seconds": compile_seconds,
        "solve_seconds": solve_seconds,
        "peak_rss_mb": peak_rss_mb(),
        "version": __version__,
    }
    if best is not None:
        # Gap, TSTT, SPTT and objective above are those at marginal costs.
        report["system_optimum"] = {"total_cost": best.total_cost / time_unit}
    if of_classes is not None:
        report["classes"] = class_report(of_classes)
    if proportional:
        report["proportional"] = likely_report(likely, time_unit)
    if json_file is not None:
        write_text(json_file, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    if flows is not None:
        write_flows(net, result, best, of_classes, time_unit, flows)
    if result.bushes is not None:
        answer(questions, net, result, names, costs, time_unit, length_unit)
        if save_bushes is not None:
            write_bushes(result.bushes.start(), save_bushes)
    code = _say(result, net.zones.zone_id, tolerated, progress)
    if questions.any or proportional:
        progress.say(say_ways(likely, proportional, time_unit))
    return 1 if proportional and not (likely and likely.converged) else code


def _refuse_what_does_not_go(
    params: Params, system: bool, classes: Path | None, trips: str | None,
    factors: tuple[float, float], bushes: object,
) -> None:  # fmt: skip
    """Raise where options do not go together."""
    faults = FaultCollector(InputError)
    by_bushes = isinstance(params, BushParams) and not system
    if classes is not None and not by_bushes:
        faults.add("--classes", "another algorithm than b, or the system optimum", "algorithm b")
    if classes is not None and (trips is not None or any(factors)):
        faults.add(
            "--classes", "TRIPS, --toll-factor or --distance-factor beside it",
            "these for each class in the file",
        )  # fmt: skip
    if bushes and not by_bushes:
        faults.add(
            "--algorithm", "one without bushes, for skims, selections, paths, proportion or bushes",
            "algorithm b, and no --system-optimum",
        )  # fmt: skip
    faults.raise_if_any()


def _options(
    algorithm: str, gap: float, max_iterations: int, theta: float | None, lost_demand: str
) -> tuple[Params, float]:
    """Return the stopping rule and the tolerated share; raise with every fault of the options."""
    faults = FaultCollector(InputError)
    tolerated = 0.0
    try:
        params = params_of(algorithm, gap, max_iterations, theta)
    except CczsimError as error:
        names = {"relative_gap": "--gap"}
        faults.extend(
            replace(f, where=names.get(f.where, "--" + f.where.replace("_", "-")))
            for f in error.faults
        )
    try:
        tolerated = parse(_number_or_text(lost_demand), "share", "--lost-demand")
        if not 0.0 <= tolerated <= 1.0:
            faults.add("--lost-demand", repr(lost_demand), "a share from 0 % to 100 %")
    except CczsimError as error:
        faults.extend(error.faults)
    faults.raise_if_any()
    return params, tolerated


def check_targets(*paths: Path | None) -> None:
    """Raise where a result could not be written, before anything is computed.

    Raises
    ------
    OutputError
        A folder stands there, the folder above is missing or is a file, or two results would
        share a file.
    """
    faults = FaultCollector(OutputError)
    given = [path for path in paths if path is not None]
    for path in given:
        above = path.parent
        if path.is_dir():
            faults.add(str(path), "a folder", "a file to write", "name a file in it")
        elif not above.is_dir():
            found = "a file" if above.exists() else "no such folder"
            faults.add(str(above), found, f"a folder to write {path.name} to")
    if len({path.resolve() for path in given}) < len(given):
        faults.add(str(given[0]), "the target of two options", "a file for each")
    faults.raise_if_any()


def _refuse_cut_zones(name: str, net: Network, demand: Array) -> None:
    """Raise where zones with trips touch no link at all: that is a hole in the network.

    Zones that links touch but no path joins are left to the account of lost demand.
    """
    assert net.zones is not None
    touched = np.zeros(net.road.n_nodes, dtype=bool)
    touched[net.road.tail] = touched[net.road.head] = True
    between = demand.sum(axis=1) + demand.sum(axis=0) - 2.0 * np.diag(demand)
    cut = np.flatnonzero(~touched[net.zones.centroid] & (between > 0.0))
    if len(cut):
        shown = ", ".join(str(zone) for zone in net.zones.zone_id[cut[:5]])
        more = f" and {len(cut) - 5} more" if len(cut) > 5 else ""
        raise InputError.of(
            name, f"no link at zone {shown}{more}, with {between[cut].sum():,.1f} trips/h",
            "links that join each zone with trips to the roads",
            "add connectors, or take these zones out of the trip table",
        )  # fmt: skip


def _number_or_text(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises
    ------
    OutputError
        The folder is missing or cannot be written, or the disk is full.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError.of(
            str(path), error.strerror or str(error), "a file that can be written"
        ) from None


def _say(result: RoadAssignment, zone_id: Array, tolerated: float, progress: Progress) -> int:
    lost = result.unreachable_demand / result.total_demand if result.total_demand > 0 else 0.0
    progress.say(
        f"{result.status} after {result.iterations} iterations: relative gap "
        f"{result.relative_gap:.3e}"
    )
    if result.algorithm == "sue":
        residual = result.history[-1].demand_residual
        progress.say(f"loading at the final costs would still move {residual:.3e} of the flow")
    progress.say(
        f"demand {result.total_demand:,.1f}/h: {result.intrazonal_demand:,.1f} within zones, "
        f"{result.unreachable_demand:,.1f} without a path ({lost:.3%})"
    )
    if lost > 0.0:
        gone = result.unreachable
        pairs = name_pairs(gone.origin, gone.destination, gone.trips, zone_id)
        progress.say(f"without a path, zone → zone (trips/h): {pairs}")
    code = 0
    if not result.converged and result.algorithm != "aon":
        progress.say("the gap that was asked for was not reached")
        code = 1
    if lost > tolerated:
        progress.say(f"more demand is lost than the {tolerated:.3%} tolerated by --lost-demand")
        code = 1
    return code
