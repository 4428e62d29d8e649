"""What a density curve tells: whose the gains are, where they stop paying, and a table of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from cczsim.indicators.indicator import BETTER
from cczsim.pipeline.summary import figure, write_line
from cczsim.scenario.spec import ScenarioSpec

SHOWN: Final = (
    "vehicle_hours", "delay_hours", "jobs_reached_45_transit", "co2", "vehicle_km",
    "mode_share_transit", "building_cost",
)  # fmt: skip
HOURS_A_YEAR: Final = 2000.0
"""Hours like the modelled one in a year. Assumed, as are the next two."""
YEARS: Final = 30
RATE: Final = 0.04
"""Discount a year."""
_LESS: Final = frozenset({"vehicle_hours", "vehicle_km"})


def shares(rows: Sequence[dict[str, Any]], scenarios: int) -> dict[str, Any]:
    """Return what density and what the other scenario gain on the first one as it is, by figure.

    ``density`` is the gain of the first scenario at its best density, ``other`` that of each other
    scenario at its own density, ``both`` that of it at its best; positive is better. ``stops_at``
    is the density beyond which none gains more than the gaps allow, by scenario; ``part``
    is which part of the gain of both is that of the other scenario: alone, and on top of density.
    """
    out: dict[str, Any] = {}
    by_scenario = [[r for r in rows if r["scenario"] == k] for k in range(scenarios)]
    if not by_scenario[0]:
        return out
    first = by_scenario[0][0]
    for key in SHOWN:
        sign = BETTER.get(key.removesuffix("_45_transit"), -1 if key in _LESS else 1)
        start = first["figures"].get(key)
        if start is None or key == "building_cost":
            continue
        gains = [
            [
                (r, sign * (r["figures"][key] - start))
                for r in own
                if r["figures"].get(key) is not None
            ]
            for own in by_scenario
        ]
        stops = [_stops_gaining(own, key) for own in gains]
        alone = max(g for _, g in gains[0])
        other = [own[0][1] if own else None for own in gains[1:]]
        both = [max(g for _, g in own) if own else None for own in gains[1:]]
        out[key] = {
            "density": alone, "other": other, "both": both, "stops_at": stops,
            "part": [
                [o / b, (b - alone) / b] if o is not None and b is not None and b > 0.0 else None
                for o, b in zip(other, both, strict=True)
            ],
        }  # fmt: skip
    return out


def _stops_gaining(own: Sequence[tuple[dict[str, Any], float]], key: str) -> float | None:
    """Return the least density beyond which none gains more than the gaps allow."""
    for k, (row, gain) in enumerate(own[:-1]):
        if all(
            later - gain <= (row["noise"] + other["noise"]) * abs(row["figures"][key])
            for other, later in own[k + 1 :]
        ):
            return float(row["density"])
    return None


def pays(rows: Sequence[dict[str, Any]], specs: Sequence[ScenarioSpec]) -> dict[str, Any]:
    """Return what each step of density costs for a vehicle-hour that it saves, and what pays.

    A vehicle-hour of the modelled hour is worth the time of those in the car, so many hours a year
    and so many years, discounted. ``stops_at`` is the density at which that worth less the cost is
    greatest, by scenario; None where it is the highest. A step that saves no more than the gaps
    allow has no price.
    """
    worth, stops, steps = [], [], []
    for number, spec in enumerate(specs):
        demand = spec.demand.params
        an_hour = 3600.0 / demand.seconds_per_cny * demand.car_occupancy
        worth.append(an_hour * HOURS_A_YEAR * (1.0 - (1.0 + RATE) ** -YEARS) / RATE)
        own = [r for r in rows if r["scenario"] == number]
        priced: list[float | None] = []
        for r, following in pairwise(own):
            saved = r["figures"]["vehicle_hours"] - following["figures"]["vehicle_hours"]
            noise = r["noise"] * r["figures"]["vehicle_hours"]
            noise += following["noise"] * following["figures"]["vehicle_hours"]
            cost = following["figures"]["building_cost"] - r["figures"]["building_cost"]
            priced.append(cost / saved if saved > noise else None)
        net = [
            -worth[-1] * r["figures"]["vehicle_hours"] - r["figures"]["building_cost"] for r in own
        ]
        best = int(np.argmax(net))
        stops.append(own[best]["density"] if best < len(own) - 1 else None)
        steps.append(priced)
    return {
        "hours_a_year": HOURS_A_YEAR, "years": YEARS, "rate": RATE, "worth": worth,
        "cost_of_a_vehicle_hour": steps, "stops_at": stops,
    }  # fmt: skip


def print_curve(content: dict[str, Any]) -> None:
    """Write a table of the points, whose the gains are, where they stop paying, what it took."""
    names = [s["name"] for s in content["scenarios"]]
    keys = [k for k in SHOWN if any(k in r["figures"] for r in content["points"])]
    width = max(len(n) for n in names)
    write_line(f"{'':{width}} {'km/km2':>7} {'km added':>9} " + " ".join(f"{k:>23}" for k in keys))
    for row in content["points"]:
        values = [row["figures"].get(k) for k in keys]
        shown = " ".join(f"{figure(v) if v is not None else '–':>23}" for v in values)
        name = names[row["scenario"]]
        write_line(f"{name:{width}} {row['density']:7.3f} {row['added_km']:9,.1f} {shown}")
    for key, item in content["shares"].items():
        parts = [f"density alone {figure(item['density'])}"]
        for name, other, both in zip(names[1:], item["other"], item["both"], strict=True):
            if other is not None:
                parts.append(f"{name} alone {figure(other)}, with density {figure(both)}")
        stops = [
            f"{name} at {stop:.2f}" if stop is not None else f"{name} nowhere"
            for name, stop in zip(names, item["stops_at"], strict=True)
        ]
        write_line(f"{key}: gain of {'; '.join(parts)}; stops gaining: {', '.join(stops)}")
        for name, part in zip(names[1:], item["part"], strict=True):
            if part is not None:
                low, high = sorted(round(100 * p) for p in part)
                write_line(f"  {name} makes {low} to {high} % of the gain of both")
    priced_by = content["pays"]
    for k, name in enumerate(names):
        prices = priced_by["cost_of_a_vehicle_hour"][k]
        priced = [figure(p / 1e6) if p is not None else "–" for p in prices]
        stop = priced_by["stops_at"][k]
        said = f"stops paying at {stop:.2f} km/km2" if stop is not None else "pays all the way"
        write_line(
            f"{name}: each step's million CNY a vehicle-hour saved: {', '.join(priced)}; worth "
            f"{figure(priced_by['worth'][k] / 1e6)}: {said}"
        )
    warm = [r["warm"] for r in content["points"]]
    seconds = content["this_run"]["processor_seconds"]
    for words, own in (("from empty roads", False), ("from the scenario as it is", True)):
        took = [s for s, w in zip(seconds, warm, strict=True) if w is own]
        if took:
            write_line(f"{len(took)} runs {words}: {np.mean(took):.1f} processor seconds each")
