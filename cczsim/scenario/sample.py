"""Run an option with drawn values: what is the same in every sample is prepared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from cczsim.assignment.bush_solution import BushStart
from cczsim.columns import Array
from cczsim.demand.growth import grow
from cczsim.indicators.all import StreetFigures, street_figures
from cczsim.indicators.conventions import CONVENTIONS
from cczsim.indicators.indicator import Indicator
from cczsim.network.network import Network
from cczsim.scenario.changes import apply_changes
from cczsim.scenario.compare import noise
from cczsim.scenario.result import AppliedChange
from cczsim.scenario.run import prepare, run_scenario
from cczsim.scenario.spec import ScenarioSpec
from cczsim.scenario.street_delay import with_street_delay
from cczsim.scenario.uncertainty import Uncertain, affected_rows, set_columns, set_keys


@dataclass(frozen=True)
class Option:
    """A scenario made ready to be run again and again.

    Parameters
    ----------
    spec : ScenarioSpec
        Without targets: they are no part of a sample.
    network : int
        Place of the network that it starts from among those of the study.
    changed : Network
        With all changes applied; the people are those before the scenario's growth.
    changes : tuple of AppliedChange
    before, after : dict of str to array
        Links or lines that each range moves, in the network before and after the changes.
    streets : StreetFigures
        Of the changed network: no range moves a street.
    """

    spec: ScenarioSpec
    network: int
    changed: Network
    changes: tuple[AppliedChange, ...]
    before: dict[str, Array]
    after: dict[str, Array]
    streets: StreetFigures


@dataclass(frozen=True)
class Study:
    """Options with the networks that they start from and what is not known."""

    options: tuple[Option, ...]
    networks: tuple[Network, ...]
    ranges: dict[str, Uncertain]


@dataclass(frozen=True)
class SampleFigures:
    """What one option gave in one sample.

    Parameters
    ----------
    noise : float
        Share by which the gaps of the run may move its figures.
    converged : bool
    iterations : int
        Of the roads.
    """

    indicators: tuple[Indicator, ...]
    noise: float
    converged: bool
    iterations: int


def make_option(
    spec: ScenarioSpec, network: Network, number: int, ranges: Mapping[str, Uncertain]
) -> Option:
    """Apply the changes of a scenario, and find what the ranges move.

    Raises
    ------
    ScenarioError
        With every fault of the changes and of the growth.
    """
    prepare(replace(spec, changes=()), network)
    changed, applied = apply_changes(network, spec.changes, spec.origins)
    changed = with_street_delay(changed, spec.assignment.street_delay)
    plain = replace(spec, targets={}, not_modelled={}, periods={})
    return Option(
        plain, number, changed, applied, affected_rows(network, ranges),
        affected_rows(changed, ranges),
        street_figures(changed, CONVENTIONS[spec.density.convention]),
    )  # fmt: skip


def run_sample(
    study: Study, option: Option, values: Mapping[str, float], *, near: BushStart | None = None,
    keep_bushes: bool = False,
) -> tuple[SampleFigures, BushStart | None]:  # fmt: skip
    """Run an option with drawn values.

    Parameters
    ----------
    values : mapping of str to float
        By name of the range, as :func:`~cczsim.scenario.sampling.draw` gives them; those that are
        not drawn are as the scenario says.
    near : BushStart, optional
        Bushes of a run like this one, to start from.
    keep_bushes : bool
        Whether to return the bushes of this one; None where the algorithm has none.

    Raises
    ------
    CczsimError
        Values that no run can be made with.
    """
    spec = set_keys(option.spec, study.ranges, values)
    start = set_columns(study.networks[option.network], study.ranges, option.before, values)
    changed = set_columns(option.changed, study.ranges, option.after, values)
    if option.changed.transit is study.networks[option.network].transit:
        # What rides cost is then found once.
        changed = changed.replace(transit=start.transit)
    assert changed.zones is not None
    zones = grow(changed.zones, spec.demand.population_growth or {}, spec.demand.jobs_growth or {})
    ready = changed.replace(zones=zones)
    result = run_scenario(
        spec, start, prepared=(ready, option.changes), near=near, keep_bushes=keep_bushes,
        streets=option.streets,
    )  # fmt: skip
    road = result.equilibrium.road
    figures = SampleFigures(
        (*result.indicators, *building_cost(option)), noise(result), road.converged,
        road.iterations,
    )  # fmt: skip
    return figures, None if road.bushes is None else road.bushes.start()


def building_cost(option: Option) -> tuple[Indicator, ...]:
    """Return what an option costs to build, where each of its changes states that."""
    cost = float(np.sum([change.cost for change in option.changes]))
    return (Indicator("building_cost", cost, "CNY", {"area": "all"}),) if cost == cost else ()
