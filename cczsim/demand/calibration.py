"""Gravity that gives observed trip lengths: their mean, or their distribution by bands.

Mean: the decay is found by Hyman's secants (G. M. Hyman, 1969, The calibration of trip distribution
models, *Environment and Planning* 1), kept within the bounds that earlier trials set. Distribution:
a factor for each band of length is balanced together with those of rows and columns (Furness in
three ways; its fixed point is the matrix nearest to the given pull, in the sense of entropy, that
has all three totals).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cczsim.columns import Array
from cczsim.demand.distribution import Distribution, deterrence, gravity
from cczsim.errors import DemandError

_ROUNDS = 60
_SHORTEST, _LONGEST = 0.02, 100.0
"""Decays that are tried, by the mean of the costs."""


class LengthBands(NamedTuple):
    """Bands of trip length with a figure each.

    Parameters
    ----------
    edge : array [band + 1], m
        Rising; the last may be infinite.
    value : array [band]
        Share of trips, or factor of pull.
    """

    edge: Array
    value: Array

    def of(self, length: Array) -> Array:
        """Return the band that each length lies in; -1 where none, ``length`` in m."""
        band = np.searchsorted(self.edge, length, side="right") - 1
        beyond = (band < 0) | (band >= len(self.value)) | ~np.isfinite(length)
        return np.where(beyond, -1, band)

    def factors(self, length: Array) -> Array:
        """Return the value of the band of each length; 1 where it lies in none."""
        band = self.of(length)
        return np.where(band >= 0, self.value[np.maximum(band, 0)], 1.0)


@dataclass(frozen=True)
class DecayFit:
    """A decay that gives a mean length.

    Parameters
    ----------
    decay : float, s
    mean : float
        Of the lengths, at ``decay``.
    trials : tuple of (float, float)
        Decays and the means that they gave, in order.
    distribution : Distribution
    converged : bool
    """

    decay: float
    mean: float
    trials: tuple[tuple[float, float], ...]
    distribution: Distribution
    converged: bool


@dataclass(frozen=True)
class BandFit:
    """Factors of bands of length that give a distribution.

    Parameters
    ----------
    factor : array [band]
        1 on average over trips; what the pull of pairs in the band is multiplied with.
    share : array [band]
        Of trips, as modelled.
    residual : float
        Largest difference to the shares that were given.
    distribution : Distribution
    iterations : int
    converged : bool
    """

    factor: Array
    share: Array
    residual: float
    distribution: Distribution
    iterations: int
    converged: bool


def mean_length(trips: Array, length: Array) -> float:
    """Return the mean length of trips, those within zones included where their length is known."""
    counted = (trips > 0.0) & np.isfinite(length)
    total = float(trips[counted].sum())
    return float((trips[counted] * length[counted]).sum()) / total if total > 0.0 else math.nan


def fit_decay(
    production: Array,
    attraction: Array,
    cost: Array,
    length: Array,
    mean: float,
    *,
    power: float = 0.0,
    start: float = 600.0,
    tolerance: float = 1e-5,
) -> DecayFit:
    """Find the decay of :func:`~cczsim.demand.distribution.deterrence` for a mean length.

    Parameters
    ----------
    production, attraction : array [zone], trips/h
    cost : array [zone, zone], s
        That trips fall with; inf where there is no way.
    length : array [zone, zone]
        What the mean is of: the cost itself, distances, times.
    mean : float
        In the unit of ``length``.
    power : float
    start : float, s
    tolerance : float
        Relative difference to ``mean``.

    Raises
    ------
    DemandError
        A mean that no decay gives; the message tells the range.
    """
    trials: list[tuple[float, float]] = []

    def tried(decay: float) -> tuple[float, Distribution]:
        found = gravity(production, attraction, deterrence(cost, decay, power))
        trials.append((decay, mean_length(found.trips, length)))
        return trials[-1][1], found

    usual = float(cost[np.isfinite(cost)].mean())
    low = high = min(max(start, _SHORTEST * usual), _LONGEST * usual)
    here, found = tried(low)
    below = above = here
    # Doubling brackets the decay: lengths rise with it.
    while below > mean and low > _SHORTEST * usual:
        low, (below, found) = low / 2.0, tried(low / 2.0)
    while above < mean and high < _LONGEST * usual:
        high, (above, found) = high * 2.0, tried(high * 2.0)
    if not below <= mean <= above:
        raise DemandError.of(
            "mean trip length", f"{mean:g}", f"{below:g} to {above:g}, which decays from {low:g} "
            f"to {high:g} s give", "check its unit, and the jobs and residents of the zones",
        )  # fmt: skip
    decay, got = trials[-1]
    while abs(got - mean) > tolerance * mean and len(trials) < _ROUNDS:
        # Hyman's secant in the logarithm of the decay, or the middle where it leaves the bracket.
        share = (mean - below) / (above - below) if above > below else 0.5
        share = min(max(share, 0.05), 0.95)
        decay = low * (high / low) ** share
        got, found = tried(decay)
        if got < mean:
            low, below = decay, got
        else:
            high, above = decay, got
    return DecayFit(decay, got, tuple(trials), found, abs(got - mean) <= tolerance * mean)


def fit_bands(
    production: Array,
    attraction: Array,
    pull: Array,
    band: Array,
    share: Array,
    *,
    tolerance: float = 1e-6,
    max_iterations: int = 500,
) -> BandFit:
    """Find factors of bands of length for the shares of trips in them.

    Parameters
    ----------
    production, attraction : array [zone], trips/h
    pull : array [zone, zone]
        To start from; 1 where nothing is known.
    band : int array [zone, zone]
        Band that a pair lies in; -1 for pairs that are not counted, whose pull stays.
    share : array [band]
        Of the trips that are counted; adds up to 1.
    tolerance : float
        Largest difference of a share.

    Raises
    ------
    DemandError
        Shares below 0 or that do not add up to 1; a band with a share that no pair lies in.
    """
    share = np.asarray(share, dtype=float)
    n = len(share)
    if not np.isfinite(share).all() or (share < 0.0).any() or abs(share.sum() - 1.0) > 1e-6:
        raise DemandError.of("shares of bands", f"{share.tolist()}", "shares that add up to 1")
    counted = band >= 0
    there = np.bincount(band[counted & (pull > 0.0)], minlength=n)[:n] > 0
    empty = np.flatnonzero((share > 0.0) & ~there)
    if len(empty):
        raise DemandError.of(
            "shares of bands", f"trips in band {(empty + 1).tolist()}, where no pair of zones lies",
            "bands that zones are apart by", "join bands",
        )  # fmt: skip
    factor = np.where(share > 0.0, 1.0, 0.0)
    rows = np.where(counted, band, 0)
    iterations, residual = 0, math.inf
    while True:
        iterations += 1
        found = gravity(production, attraction, np.where(counted, factor[rows], 1.0) * pull)
        inside = np.bincount(band[counted], weights=found.trips[counted], minlength=n)[:n]
        got = inside / max(float(inside.sum()), 1e-300)
        residual = float(np.abs(got - share).max())
        if residual <= tolerance or iterations >= max_iterations:
            break
        factor *= np.divide(share, got, out=np.ones(n), where=got > 0.0)
        factor /= max(float((factor * share).sum()), 1e-300)
    return BandFit(factor, got, residual, found, iterations, residual <= tolerance)
