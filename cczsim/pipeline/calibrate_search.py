"""The search for parameters that give wanted figures, over trips and equilibria of a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from cczsim.assignment.elastic import ElasticParams
from cczsim.assignment.equilibrium import mode_equilibrium
from cczsim.assignment.mode_costs import street_distance
from cczsim.assignment.result import ModeEquilibrium
from cczsim.columns import Array
from cczsim.demand.calibration import (
    BandFit,
    DecayFit,
    LengthBands,
    fit_bands,
    fit_decay,
)
from cczsim.demand.distribution import Distribution
from cczsim.demand.generation import generate
from cczsim.indicators.flows import road_indicators
from cczsim.network.network import Network
from cczsim.network.transit import MODES as LINE_MODES
from cczsim.pipeline.calibrate_goals import Goal
from cczsim.pipeline.progress import Progress
from cczsim.scenario.park_ride import park_ride_of
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

_LOOSE: Final = 1e-3
"""Gaps of the equilibria that constants are sought with."""
_LONGEST_STEP: Final = 1.5
"""Of a constant in one round, in scales of the choice; of a weight or delay in ones."""


@dataclass(frozen=True)
class Trial:
    """Trips and equilibrium of one set of parameters."""

    spec: ScenarioSpec
    distribution: Distribution
    decay: DecayFit | None
    bands: BandFit | None
    equilibrium: ModeEquilibrium | None


class Model:
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

    def ask(self, spec: ScenarioSpec, modes: bool) -> Trial:
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
        return Trial(spec, distribution, decay, found_bands, equilibrium)

    def got(self, goal: Goal, trial: Trial) -> float:
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


def seek(
    model: Model, goals: Sequence[Goal], tolerated: float, max_rounds: int, progress: Progress
) -> tuple[Trial, list[dict[str, float]]]:
    """Move the constants until their figures are met, by Broyden's (1965) secants of logarithms."""
    spec, target = model.spec, np.log([goal.target for goal in goals])
    slope = -np.eye(len(goals))
    history: list[dict[str, float]] = []
    best: tuple[float, Trial] | None = None
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
