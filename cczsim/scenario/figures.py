"""Indicators and scoreboard of a run; and whether targets name figures, before a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cczsim.assignment.result import ModeEquilibrium, RoadAssignment, Status, Unreachable
from cczsim.assignment.transit import assign_transit
from cczsim.columns import Array
from cczsim.errors import FaultCollector, IndicatorError, ScenarioError
from cczsim.indicators.all import StreetFigures, all_indicators, door_to_door
from cczsim.indicators.appraisal import (
    appraisal_indicators,
    revenue_indicators,
    same_zones,
    situation,
    surplus_by_zone,
)
from cczsim.indicators.conventions import CONVENTIONS
from cczsim.indicators.indicator import Indicator
from cczsim.indicators.plan_targets import (
    TargetFinding,
    evaluate,
    find_target,
    named_figure,
)
from cczsim.network.network import Network
from cczsim.scenario.period_keys import DAY
from cczsim.scenario.periods import day_figures
from cczsim.scenario.result import (
    Assumption,
    Evidence,
    ObservationRow,
    PeriodRun,
    RunResult,
    TargetRow,
)
from cczsim.scenario.spec import ScenarioSpec

_MADE_OF: dict[str, tuple[str, ...]] = {
    "road_density": ("network", "network.class"),
    "road_length": ("network", "network.class"),
    "population": ("demand.population_growth",),
}
_TRAVEL = ("demand.trip_rate", "demand.destinations", "demand.car_constant")


@dataclass(frozen=True)
class Figures:
    """What is measured on a run."""

    indicators: tuple[Indicator, ...]
    targets: tuple[TargetRow, ...]
    observations: tuple[ObservationRow, ...]
    zone_access: dict[str, Array]


def measure(
    spec: ScenarioSpec,
    network: Network,
    equilibrium: ModeEquilibrium,
    base: RunResult | None,
    assumptions: Sequence[Assumption],
    streets: StreetFigures | None = None,
    periods: Sequence[PeriodRun] = (),
) -> Figures:
    """Return the figures of a run and what they make of its targets.

    Those of ``periods`` and of the day follow those of the modelled hour.
    ``streets`` are from :func:`~cczsim.indicators.all.street_figures`, if they are known already.

    Raises
    ------
    ScenarioError
        A target names no figure, or its rule cannot be read.
    """
    indicators, by_zone = all_indicators(
        network,
        equilibrium,
        demand=spec.demand.params,
        convention=CONVENTIONS[spec.density.convention],
        streets=streets,
    )
    indicators += tuple(revenue_indicators(network, equilibrium, spec.demand.params, spec.transit))
    if base is not None and same_zones((base.network, network)):
        # Both by the parameters of the scenario: a difference of taste is no gain.
        demand = spec.demand.params
        before_after = [
            situation(net, found, door_to_door(net, found, demand), demand)
            for net, found in ((base.network, base.equilibrium), (network, equilibrium))
        ]
        indicators += tuple(appraisal_indicators(network, before_after[0], before_after[1], demand))
        assert network.zones is not None
        by_zone["surplus_resident"] = surplus_by_zone(
            before_after[0], before_after[1], demand, network.zones.population
        )
    indicators += tuple(day_figures([(p.name, p.hours, p.result.indicators) for p in periods]))
    before = base.indicators if base is not None else None
    return Figures(
        indicators, _targets(spec, indicators, before, assumptions),
        _observations(spec, indicators), by_zone,
    )  # fmt: skip


def _targets(
    spec: ScenarioSpec,
    indicators: tuple[Indicator, ...],
    base: tuple[Indicator, ...] | None,
    assumptions: Sequence[Assumption],
) -> tuple[TargetRow, ...]:
    origins = {key: spec.origins.get(f"targets.{key}", "") for key in spec.targets}
    faults = FaultCollector(ScenarioError)
    found: tuple[TargetFinding, ...] = ()
    try:
        found = evaluate(
            spec.targets, indicators, base, convention=spec.density.convention, origins=origins
        )
    except IndicatorError as error:
        faults.extend(error.faults)
    shown = {}
    for key in spec.not_modelled:
        try:
            shown[key] = _evidence(spec, key, indicators, base)
        except IndicatorError as error:
            faults.extend(error.faults)
    faults.raise_if_any()
    known = {item.key for item in assumptions}
    rows = [
        TargetRow(
            key=item.key,
            label="",
            rule=item.rule,
            unit=item.unit,
            base=item.base,
            value=item.value,
            met=item.met,
            margin=item.margin,
            assumed=tuple(key for key in _hangs_on(item.key) if key in known),
        )
        for item in found
    ]
    nothing = float("nan")
    rows += [
        TargetRow(
            key=key,
            label=item.label or "",
            rule=item.rule,
            unit="",
            base=nothing,
            value=nothing,
            met=None,
            margin=nothing,
            assumed=tuple(
                dict.fromkeys(a for e in shown[key] for a in _hangs_on(e.key) if a in known)
            ),
            label_zh=item.label_zh or "",
            rule_zh=item.rule_zh or "",
            why=item.why,
            why_zh=item.why_zh or "",
            shows=shown[key],
        )
        for key, item in spec.not_modelled.items()
    ]
    return tuple(rows)


def _evidence(
    spec: ScenarioSpec,
    key: str,
    indicators: tuple[Indicator, ...],
    base: tuple[Indicator, ...] | None,
) -> tuple[Evidence, ...]:
    """Return the figures that stand beside a target that cannot be judged."""
    path = f"not_modelled.{key}.shows"
    where = f"{spec.origins.get(path, '')}: {path}".removeprefix(": ")
    convention = spec.density.convention
    out = []
    for name in spec.not_modelled[key].shows:
        item = named_figure(name, indicators, convention, where)
        before = find_target(name, base, convention) if base is not None else None
        old = before.value if before is not None else float("nan")
        out.append(Evidence(name, item.unit, old, item.value))
    return tuple(out)


def _observations(
    spec: ScenarioSpec, indicators: tuple[Indicator, ...]
) -> tuple[ObservationRow, ...]:
    """Return the model's figures beside those that are known of the place.

    Raises
    ------
    ScenarioError
        An observation names no figure.
    """
    faults = FaultCollector(ScenarioError)
    rows = []
    for key, known in spec.observations.items():
        path = f"observations.{key}.figure"
        where = f"{spec.origins.get(path, '')}: {path}".removeprefix(": ")
        try:
            item = named_figure(known.figure, indicators, spec.density.convention, where)
        except IndicatorError as error:
            faults.extend(error.faults)
            continue
        a_day = known.per == "day"
        value = item.value / spec.demand.params.peak_share if a_day else item.value
        path = replace(item, by={**item.by, "period": DAY}).path
        whole = next((i.value for i in indicators if i.path == path), None)
        if a_day and whole is not None:
            value = whole
        unit = item.unit.replace("/h", "/d") if a_day else item.unit
        rows.append(
            ObservationRow(
                key, known.figure, unit, value, known.value, known.source, known.source_zh or "",
                known.label or "", known.label_zh or "",
            )
        )  # fmt: skip
    faults.raise_if_any()
    return tuple(rows)


def _hangs_on(key: str) -> tuple[str, ...]:
    return next((names for start, names in _MADE_OF.items() if key.startswith(start)), _TRAVEL)


def check_targets(spec: ScenarioSpec, network: Network) -> None:
    """Raise if a target or its evidence names no figure of a network on which nobody travels.

    Raises
    ------
    ScenarioError
    """
    if spec.observations or spec.targets or any(i.shows for i in spec.not_modelled.values()):
        indicators, _ = all_indicators(network, _still(network), demand=spec.demand.params)
        indicators += tuple(
            day_figures([(n, p.hours, indicators) for n, p in spec.periods.items()])
        )
        _targets(spec, indicators, None, ())
        _observations(spec, indicators)


def known_figures(
    spec: ScenarioSpec, network: Network, streets: StreetFigures
) -> tuple[Indicator, ...]:
    """Return the figures of a network on which nobody travels: their names are those of a run."""
    still = _still(network)
    return all_indicators(network, still, demand=spec.demand.params, streets=streets)[0]


def _still(network: Network) -> ModeEquilibrium:
    """Return the equilibrium of nobody travelling."""
    road, zones = network.road, network.zones
    assert zones is not None
    nobody = np.zeros((zones.n_zones, zones.n_zones))
    flow = np.zeros(road.n_links)
    none = Unreachable(origin=flow[:0], destination=flow[:0], trips=flow[:0])
    still = RoadAssignment(
        algorithm="", status=Status.CONVERGED, link_flow=flow, link_time=road.free_flow_time,
        link_cost=road.free_flow_time, relative_gap=0.0, average_excess_cost=0.0, tstt=0.0,
        sptt=0.0, objective=0.0, iterations=0, history=(), total_demand=0.0,
        intrazonal_demand=0.0, unreachable_demand=0.0, unreachable=none,
    )  # fmt: skip
    transit = (
        assign_transit(network.transit, zones, nobody) if network.transit is not None else None
    )
    trips = dict.fromkeys(("car", "transit", "active"), nobody)
    return ModeEquilibrium(still, transit, trips, nobody, nobody, 0.0)
