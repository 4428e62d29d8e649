"""How passengers weigh their time, and what full vehicles do to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cczsim.demand.params import parameter as _param

CROWDING: Final = ("off", "comfort", "capacity")
CROWDED_LINES: Final = ("known", "all")
BUS_TIMES: Final = ("timetable", "assumed", "all")


@dataclass(frozen=True)
class TransitParams:
    """How passengers weigh their time.

    Each field carries its dimension, meaning and source in its metadata.
    """

    walk_weight: float = _param(
        2.0, "count", "weight of walking time against time aboard",
        "Wardman (2004), Transport Policy 11: about 2",
    )  # fmt: skip
    wait_weight: float = _param(
        2.0, "count", "weight of waiting time against time aboard",
        "Wardman (2004), Transport Policy 11: about 2",
    )  # fmt: skip
    bus_weight: float = _param(
        1.0, "count", "weight of time aboard buses and ferries against time aboard trains",
        "1, no difference; who prefers rail at equal times has more (Axhausen, Haupt, Fell and "
        "Heidl, 2001, Transport Reviews 21, on the rail bonus)", above=0.0,
    )  # fmt: skip
    boarding_penalty: float = _param(
        180.0, "time", "what a boarding costs beside its wait", "assumed: 3 min"
    )
    wait_factor: float = _param(
        0.5, "count", "share of the headway that is waited for a single line",
        "regular headways, random arrivals",
    )  # fmt: skip
    metro_fare: float = _param(
        0.0002, "money_per_length", "fare by distance on metro, light rail and maglev, beside that "
        "of a boarding", "assumed: 2 CNY up to 6 km and about 6 CNY for 25 km",
    )  # fmt: skip
    rail_fare: float = _param(
        0.0004, "money_per_length", "fare by distance on railways, beside that of a boarding",
        "assumed: regional trains cost 0.2 to 0.45 CNY/km",
    )  # fmt: skip
    crowding: str = _param(
        "off", "", "what full vehicles do: nothing; comfort: time aboard weighs more; capacity: "
        "and whoever finds no room waits for another", "Cepeda, Cominetti and Florian (2006), "
        "Transportation Research B 40", choices=CROWDING,
    )  # fmt: skip
    crowded_lines: str = _param(
        "known", "", "lines whose places count: those of known service, or all, lines that were "
        "made up for an unknown service included", "a made-up line stands for others beside it",
        choices=CROWDED_LINES,
    )  # fmt: skip
    standing_penalty: float = _param(
        0.265, "count", "by how much more a minute weighs for one who stands",
        "Hörcher, Graham and Anderson (2017), Transportation Research B 95: 26.5 %, metro of "
        "Hong Kong",
    )  # fmt: skip
    crowding_penalty: float = _param(
        0.119, "count", "by how much more a minute weighs for one who stands on a square metre",
        "Hörcher, Graham and Anderson (2017), Transportation Research B 95: 11.9 %, metro of "
        "Hong Kong",
    )  # fmt: skip
    full_power: float = _param(
        4.0, "count", "power of (passengers / places) by which the frequency that passengers "
        "meet falls to 0", "form by Cepeda, Cominetti and Florian (2006), who take 0.2, which "
        "doubles waits at a load of 3 %; 4, assumed, leaves them until vehicles are nearly full",
        above=0.0,
    )  # fmt: skip
    give_up_after: float = _param(
        3600.0, "time", "wait beyond that for vehicles with room after which passengers are not "
        "served", "assumed: the modelled hour", above=0.0,
    )  # fmt: skip
    bus_times: str = _param(
        "timetable", "", "how long buses take: what their timetable says; assumed: those whose run "
        "times are assumed stand in traffic; or all buses do", "a timetable that is known holds "
        "the delays of its day; an assumed one is taken as that of empty streets",
        choices=BUS_TIMES,
    )  # fmt: skip
    bus_delay: float = _param(
        1.0, "count", "seconds that a bus loses for each that a car loses on the same street, "
        "where bus_times is not timetable", "assumed: buses in mixed traffic, without lanes of "
        "their own",
    )  # fmt: skip
    bus_pce: float = _param(
        2.0, "count", "passenger cars that a bus counts for on the streets it runs on, where "
        "bus_times is not timetable", "CJJ 37-2012: large bus 2.0, from memory of the code",
    )  # fmt: skip
