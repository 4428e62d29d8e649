"""Streets chosen by what they do to traffic: bundles of them tested by equilibria.

Rules, with the numbers that the code carries:

1. Candidates are more streets than are wanted, ``SURPLUS`` times their length. Neighbours go into
   bundles, by k-means on where their blocks are; within a bundle they keep their order.
2. The benefit of a bundle is the fall of vehicle-hours at user equilibrium when it is added to what
   is chosen, with the car trips of the scenario as it stands: no trip changes its mode for it.
3. Greedy by benefit a kilometre, with lazy re-evaluation (M. Minoux, 1978, *Optimization
   Techniques*, LNCIS 7): the bundle on top is tested again, and taken if it stays on top. Before
   its first test a bundle stands where its estimate puts it: what the trips would save at the
   present costs of all links. Benefits of streets are not submodular, so that this finds a good
   set, not the best one.
4. A bundle that raises vehicle-hours by more than the gaps of both equilibria allow is harmful
   (D. Braess, 1968): it is named and not built. One that does neither good nor harm is taken last.
"""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.assignment.result import RoadAssignment
from cczsim.assignment.shortest import zone_costs
from cczsim.columns import Array
from cczsim.design.costs import StreetType
from cczsim.design.propose import Proposal
from cczsim.errors import ScenarioError
from cczsim.network.geometry import unproject
from cczsim.network.network import Network
from cczsim.network.street_line import StreetLine
from cczsim.scenario.new_streets import add_to, lane_capacity

SURPLUS: Final = 1.6
GAP: Final = 1e-6
_LIMIT: Final = 500


@dataclass(frozen=True)
class BundleBenefit:
    """A bundle and what it does.

    Parameters
    ----------
    bundle : int
    streets : int
    km : float
    saved : float
        Vehicle-hours an hour that it saves, given what was chosen before it; negative if it harms.
    noise : float
        What of that the gaps may explain.
    place : (float, float)
        Longitude and latitude of its middle.
    """

    bundle: int
    streets: int
    km: float
    saved: float
    noise: float
    place: tuple[float, float]

    @property
    def harmful(self) -> bool:
        """Whether it makes traffic worse beyond what the gaps allow (4)."""
        return self.saved < -self.noise


class Trials:
    """Tests streets on a network with a fixed demand of cars.

    Parameters
    ----------
    network : Network
        With zones.
    demand : array [zone, zone], pce/h
    street : StreetType
    crs : str
        Projection of the streets' ends.
    toll_factor, distance_factor : float
        See :func:`~cczsim.assignment.algorithms.solve`.

    Raises
    ------
    ScenarioError
        The network has no zones.
    """

    def __init__(
        self, network: Network, demand: Array, street: StreetType, crs: str,
        toll_factor: float = 0.0, distance_factor: float = 0.0, gap: float = GAP,
    ) -> None:  # fmt: skip
        if network.zones is None:
            raise ScenarioError.of("--choose benefit", "a network without zones", "zones")
        self.network, self.street, self.crs = network, street, crs
        self.zones = network.zones
        self.demand = np.array(demand, dtype=float)
        np.fill_diagonal(self.demand, 0.0)
        self.factors = {"toll_factor": toll_factor, "distance_factor": distance_factor}
        self.params = BushParams(gap, _LIMIT)
        self.runs = 0

    def with_streets(self, streets: Sequence[Proposal]) -> Network:
        """Return the network with streets."""
        return add_proposals(self.network, streets, self.street, self.crs)

    def equilibrium(self, network: Network, near: RoadAssignment | None = None) -> RoadAssignment:
        """Return the user equilibrium of the demand, sought from that of a network like it."""
        self.runs += 1
        return assign_bushes(
            network.road, self.zones, self.demand, params=self.params,
            toll_factor=self.factors["toll_factor"],
            distance_factor=self.factors["distance_factor"], turns=network.turns,
            start=near.bushes.start() if near is not None and near.bushes is not None else None,
            keep_bushes=True,
        )  # fmt: skip

    def estimate(self, streets: Sequence[Proposal], flow: RoadAssignment, start: Network) -> float:
        """Return what all trips would save at the present costs of ``start``, pce h/h (3)."""
        changed = add_proposals(start, streets, self.street, self.crs)
        before = zone_costs(start.road, flow.link_cost, self.zones.centroid, start.turns)
        after = zone_costs(
            changed.road, _costs_after(start, changed, flow.link_cost, self.factors),
            self.zones.centroid, changed.turns,
        )  # fmt: skip
        saved = np.where(np.isfinite(before) & np.isfinite(after), before - after, 0.0)
        return float((np.maximum(saved, 0.0) * self.demand).sum()) / 3600


