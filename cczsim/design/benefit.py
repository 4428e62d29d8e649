"""Streets chosen by what they do to traffic: bundles of them tested by equilibria.

Rules, with the numbers that the code carries:

1. Candidates are more streets than are wanted, ``SURPLUS`` times their length. Neighbours go into
   bundles, by k-means on where their blocks are; within a bundle they keep their order.
2. The benefit of a bundle is the fall of vehicle-hours at user equilibrium when it is added to what
   is chosen, with the car trips of the scenario as it stands: no trip changes its mode for it.
3. Greedy by benefit a kilometre, with lazy re-evaluation (M. Minoux, 1978, *Optimization
   Techniques*, LNCIS 7): the first ``AT_ONCE`` are tested again, and the one taken that is on top.
   Before its first test a bundle stands where its estimate puts it: what the trips would save at
   the present costs of all links. Benefits of streets are not submodular, so that this finds a good
   set, not the best one.
4. Then swaps: the chosen bundle that saves least a kilometre makes room for one that was left, as
   long as vehicle-hours fall by more than the gaps allow; see :mod:`cczsim.design.swaps`.
5. A bundle that raises vehicle-hours by more than the gaps of both equilibria allow is harmful
   (D. Braess, 1968): it is named and not built. One that does neither good nor harm is taken last.
"""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cczsim.design.propose import Proposal
from cczsim.design.swaps import Bench, Outcome, Part, Standing, Swap, as_far, improve, stand
from cczsim.design.trials import Trials
from cczsim.network.geometry import unproject

SURPLUS: Final = 1.6
AT_ONCE: Final = 2
"""Bundles that are tested together, however many processes do: so that no bit hangs on that."""


@dataclass(frozen=True)
class BundleBenefit:
    """A bundle and what it does.

    Parameters
    ----------
    bundle : int
    streets : int
    km : float
    saved : float
        Vehicle-hours an hour that it saves, given what was chosen before it; negative if it harms,
        NaN where what a swap left of it was not tested by itself.
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
        """Whether it makes traffic worse beyond what the gaps allow (5)."""
        return self.saved < -self.noise


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
    """What greedy choice and swaps found.

    Parameters
    ----------
    chosen : tuple of int
        Rows of the chosen streets, bundle by bundle.
    bundle : tuple of int
        The bundle of each.
    tested : tuple of BundleBenefit
        Chosen bundles in their order, with their benefit as they were chosen.
    harmful : tuple of BundleBenefit
    swaps : tuple of Swap
    before, after : float
        Vehicle-hours without and with the chosen streets, pce h/h.
    runs : int
        Equilibria that were computed.
    """

    chosen: tuple[int, ...]
    bundle: tuple[int, ...]
    tested: tuple[BundleBenefit, ...]
    harmful: tuple[BundleBenefit, ...]
    swaps: tuple[Swap, ...]
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
    bench: Bench | None = None,
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
    bench : Bench, optional
        Who tests several bundles at a time; this process where None. It moves no bit.
    on_test : callable, optional
        Is told of every equilibrium.
    """
    say = on_test or (lambda _: None)
    now = stand(trials, streets, (), None)
    before = now.hours
    say(f"{before:,.0f} vehicle-hours before")
    test = bench or (lambda many, near: [stand(trials, streets, p, near.start) for p in many])
    tested: dict[int, BundleBenefit] = {}
    harmful: list[BundleBenefit] = []
    heap: list[tuple[float, int, int, BundleBenefit | None, Any]] = []
    for k, rows in enumerate(bundles):
        own = [streets[r] for r in rows]
        km = sum(s.length for s in own) / 1e3
        heap.append((-trials.estimate(own, now.flow, now.network) / km, k, -1, None, None))
    heapq.heapify(heap)
    left, purse = length, money
    stage = 0
    while heap and left > slack and purse > 0.0:
        _, k, at, last, found = heap[0]
        if at != stage or last is None:
            _test_first(trials, streets, bundles, now, stage, heap, test, say)
            continue
        heapq.heappop(heap)
        if last.harmful:
            harmful.append(last)
            continue
        taken = as_far(bundles[k], streets, left, purse)
        if not taken:
            continue
        left -= sum(streets[r].inside for r in taken)
        purse -= sum(streets[r].cost for r in taken)
        if len(taken) == len(bundles[k]) and isinstance(found, Standing):
            now, tested[k] = found, last
        else:
            hours = now.hours
            now = stand(trials, streets, (*now.parts, Part(k, tuple(taken))), now.start)
            own = [streets[r] for r in taken]
            tested[k] = _tested(trials, k, own, hours - now.hours, now)
        say(f"bundle {k + 1} taken: {tested[k].saved:+,.1f} vehicle-hours saved")
        stage += 1
    harmful += [t for _, _, _, t, _ in heap if t is not None and t.harmful]
    bad = {t.bundle for t in harmful}
    spare = [k for _, k, *_ in sorted(heap, key=lambda e: e[:2]) if k not in bad]
    now, swaps = improve(trials, streets, bundles, now, spare, length, money, test, say)
    for part in now.parts:
        swap = next((s for s in reversed(swaps) if part.bundle in (s.came, s.left)), None)
        if swap is not None:
            # What is built of it, and what it saves, is not what was tested when it was taken.
            own = [streets[r] for r in part.rows]
            worth = swap.worth if part.bundle == swap.came else np.nan
            tested[part.bundle] = _tested(trials, part.bundle, own, worth, now)
    built = [(row, part.bundle) for part in now.parts for row in part.rows]
    return BenefitPlan(
        tuple(row for row, _ in built), tuple(own for _, own in built),
        tuple(tested[part.bundle] for part in now.parts), tuple(harmful), swaps, before,
        now.hours, trials.runs,
    )  # fmt: skip


def _test_first(
    trials: Trials, streets: Sequence[Proposal], bundles: Sequence[Sequence[int]], now: Standing,
    stage: int, heap: list[Any], bench: Bench, say: Callable[[str], Any],
) -> None:  # fmt: skip
    """Test the bundles on top that were not tested beside what is chosen, ``AT_ONCE`` at most."""
    stale: list[int] = []
    while heap and len(stale) < AT_ONCE and (heap[0][2] != stage or heap[0][3] is None):
        stale.append(heapq.heappop(heap)[1])
    many = [(*now.parts, Part(k, tuple(bundles[k]))) for k in stale]
    for k, found in zip(stale, bench(many, now), strict=True):
        own = [streets[r] for r in bundles[k]]
        result = _tested(trials, k, own, now.hours - found.hours, found)
        say(
            f"bundle {k + 1} tested: {result.saved:+,.1f} vehicle-hours saved by {result.km:.1f} km"
        )
        heapq.heappush(heap, (-result.saved / result.km, k, stage, result, found))


def _tested(
    trials: Trials, bundle: int, own: Sequence[Proposal], saved: float, found: Standing | Outcome
) -> BundleBenefit:
    middle = np.mean([(s.a[0] + s.b[0], s.a[1] + s.b[1]) for s in own], axis=0) / 2
    lon, lat = unproject(middle[:1], middle[1:], trials.crs)
    km = sum(s.length for s in own) / 1e3
    place = (float(lon[0]), float(lat[0]))
    return BundleBenefit(bundle, len(own), km, saved, found.noise, place)
