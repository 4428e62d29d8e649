"""Swaps that improve a greedy choice of bundles of streets.

Rules. (1) What each of the last ``WORST`` chosen bundles is worth is tested by leaving it out; the
one that is worth least a kilometre makes room. (2) The best of the first ``BEST`` bundles that were
left comes in its place, as far as length and money go, and what room is left then goes to the first
streets of the one that made it. (3) The swap stays if vehicle-hours fall by more than the gaps
allow; then the next is sought, ``MOST`` times. (4) The first round without one ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from cczsim.assignment.bush_solution import BushStart
from cczsim.assignment.result import RoadAssignment
from cczsim.design.propose import Proposal
from cczsim.design.trials import Trials, vehicle_hours
from cczsim.network.network import Network

WORST: Final = 3
BEST: Final = 3
MOST: Final = 8


@dataclass(frozen=True)
class Part:
    """What is built of a bundle: rows of its streets."""

    bundle: int
    rows: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Standing:
    """What is built, and the traffic on it.

    Parameters
    ----------
    parts : tuple of Part
    network : Network
    flow : RoadAssignment
    hours : float
        Vehicle-hours, pce h/h.
    """

    parts: tuple[Part, ...]
    network: Network
    flow: RoadAssignment
    hours: float

    @property
    def start(self) -> BushStart:
        """What a network like it starts from."""
        assert self.flow.bushes is not None
        return self.flow.bushes.start()

    @property
    def noise(self) -> float:
        """Vehicle-hours by which the gaps of two such equilibria may part them."""
        return 2 * max(self.flow.relative_gap, 0.0) * self.flow.tstt / 3600


@dataclass(frozen=True)
class Outcome:
    """What a worker says of a standing: vehicle-hours, and by how much the gaps may part two."""

    hours: float
    noise: float


class Bench(Protocol):
    """Tests several standings, here or elsewhere; the same whoever does."""

    def __call__(
        self, many: Sequence[tuple[Part, ...]], near: Standing
    ) -> Sequence[Standing | Outcome]:
        """Return what comes of building each, sought from a standing like it."""


@dataclass(frozen=True)
class Swap:
    """A swap that stayed.

    Parameters
    ----------
    left, came : int
        Bundles.
    saved : float
        Vehicle-hours an hour, pce h/h.
    worth : float
        What the bundle that came saves beside all others, pce h/h.
    """

    left: int
    came: int
    saved: float
    worth: float


def stand(
    trials: Trials, streets: Sequence[Proposal], parts: tuple[Part, ...],
    start: BushStart | None,
) -> Standing:  # fmt: skip
    """Return the traffic on a network with parts of bundles, sought from one like it."""
    network = trials.with_streets([streets[row] for part in parts for row in part.rows])
    flow = trials.equilibrium(network, start)
    return Standing(parts, network, flow, vehicle_hours(network, flow))


def as_far(
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


def improve(
    trials: Trials,
    streets: Sequence[Proposal],
    bundles: Sequence[Sequence[int]],
    now: Standing,
    spare: Sequence[int],
    length: float,
    money: float,
    bench: Bench,
    say: Callable[[str], Any],
) -> tuple[Standing, tuple[Swap, ...]]:
    """Improve a choice by swaps.

    Parameters
    ----------
    trials : Trials
    streets : sequence of Proposal
    bundles : sequence of sequence of int
        Rows of ``streets``.
    now : Standing
        What greedy choice took.
    spare : sequence of int
        Bundles that it left, the most promising first.
    length, money : float
        As for :func:`~cczsim.design.benefit.choose_by_benefit`.
    bench : Bench
    say : callable
        Is told of every swap that is tried.
    """
    waiting = list(spare)
    swaps: list[Swap] = []
    while waiting and len(now.parts) > 1 and len(swaps) < MOST:
        last = now.parts[-WORST:]
        rests = [tuple(p for p in now.parts if p is not part) for part in last]
        without = bench(rests, now)
        km = [sum(streets[row].length for row in part.rows) / 1e3 for part in last]
        worst = min(range(len(last)), key=lambda k: (without[k].hours - now.hours) / km[k])
        out, rest = last[worst], rests[worst]
        tried = {}
        for bundle in waiting[:BEST]:
            parts = _refill(streets, bundles, rest, (bundle, out.bundle), length, money)
            if parts != rest and parts[len(rest)].bundle == bundle:
                tried[bundle] = parts
        found = dict(zip(tried, bench(list(tried.values()), now), strict=True))
        for bundle, one in found.items():
            say(
                f"bundle {bundle + 1} for {out.bundle + 1} tried: "
                f"{now.hours - one.hours:+,.1f} vehicle-hours saved"
            )
        if not found:
            break
        came = min(found, key=lambda bundle: found[bundle].hours)
        best, saved = found[came], now.hours - found[came].hours
        if saved <= now.noise + best.noise:
            break
        worth = without[worst].hours - best.hours
        swaps.append(Swap(out.bundle, came, saved, worth))
        waiting.remove(came)
        now = best if isinstance(best, Standing) else stand(
            trials, streets, tried[came], now.start
        )  # fmt: skip
    return now, tuple(swaps)


def _refill(
    streets: Sequence[Proposal], bundles: Sequence[Sequence[int]], parts: tuple[Part, ...],
    following: Sequence[int], length: float, money: float,
) -> tuple[Part, ...]:  # fmt: skip
    """Return parts and, behind them, what there is room for of further bundles."""
    built = [streets[row] for part in parts for row in part.rows]
    length -= sum(one.inside for one in built)
    money -= sum(one.cost for one in built)
    for bundle in following:
        rows = as_far(bundles[bundle], streets, length, money)
        if rows:
            parts = (*parts, Part(bundle, tuple(rows)))
            length -= sum(streets[row].inside for row in rows)
            money -= sum(streets[row].cost for row in rows)
    return parts