def add_proposals(
    network: Network, streets: Sequence[Proposal], street: StreetType, crs: str
) -> Network:
    """Return a network with proposed streets."""
    if not streets:
        return network
    capacity = street.lanes * lane_capacity(network.road, street.road_class)
    groups: dict[str, list[StreetLine]] = {"ground": [], "bridge": []}
    ends = np.array([(s.a, s.b) for s in streets])
    lon, lat = unproject(ends[:, :, 0], ends[:, :, 1], crs)
    for k, one in enumerate(streets):
        groups[one.structure].append(
            StreetLine(
                lon=lon[k], lat=lat[k], road_class=street.road_class, lanes=street.lanes,
                speed=street.speed, capacity=capacity, structure=one.structure,
            )
        )  # fmt: skip
    network = add_to(network, groups["ground"], "join", stated=False)[0]
    return add_to(network, groups["bridge"], "over", stated=False)[0]


def vehicle_hours(network: Network, found: RoadAssignment) -> float:
    """Return the time that all vehicles spend on streets, pce h/h, as the indicator has it."""
    street = network.road.is_street
    return float((found.link_flow * found.link_time)[street].sum()) / 3600


def _costs_after(start: Network, changed: Network, cost: Array, factors: dict[str, float]) -> Array:
    """Return costs of links after streets were added: old ones keep theirs, by their length."""
    old, new = start.road, changed.road
    free = (
        new.free_flow_time
        + factors["toll_factor"] * new.toll
        + factors["distance_factor"] * new.length
    )
    out = np.array(free)
    n = old.n_links
    share = np.divide(new.length[:n], old.length, out=np.ones(n), where=old.length > 0.0)
    out[:n] = cost * share
    # Later pieces of a link that was split: as congested as its first piece, told by its way and
    # name; where that is not known they stay at free flow, which only makes an estimate hopeful.
    for row in np.flatnonzero(share < 1.0 - 1e-9):
        slow = cost[row] / max(old.free_flow_time[row], 1e-9)
        node, seen = int(new.head[row]), 0
        while node != old.head[row] and seen < 64:
            ahead = np.flatnonzero(
                (new.tail[n:] == node)
                & (new.road_class[n:] == old.road_class[row])
                & (new.capacity[n:] == old.capacity[row])
                & (new.name[n:] == old.name[row])
            )
            if len(ahead) != 1:
                break
            piece = n + int(ahead[0])
            out[piece] = slow * new.free_flow_time[piece]
            node, seen = int(new.head[piece]), seen + 1
    return out


def make_bundles(streets: Sequence[Proposal], count: int) -> list[list[int]]:
    """Return the rows of the streets of each bundle (1), bundles by their first street.

    Streets of one block stay together: the later ones end on the earlier ones.
    """
    from scipy.cluster.vq import kmeans2

    if not streets:
        return []
    roots = np.array([s.root if s.root >= 0 else -1 - k for k, s in enumerate(streets)])
    _, first, group = np.unique(roots, return_index=True, return_inverse=True)
    at = np.array([((s.a[0] + s.b[0]) / 2, (s.a[1] + s.b[1]) / 2) for s in streets])[first]
    count = min(count, len(np.unique(at, axis=0)))
    start = at[np.argsort(at[:, 0] + at[:, 1], kind="stable")]
    start = start[np.linspace(0, len(at) - 1, count).astype(int)]
    label = np.zeros(len(at), dtype=int)
    if count > 1 and len(np.unique(start, axis=0)) == count:
        with warnings.catch_warnings():  # of a cluster that nobody is nearest to
            warnings.simplefilter("ignore")
            label = kmeans2(at, start, minit="matrix")[1]
    own = label[group]
    groups = [np.flatnonzero(own == k).tolist() for k in range(count)]
    return sorted((g for g in groups if g), key=lambda g: g[0])


@dataclass(frozen=True)
class BenefitPlan:
    """What greedy choice found.

    Parameters
    ----------
    chosen : tuple of int
        Rows of the chosen streets, bundle by bundle.
    bundle : tuple of int
        The bundle of each.
    tested : tuple of BundleBenefit
        Chosen bundles in their order, with their benefit as they were chosen.
    harmful : tuple of BundleBenefit
    before, after : float
        Vehicle-hours without and with the chosen streets, pce h/h.
    runs : int
        Equilibria that were computed.
    """

    chosen: tuple[int, ...]
    bundle: tuple[int, ...]
    tested: tuple[BundleBenefit, ...]
    harmful: tuple[BundleBenefit, ...]
    before: float
    after: float
    runs: int


