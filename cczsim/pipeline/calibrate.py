"""``cczsim demand calibrate``: parameters of a scenario's demand from what was observed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim import __version__
from cczsim.assignment.elastic import ElasticParams
from cczsim.assignment.equilibrium import mode_equilibrium, street_distance
from cczsim.assignment.result import ModeEquilibrium
from cczsim.assignment.threads import set_threads
from cczsim.columns import Array
from cczsim.demand.calibration import (
    BandFit,
    DecayFit,
    LengthBands,
    fit_bands,
    fit_decay,
    mean_length,
)
from cczsim.demand.distribution import Distribution
from cczsim.demand.generation import generate
from cczsim.errors import CczsimError, FaultCollector, InputError, OutputError
from cczsim.indicators.flows import road_indicators
from cczsim.io.length_bands import read_bands, write_bands
from cczsim.io.scenario_file import read_scenario
from cczsim.network.network import Network
from cczsim.network.transit import MODES as LINE_MODES
from cczsim.network.zones import TIERS
from cczsim.pipeline.assign import check_targets, write_text
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.scenario.park_ride import park_ride_of
from cczsim.scenario.run import prepare
from cczsim.scenario.spec import ScenarioSpec
from cczsim.scenario.street_delay import with_street_delay
from cczsim.scenario.trips import (
    destination_rule,
    length_factors,
    make_trips,
    pull,
    pull_costs,
)
from cczsim.scenario.trucks import truck_traffic, with_trucks
from cczsim.units import parse

_LOOSE: Final = 1e-3
"""Gaps of the equilibria that constants are sought with."""
_LONGEST_STEP: Final = 1.5
"""Of a constant in one round, in scales of the choice; of a weight or delay in ones."""
_LEAST: Final = 0.05
_STREET_DELAY: Final = 0.15
"""Where no scenario says otherwise: that of the class tables."""


@dataclass(frozen=True)
class Goal:
    """A figure that a constant is to bring about.

    Parameters
    ----------
    name : str
        As the option names it: ``share car``, ``boardings metro``, ``speed central``.
    key : str
        Of a scenario, dotted.
    target : float
        A share, boardings a day, or km/h.
    """

    name: str
    key: str
    target: float

    def value(self, spec: ScenarioSpec) -> float:
        """Return the value of the key, in steps."""
        section, _, name = self.key.partition(".")
        held = getattr(spec, section)
        held = getattr(held.params if section == "demand" else held, name)
        return float(_STREET_DELAY if held is None else held) / self.step(spec)

    def moved(self, spec: ScenarioSpec, value: float) -> ScenarioSpec:
        """Return the scenario with another value, given in steps; weights stay above 0."""
        section, _, name = self.key.partition(".")
        found: dict[str, Any] = {name: value * self.step(spec)}
        if section == "demand":
            params = replace(spec.demand.params, **found)
            return replace(spec, demand=replace(spec.demand, params=params))
        found[name] = max(found[name], _LEAST)
        return replace(spec, **{section: replace(getattr(spec, section), **found)})

    def step(self, spec: ScenarioSpec) -> float:
        """Return what moves the figure by about itself: the scale of the choice, or 1."""
        return spec.demand.params.choice_scale if self.key.startswith("demand.") else 1.0

    def written(self, spec: ScenarioSpec) -> str:
        """Return the value as a scenario file holds it."""
        value = self.value(spec) * self.step(spec)
        return f'"{value:.1f} s"' if self.key.startswith("demand.") else f"{value:.4g}"


def calibrate(
    scenario: Path,
    *,
    mean_length: str | None,
    lengths: Path | None,
    share: Sequence[str],
    boardings: Sequence[str],
    speed: Sequence[str],
    out: Path,
    max_rounds: int,
    tolerance: str,
    threads: int | None,
    json_file: Path | None,
    progress: Progress,
) -> int:
    """Find decay, factors by length and constants of modes; write them as a scenario.

    Returns
    -------
    int
        0; 1 where a figure is further off than ``tolerance``.
    """
    spec = read_scenario(scenario)
    goals, mean, tolerated = _asked(spec, mean_length, lengths, share, boardings, speed, tolerance)
    if spec.demand.params.destination_choice == "equilibrium" and (mean or lengths is not None):
        raise InputError.of(
            f"{scenario}: demand.destination_choice", '"equilibrium"', '"fixed"', "lengths of "
            "trips are fitted to the costs of empty roads; fit shares, boardings and speeds alone",
        )  # fmt: skip
    bands = read_bands(lengths, "share") if lengths is not None else None
    beside = out.with_name(out.stem + "-lengths.csv")
    check_targets(out, beside if bands is not None else None, json_file)
    network = load_network(Path(spec.network), progress)
    used = set_threads(threads)
    changed, _ = prepare(spec, network)
    _refuse_lines_that_are_not_there(changed, goals)
    model = _Model(spec, network, changed, mean, bands)
    found, history = _seek(model, goals, tolerated, max_rounds, progress)
    report = _report(model, found, goals) | {
        "scenario": str(scenario), "history": history, "threads": used, "version": __version__,
    }  # fmt: skip
    text = _toml(spec, scenario, out, model, found, goals, report, beside)
    write_text(out, text)
    if found.bands is not None and bands is not None:
        columns = {
            "factor": found.bands.factor, "wanted": bands.value, "share": found.bands.share,
        }  # fmt: skip
        try:
            write_bands(bands, columns, beside)
        except OSError as error:
            raise OutputError.of(
                str(beside), error.strerror or str(error), "a file that can be written"
            ) from None
    if json_file is not None:
        write_text(json_file, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    for row in report["figures"]:
        progress.say(
            f"{row['figure']}: wanted {row['wanted']:,.6g}, got {row['got']:,.6g} "
            f"({row['residual']:+.2%})"
        )
    off = [row for row in report["figures"] if not abs(row["residual"]) <= tolerated]
    if off:
        progress.say(f"{len(off)} figures are further off than {tolerated:.2%}")
    return 1 if off else 0


@dataclass(frozen=True)
class _Trial:
    """Trips and equilibrium of one set of parameters."""

    spec: ScenarioSpec
    distribution: Distribution
    decay: DecayFit | None
    bands: BandFit | None
    equilibrium: ModeEquilibrium | None


class _Model:
    """A scenario whose demand can be asked with other parameters."""

    def __init__(
        self, spec: ScenarioSpec, network: Network, changed: Network, mean: float | None,
        bands: LengthBands | None,
    ) -> None:  # fmt: skip
        assert changed.zones is not None
        self.spec, self.network, self.changed = spec, network, changed
        self.zones, self.mean, self.bands = changed.zones, mean, bands
        self.length = street_distance(network.road, changed.zones)
        self.factors = length_factors(spec, network)

    def ask(self, spec: ScenarioSpec, modes: bool) -> _Trial:
        """Find destinations, and with ``modes`` the equilibrium."""
        demand = spec.demand.params
        chosen = demand.destination_choice == "equilibrium"
        cost = pull_costs(self.changed if chosen else self.network, demand, spec.transit)
        production, attraction = generate(
            self.zones.population, self.zones.jobs, demand, self.zones.trip_share
        )
        decay = found_bands = None
        if self.mean is not None:
            kept = np.where(pull(self.zones, cost, demand) > 0.0, cost, np.inf)
            decay = fit_decay(
                production, attraction, kept, self.length, self.mean, power=demand.decay_power,
                start=demand.distance_decay,
            )  # fmt: skip
            demand = replace(demand, distance_decay=decay.decay)
            spec = replace(spec, demand=replace(spec.demand, params=demand))
        if self.bands is not None:
            drawn = pull(self.zones, cost, demand)
            band = np.where(drawn > 0.0, self.bands.of(self.length), -1)
            found_bands = fit_bands(production, attraction, drawn, band, self.bands.value)
            distribution = found_bands.distribution
        else:
            distribution = make_trips(self.zones, cost, demand, factors=self.factors)
        equilibrium = None
        if modes:
            rules = spec.assignment
            network = with_street_delay(self.changed, rules.street_delay)
            equilibrium = mode_equilibrium(
                with_trucks(network, truck_traffic(network, self.zones, demand)),
                distribution.trips, demand, spec.transit,
                params=ElasticParams(
                    algorithm=rules.algorithm, relative_gap=max(rules.relative_gap, _LOOSE),
                    demand_residual=max(rules.demand_residual, _LOOSE),
                    max_iterations=rules.max_iterations,
                ),
                transit_gap=max(rules.transit_gap, _LOOSE), max_rounds=rules.max_rounds,
                park_ride=park_ride_of(spec, self.changed),
                destinations=destination_rule(self.zones, demand, self.factors),
                destination_residual=max(rules.destination_residual, _LOOSE),
            )  # fmt: skip
            if equilibrium.asked is not None:
                distribution = replace(distribution, trips=equilibrium.asked)
        return _Trial(spec, distribution, decay, found_bands, equilibrium)

    def got(self, goal: Goal, trial: _Trial) -> float:
        """Return the figure of a goal, for zones inside the cordon and whole days."""
        assert trial.equilibrium is not None
        what, _, name = goal.name.partition(" ")
        if what == "share":
            inside = self.zones.inside
            of = {m: float(t[inside].sum()) for m, t in trial.equilibrium.trips.items()}
            return of[name] / max(sum(of.values()), 1e-300)
        if what == "speed":
            figures = road_indicators(self.changed, trial.equilibrium.road)
            by = {"area": "all"} if name == "all" else {"tier": name}
            return next(f.value for f in figures if f.key == "street_speed" and f.by == by)
        transit, carried = self.changed.transit, trial.equilibrium.transit
        assert transit is not None
        assert carried is not None
        mode = np.repeat(transit.mode, np.diff(transit.line_first))
        hour = float(carried.boardings[mode == LINE_MODES.index(name)].sum())
        return hour / trial.spec.demand.params.peak_share


def _seek(
    model: _Model, goals: Sequence[Goal], tolerated: float, max_rounds: int, progress: Progress
) -> tuple[_Trial, list[dict[str, float]]]:
    """Move the constants until their figures are met, by Broyden's (1965) secants of logarithms."""
    spec, target = model.spec, np.log([goal.target for goal in goals])
    slope = -np.eye(len(goals))
    history: list[dict[str, float]] = []
    best: tuple[float, _Trial] | None = None
    last: tuple[Array, Array] | None = None
    with progress.step("calibrate"):
        for number in range(1, max_rounds + 1):
            trial = model.ask(spec, bool(goals))
            spec = trial.spec
            got = np.array([model.got(goal, trial) for goal in goals])
            constants = np.array([goal.value(spec) for goal in goals])
            decay = spec.demand.params.distance_decay
            history.append(
                {g.key: float(x * g.step(spec)) for g, x in zip(goals, constants, strict=True)}
                | {goal.name: float(x) for goal, x in zip(goals, got, strict=True)}
                | ({"demand.distance_decay": decay} if trial.decay is not None else {})
            )
            miss = np.log(np.maximum(got, 1e-300)) - target
            worst = float(np.abs(np.expm1(miss)).max(initial=0.0))
            if best is None or worst < best[0]:
                best = worst, trial
            progress.update(number / max_rounds, f"round {number}, {worst:.2%} off")
            if worst <= 0.5 * tolerated:
                break
            if last is not None:
                moved = constants - last[0]
                unexplained = miss - last[1] - slope @ moved
                slope += np.outer(unexplained, moved) / max(float(moved @ moved), 1e-12)
            if abs(np.linalg.det(slope)) < 1e-3:
                slope = -np.eye(len(goals))
            last = constants, miss
            step = -np.linalg.solve(slope, miss)
            step *= min(1.0, _LONGEST_STEP / max(float(np.abs(step).max()), 1e-12))
            for goal, value in zip(goals, constants + step, strict=True):
                spec = goal.moved(spec, float(value))
    assert best is not None
    return best[1], history


