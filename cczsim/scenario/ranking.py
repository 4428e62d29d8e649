"""Which of several options is best, given what is not known: all options in the same samples.

Rules, with the numbers that the code carries:

1. Options are compared sample by sample, so what moves all of them alike cancels out.
2. Two values tie where they differ by no more than the gaps of both runs allow
   (:mod:`cczsim.scenario.compare`). Options that tie with the best of a sample share it.
3. The regret of an option in a sample is what it falls short of the best there; 0 in a tie.
4. An option's place is 1 + the number of options whose mean is better beyond a tie.
5. ``a`` dominates ``b`` where it is nowhere worse beyond a tie, in no sample and by no figure, and
   better beyond one in the mean of at least one figure. The front holds what no other option
   beats so in the means alone.
6. A sample that any option has no figure for is left out for all, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import ScenarioError

LOW: Final = 5.0
HIGH: Final = 95.0
"""Percentiles that intervals run between."""
_ROUNDING: Final = 1e-12


@dataclass(frozen=True)
class OptionFigure:
    """One figure of one option over all samples.

    Parameters
    ----------
    mean, low, high : float
        Mean and the percentiles LOW and HIGH.
    place : int
    best : float
        Share of the samples in which the option is best; what several share is divided (2).
    tied : float
        Share of the samples in which it is among several best.
    regret, worst_regret : float
        Mean and greatest regret (3).
    behind, behind_low, behind_high : float
        How far the option is behind the leader of the means: mean and percentiles over samples.
    error : float
        Standard error of the mean of ``behind`` as of independent draws; a low-discrepancy design
        does better.
    ties_leader : bool
        Whether the difference of the means to the leader is one that the gaps allow.
    """

    mean: float
    low: float
    high: float
    place: int
    best: float
    tied: float
    regret: float
    worst_regret: float
    behind: float
    behind_low: float
    behind_high: float
    error: float
    ties_leader: bool


@dataclass(frozen=True)
class Ranking:
    """Options by one or more figures.

    Parameters
    ----------
    figures : tuple [key] of tuple [option] of OptionFigure
    leader : tuple [key] of int
        The option with the best mean.
    dominated_by : tuple [option] of tuple of int
    front : tuple of int
        Options on the Pareto front of the means.
    used, left_out : int
        Samples.
    """

    figures: tuple[tuple[OptionFigure, ...], ...]
    leader: tuple[int, ...]
    dominated_by: tuple[tuple[int, ...], ...]
    front: tuple[int, ...]
    used: int
    left_out: int


def rank_options(values: Array, bound: Array, better: Array) -> Ranking:
    """Rank options.

    Parameters
    ----------
    values, bound : array [option, sample, key]
        Figures, NaN where there is none; and how far the gaps of the run may move each.
    better : array [key]
        1 where more is better, -1 where less is.

    Raises
    ------
    ScenarioError
        No sample has all figures of all options.
    """
    whole = np.asarray(np.isfinite(values).all(axis=(0, 2)))
    if not whole.any():
        raise ScenarioError.of("rank", "no sample with all figures of all options", "one or more")
    n = int(whole.sum())
    values, bound = values[:, whole], bound[:, whole]
    worth = values * better
    slack = bound + _ROUNDING * np.abs(values)
    figures, leaders = [], []
    for k in range(values.shape[2]):
        own, room = worth[:, :, k], slack[:, :, k]
        leader = int(np.argmax(own.mean(axis=1)))
        leaders.append(leader)
        top = np.argmax(own, axis=0)
        column = np.arange(n)
        short = own[top, column] - own
        among = short <= room + room[top, column]  # (2)
        regret = np.where(among, 0.0, short)  # (3)
        behind = own[leader] - own
        means, rooms = own.mean(axis=1), room.mean(axis=1)
        ahead = means[None, :] - means[:, None] > rooms[None, :] + rooms[:, None]
        rows = []
        for o in range(len(own)):
            low, high = np.percentile(values[o, :, k], [LOW, HIGH])
            behind_low, behind_high = np.percentile(behind[o], [LOW, HIGH])
            spread = float(behind[o].std(ddof=1)) if n > 1 else float("nan")
            rows.append(
                OptionFigure(
                    mean=float(values[o, :, k].mean()),
                    low=float(low),
                    high=float(high),
                    place=1 + int(ahead[o].sum()),  # (4)
                    best=float((among[o] / among.sum(axis=0)).mean()),
                    tied=float((among[o] & (among.sum(axis=0) > 1)).mean()),
                    regret=float(regret[o].mean()),
                    worst_regret=float(regret[o].max()),
                    behind=float(behind[o].mean()),
                    behind_low=float(behind_low),
                    behind_high=float(behind_high),
                    error=spread / n**0.5,
                    ties_leader=o != leader and not bool(ahead[o, leader]),
                )
            )
        figures.append(tuple(rows))
    dominated, front = _dominance(worth, slack)
    return Ranking(
        tuple(figures), tuple(leaders), dominated, front, n, int((~whole).sum())
    )  # fmt: skip


def _dominance(worth: Array, slack: Array) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Return who dominates whom in all samples, and the front of the means (5)."""
    options = range(len(worth))
    means, rooms = worth.mean(axis=1), slack.mean(axis=1)
    everywhere: list[tuple[int, ...]] = []
    front = []
    for o in options:
        by, beaten = [], False
        for p in options:
            if p == o:
                continue
            better = means[p] - means[o] > rooms[p] + rooms[o]
            worse = means[o] - means[p] > rooms[p] + rooms[o]
            if not better.any() or worse.any():
                continue
            beaten = True
            if not (worth[o] - worth[p] > slack[p] + slack[o]).any():
                by.append(p)
        everywhere.append(tuple(by))
        if not beaten:
            front.append(o)
    return tuple(everywhere), tuple(front)
