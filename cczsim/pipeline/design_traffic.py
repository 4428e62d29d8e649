"""Streets of a design tested on the traffic of a scenario."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cczsim.assignment.equilibrium import distance_factor, toll_factor
from cczsim.columns import Array
from cczsim.design.benefit import SURPLUS, choose_by_benefit, make_bundles
from cczsim.design.costs import StreetType
from cczsim.design.cuts import CutRules
from cczsim.design.dead_ends import LinkRules
from cczsim.design.propose import Plan, propose
from cczsim.design.site import Site
from cczsim.design.trials import Trials, vehicle_hours
from cczsim.errors import InputError
from cczsim.network.network import Network
from cczsim.pipeline.design_crew import Crew
from cczsim.pipeline.designed import Benefit
from cczsim.pipeline.progress import Progress
from cczsim.scenario.run import run_scenario
from cczsim.scenario.spec import ScenarioSpec


@dataclass(frozen=True, eq=False)
class Traffic:
    """What streets are tested by: the cars of a scenario as it stands, pce/h."""

    demand: Array
    toll_factor: float
    distance_factor: float
    bundles: int
    say: Callable[[str], None]


def read_traffic(
    spec: ScenarioSpec | None, start: Network | None, bundles: int, progress: Progress
) -> Traffic:
    """Return the cars of a scenario: it is run once.

    Parameters
    ----------
    start : Network
        What the scenario starts from.

    Raises
    ------
    InputError
        There is no scenario, so that nobody is known to travel.
    """
    if spec is None or start is None:
        raise InputError.of(
            "--choose benefit", "a network", "a scenario, for its trips",
            "write one with cczsim init, and name the network in it",
        )  # fmt: skip
    with progress.step(f"{spec.name}: solve"):
        result = run_scenario(spec, start)
    params = spec.demand.params
    return Traffic(
        result.equilibrium.car_pce, toll_factor(params), distance_factor(params), bundles,
        progress.say,
    )  # fmt: skip


def choose_tested(
    traffic: Traffic, network: Network, site: Site, street: StreetType, length: float,
    money: float, slack: float, cuts: CutRules, links: LinkRules, crew: Crew,
) -> tuple[Plan, Benefit]:  # fmt: skip
    """Return the streets that tested choice takes, and how they compare with choice by length."""
    many = propose(
        site, street, length=SURPLUS * length, money=SURPLUS * money, cuts=cuts, links=links
    )
    trials = Trials(
        network, traffic.demand, street, site.crs, traffic.toll_factor, traffic.distance_factor
    )
    found = choose_by_benefit(
        trials, many.streets, make_bundles(many.streets, traffic.bundles), length, money, slack,
        crew.bench(trials, many.streets), traffic.say,
    )  # fmt: skip
    chosen = tuple(many.streets[row] for row in found.chosen)
    plan = Plan(chosen, many.crs, many.blocks_left, many.blocks_unknown, many.area)
    built = plan.length if np.isfinite(length) else float("inf")
    other = propose(
        site, street, length=built, money=money, slack=slack, choose="length", cuts=cuts,
        links=links,
    )  # fmt: skip
    along = trials.with_streets(other.streets)
    saved = found.before - vehicle_hours(along, trials.equilibrium(along))
    km = sum(s.length for s in other.streets) / 1e3
    return plan, Benefit(found, km, saved)
