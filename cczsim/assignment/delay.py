"""Volume-delay functions: what flow adds to the time of a link, its derivative and its integral.

All take ``ratio``, flow over capacity, and the link's own ``free`` (free-flow time, s),
``capacity`` (pce/h), ``alpha`` and ``beta``; what the last two mean hangs on the function:

========= ============================ =======================================================
function  alpha, beta                  source
========= ============================ =======================================================
bpr       relative delay at capacity,  Bureau of Public Roads (1964), *Traffic Assignment
          power                        Manual*
conical   slope beyond capacity (> 1), H. Spiess (1990), Conical volume-delay functions,
          not used                     *Transportation Science* 24(2)
akcelik   delay parameter J_A,         R. Akçelik (1991), Travel time functions for transport
          length of the period, h      planning purposes, *Australian Road Research* 21(3)
davidson  delay parameter J,           K. Davidson (1966), Proc. 3rd ARRB Conference 3(1); beyond
          ratio below 1 beyond which   that ratio its tangent: P. Tisato (1991), *Australian Road
          it goes straight on          Research* 21(2)
========= ============================ =======================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from cczsim.columns import Array
from cczsim.kernels.vdf import AKCELIK, CONICAL, DAVIDSON, MARGINAL


class Terms(NamedTuple):
    """Parameters of links that share a function, ``[link]``."""

    free: Array
    capacity: Array
    alpha: Array
    beta: Array


def _conical_shape(alpha: Array, ratio: Array) -> tuple[Array, Array, Array]:
    beta = (2.0 * alpha - 1.0) / (2.0 * alpha - 2.0)
    lack = alpha * (1.0 - ratio)
    return beta, lack, np.sqrt(lack * lack + beta * beta)


def conical_delay(terms: Terms, ratio: Array) -> Array:
    """Return the delay, s."""
    beta, lack, root = _conical_shape(terms.alpha, ratio)
    return np.asarray(terms.free * (1.0 + root - lack - beta))


def conical_slope(terms: Terms, ratio: Array) -> Array:
    """Return the derivative of the delay by flow, s h/pce."""
    _, lack, root = _conical_shape(terms.alpha, ratio)
    return np.asarray(terms.free * terms.alpha * (1.0 - lack / root) / terms.capacity)


def conical_bend(terms: Terms, ratio: Array) -> Array:
    """Return the second derivative of the delay by flow, s h²/pce²."""
    beta, _, root = _conical_shape(terms.alpha, ratio)
    steep = terms.alpha / terms.capacity
    return np.asarray(terms.free * steep * steep * beta * beta / (root * root * root))


def conical_integral(terms: Terms, ratio: Array) -> Array:
    """Return the integral of the delay from no flow, pce s/h."""
    alpha = terms.alpha

    def area(lack: Array, root: Array) -> Array:
        return np.asarray(0.5 * (lack * root + beta * beta * np.arcsinh(lack / beta)))

    beta, lack, root = _conical_shape(alpha, ratio)
    _, lack_0, root_0 = _conical_shape(alpha, np.zeros_like(ratio))
    under_root = (area(lack_0, root_0) - area(lack, root)) / alpha
    under_lack = alpha * (ratio - 0.5 * ratio * ratio)
    return np.asarray(
        terms.free * terms.capacity * ((1.0 - beta) * ratio + under_root - under_lack)
    )


def _akcelik_shape(terms: Terms, ratio: Array) -> tuple[Array, Array, Array, Array]:
    quarter = 900.0 * terms.beta
    bend = 8.0 * terms.alpha / (terms.capacity * terms.beta)
    over = ratio - 1.0
    return quarter, bend, over, np.sqrt(over * over + bend * ratio)


def akcelik_delay(terms: Terms, ratio: Array) -> Array:
    """Return the delay, s."""
    quarter, _, over, root = _akcelik_shape(terms, ratio)
    return np.asarray(quarter * (over + root))


def akcelik_slope(terms: Terms, ratio: Array) -> Array:
    """Return the derivative of the delay by flow, s h/pce."""
    quarter, bend, over, root = _akcelik_shape(terms, ratio)
    rise = np.divide(over + 0.5 * bend, root, out=np.ones_like(root), where=root > 0.0)
    return np.asarray(quarter * (1.0 + rise) / terms.capacity)


def akcelik_bend(terms: Terms, ratio: Array) -> Array:
    """Return the second derivative of the delay by flow, s h²/pce²."""
    quarter, bend, over, root = _akcelik_shape(terms, ratio)
    rise = np.divide(over + 0.5 * bend, root, out=np.ones_like(root), where=root > 0.0)
    curve = np.divide(1.0 - rise * rise, root, out=np.zeros_like(root), where=root > 0.0)
    return np.asarray(quarter * curve / (terms.capacity * terms.capacity))


def akcelik_integral(terms: Terms, ratio: Array) -> Array:
    """Return the integral of the delay from no flow, pce s/h."""
    quarter, bend, _, root = _akcelik_shape(terms, ratio)
    half = 0.5 * bend - 1.0
    rest = 1.0 - half * half

    def area(at: Array, root: Array) -> Array:
        return np.asarray(0.5 * (at * root + rest * np.log(at + root)))

    straight = 0.5 * ratio * ratio - ratio
    curved = area(ratio + half, root) - area(half, np.ones_like(root))
    return np.asarray(quarter * terms.capacity * (straight + curved))


def davidson_delay(terms: Terms, ratio: Array) -> Array:
    """Return the delay, s."""
    inside = np.minimum(ratio, terms.beta)
    room = 1.0 - inside
    straight = (ratio - inside) / (room * room)
    return np.asarray(terms.free * terms.alpha * (inside / room + straight))


def davidson_slope(terms: Terms, ratio: Array) -> Array:
    """Return the derivative of the delay by flow, s h/pce."""
    room = 1.0 - np.minimum(ratio, terms.beta)
    return np.asarray(terms.free * terms.alpha / (room * room * terms.capacity))


def davidson_bend(terms: Terms, ratio: Array) -> Array:
    """Return the second derivative of the delay by flow, s h²/pce²."""
    room = (1.0 - np.minimum(ratio, terms.beta)) * terms.capacity
    bend = 2.0 * terms.free * terms.alpha * terms.capacity / (room * room * room)
    return np.where(ratio < terms.beta, bend, 0.0)


def davidson_integral(terms: Terms, ratio: Array) -> Array:
    """Return the integral of the delay from no flow, pce s/h."""
    inside = np.minimum(ratio, terms.beta)
    beyond = ratio - inside
    room = 1.0 - inside
    area = -inside - np.log1p(-inside)
    straight = beyond * inside / room + 0.5 * beyond * beyond / (room * room)
    return np.asarray(terms.free * terms.alpha * terms.capacity * (area + straight))


Function = Callable[[Terms, Array], Array]
_EACH: dict[int, tuple[Function, Function, Function, Function]] = {
    CONICAL: (conical_delay, conical_slope, conical_integral, conical_bend),
    AKCELIK: (akcelik_delay, akcelik_slope, akcelik_integral, akcelik_bend),
    DAVIDSON: (davidson_delay, davidson_slope, davidson_integral, davidson_bend),
}


def _marginal(delay: Function, slope: Function, bend: Function) -> tuple[Function, ...]:
    """Return what one more vehicle costs all, its derivative and its integral: flow x delay."""

    def cost(terms: Terms, ratio: Array) -> Array:
        return np.asarray(delay(terms, ratio) + ratio * terms.capacity * slope(terms, ratio))

    def rise(terms: Terms, ratio: Array) -> Array:
        return np.asarray(2.0 * slope(terms, ratio) + ratio * terms.capacity * bend(terms, ratio))

    def total(terms: Terms, ratio: Array) -> Array:
        return np.asarray(ratio * terms.capacity * delay(terms, ratio))

    return cost, rise, total


FUNCTIONS: Final[dict[int, tuple[Function, ...]]] = {
    **{kind: own[:3] for kind, own in _EACH.items()},
    **{kind + MARGINAL: _marginal(own[0], own[1], own[3]) for kind, own in _EACH.items()},
}
"""Delay, slope and integral by kind; BPR stands in :mod:`cczsim.assignment.cost`."""