def choose_by_benefit(
    trials: Trials,
    streets: Sequence[Proposal],
    bundles: Sequence[Sequence[int]],
    length: float,
    money: float = np.inf,
    slack: float = 0.0,
    on_test: Callable[[str], Any] | None = None,
) -> BenefitPlan:
    """Choose bundles by benefit a kilometre until a length or a budget is used up.

    Parameters
    ----------
    trials : Trials
    streets : sequence of Proposal
    bundles : sequence of sequence of int
        Rows of ``streets``.
    length : float
        Inside the area, m.
    money : float
        CNY.
    slack : float
        How far the length may fall short, m.
    on_test : callable, optional
        Is told of every equilibrium.
    """
    say = on_test or (lambda _: None)
    network = trials.network
    flow = trials.equilibrium(network)
    before = now = vehicle_hours(network, flow)
    say(f"{before:,.0f} vehicle-hours before")
    chosen: list[int] = []
    bundle: list[int] = []
    tested: list[BundleBenefit] = []
    harmful: list[BundleBenefit] = []
    heap: list[tuple[float, int, int, BundleBenefit | None, Any]] = []
    for k, rows in enumerate(bundles):
        own = [streets[r] for r in rows]
        km = sum(s.length for s in own) / 1e3
        heap.append((-trials.estimate(own, flow, network) / km, k, -1, None, None))
    heapq.heapify(heap)
    left, purse = length, money
    stage = 0
    while heap and left > slack and purse > 0.0:
        _, k, at, last, state = heapq.heappop(heap)
        own = [streets[r] for r in bundles[k]]
        if at == stage and last is not None:
            if last.harmful:
                harmful.append(last)
                continue
            taken = _as_far(bundles[k], streets, left, purse)
            if not taken:
                continue
            whole = len(taken) == len(bundles[k])
            chosen += taken
            bundle += [k] * len(taken)
            left -= sum(streets[r].inside for r in taken)
            purse -= sum(streets[r].cost for r in taken)
            if whole:
                network, flow, now = state
                tested.append(last)
            else:
                network = trials.with_streets([streets[r] for r in chosen])
                flow = trials.equilibrium(network, flow)
                part = now
                now = vehicle_hours(network, flow)
                tested.append(_tested(trials, k, [streets[r] for r in taken], part - now, flow))
            say(f"bundle {k + 1} taken: {tested[-1].saved:+,.1f} vehicle-hours saved")
            stage += 1
            continue
        trial = trials.with_streets([streets[r] for r in (*chosen, *bundles[k])])
        found = trials.equilibrium(trial, flow)
        hours = vehicle_hours(trial, found)
        result = _tested(trials, k, own, now - hours, found)
        say(
            f"bundle {k + 1} tested: {result.saved:+,.1f} vehicle-hours saved by {result.km:.1f} km"
        )
        heapq.heappush(heap, (-result.saved / result.km, k, stage, result, (trial, found, hours)))
    harmful += [t for _, _, _, t, _ in heap if t is not None and t.harmful]
    return BenefitPlan(
        tuple(chosen), tuple(bundle), tuple(tested), tuple(harmful), before, now, trials.runs
    )  # fmt: skip


def _as_far(
    rows: Sequence[int], streets: Sequence[Proposal], length: float, money: float
) -> list[int]:
    """Return the first streets of a bundle that a length and a budget have room for."""
    out = []
    for row in rows:
        one = streets[row]
        if one.inside > length or one.cost > money:
            break
        length -= one.inside
        money -= one.cost
        out.append(row)
    return out


def _tested(
    trials: Trials, bundle: int, own: Sequence[Proposal], saved: float, found: RoadAssignment
) -> BundleBenefit:
    middle = np.mean([(s.a[0] + s.b[0], s.a[1] + s.b[1]) for s in own], axis=0) / 2
    lon, lat = unproject(middle[:1], middle[1:], trials.crs)
    noise = 2 * max(found.relative_gap, 0.0) * found.tstt / 3600
    km = sum(s.length for s in own) / 1e3
    return BundleBenefit(bundle, len(own), km, saved, noise, (float(lon[0]), float(lat[0])))
