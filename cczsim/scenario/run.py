"""Run one scenario: changes, demand, equilibrium of modes and roads, figures, targets, ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cczsim.assignment.bush_solution import BushStart
from cczsim.assignment.elastic import ElasticParams
from cczsim.assignment.equilibrium import Destinations, ModeState, mode_equilibrium
from cczsim.assignment.result import IterationRecord, ModeEquilibrium, TransitSkims
from cczsim.columns import Array
from cczsim.demand.growth import grow
from cczsim.demand.park_ride import ParkRideParams
from cczsim.errors import FaultCollector, ScenarioError
from cczsim.indicators.all import StreetFigures
from cczsim.indicators.trucks import truck_indicators
from cczsim.network.network import Network
from cczsim.scenario.changes import apply_changes
from cczsim.scenario.figures import measure
from cczsim.scenario.keys import KeySpec, keys_of
from cczsim.scenario.ledger import make_ledger
from cczsim.scenario.observed import observed_trips
from cczsim.scenario.park_ride import lot_assumptions, park_ride_of
from cczsim.scenario.periods import period_assumptions, run_periods
from cczsim.scenario.provenance import key_assumptions, network_assumptions
from cczsim.scenario.result import AppliedChange, Assumption, PeriodRun, RunResult
from cczsim.scenario.select import area_zones
from cczsim.scenario.spec import AssignmentKeys, ScenarioSpec
from cczsim.scenario.street_delay import with_street_delay
from cczsim.scenario.trips import destination_rule, empty_roads, length_factors, make_trips
from cczsim.scenario.trucks import truck_ledger, truck_traffic, with_trucks

_ASSUMED: Final = ("demand", "transit", "density")
_OBSERVED: Final = Assumption(
    "demand.destinations",
    "observed trips, grown with their zones",
    "method",
    "a change moves mode, route and time by changes of cost; cells of 0 stay 0",
)
_CHOSEN: Final = Assumption(
    "demand.destinations",
    "costs that all trips cause",
    "method",
    "destinations, modes and routes are chosen in one equilibrium; a change moves all three",
)
_PATTERN: Final = Assumption(
    "demand.destinations",
    "free-flow costs of the network before the changes",
    "method",
    "scenarios on one network share their pattern of destinations; a change moves mode, route "
    "and time, and growth moves totals",
)


def prepare(spec: ScenarioSpec, network: Network) -> tuple[Network, tuple[AppliedChange, ...]]:
    """Return the network of the scenario's year with all changes applied.

    Raises
    ------
    ScenarioError
        With every fault: changes that cannot be applied, growth of areas that are not there.
    """
    faults = FaultCollector(ScenarioError)
    applied: tuple[AppliedChange, ...] = ()
    changed = network
    try:
        changed, applied = apply_changes(network, spec.changes, spec.origins)
    except ScenarioError as error:
        faults.extend(error.faults)
    population = spec.demand.population_growth or {}
    jobs = spec.demand.jobs_growth or {}
    for name, rates in (("population_growth", population), ("jobs_growth", jobs)):
        for area in rates:
            path = f"demand.{name}.{area}" if area != "all" else f"demand.{name}"
            origin = spec.origins.get(f"demand.{name}", "")
            try:
                area_zones(network.zones, area, f"{origin}: {path}")
            except ScenarioError as error:
                faults.extend(error.faults)
    if network.zones is None:
        faults.add(network.info.name, "a network without zones", "zones with residents and jobs")
    faults.raise_if_any()
    assert changed.zones is not None
    park_ride_of(spec, changed)
    grown = changed.replace(zones=grow(changed.zones, population, jobs))
    return with_street_delay(grown, spec.assignment.street_delay), applied


def run_scenario(
    spec: ScenarioSpec,
    network: Network,
    *,
    base: RunResult | None = None,
    prepared: tuple[Network, tuple[AppliedChange, ...]] | None = None,
    start: ModeState | None = None,
    solved: ModeEquilibrium | None = None,
    near: BushStart | None = None,
    keep_bushes: bool = False,
    streets: StreetFigures | None = None,
    lot_room: Array | None = None,
    on_step: Callable[[str], None] | None = None,
    on_iteration: Callable[[IterationRecord], None] | None = None,
    on_state: Callable[[Callable[[], ModeState]], None] | None = None,
    on_solved: Callable[[ModeEquilibrium], None] | None = None,
) -> RunResult:
    """Run a scenario on a network.

    Parameters
    ----------
    spec : ScenarioSpec
    network : Network
        Before the changes.
    base : RunResult, optional
        What targets are held against, and gains of those who travel; it moves no other figure.
    prepared : tuple, optional
        From :func:`prepare`, if it is known already.
    start : ModeState, optional
        Where an interrupted run of this scenario was on its way to the equilibrium.
    solved : ModeEquilibrium, optional
        The equilibrium of this scenario, where an interrupted run had found it.
    near, keep_bushes : optional
        As for :func:`~cczsim.assignment.equilibrium.mode_equilibrium`.
    streets : StreetFigures, optional
        From :func:`~cczsim.indicators.all.street_figures`, if they are known already.
    lot_room : array [lot], cars/h, optional
        How many cars may come to car parks, or leave them, in place of what the scenario says.
    on_step : callable, optional
        Is told the name of each step as it begins.
    on_iteration : callable, optional
        Is given each iteration of the equilibrium.
    on_state : callable, optional
        As for :func:`~cczsim.assignment.equilibrium.mode_equilibrium`.
    on_solved : callable, optional
        Is given the equilibrium, before anything is measured on it.

    Returns
    -------
    RunResult
        Not converging is a status of its equilibrium. Its ledger closes.

    Raises
    ------
    CczsimError
        A change that cannot be applied, a demand that cannot be computed.
    """
    step = on_step or (lambda _: None)
    step("apply changes")
    changed, applied = prepared or prepare(spec, network)
    zones = changed.zones
    assert zones is not None
    step("trips")
    demand = spec.demand.params
    destinations: Destinations | None = None
    skims: TransitSkims | None = None
    observed = observed_trips(spec, network, zones)
    if observed is not None:
        distribution = observed.distribution
    else:
        factors = length_factors(spec, network)
        destinations = destination_rule(zones, demand, factors)
        begun = network if destinations is None else changed
        empty = empty_roads(begun, demand, spec.transit)
        distribution = make_trips(zones, empty.cost, demand, factors=factors)
        if begun.transit is changed.transit:
            skims = empty.skims
    park_ride = park_ride_of(spec, changed)
    if park_ride is not None and lot_room is not None:
        park_ride = replace(park_ride, room=lot_room)
    ready = changed

    def hour(
        spec: ScenarioSpec,
        changed: Network,
        base: RunResult | None,
        near: BushStart | None,
        lot_room: Array | None,
    ) -> tuple[RunResult, BushStart | None]:
        found = run_scenario(
            spec, network, base=base, prepared=(changed, ()), near=near, keep_bushes=True,
            streets=streets, lot_room=lot_room, on_iteration=on_iteration,
        )  # fmt: skip
        light = replace(found, equilibrium=_without_bushes(found.equilibrium))
        return light, _bushes_of(found.equilibrium)

    trucks = truck_traffic(changed, zones, demand)
    changed = with_trucks(changed, trucks)
    step("equilibrium")
    equilibrium = solved or mode_equilibrium(
        changed,
        distribution.trips,
        demand,
        spec.transit,
        params=ElasticParams(
            algorithm=spec.assignment.algorithm,
            relative_gap=spec.assignment.relative_gap,
            demand_residual=spec.assignment.demand_residual,
            max_iterations=spec.assignment.max_iterations,
        ),
        transit_gap=spec.assignment.transit_gap,
        max_rounds=spec.assignment.max_rounds,
        skims=skims,
        destinations=destinations,
        destination_residual=spec.assignment.destination_residual,
        park_ride=park_ride,
        pivot=observed.pivot if observed is not None else None,
        start=start,
        near=near,
        keep_bushes=keep_bushes or bool(spec.periods),
        on_iteration=on_iteration,
        on_state=on_state,
    )
    if equilibrium.asked is not None:
        distribution = replace(distribution, trips=equilibrium.asked)
    if solved is None and on_solved is not None:
        on_solved(equilibrium)
    if equilibrium.run_time is not None and changed.transit is not None:
        changed = changed.replace(transit=changed.transit.replace(run_time=equilibrium.run_time))
    step("figures")
    assumed = assumptions(spec, changed)
    if observed is not None:
        assumed += observed.notes()
    periods: tuple[PeriodRun, ...] = ()
    if spec.periods:
        step("periods of the day")
        periods = run_periods(spec, ready, base, _bushes_of(equilibrium), hour)
        if not keep_bushes:
            equilibrium = _without_bushes(equilibrium)
    figures = measure(spec, changed, equilibrium, base, assumed, streets, periods)
    if trucks is not None:
        more = truck_indicators(changed, trucks.link_flow, equilibrium.road.link_time)
        figures = replace(figures, indicators=(*figures.indicators, *more))
    ledger = make_ledger(distribution.trips, equilibrium, distribution.stranded, zones.zone_id)
    return RunResult(
        name=spec.name,
        title=spec.title,
        year=spec.year,
        spec=spec.plain,
        network=changed,
        trips=distribution.trips,
        equilibrium=equilibrium,
        indicators=figures.indicators,
        ledger=(*ledger, *truck_ledger(trucks)),
        changes=applied,
        assumptions=assumed,
        targets=figures.targets,
        zone_access=figures.zone_access,
        observations=figures.observations,
        periods=periods,
    )


def _bushes_of(found: ModeEquilibrium) -> BushStart | None:
    return None if found.road.bushes is None else found.road.bushes.start()


def _without_bushes(found: ModeEquilibrium) -> ModeEquilibrium:
    return replace(found, road=replace(found.road, bushes=None))


def _pattern(spec: ScenarioSpec) -> Assumption:
    if spec.demand.observed is not None:
        return _OBSERVED
    chosen = spec.demand.params.destination_choice == "equilibrium"
    return _CHOSEN if chosen else _PATTERN


def assumptions(spec: ScenarioSpec, network: Network) -> tuple[Assumption, ...]:
    """Return what the result hangs on that was set rather than observed."""
    sections = keys_of(ScenarioSpec)
    keys: dict[str, KeySpec] = {}
    for name in _ASSUMED:
        table = sections[name].table
        assert table is not None
        keys |= {f"{name}.{inner}": key for inner, key in keys_of(table).items()}
    if spec.park_and_ride.lots:
        keys |= {f"park_and_ride.{n}": k for n, k in keys_of(ParkRideParams).items()}
    keys["assignment.street_delay"] = keys_of(AssignmentKeys)["street_delay"]
    return (
        *network_assumptions(network),
        _pattern(spec),
        *key_assumptions(spec.plain, spec.origins, keys),
        *lot_assumptions(spec),
        *period_assumptions(spec),
        *(
            Assumption(f"targets.{key}", item.rule, "not modelled", item.why)
            for key, item in spec.not_modelled.items()
        ),
    )