def _asked(
    spec: ScenarioSpec, mean: str | None, lengths: Path | None, share: Sequence[str],
    boardings: Sequence[str], speed: Sequence[str], tolerance: str,
) -> tuple[list[Goal], float | None, float]:  # fmt: skip
    """Read the options.

    Raises
    ------
    InputError
        With every fault.
    """
    faults = FaultCollector(InputError)
    apart = spec.demand.params.transit_choice != "together"
    goals: list[Goal] = []
    wanted: float | None = None
    tolerated = 0.01
    try:
        tolerated = parse(tolerance, "share", "--tolerance")
        if mean is not None:
            wanted = parse(mean, "length", "--mean-length")
    except CczsimError as error:
        faults.extend(error.faults)
    if wanted is not None and not wanted > 0.0:
        faults.add("--mean-length", repr(mean), 'a length above 0, such as "6 km"')
    if mean is not None and lengths is not None:
        faults.add("--mean-length, --lengths", "both", "one: shares by length give a mean too")
    keys = {
        "share": {"car": "demand.car_constant", "transit": "demand.transit_constant"},
        "boardings": {
            "metro": "demand.rail_constant" if apart else "demand.transit_constant",
            "bus": "demand.bus_constant" if apart else "transit.bus_weight",
        },
        "speed": dict.fromkeys(("all", *TIERS[:-1]), "assignment.street_delay"),
    }  # fmt: skip
    dimension = {"share": "share", "boardings": "count", "speed": "speed"}
    for option, texts in (("share", share), ("boardings", boardings), ("speed", speed)):
        for text in texts:
            name, _, figure = text.partition("=")
            if name not in keys[option]:
                known = " or ".join(f"{k}=…" for k in keys[option])
                faults.add(f"--{option}", repr(text), known)
                continue
            try:
                value = parse(_plain(figure), dimension[option], f"--{option} {name}")
            except CczsimError as error:
                faults.extend(error.faults)
                continue
            if not value > 0.0 or (option == "share" and not value < 1.0):
                faults.add(f"--{option} {name}", repr(figure), "more than 0, and below 100 %"
                           if option == "share" else "more than 0")  # fmt: skip
            value *= 3.6 if option == "speed" else 1.0
            goals.append(Goal(f"{option} {name}", keys[option][name], value))
    names = [goal.key for goal in goals]
    together = {"demand.transit_constant", "demand.rail_constant", "demand.bus_constant"}
    if len(set(names)) < len(names) or together <= set(names):
        faults.add("--share, --boardings", "more figures than constants", "one for each constant")
    if not goals and mean is None and lengths is None:
        faults.add("demand calibrate", "nothing to meet", "--mean-length, --lengths, --share, "
                   "--boardings or --speed")  # fmt: skip
    faults.raise_if_any()
    return goals, wanted, tolerated


