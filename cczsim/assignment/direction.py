"""Where a Frank-Wolfe step goes: plain, conjugate and biconjugate directions, and how far.

Source: M. Mitradjieva and P. O. Lindberg (2013), The stiff is moving - conjugate direction
Frank-Wolfe methods with applications to traffic assignment, *Transportation Science* 47(2),
sections 3 and 4. Targets are kept in place of directions, so that every target is feasible.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array

_NEAR_ONE = 0.99
"""A conjugate share above this would repeat the last target; the paper's 1 - delta."""


_TOO_LONG = 0.9999
"""After a longer step the last direction is spent, and conjugacy starts anew."""


def _dot(a: Array, b: Array) -> float:
    return float((a * b).sum())


def conjugate_target(point: Array, aon: Array, last: Array, hessian: Array) -> Array:
    """Return the target whose direction is conjugate to the last one (paper, eq. 9)."""
    old = last - point
    new = aon - point
    along = _dot(old, hessian * new)
    slope = along - _dot(old, hessian * old)
    share = along / slope if slope != 0.0 else 0.0
    if share > _NEAR_ONE:
        share = _NEAR_ONE
    elif not share > 0.0:
        share = 0.0
    return np.asarray(share * last + (1.0 - share) * aon)


def biconjugate_target(
    point: Array, aon: Array, last: Array, before: Array, step: float, hessian: Array
) -> Array:
    """Return the target conjugate to the last two directions (paper, eqs. 15 to 18).

    ``last`` and ``before`` are the targets of the last two steps; ``step`` is the length of the
    last one, below 1.
    """
    first = last - point
    second = step * last + (1.0 - step) * before - point
    new = aon - point
    low = _dot(second, hessian * (before - last))
    mu = -_dot(second, hessian * new) / low if low != 0.0 else 0.0
    mu = mu if mu > 0.0 else 0.0
    length = _dot(first, hessian * first)
    nu = -_dot(first, hessian * new) / length if length > 0.0 else 0.0
    nu += mu * step / (1.0 - step)
    nu = nu if nu > 0.0 else 0.0
    share = 1.0 / (1.0 + mu + nu)
    return np.asarray(share * (aon + nu * last + mu * before))


def load_search() -> None:
    """Load what :func:`step_length` searches by: a tenth of a second that is not the solver's."""
    import scipy.optimize  # noqa: F401


def step_length(slope: Callable[[float], float], tolerance: float = 1e-10) -> float:
    """Return the root in [0, 1] of a rising function, or the end it points to.

    TOMS 748 (G. Alefeld, F. Potra and Y. Shi, 1995, *ACM Transactions on Mathematical Software*
    21): steep costs of overloaded links make false position crawl, at 35 evaluations a step where
    this takes 10.
    """
    from scipy.optimize import toms748

    if slope(0.0) >= 0.0:
        return 0.0
    if slope(1.0) <= 0.0:
        return 1.0
    return float(toms748(slope, 0.0, 1.0, xtol=tolerance, rtol=1e-12))


@dataclass(frozen=True, eq=False)
class Remembered:
    """The targets of the last steps, the newest last, and the length of the last step."""

    targets: tuple[Array, ...] = ()
    step: float = 0.0


class Targets:
    """The targets of the last two steps, from which the next one is made.

    Parameters
    ----------
    algorithm : str
        ``cfw`` remembers one target, ``bfw`` two, any other none.
    remembered : Remembered, optional
        What to go on from.
    """

    def __init__(self, algorithm: str, remembered: Remembered | None = None) -> None:
        remembered = remembered or Remembered()
        self._memory = {"cfw": 1, "bfw": 2}.get(algorithm, 0)
        self._last: list[Array] = list(remembered.targets)
        self._step = remembered.step

    @property
    def remembered(self) -> Remembered:
        """What the next target is made from."""
        return Remembered(tuple(self._last), self._step)

    def next(self, point: Array, aon: Array, cost: Array, hessian: Callable[[], Array]) -> Array:
        """Return the target of the next step; ``aon`` where conjugacy would not lead down.

        Parameters
        ----------
        point, aon, cost : array [variable]
            Where we stand, the target of the plain method, and the gradient here.
        hessian : callable
            Returns the diagonal of the Hessian here.
        """
        if not self._last:
            return aon
        if len(self._last) == 1:
            target = conjugate_target(point, aon, self._last[-1], hessian())
        else:
            target = biconjugate_target(
                point, aon, self._last[-1], self._last[-2], self._step, hessian()
            )
        if float((cost * (target - point)).sum()) >= 0.0:
            self._last = []
            return aon
        return target

    def taken(self, target: Array, step: float) -> None:
        """Remember the target that was stepped towards, and the length of the step."""
        self._step = step
        self._last = (
            [*self._last, target][-self._memory :] if self._memory and step < _TOO_LONG else []
        )
