"""Every number that demand hangs on, with its unit, meaning and source."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any, Final

from cczsim.errors import DemandError, FaultCollector

DESTINATION_CHOICE: Final = ("fixed", "equilibrium")
CONSTRAINT: Final = ("both", "origins")
TRANSIT_CHOICE: Final = ("together", "rail or bus")
ACTIVE_CHOICE: Final = ("together", "walk or cycle")


def parameter(
    default: Any, dimension: str, meaning: str, source: str, *, above: float | None = None,
    **more: Any,
) -> Any:  # fmt: skip
    """Declare a parameter, in SI, with what is said of it."""
    metadata = {"dimension": dimension, "meaning": meaning, "source": source, "above": above}
    return field(default=default, metadata=metadata | more)


def check_parameters(params: Any, section: str) -> None:
    """Raise for what parameters may not be: other choices, out of bounds, no numbers.

    Those of whose name ``constant`` is a part may be below 0, and no other.

    Raises
    ------
    DemandError
        With every fault, at ``section.name``.
    """
    faults = FaultCollector(DemandError)
    for item in fields(params):
        value, above = getattr(params, item.name), item.metadata["above"]
        where, choices = f"{section}.{item.name}", item.metadata.get("choices")
        if choices is not None:
            if value not in choices:
                faults.add(where, repr(value), "one of " + ", ".join(choices))
            continue
        high = item.metadata.get("high")
        if high is not None and not value <= high:
            faults.add(where, f"{value}", f"at most {high:g}")
        if above is not None and not value > above:
            faults.add(where, f"{value}", f"more than {above:g}")
        elif item.name in ("job_pull", "peak_share") and not 0.0 <= value <= 1.0:
            faults.add(where, f"{value}", "0 to 1")
        elif "constant" in item.name and not isfinite(value):
            faults.add(where, f"{value}", "a finite number")
        elif "constant" not in item.name and not value >= 0.0:
            faults.add(where, f"{value}", "at least 0")
    faults.raise_if_any()


_param = parameter


@dataclass(frozen=True)
class DemandParams:
    """Parameters of generation, distribution and mode choice, in SI (money in CNY).

    Each field carries its dimension (:data:`cczsim.units.UNITS`), meaning and source in its
    metadata; lists of assumptions and key explanations are made from them.

    Raises
    ------
    DemandError
        A value out of range.
    """

    trip_rate: float = _param(
        2.33, "count", "trips a resident makes on a weekday, on foot and by vehicle",
        "Changsha household survey 2008; old, no later one was found", above=0.0,
    )  # fmt: skip
    peak_share: float = _param(
        0.11, "share", "share of a weekday's trips that begin in the modelled hour",
        "assumed; morning peaks of large Chinese cities lie near 10 to 14 %", above=0.0,
    )  # fmt: skip
    job_pull: float = _param(
        0.7, "share", "share of destinations drawn by jobs, the rest by residents",
        "assumed for a morning peak",
    )  # fmt: skip
    return_share: float = _param(
        0.0, "share", "share of the trips of the modelled hour that go back, from what draws "
        "people to where they live", "assumed: a morning peak; evenings have most of it",
        high=1.0,
    )  # fmt: skip
    distance_decay: float = _param(
        700.0, "time", "generalised time over which trips fall to 1/e",
        "assumed; a car trip between zones of the centre is then 11 to 12 km long", above=0.0,
    )  # fmt: skip
    decay_power: float = _param(
        0.5, "count", "power of generalised time by which trips fall besides", "assumed"
    )
    destination_choice: str = _param(
        "fixed", "", "what destinations are chosen by: fixed, the costs of empty roads before the "
        "changes, so that scenarios share their pattern; or equilibrium, the costs that all trips "
        "cause, so that people go where a change leads", "a choice of method",
        choices=DESTINATION_CHOICE,
    )  # fmt: skip
    constraint: str = _param(
        "both", "", "what trips are held to: both, as many begin and end in a zone as it makes and "
        "draws (work, school); origins, as many begin, and places compete for them (shopping)",
        "Wilson (1967) on doubly and production-constrained models", choices=CONSTRAINT,
    )  # fmt: skip
    car_occupancy: float = _param(
        1.3, "count", "persons in a car", "assumed; Chinese surveys give 1.2 to 1.5", above=0.0
    )
    value_of_time: float = _param(
        25.0, "value_of_time", "what an hour is worth to a traveller",
        "assumed: about half the mean hourly wage of the region", above=0.0,
    )  # fmt: skip
    car_cost: float = _param(
        0.0007, "money_per_length", "running cost of a car",
        "assumed: 8 l/100 km at 7.5 CNY/l with wear",
    )  # fmt: skip
    car_fixed_cost: float = _param(4.0, "money", "parking and other cost of a car trip", "assumed")
    car_terminal_time: float = _param(
        300.0, "time", "walk to and from the parked car, and search", "assumed"
    )
    car_constant: float = _param(
        1100.0, "time", "what keeps people from the car beside time and money: most have none",
        "assumed; about 0.25 cars a resident",
    )  # fmt: skip
    transit_fare: float = _param(
        2.0, "money", "fare of a boarding", "flat urban fares of the region"
    )
    transit_constant: float = _param(
        -800.0, "time", "what keeps people from transit beside time and money; below 0, what draws",
        "assumed; the base of networks/czt then has about 1.1 million metro boardings a day",
    )  # fmt: skip
    active_speed: float = _param(
        9.0 / 3.6, "speed", "speed on foot, cycle and electric cycle together", "assumed", above=0.0
    )
    active_reach: float = _param(
        12_000.0, "length", "longest trip on foot or cycle", "assumed", above=0.0
    )
    active_weight: float = _param(
        1.8,
        "count",
        "weight of time on foot or cycle against time in a car",
        "assumed; between 1 for cycling and 2 for walking",
    )
    choice_scale: float = _param(
        600.0, "time", "generalised time that moves the odds between modes by e",
        "assumed; logit scale of urban mode-choice models is 5 to 15 min", above=0.0,
    )  # fmt: skip
    transit_choice: str = _param(
        "together", "", "whether lines are ridden in one strategy over rail and bus together, or "
        "people choose first between rail, with buses to it and from it, and bus alone",
        "a choice of method", choices=TRANSIT_CHOICE,
    )  # fmt: skip
    transit_nest: float = _param(
        0.5, "count", "scale of the choice between rail and bus as a share of choice_scale; 1 is "
        "the multinomial logit, near 0 all take the cheaper one", "assumed; between 0 and 1 by "
        "McFadden (1978)", above=0.0, high=1.0,
    )  # fmt: skip
    rail_constant: float = _param(
        0.0, "time", "what keeps people from rail beside time and money; it adds to "
        "transit_constant where rail and bus are told apart", "assumed",
    )  # fmt: skip
    bus_constant: float = _param(
        0.0, "time", "what keeps people from a trip by bus alone beside time and money; it adds "
        "to transit_constant where rail and bus are told apart", "assumed",
    )  # fmt: skip
    active_choice: str = _param(
        "together", "", "whether foot and cycle are one mode, or people choose between them",
        "a choice of method", choices=ACTIVE_CHOICE,
    )  # fmt: skip
    active_nest: float = _param(
        0.5, "count", "scale of the choice between foot and cycle as a share of choice_scale; 1 is "
        "the multinomial logit", "assumed; between 0 and 1 by McFadden (1978)", above=0.0,
        high=1.0,
    )  # fmt: skip
    walk_speed: float = _param(
        4.8 / 3.6, "speed", "speed on foot, where told apart from cycling",
        "design value of crossings and stations: 1.2 to 1.4 m/s", above=0.0,
    )  # fmt: skip
    walk_weight: float = _param(
        2.0, "count", "weight of time on foot against time in a car",
        "Wardman (2004), Transport Policy 11: about 2",
    )  # fmt: skip
    walk_reach: float = _param(5000.0, "length", "longest trip on foot", "assumed", above=0.0)
    walk_constant: float = _param(
        0.0, "time", "what keeps people from walking beside its time", "assumed"
    )
    cycle_speed: float = _param(
        14.0 / 3.6, "speed", "speed by cycle and electric cycle, where told apart from walking",
        "assumed; electric cycles are limited to 25 km/h (GB 17761)", above=0.0,
    )  # fmt: skip
    cycle_weight: float = _param(
        1.6, "count", "weight of time by cycle against time in a car", "assumed"
    )
    cycle_reach: float = _param(15_000.0, "length", "longest trip by cycle", "assumed", above=0.0)
    cycle_constant: float = _param(
        400.0, "time", "what keeps people from cycling beside its time: not all have one, and it "
        "has to be parked", "assumed",
    )  # fmt: skip

    truck_rate: float = _param(
        0.0, "count", "trucks that begin in the modelled hour for each job; 0 leaves trucks out",
        "off by default: no count of trucks was found for the region",
    )  # fmt: skip
    truck_hub_weight: float = _param(
        20.0, "count", "trucks of a job at a logistics hub against one elsewhere", "assumed"
    )
    truck_gate_weight: float = _param(
        10.0, "count", "trucks of a job behind a gate against one inside, of the share of its "
        "trips that is modelled", "assumed",
    )  # fmt: skip
    truck_decay: float = _param(
        2400.0, "time", "generalised time over which trips of trucks fall to 1/e", "assumed",
        above=0.0,
    )  # fmt: skip
    truck_pce: float = _param(
        2.5, "count", "passenger cars that a truck stands for on the road",
        "assumed; Chinese codes give 1.5 to 4 by size of truck", above=0.0,
    )  # fmt: skip
    truck_value_of_time: float = _param(
        90.0, "value_of_time", "what an hour is worth to a truck, driver and load", "assumed",
        above=0.0,
    )  # fmt: skip
    truck_cost: float = _param(
        0.0025, "money_per_length", "running cost of a truck", "assumed: 28 l/100 km and wear"
    )

    def __post_init__(self) -> None:
        check_parameters(self, "demand")

    @property
    def seconds_per_cny(self) -> float:
        """Generalised seconds that a CNY weighs."""
        return 3600.0 / self.value_of_time