def _plain(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def _refuse_lines_that_are_not_there(network: Network, goals: Sequence[Goal]) -> None:
    faults = FaultCollector(InputError)
    for goal in goals:
        what, _, name = goal.name.partition(" ")
        lines = network.transit
        there = lines is not None and (
            what != "boardings" or bool((lines.mode == LINE_MODES.index(name)).any())
        )
        if not there and (what == "boardings" or name == "transit"):
            faults.add(f"--{what} {name}", "no such lines", "lines in the network")
    faults.raise_if_any()


def _report(model: _Model, trial: _Trial, goals: Sequence[Goal]) -> dict[str, Any]:
    rows: list[dict[str, Any]] = []

    def row(figure: str, unit: str, wanted: float, got: float) -> None:
        rows.append({
            "figure": figure, "unit": unit, "wanted": wanted, "got": got,
            "residual": got / wanted - 1.0,
        })  # fmt: skip

    trips = trial.distribution.trips
    if model.mean is not None:
        row("mean trip length", "km", model.mean / 1e3, mean_length(trips, model.length) / 1e3)
    for goal in goals:
        unit = {"share": "", "boardings": "1/day", "speed": "km/h"}[goal.name.partition(" ")[0]]
        row(goal.name, unit, goal.target, model.got(goal, trial))
    report: dict[str, Any] = {
        "figures": rows,
        "parameters": {g.key: g.value(trial.spec) * g.step(trial.spec) for g in goals},
        "mean_length_km": mean_length(trips, model.length) / 1e3,
        "balance_residual": trial.distribution.residual,
        "trips": float(trips.sum()),
    }
    if trial.decay is not None:
        report["parameters"]["demand.distance_decay"] = trial.decay.decay
        report["decay_trials"] = len(trial.decay.trials)
    if trial.bands is not None:
        report["bands"] = {
            "iterations": trial.bands.iterations, "residual": trial.bands.residual,
            "converged": trial.bands.converged,
        }  # fmt: skip
    return report


def _toml(
    spec: ScenarioSpec, scenario: Path, out: Path, model: _Model, trial: _Trial,
    goals: Sequence[Goal], report: dict[str, Any], beside: Path,
) -> str:  # fmt: skip
    """Return the scenario that extends the one given with what was found."""
    from os.path import relpath

    base = Path(relpath(scenario.resolve(), out.resolve().parent)).as_posix()
    lines = [
        f"# Made by cczsim demand calibrate from {scenario.name}. What was asked for and found:",
    ]
    lines += [
        f"# {row['figure']}: wanted {row['wanted']:.6g}{' ' + row['unit'] if row['unit'] else ''}, "
        f"found {row['got']:.6g} ({row['residual']:+.2%})"
        for row in report["figures"]
    ]
    lines += [
        "cczsim = 1",
        f"title = {json.dumps(spec.title + ' (calibrated)', ensure_ascii=False)}",
        f"extends = {json.dumps(base, ensure_ascii=False)}",
        f"year = {spec.year}",
    ]
    tables: dict[str, list[str]] = {"demand": [], "transit": [], "assignment": []}
    if trial.decay is not None:
        tables["demand"].append(f'distance_decay = "{trial.decay.decay:.2f} s"')
    if model.bands is not None:
        name = json.dumps(beside.name, ensure_ascii=False)
        tables["demand"].append(f"length_factors = {name}")
    for goal in goals:
        section, _, name = goal.key.partition(".")
        tables[section].append(f"{name} = {goal.written(trial.spec)}")
    for section, keys in tables.items():
        lines += ["", f"[{section}]", *keys] if keys else []
    return "\n".join(lines) + "\n"
