"""How much each assumption weighs: what a tenth more of it alone would move.

The measure is the share of all trips of the modelled hour that would be made by another mode, to
another place, or more or less often. It is a first answer, not a second run: times of links and
loads of lines stay those of the equilibrium while people choose their mode anew or, for what tells
how many trips are made and to where, their destination. Solved anew on the base of
``networks/czt``, 21 assumptions moved 1.0 to 2.0 times as many trips as here (most where costs of
driving change, since destinations answer too), in nearly the same order: Spearman's rank
correlation is 0.98.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import isnan
from typing import Final

import numpy as np

from cczsim.assignment.cost import LinkCost
from cczsim.assignment.mode_costs import (
    distance_factor,
    inside_share,
    other_costs,
    street_distance,
    toll_factor,
)
from cczsim.assignment.rail_or_bus import skim_buses
from cczsim.assignment.result import TransitSkims
from cczsim.assignment.shortest import zone_costs
from cczsim.assignment.transit import skim_transit
from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.demand.growth import growth_factor
from cczsim.demand.mode_choice import PARK_RIDE, car_fixed, choose, intrazonal
from cczsim.demand.params import DemandParams
from cczsim.errors import DemandError
from cczsim.network.network import Network
from cczsim.network.provenance import GUESSED
from cczsim.network.road import ATTRIBUTES
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import ZoneSystem
from cczsim.scenario.result import Assumption, RunResult, Weight
from cczsim.scenario.spec import ScenarioSpec
from cczsim.scenario.street_delay import with_street_delay
from cczsim.scenario.trips import costs_now, length_factors, make_trips, pull_costs

STEP: Final = 0.1
_OF_ZERO: Final = 60.0
"""Seconds that a constant of 0 is moved by, since a tenth of it is nothing."""
_BALANCED: Final = 1e-7
_TRIPS: Final = ("trip_rate", "peak_share")
_PLACES: Final = ("job_pull", "distance_decay", "decay_power")
_GROWTH: Final = ("population_growth", "jobs_growth")
_FULL: Final = ("standing_penalty", "crowding_penalty", "full_power", "give_up_after")
_BUSES: Final = ("bus_delay", "bus_pce")
_ON_LINES: Final = ("metro_fare", "rail_fare", "bus_weight")
_SHARES: Final = ("job_pull", "transit_nest", "active_nest")
_LINK_TIMES: Final = ("speed", "lanes", "capacity")


def weigh(spec: ScenarioSpec, result: RunResult, before: Network) -> tuple[Assumption, ...]:
    """Return the assumptions of a run with what each weighs, the heaviest first.

    What cannot be put in a number comes last, in the order it had.

    Parameters
    ----------
    spec : ScenarioSpec
    result : RunResult
        Of that scenario.
    before : Network
        Before the changes: what destinations were chosen on.
    """
    answers = _Answers(spec, result, before)
    driven = _driven(result)
    rows = []
    for row in result.assumptions:
        # Of observed trips it is not told what parameters made them.
        weight = answers.weight(row.key) if spec.demand.observed is None else None
        touched = driven.get(row.key, float("nan"))
        if weight is not None or not isnan(touched):
            row = replace(row, weight=replace(weight or Weight(), driven=touched))
        rows.append(row)
    return tuple(sorted(rows, key=_place))


def _place(row: Assumption) -> tuple[bool, float]:
    moved = float("nan") if row.weight is None else row.weight.moved
    return (True, 0.0) if isnan(moved) else (False, -moved)


def _driven(result: RunResult) -> dict[str, float]:
    """Return the share of vehicle-kilometres on links whose attribute was guessed, by its key."""
    road = result.network.road
    metres = np.where(road.is_street, result.equilibrium.road.link_flow * road.length, 0.0)
    total = float(metres.sum())
    if not total > 0.0:
        return {}
    return {
        f"network.{name}": float(metres[np.isin(getattr(road, f"{name}_source"), GUESSED)].sum())
        / total
        for name in ("class", *ATTRIBUTES)
    }


@dataclass(frozen=True)
class _Chosen:
    """Trips, ``[zone, zone], trips/h``, and by mode the share of them."""

    trips: Array
    shares: Mapping[str, Array]

    def of(self, mode: str) -> Array:
        return np.asarray(self.trips * self.shares[mode])

    def total(self, mode: str) -> float:
        return float(self.of(mode).sum())


Skims = tuple[TransitSkims | None, TransitSkims | None]
"""Of strategies over all lines, and over buses alone where these are told apart."""


class _Answers:
    """What people would choose at the costs of a finished run, were one thing otherwise."""

    def __init__(self, spec: ScenarioSpec, result: RunResult, before: Network) -> None:
        self.result, self.before = result, before
        self.demand, self.transit = spec.demand.params, spec.transit
        self.street_delay = spec.assignment.street_delay
        self.growth = {name: getattr(spec.demand, name) or {} for name in _GROWTH}
        assert result.network.zones is not None
        self.zones = result.network.zones
        self.distance = street_distance(result.network.road, self.zones)
        self.drive = self._drive(self.demand, result.equilibrium.road.link_time)
        found, lines = result.equilibrium.transit, result.network.transit
        self.factors = length_factors(spec, before)
        self.skims: Skims = (None, None)
        if found is not None and lines is not None:
            self.skims = (found.skims, skim_buses(lines, self.zones, self.transit, self.demand))
        self.now = self._choose()

    def weight(self, key: str) -> Weight | None:
        """Return what an assumption weighs; None where that is no number."""
        section, _, name = key.partition(".")
        of_section: dict[str, Callable[[str], _Chosen | None]] = {
            "demand": self._of_demand, "transit": self._of_transit, "network": self._of_network,
            "assignment": self._of_streets,
        }  # fmt: skip
        found = of_section[section](name) if section in of_section else None
        if found is None:
            return None
        changes = [found.of(mode) - self.now.of(mode) for mode in self.now.shares]
        more = sum(float(np.maximum(change, 0.0).sum()) for change in changes)
        less = sum(float(np.maximum(-change, 0.0).sum()) for change in changes)
        total = float(self.now.trips.sum())
        return Weight(
            moved=max(more, less) / total if total > 0.0 else 0.0,
            car=_change(self.now.total("car"), found.total("car")),
            transit=_change(self.now.total("transit"), found.total("transit")),
        )

    def _choose(
        self, demand: DemandParams | None = None, drive: Array | None = None,
        skims: Skims | None = None,
    ) -> _Chosen:  # fmt: skip
        """Return the choice of mode, at present costs but for what is said."""
        demand = demand or self.demand
        all_lines, buses = skims or self.skims
        drive = intrazonal(self.drive if drive is None else drive, inside_share(self.distance))
        costs = {
            "car": drive + car_fixed(demand),
            **other_costs(self.zones, self.distance, all_lines, demand, buses),
        }
        lots = self.result.equilibrium.lots
        if lots is not None:
            # Its legs are held, but for what keeps people from the car.
            costs[PARK_RIDE] = lots.cost + (demand.car_constant - self.demand.car_constant)
        return _Chosen(self.result.trips, choose(costs, demand.choice_scale))

    def _drive(self, demand: DemandParams, link_time: Array) -> Array:
        network = self.result.network
        model = LinkCost(network.road, toll_factor(demand), distance_factor(demand))
        cost = link_time + model.fixed
        return zone_costs(network.road, cost, self.zones.centroid, network.turns)

    def _of_demand(self, name: str) -> _Chosen | None:
        if name in _GROWTH:
            return self._grown(name)
        value = getattr(self.demand, name, None)
        # Trucks delay cars, and times on roads are held.
        if not isinstance(value, float) or name.startswith("truck_"):
            return None
        more = (1.0 + STEP) * value
        if not value and name.endswith("constant"):
            more = _OF_ZERO
        if name in _SHARES:
            more = min(more, 1.0)
        demand = replace(self.demand, **{name: more})  # type: ignore[arg-type]
        if name in _TRIPS:
            return _Chosen(self.result.trips * (more / value), self.now.shares)
        if name in _PLACES:
            return self._elsewhere(self.zones, demand)
        drive, skims = None, None
        if name in ("value_of_time", "car_cost", "car_occupancy"):
            drive = self._drive(demand, self.result.equilibrium.road.link_time)
        if name == "value_of_time" and self.transit.bus_weight != 1.0:
            return None  # what fares weigh is then not told from what buses do
        if name == "value_of_time":
            skims = self._skims(lambda s: (self.demand.value_of_time / more - 1.0) * self._fares(s))
        return self._choose(demand, drive, skims)

    def _fares(self, skims: TransitSkims) -> Array:
        """Return what fares by distance (and crowding) weigh: the rest of the weighted time."""
        rules = self.transit
        return np.asarray(
            skims.weighted - skims.in_vehicle - rules.walk_weight * skims.walk
            - rules.wait_weight * skims.wait - rules.boarding_penalty * skims.boardings
        )  # fmt: skip

    def _grown(self, name: str) -> _Chosen | None:
        rates = self.growth[name]
        more = {area: (1.0 + STEP) * rate for area, rate in rates.items()}
        column = name.removesuffix("_growth")
        factor = growth_factor(self.zones, more) / growth_factor(self.zones, rates)
        zones = self.zones.replace(**{column: getattr(self.zones, column) * factor})
        return self._elsewhere(zones, self.demand)

    @cached_property
    def _pull(self) -> Array:
        if self.demand.destination_choice == "equilibrium":
            return costs_now(self.result.network, self.result.equilibrium, self.demand)
        return pull_costs(self.before, self.demand, self.transit)

    def _elsewhere(self, zones: ZoneSystem, demand: DemandParams) -> _Chosen | None:
        """Return other trips by the shares of modes that each pair of zones has.

        None where they cannot be found: a run that is solved does not fail for that.
        """
        try:
            found = make_trips(zones, self._pull, demand, _BALANCED, self.factors)
        except DemandError:
            return None
        return _Chosen(found.trips, self.now.shares)

    def _of_transit(self, name: str) -> _Chosen | None:
        value, lines = getattr(self.transit, name, None), self.result.network.transit
        if not isinstance(value, float) or lines is None or self.skims[0] is None:
            return None
        if name in _FULL:
            return self.now if self.transit.crowding == "off" else None
        if name in _BUSES:
            return self.now if self.transit.bus_times == "timetable" else None
        if name in _ON_LINES:
            rules = replace(self.transit, **{name: (1.0 + STEP) * value})  # type: ignore[arg-type]
            return self._on_lines(lines, rules)
        # A strategy that is best stays best for a small change, so that its parts tell what
        # weighing them otherwise costs.
        wait_weight = self.transit.wait_weight
        part: dict[str, Callable[[TransitSkims], Array]] = {
            "walk_weight": lambda s: value * s.walk,
            "wait_weight": lambda s: value * s.wait,
            "wait_factor": lambda s: wait_weight * s.wait,
            "boarding_penalty": lambda s: value * s.boardings,
        }
        if name not in part:
            return None
        return self._choose(skims=self._skims(lambda s: STEP * part[name](s)))

    def _skims(self, more: Callable[[TransitSkims], Array]) -> Skims:
        """Return the skims with so much more weighted time."""
        changed = []
        for skims in self.skims:
            if skims is not None:
                known = np.isfinite(skims.weighted)
                with np.errstate(invalid="ignore"):
                    extra = np.where(known, more(skims), 0.0)
                skims = replace(skims, weighted=skims.weighted + extra)
            changed.append(skims)
        return changed[0], changed[1]

    def _on_lines(self, lines: TransitNetwork, rules: TransitParams) -> _Chosen:
        """Return the choice with other lines or fares, loads as they are."""
        present = self.result.network.transit
        assert present is not None
        found = self._skim(lines, rules)
        if self.transit.crowding == "off":
            return self._choose(skims=found)
        changed = []
        for skims, new, old in zip(
            self.skims, found, self._skim(present, self.transit), strict=True
        ):
            if skims is not None and new is not None and old is not None:
                both = np.isfinite(new.weighted) & np.isfinite(old.weighted)
                extra = np.zeros_like(skims.weighted)
                extra[both] = new.weighted[both] - old.weighted[both]
                skims = replace(skims, weighted=skims.weighted + extra)
            changed.append(skims)
        return self._choose(skims=(changed[0], changed[1]))

    def _skim(self, lines: TransitNetwork, rules: TransitParams) -> Skims:
        rate = self.demand.seconds_per_cny
        found = skim_transit(lines, self.zones, rules, seconds_per_cny=rate)
        return found, skim_buses(lines, self.zones, rules, self.demand)

    def _of_streets(self, _name: str) -> _Chosen | None:
        network = with_street_delay(self.result.network, (1.0 + STEP) * (self.street_delay or 0.0))
        time = LinkCost(network.road).time(self.result.equilibrium.road.link_flow)
        return self._choose(drive=self._drive(self.demand, time))

    def _of_network(self, name: str) -> _Chosen | None:
        road, lines = self.result.network.road, self.result.network.transit
        if name == "headway" and lines is not None and self.skims[0] is not None:
            guessed = np.isin(lines.headway_source, GUESSED)
            headway = np.where(guessed, 1.0 + STEP, 1.0) * lines.headway
            return self._on_lines(lines.replace(headway=headway), self.transit)
        if name not in _LINK_TIMES:
            return None
        guessed = road.is_street & np.isin(getattr(road, f"{name}_source"), GUESSED)
        factor = np.where(guessed, 1.0 + STEP, 1.0)
        if name == "speed":
            road = road.replace(free_flow_time=road.free_flow_time / factor)
        else:
            road = road.replace(capacity=road.capacity * factor)
        time = LinkCost(road).time(self.result.equilibrium.road.link_flow)
        return self._choose(drive=self._drive(self.demand, time))


def _change(before: float, after: float) -> float:
    return (after - before) / before if before > 0.0 else 0.0
