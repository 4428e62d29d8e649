"""Streets of a design tested on the traffic of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cczsim.assignment.mode_costs import distance_factor, toll_factor
from cczsim.columns import Array
from cczsim.design.benefit import (
    SURPLUS,
    BenefitPlan,
    BundleBenefit,
    choose_by_benefit,
    make_bundles,
)
from cczsim.design.costs import StreetType
from cczsim.design.cuts import CutRules
from cczsim.design.dead_ends import LinkRules
from cczsim.design.propose import Plan, Proposal, cut_short, propose
from cczsim.design.site import Site
from cczsim.design.trials import Trials, vehicle_hours
from cczsim.errors import InputError
from cczsim.network.geometry import unproject
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
    bundles = make_bundles(many.streets, traffic.bundles)
    found = choose_by_benefit(
        trials, many.streets, bundles, length, money, slack,
        crew.bench(trials, many.streets), traffic.say,
    )  # fmt: skip
    chosen = tuple(many.streets[row] for row in found.chosen)
    missing = length - sum(one.inside for one in chosen)
    last = None
    if missing > slack:
        last = _last_street(many.streets, bundles, found, site, street, missing)
    if last is not None and sum(s.cost for s in (*chosen, last[1])) <= money:
        chosen = (*chosen, last[1])
        found = _with_last(trials, found, chosen, last[0])
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


def _last_street(
    streets: Sequence[Proposal], bundles: Sequence[Sequence[int]], found: BenefitPlan, site: Site,
    street: StreetType, missing: float,
) -> tuple[int, Proposal] | None:  # fmt: skip
    """Return the street that makes up what is missing, cut short, and its bundle.

    It is the next of a bundle that was built in part, or the first of one that was left.
    """
    built, bad = set(found.chosen), {tested.bundle for tested in found.harmful}
    begun = list(dict.fromkeys(reversed(found.bundle)))
    order = [*begun, *(k for k in range(len(bundles)) if k not in begun and k not in bad)]
    following = [
        (k, row) for k in order if (row := next((r for r in bundles[k] if r not in built), -1)) >= 0
    ]
    last = cut_short(site, street, [streets[row] for _, row in following], missing)
    return None if last is None else (following[last[0]][0], last[1])


def _with_last(
    trials: Trials, found: BenefitPlan, chosen: Sequence[Proposal], bundle: int
) -> BenefitPlan:
    """Return what was found with one more street, which is tested with all others."""
    network = trials.with_streets(chosen)
    flow = trials.equilibrium(network)
    after = vehicle_hours(network, flow)
    last = chosen[-1]
    own = [t for t in found.tested if t.bundle == bundle]
    middle = [(p + q) / 2 for p, q in zip(last.a, last.b, strict=True)]
    lon, lat = unproject(np.array(middle[:1]), np.array(middle[1:]), trials.crs)
    before = own[0] if own else BundleBenefit(
        bundle, 0, 0.0, 0.0, 2 * max(flow.relative_gap, 0.0) * flow.tstt / 3600,
        (float(lon[0]), float(lat[0])),
    )  # fmt: skip
    more = replace(
        before, streets=before.streets + 1, km=before.km + last.length / 1e3,
        saved=before.saved + found.after - after,
    )  # fmt: skip
    tested = [more if t.bundle == bundle else t for t in found.tested]
    return replace(
        found, bundle=(*found.bundle, bundle), tested=tuple(tested if own else [*tested, more]),
        after=after, runs=trials.runs,
    )  # fmt: skip
