"""Figures that calibration is to give, each with the key that moves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cczsim.errors import CczsimError, FaultCollector, InputError
from cczsim.network.network import Network
from cczsim.network.transit import MODES as LINE_MODES
from cczsim.network.zones import TIERS
from cczsim.scenario.spec import ScenarioSpec
from cczsim.units import parse

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


def asked_goals(
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


def refuse_lines_that_are_not_there(network: Network, goals: Sequence[Goal]) -> None:
    """Raise where figures are wanted of lines or streets that a network has not.

    Raises
    ------
    InputError
        With every fault.
    """
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


def _plain(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
